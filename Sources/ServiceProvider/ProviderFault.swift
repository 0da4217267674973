// A refusal knows how its asker reads: a person gets a page, an OAuth library its own error form, everyone else a
// problem document. None of them holds a secret or anything internal.

package import OAuth

/// Why the provider does not do what a request asks.
package enum ProviderFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// For a person: what is wrong, and what to do.
    case notice(status: Int, title: String, advice: String)
    /// For a program (RFC 9457).
    case problem(status: Int, title: String, detail: String)
    /// At an OAuth 1.0a endpoint.
    case oauth1(OAuth1Refusal)
    /// At an OAuth 2 endpoint (RFC 6749 §5.2).
    case oauth2(OAuth2Refusal)
    /// A protected resource was asked for without a token, or with one that is no good (RFC 6750 §3).
    case token(BearerFault)
    /// Too much at once, or too often; try again in so many seconds.
    case tooOften(seconds: Int)

    /// Why a bearer token is refused (RFC 6750 §3.1).
    package enum BearerFault: String, Sendable {
        /// No token at all.
        case absent = ""
        case invalidRequest = "invalid_request"
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"
        /// The key that the token is bound to was not proved to be there (RFC 9449 §7.1).
        case invalidProof = "invalid_dpop_proof"
        /// The proof needs the nonce that comes with the reply (RFC 9449 §9).
        case useNonce = "use_dpop_nonce"
    }

    package var description: String {
        switch self {
        case .notice(let status, let title, _), .problem(let status, let title, _): "\(status) \(title)"
        case .oauth1(let refusal): refusal.description
        case .oauth2(let refusal): refusal.description
        case .token(.absent): "no token"
        case .token(let fault): fault.rawValue
        case .tooOften(let seconds): "too often, again in \(seconds) s"
        }
    }
}

extension ProviderFault {
    /// The device is none of this home, as far as the asker may know.
    package static let noSuchDevice = ProviderFault.problem(
        status: 404, title: "No such device", detail: "there is no device of that id or name")

    static let wrongForm = ProviderFault.notice(
        status: 403, title: "This page is out of date",
        advice: "Nothing was changed. Go back, reload the page and try again.")

    static let foreignOrigin = ProviderFault.notice(
        status: 403, title: "This came from another site",
        advice: "Nothing was changed. Start again from the app, or from this home's own page.")
}
