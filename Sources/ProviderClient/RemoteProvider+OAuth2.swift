// A token endpoint is asked for tokens; what it says is made durable by the caller before anybody reads it.

package import Delegation
import OAuth
package import Sealing

extension RemoteProvider {
    /// Changes a code for tokens; the reply is not read here.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply. The code must not be sent again then.
    package func exchange(
        code: Secret, verifier: Secret, redirectURI: String, consumer: Consumer, dpopKey: Secret? = nil
    ) async throws -> RawReply {
        try await ask(.authorizationCode(code, redirectURI: redirectURI, verifier: verifier), consumer, dpopKey)
    }

    /// Changes a refresh token for tokens; the reply is not read here, so that it can be made durable first.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply.
    package func refresh(_ token: Secret, consumer: Consumer, dpopKey: Secret? = nil) async throws -> RawReply {
        try await ask(.refreshToken(token), consumer, dpopKey)
    }

    /// Asks for a token of the consumer's own (RFC 6749 §4.4); the reply is not read here.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply, or the profile does not say that there is such a grant.
    package func clientCredentials(
        consumer: Consumer, scopes: [String], dpopKey: Secret? = nil
    ) async throws -> RawReply {
        guard try oauth2.offersClientCredentials else { throw ProviderFailure.notOffered("client credentials grant") }
        return try await ask(.clientCredentials(scope: scopes), consumer, dpopKey)
    }

    /// Changes a short-lived access token for one that lives longer, in the profile's words; the reply is not read here.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply, or the profile knows no such exchange.
    package func longLived(_ accessToken: Secret, consumer: Consumer) async throws -> RawReply {
        let endpoints = try oauth2
        guard let exchange = endpoints.longLivedExchange else {
            throw ProviderFailure.notOffered("exchange for a long-lived token")
        }
        let parameters = [
            Parameter("grant_type", exchange.grantType), Parameter(exchange.parameter, accessToken.revealText()),
        ]
        return try await ask(Question(url: endpoints.token, parameters: parameters), consumer)
    }

    /// Changes a grant's access token for another one (RFC 8693); the reply is to be read with ``tokenExchangeOptions``.
    ///
    /// - Parameters:
    ///   - tokens: The grant's tokens.
    ///   - audience: The services the new token is for, by name.
    ///   - resource: The services the new token is for, by URL.
    ///   - scopes: What the new token shall allow; empty for what the old one does.
    ///   - consumer: Who asks.
    /// - Returns: The reply, not yet read.
    /// - Throws: ``ProviderFailure`` when there is no whole reply, or the profile does not say that there is such a grant.
    package func exchangeToken(
        _ tokens: GrantTokens, audience: [String], resource: [String], scopes: [String], consumer: Consumer
    ) async throws -> RawReply {
        guard try oauth2.offersTokenExchange else { throw ProviderFailure.notOffered("token exchange") }
        let exchange = TokenExchange(subjectToken: tokens.accessToken, audience: audience, scope: scopes)
        return try await ask(.tokenExchange(exchange), consumer, tokens.dpopKey, resource: resource)
    }

    /// Sends a token request; `extra` and `names` are a dialect's, the profile's own parameters come on top.
    func ask(
        _ grant: TokenRequest.Grant, _ consumer: Consumer, _ dpopKey: Secret?, resource: [String]? = nil,
        extra: [Parameter] = [], names: [String: String] = [:]
    ) async throws(ProviderFailure) -> RawReply {
        let endpoints = try oauth2
        let own = Self.parameters(endpoints.extraTokenParameters)
        let request = TokenRequest(
            grant: grant, resource: resource ?? endpoints.resources,
            extra: extra.filter { one in !own.contains { $0.name == one.name } } + own, parameterNames: names)
        let separator = profile.scopeSeparator
        let key: JWTSigningKey? =
            if endpoints.usesDPoP, let dpopKey { try PrivateKeyPEM.proofKey(dpopKey) } else { nil }
        let question = Question(url: endpoints.token, key: key) { authentication in
            request.message(authentication: authentication, scopeSeparator: separator).body
        }
        return try await ask(question, consumer)
    }

    static func parameters(_ extra: [String: String]) -> [Parameter] {
        extra.sorted { $0.key < $1.key }.map { Parameter($0.key, $0.value) }
    }
}
