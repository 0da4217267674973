// Case P40: an assertion proves its signer to this home, for minutes, and once; an app with a key is known by nothing else.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

extension LooseToken {
    /// A client assertion that is right but for its signature.
    fileprivate init(_ app: OAuth2App, _ algorithm: String = "ES256") {
        let now = Int64(app.home.clock.seconds)
        self.init(
            header: [JSON.Member("typ", "client-authentication+jwt"), JSON.Member("alg", .string(algorithm))],
            claims: [
                JSON.Member("iss", .string(app.id)), JSON.Member("sub", .string(app.id)),
                JSON.Member("aud", .string(app.home.issuer)), JSON.Member("jti", .string(Random.alphanumerics(24))),
                JSON.Member("iat", .integer(now)), JSON.Member("exp", .integer(now + 60)),
            ])
    }
}

/// An app with a key of its own, which gets tokens for itself.
private struct Signer: Sendable {
    let app: OAuth2App
    let key: P256PrivateKey

    static func register(_ home: TestHome, named name: String = "Bridge") async throws -> Signer {
        let key = try P256PrivateKey()
        let signing = JWTSigningKey.p256(key, keyID: "k-1")
        return Signer(
            app: try await OAuth2App.register(
                home, named: name, terms: .signing(signing.verificationKey), key: signing), key: key)
    }

    /// Asks for a token with an assertion.
    func token(
        _ assertion: String, type: String? = ClientAssertion.type, _ extra: [(String, String)] = [],
        headers: [(String, String)] = []
    ) async throws -> Answer {
        try await app.token(
            [("grant_type", "client_credentials"), ("client_assertion", assertion)]
                + (type.map { [("client_assertion_type", $0)] } ?? []) + extra, headers: headers)
    }

    func token(_ assertion: LooseToken) async throws -> Answer {
        try await token(try assertion.signed { try key.sign($0) })
    }
}

@Suite(.timeLimit(.minutes(5))) struct ClientAssertionTests {
    @Test("an app proves itself with each kind of key, in each flow", arguments: ["ES256", "EdDSA", "RS256"])
    func goodPath(algorithm: String) async throws {
        try await TestHome.run { home in
            let key: JWTSigningKey =
                switch algorithm {
                case "ES256": .p256(try P256PrivateKey(), keyID: nil)
                case "EdDSA": .ed25519(Ed25519PrivateKey(), keyID: "mine")
                default: .rsa(try RSAPrivateKey(bits: 2048), keyID: "mine")
                }
            let app = try await OAuth2App.register(home, terms: .signing(key.verificationKey), key: key)
            let (access, refresh) = try await app.tokens()
            #expect(try await app.devices(access).status == 200)
            #expect(try await app.refresh(refresh).status == 200)
            #expect(try await app.token([("grant_type", "client_credentials")]).status == 200)
            #expect(try await app.post("/oauth2/par", app.request()).status == 201)
            let shown = try await app.post("/oauth2/introspect", [("token", access)])
            #expect(shown.json["active"] == true)
            #expect(try await app.revoke(refresh).status == 200)
            #expect(try await app.devices(access).status == 401)
        }
    }

    @Test("an assertion may be of the old type or none, name its audience in a list, and do without iat and kid")
    func variants() async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let good = { LooseToken(signer.app) }
            let now = Int64(home.clock.seconds)
            for assertion in [
                good(), good().header("typ", nil), good().header("typ", "JWT"), good().header("kid", "k-1"),
                good().claim("aud", [.string(home.issuer)]), good().claim("iat", nil),
                good().claim("exp", .integer(now - 29)), good().claim("exp", .integer(now + 3600)),
                good().claim("nbf", .integer(now + 30)),
            ] {
                #expect(try await signer.token(assertion).status == 200)
            }
            let named = try await signer.token(
                try good().signed { try signer.key.sign($0) }, [("client_id", signer.app.id)])
            #expect(named.status == 200)
        }
    }

    @Test(
        "P40 an assertion whose claims are not for this home, this moment and this client",
        arguments: [
            ("aud", "https://elsewhere.example"), ("aud", nil), ("aud", "{token}"), ("aud", "{issuer}/"),
            ("aud", ["{issuer}", "https://elsewhere.example"]), ("aud", []), ("aud", 7), ("exp", nil),
            ("exp", "{-30}"), ("exp", "{-3600}"), ("exp", "{+3631}"), ("exp", "{+86400000}"), ("exp", "soon"),
            ("iat", "{+31}"), ("nbf", "{+31}"), ("sub", nil), ("sub", ""), ("sub", "{other}"), ("iss", nil),
            ("iss", "{other}"), ("iss", "{issuer}"), ("jti", nil), ("jti", ""), ("jti", 7),
        ] as [(String, JSON?)])
    func badClaims(name: String, value: JSON?) async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let other = try await Signer.register(home, named: "Other")
            func filled(_ value: JSON) -> JSON {
                switch value {
                case "{token}": .string(home.issuer + "/oauth2/token")
                case "{issuer}": .string(home.issuer)
                case "{issuer}/": .string(home.issuer + "/")
                case "{other}": .string(other.app.id)
                case .string(let text) where text.hasPrefix("{"):
                    .integer(Int64(home.clock.seconds) + (Int64(text.dropFirst().dropLast()) ?? 0))
                case .array(let values): .array(values.map(filled))
                default: value
                }
            }
            let assertion = LooseToken(signer.app).claim(name, value.map(filled))
            try await home.expectNothingChanged { expect(try await signer.token(assertion), 400, "invalid_client") }
            #expect(try await signer.token(LooseToken(signer.app)).status == 200)
        }
    }

    @Test(
        "P40 an assertion whose header says something that the key does not",
        arguments: [
            ("alg", "none"), ("alg", "HS256"), ("alg", "RS256"), ("alg", "EdDSA"), ("alg", nil), ("alg", "es256"),
            ("kid", "unknown"), ("kid", 7), ("typ", "at+jwt"), ("typ", "dpop+jwt"), ("typ", 7), ("crit", ["exp"]),
            ("jwk", "mine"), ("jku", "https://evil.example/keys"), ("x5u", "https://evil.example/cert"),
        ] as [(String, JSON?)])
    func badHeader(name: String, value: JSON?) async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let assertion = LooseToken(signer.app).header(name, value)
            try await home.expectNothingChanged { expect(try await signer.token(assertion), 400, "invalid_client") }
        }
    }

    @Test(
        "P40 an assertion that another key signed, a public key as a secret, or nobody",
        arguments: ["none", "other client", "HS256 with JWK", "HS256 with point", "HS256 with thumbprint", "carried"])
    func badSignature(who: String) async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let other = try await Signer.register(home, named: "Other")
            let publicKey = JWTVerificationKey.p256(signer.key.publicKey, keyID: "k-1")
            let secret: [UInt8] =
                switch who {
                case "HS256 with JWK": publicKey.jwk.bytes
                case "HS256 with point": signer.key.publicKey.x + signer.key.publicKey.y
                default: Array(publicKey.thumbprint.utf8)
                }
            let assertion = LooseToken(signer.app)
            let text =
                switch who {
                case "none": assertion.header("alg", "none").signed { _ in [] }
                case "other client": try assertion.signed { try other.key.sign($0) }
                case "carried":
                    try assertion.header("jwk", JWTVerificationKey.p256(other.key.publicKey, keyID: nil).jwk)
                        .signed { try other.key.sign($0) }
                default:
                    assertion.header("alg", "HS256")
                        .signed { HMAC.code($0, key: Secret(secret), hash: .sha256) }
                }
            try await home.expectNothingChanged { expect(try await signer.token(text), 400, "invalid_client") }
            #expect(try await home.audited("provider.token") == ["refused"])
        }
    }

    @Test("P40 an assertion is good once: in a row, at once, at another endpoint, and after a restart")
    func replay() async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let once = try LooseToken(signer.app).signed { try signer.key.sign($0) }
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await signer.token(once).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.sorted() == [200] + Array(repeating: 400, count: 7))
            home.clock.advance(by: 80)
            let again = try await home.restart()
            try await again.expectNothingChanged {
                expect(try await signer.token(once), 400, "invalid_client")
                let form = [("client_assertion_type", ClientAssertion.type), ("client_assertion", once)]
                expect(
                    try await signer.app.post("/oauth2/introspect", form + [("token", "x")], headers: []), 400,
                    "invalid_client")
            }
            // After its time it is refused for its age, so it need not be remembered any longer.
            home.clock.advance(by: 100)
            #expect(try await signer.token(LooseToken(signer.app)).status == 200)
            expect(try await signer.token(once), 400, "invalid_client")
        }
    }

    @Test("P40 the same jti is another client's own; a replayed one with other claims is not")
    func identifiers() async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let other = try await Signer.register(home, named: "Other")
            #expect(try await signer.token(LooseToken(signer.app).claim("jti", "one")).status == 200)
            #expect(try await other.token(LooseToken(other.app).claim("jti", "one")).status == 200)
            let longer = LooseToken(signer.app).claim("jti", "one")
                .claim("exp", .integer(Int64(home.clock.seconds) + 500))
            try await home.expectNothingChanged { expect(try await signer.token(longer), 400, "invalid_client") }
        }
    }

    @Test("P38, P40: an assertion beside another proof, of a wrong or missing type, or of another client")
    func mixed() async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let secret = try await OAuth2App.register(home, named: "Secret")
            func fresh() throws -> String { try LooseToken(signer.app).signed { try signer.key.sign($0) } }
            let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
            let form = [("grant_type", "client_credentials")]
            try await home.expectNothingChanged {
                expect(try await signer.token(fresh(), type: nil), 400, "invalid_request")
                expect(try await signer.token(fresh(), type: saml), 400, "invalid_client")
                expect(try await signer.token("x.y"), 400, "invalid_client")
                expect(try await signer.token(fresh(), [("client_id", secret.id)]), 400, "invalid_request")
                expect(try await signer.token(fresh(), [("client_secret", "x")]), 400, "invalid_request")
                expect(try await signer.token(fresh(), headers: secret.basic), 400, "invalid_request")
                expect(
                    try await signer.app.token(form + [("client_assertion_type", ClientAssertion.type)], headers: []),
                    400, "invalid_request")
            }
        }
    }

    @Test("P40 how an app proves itself is settled: one with a key not by secret or name, one with a secret not by key")
    func settled() async throws {
        try await TestHome.run { home in
            let signer = try await Signer.register(home)
            let form = [("grant_type", "client_credentials")]
            let secret = try await OAuth2App.register(home, named: "Secret", terms: .with("client_credentials"))
            let imitation = Signer(app: secret, key: signer.key)
            try await home.expectNothingChanged {
                expect(
                    try await signer.app.token(form + [("client_id", signer.app.id)], headers: []), 400,
                    "invalid_client")
                for text in ["", "x"] {
                    let basic = BasicCredentials.encode(id: signer.app.id, secret: Secret(text: text), as: .rfc)
                    expect(
                        try await signer.app.token(form, headers: [("Authorization", basic.revealText())]), 401,
                        "invalid_client")
                }
                expect(
                    try await signer.app.token(
                        form + [("client_id", signer.app.id), ("client_secret", "x")], headers: []), 400,
                    "invalid_client")
                expect(try await imitation.token(LooseToken(secret)), 400, "invalid_client")
            }
            try await home.provider.removeApp("Bridge")
            try await home.expectNothingChanged {
                expect(try await signer.token(LooseToken(signer.app)), 400, "invalid_client")
            }
        }
    }
}
