// OAuth 2 with one provider: the code flow with PKCE, refresh, revocation (RFC 6749, 7636, 7009).

package import Delegation
package import OAuth
package import Sealing

extension RemoteProvider {
    /// The page where the owner approves.
    ///
    /// - Parameters:
    ///   - consumer: Who asks.
    ///   - redirectURI: Where the browser comes back to.
    ///   - scopes: What is asked for.
    ///   - state: Comes back with the browser, once.
    ///   - challenge: The S256 challenge of the verifier that will be sent with the code.
    /// - Returns: The URL to send the owner's browser to.
    /// - Throws: ``ProviderFailure/notPinned(host:)``, or `OAuthError` for an endpoint that is not secure.
    package func authorizationURL(
        consumer: Consumer, redirectURI: String, scopes: [String], state: Secret, challenge: String
    ) throws -> String {
        let endpoints = try oauth2
        _ = try origins.check(endpoints.authorization)
        let request = AuthorizationRequest(
            clientID: consumer.key, redirectURI: redirectURI, scope: scopes, state: state.revealText(),
            codeChallenge: challenge, extra: Self.parameters(endpoints.extraAuthorizationParameters))
        return try request.url(endpoint: endpoints.authorization, scopeSeparator: profile.scopeSeparator)
    }

    /// Changes a code for tokens; the reply is not read here.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply. The code must not be sent again then.
    package func exchange(
        code: Secret, verifier: Secret, redirectURI: String, consumer: Consumer
    ) async throws -> RawReply {
        try await ask(.authorizationCode(code, redirectURI: redirectURI, verifier: verifier), consumer)
    }

    /// Changes a refresh token for tokens; the reply is not read here, so that it can be made durable first.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply.
    package func refresh(_ token: Secret, consumer: Consumer) async throws -> RawReply {
        try await ask(.refreshToken(token), consumer)
    }

    /// How the replies of this provider's token endpoint are read.
    package var tokenReplyOptions: RefreshVerdict.Options {
        var options = RefreshVerdict.Options()
        if case .oauth2(let endpoints) = profile.endpoints { options.reply.defaultLifetime = endpoints.defaultLifetime }
        if let separator = profile.scopeSeparator.first { options.reply.scopeSeparator = separator }
        return options
    }

    private func ask(_ grant: TokenRequest.Grant, _ consumer: Consumer) async throws -> RawReply {
        let endpoints = try oauth2
        let message = TokenRequest(grant: grant, extra: Self.parameters(endpoints.extraTokenParameters)).message(
            authentication: Self.authentication(endpoints, consumer), scopeSeparator: profile.scopeSeparator)
        return try await send(
            OutgoingRequest(
                method: "POST", url: endpoints.token, authorization: message.authorization, form: message.body))
    }

    /// Ends a token (RFC 7009).
    func revokeOAuth2(_ token: Secret, isRefreshToken: Bool, consumer: Consumer) async throws {
        let endpoints = try oauth2
        guard let endpoint = endpoints.revocation else { throw ProviderFailure.notOffered("revocation endpoint") }
        let authentication = Self.authentication(endpoints, consumer)
        let form =
            [
                Parameter("token", token.revealText()),
                Parameter("token_type_hint", isRefreshToken ? "refresh_token" : "access_token"),
            ] + authentication.parameters
        try demandSuccess(
            try await send(
                OutgoingRequest(
                    method: "POST", url: endpoint, authorization: authentication.authorization,
                    form: Secret(text: FormCoding.encode(form)))))
    }

    private static func authentication(_ endpoints: OAuth2Endpoints, _ consumer: Consumer) -> ClientAuthentication {
        switch endpoints.clientAuthentication {
        case .basic: .basic(clientID: consumer.key, secret: consumer.secret, encoding: .rfc)
        case .basicRaw: .basic(clientID: consumer.key, secret: consumer.secret, encoding: .raw)
        case .post: .post(clientID: consumer.key, secret: consumer.secret)
        case .none: .none(clientID: consumer.key)
        }
    }

    private static func parameters(_ extra: [String: String]) -> [Parameter] {
        extra.sorted { $0.key < $1.key }.map { Parameter($0.key, $0.value) }
    }
}
