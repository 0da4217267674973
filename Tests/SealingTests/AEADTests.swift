// Sealed bytes are those of the GCM specification (McGrew and Viega, test cases 13 to 16); nothing else opens.

import Sealing
import Testing

@Suite struct AEADTests {
    struct Vector: Sendable {
        let key: Secret
        let nonce: [UInt8]
        let plaintext: Secret
        let associatedData: [UInt8]
        let ciphertext: [UInt8]
        let tag: [UInt8]
    }

    private static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    private static let plaintext = """
        d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
        1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255
        """
    private static let ciphertext = """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
        8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad
        """

    @Test(
        "sealing gives the published bytes, and opening gives the content back",
        arguments: [
            Vector(
                key: Secret([UInt8](repeating: 0, count: 32)), nonce: .init(repeating: 0, count: 12),
                plaintext: Secret([]), associatedData: [], ciphertext: [],
                tag: bytes("530f8afbc74536b9a963b4f1c4cb738b")),
            Vector(
                key: Secret([UInt8](repeating: 0, count: 32)), nonce: .init(repeating: 0, count: 12),
                plaintext: Secret([UInt8](repeating: 0, count: 16)), associatedData: [],
                ciphertext: bytes("cea7403d4d606b6e074ec5d3baf39d18"), tag: bytes("d0d1c8a799996bf0265b98b5d48ab919")),
            Vector(
                key: secret(key), nonce: bytes("cafebabefacedbaddecaf888"), plaintext: secret(plaintext),
                associatedData: [], ciphertext: bytes(ciphertext), tag: bytes("b094dac5d93471bdec1a502270e3cc6c")),
            Vector(
                key: secret(key), nonce: bytes("cafebabefacedbaddecaf888"),
                plaintext: Secret(Array(bytes(plaintext).prefix(60))),
                associatedData: bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                ciphertext: Array(bytes(ciphertext).prefix(60)), tag: bytes("76fc6ece0f4e1768cddf8853bb2d551b")),
        ])
    func published(_ vector: Vector) throws {
        let sealed = try AEAD.seal(
            vector.plaintext, key: vector.key, nonce: vector.nonce, associatedData: vector.associatedData)
        #expect(sealed == vector.nonce + vector.ciphertext + vector.tag)
        let opened = try AEAD.open(sealed, key: vector.key, associatedData: vector.associatedData)
        #expect(opened.matches(vector.plaintext))
    }

    @Test("one changed bit anywhere in nonce, ciphertext or tag keeps it shut")
    func changedBits() throws {
        let key = Secret.random(count: 32)
        let sealed = try AEAD.seal(Secret(text: "refresh token"), key: key, associatedData: [1, 2])
        #expect(sealed.count == 12 + 13 + 16)
        for index in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: SealingError.notAuthentic, "byte \(index), bit \(bit)") {
                    try AEAD.open(changed, key: key, associatedData: [1, 2])
                }
            }
        }
        #expect(try AEAD.open(sealed, key: key, associatedData: [1, 2]).revealText() == "refresh token")
    }

    @Test("bytes that were cut or lengthened stay shut, and none is too short to ask")
    func changedLength() throws {
        let key = Secret.random(count: 32)
        let sealed = try AEAD.seal(Secret(text: "refresh token"), key: key, associatedData: [])
        for count in 0..<sealed.count {
            #expect(throws: SealingError.notAuthentic, "\(count) bytes") {
                try AEAD.open(Array(sealed.prefix(count)), key: key, associatedData: [])
            }
        }
        #expect(throws: SealingError.notAuthentic) { try AEAD.open(sealed + [0], key: key, associatedData: []) }
    }

    @Test(
        "other associated data keeps it shut",
        arguments: [[], [1], [1, 2, 3], [2, 1], [1, 2, 0]] as [[UInt8]])
    func otherAssociatedData(other: [UInt8]) throws {
        let key = Secret.random(count: 32)
        let sealed = try AEAD.seal(Secret(text: "refresh token"), key: key, associatedData: [1, 2])
        #expect(throws: SealingError.notAuthentic) { try AEAD.open(sealed, key: key, associatedData: other) }
    }

    @Test("another key keeps it shut")
    func otherKey() throws {
        let sealed = try AEAD.seal(Secret(text: "a"), key: .random(count: 32), associatedData: [])
        #expect(throws: SealingError.notAuthentic) {
            try AEAD.open(sealed, key: .random(count: 32), associatedData: [])
        }
    }

    @Test("sealing the same content twice gives two nonces and nothing in common")
    func nonces() throws {
        let key = Secret.random(count: 32)
        let all = try (0..<200).map { _ in try AEAD.seal(Secret(text: "a"), key: key, associatedData: []) }
        #expect(Set(all.map { Array($0.prefix(12)) }).count == 200)
    }

    @Test("a key that has not 32 bytes is refused", arguments: [0, 16, 24, 31, 33])
    func keySize(count: Int) {
        let refusal = SealingError.badParameter("AES-256 key of \(count) bytes")
        let key = Secret.random(count: count)
        #expect(throws: refusal) { try AEAD.seal(Secret(text: "a"), key: key, associatedData: []) }
        #expect(throws: refusal) {
            try AEAD.open([UInt8](repeating: 0, count: 40), key: key, associatedData: [])
        }
    }

    @Test("a nonce that has not 12 bytes is refused", arguments: [0, 8, 11, 13, 16])
    func nonceSize(count: Int) {
        #expect(throws: SealingError.badParameter("GCM nonce of \(count) bytes")) {
            try AEAD.seal(
                Secret(text: "a"), key: .random(count: 32), nonce: .init(repeating: 0, count: count),
                associatedData: [])
        }
    }
}
