// The CLI holds nothing and decides nothing: it asks the daemon through its socket and prints what comes back.

import ArgumentParser
import Delegation
import Glibc
import Sealing
import StrictJSON

@main
struct Keyholder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyholder",
        abstract: "The delegated-auth agent of a smart home.",
        discussion: """
            Exit codes: 0 done, 1 other failure, 2 usage, 3 not authorised, 4 the device rejected it, 5 outcome unknown,
            6 daemon not reachable, 7 sealed, 8 no such thing, 9 the provider failed or refused.

            KEYHOLDER_HOME names the home. KEYHOLDER_TIMEOUT says how long the daemon is given for an answer, such as 30s;
            without it, 2m.
            """,
        version: "keyholder 0.1",
        subcommands: [
            Init.self, Status.self, Seal.self, Unseal.self, User.self, Provider.self, ConsumerCommand.self,
            DeviceCommand.self, GrantCommand.self, Token.self, Sign.self, CommandCommand.self, App.self,
            KeyCommand.self, Audit.self, NoticeCommand.self, BrokerCommand.self, QuarantineCommand.self, Backup.self,
            Restore.self,
        ])

    static func main() async {
        ProcessHardening.apply()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let refusal as Refusal {
            Console.explain(refusal)
            Glibc.exit(refusal.kind.exitCode)
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
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
