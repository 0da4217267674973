// Agreement gives the secrets of RFC 7748 and never the one everybody knows.

import Sealing
import Testing

@Suite struct X25519Tests {
    @Test(
        "the agreed bytes are those of RFC 7748 §5.2",
        arguments: [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
            ),
            // The peer's top bit is set here and does not count.
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
            ),
        ])
    func published(mine: String, peer: String, agreed: String) throws {
        let key = try X25519PrivateKey(rawSecret: secret(mine))
        #expect(try key.agree(with: bytes(peer)).revealBytes() == bytes(agreed))
    }

    @Test("Alice and Bob of RFC 7748 §6.1 have the published public keys and agree")
    func aliceAndBob() throws {
        let alice = try X25519PrivateKey(
            rawSecret: secret("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
        let bob = try X25519PrivateKey(
            rawSecret: secret("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
        #expect(alice.publicKey == bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(bob.publicKey == bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let agreed = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(try alice.agree(with: bob.publicKey).revealBytes() == agreed)
        #expect(try bob.agree(with: alice.publicKey).revealBytes() == agreed)
    }

    @Test(
        "a peer key of small order is refused, also in its second spelling",
        arguments: [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ])
    func smallOrder(peer: String) throws {
        let key = try X25519PrivateKey(rawSecret: .random(count: 32))
        #expect(throws: SealingError.self) { try key.agree(with: bytes(peer)) }
        // What went wrong here does not turn up in the next operation.
        #expect(try key.agree(with: X25519PrivateKey(rawSecret: .random(count: 32)).publicKey).count == 32)
    }

    @Test("a key that has not 32 bytes is refused on either side", arguments: [0, 31, 33])
    func wrongLength(count: Int) throws {
        let refusal = SealingError.badKey("an X25519 key has 32 bytes, not \(count)")
        #expect(throws: refusal) { try X25519PrivateKey(rawSecret: .random(count: count)) }
        let key = try X25519PrivateKey(rawSecret: .random(count: 32))
        #expect(throws: refusal) { try key.agree(with: .init(repeating: 9, count: count)) }
    }
}
