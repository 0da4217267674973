// An app's secret goes to a private file, or to a terminal when asked; never to a pipe by accident.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Third-party apps at the home's provider.",
        subcommands: [Add.self, List.self, Show.self, Remove.self])

    enum AppProtocol: String, ExpressibleByArgument, CaseIterable {
        case oauth1
        case oauth2
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Register an app.")
        @Argument(help: "What it is called on consent pages.") var name: String
        @Option(name: .customLong("protocol"), help: "oauth2 or oauth1.") var delegationProtocol: AppProtocol = .oauth2
        @Option(help: "Where approvals go, exactly; 'oob' for a PIN. May be given several times.") var redirect:
            [String]
        @Option(help: "An operation on a device, such as climate.set@hallway. May be given several times.") var scope:
            [String]
        @Option(help: "Where to write the app's secret (mode 0600).") var secretFile: String?
        @Flag(help: "Show the secret on the terminal.") var reveal = false
        @OptionGroup var output: Output

        func run() async throws {
            guard secretFile != nil || (reveal && Console.isTerminal) else {
                throw Refusal(
                    .usage, "nowhere to put the app's secret",
                    hint: "give --secret-file FILE, or --reveal on a terminal; nothing was registered")
            }
            let body: JSON = [
                "name": .string(name), "protocol": .string(delegationProtocol.rawValue),
                "redirect": .strings(redirect), "scope": .strings(scope),
            ]
            let answer = try await Daemon.ask(.POST, "/v1/apps", body)
            guard let secret = answer["secret"]?.string else { throw Refusal(.failure, "the daemon sent no secret") }
            if let secretFile {
                do throws(PrivateFileError) {
                    try PrivateFile.replace(secretFile, Secret(text: secret))
                } catch {
                    throw Refusal(.failure, error.description, hint: "remove the app and add it again")
                }
            }
            var members = (answer["app"]?.members ?? [])
            if let secretFile { members.append(.init("secret_file", .string(secretFile))) }
            if reveal && Console.isTerminal { members.append(.init("secret", .string(secret))) }
            output.print(["app": .object(members)]) { answer in
                let app = answer["app"] ?? [:]
                return table(members.map { [$0.name, app.cell($0.name)] })
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List apps.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/apps")) { answer in
                table((answer["apps"]?.array ?? []).map { [$0.cell("name"), $0.cell("protocol"), $0.cell("key")] })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an app.")
        @Argument var name: String
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/apps/\(name.percentEncoded)")) { answer in
                let app = answer["app"] ?? [:]
                return table((app.members ?? []).map { [$0.name, app.cell($0.name)] })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an app; what it was granted ends.")
        @Argument var name: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/apps/\(name.percentEncoded)") }
    }
}
