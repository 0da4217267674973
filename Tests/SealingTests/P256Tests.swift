// Signatures go both ways between us and the `openssl` command, and nothing but a point of the curve becomes a key.

import Sealing
import Testing

@Suite struct P256Tests {
    private static let message = Array("POST https://hub.local/oauth2/token".utf8)
    /// The order of the group, FIPS 186-4 §D.1.2.3.
    private static let order = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")

    /// The key of RFC 7515, appendix A.3.1.
    private static func published() throws -> P256PublicKey {
        try P256PublicKey(
            x: #require(Base64.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", as: .url)),
            y: #require(Base64.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", as: .url)))
    }

    /// A DER INTEGER of 32 bytes.
    private static func integer(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let digits = Array(bytes.drop { $0 == 0 })
        let padded = digits.first.map { $0 > 0x7F } ?? true ? [0] + digits : digits
        return [2, UInt8(padded.count)] + padded
    }

    private static func der(_ signature: [UInt8]) -> [UInt8] {
        let body = integer(signature.prefix(32)) + integer(signature.dropFirst(32))
        return [0x30, UInt8(body.count)] + body
    }

    /// The 64 bytes of a DER signature made by the `openssl` command.
    private static func jose(_ der: [UInt8]) throws -> [UInt8] {
        var rest = der.dropFirst(2)
        var out: [UInt8] = []
        while rest.first == 2 {
            let count = Int(try #require(rest.dropFirst().first))
            let digits = Array(rest.dropFirst(2).prefix(count).drop { $0 == 0 })
            out += [UInt8](repeating: 0, count: 32 - digits.count) + digits
            rest = rest.dropFirst(2 + count)
        }
        return out
    }

    @Test("the published signature of RFC 7515 is valid, and not for another message")
    func publishedSignature() throws {
        let input = """
            eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
            cGxlLmNvbS9pc19yb290Ijp0cnVlfQ
            """
        let signature = try #require(
            Base64.decode(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", as: .url))
        let key = try Self.published()
        #expect(key.isValid(signature, for: Array(input.utf8)))
        #expect(!key.isValid(signature, for: Array(input.utf8) + [0]))
        #expect(try !P256PrivateKey().publicKey.isValid(signature, for: Array(input.utf8)))
    }

    @Test("the openssl command verifies what we sign, and we verify what it signs")
    func counterpart() async throws {
        let key = try P256PrivateKey()
        let signature = try key.sign(Self.message)
        try await OpenSSLCommand.inFolder { openssl in
            try openssl.write(key.derBytes().revealBytes(), to: "key.der")
            try openssl.write(Self.message, to: "message")
            try openssl.write(Self.der(signature), to: "signature")
            let export = try await openssl.run("ec", "-inform", "DER", "-in", "key.der", "-pubout", "-out", "key.pem")
            #expect(export.status == 0, "\(export.output)")
            let outcome = try await openssl.run(
                "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "message")
            #expect(outcome.status == 0 && outcome.output.contains("Verified OK"), "\(outcome.output)")
            let signing = try await openssl.run(
                "dgst", "-sha256", "-sign", "key.der", "-keyform", "DER", "-out", "theirs", "message")
            #expect(signing.status == 0, "\(signing.output)")
            let theirs = try Self.jose(openssl.read("theirs"))
            #expect(key.publicKey.isValid(theirs, for: Self.message))
            guard case .p256(let exported) = try PublicKeyInfo.parse(pem: openssl.read("key.pem")) else {
                Issue.record("not a P-256 key")
                return
            }
            #expect(exported == key.publicKey)
        }
    }

    @Test("a signature always has 64 bytes, and is valid however many zeros its numbers start with")
    func leadingZeros() throws {
        let key = try P256PrivateKey()
        var seen: Set<Int> = []
        // One number in 256 starts with a zero, so the loop ends long before its bound.
        for number in 0..<20000 where seen.count < 2 {
            let message = withUnsafeBytes(of: number) { Array($0) }
            let signature = try key.sign(message)
            try #require(signature.count == 64)
            try #require(key.publicKey.isValid(signature, for: message), "\(signature)")
            for start in [0, 32] where signature[start] == 0 { seen.insert(start) }
        }
        #expect(seen == [0, 32])
    }

    @Test("one changed bit anywhere in a signature makes it invalid")
    func tampering() throws {
        let key = try P256PrivateKey()
        let signature = try key.sign(Self.message)
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.publicKey.isValid(changed, for: Self.message), "byte \(index)")
        }
    }

    @Test("numbers outside 1 to the group's order, other lengths and DER are no signature")
    func impossible() throws {
        let key = try P256PrivateKey()
        let good = try key.sign(Self.message)
        let (r, s) = (Array(good.prefix(32)), Array(good.dropFirst(32)))
        let zero = [UInt8](repeating: 0, count: 32)
        let most = [UInt8](repeating: 0xFF, count: 32)
        for bad in [
            zero + zero, r + [0] + s, r + zero, zero + s, r + Self.order, Self.order + s, Self.order + Self.order,
            most + most,
            r + most, s + r, [], [0] + good, good + [0], Array(good.dropLast()), r, Self.der(good), good + good,
        ] {
            #expect(!key.publicKey.isValid(bad, for: Self.message), "\(bad)")
        }
        #expect(key.publicKey.isValid(good, for: Self.message))
    }

    @Test("a key is read as it was written, and as PKCS#8")
    func spellings() throws {
        let key = try P256PrivateKey()
        let copy = try P256PrivateKey(der: key.derBytes())
        #expect(copy.publicKey == key.publicKey)
        #expect(try key.publicKey.isValid(copy.sign(Self.message), for: Self.message))
        let pem = RefusedKeys.ellipticCurve.split(separator: "\n").dropFirst().dropLast().joined()
        let eight = try P256PrivateKey(der: Secret(#require(Base64.decode(pem.utf8, as: .standard))))
        guard case .p256(let half) = try PublicKeyInfo.parse(pem: Array(RefusedKeys.ellipticCurvePublic.utf8)) else {
            Issue.record("not a P-256 key")
            return
        }
        #expect(eight.publicKey == half)
        #expect(try P256PrivateKey().publicKey != key.publicKey)
    }

    @Test("DER that is damaged, of another algorithm or of two different halves is refused")
    func badDER() throws {
        let der = try P256PrivateKey().derBytes().revealBytes()
        let refusal = SealingError.badEncoding("DER private key")
        for bad in [[], Array(der.dropLast()), der + [0], [0x31] + der.dropFirst()] {
            #expect(throws: refusal, "\(bad.count) bytes") { try P256PrivateKey(der: Secret(bad)) }
        }
        let rsa = try RSAPrivateKey(pem: Secret(text: RSAFixtures.pkcs8)).derBytes()
        #expect(throws: SealingError.badKey("not a P-256 key")) { try P256PrivateKey(der: rsa) }
        // The public point stands at the end.
        let other = try P256PrivateKey().publicKey
        let mixed = Array(der.dropLast(64)) + other.x + other.y
        #expect(throws: SealingError.badKey("private and public half of the P-256 key differ")) {
            try P256PrivateKey(der: Secret(mixed))
        }
    }

    @Test("the thumbprint is that of RFC 7638 over the required members")
    func thumbprint() throws {
        let x = try #require(Base64.decode("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", as: .url))
        let y = try #require(Base64.decode("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA", as: .url))
        let thumbprint = try P256PublicKey(x: x, y: y).thumbprint
        #expect(Base64.encode(thumbprint, as: .url) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
    }

    @Test("a point has one spelling, and what is not on the curve is no key")
    func points() throws {
        let small = bytes("0000000000000000000000000000000000000000000000000000000000000005")
        let y = bytes("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc")
        #expect(try P256PublicKey(x: small, y: y).x == small)
        let zero = [UInt8](repeating: 0, count: 32)
        let refused: [([UInt8], [UInt8])] = [
            // The same point with the field's prime added to x.
            (bytes("ffffffff00000001000000000000000000000001000000000000000000000004"), y),
            (y, small), (small, small), (zero, zero), (small, zero), (small, Array(y.dropLast()) + [0xCD]),
            (.init(repeating: 0xFF, count: 32), y),
        ]
        for (x, y) in refused {
            #expect(throws: SealingError.badKey("not a point of P-256"), "\(Hex.encode(x))") {
                try P256PublicKey(x: x, y: y)
            }
        }
        for (x, y) in [(Array(small.dropFirst()), y), ([0] + small, y), (small, [0] + y), ([], []), (small, [])] {
            #expect(throws: SealingError.badKey("coordinates of P-256 have 32 bytes")) {
                try P256PublicKey(x: x, y: y)
            }
        }
    }

    @Test("a refusal leaves nothing behind that a later error would report")
    func cleanQueue() {
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(throws: SealingError.self) { try P256PublicKey(x: zero, y: zero) }
        #expect(throws: SealingError.badEncoding("DER private key")) { try P256PrivateKey(der: Secret([1])) }
        let error = #expect(throws: SealingError.self) { try RSAPublicKey(modulus: [], exponent: []) }
        #expect(error?.description == "key refused: RSA modulus of 0 bytes")
    }
}
