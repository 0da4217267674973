// One good assertion, and the same with one thing wrong, each properly signed by the client's key.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct ClientAssertionTests {
    private static let issuer = "https://hub.local"
    private static let now = 1_700_000_000
    private static let key = JWTSigningKey.p256(TestKeys.p256, keyID: "k")
    private static let refusal = OAuth2Refusal.invalidClient(usedHeader: false)

    private static func good(lifetime: Int = 60) throws -> ForgedToken {
        let text = try ClientAssertion.make(
            clientID: "app", audience: issuer, key: key, now: now, lifetime: lifetime)
        return try ForgedToken(text.revealText())
    }

    @discardableResult
    private static func verify(
        _ text: String, keys: [JWTVerificationKey] = [key.verificationKey], now: Int = now
    ) throws -> ClientAssertion.Verified {
        try ClientAssertion(parsing: text).verify(keys: keys, issuer: issuer, now: now)
    }

    private static func expect(_ fault: JWTFault, _ forged: ForgedToken, _ comment: Comment? = nil) throws {
        let text = try forged.signed(TestKeys.p256.sign)
        #expect(throws: fault, comment) { try verify(text) }
    }

    @Test(
        "an assertion by any supported key names the client and what to remember",
        arguments: [
            key, .rsa(TestKeys.rsa, keyID: nil), .ed25519(TestKeys.ed25519, keyID: "e"),
        ])
    func good(_ key: JWTSigningKey) throws {
        let text = try ClientAssertion.make(clientID: "app", audience: Self.issuer, key: key, now: Self.now)
        let assertion = try ClientAssertion(parsing: text.revealText())
        #expect(assertion.clientID == "app")
        let verified = try assertion.verify(keys: [key.verificationKey], issuer: Self.issuer, now: Self.now)
        #expect(verified.id.count == 24)
        let claims = JSON.object(try ForgedToken(text.revealText()).claims)
        #expect(claims["jti"]?.string == verified.id)
        #expect(claims["exp"] == 1_700_000_060)
        #expect(claims["aud"] == "https://hub.local")
        let another = try ClientAssertion.make(clientID: "app", audience: Self.issuer, key: key, now: Self.now)
        #expect(try Self.verify(another.revealText(), keys: [key.verificationKey]).id != verified.id)
    }

    @Test("an assertion is remembered as long as it would be taken again")
    func replay() throws {
        let text = try Self.good().signed(TestKeys.p256.sign)
        let first = try Self.verify(text)
        #expect(try Self.verify(text) == first)
        #expect(throws: Never.self) { try Self.verify(text, now: first.expiresAt - 1) }
        #expect(throws: JWTFault.expired) { try Self.verify(text, now: first.expiresAt) }
    }

    @Test("without one client in sub and iss nobody can be looked up")
    func subject() throws {
        for name in ["sub", "iss"] {
            for bad in [nil, .null, "", 7, ["app"], "other", "App", "app "] as [JSON?] {
                let text = try Self.good().claim(name, bad).signed(TestKeys.p256.sign)
                #expect(throws: Self.refusal, "\(name) \(String(describing: bad))") {
                    try ClientAssertion(parsing: text)
                }
            }
        }
        for text in ["", "x", "a.b.c", "e30.e30.", String(repeating: "a", count: 8193)] {
            #expect(throws: Self.refusal, "\(text.prefix(10))") { try ClientAssertion(parsing: text) }
        }
        #expect(throws: Never.self) { try ClientAssertion(parsing: Self.good().signed(TestKeys.p256.sign)) }
    }

    @Test(
        "another audience is refused, even next to ours",
        arguments: [
            nil, "", "https://hub.local/", "https://hub.local/oauth2/token", "HTTPS://hub.local",
            "https://other.example",
            ["https://hub.local", "https://other.example"], ["https://other.example"], [], 7, .null,
            ["https://hub.local", "https://hub.local"], [["https://hub.local"]], [7, "https://hub.local"],
        ] as [JSON?])
    func audience(_ audience: JSON?) throws {
        try Self.expect(.claim("aud"), Self.good().claim("aud", audience))
    }

    @Test("our issuer may stand alone in an array")
    func audienceArray() throws {
        let text = try Self.good().claim("aud", ["https://hub.local"]).signed(TestKeys.p256.sign)
        #expect(throws: Never.self) { try Self.verify(text) }
    }

    @Test("an expiry that is missing, past or far ahead is refused")
    func expiry() throws {
        for bad in [nil, .null, "1700000060", -1, .decimal(1e300), true] as [JSON?] {
            try Self.expect(.claim("exp"), Self.good().claim("exp", bad), "\(String(describing: bad))")
        }
        try Self.expect(.expired, Self.good(lifetime: -30))
        try Self.expect(.expired, Self.good(lifetime: -3600))
        try Self.expect(.claim("exp"), Self.good(lifetime: 631))
        try Self.expect(.claim("exp"), Self.good(lifetime: 365 * 86400))
        for lifetime in [-29, 600, 630] {
            let text = try Self.good(lifetime: lifetime).signed(TestKeys.p256.sign)
            #expect(throws: Never.self, "\(lifetime)") { try Self.verify(text) }
        }
        let fraction = try Self.good().claim("exp", .decimal(1_700_000_060.5)).signed(TestKeys.p256.sign)
        #expect(try Self.verify(fraction).expiresAt == 1_700_000_090)
    }

    @Test("nbf and iat count when they are there", arguments: ["nbf", "iat"])
    func notYet(_ name: String) throws {
        try Self.expect(.notYetValid, Self.good().claim(name, 1_700_000_031))
        try Self.expect(.claim(name), Self.good().claim(name, "now"))
        for value in [nil, 1_700_000_030, 0] as [JSON?] {
            let text = try Self.good().claim(name, value).signed(TestKeys.p256.sign)
            #expect(throws: Never.self) { try Self.verify(text) }
        }
    }

    @Test("an assertion's id has 1 to 256 bytes")
    func id() throws {
        for bad in [nil, .null, "", 7, ["x"], .string(String(repeating: "j", count: 257))] as [JSON?] {
            try Self.expect(.claim("jti"), Self.good().claim("jti", bad), "\(String(describing: bad))")
        }
        let longest = String(repeating: "j", count: 256)
        let text = try Self.good().claim("jti", .string(longest)).signed(TestKeys.p256.sign)
        #expect(try Self.verify(text).id == longest)
    }

    @Test(
        "the header's type is the new one, the old one or none",
        arguments: [
            nil, "JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt",
        ] as [JSON?])
    func types(_ type: JSON?) throws {
        let text = try Self.good().header("typ", type).signed(TestKeys.p256.sign)
        #expect(throws: Never.self) { try Self.verify(text) }
    }

    @Test("a token for something else is no assertion", arguments: ["at+jwt", "dpop+jwt", "", 7] as [JSON])
    func otherTypes(_ type: JSON) throws {
        try Self.expect(.wrongType, Self.good().header("typ", type))
    }

    @Test(
        "an algorithm that is not the key's is refused",
        arguments: ["none", "HS256", "RS256", "EdDSA", "ES512", "", nil] as [JSON?])
    func algorithm(_ algorithm: JSON?) throws {
        let forged = try Self.good().header("alg", algorithm)
        try Self.expect(.wrongAlgorithm, forged)
        #expect(throws: JWTFault.wrongAlgorithm) { try Self.verify(forged.signed { _ in [] }) }
        let publicKey = Secret(TestKeys.p256.publicKey.x + TestKeys.p256.publicKey.y)
        let keyed = forged.signed { HMAC.code($0, key: publicKey, hash: .sha256) }
        #expect(throws: JWTFault.wrongAlgorithm) { try Self.verify(keyed) }
    }

    @Test("another client's key does not sign for this one")
    func otherKey() throws {
        let text = try Self.good().signed(TestKeys.otherP256.sign)
        #expect(throws: JWTFault.badSignature) { try Self.verify(text) }
        let other = JWTVerificationKey.p256(TestKeys.otherP256.publicKey, keyID: "other")
        #expect(throws: JWTFault.unknownKey) { try Self.verify(text, keys: [other]) }
        #expect(throws: JWTFault.unknownKey) { try Self.verify(text, keys: []) }
    }

    @Test("a key is found by its id, and without ids by trying")
    func choosing() throws {
        let forged = try Self.good()
        let own = TestKeys.p256.publicKey
        let stranger = TestKeys.otherP256.publicKey
        let nameless: [JWTVerificationKey] = [
            .rsa(TestKeys.rsa.publicKey, keyID: nil), .p256(stranger, keyID: nil), .p256(own, keyID: nil),
        ]
        let named: [JWTVerificationKey] = [.p256(stranger, keyID: "old"), .p256(own, keyID: "k")]
        for keys in [nameless, named] {
            for text in try [
                forged.signed(TestKeys.p256.sign), forged.header("kid", nil).signed(TestKeys.p256.sign),
            ] {
                #expect(throws: Never.self) { try Self.verify(text, keys: keys) }
            }
        }
        let renamed = try forged.header("kid", "old").signed(TestKeys.p256.sign)
        #expect(throws: JWTFault.badSignature) { try Self.verify(renamed, keys: named) }
        let odd = try forged.header("kid", 7).signed(TestKeys.p256.sign)
        #expect(throws: JWTFault.malformed) { try Self.verify(odd, keys: nameless) }
    }

    @Test("what a header may demand is refused", arguments: ["crit", "jwk", "jku", "x5u", "b64"])
    func headers(_ name: String) throws {
        try Self.expect(.headerNotAllowed(name), Self.good().header(name, ["x"]))
    }

    @Test("a token request carries the statement as the server reads it")
    func inTokenRequest() throws {
        let assertion = try ClientAssertion.make(
            clientID: "app", audience: Self.issuer, key: Self.key, now: Self.now)
        let authentication = ClientAuthentication.assertion(clientID: "app", assertion: assertion)
        let message = TokenRequest(grant: .refreshToken(Secret(text: "r"))).message(authentication: authentication)
        #expect(message.authorization == nil)
        let received = try ReceivedTokenRequest.parse(
            method: "POST", contentType: TokenRequest.Message.contentType, body: message.body.revealBytes(),
            allowed: [.refreshToken])
        guard case .assertion(let read) = received.client else {
            Issue.record("not an assertion")
            return
        }
        #expect(read.clientID == "app")
        #expect(throws: Never.self) {
            try read.verify(keys: [Self.key.verificationKey], issuer: Self.issuer, now: Self.now)
        }
        #expect(message.body.revealText().contains("&client_id=app&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth"))
        #expect(!"\(authentication)".contains(assertion.revealText()))
    }
}
