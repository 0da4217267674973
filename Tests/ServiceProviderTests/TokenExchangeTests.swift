// Case P47: an exchange takes a live access token of the same client, and gives less of it or the same, never more and
// never longer.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct TokenExchangeTests {
    private static let all = ["lock.lock@front-door", "lock.unlock@front-door", "climate.set@hall"]
    private static let terms = ConsumerTerms.with("authorization_code refresh_token token_exchange client_credentials")

    private func register(_ home: TestHome, named name: String = "Broker") async throws -> OAuth2App {
        try await OAuth2App.register(home, named: name, scopes: Self.all, terms: Self.terms)
    }

    private func exchange(
        _ app: OAuth2App, _ token: String, type: String = TokenExchange.accessTokenType,
        _ extra: [(String, String)] = []
    ) async throws -> Answer {
        try await app.token(
            [
                ("grant_type", GrantType.tokenExchange.rawValue), ("subject_token", token),
                ("subject_token_type", type),
            ] + extra)
    }

    /// The claims of an access token, believed.
    private func claims(_ token: String) throws -> AccessTokenClaims {
        let parts = token.split(separator: ".")
        return try AccessTokenClaims(json: JSON(parsing: Base64.decode(parts[1].utf8, as: .url) ?? []))
    }

    @Test("an access token is given for the same, for fewer operations, and for one device, and ends with the first")
    func goodPath() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let (access, _) = try await app.tokens()
            home.clock.advance(by: 5)
            let same = try await exchange(app, access)
            #expect(same.status == 200)
            #expect(same.json["issued_token_type"]?.string == TokenExchange.accessTokenType)
            #expect(same.json["token_type"] == "Bearer")
            #expect(same.json["refresh_token"] == nil)
            #expect(same.json["expires_in"] == 15)
            #expect(same.json["scope"]?.string?.split(separator: " ").count == 3)

            let narrow = try await exchange(
                app, access, type: TokenExchange.jwtType,
                [("scope", "lock.lock@front-door"), ("requested_token_type", TokenExchange.accessTokenType)])
            #expect(narrow.json["scope"] == "lock.lock@front-door")
            let token = try #require(narrow.json["access_token"]?.string)
            let before = try claims(access)
            let after = try claims(token)
            #expect(after.subject == before.subject && after.clientID == before.clientID)
            #expect(after.tokenID != before.tokenID)
            #expect(after.expiresAt == before.expiresAt)
            #expect(try await app.devices(token).json["devices"]?.array?.count == 1)

            let door = home.resource + "/api/v1/devices/front-door"
            for name in ["resource", "audience"] {
                let one = try await exchange(app, access, [(name, door)])
                #expect(one.json["scope"] == "lock.lock@front-door lock.unlock@front-door")
                let token = try #require(one.json["access_token"]?.string)
                #expect(try claims(token).audience == [door])
                #expect(try await app.devices(token, path: "/api/v1/devices/front-door").status == 200)
                #expect(try await app.devices(token, path: "/api/v1/devices/hall").status == 401)
            }
            let grant = try #require(try await home.provider.grants().first)
            try await home.provider.revokeGrant(grant.id, by: .user("test"))
            #expect(try await app.devices(token).status == 401)
        }
    }

    @Test("P47 a subject token that is too old, withdrawn, somebody else's, of another kind, or none of this home's")
    func badSubject() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let other = try await register(home, named: "Other")
            let signed = try await OAuth1App.register(home)
            let oauth1 = try await signed.accessToken().token
            let (foreign, _) = try await other.tokens()
            let (access, refresh) = try await app.tokens()
            let (ended, _) = try await app.tokens()
            #expect(try await app.revoke(ended).status == 200)
            let own = try await app.token([("grant_type", "client_credentials")])
            let good = try claims(access)
            let mine = JWTSigningKey.rsa(try RSAPrivateKey(bits: 2048), keyID: nil)
            let bare = access.split(separator: ".")[1]
            try await home.expectNothingChanged {
                for token in [
                    foreign, refresh, oauth1, ended, "x", "x.y.z", try good.sign(with: mine), access + "x",
                    try #require(own.json["access_token"]?.string),
                    Base64.encode(Array(#"{"alg":"none","typ":"at+jwt"}"#.utf8), as: .url) + ".\(bare).",
                ] {
                    expect(try await exchange(app, token), 400, "invalid_request")
                }
                expect(try await exchange(app, refresh, type: TokenExchange.refreshTokenType), 400, "invalid_request")
            }
            #expect(try await exchange(app, access).status == 200)
            home.clock.advance(by: 20)
            try await home.expectNothingChanged { expect(try await exchange(app, access), 400, "invalid_request") }
        }
    }

    @Test("P47 more than the subject token allows, though the grant does, in scope, detail, device or time")
    func wider() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let (access, _) = try await app.tokens()
            let door = home.resource + "/api/v1/devices/front-door"
            let hall = home.resource + "/api/v1/devices/hall"
            let lock = try await exchange(app, access, [("scope", "lock.lock@front-door")])
            let narrow = try #require(lock.json["access_token"]?.string)
            let one = try await exchange(app, access, [("resource", door)])
            let atDoor = try #require(one.json["access_token"]?.string)
            let unlock = AuthorizationDetails(scopes: ["lock.unlock@front-door"], location: home.resource).json.text
            try await home.expectNothingChanged {
                for scope in [
                    "lock.unlock@front-door", "lock.lock@front-door lock.unlock@front-door", "lock.fly@front-door",
                ] {
                    expect(try await exchange(app, narrow, [("scope", scope)]), 400, "invalid_scope")
                }
                expect(
                    try await exchange(app, narrow, [("authorization_details", unlock)]), 400,
                    "invalid_authorization_details")
                expect(try await exchange(app, narrow, [("resource", hall)]), 400, "invalid_target")
                expect(try await exchange(app, atDoor, [("resource", hall)]), 400, "invalid_target")
                expect(try await exchange(app, atDoor, [("resource", home.resource)]), 400, "invalid_target")
                expect(try await exchange(app, atDoor, [("audience", home.resource)]), 400, "invalid_target")
                expect(
                    try await exchange(app, atDoor, [("resource", door), ("resource", hall)]), 400, "invalid_target")
                expect(try await exchange(app, atDoor, [("scope", "climate.set@hall")]), 400, "invalid_scope")
            }
            home.clock.advance(by: 10)
            let later = try await exchange(app, narrow)
            #expect(later.json["scope"] == "lock.lock@front-door")
            #expect(later.json["expires_in"] == 10)
        }
    }

    @Test(
        "P47, P32: types, audiences and actors that are not known here",
        arguments: [
            ("requested_token_type", TokenExchange.refreshTokenType, "invalid_request"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:id_token", "invalid_request"),
            ("requested_token_type", "jwt", "invalid_request"),
            ("actor_token_type", TokenExchange.jwtType, "invalid_request"),
            ("actor_token", "x", "invalid_request"), ("resource", "relative", "invalid_target"),
            ("resource", "https://elsewhere.example", "invalid_target"), ("audience", "Other", "invalid_target"),
            ("audience", "https://elsewhere.example", "invalid_target"),
            ("authorization_details", "x", "invalid_authorization_details"),
        ])
    func malformed(name: String, value: String, error: String) async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let (access, _) = try await app.tokens()
            try await home.expectNothingChanged {
                expect(try await exchange(app, access, [(name, value)]), 400, error)
                expect(
                    try await exchange(app, access, type: "urn:ietf:params:oauth:token-type:saml2"), 400,
                    "invalid_request")
                expect(try await exchange(app, access, type: "access_token"), 400, "invalid_request")
                expect(try await exchange(app, access, type: ""), 400, "invalid_request")
                expect(try await exchange(app, ""), 400, "invalid_request")
                expect(try await exchange(app, access, [("subject_token", access)]), 400, "invalid_request")
            }
        }
    }

    @Test("P47 nobody acts for anybody: neither by an actor's token nor by an act claim of one's own making")
    func actor() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let (access, _) = try await app.tokens()
            let (second, _) = try await app.tokens()
            let good = try claims(access)
            let acting = JSON.object(
                (good.json.members ?? []) + [JSON.Member("act", ["sub": "cleaner"])])
            let forged = try JWT.sign(
                acting, type: AccessTokenClaims.type, key: .rsa(try RSAPrivateKey(bits: 2048), keyID: nil))
            try await home.expectNothingChanged {
                for token in [second, forged] {
                    expect(
                        try await exchange(
                            app, access, [("actor_token", token), ("actor_token_type", TokenExchange.accessTokenType)]),
                        400, "invalid_request")
                }
                expect(try await exchange(app, forged), 400, "invalid_request")
            }
            let issued = try await exchange(app, access, [("act", "cleaner"), ("may_act", "cleaner")])
            let parts = try #require(issued.json["access_token"]?.string).split(separator: ".")
            let body = try JSON(parsing: Base64.decode(parts[1].utf8, as: .url) ?? [])
            #expect(body["act"] == nil && body["may_act"] == nil)
        }
    }

    @Test("P41, P49: a client that may not exchange, did not prove itself, or is gone; a person who is gone")
    func client() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let plain = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            let (own, _) = try await plain.tokens()
            try await home.expectNothingChanged {
                expect(try await exchange(plain, own), 400, "unauthorized_client")
                let stranger = OAuth2App(home: home, id: app.id, secret: Secret(text: "wrong"))
                expect(try await exchange(stranger, access), 401, "invalid_client")
            }
            try await home.provider.removePerson("anna")
            try await home.expectNothingChanged { expect(try await exchange(app, access), 400, "invalid_request") }
            try await home.provider.removeApp("Broker")
            try await home.expectNothingChanged { expect(try await exchange(app, access), 401, "invalid_client") }
        }
    }
}
