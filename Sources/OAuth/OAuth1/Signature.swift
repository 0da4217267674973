// Signing and verifying share every step but the last, and the last is a comparison in constant time.

package import Sealing

/// The value of `oauth_signature` (RFC 5849 §3.4.2 to §3.4.4).
package enum Signature {
    /// Signs a base string.
    ///
    /// - Parameters:
    ///   - baseString: What ``BaseString`` made.
    ///   - method: A method that fits the key.
    ///   - key: The consumer's key.
    ///   - tokenSecret: The token's secret; without a token it counts as empty.
    /// - Returns: The value, not yet percent-encoded.
    /// - Throws: ``OAuthError/keyMismatch(_:)`` when key and method do not belong together, `SealingError` from RSA.
    package static func make(
        _ baseString: String, method: SignatureMethod, key: SigningKey, tokenSecret: Secret? = nil
    ) throws -> String {
        switch key {
        case .rsa(let privateKey):
            guard method.usesRSA, let hash = method.hash else { throw OAuthError.keyMismatch(method) }
            return Base64.encode(try privateKey.sign(Array(baseString.utf8), hash: hash), as: .standard)
        case .secret(let secret):
            guard !method.usesRSA else { throw OAuthError.keyMismatch(method) }
            let key = sharedKey(secret, tokenSecret)
            guard let hash = method.hash else { return key.revealText() }
            return Base64.encode(HMAC.code(Array(baseString.utf8), key: key, hash: hash), as: .standard)
        }
    }

    /// Whether a signature is right, in time that does not depend on where it is wrong.
    ///
    /// A key of the wrong kind for the method makes every signature wrong.
    package static func isValid(
        _ signature: String, for baseString: String, method: SignatureMethod, key: VerificationKey,
        tokenSecret: Secret? = nil
    ) -> Bool {
        switch key {
        case .rsa(let publicKey):
            guard method.usesRSA, let hash = method.hash, let bytes = Base64.decode(signature, as: .standard) else {
                return false
            }
            return publicKey.isValid(bytes, for: Array(baseString.utf8), hash: hash)
        case .secret(let secret):
            guard !method.usesRSA else { return false }
            let key = sharedKey(secret, tokenSecret)
            guard let hash = method.hash else { return Secret(text: signature).matches(key) }
            let code = HMAC.code(Array(baseString.utf8), key: key, hash: hash)
            return Base64.decode(signature, as: .standard).map { ConstantTime.equal($0, code) } ?? false
        }
    }

    private static func sharedKey(_ consumerSecret: Secret, _ tokenSecret: Secret?) -> Secret {
        var key = consumerSecret.reveal { PercentEncoding.encodedBytes($0) }
        key.append(UInt8(ascii: "&"))
        if let tokenSecret { key += tokenSecret.reveal { PercentEncoding.encodedBytes($0) } }
        return Secret(key)
    }
}
