// Whoever knows a consumer's key, which is no secret, can fail in its name as often as they like: that must cost the home
// neither a write to its file for each guess nor the consumer its access, so the right secret is never refused here.

import FoundationEssentials
import Synchronization

/// How often client authentication failed lately in the name of each consumer that exists.
///
/// It is forgotten at a restart; what is at stake is noise, since a consumer's secret is too long to be guessed.
final class AuthenticationFailures: Sendable {
    /// How many failures a minute are answered as such?
    static let limit = 10
    /// How many of them get a row of their own in the audit log?
    static let auditedSingly = 3

    /// What to do about one more failure.
    struct Verdict: Sendable, Equatable {
        /// How many failures before this one have no row in the audit log; `nil` when this one gets none either.
        let unwritten: Int?
        /// After how many seconds to ask again; `nil` below the limit.
        let retryAfter: Int?
    }

    private struct Tally {
        var since: Date
        var failures = 0
        var unwritten = 0
    }

    private static let window = 60.0
    private let tallies = Mutex<[String: Tally]>([:])

    /// Counts a failure in the name of a consumer, by its id.
    func count(_ consumer: String, at now: Date) -> Verdict {
        tallies.withLock { tallies in
            var tally = tallies[consumer] ?? Tally(since: now)
            // A clock that was set back starts a new minute too.
            if !(0..<Self.window).contains(now.timeIntervalSince(tally.since)) {
                tally.since = now
                tally.failures = 0
            }
            tally.failures += 1
            let isWritten = tally.failures <= Self.auditedSingly || Self.isMilestone(tally.failures)
            let verdict = Verdict(
                unwritten: isWritten ? tally.unwritten : nil,
                retryAfter: tally.failures <= Self.limit
                    ? nil : max(1, Int((Self.window - now.timeIntervalSince(tally.since)).rounded(.up))))
            tally.unwritten = isWritten ? 0 : tally.unwritten + 1
            tallies[consumer] = tally
            return verdict
        }
    }

    /// 10, 100, 1000 …: a flood is written down while it lasts, in ever fewer rows.
    private static func isMilestone(_ count: Int) -> Bool {
        var rest = count
        while rest >= 10, rest.isMultiple(of: 10) { rest /= 10 }
        return rest == 1 && count >= 10
    }
}
