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
    /// Whether a newer reply waits to be put in place.
    let hasStagedReply: Bool
}

extension Keeper {
    /// An access token that lives for at least `minimumValidity`, or as long as the provider makes them.
    ///
    /// When the provider cannot be asked, a token that still lives for a shorter time is better than none.
    ///
    /// - Throws: ``Refusal``.
    package func token(device: DeviceName, minimumValidity: Duration) async throws -> HeldToken {
        try await explained {
            let held = try await fresh(try await active { try $0.grants(of: device) }(device), minimumValidity)
            let remaining = freshness[held.record.grant.id]?.remaining(time)
            return HeldToken(
                accessToken: held.tokens.accessToken, tokenSecret: held.tokens.tokenSecret,
                tokenType: held.tokens.tokenType,
                expiresIn: remaining.map { Int(max(0, min($0, 1e9)).rounded(.down)) }, scopes: held.record.grant.scopes)
        }
    }

    /// Signs a request with OAuth 1.0a for somebody else to send; the secrets stay inside.
    ///
    /// - Parameters:
    ///   - device: Whose grant signs.
    ///   - method: The HTTP method.
    ///   - url: An absolute URL on one of the provider's hosts.
    ///   - form: The form body, empty without one.
    /// - Returns: The `Authorization` header's value.
    /// - Throws: ``Refusal``.
    package func sign(
        device: DeviceName, method: String, url: String, form: [(name: String, value: String)]
    ) async throws -> String {
        guard !method.isEmpty, method.utf8.count <= 16, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw Refusal(
                .usage, "method \(quoted(method)) is not allowed", hint: "write it in upper case, such as GET")
        }
        return try await explained {
            let held = try await active { try $0.grants(of: device) }(device)
            let remote = try remote(held.record.grant.provider)
            guard remote.profile.delegationProtocol == .oauth1 else {
                throw Refusal(
                    .usage, "the grant for device \(quoted(device.rawValue)) is OAuth 2, which does not sign requests",
                    hint: "run 'keyholder token \(device)'")
            }
            do {
                return try remote.authorizationHeader(
                    method, url, form: form.map { Parameter($0.name, $0.value) },
                    consumer: try await heldConsumer(of: held.record), token: held.tokens.credentials)
            } catch ProviderFailure.notPinned(let host) {
                throw Refusal(
                    .notAuthorised,
                    "\(quoted(host)) is not a host of provider \(quoted(held.record.grant.provider.rawValue))",
                    hint: "its profile has \(remote.profile.hosts.joined(separator: ", "))")
            } catch let error as OAuthError {
                throw Refusal(.usage, "this request cannot be signed: \(error)")
            }
        }
    }

    /// Reads the active grant among those that `find` finds.
    ///
    /// - Returns: A function that wants the device's name for its refusals.
    func active(
        _ find: @escaping @Sendable (Transaction) throws -> [GrantRecord]
    ) async throws -> (DeviceName) throws -> HeldGrant {
        let (records, held) = try await vault.read { transaction -> ([GrantRecord], HeldGrant?) in
            let records = try find(transaction)
            guard let record = records.first(where: { $0.grant.state == .active }),
                let tokens = try transaction.tokens(of: record.grant.id)
            else { return (records, nil) }
            let isStaged = try transaction.hasStagedReply(record.grant.id)
            return (records, HeldGrant(record: record, tokens: tokens, hasStagedReply: isStaged))
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
        if known.lives(for: span, time), !held.hasStagedReply { return held }
        let isAlive = known.lives(for: .zero, time)
        // A grant that cannot be refreshed is used to the end.
        if !held.record.isRefreshable, isAlive { return held }
        if let resting = resting(held.record), refreshes[id] == nil {
            guard isAlive else { throw resting }
            return held
        }
        switch await refresh(id) {
        case .failed(let refusal):
            guard known.lives(for: .zero, time), !vault.isSealed else { throw refusal }
            return held
        case .refreshed, .ended:
            let again = try await active { try $0.grants(ofDeviceID: held.record.deviceID) }(held.record.grant.device)
            note(again.record)
            return again
        }
    }
}
