// A person's password comes from a private file or a terminal without echo; a set-up code is shown to whoever is there.

import ArgumentParser
import Delegation
import FoundationEssentials
import Sealing
import StrictJSON

struct User: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "People who approve at the home's provider.",
        subcommands: [Add.self, Invite.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a person.")
        @Argument(help: "The name to sign in with.") var name: String
        @Option(help: "A file of mode 0600 with the password, or '-' for standard input.") var passwordFile: String?
        @OptionGroup var output: Output

        func run() async throws {
            let password = try SecretInput.read(file: passwordFile, what: "password for \(quoted(name))", twice: true)
            let body: JSON = ["name": .string(name), "password": .string(password.revealText())]
            output.print(try await Daemon.ask(.POST, "/v1/users", body)) {
                ["added \($0["user"]?.cell("name") ?? name)"]
            }
        }
    }

    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a code with which one person can set up an account in a browser.",
            discussion: "The code is good once and for a few minutes; the one before is good no more.")
        @OptionGroup var output: Output

        func run() async throws {
            guard output.json || Console.isTerminal else {
                throw Refusal(
                    .usage, "the code is meant to be read off a screen, and this is none",
                    hint: "run it on a terminal, or with --json")
            }
            output.print(try await Daemon.ask(.POST, "/v1/users/invitations", [:])) { answer in
                let invitation = answer["invitation"] ?? [:]
                let code = invitation.cell("code")
                return table([
                    // In two halves, as it is read out; the page takes it with or without the space.
                    ["code", "\(code.prefix(code.count / 2)) \(code.dropFirst(code.count / 2))"],
                    ["page", invitation.cell("url")],
                    ["good", "once, \(Self.remaining(until: invitation.cell("expires_at")))"],
                ])
            }
        }

        private static func remaining(until text: String) -> String {
            guard let end = try? Date(text, strategy: .iso8601) else { return "until \(text)" }
            let minutes = Int((end.timeIntervalSinceNow / 60).rounded())
            return minutes > 1 ? "for \(minutes) minutes" : "for a minute at most"
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List people.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/users")) { answer in
                (answer["users"]?.array ?? []).map { $0.cell("name") }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a person; what they approved ends.")
        @Argument var name: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/users/\(name.percentEncoded)") }
    }
}
