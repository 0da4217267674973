// Digests and MACs by libcrypto; SHA-1 is here for OAuth 1.0a signatures only, where it is still unbroken as a MAC,
// and MD5 for HTTP Digest alone, because one provider's token endpoint takes nothing else.

internal import COpenSSL

/// A hash function of the protocols in use.
package enum HashFunction: String, Sendable, CaseIterable {
    /// Broken: good for nothing but an answer to a server's Digest challenge (RFC 7616), over TLS.
    case md5 = "MD5"
    case sha1 = "SHA1"
    case sha256 = "SHA256"
    case sha512 = "SHA512"

    /// OpenSSL's static description; never freed.
    var algorithm: OpaquePointer? {
        switch self {
        case .md5: EVP_md5()
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha512: EVP_sha512()
        }
    }

    /// How many bytes a digest has.
    package var digestCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }

    /// Whether this machine's libcrypto computes it: one that is told to keep to FIPS 140 has no MD5.
    package var isAvailable: Bool {
        guard let fetched = EVP_MD_fetch(nil, rawValue, nil) else {
            ERR_clear_error()
            return false
        }
        EVP_MD_free(fetched)
        return true
    }

    /// The digest of a message; an algorithm that is not ``isAvailable`` ends the process.
    package func digest(_ message: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(message)
        return bytes.withUnsafeBytes { digest($0) }
    }

    /// The digest of bytes lent by their owner.
    package func digest(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: digestCount)
        var length: UInt32 = 0
        guard EVP_Digest(message.baseAddress, message.count, &out, &length, algorithm, nil) == 1,
            Int(length) == digestCount
        else { preconditionFailure("libcrypto cannot compute \(rawValue)") }
        return out
    }
}

/// HMAC (RFC 2104).
package enum HMAC {
    /// One context for each hash function, only ever copied: looking the functions up by name costs more than using them.
    private nonisolated(unsafe) static let contexts = HashFunction.allCases.map { hash -> OpaquePointer? in
        guard let mac = EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        defer { EVP_MAC_free(mac) }
        guard let context = EVP_MAC_CTX_new(mac) else { return nil }
        var name = Array(hash.rawValue.utf8CString)
        let isReady = name.withUnsafeMutableBufferPointer { name in
            var parameters = [
                OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0), OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_CTX_set_params(context, &parameters) == 1
        }
        return isReady ? context : nil
    }

    /// The authentication code of a message under a key that is wiped afterwards.
    package static func code(_ message: [UInt8], wiping key: inout [UInt8], hash: HashFunction) -> [UInt8] {
        key.withUnsafeMutableBytes { key in
            defer { OPENSSL_cleanse(key.baseAddress, key.count) }
            return code(message, key: UnsafeRawBufferPointer(key), hash: hash)
        }
    }

    /// The authentication code of a message under a key of any length.
    package static func code(_ message: [UInt8], key: Secret, hash: HashFunction) -> [UInt8] {
        key.reveal { code(message, key: $0, hash: hash) }
    }

    static func code(_ message: [UInt8], key: UnsafeRawBufferPointer, hash: HashFunction) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: hash.digestCount)
        out.withUnsafeMutableBytes { out in
            message.withUnsafeBytes { write(into: out, of: $0, key: key, hash: hash) }
        }
        return out
    }

    /// Writes the code into a buffer of exactly its size, so that a code that is itself a key need not be copied.
    static func write(
        into out: UnsafeMutableRawBufferPointer, of message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer,
        hash: HashFunction
    ) {
        precondition(out.count == hash.digestCount, "an HMAC-\(hash.rawValue) has \(hash.digestCount) bytes")
        let context = EVP_MAC_CTX_dup(HashFunction.allCases.firstIndex(of: hash).flatMap { contexts[$0] })
        defer { EVP_MAC_CTX_free(context) }
        guard context != nil else { preconditionFailure("libcrypto has no HMAC-\(hash.rawValue)") }
        var length = 0
        // A null key means "the last one" to OpenSSL; an empty key needs an address.
        var nothing: UInt8 = 0
        let made = withUnsafeMutablePointer(to: &nothing) { empty in
            let bytes = key.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(empty)
            return EVP_MAC_init(context, bytes, key.count, nil) == 1
                && EVP_MAC_update(context, message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count) == 1
                && EVP_MAC_final(
                    context, out.baseAddress?.assumingMemoryBound(to: UInt8.self), &length, out.count) == 1
        }
        guard made, length == out.count else {
            preconditionFailure("libcrypto cannot compute HMAC-\(hash.rawValue)")
        }
    }

    /// Whether `code` authenticates `message`, compared in constant time.
    package static func isValid(_ code: [UInt8], for message: [UInt8], key: Secret, hash: HashFunction) -> Bool {
        ConstantTime.equal(code, self.code(message, key: key, hash: hash))
    }
}
