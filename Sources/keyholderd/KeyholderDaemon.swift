// The process that holds the secrets is hardened before it reads the first of them.

import ArgumentParser
import Delegation
import Glibc
import NIOCore
import Sealing

@main
struct KeyholderDaemon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyholderd",
        abstract: "The daemon of a Keyholder home; runs in the foreground.",
        subcommands: [Serve.self, Init.self, Restore.self], defaultSubcommand: Serve.self)

    static func main() async {
        ProcessHardening.apply()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as StartFailure {
            Console.explain(failure.refusal)
            Glibc.exit(failure.exitCode)
        } catch let refusal as Refusal {
            Console.explain(refusal)
            Glibc.exit(refusal.kind.exitCode)
        } catch let error as PrivateFileError {
            Console.explain(Refusal(.failure, error.description, hint: "nothing was changed"))
            Glibc.exit(1)
        } catch let error as IOError {
            Console.explain(
                Refusal(
                    .failure, "cannot listen: \(error)",
                    hint: "is a port of config.yaml taken? 'listen' and 'redirect' say which"))
            Glibc.exit(1)
        } catch {
            let code = exitCode(for: error).rawValue
            let text = fullMessage(for: error)
            if !text.isEmpty { if code == 0 { Console.out(text) } else { Console.error(usage(text)) } }
            // ArgumentParser says 64 for wrong usage; here that is 2.
            Glibc.exit(code == 64 ? 2 : code)
        }
    }

    /// ArgumentParser's message in the form of all our errors.
    private static func usage(_ text: String) -> String {
        text.hasPrefix("Error: ") ? "error: " + text.dropFirst("Error: ".count) : text
    }
}
