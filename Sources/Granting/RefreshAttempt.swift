// One attempt to refresh, as a value: what came back goes in, what to do comes out.

import Delegation
import OAuth

/// The state of one attempt.
struct RefreshAttempt {
    /// What to do next.
    enum Step {
        /// Put the new tokens in place.
        case finish(TokenReply)
        /// Send the same token once more, at once.
        case sendAgain
        /// The grant needs the owner's approval again.
        case end(reason: String)
        /// Try again later.
        case rest(seconds: Double, reason: String, scope: Scope)
    }

    /// What has to rest.
    enum Scope {
        case grant
        /// Every grant of the same consumer.
        case consumer
    }

    /// How long does one wait for a person to mend a consumer or a profile, in seconds?
    private static let untilMended = 3600.0

    /// Failed attempts before this one.
    let failures: Int
    /// Whether an earlier attempt with the same token may have rotated it without an answer.
    private(set) var wasInterrupted: Bool
    private(set) var doubts: Doubts
    private var wasSentAgain = false

    init(failures: Int, wasInterrupted: Bool, doubts: Doubts) {
        self.failures = failures
        self.wasInterrupted = wasInterrupted
        self.doubts = doubts
    }

    /// Whether the refresh has to stay open, because the provider may have rotated the token.
    var staysOpen: Bool { wasInterrupted }

    mutating func received(_ verdict: RefreshVerdict, uptime: Duration, jitter: Double) -> Step {
        switch verdict {
        case .refreshed(let reply): return .finish(reply)
        case .needsApproval(let reason): return .end(reason: explained(reason))
        case .probablyRevoked(let reason):
            guard !doubts.add(at: uptime) else { return .end(reason: explained(reason)) }
            return .rest(seconds: Doubts.pause, reason: reason, scope: .grant)
        case .clientBroken(let reason):
            return .rest(seconds: Self.untilMended, reason: "consumer refused: \(reason)", scope: .consumer)
        case .configuration(let reason):
            return .rest(seconds: Self.untilMended, reason: "request refused: \(reason)", scope: .grant)
        case .transient(let retryAfter):
            return .rest(
                seconds: backoff(retryAfter.map(Double.init), jitter), reason: "not available", scope: .grant)
        case .suspicious(let reason): return .rest(seconds: backoff(nil, jitter), reason: reason, scope: .grant)
        case .ambiguous(let reason):
            wasInterrupted = true
            guard wasSentAgain else {
                wasSentAgain = true
                return .sendAgain
            }
            return .rest(seconds: backoff(nil, jitter), reason: reason, scope: .grant)
        }
    }

    private func backoff(_ retryAfter: Double?, _ jitter: Double) -> Double {
        RefreshSchedule.backoff(failures: failures + 1, retryAfter: retryAfter, jitter: jitter)
    }

    private func explained(_ reason: String) -> String {
        wasInterrupted
            ? "\(reason), after a refresh whose answer was lost" : "the provider no longer honours it: \(reason)"
    }
}
