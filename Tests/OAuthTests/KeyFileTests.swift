// A client's key file is public in every form it may have, or it is refused by what it should never have contained.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct KeyFileTests {
    private static let p256 = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMOPWazQ8eKyNKQqADxfJPfPZ1Qdc
        lEU983oDwS2D81bqt6MuLSP0Rm7Q75QGGj0dpq5W3wTR6tSBoBNXoDJikQ==
        -----END PUBLIC KEY-----
        """

    private static func read(_ text: String) throws(OAuthError) -> [JWTVerificationKey] {
        try JWKSet(parsingKeyFile: Array(text.utf8)).keys
    }

    private static func pem(_ der: [UInt8], _ label: String = "PUBLIC KEY") -> String {
        "-----BEGIN \(label)-----\n\(Base64.encode(der, as: .standard))\n-----END \(label)-----\n"
    }

    private static let keys: [JWTVerificationKey] = [
        JWTSigningKey.rsa(TestKeys.rsa, keyID: "r").verificationKey,
        JWTSigningKey.p256(TestKeys.p256, keyID: "p").verificationKey,
        JWTSigningKey.ed25519(TestKeys.ed25519, keyID: "e").verificationKey,
    ]

    @Test("a key set is read whole, with its ids")
    func set() throws {
        let document = JWKSet(keys: Self.keys).json
        for text in [document.text, "\u{FEFF}" + document.text, " \n" + document.text + "\n"] {
            let read = try Self.read(text)
            #expect(read.map(\.keyID) == ["r", "p", "e"])
            #expect(read.map(\.thumbprint) == Self.keys.map(\.thumbprint))
        }
    }

    @Test("one key of any kind is read", arguments: keys)
    func single(_ key: JWTVerificationKey) throws {
        let read = try Self.read(key.jwk.text)
        #expect(read.map(\.keyID) == [key.keyID])
        #expect(read.map(\.thumbprint) == [key.thumbprint])
        #expect(read.map(\.algorithms) == [key.algorithms])
    }

    @Test("a PEM public key is read and verifies")
    func publicKey() throws {
        #expect(try Self.read(Self.p256).map(\.algorithms) == [["ES256"]])
        let prefix = try #require(Hex.decode("302a300506032b6570032100"))
        let read = try Self.read(Self.pem(prefix + TestKeys.ed25519.publicKey.rawBytes))
        #expect(read.map(\.thumbprint) == [Self.keys[2].thumbprint])
        let token = try JWT.sign(["a": 1], type: "JWT", key: .ed25519(TestKeys.ed25519, keyID: nil))
        #expect(try JWT.verify(token, keys: read, type: nil) == ["a": 1])
    }

    @Test("a private key is refused by name, in every form")
    func privateKeys() throws {
        let refusal = OAuthError.malformed("private key")
        let der = try TestKeys.p256.derBytes().revealBytes()
        for label in [
            "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY",
        ] {
            #expect(throws: refusal, "\(label)") { try Self.read(Self.pem(der, label)) }
            #expect(throws: refusal, "\(label)") { try Self.read(Self.p256 + "\n" + Self.pem(der, label)) }
        }
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for key in Self.keys {
                let jwk = JSON.object((key.jwk.members ?? []) + [JSON.Member(name, "AA")])
                #expect(throws: refusal, "\(name)") { try Self.read(jwk.text) }
                let set: JSON = ["keys": .array([Self.keys[1].jwk, jwk])]
                #expect(throws: refusal, "\(name)") { try Self.read(set.text) }
            }
        }
        #expect(throws: refusal) { try Self.read(#"{"kty":"oct","k":"AAAA"}"#) }
        #expect(refusal.description == #""private key" is malformed"#)
    }

    @Test("a file without a key that verifies is refused")
    func useless() {
        for text in [
            #"{"keys":[]}"#, "{}", #"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#, #"{"kty":"OKP","crv":"X25519"}"#,
            #"{"keys":[{"kty":"new"}]}"#, #"{"keys":["x",7]}"#,
        ] {
            #expect(throws: OAuthError.missing("public key"), "\(text)") { try Self.read(text) }
        }
        #expect(throws: OAuthError.malformed("keys")) { try Self.read(#"{"keys":{}}"#) }
        #expect(throws: OAuthError.malformed("x")) { try Self.read(#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#) }
        for text in ["", "x", "[]", "7", "<html>", "ssh-ed25519 AAAA hub", #"{"keys":[],"keys":[]}"#] {
            #expect(throws: OAuthError.malformedEncoding("JWK Set, JWK or PEM"), "\(text)") { try Self.read(text) }
        }
        for text in [Self.pem([0x30, 0]), Self.pem([0x30, 0], "CERTIFICATE"), Self.p256 + "\n" + Self.p256] {
            #expect(throws: OAuthError.malformed("public key"), "\(text)") { try Self.read(text) }
        }
        #expect(throws: OAuthError.tooLarge("key file", limit: 65536)) {
            try Self.read(String(repeating: " ", count: 65537))
        }
    }

    @Test("an RSA key below 2048 bits is refused, a bit below too")
    func short() {
        for count in [128, 255, 256] {
            let modulus = [UInt8(0x7F)] + [UInt8](repeating: 1, count: count - 1)
            let first: UInt8 = count == 256 ? 0x7F : 0xFF
            let number = Base64.encode([first] + modulus.dropFirst(), as: .url)
            #expect(throws: OAuthError.malformed("RSA key of fewer than 2048 bits"), "\(count) bytes") {
                try Self.read(#"{"kty":"RSA","e":"AQAB","n":"\#(number)"}"#)
            }
        }
    }
}
