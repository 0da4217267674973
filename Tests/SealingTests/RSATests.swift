// RSASSA-PKCS1-v1_5 has one signature per key, hash and message, so ours must equal those other programs made.

import Sealing
import Testing

@Suite struct RSATests {
    private static let signatures: [(HashFunction, [UInt8])] = [
        (.sha1, RSAFixtures.sha1), (.sha256, RSAFixtures.sha256), (.sha512, RSAFixtures.sha512),
    ]

    @Test("a signature is byte for byte what another implementation makes, and is valid", arguments: signatures)
    func counterpart(hash: HashFunction, signature: [UInt8]) throws {
        let key = try RSAPrivateKey(pem: Secret(text: RSAFixtures.pkcs8))
        #expect(try key.sign(RSAFixtures.message, hash: hash) == signature)
        for verifier in [
            try RSAPublicKey(pem: RSAFixtures.publicKey), key.publicKey,
            try RSAPublicKey(modulus: RSAFixtures.modulus, exponent: [1, 0, 1]),
        ] {
            #expect(verifier.isValid(signature, for: RSAFixtures.message, hash: hash))
            #expect(verifier.modulus == RSAFixtures.modulus)
            #expect(verifier.exponent == [1, 0, 1])
        }
    }

    @Test("what was signed with one hash is not valid with another", arguments: signatures)
    func otherHash(hash: HashFunction, signature: [UInt8]) throws {
        let key = try RSAPublicKey(pem: RSAFixtures.publicKey)
        for other in HashFunction.allCases where other != hash {
            #expect(!key.isValid(signature, for: RSAFixtures.message, hash: other))
        }
    }

    @Test("a changed message or signature is not valid")
    func tampering() throws {
        let key = try RSAPublicKey(pem: RSAFixtures.publicKey)
        let signature = RSAFixtures.sha256
        #expect(!key.isValid(signature, for: RSAFixtures.message + [0], hash: .sha256))
        #expect(!key.isValid(signature, for: [], hash: .sha256))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.isValid(changed, for: RSAFixtures.message, hash: .sha256), "byte \(index)")
        }
        for other in [
            [], Array(signature.dropLast()), signature + [0], [0] + signature, .init(repeating: 0, count: 256),
        ] {
            #expect(!key.isValid(other, for: RSAFixtures.message, hash: .sha256), "\(other.count) bytes")
        }
    }

    @Test("the openssl command verifies what a new key signed", arguments: [HashFunction.sha1, .sha256, .sha512])
    func opensslVerifies(hash: HashFunction) async throws {
        let key = try RSAPrivateKey(bits: 2048)
        #expect(key.publicKey.modulus.count == 256)
        try await OpenSSLCommand.inFolder { openssl in
            try openssl.write(key.derBytes().revealBytes(), to: "key.der")
            try openssl.write(RSAFixtures.message, to: "message")
            try openssl.write(key.sign(RSAFixtures.message, hash: hash), to: "signature")
            let export = try await openssl.run("rsa", "-inform", "DER", "-in", "key.der", "-pubout", "-out", "key.pem")
            #expect(export.status == 0, "\(export.output)")
            let outcome = try await openssl.run(
                "dgst", "-\(hash.rawValue.lowercased())", "-verify", "key.pem", "-signature", "signature", "message")
            #expect(outcome.status == 0 && outcome.output.contains("Verified OK"), "\(outcome.output)")
            let published = try RSAPublicKey(pem: String(decoding: openssl.read("key.pem"), as: UTF8.self))
            #expect(published.modulus == key.publicKey.modulus)
        }
    }

    @Test("PKCS#1, PKCS#8 and DER spell the same key")
    func spellings() throws {
        let eight = try RSAPrivateKey(pem: Secret(text: RSAFixtures.pkcs8))
        let one = try RSAPrivateKey(pem: Secret(text: RSAFixtures.pkcs1))
        let der = try RSAPrivateKey(der: eight.derBytes())
        for key in [eight, one, der] {
            #expect(key.publicKey.modulus == RSAFixtures.modulus)
            #expect(try key.sign(RSAFixtures.message, hash: .sha256) == RSAFixtures.sha256)
        }
    }

    @Test("one key signs from many tasks at once")
    func manyTasks() async throws {
        let key = try RSAPrivateKey(pem: Secret(text: RSAFixtures.pkcs8))
        let equal = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask { try key.sign(RSAFixtures.message, hash: .sha256) == RSAFixtures.sha256 }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(equal == 64)
    }

    @Test("no key is made below 2048 or above 4096 bits", arguments: [-1, 0, 512, 1024, 2047, 4097, 16384])
    func sizes(bits: Int) {
        #expect(throws: SealingError.badParameter("RSA key of \(bits) bits")) { try RSAPrivateKey(bits: bits) }
    }
}
