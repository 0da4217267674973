// What the owner ends has ended here before the provider is told; a provider that cannot be told changes nothing.

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
            try await vault.write { transaction -> [(GrantRecord, GrantTokens?, Consumer?)] in
                try transaction.grants(of: device).filter { live.contains($0.grant.state) }.map { record in
                    let tokens = try transaction.tokens(of: record.grant.id)
                    let consumer = try transaction.heldConsumer(id: record.consumer)
                    _ = try transaction.endGrant(
                        record.grant.id, from: live, to: .revoked, reason: "revoked by \(requester)")
                    try transaction.audit(.about(record.grant, by: requester, "grant.revoke", "revoked"), at: now)
                    return (record, tokens, consumer)
                }
            }
        }
        guard let newest = ended.first?.0 else {
            throw Refusal(.notFound, "no grant for device \(quoted(device.rawValue)) to revoke")
        }
        wake()
        var trouble: String?
        for (record, tokens, consumer) in ended {
            freshness[record.grant.id] = nil
            guard let tokens else { continue }
            // Outlives a caller who goes away; awaited here.
            let told = await Task { await self.tellProvider(record, tokens, consumer) }.value
            trouble = trouble ?? told
            guard let told else { continue }
            try await explained {
                try await vault.write {
                    try $0.audit(
                        .about(record.grant, by: .agent, "grant.revoke", "not_told", ["reason": .string(told)]), at: now
                    )
                }
            }
        }
        let shown = ended.first { $0.0.grant.state == .active }?.0 ?? newest
        guard let grant = try await vault.read({ try $0.grant(id: shown.grant.id)?.grant }) else {
            throw Refusal.noGrant(for: device)
        }
        return Revocation(grant: grant, providerError: trouble)
    }

    /// - Returns: Why it could not be told.
    private func tellProvider(_ record: GrantRecord, _ tokens: GrantTokens, _ consumer: Consumer?) async -> String? {
        guard let consumer else { return "its consumer is gone" }
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
