// Derived keys are those of RFC 5869 and RFC 7914; PBKDF2-SHA-512 is what Python's `hashlib` computes.

import Sealing
import Testing

@Suite struct KeyDerivationTests {
    struct Expansion: Sendable {
        let hash: HashFunction
        let key: [UInt8]
        let salt: [UInt8]
        let info: [UInt8]
        let out: String
    }

    @Test(
        "HKDF gives the keys of RFC 5869, appendix A, cases 1 to 4",
        arguments: [
            Expansion(
                hash: .sha256, key: .init(repeating: 0x0B, count: 22), salt: Array(0...12), info: Array(0xF0...0xF9),
                out: """
                    3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf
                    34007208d5b887185865
                    """),
            Expansion(
                hash: .sha256, key: Array(0...0x4F), salt: Array(0x60...0xAF), info: Array(0xB0...0xFF),
                out: """
                    b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
                    59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
                    cc30c58179ec3e87c14c01d5c1f3434f1d87
                    """),
            Expansion(
                hash: .sha256, key: .init(repeating: 0x0B, count: 22), salt: [], info: [],
                out: """
                    8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d
                    9d201395faa4b61a96c8
                    """),
            Expansion(
                hash: .sha1, key: .init(repeating: 0x0B, count: 11), salt: Array(0...12), info: Array(0xF0...0xF9),
                out: """
                    085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2
                    c22e422478d305f3f896
                    """),
        ])
    func hkdf(_ vector: Expansion) throws {
        let expected = bytes(vector.out)
        let out = try HKDF.derive(
            from: Secret(vector.key), salt: vector.salt, info: vector.info, count: expected.count, hash: vector.hash)
        #expect(out.revealBytes() == expected)
    }

    @Test("HKDF keys of two purposes differ, and a shorter one is the start of a longer one")
    func purposes() throws {
        let key = Secret.random(count: 32)
        let one = try HKDF.derive(from: key, info: "one")
        #expect(one.count == 32)
        #expect(!one.matches(try HKDF.derive(from: key, info: "two")))
        #expect(!one.matches(try HKDF.derive(from: key, salt: [1], info: "one")))
        let most = try HKDF.derive(from: key, info: "one", count: 255 * 32)
        #expect(Array(most.revealBytes().prefix(32)) == one.revealBytes())
    }

    @Test("HKDF gives no more than 255 digests and no empty key", arguments: [255 * 32 + 1, 0, -1])
    func hkdfLimits(count: Int) {
        #expect(throws: SealingError.badParameter("HKDF output of \(count) bytes")) {
            try HKDF.derive(from: .random(count: 32), info: "x", count: count)
        }
    }

    @Test(
        "scrypt gives the keys of RFC 7914 §12",
        arguments: [
            (
                "", "", Scrypt(n: 16, r: 1, p: 1),
                """
                77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442
                fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906
                """
            ),
            (
                "password", "NaCl", Scrypt(n: 1024, r: 8, p: 16),
                """
                fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
                2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
                """
            ),
            (
                "pleaseletmein", "SodiumChloride", Scrypt(n: 16384, r: 8, p: 1),
                """
                7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2
                d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887
                """
            ),
        ])
    func scrypt(password: String, salt: String, cost: Scrypt, expected: String) throws {
        let out = try cost.derive(from: Secret(text: password), salt: Array(salt.utf8), count: 64)
        #expect(out.revealBytes() == bytes(expected))
    }

    @Test("the standard cost of scrypt is one the check allows")
    func standardCost() throws {
        #expect(try Scrypt.standard.derive(from: Secret(text: "a"), salt: [1]).count == 32)
    }

    @Test(
        "a scrypt cost out of a damaged record is refused instead of filling memory",
        arguments: [
            Scrypt(n: 0, r: 8, p: 1), Scrypt(n: 1, r: 8, p: 1), Scrypt(n: 3, r: 8, p: 1),
            Scrypt(n: 1 << 20, r: 8, p: 1),
            Scrypt(n: 1 << 63, r: 8, p: 1), Scrypt(n: .max, r: .max, p: .max), Scrypt(n: 1024, r: 0, p: 1),
            Scrypt(n: 1024, r: 65, p: 1), Scrypt(n: 1024, r: 8, p: 0), Scrypt(n: 1024, r: 8, p: 17),
        ])
    func scryptLimits(cost: Scrypt) {
        #expect(throws: SealingError.badParameter("scrypt N=\(cost.n) r=\(cost.r) p=\(cost.p)")) {
            try cost.derive(from: Secret(text: "a"), salt: [1])
        }
    }

    @Test("scrypt gives 1 to 1024 bytes", arguments: [-1, 0, 1025, .max])
    func scryptOutput(count: Int) {
        #expect(throws: SealingError.badParameter("scrypt output of \(count) bytes")) {
            try Scrypt(n: 16, r: 1, p: 1).derive(from: Secret(text: "a"), salt: [1], count: count)
        }
    }

    @Test(
        "PBKDF2 with SHA-512 gives the keys another implementation computes",
        arguments: [
            (
                "password", Array("salt".utf8), 1,
                """
                867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252
                c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce
                """
            ),
            (
                "password", Array("salt".utf8), 4096,
                """
                d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5
                143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5
                """
            ),
            (
                "correct horse", [UInt8](0...11), 101,
                """
                969d029b6f7397e088fd15f25c32af2f27bb3b13373ae13a44cce05d35ff7f78
                a64bfa4587652bef26ab2c3a4a4542a9074b4e8fa97452b46fe35ceac660f8b6
                """
            ),
            (
                "passwordPASSWORDpassword", Array("saltSALTsaltSALTsaltSALTsaltSALTsalt".utf8), 4096,
                "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71115b59f9e60cd953"
            ),
            ("", [], 3, "ba78a2c18fe1f3cfffaba0f93ccf85fc342edf2c"),
        ])
    func pbkdf2(password: String, salt: [UInt8], iterations: Int, expected: String) throws {
        let expected = bytes(expected)
        let out = try PBKDF2.sha512(
            password: Secret(text: password), salt: salt, iterations: iterations, count: expected.count)
        #expect(out == expected)
    }

    @Test(
        "PBKDF2 refuses numbers out of a damaged file",
        arguments: [(0, 64), (-1, 64), (.max, 64), (1 << 31, 64), (1, 0), (1, -1), (1, 1 << 31)])
    func pbkdf2Limits(iterations: Int, count: Int) {
        #expect(throws: SealingError.badParameter("PBKDF2 of \(iterations) iterations for \(count) bytes")) {
            try PBKDF2.sha512(password: Secret(text: "a"), salt: [1], iterations: iterations, count: count)
        }
    }
}
