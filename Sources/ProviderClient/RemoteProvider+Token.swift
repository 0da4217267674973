// What can be done with a token whatever the protocol: ask whether it lives, and end it.

package import Delegation
package import OAuth
import Sealing

extension RemoteProvider {
    /// What the provider says to a request under a token.
    package enum Answer: Sendable, Equatable {
        /// The token lives.
        case honoured
        /// The token is dead (401).
        case notHonoured
        /// The token may live, but this is not allowed to it (403).
        case forbidden
        /// Anything else, which says nothing about the token.
        case unclear(status: Int)
    }

    /// Asks whether a token lives, at the profile's validation endpoint or else at its introspection endpoint; `nil` when
    /// the profile has neither.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply.
    package func validate(_ tokens: GrantTokens, consumer: Consumer) async throws -> Answer? {
        guard let endpoint = profile.validationEndpoint else { return try await introspected(tokens, consumer) }
        let url =
            profile.keyParameter.map { URLQuery.add([Parameter($0, consumer.key)], to: endpoint) } ?? endpoint
        let reply: RawReply
        // With OAuth 1.0a a 401 without a reason may be about our clock, until it comes to the provider's own time.
        var isPlainRefusalClear = true
        switch profile.endpoints {
        case .oauth1:
            (reply, isPlainRefusalClear) = try await sendCorrecting(
                SignedRequest(method: "GET", url: url, token: tokens.credentials), consumer)
        case .oauth2(let endpoints):
            reply = try await present(tokens, at: url, endpoints, consumer)
            // A proof that is not taken says nothing about the token.
            isPlainRefusalClear = !reply.challenges.contains {
                $0.contains("use_dpop_nonce") || $0.contains("invalid_dpop_proof")
            }
        }
        switch reply.status {
        case 200..<300: return .honoured
        case 401:
            let problem = OAuthProblem.parse(reply.body.revealBytes(), wwwAuthenticate: reply.wwwAuthenticate)
            return problem?.needsApproval ?? isPlainRefusalClear ? .notHonoured : .unclear(status: 401)
        case 403: return .forbidden
        default: return .unclear(status: reply.status)
        }
    }

    /// Sends a GET under a token, with a proof when the token is bound to a key.
    private func present(
        _ tokens: GrantTokens, at url: String, _ endpoints: OAuth2Endpoints, _ consumer: Consumer
    ) async throws(ProviderFailure) -> RawReply {
        let limit = limit
        let tls = endpoints.clientAuthentication == .tls ? try certificate(consumer.secret) : nil
        guard let pem = tokens.dpopKey, tokens.tokenType.lowercased() == "dpop" else {
            return try await send(
                OutgoingRequest(
                    method: "GET", url: url, authorization: BearerToken.authorization(tokens.accessToken), tls: tls),
                until: limit)
        }
        let key = try PrivateKeyPEM.proofKey(pem)
        func attempt() async throws(ProviderFailure) -> RawReply {
            try await send(
                OutgoingRequest(
                    method: "GET", url: url, authorization: Self.authorization(tokens.accessToken, scheme: "DPoP"),
                    proof: try makeProof("GET", url, key: key, token: tokens.accessToken), tls: tls),
                until: limit)
        }
        let reply = try await attempt()
        return asksForNonce(reply) ? try await attempt() : reply
    }

    private func introspected(_ tokens: GrantTokens, _ consumer: Consumer) async throws -> Answer? {
        guard case .oauth2(let endpoints) = profile.endpoints, endpoints.introspection != nil else { return nil }
        do {
            return try await introspect(tokens, consumer: consumer).active ? .honoured : .notHonoured
        } catch ProviderFailure.refused(let status, _) {
            return .unclear(status: status)
        }
    }

    /// Asks the provider about an access token (RFC 7662).
    ///
    /// - Throws: ``ProviderFailure``.
    package func introspect(_ tokens: GrantTokens, consumer: Consumer) async throws -> IntrospectionReply {
        guard let endpoint = try oauth2.introspection else {
            throw ProviderFailure.notOffered("introspection endpoint")
        }
        let parameters = [
            Parameter("token", tokens.accessToken.revealText()), Parameter("token_type_hint", "access_token"),
        ]
        let reply = try await ask(Question(url: endpoint, parameters: parameters), consumer)
        return try read(reply) { body throws(OAuthError) in try IntrospectionReply.parse(body) }
    }

    /// Ends the tokens at the provider; with OAuth 2 the refresh token, which ends its access tokens too (RFC 7009).
    ///
    /// - Throws: ``ProviderFailure``; ``ProviderFailure/notOffered(_:)`` when the profile knows no way.
    package func revoke(_ tokens: GrantTokens, consumer: Consumer) async throws {
        switch profile.endpoints {
        case .oauth1: try await revokeOAuth1(consumer: consumer, token: tokens.credentials)
        case .oauth2(let endpoints):
            guard let endpoint = endpoints.revocation else { throw ProviderFailure.notOffered("revocation endpoint") }
            let parameters = [
                Parameter("token", (tokens.refreshToken ?? tokens.accessToken).revealText()),
                Parameter("token_type_hint", tokens.refreshToken != nil ? "refresh_token" : "access_token"),
            ]
            try demandSuccess(try await ask(Question(url: endpoint, parameters: parameters), consumer))
        }
    }
}

extension GrantTokens {
    /// The pair that OAuth 1.0a signs with.
    package var credentials: TokenCredentials {
        TokenCredentials(token: accessToken.revealText(), secret: tokenSecret ?? Secret(text: ""))
    }
}
