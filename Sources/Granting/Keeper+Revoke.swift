// What ends has ended here before the provider is told; a provider that cannot be told changes nothing.

package import Delegation
import FoundationEssentials
import Logging
import ProviderClient
import StrictJSON
import Vault

extension Keeper {
    /// Ends every grant of a device, here first and then at the provider.
    ///
    /// - Returns: The grant as it is now, and why its provider could not be told, if so.
    /// - Throws: ``Refusal`` of kind `notFound` when there is nothing to end, `sealed` while the vault is sealed.
    package func revoke(device: DeviceName, by requester: Requester) async throws -> Revocation {
        let live: [Grant.State] = [.pending, .active, .needsReauth]
        let now = time.now()
        let ended = try await explained {
            try await vault.write { transaction -> [Remains] in
                try transaction.grants(of: device).filter { live.contains($0.grant.state) }.map { record in
                    let remains = try transaction.remains(of: record)
                    _ = try transaction.endGrant(
                        record.grant.id, from: live, to: .revoked, reason: "revoked by \(requester)")
                    try transaction.audit(.about(record.grant, by: requester, "grant.revoke", "revoked"), at: now)
                    return remains
                }
            }
        }
        guard let newest = ended.first?.record else {
            throw Refusal(.notFound, "no grant for device \(quoted(device.rawValue)) to revoke")
        }
        wake()
        var trouble: String?
        for remains in ended {
            freshness[remains.record.grant.id] = nil
            // Outlives a caller who goes away; awaited here.
            let told = await Task { await self.tellProvider(remains) }.value
            trouble = trouble ?? told
            guard let told else { continue }
            try await explained { try await noteUntold(remains.record, told) }
        }
        let shown = ended.first { $0.record.grant.state == .active }?.record ?? newest
        guard let grant = try await vault.read({ try $0.grant(id: shown.grant.id)?.grant }) else {
            throw Refusal.noGrant(for: device)
        }
        return Revocation(grant: grant, providerError: trouble)
    }

    /// Tells providers in the background that tokens have ended.
    func sayFarewell(to ended: [Remains]) {
        for remains in ended where remains.tokens != nil || remains.damage != nil {
            farewells += 1
            // Whoever stops or seals waits for it with `settle`.
            Task {
                defer { self.farewells -= 1 }
                guard let trouble = await self.tellProvider(remains) else { return }
                await self.logUntold(remains.record, trouble)
            }
        }
    }

    /// Gives tokens back that came for a request that was given up meanwhile.
    func disclaim(_ tokens: GrantTokens, of record: GrantRecord) async {
        let isHome = (try? profiles.providerProfile(record.grant.provider))?.isHome == true
        let live: Set<Grant.State> = [.pending, .active, .needsReauth]
        do {
            let (consumer, isShared) = try await vault.read { transaction in
                (
                    try transaction.heldConsumer(id: record.consumer),
                    try transaction.grants().contains {
                        $0.consumer == record.consumer && $0.grant.id != record.grant.id
                            && live.contains($0.grant.state)
                    }
                )
            }
            guard isHome || !isShared else {
                // Some vendors end every token of the consumer.
                return await logUntold(record, "it might end the other grants of the same consumer")
            }
            sayFarewell(to: [Remains(record: record, tokens: tokens, consumer: consumer, damage: nil)])
        } catch {
            await logUntold(record, "\(error)")
        }
    }

    private func noteUntold(_ record: GrantRecord, _ reason: String) async throws {
        let now = time.now()
        try await vault.write {
            try $0.audit(
                .about(record.grant, by: .agent, "grant.revoke", "not_told", ["reason": .string(reason)]), at: now)
        }
    }

    private func logUntold(_ record: GrantRecord, _ reason: String) async {
        do {
            try await noteUntold(record, reason)
        } catch {
            logger.error(
                "cannot note that a provider was not told",
                metadata: ["grant.id": "\(record.grant.id)", "error": "\(error)"])
        }
    }

    /// - Returns: Why it could not be told.
    private func tellProvider(_ remains: Remains) async -> String? {
        let record = remains.record
        if let damage = remains.damage { return damage }
        guard let tokens = remains.tokens else { return nil }
        guard let consumer = remains.consumer else { return "its consumer is gone" }
        do {
            try await remote(record.grant.provider).revoke(tokens, consumer: consumer)
            return nil
        } catch let failure as ProviderFailure {
            logger.warning(
                "revocation not delivered",
                metadata: ["grant.id": "\(record.grant.id)", "reason": "\(failure.description)"])
            return failure.description
        } catch {
            return "\(error)"
        }
    }
}
