// An app's secret, where it has one, goes to a private file, or to a terminal when asked; never to a pipe by accident.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Third-party apps at the home's provider.",
        subcommands: [Add.self, List.self, Show.self, Remove.self, Approvals.self, Forget.self])

    enum AppProtocol: String, ExpressibleByArgument, CaseIterable {
        case oauth1
        case oauth2
    }

    enum Authentication: String, ExpressibleByArgument, CaseIterable {
        case secret
        case privateKeyJWT = "private_key_jwt"
        case none
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Register an app.")
        @Argument(help: "What it is called on consent pages.") var name: String
        @Option(name: .customLong("protocol"), help: "oauth2 or oauth1.") var delegationProtocol: AppProtocol = .oauth2
        @Option(help: "Where approvals go, exactly; 'oob' for a PIN. May be given several times, or not at all.")
        var redirect: [String] = []
        @Option(help: "An operation on a device, such as climate.set@hallway. May be given several times.") var scope:
            [String]
        @Option(help: "How it proves itself: secret, private_key_jwt or none.") var authentication: Authentication =
            .secret
        @Option(help: "A file with its public key: JWK, JWK Set or PEM.") var keyFile: String?
        @Option(help: "How it signs OAuth 1.0a requests, such as RSA-SHA256; left out, its first request settles it.")
        var signatureMethod: String?
        @Option(
            help: """
                A grant type it may use: authorization_code, refresh_token, device_code, client_credentials or \
                token_exchange. May be given several times.
                """) var grantType: [String] = []
        @Flag(help: "Its refresh tokens are good once.") var rotateRefreshTokens = false
        @Flag(name: .customLong("require-par"), help: "It has to push its authorisation requests.") var requirePAR =
            false
        @Flag(name: .customLong("require-dpop"), help: "Its tokens are bound to a key of its own.") var requireDPoP =
            false
        @Option(help: "Where to write the app's secret (mode 0600).") var secretFile: String?
        @Flag(help: "Show the secret on the terminal.") var reveal = false
        @OptionGroup var output: Output

        /// Whether the home will share a secret with it.
        private var hasSecret: Bool {
            switch delegationProtocol {
            case .oauth1: keyFile == nil
            case .oauth2: authentication == .secret
            }
        }

        func run() async throws {
            try checkSecretHasAPlace()
            let body: JSON = .compact([
                "name": .string(name), "protocol": .string(delegationProtocol.rawValue),
                "redirect": .strings(redirect), "scope": .strings(scope),
                "authentication": .string(authentication.rawValue),
                "keys": try keyFile.map { .string(try TextFile.read($0)) },
                "signature_method": signatureMethod.map(JSON.string), "grant_types": .strings(grantType),
                "rotate_refresh_tokens": .bool(rotateRefreshTokens),
                "require_pushed_authorization_requests": .bool(requirePAR),
                "dpop_bound_access_tokens": .bool(requireDPoP),
            ])
            let answer = try await Daemon.ask(.POST, "/v1/apps", body)
            var members = (answer["app"]?.members ?? [])
            if hasSecret {
                guard let secret = answer["secret"]?.string else {
                    throw Refusal(.failure, "the daemon sent no secret")
                }
                if let secretFile {
                    do throws(PrivateFileError) {
                        try PrivateFile.replace(secretFile, Secret(text: secret))
                    } catch {
                        throw Refusal(.failure, error.description, hint: "remove the app and add it again")
                    }
                    members.append(.init("secret_file", .string(secretFile)))
                }
                if reveal && Console.isTerminal { members.append(.init("secret", .string(secret))) }
            }
            output.print(["app": .object(members)]) { answer in
                let app = answer["app"] ?? [:]
                return table(members.map { [$0.name, app.cell($0.name)] })
            }
        }

        private func checkSecretHasAPlace() throws(Refusal) {
            guard hasSecret else {
                guard secretFile == nil && !reveal else {
                    throw Refusal(
                        .usage, "an app that does not prove itself with a secret has none",
                        hint: "leave out --secret-file and --reveal; nothing was registered")
                }
                return
            }
            guard secretFile != nil || (reveal && Console.isTerminal) else {
                throw Refusal(
                    .usage, "nowhere to put the app's secret",
                    hint: "give --secret-file FILE, or --reveal on a terminal; nothing was registered")
            }
            do throws(PrivateFileError) {
                if let secretFile { try PrivateFile.checkReplaceable(secretFile) }
            } catch {
                throw Refusal(.usage, error.description, hint: "nothing was registered")
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

    struct Approvals: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what apps may do without asking again.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/approvals")) { answer in
                table(
                    (answer["approvals"]?.array ?? []).map {
                        [$0.cell("id"), $0.cell("app"), $0.cell("user"), $0.cell("scope")]
                    })
            }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an app ask again; what it was granted stays until it is taken back.")
        @Argument(help: "An id out of 'keyholder app approvals'.") var approval: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/approvals/\(approval.percentEncoded)") }
    }
}
