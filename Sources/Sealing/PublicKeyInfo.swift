// One file holds one public key of a kind that is used here; nothing stands before it, nothing after it.

internal import COpenSSL

/// A public key with its algorithm, as `openssl pkey -pubout` writes it (RFC 5280 §4.1.2.7 in the form of RFC 7468 §13).
package enum PublicKeyInfo: Sendable {
    /// An RSA key of at least 2048 bits.
    case rsa(RSAPublicKey)
    /// A P-256 key.
    case p256(P256PublicKey)
    /// An Ed25519 key.
    case ed25519(Ed25519PublicKey)

    /// Reads `BEGIN PUBLIC KEY` and nothing else.
    ///
    /// - Throws: ``SealingError/badEncoding(_:)`` when it is anything else or more; ``SealingError/badKey(_:)`` for another
    ///   algorithm or curve, and for a weak key.
    package static func parse(pem: [UInt8]) throws(SealingError) -> PublicKeyInfo {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let lines = pem.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
            .map { Array($0.drop(while: isSpace).reversed().drop(while: isSpace).reversed()) }
            .filter { !$0.isEmpty }
        let dashes = Array("-----".utf8)
        guard lines.first == Array("-----BEGIN PUBLIC KEY-----".utf8),
            lines.last == Array("-----END PUBLIC KEY-----".utf8),
            lines.count(where: { $0.starts(with: dashes) }) == 2
        else { throw .badEncoding("PEM public key") }
        // Indented and foreign line ends come from copying; libcrypto gets neither.
        let handle = try KeyHandle.publicKey(pem: Array(lines.joined(separator: [0x0A])) + [0x0A])
        switch EVP_PKEY_get_base_id(handle.pointer) {
        case EVP_PKEY_RSA:
            let key = try RSAPublicKey(checking: handle)
            guard key.bits >= 2048 else { throw .badKey("RSA modulus of \(key.bits) bits") }
            return .rsa(key)
        case EVP_PKEY_EC: return .p256(try P256PublicKey(of: handle))
        case EVP_PKEY_ED25519: return .ed25519(try Ed25519PublicKey(rawBytes: handle.rawPublicKey()))
        default: throw .badKey("neither RSA nor P-256 nor Ed25519")
        }
    }
}
