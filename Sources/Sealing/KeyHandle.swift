// One OpenSSL key object, one owner; it is immutable once made, so it may be used from any thread.

internal import COpenSSL

/// Owns an `EVP_PKEY`.
final class KeyHandle: @unchecked Sendable {
    // Unchecked: OpenSSL documents concurrent use of an unchanging EVP_PKEY as safe; nothing here changes it.
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// Signs a message in one call; `hash` is `nil` for algorithms that hash by themselves.
    func sign(_ message: [UInt8], hash: HashFunction?) throws(SealingError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .fromQueue("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestSignInit(context, nil, hash?.algorithm, nil, pointer), "sign")
        var count = 0
        try check(EVP_DigestSign(context, nil, &count, message, message.count), "sign")
        var signature = [UInt8](repeating: 0, count: count)
        try check(EVP_DigestSign(context, &signature, &count, message, message.count), "sign")
        return Array(signature[..<count])
    }

    /// Whether a signature is valid; malformed signatures and refused sizes are simply not.
    func isValid(_ signature: [UInt8], for message: [UInt8], hash: HashFunction?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard EVP_DigestVerifyInit(context, nil, hash?.algorithm, nil, pointer) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// The raw public half of an Ed25519 or X25519 key.
    func rawPublicKey() throws(SealingError) -> [UInt8] {
        var raw = [UInt8](repeating: 0, count: 32)
        var count = raw.count
        try check(EVP_PKEY_get_raw_public_key(pointer, &raw, &count), "read public key")
        return raw
    }
}
