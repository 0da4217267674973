// A person hears of a trouble once, in the transaction that makes it true, and once more when it is over. What is told
// says what to do.

import Delegation
import FoundationEssentials
import Vault

extension Transaction {
    /// Tells that only the owner can help.
    func tellNeedsApproval(of record: GrantRecord, reason: String, at now: Date) throws {
        let grant = record.grant
        // What was foretold has come; that is no recovery.
        for subject in [record.deviceID, grant.id.rawValue] { try dropNotice(.forecast, subject: subject) }
        _ = try openNotice(
            .needsApproval, subject: record.deviceID, device: grant.device, provider: grant.provider,
            text: "\(grant.device) needs your approval at \(grant.provider) again: \(reason)",
            hint: "run 'keyholder grant request \(grant.device)' and approve it", at: now)
    }

    /// Tells of a rest that will not end by itself.
    func tell(
        _ rest: RefreshAttempt.Rest, of record: GrantRecord, isLasting: Bool, remaining: Double?, at now: Date
    ) throws {
        let grant = record.grant
        switch rest.verdict {
        case .clientBroken:
            _ = try openNotice(
                .clientBroken, subject: record.consumer, device: nil, provider: grant.provider,
                text: "\(grant.provider) refuses the hub's own credentials: \(rest.reason)",
                hint:
                    "run 'keyholder consumer rotate \(grant.provider)' with the secret that is right now; nothing is lost",
                at: now)
        case .configuration:
            _ = try openNotice(
                .configuration, subject: grant.id.rawValue, device: grant.device, provider: grant.provider,
                text: "\(grant.provider) refuses how \(grant.device)'s token is refreshed: \(rest.reason)",
                hint: "compare 'keyholder provider show \(grant.provider)' with the provider's documentation", at: now)
        case .suspicious where isLasting:
            _ = try openNotice(
                .suspicious, subject: grant.id.rawValue, device: grant.device, provider: grant.provider,
                text: "\(grant.provider) does not answer like a provider: \(rest.reason)",
                hint: "see whether the network wants a login, or the provider has moved", at: now)
        case .ambiguous:
            guard let remaining else { return }
            _ = try openNotice(
                .forecast, subject: grant.id.rawValue, device: grant.device, provider: grant.provider,
                text: "\(grant.device) may need your approval at \(grant.provider) in \(Self.span(max(0, remaining))): "
                    + "the answer to a refresh was lost", hint: "nothing is to be done yet; you will be told", at: now)
        case .suspicious, .transient, .well, .needsApproval: return
        }
    }

    /// Tells that a refresh has worked again.
    func tellRecovery(of record: GrantRecord, at now: Date) throws {
        let (grant, text) = (record.grant, "\(record.grant.device) is well again at \(record.grant.provider)")
        _ = try closeNotice(.forecast, subject: grant.id.rawValue, text: text, at: now)
        _ = try closeNotice(.suspicious, subject: grant.id.rawValue, text: text, at: now)
        _ = try closeNotice(.configuration, subject: grant.id.rawValue, text: text, at: now)
        _ = try closeNotice(
            .clientBroken, subject: record.consumer, text: "\(grant.provider) takes the hub's credentials again",
            at: now)
    }

    /// Tells that nothing is to be approved any more: it was, or the grant is gone.
    func tellSettled(_ record: GrantRecord, text: String, at now: Date) throws {
        for kind in [Notice.Kind.needsApproval, .forecast] {
            _ = try closeNotice(kind, subject: record.deviceID, text: text, at: now)
        }
        for kind in [Notice.Kind.suspicious, .configuration, .forecast] {
            _ = try closeNotice(kind, subject: record.grant.id.rawValue, text: text, at: now)
        }
    }

    private static func span(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(Int(seconds)) seconds"
        case ..<7200: "\(Int(seconds / 60)) minutes"
        case ..<172_800: "\(Int(seconds / 3600)) hours"
        default: "\(Int(min(seconds, 1e9) / 86_400)) days"
        }
    }
}

extension Keeper {
    /// How much of a grant's whole life before its end is it told, and how many seconds at most?
    private static let warning = (share: 0.2, longest: 7 * 86_400.0)

    /// Tells of grants that will need approval soon, and finds the next one.
    ///
    /// - Returns: Seconds until the next one is to be told.
    func tellForecasts() async throws -> Double {
        var next = Double.infinity
        let now = time.now()
        guard wall.isPlausible(now) else { return next }
        var known: [ProviderName: ProviderProfile?] = [:]
        for record in (active ?? [:]).values where !forecasts.contains(record.grant.id) {
            let name = record.grant.provider
            let profile = known[name] ?? (try? profiles.providerProfile(name))
            known[name] = .some(profile)
            guard let ends = approvalEnds(of: record, profile) else { continue }
            let whole = ends.timeIntervalSince(record.grant.createdAt)
            let left = ends.timeIntervalSince(now) - min(Self.warning.longest, max(0, whole) * Self.warning.share)
            guard left <= 0 else {
                next = min(next, left)
                continue
            }
            let grant = record.grant
            _ = try await vault.write {
                try $0.openNotice(
                    .forecast, subject: record.deviceID, device: grant.device, provider: grant.provider,
                    text: "\(grant.device) will need your approval at \(grant.provider) by \(ends.day)",
                    hint: "run 'keyholder grant request \(grant.device)' and approve it before", at: now)
            }
            forecasts.insert(grant.id)
        }
        return next
    }

    /// When an owner has to approve again although nothing goes wrong; `nil` when that is not to be foreseen.
    func approvalEnds(of record: GrantRecord, _ profile: ProviderProfile?) -> Date? {
        guard record.isRenewable else { return record.grant.expiresAt }
        guard case .oauth2(let endpoints)? = profile?.endpoints,
            !endpoints.prolongsRefreshTokens, record.grant.flow != .client
        else { return nil }
        return record.grant.refreshExpiresAt
            ?? endpoints.refreshTokenLifetime.map { record.grant.createdAt.addingTimeInterval(Double($0)) }
    }
}

extension Date {
    /// The day in UTC, as RFC 3339 writes it.
    fileprivate var day: String { String(rfc3339.prefix(10)) }
}
