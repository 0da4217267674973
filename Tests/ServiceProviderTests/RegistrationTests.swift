// What an app is registered with can work, or it is not registered at all.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct RegistrationTests {
    /// A registration that is good but for what a test changes.
    struct Request: Sendable {
        var name = "Bell"
        var delegationProtocol = DelegationProtocol.oauth2
        var redirectURIs = ["https://app.example/back"]
        var scopes = ["lock.lock@front-door"]
        var terms = ConsumerTerms()

        /// What a test is about, and what the refusal has to say.
        let about: String
        let message: String

        init(_ about: String, _ message: String, _ change: (inout Request) -> Void) {
            self.about = about
            self.message = message
            change(&self)
        }
    }

    private static let rsa: JSON = keys { JWTVerificationKey.rsa(try RSAPrivateKey(bits: 2048).publicKey, keyID: nil) }
    private static let shortRSA: JSON = keys { .rsa(try RSAPrivateKey(bits: 1024).publicKey, keyID: nil) }
    private static let p256: JSON = keys { .p256(try P256PrivateKey().publicKey, keyID: nil) }

    private static func keys(_ make: () throws -> JWTVerificationKey) -> JSON {
        JWKSet(keys: [try? make()].compactMap(\.self)).json
    }

    static let refused: [Request] = [
        Request("an empty name", "app name") { $0.name = "" },
        Request("a name of spaces", "app name") { $0.name = "   " },
        Request("a name that is too long", "app name") { $0.name = String(repeating: "a", count: 65) },
        Request("a name with a symbol", "app name") { $0.name = "Bell ✓" },
        Request("a name with a hidden character", "app name") { $0.name = "Be\u{200B}ll" },
        Request("no scope", "at least one scope") { $0.scopes = [] },
        Request("a scope of no operation", "nothing a device here can do") { $0.scopes = ["lock.fly@front-door"] },
        Request("a scope of no device", "nothing a device here can do") { $0.scopes = ["lock.lock@cellar"] },
        Request("a scope of another device", "nothing a device here can do") { $0.scopes = ["lock.lock@hall"] },
        Request("a scope that is none", "nothing a device here can do") {
            $0.scopes = ["lock.lock@front-door", "everything"]
        },
        Request("no redirect URI", "1 to 16 redirect URIs") { $0.redirectURIs = [] },
        Request("too many redirect URIs", "1 to 16 redirect URIs") {
            $0.redirectURIs = (0..<17).map { "https://app.example/\($0)" }
        },
        Request("http to another machine", "redirect URI") { $0.redirectURIs = ["http://app.example/back"] },
        Request("a relative redirect URI", "redirect URI") { $0.redirectURIs = ["/back"] },
        Request("a fragment", "redirect URI") { $0.redirectURIs = ["https://app.example/back#x"] },
        Request("a wildcard", "redirect URI") { $0.redirectURIs = ["https://*.app.example/back"] },
        Request("a script", "redirect URI") { $0.redirectURIs = ["javascript:alert(1)"] },
        Request("user information", "redirect URI") { $0.redirectURIs = ["https://a@app.example/back"] },
        Request("a space", "redirect URI") { $0.redirectURIs = ["https://app.example/a b"] },
        Request("a good one and a bad one", "redirect URI") { $0.redirectURIs.append("http://evil.example/") },
        Request("oob for OAuth 2", "redirect URI") { $0.redirectURIs = ["oob"] },
        Request("OOB for OAuth 1.0a", "redirect URI") {
            $0.delegationProtocol = .oauth1
            $0.redirectURIs = ["OOB"]
        },
        Request("no callback for OAuth 1.0a", "1 to 16 redirect URIs") {
            $0.delegationProtocol = .oauth1
            $0.redirectURIs = []
        },

        Request("a signature method for OAuth 2", "OAuth 1.0a's") { $0.terms.signatureMethod = "HMAC-SHA256" },
        Request("a key without its use", "authenticates with it") { $0.terms.keys = rsa },
        Request("a key for a public client", "authenticates with it") {
            $0.terms.authentication = .none
            $0.terms.keys = rsa
        },
        Request("RSA signatures for OAuth 2", "authenticates with it") { $0.terms.signatureMethod = "RSA-SHA256" },
        Request("assertions without a key", "public key is missing") { $0.terms.authentication = .privateKeyJWT },
        Request("a key set without keys", "public key is missing") {
            $0.terms.authentication = .privateKeyJWT
            $0.terms.keys = ["keys": []]
        },
        Request("a key of an unknown kind", "public key is missing") {
            $0.terms.authentication = .privateKeyJWT
            $0.terms.keys = ["keys": [["kty": "EC", "crv": "P-521", "x": "AQAB", "y": "AQAB"]]]
        },
        Request("a private key", "public key is missing") {
            $0.terms.authentication = .privateKeyJWT
            $0.terms.keys = ["keys": [["kty": "OKP", "crv": "Ed25519", "x": "AQAB", "d": "AQAB"]]]
        },
        Request("something else for keys", "public key is missing") {
            $0.terms.authentication = .privateKeyJWT
            $0.terms.keys = "https://app.example/jwks"
        },
        Request("an RSA key that is too short", "public key is missing") {
            $0.terms.authentication = .privateKeyJWT
            $0.terms.keys = shortRSA
        },
        Request("an unknown grant type", "is not known") { $0.terms.grantTypes = ["authorization_code", "password"] },
        Request("no grant type", "gets nowhere") { $0.terms.grantTypes = [] },
        Request("only a refresh token", "gets nowhere") { $0.terms.grantTypes = ["refresh_token"] },
        Request("only token exchange", "gets nowhere") { $0.terms.grantTypes = ["token_exchange"] },
        Request("a token of its own for a public client", "cannot prove itself") {
            $0.terms.authentication = .none
            $0.terms.grantTypes = ["client_credentials"]
        },
        Request("a bad redirect URI that is not needed", "redirect URI") {
            $0.terms.grantTypes = ["device_code"]
            $0.redirectURIs = ["http://evil.example/"]
        },

        Request("assertions for OAuth 1.0a", "public key is missing") {
            $0.delegationProtocol = .oauth1
            $0.terms.authentication = .privateKeyJWT
        },
        Request("no authentication for OAuth 1.0a", "these terms are OAuth 2's") {
            $0.delegationProtocol = .oauth1
            $0.terms.authentication = .none
        },
        Request("grant types for OAuth 1.0a", "these terms are OAuth 2's") {
            $0.delegationProtocol = .oauth1
            $0.terms.grantTypes = ["device_code"]
        },
        Request("rotation for OAuth 1.0a", "these terms are OAuth 2's") {
            $0.delegationProtocol = .oauth1
            $0.terms.rotatesRefreshTokens = true
        },
        Request("pushed requests for OAuth 1.0a", "these terms are OAuth 2's") {
            $0.delegationProtocol = .oauth1
            $0.terms.requiresPushedRequests = true
        },
        Request("DPoP for OAuth 1.0a", "these terms are OAuth 2's") {
            $0.delegationProtocol = .oauth1
            $0.terms.requiresDPoP = true
        },
        Request("a method that nobody knows", "is not known") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "HMAC-MD5"
        },
        Request("RSA without a key", "public key is missing") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "RSA-SHA256"
        },
        Request("HMAC with a key", "has no use for") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "HMAC-SHA256"
            $0.terms.keys = rsa
        },
        Request("a key without a method", "needs its signature method") {
            $0.delegationProtocol = .oauth1
            $0.terms.keys = rsa
        },
        Request("a key that is no RSA key", "exactly one RSA key") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "RSA-SHA256"
            $0.terms.keys = p256
        },
        Request("two keys", "exactly one RSA key") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "RSA-SHA256"
            $0.terms.keys = ["keys": .array((rsa["keys"]?.array ?? []) + (rsa["keys"]?.array ?? []))]
        },
        Request("an RSA key that is too short to sign with", "public key is missing") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "RSA-SHA256"
            $0.terms.keys = shortRSA
        },
        Request("PLAINTEXT without TLS", "PLAINTEXT") {
            $0.delegationProtocol = .oauth1
            $0.terms.signatureMethod = "PLAINTEXT"
        },
    ]

    @Test("a registration that cannot work is refused in words, and leaves nothing behind")
    func refusals() async throws {
        try await TestHome.run { home in
            try await home.expectNothingChanged {
                for request in Self.refused {
                    let refusal = await #expect(throws: Refusal.self, "\(request.about)") {
                        _ = try await home.provider.addApp(
                            named: request.name, over: request.delegationProtocol, redirectURIs: request.redirectURIs,
                            scopes: request.scopes, terms: request.terms)
                    }
                    #expect(refusal?.kind == .usage, "\(request.about)")
                    let text = refusal?.description ?? ""
                    #expect(text.contains(request.message), "\(request.about): \(text)")
                }
            }
            #expect(try await home.audited("provider.consumer").isEmpty)
        }
    }

    @Test("a name is an app's own among those there are, and is free again once the app is removed")
    func names() async throws {
        try await TestHome.run { home in
            let first = try await OAuth2App.register(home, named: "Bell")
            try await home.expectNothingChanged {
                let refusal = await #expect(throws: Refusal.self) {
                    _ = try await OAuth1App.register(home, named: "Bell")
                }
                #expect(refusal?.kind == .conflict)
            }
            try await home.provider.removeApp("Bell")
            let second = try await OAuth2App.register(home, named: "Bell")
            #expect(first.id != second.id)
            #expect(try await first.token(first.redemption("x")).json["error"] == "invalid_client")
        }
    }

    @Test("grant types may be written short or long, in any order and twice, and are kept once in one order")
    func grantTypes() async throws {
        try await TestHome.run { home in
            var terms = ConsumerTerms()
            terms.grantTypes = [
                "urn:ietf:params:oauth:grant-type:token-exchange", "refresh_token", "device_code",
                "urn:ietf:params:oauth:grant-type:device_code", "client_credentials", "authorization_code",
            ]
            let (app, _) = try await home.provider.addApp(
                named: "All", over: .oauth2, redirectURIs: ["https://app.example/back"],
                scopes: ["lock.lock@front-door"], terms: terms)
            #expect(
                Set(app.terms.grantTypes)
                    == ["authorization_code", "refresh_token", "client_credentials", "device_code", "token_exchange"])
            #expect(app.terms.grantTypes.count == 5)
            #expect(try await home.provider.app("All") == app)
        }
    }

    @Test("a public client rotates its refresh tokens whether it asked for it or not, and shares no secret")
    func publicClient() async throws {
        try await TestHome.run { home in
            var terms = ConsumerTerms()
            terms.authentication = .none
            let (app, secret) = try await home.provider.addApp(
                named: "Public", over: .oauth2, redirectURIs: ["com.example.app:/back"],
                scopes: ["lock.lock@front-door"], terms: terms)
            #expect(secret == nil)
            #expect(app.terms.rotatesRefreshTokens)
            #expect(try await home.vault.read { try $0.secretHash(of: app) } == nil)
        }
    }

    @Test("a key may come alone or in a set, and what cannot be used here is not kept")
    func keys() async throws {
        try await TestHome.run { home in
            let key = Ed25519PrivateKey()
            let signer = JWTSigningKey.ed25519(key, keyID: "k-1")
            let unknown: JSON = ["kty": "EC", "crv": "P-521", "x": "AQAB", "y": "AQAB"]
            let forms: [JSON] = [
                signer.verificationKey.jwk, ["keys": [signer.verificationKey.jwk]],
                ["keys": [unknown, signer.verificationKey.jwk]],
            ]
            for (number, form) in forms.enumerated() {
                var terms = ConsumerTerms()
                terms.authentication = .privateKeyJWT
                terms.keys = form
                let app = try await OAuth2App.register(home, named: "App \(number)", terms: terms, key: signer)
                let kept = try await home.provider.app(app.id).terms.keys
                #expect(kept == ["keys": [signer.verificationKey.jwk]])
                #expect(try await app.tokens().refresh.count == 30)
            }
        }
    }

    @Test("an app without flows that redirect needs no redirect URI; OAuth 1.0a takes oob besides an address")
    func redirectURIs() async throws {
        try await TestHome.run { home in
            var terms = ConsumerTerms()
            terms.grantTypes = ["device_code", "client_credentials"]
            _ = try await home.provider.addApp(
                named: "Lamp", over: .oauth2, redirectURIs: [], scopes: ["lock.lock@front-door"], terms: terms)
            _ = try await home.provider.addApp(
                named: "Bell", over: .oauth1, redirectURIs: ["oob", "https://app.example/back"],
                scopes: ["lock.lock@front-door"])
            #expect(try await home.audited("provider.consumer") == ["added", "added"])
        }
    }
}
