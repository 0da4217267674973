// Cases P52, P53 and P56 at the protected resource, and what the rest of the program gets to know.

import Delegation
import Hummingbird
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct ResourceTests {
    private static let api = "/api/v1/devices"

    @Test("P52 no token, one in the query, two, garbage, or one that somebody else signed")
    func badTokens() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            try await home.expectNothingChanged {
                let none = try await home.send("GET", Self.api)
                #expect(none.status == 401)
                #expect(none.headers["WWW-Authenticate"].contains { $0.hasPrefix("Bearer ") })
                #expect(none.headers["WWW-Authenticate"].contains { $0.hasPrefix("OAuth ") })
                #expect(none.header("Content-Type") == "application/problem+json")
                #expect(try await home.send("GET", Self.api + "?access_token=\(access)").status == 401)
                let two = try await home.send(
                    "GET", Self.api,
                    headers: [("Authorization", "Bearer \(access)"), ("Authorization", "Bearer \(access)")])
                #expect(two.status == 400)
                for text in [
                    "Bearer", "Bearer  ", "Bearer x.y.z", "Bearer \(access)x", "Basic \(access)", "DPoP \(access)",
                ] {
                    let answer = try await home.send("GET", Self.api, headers: [("Authorization", text)])
                    #expect(answer.status == 401, "\(text.prefix(10))")
                }
            }
            let lower = try await home.send("GET", Self.api, headers: [("Authorization", "bearer \(access)")])
            #expect(lower.status == 200)

            let claims = AccessTokenClaims(
                issuer: home.base, subject: "x", audience: [home.base], clientID: app.id, issuedAt: home.clock.seconds,
                expiresAt: home.clock.seconds + 600, tokenID: "x", scope: [])
            let foreign = try claims.sign(with: .rsa(try RSAPrivateKey(bits: 2048), keyID: nil))
            try await home.expectNothingChanged {
                let answer = try await app.devices(foreign)
                #expect(answer.status == 401)
            }
        }
    }

    @Test("P52 a token of our own key for another audience or issuer is no good")
    func otherAudience() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            let der = try await home.vault.read { try #require(try $0.keys(for: .accessToken).first) }
            let key = JWTSigningKey.rsa(try RSAPrivateKey(der: der.secret), keyID: der.id)
            let good = try AccessTokenClaims.verify(
                access, keys: [key.verificationKey], issuer: home.base, audience: home.base, now: home.clock.seconds)
            func claims(issuer: String, audience: String) -> AccessTokenClaims {
                AccessTokenClaims(
                    issuer: issuer, subject: good.subject, audience: [audience], clientID: good.clientID,
                    issuedAt: good.issuedAt, expiresAt: good.expiresAt, tokenID: good.tokenID, scope: good.scope)
            }
            let same = try claims(issuer: home.base, audience: home.base).sign(with: key)
            #expect(try await app.devices(same).status == 200)
            try await home.expectNothingChanged {
                let audience = try claims(issuer: home.base, audience: "https://elsewhere.example").sign(with: key)
                #expect(try await app.devices(audience).status == 401)
                let issuer = try claims(issuer: "https://elsewhere.example", audience: home.base).sign(with: key)
                #expect(try await app.devices(issuer).status == 401)
            }
            let document = try await home.send("GET", "/oauth2/jwks")
            let published = try JWKSet(parsing: Array(document.body.utf8)).keys
            #expect(published.map(\.keyID) == [der.id])
            #expect(published.map(\.thumbprint) == [der.id])
        }
    }

    @Test("P52 a device the token is not for is as little to be found as one that does not exist")
    func scope() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            let mine = try await app.devices(access, path: Self.api + "/front-door")
            #expect(mine.status == 200)
            let id = try #require(mine.json["id"]?.string)
            #expect(try await app.devices(access, path: Self.api + "/\(id)").status == 200)
            try await home.expectNothingChanged {
                let foreign = try await app.devices(access, path: Self.api + "/hall")
                let absent = try await app.devices(access, path: Self.api + "/cellar")
                #expect(foreign.status == 404)
                #expect(foreign.body == absent.body)
                #expect(absent.status == 404)
            }
        }
    }

    @Test("P53 a token is dead the moment its grant is")
    func revoked() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            #expect(try await app.devices(access).status == 200)
            let grant = try #require(try await home.provider.grants().first)
            try await home.provider.revokeGrant(grant.id, by: .user("test"))
            try await home.expectNothingChanged {
                let dead = try await app.devices(access)
                #expect(dead.status == 401)
                await #expect(throws: Refusal.self) { try await home.provider.revokeGrant(grant.id, by: .user("test")) }
            }
        }
    }

    @Test("P56 code, refresh token and access token mean the same after a restart")
    func restart() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            let grant = try #require(try await home.provider.grants().first)
            let second = try home.restarted()
            let found = try await second.resolve(
                method: "GET", target: Self.api, headers: [.authorization: "Bearer \(access)"], body: [])
            #expect(found.grant == grant.id)
            #expect(found.consumer.key == app.id)
            #expect(found.person.name == "anna")
            #expect(found.scopes.map(\.operation) == ["lock.lock"])
            #expect(found.accessTokenHash == HashFunction.sha256.digest(Array(access.utf8)))
            #expect(found.requester == .app(app.id))
            let device = try await home.vault.read {
                try $0.requiredDevice(named: try DeviceName(checking: "front-door"))
            }
            #expect(found.permits("lock.lock", on: device))
            #expect(!found.permits("lock.unlock", on: device))
        }
    }

    @Test("no secret, code, verifier or token is ever logged or written into the audit log")
    func noSecretLogged() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let code = try await app.code()
            let issued = try await app.token(app.redemption(code))
            let access = try #require(issued.json["access_token"]?.string)
            let refresh = try #require(issued.json["refresh_token"]?.string)
            _ = try await app.token(app.redemption(code))
            _ = try await app.refresh(refresh)
            _ = try await app.devices(access)
            let signed = try await OAuth1App.register(home)
            let token = try await signed.requestToken()
            let verifier = try await signed.approve(token)
            _ = try await signed.exchange(token, verifier: "wrong-verifier")
            let answer = try await signed.exchange(token, verifier: verifier)
            let credentials = try TokenCredentialsReply.parse(Array(answer.body.utf8)).credentials
            _ = try await signed.devices(credentials)
            let secrets = [
                TestHome.password, app.secret.revealText(), code, app.pkce.verifier.revealText(), access, refresh,
                token.secret.revealText(), verifier, "wrong-verifier", credentials.secret.revealText(),
            ]
            let audit = try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }.map(\.json.text)
            #expect(!home.log.lines.isEmpty)
            #expect(!audit.isEmpty)
            for line in home.log.lines + audit {
                for secret in secrets { #expect(!line.contains(secret), "\(line.prefix(60))") }
            }
            #expect(try await home.vault.read { try $0.verifyAudit() } == .intact(entries: audit.count))
        }
    }

    @Test("a signature that does not cover the body says so")
    func coversBody() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            func resolve(_ body: String, hash: HashFunction?) async throws -> AppAccess {
                let bytes = Array(body.utf8)
                let header = try OAuth1Signer.authorizationHeader(
                    for: OAuth1Request(
                        method: "POST", url: home.base + Self.api, contentType: "application/json", body: bytes),
                    consumer: app.consumer, token: access, method: .hmacSHA256, timestamp: home.clock.seconds,
                    nonce: Random.alphanumerics(24), bodyHash: hash)
                return try await home.provider.resolve(
                    method: "POST", target: Self.api,
                    headers: [.authorization: header, .contentType: "application/json"], body: bytes)
            }
            #expect(try await resolve("{}", hash: nil).coversBody == false)
            #expect(try await resolve("{}", hash: .sha256).coversBody)
        }
    }

    @Test("while the vault is sealed everything is 503 and says what to do, and works again afterwards")
    func sealed() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, refresh) = try await app.tokens()
            home.vault.seal()
            for path in ["/", "/oauth2/authorize?x=y", "/oauth1/authorize", "/oauth2/jwks", Self.api] {
                let answer = try await home.send("GET", path)
                #expect(answer.status == 503)
                #expect(answer.body.contains("keyholder unseal"))
                #expect(answer.header("Retry-After") != nil)
            }
            try await home.expectNothingChanged {
                let refreshed = try await app.refresh(refresh)
                #expect(refreshed.status == 503)
                #expect(try await app.devices(access).status == 503)
            }
            try await home.vault.unseal(with: .file(home.key))
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("bodies over 64 KiB, unknown paths and methods are refused in the form of their kind")
    func limits() async throws {
        try await TestHome.run { home in
            let large = String(repeating: "a=b&", count: 17000)
            let answer = try await home.send(
                "POST", "/oauth2/token", headers: [("Content-Type", FormCoding.mediaType)], body: large)
            #expect(answer.status == 413)
            #expect(answer.header("Content-Type") == "application/problem+json")
            let missing = try await home.send("GET", "/nothing")
            #expect(missing.status == 404)
            #expect(missing.header("Content-Type") == "application/problem+json")
            #expect(missing.header("X-Content-Type-Options") == "nosniff")
        }
    }
}
