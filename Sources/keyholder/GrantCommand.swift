// The CLI prints where to approve; it never sees the password, the verifier of a redirect, or a token.

import ArgumentParser
import Delegation
import StrictJSON

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "What owners allowed the agent to do.",
        subcommands: [Request.self, Finish.self, List.self, Show.self, Revoke.self])

    enum Flow: String, ExpressibleByArgument, CaseIterable {
        case redirect
        case oob
    }

    private static func words(_ answer: JSON) -> [String] {
        let grant = answer["grant"] ?? [:]
        return table((grant.members ?? []).map { [$0.name, grant.cell($0.name)] })
    }

    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a provider for a grant; the owner approves on the provider's page.")
        @Argument(help: "The device.") var name: String
        @Option(help: "Another provider than the one in the device's profile.") var provider: String?
        @Option(help: "How the approval comes back: redirect, or oob for a PIN to type.") var flow: Flow = .redirect
        @Option(help: "Ask for this operation only; may be given several times.") var scope: [String] = []
        @Option(help: "Wait so long for the approval.") var wait: String?
        @OptionGroup var output: Output

        func run() async throws {
            let patience = try wait.map(seconds)
            let body: JSON = .compact([
                "device": .string(name), "provider": provider.map(JSON.string), "flow": .string(flow.rawValue),
                "scope": scope.isEmpty ? nil : .strings(scope),
            ])
            let answer = try await Daemon.ask(.POST, "/v1/grants", body)
            output.print(answer) { answer in
                ["open this page and approve:", "", "  \(answer.cell("authorize_url"))", ""]
                    + (flow == .oob ? ["then type the PIN: keyholder grant finish \(name) --verifier PIN"] : [])
            }
            guard let patience else { return }
            let shown = try await Daemon.ask(.GET, "/v1/grants/\(name.percentEncoded)?wait=\(patience)")
            if !output.json { Console.error("\(name): \(shown["grant"]?.cell("state") ?? "-")") }
            try GrantCommand.requireActive(shown, name)
        }
    }

    private static func requireActive(_ answer: JSON, _ name: String) throws {
        let state = answer["grant"]?["state"]?.string
        guard state != Grant.State.active.rawValue else { return }
        throw Refusal(
            state == Grant.State.pending.rawValue ? .unknownOutcome : .notAuthorised,
            "the grant for \(quoted(name)) is \(state ?? "not there")",
            hint: state == Grant.State.pending.rawValue ? "approve it on the provider's page" : nil)
    }

    struct Finish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Finish an oob request with the PIN from the page.")
        @Argument(help: "The device.") var name: String
        @Option(help: "The PIN; it works once.") var verifier: String
        @OptionGroup var output: Output

        func run() async throws {
            let body: JSON = ["verifier": .string(verifier)]
            output.print(
                try await Daemon.ask(.POST, "/v1/grants/\(name.percentEncoded)/finish", body), GrantCommand.words)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List grants.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/grants")) { answer in
                table(
                    (answer["grants"]?.array ?? []).map {
                        [$0.cell("device"), $0.cell("state"), $0.cell("provider"), $0.cell("scope")]
                    })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a device's grant.")
        @Argument(help: "The device.") var name: String
        @Option(help: "Wait so long for a pending approval.") var wait: String?
        @OptionGroup var output: Output

        func run() async throws {
            let patience = try wait.map(seconds)
            let query = patience.map { "?wait=\($0)" } ?? ""
            let answer = try await Daemon.ask(.GET, "/v1/grants/\(name.percentEncoded)\(query)")
            output.print(answer, GrantCommand.words)
            if patience != nil { try GrantCommand.requireActive(answer, name) }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a grant, here at once and at the provider.")
        @Argument(help: "The device.") var name: String
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.DELETE, "/v1/grants/\(name.percentEncoded)"), GrantCommand.words)
        }
    }
}
