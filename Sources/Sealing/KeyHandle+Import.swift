// A key comes in whole or not at all: no trailing bytes, no passphrase asked for on a terminal, no error left in the queue.

internal import COpenSSL

extension KeyHandle {
    /// Reads a private key of any algorithm, PKCS#8 or the algorithm's own form.
    static func privateKey(der: Secret) throws(SealingError) -> KeyHandle {
        let made = der.reveal { bytes -> OpaquePointer? in
            var cursor = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let start = cursor
            guard let made = d2i_AutoPrivateKey(nil, &cursor, bytes.count) else { return nil }
            guard let start, let cursor, cursor - start == bytes.count else {
                EVP_PKEY_free(made)
                return nil
            }
            return made
        }
        guard let made else {
            ERR_clear_error()
            throw .badEncoding("DER private key")
        }
        return KeyHandle(made)
    }

    /// Reads a PEM public key (`BEGIN PUBLIC KEY`) of any algorithm; text around it is skipped.
    static func publicKey(pem: [UInt8]) throws(SealingError) -> KeyHandle {
        let made = pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let count = Int32(exactly: bytes.count), let bio = BIO_new_mem_buf(bytes.baseAddress, count) else {
                return nil
            }
            defer { BIO_free(bio) }
            return PEM_read_bio_PUBKEY(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let made else {
            ERR_clear_error()
            throw .badEncoding("PEM public key")
        }
        return KeyHandle(made)
    }

    /// Builds a public key from the numbers gathered in `builder`.
    static func publicKey(_ algorithm: StaticString, _ builder: OpaquePointer) throws(SealingError) -> KeyHandle {
        let parameters = OSSL_PARAM_BLD_to_param(builder)
        let context = EVP_PKEY_CTX_new_from_name(nil, lasting(algorithm), nil)
        defer {
            OSSL_PARAM_free(parameters)
            EVP_PKEY_CTX_free(context)
        }
        // libcrypto follows these pointers without a look.
        guard parameters != nil, context != nil else { throw .fromQueue("\(algorithm) key") }
        try check(EVP_PKEY_fromdata_init(context), "\(algorithm) key")
        var made: OpaquePointer?
        try check(EVP_PKEY_fromdata(context, &made, keyholder_public_key_selection, parameters), "\(algorithm) key")
        guard let made else { throw .fromQueue("\(algorithm) key") }
        return KeyHandle(made)
    }

    /// The private key in its algorithm's own DER form, to be sealed and stored.
    func derBytes() throws(SealingError) -> Secret {
        let count = i2d_PrivateKey(pointer, nil)
        guard count > 0 else { throw .fromQueue("private key") }
        var out = SecretBytes(zeros: Int(count))
        let written = out.withMutableBytes { target in
            var cursor = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return i2d_PrivateKey(pointer, &cursor)
        }
        guard written == count else { throw .fromQueue("private key") }
        return Secret(out)
    }

    /// A public number of the key, big endian without leading zeros; empty when there is no such number.
    func number(_ name: String) -> [UInt8] {
        var value: OpaquePointer?
        guard EVP_PKEY_get_bn_param(pointer, name, &value) == 1, let value else {
            ERR_clear_error()
            return []
        }
        defer { BN_free(value) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(value) + 7) / 8)
        BN_bn2bin(value, &bytes)
        return bytes
    }
}

/// A name at an address that stays: libcrypto keeps the pointer, and a `String` lends its own for one call only.
func lasting(_ name: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}
