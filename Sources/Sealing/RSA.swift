// Only RSASSA-PKCS1-v1_5 (RFC 8017 §8.2): it is what OAuth 1.0a's RSA methods and JOSE's RS256 are.

internal import COpenSSL

/// An RSA key for signing.
package struct RSAPrivateKey: Sendable {
    private let handle: KeyHandle
    /// The matching public key.
    package let publicKey: RSAPublicKey

    private init(_ handle: KeyHandle) throws(SealingError) {
        publicKey = try RSAPublicKey(checking: handle)
        self.handle = handle
    }

    /// Makes a new key; takes a good part of a second.
    ///
    /// - Parameter bits: 2048 to 4096.
    /// - Throws: ``SealingError/badParameter(_:)`` for another size.
    package init(bits: Int) throws(SealingError) {
        guard (2048...4096).contains(bits) else { throw .badParameter("RSA key of \(bits) bits") }
        guard let made = keyholder_rsa_keygen(bits) else { throw .fromQueue("RSA key generation") }
        try self.init(KeyHandle(made))
    }

    /// Reads a PEM private key, PKCS#1 or PKCS#8, without passphrase.
    ///
    /// - Throws: ``SealingError/badEncoding(_:)``; ``SealingError/badKey(_:)`` for another algorithm or a weak key.
    package init(pem: Secret) throws(SealingError) {
        let made = pem.reveal { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            // The callback refuses to ask for a passphrase on the terminal.
            return PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let made else {
            ERR_clear_error()
            throw .badEncoding("PEM private key")
        }
        try self.init(KeyHandle(made))
    }

    /// Reads what ``derBytes()`` wrote.
    ///
    /// - Throws: ``SealingError/badEncoding(_:)`` for anything else, ``SealingError/badKey(_:)`` as the PEM form.
    package init(der: Secret) throws(SealingError) {
        try self.init(KeyHandle.privateKey(der: der))
    }

    /// The key as DER, to be sealed and stored.
    package func derBytes() throws(SealingError) -> Secret { try handle.derBytes() }

    /// Signs a message.
    package func sign(_ message: [UInt8], hash: HashFunction) throws(SealingError) -> [UInt8] {
        try handle.sign(message, hash: hash)
    }
}

/// An RSA key for verifying.
package struct RSAPublicKey: Sendable {
    private let handle: KeyHandle

    /// Takes an RSA key that is worth verifying with.
    ///
    /// With exponent 1 everyone can sign; an even number is no RSA exponent or modulus; below 1024 bits the modulus can
    /// be factored, and above 8192 each signature from a stranger would cost too much.
    init(checking handle: KeyHandle) throws(SealingError) {
        guard EVP_PKEY_get_base_id(handle.pointer) == EVP_PKEY_RSA else { throw .badKey("not an RSA key") }
        self.handle = handle
        guard (1024...8192).contains(bits) else { throw .badKey("RSA modulus of \(bits) bits") }
        guard let low = modulus.last, low & 1 == 1 else { throw .badKey("RSA modulus is even") }
        let e = exponent
        guard let low = e.last, low & 1 == 1, e != [1], e.count <= 8 else { throw .badKey("RSA exponent") }
    }

    /// Builds a key from its JWK numbers (RFC 7518 §6.3.1), big endian.
    ///
    /// - Throws: ``SealingError/badKey(_:)`` below 1024 or above 8192 bits, and for an exponent that is 1 or even.
    package init(modulus: [UInt8], exponent: [UInt8]) throws(SealingError) {
        guard (128...1024).contains(modulus.count), (1...8).contains(exponent.count) else {
            throw .badKey("RSA modulus of \(modulus.count) bytes")
        }
        let n = BN_bin2bn(modulus, Int32(modulus.count), nil)
        let e = BN_bin2bn(exponent, Int32(exponent.count), nil)
        let builder = OSSL_PARAM_BLD_new()
        // libcrypto follows these pointers without a look.
        guard let n, let e, let builder else { throw .fromQueue("RSA key") }
        defer {
            BN_free(n)
            BN_free(e)
            OSSL_PARAM_BLD_free(builder)
        }
        try check(OSSL_PARAM_BLD_push_BN(builder, lasting("n"), n), "RSA key")
        try check(OSSL_PARAM_BLD_push_BN(builder, lasting("e"), e), "RSA key")
        try self.init(checking: KeyHandle.publicKey("RSA", builder))
    }

    /// Reads a PEM public key (`BEGIN PUBLIC KEY`).
    ///
    /// - Throws: ``SealingError/badEncoding(_:)``; ``SealingError/badKey(_:)`` for another algorithm or a weak key.
    package init(pem: String) throws(SealingError) {
        try self.init(checking: KeyHandle.publicKey(pem: Array(pem.utf8)))
    }

    /// Whether `signature` was made over `message` by the holder of the private key.
    package func isValid(_ signature: [UInt8], for message: [UInt8], hash: HashFunction) -> Bool {
        handle.isValid(signature, for: message, hash: hash)
    }

    /// How many bits the modulus has.
    package var bits: Int { Int(EVP_PKEY_get_bits(handle.pointer)) }

    /// The modulus, big endian without leading zeros.
    package var modulus: [UInt8] { handle.number(OSSL_PKEY_PARAM_RSA_N) }

    /// The public exponent, big endian without leading zeros.
    package var exponent: [UInt8] { handle.number(OSSL_PKEY_PARAM_RSA_E) }
}
