// The owner's browser brings back the verifier; it counts only with the token this transaction started with.

package import Sealing

/// The redirect from the provider back to the consumer (RFC 5849 §2.2).
package struct CallbackReply: Sendable {
    /// What proves the owner's approval.
    package let verifier: Secret

    /// Reads the query of the callback.
    ///
    /// - Parameters:
    ///   - query: What follows `?`.
    ///   - token: The request token of this transaction.
    /// - Returns: The verifier.
    /// - Throws: ``OAuthError/stateMismatch`` for another token, ``OAuthError/repeated(_:)``, ``OAuthError/missing(_:)``.
    package static func parse(query: String, expecting token: String) throws(OAuthError) -> CallbackReply {
        let parameters = try FormCoding.parse(query)
        if let name = parameters.repeatedName(where: { $0.hasPrefix("oauth_") }) { throw .repeated(name) }
        guard let found = parameters.first("oauth_token"), ConstantTime.equal(found, token) else {
            throw .stateMismatch
        }
        guard let verifier = parameters.first("oauth_verifier"), !verifier.isEmpty else {
            throw .missing("oauth_verifier")
        }
        return CallbackReply(verifier: Secret(text: verifier))
    }

    /// The URL a provider sends the owner's browser to; an existing query stays (§2.2).
    ///
    /// - Throws: ``OAuthError/malformedURL(_:)`` when the callback is not absolute.
    package static func redirectURL(
        callback: String, token: String, verifier: Secret
    ) throws(OAuthError) -> String {
        try QueryAppending.url(
            callback,
            [Parameter("oauth_token", token), Parameter("oauth_verifier", verifier.revealText())])
    }

    /// The same for an owner who did not approve: a problem report in the place of the verifier.
    ///
    /// - Throws: ``OAuthError/malformedURL(_:)`` when the callback is not absolute.
    package static func redirectURL(
        callback: String, token: String, refusal: OAuth1Refusal
    ) throws(OAuthError) -> String {
        try QueryAppending.url(callback, [Parameter("oauth_token", token)] + refusal.report)
    }
}
