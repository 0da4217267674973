// Every way to refuse has exactly one error code of the RFCs and one status; descriptions name parameters, not values.

/// Why an authorisation server refuses a request: RFC 6749 §4.1.2.1 and §5.2, and the RFCs named with the cases.
package enum OAuth2Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The request cannot be read as a form.
    case malformedRequest
    /// The token endpoint takes POST with a form body and nothing in the query.
    case notAFormPost
    /// A parameter came more than once.
    case repeatedParameter(String)
    /// A parameter that must be there is not.
    case missingParameter(String)
    /// A parameter has a form it must not have.
    case malformedParameter(String)
    /// Only `code` is granted.
    case unsupportedResponseType
    /// PKCE is mandatory, with S256 only.
    case challengeMethod
    /// The client authenticated in two ways at once.
    case severalAuthentications
    /// The client is unknown or its secret wrong; `usedHeader` is whether it came in `Authorization`.
    case invalidClient(usedHeader: Bool)
    /// Code or refresh token are unknown, used, expired, another client's, or do not fit the rest of the request.
    case invalidGrant
    /// This client may not use this grant type.
    case unauthorizedClient
    /// Nobody may use this grant type here.
    case unsupportedGrantType
    /// The scope is unknown or more than the client or the owner allows.
    case invalidScope
    /// The resource is not one this server issues tokens for.
    case invalidTarget
    /// The owner said no.
    case accessDenied
    /// Nobody has entered the user code yet (RFC 8628 §3.5).
    case authorizationPending
    /// The device asks too often; it must wait five seconds longer from now on (RFC 8628 §3.5).
    case slowDown
    /// The device code is too old (RFC 8628 §3.5).
    case expiredToken
    /// The proof of possession is missing or wrong (RFC 9449 §5).
    case invalidDPoPProof
    /// The proof must carry the nonce of the `DPoP-Nonce` header (RFC 9449 §8).
    case useDPoPNonce
    /// The authorisation details are malformed, or of a type that is not known here (RFC 9396 §5).
    case invalidAuthorizationDetails
    /// The pushed request is unknown, used, expired or another client's (RFC 9101 §7).
    case invalidRequestURI
    /// Tokens of this kind cannot be withdrawn (RFC 7009 §2.2.1).
    case unsupportedTokenType
    /// `prompt=none`, but nobody is signed in (OpenID Connect Core §3.1.2.6).
    case loginRequired
    /// `prompt=none`, but the owner has to be asked (OpenID Connect Core §3.1.2.6).
    case consentRequired
    /// `prompt=none`, but a page must be shown for another reason (OpenID Connect Core §3.1.2.6).
    case interactionRequired
    /// Something is broken here.
    case serverError
    /// Something is overloaded here.
    case temporarilyUnavailable

    /// The value of `error`.
    package var code: String {
        switch self {
        case .malformedRequest, .notAFormPost, .repeatedParameter, .missingParameter, .challengeMethod,
            .severalAuthentications:
            "invalid_request"
        case .malformedParameter(let name): name == "resource" ? "invalid_target" : "invalid_request"
        case .unsupportedResponseType: "unsupported_response_type"
        case .invalidClient: "invalid_client"
        case .invalidGrant: "invalid_grant"
        case .unauthorizedClient: "unauthorized_client"
        case .unsupportedGrantType: "unsupported_grant_type"
        case .invalidScope: "invalid_scope"
        case .invalidTarget: "invalid_target"
        case .accessDenied: "access_denied"
        case .authorizationPending: "authorization_pending"
        case .slowDown: "slow_down"
        case .expiredToken: "expired_token"
        case .invalidDPoPProof: "invalid_dpop_proof"
        case .useDPoPNonce: "use_dpop_nonce"
        case .invalidAuthorizationDetails: "invalid_authorization_details"
        case .invalidRequestURI: "invalid_request_uri"
        case .unsupportedTokenType: "unsupported_token_type"
        case .loginRequired: "login_required"
        case .consentRequired: "consent_required"
        case .interactionRequired: "interaction_required"
        case .serverError: "server_error"
        case .temporarilyUnavailable: "temporarily_unavailable"
        }
    }

    /// The HTTP status at the token endpoint; 401 goes with a `WWW-Authenticate: Basic` header.
    package var status: Int {
        switch self {
        case .invalidClient(usedHeader: true): 401
        case .serverError: 500
        case .temporarilyUnavailable: 503
        default: 400
        }
    }

    /// One line for a log, without any value of the request.
    package var description: String {
        switch self {
        case .malformedRequest: "request cannot be read"
        case .notAFormPost: "request must be POST with a form body and no query"
        case .repeatedParameter(let name): "parameter \"\(DisplayText.sanitised(name, limit: 64))\" more than once"
        case .missingParameter(let name): "parameter \"\(name)\" is missing"
        case .malformedParameter(let name): "parameter \"\(name)\" is malformed"
        case .unsupportedResponseType: "response type must be code"
        case .challengeMethod: "code challenge method must be S256"
        case .severalAuthentications: "client authenticated in more than one way"
        case .invalidClient: "client is unknown or its credentials are wrong"
        case .invalidGrant: "grant is unknown, used, expired or not this client's"
        case .unauthorizedClient: "client may not use this grant type"
        case .unsupportedGrantType: "grant type is not supported"
        case .invalidScope: "scope is unknown or too wide"
        case .invalidTarget: "resource is unknown"
        case .accessDenied: "owner denied the request"
        case .authorizationPending: "user code has not been entered yet"
        case .slowDown: "device asks too often"
        case .expiredToken: "device code has expired"
        case .invalidDPoPProof: "proof of possession is missing or wrong"
        case .useDPoPNonce: "proof of possession must carry the nonce of the DPoP-Nonce header"
        case .invalidAuthorizationDetails: "authorization details are malformed or of an unknown type"
        case .invalidRequestURI: "request_uri is unknown, used, expired or not this client's"
        case .unsupportedTokenType: "tokens of this kind cannot be revoked"
        case .loginRequired: "nobody is signed in"
        case .consentRequired: "owner has to be asked"
        case .interactionRequired: "a page has to be shown"
        case .serverError: "internal error"
        case .temporarilyUnavailable: "temporarily overloaded"
        }
    }

    /// A description that fits `error_description` (RFC 6749 Appendix A.8: no quote, no backslash).
    package var wireDescription: String {
        String(
            String.UnicodeScalarView(
                description.unicodeScalars.filter {
                    (0x20...0x7E).contains($0.value) && $0 != "\"" && $0 != "\\"
                }))
    }
}
