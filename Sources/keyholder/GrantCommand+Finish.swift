// What comes back from the provider's page is worth a token: it is read without echo and never from argv, but for a PIN
// that somebody chooses to write there.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

extension GrantCommand {
    struct Finish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Finish a request with what the provider's page shows.",
            discussion: """
                Without an option the PIN is asked for, or read from standard input. With --redirected it is the whole
                address at which the browser ended, for a browser that cannot come back to the hub.
                """)
        @Argument(help: "The device.") var name: String
        @Option(help: "The PIN; it works once.") var verifier: String?
        @Flag(help: "Ask for the address at which the browser ended.") var redirected = false
        @OptionGroup var output: Output

        func validate() throws {
            if verifier != nil, redirected { throw ValidationError("give --verifier or --redirected, not both") }
        }

        func run() async throws {
            let body: JSON =
                if redirected {
                    [
                        "redirected": .string(
                            try SecretInput.line("address the browser ended at").revealText())
                    ]
                } else {
                    ["verifier": .string(try verifier ?? SecretInput.line("PIN").revealText())]
                }
            output.print(try await Daemon.ask(.POST, GrantCommand.path(name) + "/finish", body), GrantCommand.words)
        }
    }
}
