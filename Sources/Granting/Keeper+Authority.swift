// No command goes out on the memory of a consent: the grant must be active, cover the operation, and be honoured by its
// provider now.

package import Delegation
import ProviderClient
import Sealing
import Vault

extension Keeper: CommandAuthority {
    package func authorise(_ operation: String, on device: Device) async throws -> Authority {
        // A hub that may be a copy must not open a door.
        if let reason = vault.quarantine { throw Refusal.quarantined(reason) }
        let first = try await explained { try await active { try $0.grants(ofDeviceID: device.id) }(device.name) }
        let provider = first.record.grant.provider
        return try await explained(provider) {
            let remote = try remote(provider)
            guard remote.profile.covers(first.record.grant.scopes, operation: operation, device: device.name) else {
                throw Refusal.notCovered(operation, by: first.record.grant)
            }
            var held = try await fresh(first, .zero)
            if try await !isHonoured(held, remote) {
                held = try await renewed(held)
                guard try await isHonoured(held, remote) else { throw try await disown(held.record) }
            }
            // Scopes may have become fewer with a refresh.
            guard remote.profile.covers(held.record.grant.scopes, operation: operation, device: device.name) else {
                throw Refusal.notCovered(operation, by: held.record.grant)
            }
            return Authority(
                grant: held.record.grant.id,
                accessTokenHash: held.tokens.accessToken.reveal { HashFunction.sha256.digest($0) })
        }
    }

    private func isHonoured(_ held: HeldGrant, _ remote: RemoteProvider) async throws -> Bool {
        let consumer = try await heldConsumer(of: held.record)
        switch try await remote.validate(held.tokens, consumer: consumer) {
        case nil, .honoured: return true
        case .notHonoured: return false
        case .forbidden:
            throw Refusal(
                .notAuthorised,
                "provider \(quoted(held.record.grant.provider.rawValue)) forbids this to the grant for device "
                    + quoted(held.record.grant.device.rawValue),
                hint: "run 'keyholder grant request \(held.record.grant.device)' and approve it")
        case .unclear(let status):
            throw Refusal.provider(held.record.grant.provider, "it answered with status \(status)")
        }
    }

    /// The grant with another token than the one that was not honoured.
    private func renewed(_ held: HeldGrant) async throws -> HeldGrant {
        guard held.record.isRenewable else { throw try await disown(held.record) }
        let current = try await active { try $0.grants(ofDeviceID: held.record.deviceID) }(held.record.grant.device)
        // Somebody else may have refreshed it meanwhile.
        if current.record.grant.id != held.record.grant.id
            || current.record.grant.generation > held.record.grant.generation
        {
            return current
        }
        if case .failed(let refusal) = await refresh(held.record.grant.id, patience: Self.patienceWithoutToken) {
            throw refusal
        }
        return try await active { try $0.grants(ofDeviceID: held.record.deviceID) }(held.record.grant.device)
    }

    private func disown(_ record: GrantRecord) async throws -> Refusal {
        let reason = "the provider no longer honours it"
        try await end(record, from: [.active], to: .needsReauth, reason: reason, by: .agent, action: "token.validate")
        guard let grant = try await vault.read({ try $0.grant(id: record.grant.id)?.grant }) else {
            return .noGrant(for: record.grant.device)
        }
        return .unusable(grant)
    }

    /// Asks a device's provider whether it honours the grant now; nothing changes here, whatever it says.
    ///
    /// - Returns: `honoured`, `not_honoured`, `forbidden`, `unclear`, or `unknown` where the provider has nothing to ask.
    /// - Throws: ``Refusal``.
    package func check(device: DeviceName) async throws -> String {
        let held = try await explained { try await active { try $0.grants(of: device) }(device) }
        if let reticence { throw reticence }
        return try await explained(held.record.grant.provider) {
            let consumer = try await heldConsumer(of: held.record)
            return switch try await remote(held.record.grant.provider).validate(held.tokens, consumer: consumer) {
            case .honoured: "honoured"
            case .notHonoured: "not_honoured"
            case .forbidden: "forbidden"
            case .unclear: "unclear"
            case nil: "unknown"
            }
        }
    }
}
