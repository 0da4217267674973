// A consumer's secret comes from a private file or a terminal, and is never shown again.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct ConsumerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumer", abstract: "What the agent is registered as at providers.",
        discussion: """
            The secret is a text of one line, or for private_key_jwt and tls_client_auth a file in PEM: the private key,
            and for the latter the certificate as well.
            """,
        subcommands: [Add.self, List.self, Rotate.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Hand the agent a consumer key and secret.")
        @Argument(help: "The provider.") var provider: String
        @Option(help: "oauth_consumer_key or client_id.") var key: String
        @Option(help: "A file of mode 0600 with the secret, or '-' for standard input.") var secretFile: String?
        @OptionGroup var output: Output

        func run() async throws {
            let profile = try await Daemon.ask(.GET, "/v1/providers/\(provider.percentEncoded)")["provider"]
            // A public client has no secret, so nobody is asked for one.
            let isPublic = profile?["has_secret"] == .bool(false) && secretFile == nil
            let secret = try isPublic ? nil : SecretInput.read(file: secretFile, what: "consumer secret")
            let body = JSON.compact([
                "provider": .string(provider), "key": .string(key),
                "secret": secret.map { .string($0.revealText()) },
            ])
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

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a new secret in the place of a consumer's old one; its grants stay.",
            discussion: """
                The old secret is kept until the provider has taken the new one, so the order in which the two sides
                change does not matter.
                """)
        @Argument(help: "The provider.") var provider: String
        @Option(help: "A file of mode 0600 with the new secret, or '-' for standard input.") var secretFile: String?
        @OptionGroup var output: Output

        func run() async throws {
            let secret = try SecretInput.read(file: secretFile, what: "new consumer secret")
            let body: JSON = ["secret": .string(secret.revealText())]
            output.print(try await Daemon.ask(.POST, "/v1/consumers/\(provider.percentEncoded)/rotate", body)) { _ in
                ["the consumer of \(provider) has a new secret"]
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget a provider's consumer.")
        @Argument(help: "The provider.") var provider: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/consumers/\(provider.percentEncoded)") }
    }
}
