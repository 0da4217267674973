// How long a token still lives is counted on the clock that never jumps, over restarts of the program too. The wall
// clock is asked only about tokens of an earlier boot, and not believed when it cannot be right: such a token is
// refreshed at once, and used meanwhile only when nothing better can be had.

import Delegation
import FoundationEssentials
import OAuth
import Vault

/// When one generation of a grant has to be refreshed, and what came of trying.
struct Freshness: Sendable {
    /// How many seconds may pass between two refreshes? What is promised for years is asked about sooner.
    private static let longestDelay = 24 * 86_400.0

    /// And how few, whatever a provider says? Shorter-lived tokens are had by who asks for them.
    private static let shortestDelay = 5.0

    let generation: Int
    /// Seconds from issue to expiry; `nil` when the token does not expire.
    private let lifetime: Double?
    /// Uptime when the request was sent, if it was in this boot of the machine.
    private let issuedUptime: Duration?
    private let issuedAt: Date
    /// Seconds from issue to refresh; `nil` when nothing is to be refreshed.
    private let delay: Double?
    private let wall: WallClock
    /// What the last attempt came to, while it is not mended.
    private(set) var trouble: Trouble?
    /// Whether a refresh is open on the disk, so that nothing but its rest decides when to ask again.
    var isUnanswered = false

    /// A failed attempt, and those in a row before it.
    struct Trouble: Sendable {
        /// Failed attempts in a row.
        let failures: Int
        /// Uptime before which nothing is tried again.
        let restsUntil: Duration
        let verdict: GrantHealth.Verdict
        /// Fit for people.
        let reason: String
        let doubts: Doubts
        /// Whether the provider as a whole seems to be out of reach.
        let isShared: Bool
        /// Whether the provider may have replaced the token, and its rotation has decided when to ask again.
        let isOpen: Bool
    }

    init(_ record: GrantRecord, _ time: Timepiece, boot: String, wall: WallClock, idleLimit: Int?) {
        generation = record.grant.generation
        let issuedAt = record.issuedAt ?? record.grant.createdAt
        self.issuedAt = issuedAt
        self.wall = wall
        lifetime = record.grant.expiresAt.map { max(0, $0.timeIntervalSince(issuedAt)) }
        let uptime = record.issuedBoot == boot ? record.issuedUptime.map { Duration.seconds($0) } : nil
        // A clock that is behind its own past is another machine's.
        issuedUptime = uptime.flatMap { $0 <= time.uptime() ? $0 : nil }
        let jitter = time.jitter()
        let own = lifetime.map { RefreshSchedule.delay(lifetime: $0, jitter: jitter) }
        let told = record.grant.refreshExpiresAt.map { $0.timeIntervalSince(issuedAt) }
        // Refreshed by half of the time after which the provider forgets an idle refresh token.
        let idle = (told ?? idleLimit.map(Double.init)).map { max(0, $0) * (0.5 + 0.1 * (jitter - 0.5)) }
        let soonest = [own.map { min($0, Self.longestDelay) }, idle].compactMap(\.self).min()
        delay = (record.isRenewable ? soonest : own).map { max($0, Self.shortestDelay) }
    }

    private func age(_ time: Timepiece) -> Double {
        if let issuedUptime { return (time.uptime() - issuedUptime).seconds }
        return max(0, time.now().timeIntervalSince(issuedAt))
    }

    /// Whether nobody knows how old the token is, because the clock was not set when this was asked.
    func isDoubtful(_ time: Timepiece) -> Bool {
        lifetime != nil && issuedUptime == nil && (!wall.isPlausible(time.now()) || time.now() < issuedAt - 60)
    }

    /// Seconds that the token still lives; `nil` when it does not expire.
    func remaining(_ time: Timepiece) -> Double? {
        lifetime.map { isDoubtful(time) ? 0 : $0 - age(time) }
    }

    /// Whether the token is known to live for that long.
    func lives(for span: Duration, _ time: Timepiece) -> Bool {
        !isDoubtful(time) && (remaining(time).map { $0 > span.seconds } ?? true)
    }

    /// Seconds until the next attempt; `nil` when there is none to come.
    func due(_ time: Timepiece) -> Double? {
        if isUnanswered { return rest(time) }
        return delay.map { max(isDoubtful(time) ? 0 : $0 - age(time), rest(time)) }
    }

    /// Seconds of the rest after a failure that are left.
    func rest(_ time: Timepiece) -> Double { max(0, trouble.map { ($0.restsUntil - time.uptime()).seconds } ?? 0) }

    /// Failed attempts in a row.
    var failures: Int { trouble?.failures ?? 0 }

    mutating func failed(
        _ reason: String, _ verdict: GrantHealth.Verdict, restsFor seconds: Double, doubts: Doubts, isShared: Bool,
        isOpen: Bool, _ time: Timepiece
    ) {
        trouble = Trouble(
            failures: failures + 1, restsUntil: time.uptime() + .seconds(seconds), verdict: verdict, reason: reason,
            doubts: doubts, isShared: isShared, isOpen: isOpen)
    }

    /// Ends the rest, unless it protects a token; what went wrong is still known.
    mutating func wakeUp() {
        guard let known = trouble, !known.isOpen || known.isShared else { return }
        trouble = Trouble(
            failures: known.failures, restsUntil: .zero, verdict: known.verdict, reason: known.reason,
            doubts: known.doubts, isShared: known.isShared, isOpen: known.isOpen)
    }
}

/// How often, and since when, a provider has answered as if the grant were dead without saying so.
struct Doubts: Sendable {
    /// How often must it happen before it is believed?
    private static let enough = 3
    /// Over how many seconds?
    private static let span = 900.0

    private var count = 0
    private var since: Duration?

    /// Counts one more.
    ///
    /// - Returns: Whether that is enough to believe it.
    mutating func add(at uptime: Duration) -> Bool {
        count += 1
        let first = since ?? uptime
        since = first
        return count >= Self.enough && (uptime - first).seconds >= Self.span
    }

    /// Seconds to wait so that the attempts spread over the span.
    static let pause = span / Double(enough - 1)
}
