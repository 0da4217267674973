// A person's password comes from a private file or a terminal without echo.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct User: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "People who approve at the home's provider.", subcommands: [Add.self, List.self, Remove.self])

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
