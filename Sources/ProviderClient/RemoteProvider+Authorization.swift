// Where there is a back channel the request goes through it, so that the owner's browser carries nothing but its name.

package import Delegation
import OAuth
package import Sealing

extension RemoteProvider {
    /// The page where the owner approves; pushes the request beforehand where the profile can (RFC 9126).
    ///
    /// - Parameters:
    ///   - consumer: Who asks.
    ///   - redirectURI: Where the browser comes back to.
    ///   - scopes: What is asked for.
    ///   - state: Comes back with the browser, once.
    ///   - challenge: The S256 challenge of the verifier that will be sent with the code.
    ///   - dpopKey: The key the tokens will be bound to; the code is bound to it too (RFC 9449 §10).
    /// - Returns: The URL to send the owner's browser to.
    /// - Throws: ``ProviderFailure``.
    package func authorizationURL(
        consumer: Consumer, redirectURI: String, scopes: [String], state: Secret, challenge: String,
        dpopKey: Secret? = nil
    ) async throws -> String {
        let endpoints = try oauth2
        guard let page = endpoints.authorization else { throw ProviderFailure.notOffered("authorization endpoint") }
        try origins.check(page)
        let key = endpoints.usesDPoP ? try dpopKey.map { try PrivateKeyPEM.proofKey($0) } : nil
        let request = AuthorizationRequest(
            clientID: consumer.key, redirectURI: redirectURI, scope: scopes, state: state.revealText(),
            codeChallenge: challenge, resource: endpoints.resources,
            dpopThumbprint: key?.verificationKey.thumbprint)
        let extra = Self.parameters(endpoints.extraAuthorizationParameters)
        // The profile wins, as at the token endpoint.
        let parameters =
            request.parameters(scopeSeparator: profile.scopeSeparator)
            .filter { own in !extra.contains { $0.name == own.name } } + extra
        func address(_ parameters: [Parameter]) -> String {
            let renamed = parameters.map {
                $0.name == "client_id" ? Parameter(endpoints.clientIDParameter, $0.value) : $0
            }
            return URLQuery.add(renamed, to: page)
        }
        guard let endpoint = endpoints.pushedAuthorization else { return address(parameters) }
        let name = try await push(parameters, to: endpoint, consumer)
        return address([Parameter("client_id", consumer.key), Parameter("request_uri", name)])
    }

    /// Leaves a request with the provider; returns the name it is known by.
    private func push(
        _ parameters: [Parameter], to endpoint: String, _ consumer: Consumer
    ) async throws(ProviderFailure) -> String {
        let question = Question(url: endpoint, key: nil) { authentication in
            // Some authentications name the client too, which must not stand there twice.
            let own = authentication.parameters
            let rest = parameters.filter { one in !own.contains { $0.name == one.name } }
            return Secret(text: FormCoding.encode(rest + own))
        }
        let reply = try await ask(question, consumer)
        return try read(reply) { body throws(OAuthError) in
            try PushedAuthorizationReply.parse(status: reply.status, contentType: reply.contentType, body: body)
        }.requestURI
    }
}
