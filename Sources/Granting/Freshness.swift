// How long a token still lives is counted on the clock that never jumps; the wall clock is asked only about tokens that
// another run of the program got, and then a lifetime is never exceeded.

import Delegation
import FoundationEssentials
import OAuth
import Vault

/// When one generation of a grant has to be refreshed, and what came of trying.
struct Freshness: Sendable {
    let generation: Int
    /// Seconds from issue to expiry; `nil` when the token does not expire.
    private let lifetime: Double?
    /// Uptime when the request was sent, if this run of the program sent it.
    private let issuedUptime: Duration?
    private let issuedAt: Date
    private let delay: Double
    /// Failed attempts in a row.
    private(set) var failures = 0
    /// Uptime before which nothing is tried again.
    private(set) var restsUntil: Duration?
    /// What the last failure was, for people.
    private(set) var lastFailure: String?
    private(set) var doubts = Doubts()

    init(_ record: GrantRecord, issuedUptime: Duration?, jitter: Double) {
        generation = record.grant.generation
        issuedAt = record.issuedAt ?? record.grant.createdAt
        lifetime = record.grant.expiresAt.map { max(0, $0.timeIntervalSince(record.issuedAt ?? $0)) }
        self.issuedUptime = issuedUptime
        delay = RefreshSchedule.delay(lifetime: lifetime ?? 0, jitter: jitter)
    }

    private func age(_ time: Timepiece) -> Double {
        if let issuedUptime { return (time.uptime() - issuedUptime).seconds }
        return max(0, time.now().timeIntervalSince(issuedAt))
    }

    /// Seconds that the token still lives; `nil` when it does not expire.
    func remaining(_ time: Timepiece) -> Double? { lifetime.map { $0 - age(time) } }

    /// Whether the token will live for that long.
    func lives(for span: Duration, _ time: Timepiece) -> Bool { remaining(time).map { $0 > span.seconds } ?? true }

    /// Seconds until the next attempt; `nil` when there is none to come.
    func due(_ time: Timepiece) -> Double? {
        guard lifetime != nil else { return nil }
        return max(delay - age(time), rest(time))
    }

    /// Seconds of the rest after a failure that are left.
    func rest(_ time: Timepiece) -> Double { max(0, restsUntil.map { ($0 - time.uptime()).seconds } ?? 0) }

    mutating func failed(_ reason: String, restsFor seconds: Double, doubts: Doubts, _ time: Timepiece) {
        failures += 1
        lastFailure = reason
        restsUntil = time.uptime() + .seconds(seconds)
        self.doubts = doubts
    }

    mutating func wakeUp() { restsUntil = nil }
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
