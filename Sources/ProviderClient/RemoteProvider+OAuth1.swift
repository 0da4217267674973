// OAuth 1.0a with one provider (RFC 5849): three legs, then signed requests.

package import Delegation
package import OAuth
package import Sealing

extension RemoteProvider {
    /// Asks for a request token (§2.1).
    ///
    /// - Parameters:
    ///   - consumer: Who asks.
    ///   - callback: Where the owner's browser comes back to, or `oob`.
    ///   - scopes: Sent in the profile's scope parameter; without one they are not sent.
    /// - Returns: The request token and its secret.
    /// - Throws: ``ProviderFailure``, also when the provider does not confirm the callback.
    package func temporaryCredentials(
        consumer: Consumer, callback: String, scopes: [String]
    ) async throws -> TokenCredentials {
        let endpoints = try oauth1
        let form: [Parameter] =
            if let name = endpoints.scopeParameter, !scopes.isEmpty {
                [Parameter(name, scopes.joined(separator: profile.scopeSeparator))]
            } else { [] }
        let reply = try await sendSigned(
            "POST", endpoints.requestToken, form: form, consumer: consumer, token: nil, callback: callback)
        return try read(reply) { body throws(OAuthError) in try TemporaryCredentialsReply.parse(body).credentials }
    }

    /// The page where the owner approves a request token (§2.2).
    package func authorizeURL(requestToken: String) throws -> String {
        let endpoints = try oauth1
        try origins.check(endpoints.authorize)
        return URLQuery.add(
            [Parameter("oauth_token", requestToken)] + Self.parameters(endpoints.extraAuthorizeParameters),
            to: endpoints.authorize)
    }

    /// Changes an approved request token for an access token (§2.3).
    ///
    /// - Returns: The access token, and what was granted when the provider says so.
    /// - Throws: ``ProviderFailure``.
    package func tokenCredentials(
        consumer: Consumer, requestToken: TokenCredentials, verifier: Secret
    ) async throws -> (credentials: TokenCredentials, scopes: [String]?) {
        let endpoints = try oauth1
        let reply = try await sendSigned(
            "POST", endpoints.accessToken, consumer: consumer, token: requestToken, verifier: verifier)
        let parsed = try read(reply) { body throws(OAuthError) in try TokenCredentialsReply.parse(body) }
        let scopes = endpoints.scopeParameter.flatMap { name in parsed.extra.first { $0.name == name }?.value }
        return (parsed.credentials, scopes?.split { $0 == " " || $0 == "," }.map(String.init))
    }
}
