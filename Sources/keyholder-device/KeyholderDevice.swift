// The reference device knows DAC/1 and nothing else of Keyholder: it could have been written by somebody who has only
// the protocol's text. Its whole state is one folder.

import ArgumentParser
import Glibc
import Sealing

@main
struct KeyholderDevice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyholder-device",
        abstract: "A device that verifies before it acts, and signs what it did.",
        subcommands: [Init.self, Run.self, Conformance.self])

    static func main() async {
        ProcessHardening.apply()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let fault as DeviceFault {
            Console.error("error: \(fault.message)")
            if let hint = fault.hint { Console.error("hint: \(hint)") }
            Glibc.exit(fault.exitCode)
        } catch {
            let code = exitCode(for: error).rawValue
            let text = fullMessage(for: error)
            if !text.isEmpty { if code == 0 { Console.out(text) } else { Console.error(text) } }
            // ArgumentParser says 64 for wrong usage; here that is 2.
            Glibc.exit(code == 64 ? 2 : code)
        }
    }
}
