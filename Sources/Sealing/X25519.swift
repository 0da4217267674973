// Agreement never yields the all-zero secret: a peer key of small order is an error (RFC 7748 §6.1).

internal import COpenSSL

/// An X25519 key for agreeing on a secret (RFC 7748).
package struct X25519PrivateKey: Sendable {
    private let handle: KeyHandle
    /// The 32 bytes to hand to the other side.
    package let publicKey: [UInt8]
    /// The 32 private bytes, to be sealed and stored.
    package let rawSecret: Secret

    /// Rebuilds a key from its 32 private bytes.
    package init(rawSecret: Secret) throws(SealingError) {
        guard rawSecret.count == 32 else { throw .badKey("an X25519 key has 32 bytes, not \(rawSecret.count)") }
        let made = rawSecret.reveal {
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_X25519, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), 32)
        }
        guard let made else { throw .fromQueue("X25519 key") }
        handle = KeyHandle(made)
        publicKey = try handle.rawPublicKey()
        self.rawSecret = rawSecret
    }

    /// Agrees on 32 bytes with the holder of `peer`; derive keys from them, never use them as they are.
    ///
    /// - Throws: ``SealingError`` for a key of the wrong size or of small order.
    package func agree(with peer: [UInt8]) throws(SealingError) -> Secret {
        guard peer.count == 32 else { throw .badKey("an X25519 key has 32 bytes, not \(peer.count)") }
        guard let other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, peer, 32) else {
            throw .fromQueue("X25519 key")
        }
        defer { EVP_PKEY_free(other) }
        guard let context = EVP_PKEY_CTX_new(handle.pointer, nil) else { throw .fromQueue("X25519") }
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_derive_init(context), "X25519")
        try check(EVP_PKEY_derive_set_peer(context, other), "X25519 peer key")
        var shared = SecretBytes(zeros: 32)
        var count = 32
        let result = shared.withMutableBytes {
            EVP_PKEY_derive(context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), &count)
        }
        try check(result, "X25519 agreement")
        return Secret(shared)
    }
}
