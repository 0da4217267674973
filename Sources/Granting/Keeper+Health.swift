// How a grant fares is put together from what the vault says about the owner's part and what this run has tried.

package import Delegation
import FoundationEssentials
import Vault

extension Keeper {
    /// How a grant fares.
    ///
    /// - Throws: ``Refusal`` of kind `notFound` when there is no such grant.
    package func health(of id: GrantID) async throws -> GrantHealth {
        guard let record = try await vault.read({ try $0.grant(id: id) }) else {
            throw Refusal(.notFound, "no grant \(quoted(id.rawValue))")
        }
        let profile = try? profiles.providerProfile(record.grant.provider)
        let rotation = profile?.rotation
        guard record.grant.state == .active else {
            let isOver = record.grant.state == .needsReauth
            return GrantHealth(
                verdict: isOver ? .needsApproval : .well, reason: isOver ? record.grant.reason : nil, failures: 0,
                nextAttempt: nil, rotation: rotation, approvalEnds: nil)
        }
        note(record)
        let known = freshness[id]
        let isRefused = restingConsumers[record.consumer].map { $0 > time.uptime() } ?? false
        let provider = restingProviders[record.grant.provider].flatMap { $0.until > time.uptime() ? $0.reason : nil }
        let verdict: GrantHealth.Verdict =
            isRefused ? .clientBroken : known?.trouble?.verdict ?? (provider == nil ? .well : .transient)
        let due = record.isRenewable ? known?.due(time).map { max($0, restLeft(record)) } : nil
        return GrantHealth(
            verdict: verdict,
            reason: isRefused ? "the provider refuses the consumer" : known?.trouble?.reason ?? provider,
            failures: known?.failures ?? 0, nextAttempt: due.map { Int(min(max(0, $0), 1e9).rounded(.up)) },
            rotation: rotation, approvalEnds: approvalEnds(of: record, profile))
    }
}

extension GrantRecord {
    /// Whether the keeper can get the next token by itself.
    var isRenewable: Bool { isRefreshable || grant.flow == .client }
}
