// A server knows its own nonces without having stored them, for three minutes at most.

import OAuth
import Sealing
import Testing

@Suite struct DPoPNoncesTests {
    @Test("a nonce is the same for a minute and good for two more")
    func span() {
        let nonces = DPoPNonces()
        let nonce = nonces.current(now: 600)
        #expect(nonces.current(now: 659) == nonce)
        #expect(nonces.current(now: 660) != nonce)
        for now in [600, 659, 660, 779] { #expect(nonces.isGood(nonce, now: now), "\(now)") }
        for now in [0, 599, 780, 3600] { #expect(!nonces.isGood(nonce, now: now), "\(now)") }
    }

    @Test("a nonce is good only where it was given out, and only as it was")
    func foreign() throws {
        let nonces = DPoPNonces()
        let nonce = nonces.current(now: 600)
        #expect(!DPoPNonces().isGood(nonce, now: 600))
        let key = Secret.random(count: 32)
        #expect(DPoPNonces(key: key).isGood(DPoPNonces(key: key).current(now: 600), now: 600))
        var bytes = try #require(Base64.decode(nonce.utf8, as: .url))
        for index in bytes.indices {
            bytes[index] ^= 1
            #expect(!nonces.isGood(Base64.encode(bytes, as: .url), now: 600), "byte \(index)")
            bytes[index] ^= 1
        }
        for bad in ["", "x", nonce + "A", nonce + "=", String(nonce.dropLast()), nonce.lowercased()] {
            #expect(!nonces.isGood(bad, now: 600), "\(bad)")
        }
    }

    @Test("a nonce fits the header it goes out in (RFC 9449 §8.1)")
    func characters() {
        let nonce = DPoPNonces().current(now: 1_700_000_000)
        #expect(nonce.count == 32)
        #expect(nonce.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
    }
}
