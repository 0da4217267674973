// Signatures are those of RFC 8032 §7.1, and each signature has exactly one spelling.

import Sealing
import Testing

@Suite struct Ed25519Tests {
    struct Vector: Sendable {
        let seed: String
        let publicKey: String
        let message: [UInt8]
        let signature: String
    }

    @Test(
        "keys and signatures are the published ones",
        arguments: [
            Vector(
                seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: [],
                signature: """
                    e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
                    5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
                    """),
            Vector(
                seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: [0x72],
                signature: """
                    92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
                    085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
                    """),
            Vector(
                seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: [0xAF, 0x82],
                signature: """
                    6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
                    18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
                    """),
            Vector(
                seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
                publicKey: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                message: HashFunction.sha512.digest("abc".utf8),
                signature: """
                    dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589
                    09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704
                    """),
        ])
    func published(_ vector: Vector) throws {
        let key = try Ed25519PrivateKey(seed: secret(vector.seed))
        let signature = bytes(vector.signature)
        #expect(key.publicKey.rawBytes == bytes(vector.publicKey))
        #expect(try key.sign(vector.message) == signature)
        let imported = try Ed25519PublicKey(rawBytes: bytes(vector.publicKey))
        #expect(imported == key.publicKey)
        #expect(imported.isValid(signature, for: vector.message))
        #expect(!imported.isValid(signature, for: vector.message + [0]))
    }

    @Test("one changed bit anywhere in a signature makes it invalid")
    func changedBits() throws {
        let key = Ed25519PrivateKey()
        let signature = try key.sign([1, 2, 3])
        #expect(key.publicKey.isValid(signature, for: [1, 2, 3]))
        for index in signature.indices {
            for bit in 0..<8 {
                var changed = signature
                changed[index] ^= 1 << UInt8(bit)
                #expect(!key.publicKey.isValid(changed, for: [1, 2, 3]), "byte \(index), bit \(bit)")
            }
        }
    }

    @Test("a signature that is cut or lengthened is invalid", arguments: [0, 1, 32, 63, 65, 128])
    func changedLength(count: Int) throws {
        let key = Ed25519PrivateKey()
        let signature = try key.sign([1, 2, 3])
        let changed = Array((signature + signature).prefix(count))
        #expect(!key.publicKey.isValid(changed, for: [1, 2, 3]))
    }

    @Test("adding the group order to S, once or more often, does not make a second signature", arguments: 1...15)
    func malleability(times: Int) throws {
        // L = 2^252 + 27742317777372353535851937790883648493, little endian.
        let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        let key = try Ed25519PrivateKey(
            seed: secret("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
        let signature = try key.sign([0x72])
        var scalar = Array(signature.suffix(32))
        for _ in 0..<times {
            var carry = 0
            for index in scalar.indices {
                carry += Int(scalar[index]) + Int(order[index])
                scalar[index] = UInt8(carry & 0xFF)
                carry >>= 8
            }
            try #require(carry == 0)
        }
        #expect(!key.publicKey.isValid(Array(signature.prefix(32)) + scalar, for: [0x72]))
    }

    @Test("another key does not verify")
    func otherKey() throws {
        let signature = try Ed25519PrivateKey().sign([1])
        #expect(!Ed25519PrivateKey().publicKey.isValid(signature, for: [1]))
    }

    @Test("a new key comes back from its seed")
    func seed() throws {
        let key = Ed25519PrivateKey()
        #expect(key.seed.count == 32)
        let again = try Ed25519PrivateKey(seed: key.seed)
        #expect(again.publicKey == key.publicKey)
        #expect(try again.sign([1]) == key.sign([1]))
        #expect(Ed25519PrivateKey().publicKey != key.publicKey)
    }

    @Test("a seed that has not 32 bytes is refused", arguments: [0, 31, 33, 64])
    func seedSize(count: Int) {
        #expect(throws: SealingError.badKey("an Ed25519 seed has 32 bytes, not \(count)")) {
            try Ed25519PrivateKey(seed: .random(count: count))
        }
    }

    @Test("one key signs and verifies from many tasks at once")
    func manyTasks() async throws {
        let key = Ed25519PrivateKey()
        let valid = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let message = [UInt8](repeating: UInt8(index), count: index)
                    return key.publicKey.isValid(try key.sign(message), for: message)
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(valid == 200)
    }
}
