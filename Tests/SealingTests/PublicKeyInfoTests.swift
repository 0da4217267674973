// Keys are those the `openssl` command writes; what is more than one public key, or another kind of key, is refused.

import Sealing
import Testing

@Suite struct PublicKeyInfoTests {
    private static func parse(_ text: String) throws -> PublicKeyInfo { try .parse(pem: Array(text.utf8)) }

    private static func pem(_ der: [UInt8]) -> String {
        "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(der, as: .standard))\n-----END PUBLIC KEY-----\n"
    }

    @Test("an RSA key is read")
    func rsa() throws {
        guard case .rsa(let key) = try Self.parse(RSAFixtures.publicKey) else {
            Issue.record("not an RSA key")
            return
        }
        #expect(key.modulus == RSAFixtures.modulus)
        #expect(key.bits == 2048)
    }

    @Test("an Ed25519 key is read, unless everybody could sign with it")
    func ed25519() throws {
        let prefix = bytes("302a300506032b6570032100")
        let key = Ed25519PrivateKey().publicKey
        guard case .ed25519(let read) = try Self.parse(Self.pem(prefix + key.rawBytes)) else {
            Issue.record("not an Ed25519 key")
            return
        }
        #expect(read == key)
        #expect(throws: SealingError.badKey("a point of small order, which verifies anything")) {
            try Self.parse(Self.pem(prefix + [1] + .init(repeating: 0, count: 31)))
        }
    }

    @Test("copying may indent a key, change its line ends and add empty lines around it")
    func copied() throws {
        let lines = RefusedKeys.ellipticCurvePublic.split(separator: "\n")
        for text in [
            lines.joined(separator: "\r\n") + "\r\n", "\n\n" + lines.map { "  \($0) " }.joined(separator: "\n") + "\n ",
        ] {
            guard case .p256 = try Self.parse(text) else {
                Issue.record("not a P-256 key")
                return
            }
        }
    }

    @Test(
        "what is not exactly one public key is refused",
        arguments: [
            "", " ", "x", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", RSAFixtures.pkcs8, RSAFixtures.pkcs1,
            RefusedKeys.encrypted, RSAFixtures.publicKey + "\n" + RefusedKeys.ellipticCurvePublic,
            RSAFixtures.publicKey + "\n" + RSAFixtures.pkcs8, "key of the hub\n" + RSAFixtures.publicKey,
            RSAFixtures.publicKey + "\nend", String(RSAFixtures.publicKey.dropFirst()),
        ])
    func refused(_ text: String) {
        #expect(throws: SealingError.badEncoding("PEM public key")) { try Self.parse(text) }
    }

    @Test("a key too short to be safe, or bound to another padding, is refused")
    func weak() {
        #expect(throws: SealingError.badKey("RSA modulus of 512 bits")) { try Self.parse(RefusedKeys.shortPublic) }
        #expect(throws: SealingError.badKey("neither RSA nor P-256 nor Ed25519")) {
            try Self.parse(RefusedKeys.pssPublic)
        }
    }

    @Test(
        "a key of another algorithm, of another curve or a bit too short is refused",
        arguments: [
            ("RSA", "rsa_keygen_bits:1024", "RSA modulus of 1024 bits"),
            ("RSA", "rsa_keygen_bits:2047", "RSA modulus of 2047 bits"),
            ("EC", "ec_paramgen_curve:P-384", "not a P-256 key"),
            ("EC", "ec_paramgen_curve:secp256k1", "not a P-256 key"),
            ("X25519", nil, "neither RSA nor P-256 nor Ed25519"), ("ED448", nil, "neither RSA nor P-256 nor Ed25519"),
        ])
    func otherKeys(algorithm: String, option: String?, refusal: String) async throws {
        try await OpenSSLCommand.inFolder { openssl in
            let made =
                if let option {
                    try await openssl.run("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", "key")
                } else {
                    try await openssl.run("genpkey", "-algorithm", algorithm, "-out", "key")
                }
            #expect(made.status == 0, "\(made.output)")
            let export = try await openssl.run("pkey", "-in", "key", "-pubout", "-out", "public")
            #expect(export.status == 0, "\(export.output)")
            let pem = try openssl.read("public")
            #expect(throws: SealingError.badKey(refusal)) { try PublicKeyInfo.parse(pem: pem) }
        }
    }

    @Test("curve parameters written out are either those of P-256 or refused")
    func explicitCurve() async throws {
        try await OpenSSLCommand.inFolder { openssl in
            let made = try await openssl.run(
                "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                "ec_param_enc:explicit", "-out", "key")
            #expect(made.status == 0, "\(made.output)")
            _ = try await openssl.run("pkey", "-in", "key", "-pubout", "-out", "public")
            _ = try await openssl.run("pkey", "-in", "key", "-outform", "DER", "-out", "key.der")
            let own = try P256PrivateKey(der: Secret(openssl.read("key.der")))
            guard case .p256(let key) = try PublicKeyInfo.parse(pem: openssl.read("public")) else {
                Issue.record("not a P-256 key")
                return
            }
            #expect(key == own.publicKey)
            // Another generator makes another curve, under which the attacker knows everybody's private key.
            let der = try #require(
                Base64.decode(
                    String(decoding: openssl.read("public"), as: UTF8.self).split(separator: "\n").dropFirst()
                        .dropLast().joined().utf8, as: .standard))
            let generator = bytes("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
            let at = try #require(der.indices.first { der[$0...].starts(with: generator) })
            let replaced = der[..<at] + key.x + key.y + der[(at + 64)...]
            #expect(throws: SealingError.self) { try Self.parse(Self.pem(Array(replaced))) }
        }
    }
}
