// Who may ask, on what terms, and who may say yes is settled by whoever runs the home; no secret is made for nothing.

import Foundation
import Sealing
import StrictJSON
import Testing

@Suite(.serialized) struct AppRegistrationTests {
    @Test(
        "an app is registered on the terms that were given, and has a secret only if it uses one",
        .timeLimit(.minutes(1)))
    func terms() async throws {
        let home = try await TestHome.start()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        let scope = ["--scope", "climate.set@hallway"]
        let redirect = ["--redirect", "http://127.0.0.1:1/back"]
        let point = Base64.encode(Ed25519PrivateKey().publicKey.rawBytes, as: .url)
        let key = "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\(point)\""
        let keyFile = try home.privateFile("app.jwk", "{\(key)}")
        let privateFile = try home.privateFile("private.jwk", "{\(key),\"d\":\"\(point)\"}")

        let open = try await add(home, ["Public", "--authentication", "none", "--require-par"] + redirect + scope)
        #expect(open["authentication"]?.string == "none")
        #expect(open["rotate_refresh_tokens"]?.bool == true)
        #expect(open["require_pushed_authorization_requests"]?.bool == true)
        #expect(open["secret_file"] == nil)
        let device = try await add(
            home, ["Screen", "--authentication", "none", "--grant-type", "device_code", "--require-dpop"] + scope)
        #expect(device["grant_types"]?.strings == ["device_code"])
        #expect(device["redirect"]?.strings == [])
        #expect(device["dpop_bound_access_tokens"]?.bool == true)
        let signing = try await add(
            home, ["Signing", "--authentication", "private_key_jwt", "--key-file", keyFile] + redirect + scope)
        #expect(signing["keys"]?["keys"]?.array?.first?["x"]?.string == point, "\(signing.text)")
        let shown = try await home.done("app", "show", "Signing")["app"]
        #expect(shown?["authentication"]?.string == "private_key_jwt")

        let secret = ["--secret-file", "\(home.folder)/secret"]
        let cases: [(arguments: [String], says: String)] = [
            (["X"] + redirect + scope, "nowhere to put the app's secret"),
            (["X", "--authentication", "none"] + secret + redirect + scope, "has none"),
            (["X", "--authentication", "magic"] + redirect + scope, "magic"),
            (["X", "--secret-file", "\(home.folder)/no/such"] + redirect + scope, "no/such"),
            (["X"] + secret + scope, "redirect URI"),
            (["X", "--grant-type", "magic"] + secret + redirect + scope, "grant type \"magic\" is not known"),
            (["X", "--authentication", "private_key_jwt"] + redirect + scope, "public key is missing"),
            (
                ["X", "--authentication", "private_key_jwt", "--key-file", privateFile] + redirect + scope,
                "the key file cannot be used: \"private key\""
            ),
            (["X", "--protocol", "oauth1", "--key-file", keyFile] + redirect + scope, "one RSA key"),
            (["X", "--protocol", "oauth1", "--require-dpop"] + secret + redirect + scope, "these terms are OAuth 2's"),
            (
                ["X", "--protocol", "oauth1", "--signature-method", "ROT13"] + secret + redirect + scope,
                "signature method \"ROT13\" is not known"
            ),
        ]
        for (arguments, says) in cases {
            let run = try await keyholder(home, ["app", "add"] + arguments)
            #expect(run.status == 2, "\(arguments): \(run.status) \(run.errors)")
            #expect(run.errors.contains(says), "\(arguments): \(run.errors)")
        }
        #expect(try await home.done("app", "list")["apps"]?.array?.count == 3)
        try await home.stop()
    }

    @Test("a rotated key signs new tokens, and tokens of the old one are still good", .timeLimit(.minutes(1)))
    func keyRotation() async throws {
        let home = try await TestHome.start()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        let app = try await AppClient.register(at: home, "oauth2", scopes: ["climate.set@hallway"])
        let old = try await app.isAllowed()["kid"]?.string.orThrow("no kid") ?? ""
        let listed = try await home.done("key", "list")["keys"]?.array ?? []
        #expect(listed.map { $0["id"]?.string } == [old])
        let new = try await home.done("key", "rotate")["key"]?["id"]?.string.orThrow("no id") ?? ""
        #expect(new != old)
        let keys = try await home.done("key", "list")["keys"]?.array ?? []
        #expect(keys.map { $0["id"]?.string } == [new, old])
        #expect(keys.map { $0["retired_at"] == nil } == [true, false])
        let published = try await app.ask("GET", "/oauth2/jwks")["body"]?["keys"]?.array ?? []
        #expect(Set(published.compactMap { $0["kid"]?.string }) == [old, new])
        #expect(try await app.ask("GET", "/api/v1/devices")["status"]?.integer == 200)
        #expect(try await app.isAllowed()["kid"]?.string == new)
        #expect(try await app.ask("GET", "/api/v1/devices")["status"]?.integer == 200)
        let other = try await home.keyholder("key", "rotate", "pepper")
        #expect(other.status == 2)
        #expect(other.errors.contains("keys for \"pepper\" cannot be rotated"), "\(other.errors)")
        try await home.stop()
    }

    @Test(
        "over plain http nothing is allowed for always, and what is not there cannot be forgotten",
        .timeLimit(.minutes(1)))
    func standingApproval() async throws {
        let home = try await TestHome.start()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        let app = try await AppClient.register(at: home, "oauth2", scopes: ["climate.set@hallway"])
        try await app.isAllowed("--always")
        #expect(try await home.done("app", "approvals")["approvals"]?.array?.isEmpty == true)
        try await app.isAllowed()
        let consents = try await home.audit().filter { $0["action"]?.string == "provider.consent" }
        #expect(consents.map { $0["authority"]?.string } == ["session", "session"])
        #expect(try await home.keyholder("app", "forget", "nothing").status == 8)
        try await home.stop()
    }

    @Test("a set-up code lets one person in, once, and is shown to people only", .timeLimit(.minutes(1)))
    func invitation() async throws {
        let home = try await TestHome.start()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        #expect(try await home.keyholder("user", "remove", TestHome.person).status == 0)
        let status = try await home.keyholder("status")
        #expect(status.errors.contains("nobody can approve yet: run 'keyholder user add NAME'"), "\(status.errors)")
        let piped = try await home.keyholder("user", "invite")
        #expect(piped.status == 2)
        #expect(piped.output.isEmpty)
        let first = try await home.done("user", "invite")["invitation"]?["code"]?.string ?? ""

        // The one before is good no more.
        let terminal = try await Program.run(
            "/usr/bin/script",
            ["-qec", "'\(Places.program("keyholder"))' user invite", "/dev/null"],
            environment: ["KEYHOLDER_HOME": home.homePath])
        #expect(terminal.status == 0, "\(terminal.output) \(terminal.errors)")
        #expect(terminal.output.contains("http://127.0.0.1:\(home.providerPort)/set-up"))
        #expect(terminal.output.contains("once, for 10 minutes"), "\(terminal.output)")
        let code =
            terminal.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("code") }
            .map { $0.dropFirst("code".count) }.map { String($0).trimmed } ?? ""
        #expect(code.filter(\.isNumber).count == 8, "\(terminal.output)")

        #expect(try await setUp(home, "bert", code: first)["page_status"]?.integer == 403)
        #expect(try await home.done("user", "list")["users"]?.array?.isEmpty == true)
        #expect(try await setUp(home, "bert", code: code)["page_status"]?.integer == 200)
        #expect(try await setUp(home, "otto", code: code)["page_status"]?.integer == 403)
        #expect(try await home.done("user", "list")["users"]?.array?.map { $0["name"]?.string } == ["bert"])
        // And can say yes from now on.
        let app = try await AppClient.register(at: home, "oauth2", scopes: ["climate.set@hallway"])
        try await app.isAllowed(by: "bert")
        #expect(try await home.keyholder("status").errors.isEmpty)
        try await home.stop()
    }

    private func setUp(_ home: TestHome, _ name: String, code: String) async throws -> JSON {
        try await Program.run(
            Places.python,
            [
                Places.peer("home_client.py"), "set-up", "--base", "http://127.0.0.1:\(home.providerPort)", "--person",
                name, "--password-file", "\(home.folder)/anna.password",
            ], input: code + "\n"
        ).json
    }

    private func add(_ home: TestHome, _ arguments: [String]) async throws -> JSON {
        let added = try await keyholder(home, ["app", "add"] + arguments + ["--json"])
        guard added.status == 0 else { throw TestHome.Failure(what: "\(arguments): \(added.errors)") }
        return added.json["app"] ?? .null
    }

    private func keyholder(_ home: TestHome, _ arguments: [String]) async throws -> Finished {
        try await Program.run(
            Places.program("keyholder"), arguments, environment: ["KEYHOLDER_HOME": home.homePath])
    }
}
