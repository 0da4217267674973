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
        try make(Array(baseString.utf8), method: method, key: key, tokenSecret: tokenSecret)
    }

    static func make(
        _ baseString: [UInt8], method: SignatureMethod, key: SigningKey, tokenSecret: Secret? = nil
    ) throws -> String {
        switch key {
        case .rsa(let privateKey):
            guard method.usesRSA, let hash = method.hash else { throw OAuthError.keyMismatch(method) }
            return Base64.encode(try privateKey.sign(baseString, hash: hash), as: .standard)
        case .secret(let secret):
            guard !method.usesRSA else { throw OAuthError.keyMismatch(method) }
            var key = sharedKey(secret, tokenSecret)
            guard let hash = method.hash else { return Secret(key).revealText() }
            return Base64.encode(HMAC.code(baseString, wiping: &key, hash: hash), as: .standard)
        }
    }

    /// Whether a signature is right, in time that does not depend on where it is wrong.
    ///
    /// A key of the wrong kind for the method makes every signature wrong.
    package static func isValid(
        _ signature: String, for baseString: String, method: SignatureMethod, key: VerificationKey,
        tokenSecret: Secret? = nil
    ) -> Bool {
        isValid(
            Array(signature.utf8), for: Array(baseString.utf8), method: method, key: key, tokenSecret: tokenSecret)
    }

    static func isValid(
        _ signature: [UInt8], for baseString: [UInt8], method: SignatureMethod, key: VerificationKey,
        tokenSecret: Secret?
    ) -> Bool {
        switch key {
        case .rsa(let publicKey):
            guard method.usesRSA, let hash = method.hash, let bytes = Base64.decode(signature, as: .standard) else {
                return false
            }
            return publicKey.isValid(bytes, for: baseString, hash: hash)
        case .secret(let secret):
            guard !method.usesRSA else { return false }
            var key = sharedKey(secret, tokenSecret)
            guard let hash = method.hash else { return ConstantTime.equal(signature, key) }
            let code = HMAC.code(baseString, wiping: &key, hash: hash)
            return Base64.decode(signature, as: .standard).map { ConstantTime.equal($0, code) } ?? false
        }
    }

    /// The key of the HMAC methods, and the whole signature of PLAINTEXT; whoever asks for it wipes it.
    private static func sharedKey(_ consumerSecret: Secret, _ tokenSecret: Secret?) -> [UInt8] {
        var key: [UInt8] = []
        // Room for all of it, so that growing leaves no copies behind.
        key.reserveCapacity(3 * (consumerSecret.count + (tokenSecret?.count ?? 0)) + 1)
        consumerSecret.reveal { PercentEncoding.append($0, to: &key) }
        key.append(UInt8(ascii: "&"))
        tokenSecret?.reveal { PercentEncoding.append($0, to: &key) }
        return key
    }
}
