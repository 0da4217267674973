// A login's password goes to a new private file, or to a terminal when asked; never to a pipe, and never over what
// somebody has already written down.

import ArgumentParser
import Delegation
import Glibc
import Sealing
import StrictJSON

struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Who else may listen at the home's broker.",
        subcommands: [Login.self, List.self, Remove.self])

    struct Login: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let an observer, such as Home Assistant, read notices.",
            discussion: """
                It may read 'homeassistant/#' and the hub's notices, and nothing of any device. The hub makes the password
                and shows it once.
                """)
        @Argument(help: "What it is called here.") var name: String
        @Option(help: "A new file to write the password to (mode 0600).") var passwordFile: String?
        @Flag(help: "Show the password on the terminal.") var reveal = false
        @OptionGroup var output: Output

        func run() async throws {
            guard passwordFile != nil || (reveal && Console.isTerminal) else {
                throw Refusal(
                    .usage, "nowhere to put the login's password",
                    hint: "give --password-file FILE, or --reveal on a terminal; nothing was made")
            }
            do throws(PrivateFileError) {
                // The name is taken first, so that nobody's file is lost and no password is left without a place.
                if let passwordFile { try PrivateFile.create(passwordFile, Secret([])) }
            } catch {
                throw Refusal(.usage, error.description, hint: "nothing was made")
            }
            do {
                let answer = try await Daemon.ask(.POST, "/v1/broker/logins", ["name": .string(name)])
                try show(answer)
            } catch {
                if let passwordFile { unlink(passwordFile) }
                throw error
            }
        }

        private func show(_ answer: JSON) throws(Refusal) {
            var members = answer["login"]?.members ?? []
            guard let password = answer["password"]?.string else {
                throw Refusal(.failure, "the daemon sent no password")
            }
            if let passwordFile {
                do throws(PrivateFileError) {
                    try PrivateFile.replace(passwordFile, Secret(text: password))
                } catch {
                    throw Refusal(
                        .failure, error.description, hint: "run 'keyholder broker remove \(name)', then do it again")
                }
                members.append(.init("password_file", .string(passwordFile)))
            }
            if reveal && Console.isTerminal { members.append(.init("password", .string(password))) }
            output.print(["login": .object(members)]) { answer in
                table(members.map { [$0.name, answer["login"]?.cell($0.name) ?? "-"] })
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List observers' logins.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/broker/logins")) { answer in
                table((answer["logins"]?.array ?? []).map { [$0.cell("name"), $0.cell("user")] })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an observer's login away; whoever uses it is disconnected.")
        @Argument var name: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/broker/logins/\(name.percentEncoded)") }
    }
}
