// Cases P41 and P48: a client uses the grants it is registered for; a token for itself shows it itself and opens nothing.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct ClientCredentialsTests {
    private static let path = "/api/v1/app"
    private static let terms = ConsumerTerms.with("authorization_code refresh_token client_credentials")

    private func token(_ app: OAuth2App, _ extra: [(String, String)] = []) async throws -> Answer {
        try await app.token([("grant_type", "client_credentials")] + extra)
    }

    @Test("a client's own token shows it how it stands here, and nothing of other apps or of the home")
    func goodPath() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let other = try await OAuth2App.register(home, named: "Other")
            let issued = try await token(app)
            #expect(issued.status == 200)
            #expect(issued.header("Cache-Control") == "no-store")
            #expect(issued.json["refresh_token"] == nil)
            #expect(issued.json["token_type"] == "Bearer")
            #expect(issued.json["expires_in"] == 20)
            let own = try #require(issued.json["access_token"]?.string)
            let before = try await app.devices(own, path: Self.path)
            #expect(before.status == 200)
            #expect(before.json["name"] == "Lamp")
            #expect(before.json["client_id"]?.string == app.id)
            #expect(before.json["grants"]?.array?.isEmpty == true)

            _ = try await app.tokens()
            _ = try await other.tokens()
            let after = try await app.devices(own, path: Self.path)
            let grants = try #require(after.json["grants"]?.array)
            #expect(grants.map { $0["scope"]?.string } == ["lock.lock@front-door"])
            #expect(grants.allSatisfy { $0["id"]?.string != nil && $0["expires_at"]?.string != nil })
            #expect(!after.body.contains("anna") && !after.body.contains("Other"))
            for path in ["/api/v1/devices", "/api/v1/devices/front-door"] {
                let answer = try await app.devices(own, path: path)
                #expect(answer.status == 403)
                #expect(answer.header("WWW-Authenticate")?.contains("insufficient_scope") == true)
                #expect(!answer.body.contains("front-door"))
            }
        }
    }

    @Test("P52 the app's own page is not opened by a token of a person, of another kind, too old, withdrawn, or none")
    func badTokens() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let signed = try await OAuth1App.register(home)
            let (access, refresh) = try await app.tokens()
            let oauth1 = try await signed.accessToken()
            let own = try #require(try await token(app).json["access_token"]?.string)
            let ended = try #require(try await token(app).json["access_token"]?.string)
            #expect(try await app.revoke(ended).status == 200)
            let last = try #require(try await token(app).json["access_token"]?.string)
            try await home.expectNothingChanged {
                for token in [access, refresh, oauth1.token, ended, own + "x", "x"] {
                    let answer = try await app.devices(token, path: Self.path)
                    #expect(answer.status == 401)
                    #expect(answer.headers["WWW-Authenticate"].contains { $0.contains("error=\"invalid_token\"") })
                }
                #expect(try await home.send("GET", Self.path).status == 401)
                #expect(try await home.send("GET", Self.path + "?access_token=\(own)").status == 401)
                let header = try signed.header("GET", Self.path, token: oauth1)
                #expect(try await signed.send("GET", Self.path, header: header).status == 401)
                let basic = try await home.send("GET", Self.path, headers: app.basic)
                #expect(basic.status == 401)
            }
            #expect(try await app.devices(own, path: Self.path).status == 200)
            home.clock.advance(by: 20)
            #expect(try await app.devices(own, path: Self.path).status == 401)
            try await home.provider.removeApp("Lamp")
            home.clock.advance(by: -10)
            #expect(try await app.devices(last, path: Self.path).status == 401)
        }
    }

    @Test("P48 a public client has no token for itself, and cannot be registered to have one")
    func publicClient() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open("authorization_code refresh_token device_code"))
            let secret = try await OAuth2App.register(home, named: "Secret", terms: Self.terms)
            try await home.expectNothingChanged {
                expect(try await token(app), 400, "unauthorized_client")
                expect(
                    try await app.token(
                        [("grant_type", "client_credentials"), ("client_id", secret.id)], headers: []), 400,
                    "invalid_client")
                for types in ["client_credentials", "authorization_code client_credentials"] {
                    await #expect(throws: Refusal.self) {
                        _ = try await OAuth2App.register(home, named: "New", terms: .open(types))
                    }
                }
            }
        }
    }

    @Test("P48 not even terms that were never checked give a public client a token for itself")
    func uncheckedTerms() async throws {
        try await TestHome.run { home in
            let consumer = RegisteredConsumer(
                id: "x", name: "Old", delegationProtocol: .oauth2, key: "old", redirectURIs: [],
                scopes: ["lock.lock@front-door"], agentDevice: nil, terms: .open("client_credentials"),
                createdAt: home.clock.now)
            try await home.vault.write { try $0.insertRegisteredConsumer(consumer, secret: nil) }
            let app = OAuth2App(home: home, id: "old", secret: Secret(text: ""))
            try await home.expectNothingChanged { expect(try await token(app), 400, "unauthorized_client") }
        }
    }

    @Test("what a client may not ask for itself: scopes, details, and other resources than the API")
    func nothingOfTheHome() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.terms)
            let details = AuthorizationDetails(scopes: ["lock.lock@front-door"], location: home.resource).json.text
            try await home.expectNothingChanged {
                expect(try await token(app, [("scope", "lock.lock@front-door")]), 400, "invalid_scope")
                expect(try await token(app, [("scope", "\u{e9}")]), 400, "invalid_scope")
                expect(
                    try await token(app, [("authorization_details", details)]), 400, "invalid_authorization_details")
                for resource in ["relative", "https://elsewhere.example", home.resource + "/api/v1/devices/front-door"]
                {
                    expect(try await token(app, [("resource", resource)]), 400, "invalid_target")
                }
            }
            #expect(try await token(app, [("resource", home.resource)]).status == 200)
        }
    }

    @Test("P41 a client uses no grant type that it is not registered for", arguments: GrantType.allCases)
    func unregistered(type: GrantType) async throws {
        try await TestHome.run { home in
            let rest = GrantType.allCases.filter { $0 != type }.map(\.rawValue)
            let full = try await OAuth2App.register(
                home, named: "Full", terms: .with(GrantType.allCases.map(\.rawValue).joined(separator: " ")))
            // Whatever is given for a token is good, so that only the type can be what is refused.
            let (access, refresh) = try await full.tokens()
            let app = try await OAuth2App.register(home, terms: .with(rest.joined(separator: " ")))
            let form: [(String, String)] =
                switch type {
                case .authorizationCode: full.redemption(try await full.code())
                case .refreshToken: [("refresh_token", refresh)]
                case .deviceCode: [("device_code", try await DeviceApp(app: full).begin().device)]
                case .clientCredentials: []
                case .tokenExchange:
                    [("subject_token", access), ("subject_token_type", TokenExchange.accessTokenType)]
                }
            let request = form.filter { $0.0 != "grant_type" } + [("grant_type", type.rawValue)]
            try await home.expectNothingChanged {
                expect(try await app.token(request), 400, "unauthorized_client")
            }
            if type == .refreshToken {
                let issued = try await app.token(app.redemption(try await app.code()))
                #expect(issued.status == 200)
                #expect(issued.json["refresh_token"] == nil)
            }
        }
    }

    @Test("terms under which a client would get nowhere, or prove itself with nothing, are refused")
    func terms() async throws {
        try await TestHome.run { home in
            let key = JWTVerificationKey.p256(try P256PrivateKey().publicKey, keyID: nil)
            let bad: [ConsumerTerms] = [
                .with(""), .with("refresh_token"), .with("token_exchange"), .with("password"), .with("implicit"),
                .with { $0.authentication = .privateKeyJWT }, .with { $0.keys = JWKSet(keys: [key]).json },
                .with {
                    $0.authentication = .privateKeyJWT
                    $0.keys = ["keys": []]
                },
                .with { $0.signatureMethod = "HMAC-SHA1" },
            ]
            try await home.expectNothingChanged {
                for terms in bad {
                    await #expect(throws: Refusal.self) { _ = try await OAuth2App.register(home, terms: terms) }
                }
            }
        }
    }
}
