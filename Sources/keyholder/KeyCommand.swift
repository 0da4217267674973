// Keys are named by their ids here; nothing that signs ever leaves the daemon.

import ArgumentParser
import Delegation
import StrictJSON

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "The keys that sign the home provider's access tokens.",
        subcommands: [List.self, Rotate.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List keys: the one in use, and those whose tokens are still about.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/keys")) { answer in
                table(
                    (answer["keys"]?.array ?? []).map { key in
                        let state = key["retired_at"]?.string.map { "retired \($0)" } ?? "in use"
                        return [key.cell("purpose"), key.cell("id"), key.cell("created_at"), state]
                    })
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a new key in the place of the one in use; what it signed stays good until it expires.")
        @Argument(help: "What the key is for.") var purpose = "access_token"
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.POST, "/v1/keys/\(purpose.percentEncoded)/rotate", [:])) { answer in
                ["\(purpose) is signed with \(answer["key"]?.cell("id") ?? "-") from now on"]
            }
        }
    }
}
