// Whatever failed rests before it is tried again: a grant by itself, all grants of a consumer that is refused, all
// grants at a provider that is out of reach. What mends one of them wakes the others.

import Delegation
import FoundationEssentials
import Logging
import StrictJSON
import Vault

extension Keeper {
    /// How many suspicious answers in a row are worth a notice?
    private static let suspiciousTimes = 5

    func rest(
        _ record: GrantRecord, _ attempt: RefreshAttempt, _ rest: RefreshAttempt.Rest
    ) async throws -> RefreshResult {
        let (grant, now) = (record.grant, time.now())
        switch rest.scope {
        case .grant: break
        case .consumer: restingConsumers[record.consumer] = time.uptime() + .seconds(rest.seconds)
        case .provider: restProvider(grant.provider, rest)
        }
        // A storm of days is one line in the log, not one for each attempt.
        let isNews = freshness[grant.id]?.trouble?.reason != rest.reason
        // What rests for its consumer is free when the consumer is.
        let own = rest.scope == .consumer ? min(rest.seconds, 5) : rest.seconds
        freshness[grant.id]?.failed(
            rest.reason, rest.verdict, restsFor: own, doubts: attempt.doubts,
            isShared: rest.scope == .provider && rest.seconds <= rest.shared ?? rest.seconds,
            isOpen: attempt.staysOpen, time)
        if !attempt.staysOpen { freshness[grant.id]?.isUnanswered = false }
        let isLasting = (freshness[grant.id]?.failures ?? 0) >= Self.suspiciousTimes
        let remaining = freshness[grant.id]?.remaining(time)
        try await vault.write { transaction in
            if !attempt.staysOpen { try transaction.deleteRefresh(of: grant.id) }
            try transaction.tell(rest, of: record, isLasting: isLasting, remaining: remaining, at: now)
            guard isNews else { return }
            try transaction.audit(
                .about(
                    grant, by: .agent, "token.refresh", "failed",
                    [
                        "generation": .integer(Int64(grant.generation)), "reason": .string(rest.reason),
                        "verdict": .string(rest.verdict.rawValue),
                    ]),
                at: now)
        }
        Failpoint.refreshRested.pass()
        if isNews {
            logger.warning(
                "refresh failed",
                metadata: [
                    "grant.id": "\(grant.id)", "verdict": "\(rest.verdict.rawValue)", "reason": "\(rest.reason)",
                ])
        }
        return .failed(.provider(grant.provider, rest.reason))
    }

    /// Lets a provider rest the longer the more often in a row it was out of reach, whichever grant found out.
    private func restProvider(_ name: ProviderName, _ rest: RefreshAttempt.Rest) {
        let known = restingProviders[name]
        // Those that were under way together have found out the same thing.
        let isSame = known.map { $0.until > time.uptime() } ?? false
        let failures = (known?.failures ?? 0) + (isSame ? 0 : 1)
        let backoff = RefreshSchedule.backoff(failures: failures, retryAfter: nil, jitter: time.jitter())
        let until = time.uptime() + .seconds(min(max(rest.shared ?? rest.seconds, backoff), rest.longest))
        restingProviders[name] = ProviderRest(
            until: max(until, isSame ? known?.until ?? until : until), failures: failures, reason: rest.reason)
    }

    /// Why nothing is sent for this grant at the moment, or `nil`.
    func resting(_ record: GrantRecord) -> Refusal? {
        let wait = restLeft(record)
        guard wait > 0 else { return nil }
        let reason: String =
            if let until = restingConsumers[record.consumer], until > time.uptime() {
                "it refuses the consumer"
            } else {
                freshness[record.grant.id]?.trouble?.reason ?? restingProviders[record.grant.provider]?.reason
                    ?? "the last attempt failed"
            }
        return Refusal(
            .provider, "provider \(quoted(record.grant.provider.rawValue)): \(reason)",
            hint: "the next attempt is in \(Int(wait.rounded(.up))) s")
    }

    /// Seconds for which nothing is sent for this grant.
    func restLeft(_ record: GrantRecord) -> Double {
        let uptime = time.uptime()
        let consumer = restingConsumers[record.consumer].map { ($0 - uptime).seconds } ?? 0
        let provider = restingProviders[record.grant.provider].map { ($0.until - uptime).seconds } ?? 0
        return max(0, consumer, provider, freshness[record.grant.id]?.rest(time) ?? 0)
    }

    /// A refresh succeeded: whatever rested for a trouble that it shared may try again.
    func recovered(_ record: GrantRecord) {
        restingConsumers[record.consumer] = nil
        guard restingProviders.removeValue(forKey: record.grant.provider) != nil else { return }
        for (id, other) in active ?? [:]
        where other.grant.provider == record.grant.provider && freshness[id]?.trouble?.isShared == true {
            freshness[id]?.wakeUp()
        }
    }

    /// Ends every rest, because what they were about may have changed: a clock that was set, a new secret.
    func endRests() {
        restingProviders = [:]
        restingConsumers = [:]
        for id in freshness.keys { freshness[id]?.wakeUp() }
        wake()
    }

    /// What is known of a generation of a grant.
    func freshness(of record: GrantRecord) -> Freshness {
        Freshness(
            record, time, boot: configuration.boot, wall: wall,
            idleLimit: (try? profiles.providerProfile(record.grant.provider))?.refreshTokenLifetime)
    }

    /// Makes sure that the newest generation of a grant is known.
    func note(_ record: GrantRecord) {
        let id = record.grant.id
        // Who read the vault before the last refresh comes late.
        guard (freshness[id]?.generation ?? -1) < record.grant.generation else { return }
        freshness[id] = freshness(of: record)
    }
}

extension ProviderProfile {
    /// Seconds after which the provider forgets a refresh token that nobody uses.
    var refreshTokenLifetime: Int? {
        if case .oauth2(let endpoints) = endpoints { endpoints.refreshTokenLifetime } else { nil }
    }
}
