// Keys under which a signature would be valid that nobody made are refused when they come in.

import Sealing
import Testing

@Suite struct Ed25519ImportTests {
    private static let identity = "0100000000000000000000000000000000000000000000000000000000000000"

    /// All y coordinates of the points whose order divides 8, found by multiplying points by the group order.
    private static let smallOrder = [
        identity,
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ]

    @Test("a point of small order is refused, with either sign", arguments: smallOrder, [UInt8(0x00), 0x80])
    func smallOrderRefused(y: String, sign: UInt8) {
        var key = bytes(y)
        key[31] |= sign
        #expect(throws: SealingError.badKey("a point of small order, which verifies anything")) {
            try Ed25519PublicKey(rawBytes: key)
        }
    }

    @Test("a y coordinate of 2^255 − 19 or more is refused, with either sign", arguments: 0xED...0xFF, [0x7F, 0xFF])
    func notCanonical(first: Int, last: Int) {
        let key = [UInt8(first)] + [UInt8](repeating: 0xFF, count: 30) + [UInt8(last)]
        #expect(throws: SealingError.badKey("not the canonical spelling of a point")) {
            try Ed25519PublicKey(rawBytes: key)
        }
    }

    @Test("a key that has not 32 bytes is refused", arguments: [0, 1, 31, 33, 64])
    func wrongLength(count: Int) {
        #expect(throws: SealingError.badKey("an Ed25519 key has 32 bytes, not \(count)")) {
            try Ed25519PublicKey(rawBytes: .init(repeating: 7, count: count))
        }
    }

    @Test("a number that is the y of no point verifies nothing")
    func noPoint() throws {
        let key = try Ed25519PublicKey(rawBytes: [2] + .init(repeating: 0, count: 31))
        #expect(!key.isValid(bytes(Self.identity) + .init(repeating: 0, count: 32), for: [1]))
        #expect(!key.isValid(try Ed25519PrivateKey().sign([1]), for: [1]))
    }

    @Test("the openssl command takes the identity as a key, and one signature is then valid for every message")
    func whyItMatters() async throws {
        let forged = bytes(Self.identity) + [UInt8](repeating: 0, count: 32)
        try await OpenSSLCommand.inFolder { openssl in
            try openssl.write(bytes("302a300506032b6570032100") + bytes(Self.identity), to: "key.der")
            try openssl.write(forged, to: "signature")
            for message in ["lock.lock", "lock.unlock"] {
                try openssl.write(Array(message.utf8), to: "message")
                let outcome = try await openssl.run(
                    "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-in", "message",
                    "-sigfile", "signature")
                #expect(outcome.status == 0, "\(outcome.output)")
                #expect(outcome.output.contains("Signature Verified Successfully"))
            }
        }
        #expect(!Ed25519PrivateKey().publicKey.isValid(forged, for: Array("lock.unlock".utf8)))
    }
}
