// A nonce is known by its code alone, so nothing is stored, and whoever lacks the key cannot write one in advance.

package import Sealing

/// The nonces a server gives out for DPoP proofs (RFC 9449 §8).
package struct DPoPNonces: Sendable {
    /// For how long is the same nonce given out, in seconds?
    package static let period = 60
    /// For how many more periods is it taken?
    private static let grace = 2

    private let key: Secret

    /// Nonces under a key; with a new key all those given out before are worth nothing.
    package init(key: Secret = .random(count: 32)) { self.key = key }

    /// The nonce to give out at `now`, in seconds since 1970.
    package func current(now: Int) -> String { nonce(now / Self.period) }

    /// Whether a nonce was given out in the period of `now`, in seconds since 1970, or in one of the two before it.
    package func isGood(_ nonce: String, now: Int) -> Bool {
        let number = now / Self.period
        return (number - Self.grace...number).contains { ConstantTime.equal(nonce, self.nonce($0)) }
    }

    private func nonce(_ number: Int) -> String {
        let period = withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).bigEndian) { Array($0) }
        let code = HMAC.code(Array("DPoP nonce".utf8) + period, key: key, hash: .sha256)
        return Base64.encode(period + code.prefix(16), as: .url)
    }
}
