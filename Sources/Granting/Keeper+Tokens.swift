// A token that still lives is handed out at once, whatever its provider does; secrets leave only through here.

package import Delegation
import FoundationEssentials
import OAuth
import ProviderClient
import Sealing
import Vault

/// An active grant and its tokens, as one read of the vault saw them.
struct HeldGrant: Sendable {
    let record: GrantRecord
    let tokens: GrantTokens
    /// Who asked for it; read only where it is needed.
    let consumer: Consumer?
    /// Whether a newer reply waits to be put in place.
    let hasStagedReply: Bool
}

extension Keeper {
    /// The types of tokens whose use is known.
    private static let knownTypes: Set = ["bearer", "dpop", "oauth"]
    /// How long does somebody wait for a token who could have one that still lives for a while?
    private static let patienceWithLiveToken = Duration.seconds(5)
    /// And who has none? A little longer than one exchange with a provider may take.
    static let patienceWithoutToken = Duration.seconds(40)

    /// An access token that lives for at least `minimumValidity`, or as long as the provider makes them.
    ///
    /// When the provider cannot be asked, a token that still lives for a shorter time is better than none.
    ///
    /// - Throws: ``Refusal``.
    package func token(device: DeviceName, minimumValidity: Duration) async throws -> HeldToken {
        try await explained {
            let found = try await active { try $0.grants(ofKnown: device) }(device)
            guard found.record.grant.release == .token else { throw Refusal.signOnly(found.record.grant) }
            let held = try await fresh(found, minimumValidity)
            guard Self.knownTypes.contains(held.tokens.tokenType.lowercased()) else {
                throw Refusal.provider(
                    held.record.grant.provider, "its tokens are of the type \(quoted(held.tokens.tokenType))")
            }
            let remaining = freshness[held.record.grant.id]?.remaining(time)
            return HeldToken(
                accessToken: held.tokens.accessToken, tokenSecret: held.tokens.tokenSecret,
                tokenType: held.tokens.tokenType,
                expiresIn: remaining.map { Int(max(0, min($0, 1e9)).rounded(.down)) }, scopes: held.record.grant.scopes)
        }
    }

    /// An access token that was changed at the provider for one that may do less (RFC 8693); it is not kept.
    ///
    /// - Parameters:
    ///   - device: Whose grant it comes from.
    ///   - audience: Whom it is for, by name.
    ///   - resource: Whom it is for, by URL (RFC 8707).
    ///   - scopes: What it may do; empty: as much as the provider gives.
    /// - Returns: The new token.
    /// - Throws: ``Refusal``.
    package func exchangedToken(
        device: DeviceName, audience: [String], resource: [String], scopes: [String]
    ) async throws -> HeldToken {
        let held = try await explained { try await active { try $0.grants(ofKnown: device) }(device) }
        guard held.record.grant.release == .token else { throw Refusal.signOnly(held.record.grant) }
        if let reticence { throw reticence }
        return try await explained(held.record.grant.provider) {
            let remote = try remote(held.record.grant.provider)
            let current = try await fresh(held, .seconds(30))
            let consumer = try await heldConsumer(of: current.record)
            let reply = try await remote.exchangeToken(
                current.tokens, audience: audience, resource: resource, scopes: scopes, consumer: consumer)
            let parsed = try Self.tokens(in: reply, of: remote, options: remote.tokenExchangeOptions)
            return HeldToken(
                accessToken: parsed.accessToken, tokenSecret: nil, tokenType: parsed.tokenType.name,
                expiresIn: parsed.expiresIn, scopes: parsed.scope ?? scopes)
        }
    }

    /// Reads the active grant among those that `find` finds.
    ///
    /// - Returns: A function that wants the device's name for its refusals.
    func active(
        withConsumer needsConsumer: Bool = false, _ find: @escaping @Sendable (Transaction) throws -> [GrantRecord]
    ) async throws -> (DeviceName) throws -> HeldGrant {
        let (records, held) = try await vault.read { transaction -> ([GrantRecord], HeldGrant?) in
            let records = try find(transaction)
            guard let record = records.first(where: { $0.grant.state == .active }),
                let tokens = try transaction.tokens(of: record.grant.id)
            else { return (records, nil) }
            let isStaged = try transaction.hasStagedReply(record.grant.id)
            let consumer = try needsConsumer ? transaction.heldConsumer(id: record.consumer) : nil
            return (records, HeldGrant(record: record, tokens: tokens, consumer: consumer, hasStagedReply: isStaged))
        }
        return { device in
            if let held { return held }
            guard let newest = records.first?.grant else { throw Refusal.noGrant(for: device) }
            throw Refusal.unusable(newest)
        }
    }

    /// The grant with a token that lives for at least `span`, refreshed when it has to be.
    func fresh(_ held: HeldGrant, _ span: Duration) async throws -> HeldGrant {
        let id = held.record.grant.id
        note(held.record)
        guard let known = freshness[id] else { return held }
        if known.generation > held.record.grant.generation {
            return try await active { try $0.grants(ofDeviceID: held.record.deviceID) }(held.record.grant.device)
        }
        if known.lives(for: span, time), !held.hasStagedReply { return held }
        // When no clock tells whether it lives, and no better one is to be had, its provider will tell.
        let isAlive = known.lives(for: .zero, time) || known.isDoubtful(time)
        if let reason = vault.quarantine, !isAlive { throw Refusal.quarantined(reason) }
        // A grant that cannot be refreshed is used to the end.
        if !held.record.isRenewable, isAlive || known.isDoubtful(time) { return held }
        if let resting = resting(held.record), refreshes[id] == nil {
            guard isAlive else { throw resting }
            return held
        }
        // A token that lives for less than was asked for is better than a long wait for another one.
        switch await refresh(id, patience: isAlive ? Self.patienceWithLiveToken : Self.patienceWithoutToken) {
        case .failed(let refusal):
            guard known.lives(for: .zero, time) || known.isDoubtful(time), !vault.isSealed else { throw refusal }
            return held
        case .refreshed, .ended:
            let again = try await active { try $0.grants(ofDeviceID: held.record.deviceID) }(held.record.grant.device)
            note(again.record)
            return again
        }
    }
}

extension Transaction {
    /// The grants of a device, newest first.
    ///
    /// - Throws: ``Refusal`` of kind `notFound` when there is no such device.
    func grants(ofKnown device: DeviceName) throws -> [GrantRecord] {
        let found = try grants(of: device)
        if found.isEmpty { _ = try requiredDevice(named: device) }
        return found
    }
}
