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
        case rest(Rest)
    }

    /// Why and for how long nothing is tried.
    struct Rest {
        let seconds: Double
        let verdict: GrantHealth.Verdict
        let reason: String
        let scope: Scope
        /// Seconds for which whatever shares the trouble rests, where that is shorter.
        var shared: Double?
        /// How many seconds it may become at most when a provider is out of reach again and again.
        var longest = 600.0
    }

    /// What has to rest.
    enum Scope {
        case grant
        /// Every grant of the same consumer.
        case consumer
        /// Every grant at the same provider.
        case provider
    }

    /// What the attempt goes by besides the answers.
    struct Conditions {
        let policy: ReplayPolicy
        /// Seconds since the token was sent first; `nil` when nobody knows.
        let elapsed: Double?
        /// Seconds that the access token still lives; `nil` when it does not expire.
        let remaining: Double?
        let uptime: Duration
        let jitter: Double
    }

    /// How long does one wait for a person to mend a consumer or a profile, in seconds?
    private static let untilMended = 3600.0
    /// How long at most between two attempts to reach a provider that nothing was sent to, in seconds? Trying costs
    /// nothing, and somebody waits for the network to come back.
    private static let untilReachable = 8.0

    /// Failed attempts before this one.
    let failures: Int
    /// How often the token was sent without an answer.
    private(set) var sent: Int
    private(set) var doubts: Doubts

    init(failures: Int, sent: Int, doubts: Doubts) {
        self.failures = failures
        self.sent = sent
        self.doubts = doubts
    }

    /// Whether the refresh has to stay open, because the provider may have rotated the token.
    var staysOpen: Bool { sent > 0 }

    mutating func received(_ answer: RefreshAnswer, _ now: Conditions) -> Step {
        let backoff = RefreshSchedule.backoff(failures: failures + 1, retryAfter: nil, jitter: now.jitter)
        switch answer {
        case .notSent(let reason):
            let longest = Self.untilReachable * (1 + now.jitter / 4)
            return .rest(
                Rest(
                    seconds: min(backoff, longest), verdict: .transient, reason: reason, scope: .provider,
                    longest: longest))
        case .verdict(.refreshed(let reply)): return .finish(reply)
        case .verdict(.needsApproval(let reason)): return .end(reason: explained(reason))
        case .verdict(.probablyRevoked(let reason)):
            guard !doubts.add(at: now.uptime) else { return .end(reason: explained(reason)) }
            return rest(Doubts.pause, .suspicious, reason, .grant)
        case .verdict(.clientBroken(let reason)):
            return rest(Self.untilMended, .clientBroken, "consumer refused: \(reason)", .consumer)
        case .verdict(.configuration(let reason)):
            return rest(Self.untilMended, .configuration, "request refused: \(reason)", .grant)
        case .verdict(.transient(let retryAfter)):
            let wait = max(backoff, retryAfter.map(Double.init) ?? 0)
            return .rest(
                Rest(
                    seconds: wait, verdict: .transient, reason: "not available", scope: .provider,
                    longest: max(600, wait)))
        case .fault(let retryAfter):
            let wait = max(backoff, retryAfter.map(Double.init) ?? 0)
            // It may have replaced the token before it failed.
            if now.policy.rotation != .none { sent += 1 }
            var seconds = wait
            if now.policy.rotation != .none,
                case .after(let deferral) = now.policy.next(
                    sent: max(2, sent), elapsed: now.elapsed, remaining: now.remaining, backoff: wait)
            {
                seconds = max(wait, deferral)
            }
            return .rest(
                Rest(
                    seconds: seconds, verdict: .transient, reason: "not available", scope: .provider, shared: wait,
                    longest: max(600, wait)))
        case .verdict(.suspicious(let reason)): return rest(backoff, .suspicious, reason, .grant)
        case .verdict(.ambiguous(let reason)):
            sent += 1
            switch now.policy.next(sent: sent, elapsed: now.elapsed, remaining: now.remaining, backoff: backoff) {
            case .now: return .sendAgain
            case .after(let seconds): return rest(seconds, .ambiguous, reason, .grant)
            }
        }
    }

    private func rest(
        _ seconds: Double, _ verdict: GrantHealth.Verdict, _ reason: String, _ scope: Scope
    ) -> Step { .rest(Rest(seconds: seconds, verdict: verdict, reason: reason, scope: scope)) }

    private func explained(_ reason: String) -> String {
        sent > 0
            ? "\(reason), after a refresh whose answer was lost" : "the provider no longer honours it: \(reason)"
    }
}
