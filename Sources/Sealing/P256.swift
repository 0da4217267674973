// A `P256PublicKey` is a point of the curve, and a signature has the 64 bytes of JOSE (RFC 7518 §3.4), never DER.

internal import COpenSSL

/// A P-256 key for signing with ECDSA and SHA-256, which JOSE calls ES256.
package struct P256PrivateKey: Sendable {
    private let handle: KeyHandle
    /// The matching public key.
    package let publicKey: P256PublicKey

    private init(_ handle: KeyHandle) throws(SealingError) {
        publicKey = try P256PublicKey(of: handle)
        let context = EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil)
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_pairwise_check(context) == 1 else {
            ERR_clear_error()
            throw .badKey("private and public half of the P-256 key differ")
        }
        self.handle = handle
    }

    /// Makes a new key.
    ///
    /// - Throws: ``SealingError/library(_:)`` when libcrypto cannot.
    package init() throws(SealingError) {
        guard let made = keyholder_p256_keygen() else { throw .fromQueue("P-256 key generation") }
        try self.init(KeyHandle(made))
    }

    /// Reads what ``derBytes()`` wrote, or the same key as PKCS#8.
    ///
    /// - Throws: ``SealingError/badEncoding(_:)`` for anything else; ``SealingError/badKey(_:)`` for another algorithm or
    ///   curve, and when the two halves do not belong together.
    package init(der: Secret) throws(SealingError) { try self.init(KeyHandle.privateKey(der: der)) }

    /// The key as DER, to be sealed and stored.
    package func derBytes() throws(SealingError) -> Secret { try handle.derBytes() }

    /// Signs a message; the signature has 64 bytes and is another one each time.
    package func sign(_ message: [UInt8]) throws(SealingError) -> [UInt8] {
        let der = try handle.sign(message, hash: .sha256)
        let signature = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var cursor = bytes.baseAddress
            return d2i_ECDSA_SIG(nil, &cursor, bytes.count)
        }
        guard let signature else { throw .fromQueue("P-256 signature") }
        defer { ECDSA_SIG_free(signature) }
        var r = [UInt8](repeating: 0, count: 32)
        var s = r
        guard BN_bn2binpad(ECDSA_SIG_get0_r(signature), &r, 32) == 32,
            BN_bn2binpad(ECDSA_SIG_get0_s(signature), &s, 32) == 32
        else { throw .fromQueue("P-256 signature") }
        return r + s
    }
}

/// A P-256 key for verifying ES256.
package struct P256PublicKey: Sendable {
    /// The point's first coordinate, 32 bytes, big endian.
    package let x: [UInt8]
    /// The point's second coordinate, 32 bytes, big endian.
    package let y: [UInt8]
    private let handle: KeyHandle

    /// Takes a point.
    ///
    /// - Throws: ``SealingError/badKey(_:)`` unless both have 32 bytes, are below the field's prime, and lie on the curve.
    package init(x: [UInt8], y: [UInt8]) throws(SealingError) {
        guard x.count == 32, y.count == 32 else { throw .badKey("coordinates of P-256 have 32 bytes") }
        guard let builder = OSSL_PARAM_BLD_new() else { throw .fromQueue("EC key") }
        defer { OSSL_PARAM_BLD_free(builder) }
        let point = [0x04] + x + y
        try check(OSSL_PARAM_BLD_push_utf8_string(builder, lasting("group"), lasting("prime256v1"), 0), "EC key")
        // The builder keeps the pointer, so the key is made while the bytes are lent. libcrypto checks the equation of the
        // curve; more there is not to check, because the group has prime order.
        let made = point.withUnsafeBytes { bytes -> KeyHandle? in
            guard OSSL_PARAM_BLD_push_octet_string(builder, lasting("pub"), bytes.baseAddress, bytes.count) == 1 else {
                return nil
            }
            return try? KeyHandle.publicKey("EC", builder)
        }
        guard let made else {
            ERR_clear_error()
            throw .badKey("not a point of P-256")
        }
        self.x = x
        self.y = y
        handle = made
    }

    /// The public half of any key, rebuilt from its coordinates so that no curve parameters of a stranger survive.
    init(of handle: KeyHandle) throws(SealingError) {
        var name = [CChar](repeating: 0, count: 32)
        var count = 0
        guard EVP_PKEY_get_base_id(handle.pointer) == EVP_PKEY_EC,
            EVP_PKEY_get_utf8_string_param(
                handle.pointer, OSSL_PKEY_PARAM_GROUP_NAME, &name, name.count, &count) == 1,
            name.prefix(count).elementsEqual("prime256v1".utf8.map { CChar(bitPattern: $0) })
        else {
            ERR_clear_error()
            throw .badKey("not a P-256 key")
        }
        try self.init(
            x: Self.padded(handle.number(OSSL_PKEY_PARAM_EC_PUB_X)),
            y: Self.padded(handle.number(OSSL_PKEY_PARAM_EC_PUB_Y)))
    }

    /// Whether `signature`, 64 bytes as JOSE writes it, was made over `message` by the holder of the private key.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard signature.count == 64 else { return false }
        let r = Self.integer(signature[..<32])
        let s = Self.integer(signature[32...])
        return handle.isValid([0x30, UInt8(r.count + s.count)] + r + s, for: message, hash: .sha256)
    }

    /// The RFC 7638 thumbprint, 32 bytes.
    package var thumbprint: [UInt8] {
        JWKThumbprint.ec(curve: "P-256", x: Base64.encode(x, as: .url), y: Base64.encode(y, as: .url))
    }

    private static func padded(_ number: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: max(0, 32 - number.count)) + number
    }

    /// A DER INTEGER, at most 35 bytes: no leading zeros but the one that keeps it positive.
    private static func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(bytes.drop { $0 == 0 })
        if digits.first.map({ $0 & 0x80 != 0 }) ?? true { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }
}

extension P256PublicKey: Equatable {
    package static func == (left: P256PublicKey, right: P256PublicKey) -> Bool {
        left.x == right.x && left.y == right.y
    }
}
