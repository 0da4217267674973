// The CLI prints where to approve and how a grant is; it never sees the password or a token.

import ArgumentParser
import Delegation
import StrictJSON

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "What owners allowed the agent to do.",
        subcommands: [Request.self, Finish.self, List.self, Show.self, Check.self, Revoke.self])

    static func path(_ name: String) -> String { "/v1/grants/\(name.percentEncoded)" }

    static func words(_ answer: JSON) -> [String] {
        let grant = answer["grant"] ?? [:]
        let members = (grant.members ?? []).filter { $0.name != "health" }
        return table(members.map { [$0.name, grant.cell($0.name)] } + (grant["health"].map(GrantHealth.rows) ?? []))
    }

    /// The state that was waited for, or why not.
    static func requireActive(_ answer: JSON, _ name: String) throws {
        let state = answer["grant"]?["state"]?.string
        guard state != Grant.State.active.rawValue else { return }
        let reason = answer["grant"]?["reason"]?.string.map { ": \($0)" } ?? ""
        throw Refusal(
            state == Grant.State.pending.rawValue ? .unknownOutcome : .notAuthorised,
            "the grant for \(quoted(name)) is \(state ?? "not there")\(reason)",
            hint: state == Grant.State.pending.rawValue ? "approve it on the provider's page" : nil)
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List grants.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/grants")) { answer in
                table(
                    (answer["grants"]?.array ?? []).map { grant in
                        let cells = ["device", "state", "provider", "scope"].map(grant.cell)
                        // A state other than active says itself what is to be done.
                        let isActive = grant["state"]?.string == Grant.State.active.rawValue
                        let worry = isActive ? grant["health"].flatMap(GrantHealth.worry) : nil
                        return cells + (worry.map { ["(\($0))"] } ?? [])
                    })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a device's grant and how it is.")
        @Argument(help: "The device.") var name: String
        @Option(help: "Wait so long for a pending approval.") var wait: String?
        @OptionGroup var output: Output

        func run() async throws {
            let patience = try wait.map(seconds)
            let query = patience.map { "?wait=\($0)" } ?? ""
            let answer = try await Daemon.ask(.GET, GrantCommand.path(name) + query, wait: patience ?? 0)
            output.print(answer, GrantCommand.words)
            if patience != nil { try GrantCommand.requireActive(answer, name) }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask the provider whether it still honours a grant.",
            discussion: "Exit code 0 when it does, 3 when it does not, 5 when that cannot be told.")
        @Argument(help: "The device.") var name: String
        @OptionGroup var output: Output

        func run() async throws {
            let answer = try await Daemon.ask(.POST, GrantCommand.path(name) + "/check", [:])
            let verdict = answer["answer"]?.string ?? "unknown"
            output.print(answer) { _ in ["\(name): \(Self.sentence(verdict))"] }
            switch verdict {
            case "honoured": return
            case "not_honoured", "forbidden":
                throw Refusal(
                    .notAuthorised, "the grant for \(quoted(name)) is \(Self.sentence(verdict))",
                    hint: "'keyholder grant show \(name)' tells what the agent makes of it")
            default:
                throw Refusal(.unknownOutcome, "whether the grant for \(quoted(name)) is honoured cannot be told")
            }
        }

        private static func sentence(_ verdict: String) -> String {
            switch verdict {
            case "honoured": "honoured by the provider"
            case "not_honoured": "not honoured by the provider any more"
            case "forbidden": "known to the provider, which forbids what was asked"
            case "unclear": "unclear: the provider's answer says neither"
            default: "unknown: the provider's profile names nothing to ask"
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a grant, here at once and at the provider.")
        @Argument(help: "The device.") var name: String
        @OptionGroup var output: Output

        func run() async throws {
            let answer = try await Daemon.ask(.DELETE, GrantCommand.path(name))
            output.print(answer, GrantCommand.words)
            guard !output.json, let error = answer["provider_error"]?.string else { return }
            Console.error("note: here it has ended, but the provider was not told: \(error)")
            if let page = answer["revocation_page"]?.string {
                Console.error("hint: take it back by hand on \(page)")
            }
        }
    }
}
