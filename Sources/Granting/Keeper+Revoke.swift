// What ends has ended here before the provider is told, and what the provider must be told is on the disk with it: a
// provider that is down is told later, over restarts too.

package import Delegation
import FoundationEssentials
import Logging
import ProviderClient
import StrictJSON
import Vault

extension Keeper {
    /// How long is a provider told at most, in seconds? By then the tokens are dead.
    private static let longestFarewell = 30 * 86_400.0
    /// And how often at least?
    private static let enoughFarewells = 10
    /// How long does a revocation rest whose outcome the disk did not take?
    private static let restAfterFault = Duration.seconds(60)

    /// Ends every grant of a device, here first and then at the provider.
    ///
    /// - Returns: The grant as it is now, and why its provider could not be told, if so.
    /// - Throws: ``Refusal`` of kind `notFound` when there is nothing to end, `sealed` while the vault is sealed.
    package func revoke(device: DeviceName, by requester: Requester) async throws -> Revocation {
        let live: [Grant.State] = [.pending, .active, .needsReauth]
        let now = time.now()
        // What is queued here is told here, so that whoever asks hears what came of it.
        guard revoking.insert(device).inserted else {
            throw Refusal(.conflict, "the grants of device \(quoted(device.rawValue)) are being revoked already")
        }
        defer {
            revoking.remove(device)
            wake()
        }
        let ended = try await explained {
            try await committed { transaction in
                try transaction.grants(of: device).filter { live.contains($0.grant.state) }.map { record in
                    let damage = try transaction.queueRemains(of: record, at: now)
                    _ = try transaction.endGrant(
                        record.grant.id, from: live, to: .revoked, reason: "revoked by \(requester)")
                    try transaction.tellSettled(
                        record, text: "the grant for \(record.grant.device) was revoked", at: now)
                    try transaction.audit(.about(record.grant, by: requester, "grant.revoke", "revoked"), at: now)
                    if let damage { try transaction.auditUntold(record.grant, damage, at: now) }
                    return (record: record, damage: damage)
                }
            }
        }
        guard let newest = ended.first?.record else {
            throw Refusal(.notFound, "no grant for device \(quoted(device.rawValue)) to revoke")
        }
        Failpoint.revokeEnded.pass()
        for one in ended { forget(one.record.grant.id) }
        let ids = Set(ended.map(\.record.grant.id))
        let queued = try await explained { try await vault.read { try $0.dueRevocations(at: now) } }
        var trouble = ended.compactMap(\.damage).first.map { Farewell(reason: $0, isQueued: false) }
        for revocation in queued where ids.contains(revocation.grant) {
            // Outlives a caller who goes away; awaited here.
            let told = await Task { await self.tellProvider(revocation) }.value
            trouble = trouble ?? told
        }
        let shown = ended.first { $0.record.grant.state == .active }?.record ?? newest
        guard let grant = try await vault.read({ try $0.grant(id: shown.grant.id)?.grant }) else {
            throw Refusal.noGrant(for: device)
        }
        return Revocation(grant: grant, providerError: trouble?.reason, isQueued: trouble?.isQueued ?? false)
    }

    /// How many tokens wait until their provider can be told that they have ended.
    package func queuedRevocations() async throws -> Int {
        try await vault.read { try $0.revocationCount() }
    }

    /// Tells providers what is due, in the background.
    ///
    /// - Returns: Seconds until the next one is due.
    func tellFarewells() async throws -> Double {
        let now = time.now()
        let (due, next) = try await vault.read { (try $0.dueRevocations(at: now), try $0.nextRevocation()) }
        for revocation in due
        where !farewells.contains(revocation.id) && !revoking.contains(revocation.device)
            && (farewellRests[revocation.id] ?? .zero) <= time.uptime()
        {
            // Whoever stops or seals waits for it with `settle`.
            farewells.insert(revocation.id)
            Task {
                _ = await self.tellProvider(revocation)
                self.wake()
            }
        }
        guard due.isEmpty else { return .infinity }
        return next.map { max(0, $0.timeIntervalSince(now)) } ?? .infinity
    }

    /// Gives tokens back that came for a request that was given up meanwhile.
    func disclaim(_ tokens: GrantTokens, of record: GrantRecord) async {
        let isHome = (try? profiles.providerProfile(record.grant.provider))?.isHome == true
        let live: Set<Grant.State> = [.pending, .active, .needsReauth]
        let now = time.now()
        do {
            try await vault.write { transaction in
                let isShared = try transaction.grants().contains {
                    $0.consumer == record.consumer && $0.grant.id != record.grant.id && live.contains($0.grant.state)
                }
                guard isHome || !isShared else {
                    // Some vendors end every token of the consumer.
                    return try transaction.auditUntold(
                        record.grant, "it might end the other grants of the same consumer", at: now)
                }
                try transaction.queueRevocation(of: record, tokens: tokens, at: now)
            }
            _ = try await tellFarewells()
        } catch {
            logger.error(
                "cannot give tokens back",
                metadata: ["grant.id": "\(record.grant.id)", "error": "\(error)"])
        }
    }

    /// Why a provider was not told.
    struct Farewell {
        let reason: String
        /// Whether it will be told later.
        let isQueued: Bool
    }

    private func tellProvider(_ revocation: QueuedRevocation) async -> Farewell? {
        farewells.insert(revocation.id)
        defer { farewells.remove(revocation.id) }
        // What was read a moment ago may have been told meanwhile.
        if let isThere = try? await vault.read({ try $0.hasRevocation(revocation.id) }), !isThere { return nil }
        let trouble = await farewell(revocation)
        let now = time.now()
        let age = now.timeIntervalSince(revocation.createdAt)
        // A clock that jumped ahead is no reason to give up.
        let isQueued =
            trouble?.isQueued == true
            && (age < Self.longestFarewell || revocation.attempts < Self.enoughFarewells)
        let wait = min(21_600, 60 * Double(1 << min(revocation.attempts, 9))) * (1 + time.jitter() / 2)
        do {
            try await committed { transaction in
                let record = try transaction.grant(id: revocation.grant)
                guard let trouble else {
                    try transaction.deleteRevocation(revocation.id)
                    if let record, revocation.attempts > 0 {
                        try transaction.audit(.about(record.grant, by: .agent, "grant.revoke", "told"), at: now)
                    }
                    return
                }
                if isQueued {
                    try transaction.delayRevocation(
                        revocation.id, until: now.addingTimeInterval(wait), error: trouble.reason)
                } else {
                    try transaction.deleteRevocation(revocation.id)
                }
                // Told once; the queue knows about the other times.
                guard let record, revocation.attempts == 0 || !isQueued else { return }
                try transaction.auditUntold(record.grant, trouble.reason, at: now)
            }
            farewellRests[revocation.id] = nil
            (trouble == nil ? Failpoint.revokeTold : Failpoint.revokeDelayed).pass()
        } catch {
            // Or the loop would tell the provider again at once, and again.
            farewellRests[revocation.id] = time.uptime() + Self.restAfterFault
            logger.error(
                "cannot note what a provider was told",
                metadata: ["grant.id": "\(revocation.grant)", "error": "\(error)"])
        }
        return trouble.map { Farewell(reason: $0.reason, isQueued: isQueued) }
    }

    private func farewell(_ revocation: QueuedRevocation) async -> Farewell? {
        do {
            if let reticence { throw reticence }
            guard let consumer = try await vault.read({ try $0.heldConsumer(id: revocation.consumer) }) else {
                return Farewell(reason: "its consumer is gone", isQueued: false)
            }
            try await remote(revocation.provider).revoke(revocation.tokens, consumer: consumer)
            return nil
        } catch ProviderFailure.notOffered(let what) {
            let page = (try? profiles.providerProfile(revocation.provider))?.revocationPage
            let advice = page.map { "; take it back at \($0)" } ?? ""
            return Farewell(
                reason: ProviderFailure.notOffered(what).description + advice, isQueued: false)
        } catch let failure as ProviderFailure {
            logger.warning(
                "revocation not delivered",
                metadata: ["grant.id": "\(revocation.grant)", "reason": "\(failure.description)"])
            return Farewell(reason: failure.description, isQueued: failure.isWorthAnotherTry)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            return Farewell(reason: refusal.message, isQueued: false)
        } catch {
            return Farewell(reason: "\(error)", isQueued: true)
        }
    }
}

extension Transaction {
    /// Queues what is left of a grant that is about to end; damage keeps nobody from ending it, only from telling.
    ///
    /// - Returns: Why the provider cannot be told.
    /// - Throws: ``VaultError/sealed``.
    func queueRemains(of record: GrantRecord, at now: Date) throws -> String? {
        do {
            guard let tokens = try tokens(of: record.grant.id) else { return nil }
            try queueRevocation(of: record, tokens: tokens, at: now)
            return nil
        } catch let error as VaultError where error != .sealed {
            return error.description
        }
    }

    func auditUntold(_ grant: Grant, _ reason: String, at now: Date) throws {
        try audit(.about(grant, by: .agent, "grant.revoke", "not_told", ["reason": .string(reason)]), at: now)
    }
}

extension ProviderFailure {
    /// Whether the same request can succeed later.
    fileprivate var isWorthAnotherTry: Bool {
        switch self {
        case .refused(let status, _): status >= 500 || status == 429 || status == 408 || status == 401
        case .notOffered, .notPinned: false
        default: true
        }
    }
}
