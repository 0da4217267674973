// A reply with a usable token is kept even if the rest of it is odd: a rotated refresh token lost is a grant lost.

package import Sealing
package import StrictJSON

/// The tokens of a successful reply (RFC 6749 §5.1), the same value on both sides.
package struct TokenReply: Sendable {
    /// What the access token is presented as.
    package enum TokenType: Sendable, Equatable {
        /// RFC 6750; also when the reply does not say.
        case bearer
        /// RFC 9449.
        case dpop
        /// `N_A` in the reply to a token exchange: what was issued is no access token (RFC 8693 §2.2.1).
        case notApplicable
        /// Anything else, fit for a log; not to be used as if it were a bearer token.
        case other(String)

        /// The name on the wire.
        package var name: String {
            switch self {
            case .bearer: "Bearer"
            case .dpop: "DPoP"
            case .notApplicable: "N_A"
            case .other(let name): name
            }
        }
    }

    /// Visible ASCII, as it goes into the `Authorization` header.
    package let accessToken: Secret
    /// How it is to be presented.
    package let tokenType: TokenType
    /// Seconds from the moment the request was sent, 1 second to ten years; how soon it is refreshed is the keeper's to say.
    package let expiresIn: Int
    /// Whether ``expiresIn`` is a guess of the profile, because the reply gave none that makes sense.
    package let expiryIsAssumed: Bool
    /// A new refresh token; `nil` means the old one stays good.
    package let refreshToken: Secret?
    /// Seconds for which the refresh token lives, from the moment the request was sent; `nil` when the reply does not say.
    package let refreshExpiresIn: Int?
    /// What was granted; `nil` means as asked.
    package let scope: [String]?
    /// What was issued in a token exchange, one of the URIs of RFC 8693 §3, fit for a log.
    package let issuedTokenType: String?

    /// Gathers a reply.
    package init(
        accessToken: Secret, tokenType: TokenType = .bearer, expiresIn: Int, expiryIsAssumed: Bool = false,
        refreshToken: Secret? = nil, refreshExpiresIn: Int? = nil, scope: [String]? = nil,
        issuedTokenType: String? = nil
    ) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.expiresIn = expiresIn
        self.expiryIsAssumed = expiryIsAssumed
        self.refreshToken = refreshToken
        self.refreshExpiresIn = refreshExpiresIn
        self.scope = scope
        self.issuedTokenType = issuedTokenType
    }

    /// The body a server answers with, to be sent with `Cache-Control: no-store`.
    ///
    /// `extra` follows the standard members.
    package func body(extra: [JSON.Member] = []) -> Secret {
        var members: [JSON.Member] = [
            JSON.Member("access_token", .string(accessToken.revealText())),
            JSON.Member("token_type", .string(tokenType.name)),
            JSON.Member("expires_in", .integer(Int64(expiresIn))),
        ]
        if let refreshToken { members.append(JSON.Member("refresh_token", .string(refreshToken.revealText()))) }
        if let refreshExpiresIn {
            members.append(JSON.Member("refresh_token_expires_in", .integer(Int64(refreshExpiresIn))))
        }
        if let issuedTokenType { members.append(JSON.Member("issued_token_type", .string(issuedTokenType))) }
        if let scope { members.append(JSON.Member("scope", .string(scope.joined(separator: " ")))) }
        return Secret(JSON.object(members + extra).bytes)
    }
}
