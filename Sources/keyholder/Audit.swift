// The log is printed in its order, one line an entry, whether for people or for programs.

import ArgumentParser
import Delegation
import StrictJSON

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Who asked, what, on what authority, what came of it.",
        subcommands: [Show.self, Verify.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the log.")
        @Flag(help: "Go on with what happens from now on.") var follow = false
        @Option(help: "Start after this line.") var after: Int = 0
        @OptionGroup var output: Output

        func run() async throws {
            try await Daemon.follow("/v1/audit?after=\(after)&follow=\(follow ? 1 : 0)") { entry in
                // One line of JSON each, so that a follower can act on every line.
                Console.out(output.json ? entry.text : words(entry))
            }
        }

        private func words(_ entry: JSON) -> String {
            let detail = (entry["detail"]?.members ?? []).map { "\($0.name)=\($0.value.text)" }.joined(separator: " ")
            return "\(entry.cell("seq")) \(entry.cell("at")) \(entry.cell("actor")) \(entry.cell("action")) "
                + "\(entry.cell("subject")) \(entry.cell("outcome")) authority=\(entry.cell("authority")) \(detail)"
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check that no line was changed or taken out.")
        @OptionGroup var output: Output

        func run() async throws {
            let answer = try await Daemon.ask(.GET, "/v1/audit/verify")
            output.print(answer) {
                ["\($0.cell("entries")) lines, \($0["intact"]?.bool == true ? "intact" : "BROKEN")"]
            }
            guard answer["intact"]?.bool == true else {
                throw Refusal(.failure, "the audit log was changed at line \(answer.cell("broken_at"))")
            }
        }
    }
}
