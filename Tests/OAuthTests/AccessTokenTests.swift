// What an issuer signs is good for whom and when it says, and its key set tells others so.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct AccessTokenTests {
    private static let key = JWTSigningKey.ed25519(TestKeys.ed25519, keyID: "1")
    private static let claims = AccessTokenClaims(
        issuer: "https://hub.local", subject: "owner", audience: ["https://hub.local/v1"], clientID: "app",
        issuedAt: 1000, expiresAt: 1600, tokenID: "j", scope: ["lock.unlock@front-door", "b"])

    private static func verify(
        _ token: String, issuer: String = "https://hub.local", audience: String = "https://hub.local/v1",
        now: Int = 1300
    ) throws(JWTFault) -> AccessTokenClaims {
        try .verify(
            token, keys: [key.verificationKey], issuer: issuer, audience: audience, now: now, leeway: 30)
    }

    @Test("an access token says what was put into it")
    func roundTrip() throws {
        #expect(try Self.verify(Self.claims.sign(with: Self.key)) == Self.claims)
    }

    @Test("an access token is good for its issuer, its audience and its time only")
    func bounds() throws {
        let token = try Self.claims.sign(with: Self.key)
        #expect(throws: JWTFault.claim("iss")) { try Self.verify(token, issuer: "https://hub.local/") }
        #expect(throws: JWTFault.claim("aud")) { try Self.verify(token, audience: "https://hub.local") }
        #expect(throws: JWTFault.notYetValid) { try Self.verify(token, now: 969) }
        #expect(throws: Never.self) { try Self.verify(token, now: 970) }
        #expect(throws: Never.self) { try Self.verify(token, now: 1629) }
        #expect(throws: JWTFault.expired) { try Self.verify(token, now: 1630) }
    }

    @Test("a token bound to a key says so, and no other confirmation is taken for it")
    func confirmation() throws {
        #expect(try Self.verify(Self.claims.sign(with: Self.key)).confirmation == nil)
        let thumbprint = JWTSigningKey.p256(TestKeys.p256, keyID: nil).verificationKey.thumbprint
        let bound = AccessTokenClaims(
            issuer: "https://hub.local", subject: "owner", audience: ["https://hub.local/v1"], clientID: "app",
            issuedAt: 1000, expiresAt: 1600, tokenID: "j", scope: [], confirmation: thumbprint)
        let read = try Self.verify(bound.sign(with: Self.key))
        #expect(read == bound)
        #expect(read.confirmation == thumbprint)
        #expect(bound.json["cnf"] == ["jkt": .string(thumbprint)])
        let members = try #require(Self.claims.json.members)
        for bad in [
            .null, [], [:], true, .string(thumbprint), ["jkt": .null], ["jkt": 7], ["jkt": ""], ["jkt": "AA"],
            ["jkt": .string(thumbprint + "=")], ["jkt": .string(thumbprint + "A")], ["x5t#S256": .string(thumbprint)],
            ["jkt": .string(thumbprint), "x5t#S256": "AA"],
        ] as [JSON] {
            let token = try JWT.sign(.object(members + [JSON.Member("cnf", bad)]), type: "at+jwt", key: Self.key)
            #expect(throws: JWTFault.claim("cnf"), "\(bad)") { try Self.verify(token) }
        }
    }

    @Test("another token of the same key is no access token")
    func otherType() throws {
        let token = try JWT.sign(Self.claims.json, type: "JWT", key: Self.key)
        #expect(throws: JWTFault.wrongType) { try Self.verify(token) }
    }

    @Test(
        "a claim that is missing or of the wrong kind is refused",
        arguments: ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"])
    func missing(_ name: String) throws {
        let members = try #require(Self.claims.json.members)
        for bad in [nil, JSON.null, [], "", true, .decimal(1e300)] as [JSON?] {
            let changed = members.compactMap { $0.name == name ? bad.map { JSON.Member(name, $0) } : $0 }
            let token = try JWT.sign(.object(changed), type: "at+jwt", key: Self.key)
            #expect(throws: JWTFault.claim(name), "\(String(describing: bad))") { try Self.verify(token) }
        }
    }

    @Test("times may have fractions, and nbf counts when it is there")
    func times() throws {
        var members = try #require(Self.claims.json.members).filter { $0.name != "exp" }
        members.append(JSON.Member("exp", .decimal(1600.5)))
        let fraction = try JWT.sign(.object(members), type: "at+jwt", key: Self.key)
        #expect(try Self.verify(fraction).expiresAt == 1600)
        let later = try JWT.sign(
            .object(members + [JSON.Member("nbf", 1331)]), type: "at+jwt", key: Self.key)
        #expect(throws: JWTFault.notYetValid) { try Self.verify(later) }
    }
}

@Suite struct JWKSetTests {
    @Test("a key set is read as it was written")
    func roundTrip() throws {
        let keys = [
            JWTSigningKey.rsa(TestKeys.rsa, keyID: "r").verificationKey,
            JWTSigningKey.p256(TestKeys.p256, keyID: "p").verificationKey,
            JWTSigningKey.ed25519(TestKeys.ed25519, keyID: "e").verificationKey,
        ]
        let read = try JWKSet(parsing: JWKSet(keys: keys).json.bytes)
        #expect(read.keys.map(\.keyID) == ["r", "p", "e"])
        #expect(read.keys.map(\.thumbprint) == keys.map(\.thumbprint))
        for key in [JWTSigningKey.rsa(TestKeys.rsa, keyID: "r"), .p256(TestKeys.p256, keyID: "p")] {
            let token = try JWT.sign(["a": 1], type: "at+jwt", key: key)
            #expect(try JWT.verify(token, keys: read.keys, type: "at+jwt") == ["a": 1])
        }
        for jwk in JWKSet(keys: keys).json["keys"]?.array ?? [] {
            #expect(try DPoP.thumbprint(jwk) == keys.first { $0.keyID == jwk["kid"]?.string }?.thumbprint)
        }
    }

    @Test("keys for other purposes are skipped")
    func skipped() throws {
        let x = Base64.encode(TestKeys.ed25519.publicKey.rawBytes, as: .url)
        let text = #"""
            {"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA"},{"kty":"OKP","crv":"X25519","x":"AA"},
            {"kty":"OKP","crv":"Ed25519","x":"\#(x)","use":"enc"},{"kty":"OKP","crv":"Ed25519","x":"\#(x)","alg":"RS256"},
            {"kty":"new"},{"kty":"OKP","crv":"Ed25519","x":"\#(x)","kid":"good"}]}
            """#
        #expect(try JWKSet(parsing: Array(text.utf8)).keys.map(\.keyID) == ["good"])
    }

    @Test(
        "private, secret or damaged keys spoil the set",
        arguments: [
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}]}"#, #"{"keys":[{"kty":"oct","k":"AA"}]}"#,
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#, #"{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","d":"AA"}]}"#,
            #"{"keys":[{"kty":"RSA","n":"A+","e":"AQAB"}]}"#, #"{"keys":{}}"#, "{}", "<html>",
        ])
    func spoiled(_ text: String) {
        #expect(throws: OAuthError.self) { try JWKSet(parsing: Array(text.utf8)) }
    }
}
