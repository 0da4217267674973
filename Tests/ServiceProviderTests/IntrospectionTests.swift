// Case P54: a client that proves itself learns what its own tokens are worth, and of all others that they are worth nothing.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct IntrospectionTests {
    private static let path = "/oauth2/introspect"
    private static let terms = ConsumerTerms.with("authorization_code refresh_token client_credentials token_exchange")
    {
        $0.rotatesRefreshTokens = true
    }

    private func introspect(_ app: OAuth2App, _ token: String, _ extra: [(String, String)] = []) async throws -> Answer
    {
        try await app.post(Self.path, [("token", token)] + extra)
    }

    /// Checks that a client is told nothing but that a token is no good.
    private func expectInactive(
        _ app: OAuth2App, _ tokens: [String], _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await app.home.expectNothingChanged(location) {
            for token in tokens {
                let answer = try await introspect(app, token)
                #expect(answer.status == 200, sourceLocation: location)
                #expect(answer.body == #"{"active":false}"#, sourceLocation: location)
            }
        }
    }

    @Test("a client sees what its own access token, refresh token and token for itself are worth")
    func goodPath() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let (access, refresh) = try await app.tokens()
            let person = try #require(try await home.provider.people().first)
            let own = try #require(
                try await app.token([("grant_type", "client_credentials")]).json["access_token"]?.string)
            try await home.expectNothingChanged {
                for hint in ["", "refresh_token", "nonsense"] {
                    let answer = try await introspect(app, access, [("token_type_hint", hint)])
                    #expect(answer.status == 200)
                    #expect(answer.header("Cache-Control") == "no-store")
                    let json = answer.json
                    #expect(json["active"] == true)
                    #expect(json["scope"] == "lock.lock@front-door")
                    #expect(json["client_id"]?.string == app.id)
                    #expect(json["sub"]?.string == person.id)
                    #expect(json["aud"]?.string == home.resource)
                    #expect(json["iss"]?.string == home.issuer)
                    #expect(json["token_type"] == "Bearer")
                    #expect(json["exp"]?.integer == Int64(home.clock.seconds + 20))
                    #expect(json["jti"]?.string != nil)
                }
                let renewing = try await introspect(app, refresh).json
                #expect(renewing["active"] == true)
                #expect(renewing["scope"] == "lock.lock@front-door")
                #expect(renewing["exp"]?.integer == Int64(home.clock.seconds + 365 * 86400))
                #expect(renewing["token_type"] != "Bearer")
                let mine = try await introspect(app, own).json
                #expect(mine["active"] == true)
                #expect(mine["sub"]?.string == app.id)
                #expect(mine["scope"] == nil)
            }
        }
    }

    @Test("P54 nobody asks without proof: no client, a wrong secret, a public client, or by GET")
    func unauthenticated() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let open = try await OAuth2App.register(home, named: "Open", terms: .open())
            let (access, _) = try await app.tokens()
            let (own, _) = try await open.tokens()
            try await home.expectNothingChanged {
                expect(
                    try await home.send("POST", Self.path, form: [Parameter("token", access)]), 400, "invalid_client")
                let stranger = OAuth2App(home: home, id: app.id, secret: Secret(text: "wrong"))
                let refused = try await introspect(stranger, access)
                expect(refused, 401, "invalid_client")
                #expect(refused.header("WWW-Authenticate")?.hasPrefix("Basic ") == true)
                for token in [own, access, "x"] { expect(try await introspect(open, token), 400, "invalid_client") }
                let bearer = try await app.post(
                    Self.path, [("token", access)], headers: [("Authorization", "Bearer \(access)")])
                expect(bearer, 401, "invalid_client")
                expect(try await app.post(Self.path, []), 400, "invalid_request")
                expect(try await introspect(app, access, [("token", access)]), 400, "invalid_request")
                expect(
                    try await home.send("POST", Self.path + "?token=\(access)", headers: app.basic, form: []), 400,
                    "invalid_request")
                #expect(
                    try await home.send("GET", Self.path + "?token=\(access)", headers: app.basic).status == 404)
            }
        }
    }

    @Test("P54 tokens of others, of another kind, and of nobody look all the same")
    func foreign() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let other = try await OAuth2App.register(home, named: "Other", terms: Self.terms)
            let signed = try await OAuth1App.register(home)
            let (access, refresh) = try await other.tokens()
            let own = try #require(
                try await other.token([("grant_type", "client_credentials")]).json["access_token"]?.string)
            let claims = AccessTokenClaims(
                issuer: home.issuer, subject: app.id, audience: [home.resource], clientID: app.id,
                issuedAt: home.clock.seconds, expiresAt: home.clock.seconds + 600, tokenID: "x", scope: [])
            let forged = try claims.sign(with: .rsa(try RSAPrivateKey(bits: 2048), keyID: nil))
            let code = try await app.code()
            try await expectInactive(
                app,
                [
                    access, refresh, own, try await signed.accessToken().token, forged, access + "x", code, "x",
                    String(repeating: "x", count: 20000), app.secret.revealText(),
                ])
            #expect(try await introspect(other, access).json["active"] == true)
        }
    }

    @Test("P54 a token that is too old, replaced, unused for too long, or withdrawn with or without its grant")
    func dead() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let (access, first) = try await app.tokens()
            let second = try #require(try await app.refresh(first).json["refresh_token"]?.string)
            let own = try #require(
                try await app.token([("grant_type", "client_credentials")]).json["access_token"]?.string)
            let ended = try #require(
                try await app.token([("grant_type", "client_credentials")]).json["access_token"]?.string)
            let narrow = try await app.token([
                ("grant_type", GrantType.tokenExchange.rawValue), ("subject_token", access),
                ("subject_token_type", TokenExchange.accessTokenType),
            ])
            let exchanged = try #require(narrow.json["access_token"]?.string)
            #expect(try await introspect(app, exchanged).json["active"] == true)
            #expect(try await app.revoke(ended).status == 200)
            #expect(try await app.revoke(access).status == 200)
            try await expectInactive(app, [first, ended, access])
            #expect(try await introspect(app, exchanged).json["active"] == true)
            #expect(try await introspect(app, second).json["active"] == true)
            home.clock.advance(by: 20)
            try await expectInactive(app, [own, exchanged])
            home.clock.advance(by: 90 * 86400 - 20)
            try await expectInactive(app, [second])

            let (late, last) = try await app.tokens()
            #expect(try await introspect(app, last).json["active"] == true)
            for grant in try await home.provider.grants() {
                try await home.provider.revokeGrant(grant.id, by: .user("test"))
            }
            try await expectInactive(app, [late, last])
        }
    }

    @Test("P54 revocation by a stranger, of a foreign or dead token, changes nothing; a client ends its own")
    func revocation() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let open = try await OAuth2App.register(home, named: "Open", terms: .open())
            let (access, refresh) = try await app.tokens()
            let (mine, renewing) = try await open.tokens()
            let own = try #require(
                try await app.token([("grant_type", "client_credentials")]).json["access_token"]?.string)
            let stranger = OAuth2App(home: home, id: app.id, secret: Secret(text: "wrong"))
            try await home.expectNothingChanged {
                for token in [access, refresh, own, "x"] {
                    #expect(try await open.revoke(token).status == 200)
                    expect(try await stranger.revoke(token), 401, "invalid_client")
                }
                for token in [mine, renewing] { #expect(try await app.revoke(token).status == 200) }
                expect(try await app.post("/oauth2/revoke", []), 400, "invalid_request")
                #expect(try await home.send("GET", "/oauth2/revoke?token=\(access)", headers: app.basic).status == 404)
            }
            #expect(try await app.devices(own, path: "/api/v1/app").status == 200)
            #expect(try await app.revoke(own).status == 200)
            #expect(try await app.devices(own, path: "/api/v1/app").status == 401)
            #expect(try await open.revoke(renewing).status == 200)
            #expect(try await open.devices(mine).status == 401)
            try await home.expectNothingChanged {
                for token in [own, renewing] {
                    let answer = try await (token == own ? app : open).revoke(token)
                    #expect(answer.status == 200)
                }
            }
        }
    }
}
