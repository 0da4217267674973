// A reply is read as a form whatever its Content-Type says, and believed only when token and secret are both there.

package import Sealing

/// The answer to the first leg (RFC 5849 §2.1): a request token.
package struct TemporaryCredentialsReply: Sendable {
    /// The request token and its secret.
    package let credentials: TokenCredentials
    /// Whatever else the provider said.
    package let extra: [Parameter]

    /// Reads the body of a 200 reply.
    ///
    /// - Throws: ``OAuthError/callbackNotConfirmed`` without `oauth_callback_confirmed=true`, which is how a provider
    ///   open to session fixation answers; ``OAuthError/problem(_:)`` for a problem report.
    package static func parse(_ body: some Collection<UInt8>) throws(OAuthError) -> TemporaryCredentialsReply {
        let (credentials, extra) = try CredentialsForm.parse(body)
        // In any case: Authlib says "True". A provider of OAuth 1.0, which is what this is about, says nothing.
        guard extra.first("oauth_callback_confirmed")?.lowercased() == "true" else { throw .callbackNotConfirmed }
        return TemporaryCredentialsReply(
            credentials: credentials, extra: extra.filter { $0.name != "oauth_callback_confirmed" })
    }

    /// The body a provider answers with.
    package static func body(_ credentials: TokenCredentials) -> Secret {
        CredentialsForm.body(credentials, [Parameter("oauth_callback_confirmed", "true")])
    }
}

/// The answer to the third leg (RFC 5849 §2.3): an access token.
package struct TokenCredentialsReply: Sendable {
    /// The access token and its secret.
    package let credentials: TokenCredentials
    /// Whatever else the provider said, such as a user id.
    package let extra: [Parameter]

    /// Reads the body of a 200 reply.
    ///
    /// - Throws: ``OAuthError`` when token or secret are missing or repeated, or for a problem report.
    package static func parse(_ body: some Collection<UInt8>) throws(OAuthError) -> TokenCredentialsReply {
        let (credentials, extra) = try CredentialsForm.parse(body)
        return TokenCredentialsReply(credentials: credentials, extra: extra)
    }

    /// The body a provider answers with.
    package static func body(_ credentials: TokenCredentials, extra: [Parameter] = []) -> Secret {
        CredentialsForm.body(credentials, extra)
    }
}

private enum CredentialsForm {
    /// How large may such a reply be, in bytes?
    static let maximumSize = 65536

    static func parse(_ body: some Collection<UInt8>) throws(OAuthError) -> (TokenCredentials, [Parameter]) {
        guard body.count <= maximumSize else { throw .tooLarge("reply", limit: maximumSize) }
        let text = String(decoding: Array(body).withoutByteOrderMark, as: UTF8.self).trimmed
        let parameters = try FormCoding.parse(text)
        if let problem = OAuthProblem(parameters) { throw .problem(problem) }
        if let name = parameters.repeatedName(where: { $0.hasPrefix("oauth_") }) { throw .repeated(name) }
        guard let token = parameters.first("oauth_token"), !token.isEmpty else { throw .missing("oauth_token") }
        guard let secret = parameters.first("oauth_token_secret") else { throw .missing("oauth_token_secret") }
        let extra = parameters.filter { !["oauth_token", "oauth_token_secret"].contains($0.name) }
        return (TokenCredentials(token: token, secret: Secret(text: secret)), extra)
    }

    static func body(_ credentials: TokenCredentials, _ extra: [Parameter]) -> Secret {
        Secret(
            text: FormCoding.encode(
                [
                    Parameter("oauth_token", credentials.token),
                    Parameter("oauth_token_secret", credentials.secret.revealText()),
                ] + extra))
    }
}
