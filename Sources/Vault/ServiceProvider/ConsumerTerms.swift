// How a consumer proves itself is settled when it is registered, or by its first good signature, and never by a request.

import GRDB
package import StrictJSON

/// How a client proves itself at an OAuth 2 endpoint.
package enum ConsumerAuthentication: String, Sendable, CaseIterable {
    /// A shared secret, in the header or in the body (`client_secret_basic`, `client_secret_post`).
    case secret
    /// Assertions signed with a key of its own (RFC 7523).
    case privateKeyJWT = "private_key_jwt"
    /// Not at all: a public client.
    case none
}

/// What was agreed with a consumer of the home's provider.
package struct ConsumerTerms: Sendable, Equatable {
    /// How it proves itself at OAuth 2 endpoints.
    package var authentication = ConsumerAuthentication.secret
    /// `oauth_signature_method` of every request; `nil` until its first good signature with an HMAC method settles it.
    package var signatureMethod: String?
    /// The `grant_type` values it may use at the token endpoint.
    package var grantTypes = ["authorization_code", "refresh_token"]
    /// Its public keys, a JWK Set.
    package var keys: JSON?
    /// Whether a refresh token is good once.
    package var rotatesRefreshTokens = false
    /// Whether authorisation requests have to be pushed (RFC 9126 §6).
    package var requiresPushedRequests = false
    /// Whether tokens have to be bound to a key (RFC 9449 §5.2).
    package var requiresDPoP = false

    /// The usual: a secret, the code flow, refresh tokens that stay.
    package init() {}

    init(_ columns: Columns) throws {
        authentication = try columns.choice("authentication")
        signatureMethod = try columns.optionalText("signature_method")
        grantTypes = try columns.words("grant_types")
        keys = try columns.optionalText("jwks") == nil ? nil : try columns.json("jwks")
        rotatesRefreshTokens = try columns.flag("rotates_refresh_tokens")
        requiresPushedRequests = try columns.flag("requires_pushed_requests")
        requiresDPoP = try columns.flag("requires_dpop")
    }
}
