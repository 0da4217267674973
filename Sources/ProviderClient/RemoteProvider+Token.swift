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

    /// Asks the profile's validation endpoint whether a token lives; `nil` when the profile has none.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply.
    package func validate(_ tokens: GrantTokens, consumer: Consumer) async throws -> Answer? {
        guard let url = profile.validationEndpoint else { return nil }
        let reply: RawReply
        // With OAuth 1.0a a 401 without a reason may be about our clock, until it comes to the provider's own time.
        var isPlainRefusalClear = true
        switch profile.endpoints {
        case .oauth1:
            (reply, isPlainRefusalClear) = try await sendCorrecting(
                "GET", url, consumer: consumer, token: tokens.credentials)
        case .oauth2:
            reply = try await send(
                OutgoingRequest(
                    method: "GET", url: url, authorization: BearerToken.authorization(tokens.accessToken)))
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

    /// Ends the tokens at the provider; with OAuth 2 the refresh token, which ends its access tokens too.
    ///
    /// - Throws: ``ProviderFailure``; ``ProviderFailure/notOffered(_:)`` when the profile knows no way.
    package func revoke(_ tokens: GrantTokens, consumer: Consumer) async throws {
        switch profile.endpoints {
        case .oauth1: try await revokeOAuth1(consumer: consumer, token: tokens.credentials)
        case .oauth2:
            try await revokeOAuth2(
                tokens.refreshToken ?? tokens.accessToken, isRefreshToken: tokens.refreshToken != nil,
                consumer: consumer)
        }
    }

    func demandSuccess(_ reply: RawReply) throws(ProviderFailure) {
        if reply.isSuccess { return }
        guard !(300..<400).contains(reply.status) else { throw .redirected(status: reply.status) }
        let body = reply.body.revealBytes()
        let code =
            OAuthProblem.parse(body, wwwAuthenticate: reply.wwwAuthenticate)?.code ?? TokenError.parse(body)?.code
        throw .refused(status: reply.status, code: code)
    }
}

extension GrantTokens {
    /// The pair that OAuth 1.0a signs with.
    package var credentials: TokenCredentials {
        TokenCredentials(token: accessToken.revealText(), secret: tokenSecret ?? Secret(text: ""))
    }
}
