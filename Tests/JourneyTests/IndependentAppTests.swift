// Apps nobody here wrote, as PyPI and Debian ship them, ask the home's provider for access in every flow they have: each
// gets it, uses it, renews it, and loses it when it gives it back.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct IndependentAppTests {
    private static let scope = "climate.set@hallway"

    /// One app, and how it goes about it.
    struct Flow: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let peer: String
        let flow: String
        var registration: [String] = []
        var options: [String] = []
        /// The scope it asks for; without one it asks for nothing in particular.
        var scope = IndependentAppTests.scope
    }

    private static let library = "requests_oauth2client_app.py"
    private static let refreshing = ["--grant-type", "authorization_code", "--grant-type", "refresh_token"]

    static let secretFlows = [
        Flow(
            testDescription: "code, pushed, narrowed by exchange", peer: library, flow: "code",
            registration: refreshing + ["--grant-type", "token_exchange", "--scope", "lock.lock@front-door"],
            options: ["--narrower", scope], scope: "\(scope) lock.lock@front-door"),
        Flow(
            testDescription: "code with the secret in the body, not pushed", peer: library, flow: "code",
            options: ["--client-auth", "post", "--no-par"]),
        Flow(
            testDescription: "code bound to a key, narrowed by exchange", peer: library, flow: "code",
            registration: refreshing + [
                "--grant-type", "token_exchange", "--scope", "lock.lock@front-door", "--require-dpop",
            ],
            options: ["--dpop", "--narrower", scope], scope: "\(scope) lock.lock@front-door"),
        Flow(testDescription: "code used twice", peer: library, flow: "code", options: ["--replay"]),
        Flow(testDescription: "code denied", peer: library, flow: "code", options: ["--decision", "deny"]),
        Flow(testDescription: "Authlib, code", peer: "authlib_client.py", flow: "code"),
        Flow(
            testDescription: "Authlib, client credentials", peer: "authlib_client.py", flow: "client-credentials",
            registration: ["--grant-type", "client_credentials"], scope: ""),
        Flow(
            testDescription: "Authlib, secret in the body", peer: "authlib_client.py", flow: "code",
            options: ["--client-auth", "client_secret_post"]),
    ]

    @Test("an app with a secret gets through", .timeLimit(.minutes(1)), arguments: secretFlows)
    func secret(flow: Flow) async throws {
        let home = try await TestHome.furnished()
        let redirect = "http://127.0.0.1:\(Places.freePorts(1)[0])/back"
        let (key, file) = try await register(
            home, ["--redirect", redirect, "--scope", Self.scope] + flow.registration)
        try await run(
            flow.peer, flow.flow, at: home,
            ["--client-id", key, "--client-secret-file", file, "--redirect", redirect, "--scope", flow.scope]
                + flow.options)
        try await home.stop()
    }

    @Test(
        "a device without a browser gets through with a user code", .timeLimit(.minutes(1)),
        arguments: [[], ["--type-code", "--dpop"], ["--decision", "deny"]])
    func device(options: [String]) async throws {
        let home = try await TestHome.furnished()
        let (key, file) = try await register(
            home, ["--scope", Self.scope, "--grant-type", "device_code", "--grant-type", "refresh_token"])
        try await run(
            Self.library, "device", at: home,
            ["--client-id", key, "--client-secret-file", file, "--scope", Self.scope] + options)
        try await home.stop()
    }

    @Test(
        "an app with a key of its own gets through, and not with an assertion for another audience",
        .timeLimit(.minutes(2)), arguments: [library, "authlib_client.py"])
    func key(peer: String) async throws {
        let home = try await TestHome.furnished()
        let mine = "\(home.folder)/app.key"
        let theirs = "\(home.folder)/app.pub"
        let made = try await Program.run(
            Places.python, [Places.peer(peer), "key", "--private-file", mine, "--public-file", theirs])
        #expect(made.status == 0, "\(made.errors)")
        let redirect = "http://127.0.0.1:\(Places.freePorts(1)[0])/back"
        let isStrict = peer == Self.library
        let added = try await home.done(
            [
                "app", "add", "Keyed", "--redirect", redirect, "--scope", Self.scope, "--authentication",
                "private_key_jwt",
            ]
                + ["--key-file", theirs, "--grant-type", "client_credentials"] + Self.refreshing
                + (isStrict ? ["--require-par", "--require-dpop"] : []))
        let options = [
            "--client-id", try added["app"]?["key"]?.string.orThrow("no key") ?? "", "--private-key-file", mine,
            "--redirect", redirect,
        ]
        let dpop = isStrict ? ["--dpop"] : []
        try await run(peer, "code", at: home, options + ["--scope", Self.scope] + dpop)
        try await run(peer, "client-credentials", at: home, options + ["--scope", ""] + dpop)
        let refused = try await finish(
            peer, "code", at: home, options + ["--scope", Self.scope, "--endpoint-audience"] + dpop)
        #expect(refused.status == 1)
        #expect(refused.output.contains("client is unknown or its credentials are wrong"), "\(refused.output)")
        try await home.stop()
    }

    @Test(
        "a public app gets through, with a key and with refresh tokens that are good once", .timeLimit(.minutes(1)),
        arguments: [["--dpop"], []])
    func publicApp(options: [String]) async throws {
        let home = try await TestHome.furnished()
        let redirect = "http://127.0.0.1:\(Places.freePorts(1)[0])/back"
        let added = try await home.done(
            "app", "add", "Public", "--redirect", redirect, "--scope", Self.scope, "--authentication", "none")
        try await run(
            Self.library, "code", at: home,
            ["--client-id", try added["app"]?["key"]?.string.orThrow("no key") ?? "", "--redirect", redirect]
                + ["--scope", Self.scope] + options)
        try await home.stop()
    }

    @Test(
        "an OAuth 1.0a app on Authlib gets through: redirect, PIN, RSA key", .timeLimit(.minutes(1)),
        arguments: ["redirect", "oob", "RSA-SHA1"])
    func oauth1(way: String) async throws {
        let home = try await TestHome.furnished()
        let redirect = way == "oob" ? "oob" : "http://127.0.0.1:\(Places.freePorts(1)[0])/back"
        let registration = ["--protocol", "oauth1", "--redirect", redirect, "--scope", Self.scope]
        var options = ["--callback", redirect, "--scope", Self.scope]
        if way == "RSA-SHA1" {
            let (mine, theirs) = ("\(home.folder)/app.key", "\(home.folder)/app.pub")
            let made = try await Program.run(
                Places.python,
                [Places.peer("authlib_client.py"), "key", "--kind", "rsa-pem", "--private-file", mine]
                    + ["--public-file", theirs])
            #expect(made.status == 0, "\(made.errors)")
            let added = try await home.done(
                ["app", "add", "Signer"] + registration + ["--signature-method", way, "--key-file", theirs])
            let key = try added["app"]?["key"]?.string.orThrow("no key") ?? ""
            options += ["--consumer-key", key, "--private-key-file", mine]
        } else {
            let (key, file) = try await register(home, registration)
            options += ["--consumer-key", key, "--consumer-secret-file", file] + (way == "oob" ? ["--in-body"] : [])
        }
        try await run("authlib_client.py", "oauth1", at: home, options)
        try await home.stop()
    }

    @Test("Debian's oidc-agent keeps a grant of the home", .timeLimit(.minutes(1)), arguments: ["code", "device"])
    func oidcAgent(flow: String) async throws {
        let home = try await TestHome.furnished()
        let port = Places.freePorts(1)[0]
        let (key, file) = try await register(
            home,
            ["--redirect", "http://localhost:\(port)", "--scope", Self.scope, "--grant-type", "device_code"]
                + Self.refreshing)
        try await run(
            "oidc_agent.py", flow, at: home,
            ["--client-id", key, "--client-secret-file", file, "--scope", Self.scope, "--port", "\(port)"])
        try await home.stop()
    }

    private func register(_ home: TestHome, _ options: [String]) async throws -> (key: String, secretFile: String) {
        let file = "\(home.folder)/app.secret"
        let added = try await home.done(["app", "add", "Dashboard", "--secret-file", file] + options)
        return (try added["app"]?["key"]?.string.orThrow("no key") ?? "", file)
    }

    /// Runs an app to its end; every step of it has to go well.
    private func run(_ peer: String, _ flow: String, at home: TestHome, _ options: [String]) async throws {
        let finished = try await finish(peer, flow, at: home, options)
        #expect(finished.status == 0, "\(finished.output) \(finished.errors)")
        #expect(finished.output.split(separator: "\n").last?.contains("\"ok\": true") == true, "\(finished.output)")
    }

    private func finish(
        _ peer: String, _ flow: String, at home: TestHome, _ options: [String]
    ) async throws -> Finished {
        try await Program.run(
            Places.python,
            [Places.peer(peer), flow, "--base", "http://127.0.0.1:\(home.providerPort)", "--person", TestHome.person]
                + ["--password-file", "\(home.folder)/anna.password"] + options)
    }
}
