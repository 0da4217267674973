// A private key is taken out of its PEM text once, for one request, and stays a secret on the way.

import OAuth
import Sealing

/// Keys of consumers and grants, as PEM.
enum PrivateKeyPEM {
    /// The key that signs client assertions: P-256 or RSA.
    ///
    /// - Throws: ``ProviderFailure/unusableKey(_:)``.
    static func assertionKey(_ pem: Secret) throws(ProviderFailure) -> JWTSigningKey {
        if let key = try? p256(pem) { return .p256(key, keyID: nil) }
        guard let key = try? RSAPrivateKey(pem: pem) else {
            throw .unusableKey("an RSA or P-256 private key in PEM")
        }
        return .rsa(key, keyID: nil)
    }

    /// The key that a grant's proofs are signed with.
    ///
    /// - Throws: ``ProviderFailure/unusableKey(_:)``.
    static func proofKey(_ pem: Secret) throws(ProviderFailure) -> JWTSigningKey {
        guard let key = try? p256(pem) else { throw .unusableKey("a P-256 private key in PEM") }
        return .p256(key, keyID: nil)
    }

    /// A new P-256 key as PKCS#8 (RFC 5958).
    static func makeP256() throws(SealingError) -> Secret {
        let key = try P256PrivateKey().derBytes()
        let wrapped = key.reveal { bytes in
            element(0x30, [0x02, 0x01, 0x00] + algorithm + element(0x04, Array(bytes)))
        }
        let text = Base64.encode(wrapped, as: .standard)
        var lines = ["-----BEGIN PRIVATE KEY-----"]
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return Secret(text: (lines + ["-----END PRIVATE KEY-----", ""]).joined(separator: "\n"))
    }

    /// `AlgorithmIdentifier` of a key on P-256 (RFC 5480 §2.1.1).
    private static let algorithm: [UInt8] = [
        0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
        0x03, 0x01, 0x07,
    ]

    /// A DER element of at most 255 bytes.
    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = UInt8(truncatingIfNeeded: content.count)
        return (content.count < 128 ? [tag, count] : [tag, 0x81, count]) + content
    }

    private static func p256(_ pem: Secret) throws(SealingError) -> P256PrivateKey {
        try P256PrivateKey(der: der(pem))
    }

    /// What stands in the first block of a private key; certificates and curve parameters before it are skipped.
    private static func der(_ pem: Secret) throws(SealingError) -> Secret {
        let lines = pem.revealText().split(whereSeparator: \.isNewline)
        let start = lines.firstIndex { $0.hasPrefix("-----BEGIN ") && $0.contains("PRIVATE KEY-----") }
        guard let start else { throw .badEncoding("PEM private key") }
        let block = lines[(start + 1)...].prefix { !$0.hasPrefix("-----") }
        let text = block.joined().filter { !$0.isWhitespace }
        guard let bytes = Base64.decode(text, as: .standard) else { throw .badEncoding("PEM private key") }
        return Secret(bytes)
    }
}
