// A consumer's secret comes from a private file or a terminal, and is never shown again.

import ArgumentParser
import Delegation
import Glibc
import Sealing
import StrictJSON

struct Provider: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Service providers.", subcommands: [List.self, Show.self, Add.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List providers.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/providers")) { answer in
                table(
                    (answer["providers"]?.array ?? []).map { [$0.cell("name"), $0.cell("protocol"), $0.cell("title")] })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a provider.")
        @Argument var name: String
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/providers/\(name.percentEncoded)")) { answer in
                table((answer["provider"]?.members ?? []).map { [$0.name, answer["provider"]?.cell($0.name) ?? "-"] })
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a provider from its profile.")
        @Argument(help: "A YAML file named <provider>.yaml.") var file: String
        @OptionGroup var output: Output

        func run() async throws {
            let name = file.split(separator: "/").last.map(String.init) ?? file
            guard name.hasSuffix(".yaml") else { throw Refusal(.usage, "\(quoted(file)) is not named <provider>.yaml") }
            let body: JSON = ["name": .string(String(name.dropLast(5))), "yaml": .string(try TextFile.read(file))]
            output.print(try await Daemon.ask(.POST, "/v1/providers", body)) {
                ["added \($0["provider"]?.cell("name") ?? name)"]
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a provider that was added.")
        @Argument var name: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/providers/\(name.percentEncoded)") }
    }
}

struct ConsumerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumer", abstract: "What the agent is registered as at providers.",
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Hand the agent a consumer key and secret.")
        @Argument(help: "The provider.") var provider: String
        @Option(help: "oauth_consumer_key or client_id.") var key: String
        @Option(help: "A file of mode 0600 with the secret, or '-' for standard input.") var secretFile: String?
        @OptionGroup var output: Output

        func run() async throws {
            let secret = try SecretInput.read(file: secretFile, what: "consumer secret")
            let body: JSON = [
                "provider": .string(provider), "key": .string(key), "secret": .string(secret.revealText()),
            ]
            output.print(try await Daemon.ask(.POST, "/v1/consumers", body)) { _ in ["added consumer for \(provider)"] }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List consumers; secrets are never shown.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/consumers")) { answer in
                table(
                    (answer["consumers"]?.array ?? []).map { [$0.cell("provider"), $0.cell("device"), $0.cell("key")] })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget a provider's consumer.")
        @Argument(help: "The provider.") var provider: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/consumers/\(provider.percentEncoded)") }
    }
}
