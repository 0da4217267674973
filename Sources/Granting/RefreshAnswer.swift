// What a provider did with a refresh token is told from what came back, or from how far the request came.

import OAuth
import ProviderClient
import Sealing

/// What came of sending a refresh token.
enum RefreshAnswer: Sendable {
    /// The request never left, so nothing can have happened.
    case notSent(reason: String)
    /// The provider failed while it was at it (500, 502, 504), so nobody knows how far it came.
    case fault(retryAfter: Int?)
    case verdict(RefreshVerdict)

    /// What a reply is, beyond what it says.
    init(_ verdict: RefreshVerdict, to reply: RawReply) {
        switch verdict {
        case .transient(let retryAfter) where [500, 502, 504].contains(reply.status):
            self = .fault(retryAfter: retryAfter)
        case .suspicious(let reason) where reply.isSuccess && reply.body.mentionsToken:
            self = .verdict(.ambiguous(reason: reason))
        default: self = .verdict(verdict)
        }
    }

    /// What it means that there is no reply.
    init(_ failure: ProviderFailure) {
        let reason = failure.description
        switch failure {
        case .notSent: self = .notSent(reason: reason)
        case .interrupted, .unusable, .tooLarge: self = .verdict(.ambiguous(reason: reason))
        case .redirected: self = .verdict(.suspicious(reason: reason))
        case .notPinned, .notOffered, .unusableRequest: self = .verdict(.configuration(reason: reason))
        case .unusableKey: self = .verdict(.clientBroken(reason: reason))
        case .refused(let status, _):
            // Before the token was sent, where a challenge comes first.
            self = .verdict(status >= 500 || status == 429 ? .transient(retryAfter: nil) : .suspicious(reason: reason))
        }
    }
}

extension Secret {
    /// Whether a reply that cannot be read may hold a new token.
    fileprivate var mentionsToken: Bool { revealText().contains("refresh_token") }
}
