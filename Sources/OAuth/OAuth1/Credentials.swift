// A key and the kind of signature it makes are one value, so an RSA key can never be used as an HMAC secret.

package import Sealing

/// What a consumer signs with.
package enum SigningKey: Sendable {
    /// The shared consumer secret, for the HMAC methods and PLAINTEXT.
    case secret(Secret)
    /// The consumer's RSA key.
    case rsa(RSAPrivateKey)
}

/// What a provider verifies with.
package enum VerificationKey: Sendable {
    /// The shared consumer secret, for the HMAC methods and PLAINTEXT.
    case secret(Secret)
    /// The RSA key bound to the consumer when it was registered.
    case rsa(RSAPublicKey)

    /// A secret nobody knows, to be verified against when the consumer or token is unknown, so that this takes as long
    /// as a wrong signature.
    package static let decoy = VerificationKey.secret(.random(count: 24))
}

/// A consumer's identity at one provider (RFC 5849 §1.1: client credentials).
package struct ConsumerCredentials: Sendable {
    /// The public identifier, `oauth_consumer_key`.
    package let key: String
    /// What requests are signed with.
    package let signingKey: SigningKey

    /// A consumer that shares a secret with the provider.
    package init(key: String, secret: Secret) {
        self.key = key
        signingKey = .secret(secret)
    }

    /// A consumer that signs with its own RSA key.
    package init(key: String, privateKey: RSAPrivateKey) {
        self.key = key
        signingKey = .rsa(privateKey)
    }
}

/// A request token or an access token with its secret (RFC 5849 §1.1: temporary or token credentials).
package struct TokenCredentials: Sendable {
    /// The value of `oauth_token`.
    package let token: String
    /// The other half of the HMAC key.
    package let secret: Secret

    /// Pairs a token with its secret.
    package init(token: String, secret: Secret) {
        self.token = token
        self.secret = secret
    }
}
