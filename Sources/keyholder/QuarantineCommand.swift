// A vault that may be a copy or an old state does nothing at providers until a person says that it is the only one.

import ArgumentParser
import StrictJSON

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Whether this home may be a copy of another one, or an old state.",
        discussion: """
            In quarantine nothing is refreshed: two hubs that use one grant would cost it, and so would an old state.
            """, subcommands: [Show.self, Lift.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say why the home is in quarantine, if it is.")
        @OptionGroup var output: Output

        func run() async throws {
            let reason = try await Daemon.ask(.GET, "/v1/status")["quarantine"] ?? .null
            output.print(["quarantine": reason]) { answer in
                guard let reason = answer["quarantine"]?.string else { return ["no quarantine"] }
                return ["in quarantine: \(reason)"]
            }
            if !output.json, reason.string != nil {
                Console.error("hint: if no other hub uses this home, run 'keyholder quarantine lift'")
            }
        }
    }

    struct Lift: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm that no other hub uses this home; everything goes on.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.POST, "/v1/quarantine/lift", [:])) { _ in
                ["the quarantine is lifted; grants are refreshed again"]
            }
        }
    }
}
