// A public key that would accept signatures nobody made (small order, second spelling of a point) never becomes an
// `Ed25519PublicKey`: OpenSSL 3.0 takes such keys without a word.

internal import COpenSSL

/// An Ed25519 signing key (RFC 8032).
package struct Ed25519PrivateKey: Sendable {
    private let handle: KeyHandle
    /// The matching public key.
    package let publicKey: Ed25519PublicKey
    /// The 32 bytes that everything is derived from, to be sealed and stored.
    package let seed: Secret

    /// Makes a new key.
    package init() { self = Self.fromRandomSeed() }

    /// Rebuilds a key from its seed of 32 bytes.
    package init(seed: Secret) throws(SealingError) {
        guard seed.count == 32 else { throw .badKey("an Ed25519 seed has 32 bytes, not \(seed.count)") }
        let made = seed.reveal {
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), 32)
        }
        guard let made else { throw .fromQueue("Ed25519 key") }
        handle = KeyHandle(made)
        publicKey = Ed25519PublicKey(trusted: try handle.rawPublicKey())
        self.seed = seed
    }

    private static func fromRandomSeed() -> Ed25519PrivateKey {
        do throws(SealingError) {
            return try Ed25519PrivateKey(seed: .random(count: 32))
        } catch {
            fatalError("libcrypto without Ed25519: \(error)")
        }
    }

    /// Signs a message; the signature has 64 bytes.
    package func sign(_ message: [UInt8]) throws(SealingError) -> [UInt8] { try handle.sign(message, hash: nil) }
}

/// An Ed25519 public key that passed the import checks.
package struct Ed25519PublicKey: Sendable, Hashable {
    /// The 32 bytes of RFC 8032 §5.1.2.
    package let rawBytes: [UInt8]
    private let handle: KeyHandle?

    /// Imports a key.
    ///
    /// - Throws: ``SealingError/badKey(_:)`` for a wrong length, a y coordinate not below 2^255−19, or a point of small
    ///   order.
    package init(rawBytes: [UInt8]) throws(SealingError) {
        guard rawBytes.count == 32 else { throw .badKey("an Ed25519 key has 32 bytes, not \(rawBytes.count)") }
        var y = rawBytes
        y[31] &= 0x7F
        guard Self.isBelowPrime(y) else { throw .badKey("not the canonical spelling of a point") }
        guard !Self.smallOrder.contains(y) else { throw .badKey("a point of small order, which verifies anything") }
        self.init(trusted: rawBytes)
        guard handle != nil else { throw .fromQueue("Ed25519 key") }
    }

    fileprivate init(trusted rawBytes: [UInt8]) {
        self.rawBytes = rawBytes
        handle = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, rawBytes, 32).map(KeyHandle.init)
    }

    /// Whether `signature` was made over `message` by the holder of the private key.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard signature.count == 64, let handle else { return false }
        return handle.isValid(signature, for: message, hash: nil)
    }

    package static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool { left.rawBytes == right.rawBytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(rawBytes) }

    private static func isBelowPrime(_ y: [UInt8]) -> Bool {
        // 2^255 − 19, little endian.
        let prime: [UInt8] = [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        for index in (0..<32).reversed() where y[index] != prime[index] { return y[index] < prime[index] }
        return false
    }

    /// The y coordinates of the eight points whose order divides 8; the sign of x does not matter.
    private static let smallOrder: [[UInt8]] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    ].compactMap(Hex.decode)
}
