// A home of the first release goes on after an update: whoever had access has it, whatever was under way ends well, and
// what was used up stays used.

import Delegation
import Foundation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct MigrationTests {
    /// What the apps of the old home hold.
    private struct Old: Sendable {
        let json: JSON

        init() throws { json = try JSON(parsing: Data(contentsOf: Self.file("vault-1.json"))) }

        func text(_ path: String...) throws -> String {
            try #require(path.reduce(json) { $0[$1] ?? .null }.string, "\(path)")
        }

        func run(_ body: @escaping @Sendable (TestHome, Old) async throws -> Void) async throws {
            let key = Secret(try #require(Hex.decode(try text("key"))))
            let at = Date(timeIntervalSince1970: Double(try #require(json["at"]?.integer)))
            let put: @Sendable (String) async throws -> Void = { path in
                try await Self.restore(try Self.file("vault-1.sql"), to: path)
            }
            try await TestHome.run(
                accessTokenLifetime: .seconds(600), address: try text("base"), old: (key: key, put: put)
            ) { home in
                home.clock.advance(by: at.timeIntervalSince(home.clock.now))
                try await body(home, self)
            }
        }

        /// Makes the file that a dump was made of.
        private static func restore(_ dump: URL, to path: String) async throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["sqlite3", "-batch", "-bail", path, ".read '\(dump.path)'"]
            process.standardInput = FileHandle.nullDevice
            let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
                process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
                do {
                    try process.run()
                } catch {
                    process.terminationHandler = nil
                    ended.resume(throwing: error)
                }
            }
            try #require(status == 0)
        }

        private static func file(_ name: String) throws -> URL {
            var place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            while place.path != "/" {
                let candidate = place.appendingPathComponent("Vectors/\(name)")
                if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
                place.deleteLastPathComponent()
            }
            throw Refusal(.notFound, "no \(name) above the tests")
        }
    }

    private static let callback = "https://app.example/back"

    private func signer(_ home: TestHome, _ old: Old) throws -> (app: OAuth1App, access: TokenCredentials) {
        (
            OAuth1App(
                home: home,
                consumer: .init(
                    key: try old.text("oauth1", "key"), secret: Secret(text: try old.text("oauth1", "secret")))),
            TokenCredentials(
                token: try old.text("oauth1", "token"), secret: Secret(text: try old.text("oauth1", "token_secret")))
        )
    }

    private func client(_ home: TestHome, _ old: Old) throws -> OAuth2App {
        OAuth2App(
            home: home, id: try old.text("oauth2", "id"), secret: Secret(text: try old.text("oauth2", "secret")))
    }

    @Test("the old vault opens; consumers get the terms that they always had, and the audit log is whole")
    func opens() async throws {
        try await Old().run { home, old in
            let consumers = try await home.provider.consumers()
            #expect(consumers.map(\.name) == ["Bell", "Lamp", "Keyholder for front-door"])
            #expect(consumers.allSatisfy { $0.terms == ConsumerTerms() })
            #expect(try await home.provider.grants().map(\.consumer.name).sorted() == ["Bell", "Lamp"])
            #expect(try await home.provider.people().map(\.name) == ["anna"])
            #expect(try await home.provider.standingApprovals().isEmpty)
            let entries = try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }.count
            #expect(entries > 0)
            #expect(try await home.vault.read { try $0.verifyAudit() } == .intact(entries: entries))
            // The update is done once.
            let after = try await home.restart()
            #expect(try await after.provider.consumers() == consumers)
        }
    }

    @Test("OAuth 1.0a: the old token works, its nonces are used up, and an approved request token is exchanged")
    func oauth1() async throws {
        try await Old().run { home, old in
            let (app, access) = try signer(home, old)
            try await home.expectNothingChanged {
                let seen = try await app.send("GET", "/api/v1/devices", header: try old.text("oauth1", "seen"))
                #expect(seen.status == 401)
                #expect(seen.form.first("oauth_problem") == "nonce_used")
            }
            #expect(try await app.devices(access).json["devices"]?.array?.count == 1)
            #expect(try await home.provider.app("Bell").terms.signatureMethod == "HMAC-SHA256")
            let pending = TokenCredentials(
                token: try old.text("oauth1", "pending", "token"),
                secret: Secret(text: try old.text("oauth1", "pending", "secret")))
            let wrong = try await app.exchange(pending, verifier: "guess")
            #expect(wrong.form.first("oauth_problem") == "verifier_invalid")
            let issued = try await app.exchange(pending, verifier: try old.text("oauth1", "pending", "verifier"))
            #expect(issued.status == 200)
            let second = try TokenCredentialsReply.parse(Array(issued.body.utf8)).credentials
            #expect(try await app.devices(second).status == 200)
            let third = try await app.requestToken(callback: Self.callback)
            let last = try await app.exchange(third, verifier: try await app.approve(third))
            #expect(last.status == 200)
            let grant = try #require(try await home.provider.grants().first { $0.consumer.name == "Bell" })
            try await home.provider.revokeGrant(grant.id, by: .user("test"))
            #expect(try await app.devices(access).form.first("oauth_problem") == "token_revoked")
            #expect(try await app.devices(second).status == 200)
        }
    }

    @Test("OAuth 2: the old access token, refresh token and code are good, for what they were made for")
    func oauth2() async throws {
        try await Old().run { home, old in
            let app = try client(home, old)
            let access = try old.text("oauth2", "access_token")
            let refresh = try old.text("oauth2", "refresh_token")
            #expect(try await app.devices(access).json["devices"]?.array?.first?["name"] == "front-door")
            #expect(try await app.devices(access, path: "/api/v1/devices/front-door").status == 200)
            let shown = try await app.post("/oauth2/introspect", [("token", access)]).json
            #expect(shown["active"] == true)
            #expect(shown["aud"]?.string == home.issuer)
            let code = [
                ("grant_type", "authorization_code"), ("code", try old.text("oauth2", "code")),
                ("redirect_uri", OAuth2App.redirectURI), ("code_verifier", try old.text("oauth2", "verifier")),
            ]
            try await home.expectNothingChanged {
                let wrong = code.map { $0.0 == "code_verifier" ? ($0.0, PKCE().verifier.revealText()) : $0 }
                let refused = try await app.token(wrong)
                #expect(refused.json["error"] == "invalid_grant")
            }
            let issued = try await app.token(code)
            #expect(issued.status == 200)
            #expect(try await app.devices(try #require(issued.json["access_token"]?.string)).status == 200)

            let renewed = try await app.refresh(refresh)
            #expect(renewed.status == 200)
            #expect(renewed.json["refresh_token"] == nil)
            let narrow = try await app.token([
                ("grant_type", "refresh_token"), ("refresh_token", refresh),
                ("resource", home.issuer + "/api/v1/devices/front-door"),
            ])
            #expect(narrow.status == 200)
            let device = try await app.post("/oauth2/device_authorization", [])
            #expect(device.json["error"] == "unauthorized_client")
            let pushed = try await app.post("/oauth2/par", app.request())
            #expect(pushed.status == 201)
            #expect(try await app.revoke(refresh).status == 200)
            #expect(try await app.devices(access).status == 401)
            #expect(try await app.refresh(refresh).json["error"] == "invalid_grant")
        }
    }

    @Test("the person signs in with the old password and takes back what was allowed; the agent keeps its consumer")
    func people() async throws {
        try await Old().run { home, old in
            var browser = Browser(home)
            let page = try await browser.open("/")
            #expect(page.body.contains("Bell") && page.body.contains("Lamp"))
            let count = try await home.provider.grants().count
            let answer = try await browser.takeBack(page)
            #expect(answer.status == 303)
            #expect(try await home.provider.grants().count == count - 1)

            let known = try #require(try await home.provider.consumers().first(where: \.isAgent))
            let agent = try await home.provider.registerAgent(
                for: try DeviceName(checking: "front-door"), over: .oauth1, redirectURI: known.redirectURIs[0])
            #expect(agent.key == known.key)
            let app = OAuth1App(home: home, consumer: .init(key: agent.key, secret: agent.secret))
            #expect(try await app.requestToken(callback: known.redirectURIs[0]).token.utf8.count == 24)
        }
    }
}
