// A failure says whether the provider may have acted; it never holds what was sent or what came back.

package import OAuth

/// Why talking to a provider came to nothing.
package enum ProviderFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nothing the provider could act on has left: name resolution, connection or TLS handshake failed.
    case notSent(host: String, reason: String)
    /// The request left and no whole answer came back: the provider may have acted on it.
    case interrupted(host: String, reason: String)
    /// The answer points somewhere else; nobody follows, because the secrets would.
    case redirected(status: Int)
    /// The answer is larger than anything an honest provider says; the limit is in bytes.
    case tooLarge(limit: Int)
    /// The URL is not on one of the hosts and ports of the profile.
    case notPinned(host: String)
    /// The profile does not speak this protocol, or has no such endpoint; the payload names it.
    case notOffered(String)
    /// The consumer's secret or the grant's key is not of the kind that the profile needs; the payload names what is.
    case unusableKey(String)
    /// What is to be sent cannot be signed.
    case unusableRequest(OAuthError)
    /// The provider said no; the code is fit for a log.
    case refused(status: Int, code: String?)
    /// The provider agreed, in words that cannot be used.
    case unusable(OAuthError)

    /// Whether the provider may have done what it was asked although no answer says so.
    package var mayHaveTakenEffect: Bool {
        switch self {
        case .interrupted, .tooLarge, .unusable: true
        case .notSent, .redirected, .notPinned, .notOffered, .unusableKey, .unusableRequest, .refused: false
        }
    }

    package var description: String {
        switch self {
        case .notSent(let host, let reason): "cannot reach \"\(host)\": \(reason)"
        case .interrupted(let host, let reason): "no answer from \"\(host)\": \(reason)"
        case .redirected(let status): "the provider redirects elsewhere (status \(status))"
        case .tooLarge(let limit): "the provider's answer is larger than \(limit) bytes"
        case .notPinned(let host): "\"\(host)\" is not a host of this provider's profile"
        case .notOffered(let what): "the provider's profile has no \(what)"
        case .unusableKey(let wanted): "the secret is not \(wanted), which this provider's profile needs"
        case .unusableRequest(let error): "the request cannot be signed: \(error)"
        case .refused(let status, let code):
            "the provider refused (status \(status)\(code.map { ", \($0)" } ?? ""))"
        case .unusable(let error): "the provider's answer cannot be used: \(error)"
        }
    }
}
