// Only three kinds of key exist here, each with one algorithm: no secret, no `none`, no choice.

package import Sealing

/// A key that signs tokens.
package struct JWTSigningKey: Sendable {
    private enum Material: Sendable {
        case rsa(RSAPrivateKey)
        case p256(P256PrivateKey)
        case ed25519(Ed25519PrivateKey)
    }

    private let material: Material
    /// The `kid` of the header.
    package let keyID: String?

    /// An RSA key, which signs RS256.
    package static func rsa(_ key: RSAPrivateKey, keyID: String?) -> JWTSigningKey {
        JWTSigningKey(material: .rsa(key), keyID: keyID)
    }

    /// A P-256 key, which signs ES256.
    package static func p256(_ key: P256PrivateKey, keyID: String?) -> JWTSigningKey {
        JWTSigningKey(material: .p256(key), keyID: keyID)
    }

    /// An Ed25519 key, which signs EdDSA (RFC 8037).
    package static func ed25519(_ key: Ed25519PrivateKey, keyID: String?) -> JWTSigningKey {
        JWTSigningKey(material: .ed25519(key), keyID: keyID)
    }

    /// The header's `alg`.
    package var algorithm: String {
        switch material {
        case .rsa: "RS256"
        case .p256: "ES256"
        case .ed25519: "EdDSA"
        }
    }

    /// The key others verify with.
    package var verificationKey: JWTVerificationKey {
        switch material {
        case .rsa(let key): .rsa(key.publicKey, keyID: keyID)
        case .p256(let key): .p256(key.publicKey, keyID: keyID)
        case .ed25519(let key): .ed25519(key.publicKey, keyID: keyID)
        }
    }

    /// The same key for a token that carries the whole key and needs no id for it.
    var withoutID: JWTSigningKey { JWTSigningKey(material: material, keyID: nil) }

    func sign(_ message: [UInt8]) throws(SealingError) -> [UInt8] {
        switch material {
        case .rsa(let key): try key.sign(message, hash: .sha256)
        case .p256(let key): try key.sign(message)
        case .ed25519(let key): try key.sign(message)
        }
    }
}

/// A key that verifies tokens.
package struct JWTVerificationKey: Sendable {
    /// What kind of key it is.
    package enum Material: Sendable {
        case rsa(RSAPublicKey)
        case p256(P256PublicKey)
        case ed25519(Ed25519PublicKey)
    }

    /// The key itself, which decides the algorithm.
    package let material: Material
    /// The `kid` it is known by.
    package let keyID: String?

    /// An RSA key, which verifies RS256.
    package static func rsa(_ key: RSAPublicKey, keyID: String?) -> JWTVerificationKey {
        JWTVerificationKey(material: .rsa(key), keyID: keyID)
    }

    /// A P-256 key, which verifies ES256.
    package static func p256(_ key: P256PublicKey, keyID: String?) -> JWTVerificationKey {
        JWTVerificationKey(material: .p256(key), keyID: keyID)
    }

    /// An Ed25519 key, which verifies EdDSA, by its newer name Ed25519 too (RFC 9864).
    package static func ed25519(_ key: Ed25519PublicKey, keyID: String?) -> JWTVerificationKey {
        JWTVerificationKey(material: .ed25519(key), keyID: keyID)
    }

    /// What the header's `alg` may be.
    package var algorithms: Set<String> {
        switch material {
        case .rsa: ["RS256"]
        case .p256: ["ES256"]
        case .ed25519: ["EdDSA", "Ed25519"]
        }
    }

    /// The RFC 7638 thumbprint as base64url.
    package var thumbprint: String {
        switch material {
        case .rsa(let key):
            Base64.encode(JWKThumbprint.rsa(modulus: key.modulus, exponent: key.exponent), as: .url)
        case .p256(let key): Base64.encode(key.thumbprint, as: .url)
        case .ed25519(let key): Base64.encode(key.thumbprint, as: .url)
        }
    }

    /// Whether it is an RSA key below the 2048 bits that RFC 7518 §3.3 demands.
    var isTooShort: Bool {
        if case .rsa(let key) = material { key.bits < 2048 } else { false }
    }

    func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch material {
        case .rsa(let key): !isTooShort && key.isValid(signature, for: message, hash: .sha256)
        case .p256(let key): key.isValid(signature, for: message)
        case .ed25519(let key): key.isValid(signature, for: message)
        }
    }
}
