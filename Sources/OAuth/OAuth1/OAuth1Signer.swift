// What is signed is what is sent: the header is written from the very parameters the base string was made of.

package import Sealing

/// Signs requests as a consumer (RFC 5849 §3.1).
package enum OAuth1Signer {
    /// Builds the `Authorization` header of a request.
    ///
    /// - Parameters:
    ///   - request: The request as it will be sent; query and form body must not hold `oauth_` parameters.
    ///   - consumer: Who signs.
    ///   - token: The request or access token, `nil` for the first leg.
    ///   - method: A method that fits the consumer's key.
    ///   - callback: `oauth_callback`, for the first leg: an absolute URL or `oob`.
    ///   - verifier: `oauth_verifier`, for the third leg.
    ///   - realm: The protection space; never signed.
    ///   - timestamp: Seconds since 1970; must never go back for one consumer and token.
    ///   - nonce: Unique for this timestamp, consumer and token.
    ///   - bodyHash: The function of `oauth_body_hash`, for providers that want it; ignored for a form body.
    ///   - sendsVersion: Whether `oauth_version` is sent, which some providers demand and none may refuse.
    /// - Returns: The header's value. With PLAINTEXT it holds the secrets themselves.
    /// - Throws: ``OAuthError`` for a request that cannot be signed, `SealingError` when the RSA key fails.
    package static func authorizationHeader(
        for request: OAuth1Request, consumer: ConsumerCredentials, token: TokenCredentials? = nil,
        method: SignatureMethod, callback: String? = nil, verifier: String? = nil, realm: String? = nil,
        timestamp: Int, nonce: String, bodyHash: HashFunction? = nil, sendsVersion: Bool = true
    ) throws -> String {
        guard let parts = AbsoluteURL(request.url) else { throw OAuthError.badURL(request.url) }
        if method == .plaintext, !parts.isTrustworthy { throw OAuthError.plaintextWithoutTLS }
        let others = try FormCoding.parse(parts.query ?? "") + request.bodyParameters()
        if let clash = others.first(where: { $0.name.hasPrefix("oauth_") }) { throw OAuthError.repeated(clash.name) }

        var parameters = [
            Parameter("oauth_consumer_key", consumer.key),
            Parameter("oauth_signature_method", method.rawValue),
            Parameter("oauth_timestamp", String(timestamp)),
            Parameter("oauth_nonce", nonce),
        ]
        func add(_ name: String, _ value: String?) {
            if let value { parameters.append(Parameter(name, value)) }
        }
        add("oauth_token", token?.token)
        add("oauth_callback", callback)
        add("oauth_verifier", verifier)
        add("oauth_version", sendsVersion ? "1.0" : nil)
        add("oauth_body_hash", request.hasFormBody ? nil : bodyHash.map { BodyHash.make(request.body, hash: $0) })
        let signature = try Signature.make(
            BaseString.bytes(request, parts, others + parameters), method: method, key: consumer.signingKey,
            tokenSecret: token?.secret)
        add("oauth_signature", signature)
        return AuthorizationHeader(realm: realm, parameters: parameters).text
    }
}
