// A token that was tampered with, re-typed or signed by the wrong kind of key is refused before its claims are seen.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct JWTTests {
    private static let claims: JSON = ["sub": "x", "n": 1]
    private static let ed25519 = JWTSigningKey.ed25519(TestKeys.ed25519, keyID: "ed")
    private static let rsa = JWTSigningKey.rsa(TestKeys.rsa, keyID: "rsa")
    private static let p256 = JWTSigningKey.p256(TestKeys.p256, keyID: "p256")

    /// A token with any header and any claims' bytes, properly signed by the Ed25519 key.
    private static func forged(header: String, claims: String = #"{"sub":"x"}"#) throws -> String {
        let input = encoded(header) + "." + encoded(claims)
        return input + "." + Base64.encode(try TestKeys.ed25519.sign(Array(input.utf8)), as: .url)
    }

    private static func encoded(_ text: String) -> String { Base64.encode(Array(text.utf8), as: .url) }

    @Test("what is signed verifies under its own key only")
    func roundTrip() throws {
        for (mine, other) in [(Self.ed25519, Self.rsa), (Self.rsa, Self.p256), (Self.p256, Self.ed25519)] {
            let token = try JWT.sign(Self.claims, type: "at+jwt", key: mine)
            #expect(try JWT.verify(token, key: mine.verificationKey, type: "at+jwt") == Self.claims)
            #expect(throws: JWTFault.wrongAlgorithm) {
                try JWT.verify(token, key: other.verificationKey, type: "at+jwt")
            }
            let keys = [Self.rsa, Self.p256, Self.ed25519].map(\.verificationKey)
            #expect(try JWT.verify(token, keys: keys, type: "at+jwt") == Self.claims)
            #expect(throws: JWTFault.unknownKey) {
                try JWT.verify(token, keys: [other.verificationKey], type: "at+jwt")
            }
        }
        for (mine, stranger) in [
            (Self.rsa, JWTVerificationKey.rsa(TestKeys.otherRSA.publicKey, keyID: "rsa")),
            (Self.p256, .p256(TestKeys.otherP256.publicKey, keyID: "p256")),
        ] {
            let token = try JWT.sign(Self.claims, type: "at+jwt", key: mine)
            #expect(throws: JWTFault.badSignature) { try JWT.verify(token, key: stranger, type: "at+jwt") }
        }
    }

    @Test("an RSA key below 2048 bits verifies nothing, though its signature is right")
    func shortKey() throws {
        let key = try RSAPrivateKey(pem: Secret(text: TestKeys.shortRSA))
        let token = try JWT.sign(Self.claims, type: "at+jwt", key: .rsa(key, keyID: nil))
        #expect(throws: JWTFault.badSignature) {
            try JWT.verify(token, key: .rsa(key.publicKey, keyID: nil), type: "at+jwt")
        }
        let parts = token.split(separator: ".")
        let signature = try #require(Base64.decode(parts[2].utf8, as: .url))
        let input = Array(parts[0].utf8) + [UInt8(ascii: ".")] + Array(parts[1].utf8)
        #expect(key.publicKey.isValid(signature, for: input, hash: .sha256))
    }

    @Test("the ES256 token of RFC 7515 is valid, and not with its signature as DER")
    func publishedES256() throws {
        let jwk: JSON = [
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ]
        let key = try #require(try JWKSet.key(jwk))
        let input = """
            eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
            cGxlLmNvbS9pc19yb290Ijp0cnVlfQ
            """
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let claims = try JWT.verify(input + "." + signature, key: key, type: nil)
        #expect(claims["iss"] == "joe")
        let bytes = try #require(Base64.decode(signature.utf8, as: .url))
        let der = [0x30, 0x45, 0x02, 0x20] + bytes[..<32] + [0x02, 0x21, 0x00] + bytes[32...]
        #expect(throws: JWTFault.badSignature) {
            try JWT.verify(input + "." + Base64.encode(der, as: .url), key: key, type: nil)
        }
        #expect(throws: JWTFault.wrongAlgorithm) {
            try JWT.verify(input + "." + signature, key: Self.rsa.verificationKey, type: nil)
        }
    }

    @Test("alg none is refused with and without signature", arguments: ["none", "None", "NONE", ""])
    func none(_ algorithm: String) throws {
        let token = try Self.forged(header: #"{"typ":"at+jwt","alg":"\#(algorithm)"}"#)
        let key = Self.ed25519.verificationKey
        #expect(throws: JWTFault.wrongAlgorithm) { try JWT.verify(token, key: key, type: "at+jwt") }
        let bare = token.split(separator: ".").prefix(2).joined(separator: ".") + "."
        #expect(throws: JWTFault.wrongAlgorithm) { try JWT.verify(bare, key: key, type: "at+jwt") }
    }

    @Test("HS256 keyed with the public key is refused")
    func publicKeyAsSecret() throws {
        let input = Self.encoded(#"{"typ":"at+jwt","alg":"HS256"}"#) + "." + Self.encoded("{}")
        for (secret, key) in [
            (TestKeys.ed25519.publicKey.rawBytes, Self.ed25519.verificationKey),
            (TestKeys.rsa.publicKey.modulus, Self.rsa.verificationKey),
            (TestKeys.p256.publicKey.x + TestKeys.p256.publicKey.y, Self.p256.verificationKey),
        ] {
            let code = HMAC.code(Array(input.utf8), key: Secret(secret), hash: .sha256)
            let token = input + "." + Base64.encode(code, as: .url)
            #expect(throws: JWTFault.wrongAlgorithm) { try JWT.verify(token, key: key, type: "at+jwt") }
        }
    }

    @Test("a token of another type is refused", arguments: ["JWT", "dpop+jwt", "at+jwt ", "text/at+jwt"])
    func swappedType(_ type: String) throws {
        let token = try JWT.sign(Self.claims, type: type, key: Self.ed25519)
        #expect(throws: JWTFault.wrongType) {
            try JWT.verify(token, key: Self.ed25519.verificationKey, type: "at+jwt")
        }
    }

    @Test("a type is the same in any case and as a whole media type", arguments: ["AT+JWT", "application/at+jwt"])
    func typeSpelling(_ type: String) throws {
        let token = try JWT.sign(Self.claims, type: type, key: Self.ed25519)
        #expect(throws: Never.self) { try JWT.verify(token, key: Self.ed25519.verificationKey, type: "at+jwt") }
    }

    @Test("a type may be missing only where none is expected")
    func missingType() throws {
        let token = try Self.forged(header: #"{"alg":"EdDSA"}"#)
        let key = Self.ed25519.verificationKey
        #expect(throws: JWTFault.wrongType) { try JWT.verify(token, key: key, type: "at+jwt") }
        #expect(throws: Never.self) { try JWT.verify(token, key: key, type: nil) }
        let newName = try Self.forged(header: #"{"alg":"Ed25519"}"#)
        #expect(throws: Never.self) { try JWT.verify(newName, key: key, type: nil) }
    }

    @Test("a header member nobody allowed is refused", arguments: ["crit", "jwk", "jku", "x5u", "b64", "zip"])
    func headers(_ name: String) throws {
        let token = try JWT.sign(
            Self.claims, type: "at+jwt", key: Self.ed25519, header: [JSON.Member(name, ["x"])])
        let key = Self.ed25519.verificationKey
        #expect(throws: JWTFault.headerNotAllowed(name)) { try JWT.verify(token, key: key, type: "at+jwt") }
        #expect(throws: Never.self) {
            try JWT.verify(token, key: key, type: "at+jwt", allowedHeaders: ["alg", "typ", "kid", name])
        }
    }

    @Test("a signed token with two readings is refused")
    func ambiguous() throws {
        let header = #"{"typ":"at+jwt","alg":"EdDSA"}"#
        let key = Self.ed25519.verificationKey
        #expect(throws: Never.self) { try JWT.verify(Self.forged(header: header), key: key, type: "at+jwt") }
        for (header, claims) in [
            (#"{"typ":"at+jwt","alg":"none","alg":"EdDSA"}"#, "{}"), (header, #"{"sub":"a","sub":"b"}"#),
            (header, "{}x"), (header, "[]"), (header, "7"), ("[]", "{}"), (header, ""), ("", "{}"),
        ] {
            let token = try Self.forged(header: header, claims: claims)
            #expect(throws: JWTFault.malformed, "\(header) \(claims)") {
                try JWT.verify(token, key: key, type: "at+jwt")
            }
        }
    }

    @Test("padding, trailing bits and other spellings are refused")
    func spelling() throws {
        let key = Self.ed25519.verificationKey
        let token = try JWT.sign(Self.claims, type: "at+jwt", key: Self.ed25519)
        let parts = token.split(separator: ".").map(String.init)
        // 64 bytes end in two significant bits; the four after them must be zero.
        let last = try #require(parts[2].last)
        let shifted = try #require(["A": "B", "Q": "R", "g": "h", "w": "x"][last])
        let spellings = [
            token + "=", token + "==", parts[0] + "=." + parts[1] + "." + parts[2],
            String(token.dropLast()) + String(shifted), token + ".", "." + token, token + "\n", " " + token,
            parts[0] + "." + parts[1], parts[0] + ".." + parts[1] + "." + parts[2],
            parts[0] + "." + parts[1] + "." + parts[2] + "." + parts[2], "", "..", "a.b.c",
        ]
        for spelling in spellings {
            #expect(throws: JWTFault.malformed, "\(spelling)") { try JWT.verify(spelling, key: key, type: "at+jwt") }
        }
    }

    @Test("a changed byte anywhere is noticed")
    func tampering() throws {
        let key = Self.ed25519.verificationKey
        let token = try JWT.sign(Self.claims, type: "at+jwt", key: Self.ed25519)
        for index in token.utf8.indices.dropLast() {
            var bytes = Array(token.utf8)
            let offset = token.utf8.distance(from: token.utf8.startIndex, to: index)
            bytes[offset] = bytes[offset] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let changed = String(decoding: bytes, as: UTF8.self)
            #expect(throws: JWTFault.self, "byte \(offset)") { try JWT.verify(changed, key: key, type: "at+jwt") }
        }
    }

    @Test("a token too large to be one is not looked at")
    func large() {
        #expect(throws: JWTFault.tooLarge) {
            try JWT.verify(String(repeating: "a", count: 8193), key: Self.ed25519.verificationKey, type: nil)
        }
    }

    @Test("two keys of one id decide nothing")
    func doubleKey() throws {
        let token = try JWT.sign(Self.claims, type: "at+jwt", key: Self.ed25519)
        let key = Self.ed25519.verificationKey
        #expect(throws: JWTFault.unknownKey) { try JWT.verify(token, keys: [key, key], type: "at+jwt") }
        #expect(throws: JWTFault.unknownKey) { try JWT.verify(token, keys: [], type: "at+jwt") }
    }
}
