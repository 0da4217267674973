// Sealed bytes open only under the same key and the same associated data: a value copied to another row stays shut.

internal import COpenSSL

/// AES-256-GCM (NIST SP 800-38D), with a random nonce in front: `nonce (12) ‖ ciphertext ‖ tag (16)`.
package enum AEAD {
    private static let nonceCount = 12
    private static let tagCount = 16

    /// Seals bytes under a key of 32 bytes, bound to `associatedData`, which is not stored.
    ///
    /// Nonces are random: one key may seal 2^32 values before two could meet.
    package static func seal(
        _ plaintext: Secret, key: Secret, associatedData: [UInt8]
    ) throws(SealingError) -> [UInt8] {
        try seal(plaintext, key: key, nonce: Random.bytes(nonceCount), associatedData: associatedData)
    }

    /// Seals under a nonce of the caller's, for published vectors only.
    package static func seal(
        _ plaintext: Secret, key: Secret, nonce: [UInt8], associatedData: [UInt8]
    ) throws(SealingError) -> [UInt8] {
        let context = try Context(key: key, nonce: nonce, encrypting: true)
        try context.authenticate(associatedData)
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count)
        let result = plaintext.reveal { bytes in
            ciphertext.withUnsafeMutableBytes { context.update(bytes, into: $0) }
        }
        try check(result, "AES-256-GCM")
        try context.finish()
        return nonce + ciphertext + (try context.tag(tagCount))
    }

    /// Opens what ``seal(_:key:associatedData:)`` made.
    ///
    /// - Throws: ``SealingError/notAuthentic`` for damaged bytes, another key or other associated data; nothing of the
    ///   content is handed out then.
    package static func open(
        _ sealed: [UInt8], key: Secret, associatedData: [UInt8]
    ) throws(SealingError) -> Secret {
        guard sealed.count >= nonceCount + tagCount else { throw .notAuthentic }
        let context = try Context(key: key, nonce: Array(sealed[..<nonceCount]), encrypting: false)
        try context.authenticate(associatedData)
        let ciphertext = Array(sealed[nonceCount..<sealed.count - tagCount])
        var plaintext = SecretBytes(zeros: ciphertext.count)
        let result = plaintext.withMutableBytes { out in
            ciphertext.withUnsafeBytes { context.update($0, into: out) }
        }
        try check(result, "AES-256-GCM")
        guard context.accepts(tag: Array(sealed.suffix(tagCount))) else { throw .notAuthentic }
        return Secret(plaintext)
    }

    private final class Context {
        private let pointer: OpaquePointer

        init(key: Secret, nonce: [UInt8], encrypting: Bool) throws(SealingError) {
            guard key.count == 32 else { throw .badParameter("AES-256 key of \(key.count) bytes") }
            guard nonce.count == nonceCount else { throw .badParameter("GCM nonce of \(nonce.count) bytes") }
            guard let made = EVP_CIPHER_CTX_new() else { throw .fromQueue("EVP_CIPHER_CTX_new") }
            pointer = made
            let result = key.reveal {
                EVP_CipherInit_ex(
                    made, EVP_aes_256_gcm(), nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce,
                    encrypting ? 1 : 0)
            }
            try check(result, "AES-256-GCM")
        }

        deinit { EVP_CIPHER_CTX_free(pointer) }

        func authenticate(_ data: [UInt8]) throws(SealingError) {
            var length: Int32 = 0
            guard let count = Int32(exactly: data.count) else { throw .badParameter("\(data.count) bytes for GCM") }
            if !data.isEmpty { try check(EVP_CipherUpdate(pointer, nil, &length, data, count), "AES-256-GCM") }
        }

        func update(_ input: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) -> Int32 {
            guard !input.isEmpty else { return 1 }
            guard let count = Int32(exactly: input.count) else { return 0 }
            var length: Int32 = 0
            return EVP_CipherUpdate(
                pointer, out.baseAddress?.assumingMemoryBound(to: UInt8.self), &length,
                input.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
        }

        func finish() throws(SealingError) {
            var nothing = [UInt8](repeating: 0, count: 16)
            var length: Int32 = 0
            try check(EVP_CipherFinal_ex(pointer, &nothing, &length), "AES-256-GCM")
        }

        func tag(_ count: Int) throws(SealingError) -> [UInt8] {
            var tag = [UInt8](repeating: 0, count: count)
            try check(EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_GET_TAG, Int32(count), &tag), "AES-256-GCM")
            return tag
        }

        func accepts(tag: [UInt8]) -> Bool {
            var tag = tag
            guard EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1 else { return false }
            var nothing = [UInt8](repeating: 0, count: 16)
            var length: Int32 = 0
            let result = EVP_CipherFinal_ex(pointer, &nothing, &length)
            ERR_clear_error()
            return result == 1
        }
    }
}
