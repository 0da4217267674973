// Cases P7, P18, P20, P23 and P24 of OAuth 1.0a where they need more than one request: restarts, wrong places, garbage.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct TokenPlaceTests {
    private static let first = "/oauth1/request_token"
    private static let last = "/oauth1/access_token"
    private static let api = "/api/v1/devices"
    private static let guesses: Set<String> = ["sp_request_token.wrong_verifiers", "sp_request_token.state"]

    private func expect(_ answer: Answer, _ status: Int, _ problem: String, _ at: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.form.first("oauth_problem") == problem, sourceLocation: at)
        #expect(answer.form.first("oauth_token_secret") == nil, sourceLocation: at)
    }

    @Test("P7 a nonce is used at every leg, also after the vault's file was closed and opened again")
    func nonces() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let begun = try app.header("POST", Self.first, callback: OAuth1App.callback, nonce: "first")
            let started = try await app.send("POST", Self.first, header: begun)
            let token = try TemporaryCredentialsReply.parse(Array(started.body.utf8)).credentials
            let verifier = try await app.approve(token)
            let ended = try app.header("POST", Self.last, token: token, verifier: verifier, nonce: "second")
            let issued = try await app.send("POST", Self.last, header: ended)
            let access = try TokenCredentialsReply.parse(Array(issued.body.utf8)).credentials
            let asked = try app.header("GET", Self.api, token: access, nonce: "third")
            #expect(try await app.send("GET", Self.api, header: asked).status == 200)

            let after = try await home.restart()
            try await after.expectNothingChanged {
                expect(try await app.send("POST", Self.first, header: begun), 401, "nonce_used")
                expect(try await app.send("POST", Self.last, header: ended), 401, "nonce_used")
                expect(try await app.send("GET", Self.api, header: asked), 401, "nonce_used")
                // Nor does it come back while its timestamp would still be taken by a clock that was set back.
                home.clock.advance(by: 600)
                expect(try await app.send("GET", Self.api, header: asked), 401, "nonce_used")
                home.clock.advance(by: 1)
                expect(try await app.send("GET", Self.api, header: asked), 401, "timestamp_refused")
                #expect(try await app.devices(access).status == 200)
                home.clock.advance(by: -601)
                expect(try await app.send("GET", Self.api, header: asked), 401, "nonce_used")
            }
        }
    }

    @Test("a nonce counts for its consumer, token and timestamp, and for nobody else's")
    func nonceScope() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let other = try await OAuth1App.register(home, named: "Other")
            let one = try await app.accessToken()
            let two = try await app.accessToken()
            let foreign = try await other.accessToken()
            let now = home.clock.seconds
            for (app, token, timestamp) in [
                (app, one, now), (app, two, now), (other, foreign, now), (app, one, now + 1), (app, one, now - 1),
            ] {
                let header = try app.header("GET", Self.api, token: token, timestamp: timestamp, nonce: "the-same")
                #expect(try await app.send("GET", Self.api, header: header).status == 200)
                expect(try await app.send("GET", Self.api, header: header), 401, "nonce_used")
            }
        }
    }

    @Test("P18 guesses at a verifier add up over a restart, and only those of the token's own consumer count")
    func guesses() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let other = try await OAuth1App.register(home, named: "Other")
            let pending = try await app.requestToken()
            let token = try await app.requestToken()
            let verifier = try await app.approve(token)
            try await home.expectNothingChanged {
                for _ in 0..<6 {
                    expect(try await other.exchange(token, verifier: verifier), 401, "token_rejected")
                    expect(try await app.exchange(pending, verifier: "guess"), 401, "token_rejected")
                }
            }
            var after = home
            try await home.expectNothingChanged(except: Self.guesses) {
                for _ in 0..<4 { expect(try await app.exchange(token, verifier: "guess"), 401, "verifier_invalid") }
                after = try await home.restart()
                expect(try await app.exchange(token, verifier: ""), 400, "parameter_absent")
                expect(try await app.exchange(token, verifier: verifier + "x"), 401, "verifier_invalid")
                expect(try await app.exchange(token, verifier: verifier), 401, "token_rejected")
            }
            var browser = Browser(after)
            #expect(try await browser.open("/oauth1/authorize?oauth_token=\(token.token)").status == 400)
            #expect(try await after.provider.grants().isEmpty)
        }
    }

    @Test("P20 a token of one kind is nothing in the place of another")
    func places() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            let request = try await app.requestToken()
            let client = try await OAuth2App.register(home)
            let (bearer, refresh) = try await client.tokens()
            let jti = try JSON(parsing: Base64.decode(bearer.split(separator: ".")[1].utf8, as: .url) ?? [])["jti"]
            try await home.expectNothingChanged {
                expect(try await app.devices(request), 401, "token_rejected")
                expect(
                    try await app.send(
                        "POST", "/oauth1/revoke", header: app.header("POST", "/oauth1/revoke", token: request)), 401,
                    "token_rejected")
                expect(try await app.exchange(access, verifier: "x"), 401, "token_rejected")
                let again = try app.header("POST", Self.first, token: access, callback: OAuth1App.callback)
                expect(try await app.send("POST", Self.first, header: again), 400, "parameter_rejected")
                // Tokens of OAuth 2, as such and by what their row is called, with the empty secret that they have.
                for text in [bearer, refresh, try #require(jti?.string)] {
                    let token = TokenCredentials(token: text, secret: Secret(text: ""))
                    let answer = try await app.devices(token)
                    #expect((400...401).contains(answer.status))
                    #expect(["token_rejected", "parameter_rejected"].contains(answer.form.first("oauth_problem")))
                }
                for text in [access.token, request.token, refresh, access.secret.revealText()] {
                    #expect(try await client.devices(text).status == 401)
                }
                #expect(try await client.refresh(access.token).json["error"] == "invalid_grant")
                #expect(try await client.refresh(bearer).json["error"] == "invalid_grant")
            }
            #expect(try await app.devices(access).status == 200)
            #expect(try await client.devices(bearer).status == 200)
        }
    }

    @Test("P20 a consumer of one protocol is unknown to the other")
    func consumers() async throws {
        try await TestHome.run { home in
            let signer = try await OAuth1App.register(home)
            let client = try await OAuth2App.register(home)
            guard case .secret(let secret) = signer.consumer.signingKey else { return }
            let asClient = OAuth2App(home: home, id: signer.consumer.key, secret: secret)
            let asSigner = OAuth1App(home: home, consumer: .init(key: client.id, secret: client.secret))
            try await home.expectNothingChanged {
                expect(
                    try await asSigner.send(
                        "POST", Self.first, header: asSigner.header("POST", Self.first, callback: OAuth1App.callback)),
                    401, "consumer_key_unknown")
                let answer = try await asClient.token(asClient.redemption("x"))
                #expect(answer.status == 401)
                #expect(answer.json["error"] == "invalid_client")
                #expect(try await home.send("GET", OAuth2App.path(asClient.request())).status == 400)
            }
        }
    }

    @Test("P23 a realm that was signed as a parameter, parameters nobody knows, and oauth_ names in the query")
    func parameters() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            guard case .secret(let secret) = app.consumer.signingKey else { return }
            func header(_ path: String, signedQuery: String = "", extra: [Parameter], realm: String? = nil) throws
                -> String
            {
                let parameters =
                    [
                        Parameter("oauth_consumer_key", app.consumer.key), Parameter("oauth_token", access.token),
                        Parameter("oauth_signature_method", "HMAC-SHA256"),
                        Parameter("oauth_timestamp", String(home.clock.seconds)),
                        Parameter("oauth_nonce", Random.alphanumerics(24)),
                    ] + extra
                let base = try BaseString.make(
                    OAuth1Request(method: "GET", url: home.base + path + signedQuery), protocolParameters: parameters)
                let signature = try Signature.make(
                    base, method: .hmacSHA256, key: .secret(secret), tokenSecret: access.secret)
                return AuthorizationHeader(
                    realm: realm,
                    parameters: parameters + [Parameter("oauth_signature", signature)]
                ).text
            }
            try await home.expectNothingChanged {
                let signed = try header(Self.api, signedQuery: "?realm=home", extra: [], realm: "home")
                expect(try await app.send("GET", Self.api, header: signed), 401, "signature_invalid")
                for name in ["oauth_unknown", "oauth_session_handle", "oauth_"] {
                    let unknown = try header(Self.api, extra: [Parameter(name, "x")])
                    let answer = try await app.send("GET", Self.api, header: unknown)
                    expect(answer, 400, "parameter_rejected")
                    #expect(answer.form.first("oauth_parameters_rejected") == name)
                }
                for query in ["?oauth_token=\(access.token)", "?oauth_x=1", "?oauth_signature=x"] {
                    let path = Self.api + query
                    expect(
                        try await app.send("GET", path, header: header(path, extra: [])), 400, "parameter_rejected")
                }
            }
            let good = try header(Self.api, extra: [], realm: "home")
            #expect(try await app.send("GET", Self.api, header: good).status == 200)
            let path = Self.api + "?realm=home&auth_x=1&a=%20+b"
            #expect(try await app.send("GET", path, header: header(path, extra: [])).status == 200)
        }
    }

    @Test(
        "P24 garbage at any endpoint is refused as garbage, changes nothing and breaks nothing",
        arguments: ["POST /oauth1/request_token", "POST /oauth1/access_token", "POST /oauth1/revoke", "GET " + api])
    func garbage(endpoint: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let parts = endpoint.split(separator: " ").map(String.init)
            let good = try app.header(parts[0], parts[1], callback: OAuth1App.callback)
            let long = String(repeating: "x", count: 513)
            try await home.expectNothingChanged {
                for header in [
                    "OAuth oauth_nonce", "OAuth oauth_nonce=\"x", "OAuth oauth_nonce=\"%Z\"", "OAuth ,,,",
                    "OAuth oauth_nonce=\"%C3%28\"", "OAuth oauth_nonce=\"%ED%A0%80\"", "OAuth oauth_nonce=\"%F8\"",
                    "OAuth oauth_consumer_key=\"%ZZ\"", "OAuth ====", "OAuth oauth_nonce=x",
                    "OAuth oauth_nonce=\"%00\"", "OAuth \"\"=\"\"", "OAuth realm=\"a\", realm=\"b\"", good + ", x",
                    "OAuth oauth_nonce=\"\(long)\"", "OAuth oauth_consumer_key=\"\(long)\", oauth_token=\"\(long)\"",
                    "OAuth " + String(repeating: "a=\"b\",", count: 1300),
                ] {
                    let answer = try await home.send(parts[0], parts[1], headers: [("Authorization", header)])
                    #expect((400...401).contains(answer.status), "\(header.prefix(40))")
                    #expect(
                        ["parameter_rejected", "parameter_absent"].contains(answer.form.first("oauth_problem"))
                            || answer.json["status"]?.integer == 401, "\(header.prefix(40))")
                }
                for query in ["?oauth_nonce=%ZZ", "?oauth_nonce=%FF", "?a=%", "?oauth_nonce=x&oauth_nonce=y"] {
                    let bare = try await home.send(parts[0], parts[1] + query)
                    #expect((400...401).contains(bare.status), "\(query)")
                    let signed = try await home.send(parts[0], parts[1] + query, headers: [("Authorization", good)])
                    #expect((400...401).contains(signed.status), "\(query)")
                }
                for body in ["oauth_nonce=%ZZ", "oauth_nonce=%FF", "oauth_nonce=\u{0}", "%"] {
                    let answer = try await home.send(
                        parts[0], parts[1], headers: [("Content-Type", FormCoding.mediaType)], body: body)
                    #expect((400...401).contains(answer.status), "\(body)")
                }
                let two = try await home.send(
                    parts[0], parts[1], headers: [("Authorization", good), ("Authorization", good)])
                #expect(two.status == 400)
            }
            #expect(!home.log.lines.contains { $0.contains("request failed") })
        }
    }
}
