// Parties nobody here wrote stand on the other side: providers on Authlib and oauthlib, an app on requests-oauthlib, and
// a device in Python that shares no code with ours. They are used as PyPI ships them.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct PeerTests {
    private static let key = "peerConsumerKey0123456789"
    private static let secret = "peerConsumerSecret01234567"

    @Test(
        "an OAuth 1.0a provider nobody here wrote grants, and honours what the agent signs", .timeLimit(.minutes(1)),
        arguments: ["authlib_oauth1_provider.py", "oauthlib_oauth1_provider.py"])
    func oauth1Provider(peer: String) async throws {
        let home = try await TestHome.start()
        try await home.enroll("front-door", "locks/demo-lock")
        let provider = try await start(
            peer, "--consumer-key", Self.key, "--consumer-secret", Self.secret, "--callback", callback(home))
        try await add(
            provider, to: home,
            """
            protocol: oauth1
            oauth1:
              request_token_endpoint: \(provider.base)/request_token
              authorize_endpoint: \(provider.base)/authorize
              access_token_endpoint: \(provider.base)/access_token
              signature_method: HMAC-SHA1
            """)
        try await home.approve("front-door", provider: "peer")
        // Before the command goes out, the provider is asked for /api/me with the signed token, and has to say yes.
        #expect(try await home.done("command", "front-door", "lock.unlock")["outcome"]?.string == "executed")
        #expect(provider.program.output.lines.contains { $0.contains("/api/me") && $0.contains("200") })
        let header = try await home.done("sign", "front-door", "GET", "\(provider.base)/api/me")
        #expect(header["authorization"]?.string?.hasPrefix("OAuth ") == true)
        try await provider.program.end()
        // A provider that is gone stops commands and says so; it does not let them through.
        let refused = try await home.keyholder("command", "front-door", "lock.unlock")
        #expect(refused.status == 9)
        try await home.stop()
    }

    @Test(
        "an OAuth 2 provider on Authlib grants, rotates refresh tokens, and is refreshed before expiry",
        .timeLimit(.minutes(1)))
    func oauth2Provider() async throws {
        let home = try await TestHome.start()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        let provider = try await start(
            "authlib_oauth2_provider.py", "--client-id", Self.key, "--client-secret", Self.secret, "--redirect-uri",
            callback(home), "--rotate", "--access-token-lifetime", "4")
        try await add(
            provider, to: home,
            """
            protocol: oauth2
            oauth2:
              authorization_endpoint: \(provider.base)/authorize
              token_endpoint: \(provider.base)/token
              revocation_endpoint: \(provider.base)/revoke
              client_authentication: basic_raw
              rotation: strict
              default_lifetime: 1h
            """)
        try await home.approve("hallway", provider: "peer")
        let follower = try home.follow("audit", "--follow", "--json")
        for _ in 0..<2 {
            _ = try await follower.output.line(
                with: "\"token.refresh\"", "\"refreshed\"", from: follower.output.lines.count)
            let set = try await home.done("command", "hallway", "climate.set", "t_mC=21000")
            #expect(set["outcome"]?.string == "executed")
        }
        #expect((try await home.done("grant", "show", "hallway")["grant"]?["generation"]?.integer ?? 0) >= 3)
        try await follower.end()
        try await home.done("grant", "revoke", "hallway")
        #expect(provider.program.output.lines.contains { $0.contains("/revoke") && $0.contains("200") })
        try await provider.program.end()
        try await home.stop()
    }

    @Test(
        "an app on requests-oauthlib is delegated one operation by the home's provider", .timeLimit(.minutes(1)),
        arguments: ["oauth1", "oauth2"])
    func foreignApp(spoken: String) async throws {
        let home = try await TestHome.furnished()
        let app = try await home.done(
            "app", "add", "Dashboard", "--protocol", spoken, "--redirect", "http://127.0.0.1:1/back", "--scope",
            "climate.set@hallway", "--secret-file", "\(home.folder)/app.secret")
        let key = try app["app"]?["key"]?.string.orThrow("no key") ?? ""
        let base = "http://127.0.0.1:\(home.providerPort)"
        let own =
            spoken == "oauth1"
            ? ["--consumer-key", key, "--consumer-secret-file", "\(home.folder)/app.secret", "--callback"]
            : ["--client-id", key, "--client-secret-file", "\(home.folder)/app.secret", "--redirect"]
        let client = try await Program.run(
            Places.python,
            [Places.peer("home_client.py"), spoken, "--base", base] + own + [
                "http://127.0.0.1:1/back", "--scope", "climate.set@hallway", "--person", TestHome.person,
                "--password-file", "\(home.folder)/anna.password",
            ])
        #expect(client.status == 0, "\(client.output) \(client.errors)")
        let report = client.json
        #expect(report["ok"]?.bool == true)
        #expect(report["devices_status"]?.integer == 200)
        #expect(report["granted_scope"]?.text.contains("climate.set") == true, "\(report.text)")
        #expect(report.text.contains("front-door") == false)
        if spoken == "oauth2" {
            #expect(report["iss_matched"]?.bool == true)
            #expect(report["refreshed"]?.bool == true)
        }
        try await home.stop()
    }

    @Test(
        "a device in Python is enrolled from its label, verifies, answers a challenge, and rejects a replay",
        .timeLimit(.minutes(1)))
    func independentDevice() async throws {
        let home = try await TestHome.start()
        let device = Places.peer("independent_device.py")
        let label = try await Program.run(
            Places.python, [device, "init", "--dir", "\(home.folder)/py", "--profile", "locks/demo-lock"])
        try await home.done(
            "device", "enroll", "front-door", "--label", label.output.trimmed, "--out", "\(home.folder)/py.join")
        let running = try Program(
            Places.python, ["-u", device, "run", "--dir", "\(home.folder)/py", "--join", "\(home.folder)/py.join"])
        try await home.done("device", "show", "front-door", "--wait", "30s")
        try await home.approve("front-door")
        let topic = try await home.commandTopic("front-door")
        let recorder = try home.intruder("mosquitto_sub", "-d", "-t", topic, "-C", "1", "-q", "1")
        _ = try await recorder.output.line(with: "Subscribed")
        let unlocked = try await home.done("command", "front-door", "lock.unlock")
        #expect(unlocked["outcome"]?.string == "executed")
        #expect(unlocked["result"]?["lock"]?.string == "unlocked")
        #expect(try await home.done("command", "front-door", "lock.lock")["outcome"]?.string == "executed")
        let unlock = try await recorder.output.line(with: "eyJhbGciOi")
        _ = try await home.intruder("mosquitto_pub", "-q", "1", "-t", topic, "-s", input: unlock).finish()
        _ = try await running.output.line(with: "rejected E_CTR")
        #expect(running.output.lines.count { $0.contains("executed lock.unlock") } == 1)
        try await running.end()
        try await home.stop()
    }

    @Test("the independent device's verifier passes the same command vectors")
    func independentVectors() async throws {
        let run = try await Program.run(
            Places.python, [Places.peer("independent_device.py"), "vectors", "\(Places.root)/Tests/Vectors/dac1.json"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("46 passed, 0 failed"))
    }

    /// A running provider.
    private struct Provider {
        let program: Program
        let base: String
    }

    private func start(_ peer: String, _ arguments: String...) async throws -> Provider {
        let program = try Program(Places.python, ["-u", Places.peer(peer), "--port", "0"] + arguments)
        let line = try await program.output.line(with: "\"port\"")
        return Provider(program: program, base: try JSON(parsing: line)["base"]?.string.orThrow("no base") ?? "")
    }

    private func callback(_ home: TestHome) -> String { "http://127.0.0.1:\(home.redirectPort)/callback/peer" }

    /// Adds the provider by its profile, and what the agent is registered as there.
    private func add(_ provider: Provider, to home: TestHome, _ endpoints: String) async throws {
        let profile = """
            provider: peer
            title: A peer
            hosts: ["127.0.0.1"]
            validation_endpoint: \(provider.base)/api/me
            verified: true
            \(endpoints)
            """
        try profile.write(toFile: "\(home.folder)/peer.yaml", atomically: true, encoding: .utf8)
        try await home.done("provider", "add", "\(home.folder)/peer.yaml")
        let secret = try home.privateFile("peer.secret", Self.secret)
        try await home.done("consumer", "add", "peer", "--key", Self.key, "--secret-file", secret)
    }
}
