// Cases P1 to P22 of the design's list of what a provider must refuse.

import Delegation
import Hummingbird
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct SignedRequestTests {
    private static let first = "/oauth1/request_token"
    private static let last = "/oauth1/access_token"
    private static let api = "/api/v1/devices"

    private func expect(_ answer: Answer, _ status: Int, _ problem: String, _ at: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.form.first("oauth_problem") == problem, sourceLocation: at)
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("OAuth realm=") == true, sourceLocation: at)
    }

    @Test("P1 an unknown consumer, P2 a wrong signature")
    func unknownAndWrong() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let stranger = OAuth1App(
                home: home, consumer: ConsumerCredentials(key: "nobody", secret: .random(count: 24)))
            let forger = OAuth1App(
                home: home, consumer: ConsumerCredentials(key: app.consumer.key, secret: .random(count: 24)))
            try await home.expectNothingChanged {
                expect(
                    try await stranger.send(
                        "POST", Self.first, header: stranger.header("POST", Self.first, callback: "oob")),
                    401, "consumer_key_unknown")
                expect(
                    try await forger.send(
                        "POST", Self.first, header: forger.header("POST", Self.first, callback: "oob")),
                    401, "signature_invalid")
            }
            #expect(try await home.audited("provider.token") == ["refused"])
        }
    }

    @Test("P3 a right signature over another origin", arguments: ["https", "port", "host"])
    func otherOrigin(what: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let origin =
                switch what {
                case "https": "https" + home.base.dropFirst(4)
                case "port": "http://127.0.0.1:1"
                default: "http://localhost" + home.base.dropFirst("http://127.0.0.1".count)
                }
            let header = try app.header("POST", Self.first, callback: "oob", origin: origin)
            try await home.expectNothingChanged {
                expect(try await app.send("POST", Self.first, header: header), 401, "signature_invalid")
            }
        }
    }

    @Test("P4 a query that was changed or added to, P5 a form that was changed")
    func tampered() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            let signed = try app.header("GET", Self.api + "?a=1", token: access)
            try await home.expectNothingChanged {
                expect(try await app.send("GET", Self.api + "?a=2", header: signed), 401, "signature_invalid")
                expect(try await app.send("GET", Self.api + "?a=1&a=1", header: signed), 401, "signature_invalid")
            }
            #expect(try await app.send("GET", Self.api + "?a=1", header: signed).status == 200)

            let form = [Parameter("scope", "lock.lock@front-door")]
            let header = try app.header("POST", Self.first, callback: "oob", form: form)
            let changed = [Parameter("scope", "lock.unlock@front-door")]
            try await home.expectNothingChanged {
                expect(try await app.send("POST", Self.first, header: header, form: changed), 401, "signature_invalid")
            }
        }
    }

    @Test("P6 a replayed request, whose nonce outlives the process (P7) and is not burned by a wrong signature")
    func replay() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            let forger = OAuth1App(
                home: home, consumer: ConsumerCredentials(key: app.consumer.key, secret: .random(count: 24)))
            let forged = try forger.header("GET", Self.api, token: access, nonce: "the-nonce")
            try await home.expectNothingChanged {
                expect(try await app.send("GET", Self.api, header: forged), 401, "signature_invalid")
            }
            let header = try app.header("GET", Self.api, token: access, nonce: "the-nonce")
            #expect(try await app.send("GET", Self.api, header: header).status == 200)
            try await home.expectNothingChanged {
                expect(try await app.send("GET", Self.api, header: header), 401, "nonce_used")
            }
            let second = try home.restarted()
            await #expect(throws: ProviderFault.oauth1(.nonceUsed)) {
                _ = try await second.resolve(
                    method: "GET", target: Self.api, headers: [.authorization: header], body: [])
            }
        }
    }

    @Test("P8 a timestamp too old or too far ahead", arguments: [-601, 601])
    func staleTimestamp(offset: Int) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let timestamp = home.clock.seconds + offset
            let bad = try app.header("POST", Self.first, callback: "oob", timestamp: timestamp)
            try await home.expectNothingChanged {
                expect(try await app.send("POST", Self.first, header: bad), 401, "timestamp_refused")
            }
            let good = home.clock.seconds + (offset < 0 ? -600 : 600)
            let header = try app.header("POST", Self.first, callback: "oob", timestamp: good)
            #expect(try await app.send("POST", Self.first, header: header).status == 200)
        }
    }

    @Test(
        "P9, P10, P11, P13, P14: parameters that are missing, repeated, malformed or not supported",
        arguments: [
            ("oauth_timestamp=\"0\"", "parameter_rejected"), ("oauth_timestamp=\"-5\"", "parameter_rejected"),
            ("oauth_timestamp=\"1e9\"", "parameter_rejected"), ("oauth_timestamp=\"%2B5\"", "parameter_rejected"),
            ("oauth_timestamp=\"12345678901234567890\"", "parameter_rejected"),
            ("oauth_timestamp=\"\"", "parameter_absent"), ("oauth_nonce=\"\"", "parameter_absent"),
            ("oauth_version=\"2.0\"", "version_rejected"),
            ("oauth_signature_method=\"MD5\"", "signature_method_rejected"),
            ("oauth_signature_method=\"RSA-SHA1\"", "signature_method_rejected"),
            ("oauth_signature_method=\"PLAINTEXT\"", "signature_method_rejected"),
            ("oauth_consumer_key=\"\"", "parameter_absent"), ("oauth_signature=\"\"", "parameter_absent"),
            ("oauth_callback=\"OOB\"", "parameter_rejected"), ("oauth_callback=\"/back\"", "parameter_rejected"),
            ("oauth_callback=\"\"", "parameter_absent"),
        ])
    func malformed(change: String, problem: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let name = String(change.prefix { $0 != "=" })
            let header = try app.header("POST", Self.first, callback: "oob")
            let fields = header.dropFirst("OAuth ".count).split(separator: ", ")
                .map { $0.hasPrefix(name + "=") ? Substring(change) : $0 }
            let changed = "OAuth " + fields.joined(separator: ", ")
            try await home.expectNothingChanged {
                expect(try await app.send("POST", Self.first, header: changed), 400, problem)
            }
        }
    }

    @Test(
        "P11 a repeated parameter, P12 parameters in two places, P23 oauth_ parameters in the query besides the header")
    func places() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let header = try app.header("POST", Self.first, callback: "oob")
            try await home.expectNothingChanged {
                expect(
                    try await app.send("POST", Self.first, header: header + ", oauth_nonce=\"x\""), 400,
                    "parameter_rejected")
                expect(
                    try await app.send("POST", Self.first + "?oauth_nonce=x", header: header), 400, "parameter_rejected"
                )
                expect(
                    try await app.send(
                        "POST", Self.first, header: header, form: [Parameter("oauth_callback", "https://evil.example/")]
                    ),
                    400, "parameter_rejected")
            }
        }
    }

    @Test(
        "P16 no callback, or one that is not registered",
        arguments: [nil, "https://evil.example/back", "https://app.example/back"])
    func callback(callback: String?) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            // A right signature settles how a consumer signs, whatever it asks for.
            try await home.expectNothingChanged(except: ["sp_consumer.signature_method"]) {
                let answer = try await app.send(
                    "POST", Self.first, header: app.header("POST", Self.first, callback: callback))
                expect(answer, 400, callback == nil ? "parameter_absent" : "parameter_rejected")
            }
        }
    }

    @Test("P17 an access token is not given without verifier")
    func noVerifier() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let token = try await app.requestToken()
            let verifier = try await app.approve(token)
            try await home.expectNothingChanged {
                expect(
                    try await app.send("POST", Self.last, header: app.header("POST", Self.last, token: token)), 400,
                    "parameter_absent")
            }
            #expect(try await app.exchange(token, verifier: verifier).status == 200)
        }
    }

    @Test("P18 the fifth wrong verifier burns the request token, the fourth does not")
    func guessing() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let token = try await app.requestToken()
            let verifier = try await app.approve(token)
            try await home.expectNothingChanged(except: ["sp_request_token.wrong_verifiers", "sp_request_token.state"])
            {
                for _ in 0..<5 {
                    expect(try await app.exchange(token, verifier: "wrong"), 401, "verifier_invalid")
                }
                expect(try await app.exchange(token, verifier: verifier), 401, "token_rejected")
            }
            let lucky = try await app.requestToken()
            let right = try await app.approve(lucky)
            for _ in 0..<4 { expect(try await app.exchange(lucky, verifier: "wrong"), 401, "verifier_invalid") }
            #expect(try await app.exchange(lucky, verifier: right).status == 200)
        }
    }

    @Test("P19 a request token that was used, is too old, was not approved, or is another consumer's")
    func requestTokens() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let other = try await OAuth1App.register(home, named: "Other", method: .hmacSHA256)
            let used = try await app.requestToken()
            let verifier = try await app.approve(used)
            try await home.expectNothingChanged {
                expect(try await other.exchange(used, verifier: verifier), 401, "token_rejected")
            }
            #expect(try await app.exchange(used, verifier: verifier).status == 200)
            let pending = try await app.requestToken()
            let old = try await app.requestToken()
            let late = try await app.approve(old)
            try await home.expectNothingChanged {
                expect(try await app.exchange(used, verifier: verifier), 401, "token_used")
                expect(try await app.exchange(pending, verifier: "x"), 401, "token_rejected")
                home.clock.advance(by: 601)
                expect(try await app.exchange(old, verifier: late), 401, "token_expired")
                #expect(try await Browser(home).get("/oauth1/authorize?oauth_token=\(old.token)").status == 400)
            }
        }
    }

    @Test("P21 a token of another consumer")
    func foreignToken() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let other = try await OAuth1App.register(home, named: "Other")
            let access = try await app.accessToken()
            try await home.expectNothingChanged {
                expect(try await other.devices(access), 401, "token_rejected")
                let header = try other.header("POST", "/oauth1/revoke", token: access)
                expect(try await other.send("POST", "/oauth1/revoke", header: header), 401, "token_rejected")
            }
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("P22 a token whose grant or consumer is gone")
    func revoked() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            let grant = try #require(try await home.provider.grants().first)
            try await home.provider.revokeGrant(grant.id, by: .user("test"))
            try await home.expectNothingChanged {
                expect(try await app.devices(access), 401, "token_revoked")
                let header = try app.header("POST", "/oauth1/revoke", token: access)
                expect(try await app.send("POST", "/oauth1/revoke", header: header), 401, "token_revoked")
            }
            let second = try await app.accessToken()
            try await home.provider.removeApp("Bell")
            try await home.expectNothingChanged {
                expect(try await app.devices(second), 401, "consumer_key_unknown")
            }
            #expect(try await home.provider.grants().isEmpty)
        }
    }
}
