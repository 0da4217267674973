// Case P14 and P15: how a consumer signs is settled with the consumer, so nobody else can pick a weaker way.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct SignatureMethodTests {
    private static let first = "/oauth1/request_token"
    private static let hmac: [SignatureMethod] = [.hmacSHA1, .hmacSHA256, .hmacSHA512]
    private static let rsa: [SignatureMethod] = [.rsaSHA1, .rsaSHA256, .rsaSHA512]

    private func expect(_ answer: Answer, _ status: Int, _ problem: String, _ at: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.form.first("oauth_problem") == problem, sourceLocation: at)
        #expect(answer.form.first("oauth_token") == nil, sourceLocation: at)
    }

    /// The first leg, signed in some way.
    private func begin(_ app: OAuth1App, _ method: SignatureMethod) async throws -> Answer {
        try await app.send(
            "POST", Self.first,
            header: app.header("POST", Self.first, callback: OAuth1App.callback, signatureMethod: method))
    }

    private func settled(_ app: OAuth1App) async throws -> String? {
        try await app.home.provider.app(app.consumer.key).terms.signatureMethod
    }

    @Test("a consumer with an RSA key goes all the way, and no other method is taken from it", arguments: rsa)
    func rsaConsumer(method: SignatureMethod) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home, key: try RSAPrivateKey(bits: 2048), method: method)
            let access = try await app.accessToken()
            #expect(try await app.devices(access).status == 200)
            let thief = OAuth1App(
                home: home, consumer: .init(key: app.consumer.key, privateKey: try RSAPrivateKey(bits: 2048)),
                method: method)
            try await home.expectNothingChanged {
                for other in Self.rsa where other != method {
                    expect(try await begin(app, other), 400, "signature_method_rejected")
                }
                expect(try await begin(thief, method), 401, "signature_invalid")
                expect(try await thief.devices(access), 401, "signature_invalid")
            }
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("P14 an RSA consumer's requests cannot be signed by HMAC under what everybody knows of its key")
    func methodSwitch() async throws {
        try await TestHome.run { home in
            let key = try RSAPrivateKey(bits: 2048)
            let app = try await OAuth1App.register(home, key: key, method: .rsaSHA256)
            let access = try await app.accessToken()
            let pem = Self.pem(key.publicKey)
            #expect(try RSAPublicKey(pem: pem).modulus == key.publicKey.modulus)
            let jwks = JWKSet(keys: [.rsa(key.publicKey, keyID: nil)]).json
            let guesses = [
                "", pem, pem.split(separator: "\n").joined(separator: "\n"),
                pem.split(separator: "\n").dropFirst().dropLast().joined(), jwks.text,
                jwks["keys"]?.array?.first?["n"]?.string ?? "",
            ]
            try await home.expectNothingChanged {
                for guess in guesses {
                    let forger = OAuth1App(
                        home: home, consumer: .init(key: app.consumer.key, secret: Secret(text: guess)))
                    for method in Self.hmac {
                        expect(try await begin(forger, method), 400, "signature_method_rejected")
                        let header = try forger.header(
                            "GET", "/api/v1/devices", token: .init(token: access.token, secret: Secret(text: "")),
                            signatureMethod: method)
                        expect(
                            try await forger.send("GET", "/api/v1/devices", header: header), 400,
                            "signature_method_rejected")
                    }
                }
            }
            #expect(try await settled(app) == "RSA-SHA256")
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("P14 a consumer with a secret cannot be spoken for by somebody's RSA key, nor with an empty secret")
    func otherSwitch() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let key = try RSAPrivateKey(bits: 2048)
            let forger = OAuth1App(home: home, consumer: .init(key: app.consumer.key, privateKey: key))
            let empty = OAuth1App(home: home, consumer: .init(key: app.consumer.key, secret: Secret(text: "")))
            try await home.expectNothingChanged {
                for method in Self.rsa {
                    expect(try await begin(forger, method), 400, "signature_method_rejected")
                }
                for method in Self.hmac { expect(try await begin(empty, method), 401, "signature_invalid") }
            }
            #expect(try await settled(app) == nil)
            _ = try await app.accessToken()
        }
    }

    @Test("the first good signature settles the method for all time, restarts included", arguments: hmac)
    func settling(method: SignatureMethod) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let forger = OAuth1App(
                home: home, consumer: .init(key: app.consumer.key, secret: .random(count: 24)))
            let others = Self.hmac.filter { $0 != method }
            try await home.expectNothingChanged {
                for other in others { expect(try await begin(forger, other), 401, "signature_invalid") }
                // A right signature that is too old is none either.
                let old = try app.header(
                    "POST", Self.first, callback: OAuth1App.callback, timestamp: home.clock.seconds - 601,
                    signatureMethod: others[0])
                expect(try await app.send("POST", Self.first, header: old), 401, "timestamp_refused")
            }
            #expect(try await settled(app) == nil)
            #expect(try await begin(app, method).status == 200)
            #expect(try await settled(app) == method.rawValue)
            let after = try await home.restart()
            try await after.expectNothingChanged {
                for other in others { expect(try await begin(app, other), 400, "signature_method_rejected") }
            }
            let mine = OAuth1App(home: after, consumer: app.consumer, method: method)
            #expect(try await mine.devices(try await mine.accessToken()).status == 200)
        }
    }

    @Test("a method that is registered is the only one from the first request on", arguments: hmac)
    func registered(method: SignatureMethod) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home, method: method)
            try await home.expectNothingChanged {
                for other in Self.hmac where other != method {
                    expect(try await begin(app, other), 400, "signature_method_rejected")
                }
            }
            #expect(try await app.devices(try await app.accessToken()).status == 200)
        }
    }

    @Test("P15 PLAINTEXT is refused without TLS, at every leg, and cannot even be registered")
    func plaintextWithoutTLS() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let secret = Random.alphanumerics(24)
            try await home.expectNothingChanged {
                await #expect(throws: Refusal.self) {
                    _ = try await OAuth1App.register(home, named: "Plain", method: .plaintext)
                }
                for path in [Self.first, "/oauth1/access_token", "/oauth1/revoke"] {
                    expect(
                        try await app.send("POST", path, header: Self.plaintext(app, signature: secret + "&")), 400,
                        "signature_method_rejected")
                }
                expect(
                    try await app.send("GET", "/api/v1/devices", header: Self.plaintext(app, signature: secret + "&")),
                    400, "signature_method_rejected")
            }
            #expect(try await settled(app) == nil)
        }
    }

    @Test("PLAINTEXT over TLS is for the consumer that registered it, with its own secrets, and for no other")
    func plaintextOverTLS() async throws {
        try await TestHome.run(address: "https://home.example") { home in
            let app = try await OAuth1App.register(home, named: "Plain", method: .plaintext)
            let other = try await OAuth1App.register(home)
            let settled = try await OAuth1App.register(home, named: "Settled", method: .hmacSHA256)
            let forger = OAuth1App(
                home: home, consumer: .init(key: app.consumer.key, secret: .random(count: 24)), method: .plaintext)
            try await home.expectNothingChanged {
                for app in [other, settled] {
                    expect(try await begin(app, .plaintext), 400, "signature_method_rejected")
                }
                expect(try await begin(forger, .plaintext), 401, "signature_invalid")
                for method in Self.hmac { expect(try await begin(app, method), 400, "signature_method_rejected") }
            }
            #expect(try await self.settled(other) == nil)
            let access = try await app.accessToken()
            #expect(try await app.devices(access).status == 200)
            let guessed = TokenCredentials(token: access.token, secret: Secret(text: ""))
            expect(try await app.devices(guessed), 401, "signature_invalid")
            // It may go without timestamp and nonce (RFC 5849 §3.1).
            guard case .secret(let secret) = app.consumer.signingKey else { return }
            let bare = Self.plaintext(
                app, signature: secret.revealText() + "&" + access.secret.revealText(), token: access.token)
            #expect(try await app.send("GET", "/api/v1/devices", header: bare).status == 200)
        }
    }

    /// A PLAINTEXT header without timestamp and nonce.
    private static func plaintext(_ app: OAuth1App, signature: String, token: String? = nil) -> String {
        AuthorizationHeader(
            realm: nil,
            parameters: [
                Parameter("oauth_consumer_key", app.consumer.key), Parameter("oauth_signature_method", "PLAINTEXT"),
                Parameter("oauth_signature", signature),
            ] + (token.map { [Parameter("oauth_token", $0)] } ?? [Parameter("oauth_callback", OAuth1App.callback)])
        ).text
    }

    /// An RSA public key as PEM (RFC 5280 §4.1).
    private static func pem(_ key: RSAPublicKey) -> String {
        func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
            let count = content.count
            let length: [UInt8] = count < 128 ? [UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 255)]
            return [tag] + length + content
        }
        let numbers = [key.modulus, key.exponent].flatMap { der(2, ($0[0] > 127 ? [0] : []) + $0) }
        let algorithm = der(0x30, [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0])
        let body = Base64.encode(der(0x30, algorithm + der(3, [0] + der(0x30, numbers))), as: .standard)
        return "-----BEGIN PUBLIC KEY-----\n\(body)\n-----END PUBLIC KEY-----\n"
    }
}
