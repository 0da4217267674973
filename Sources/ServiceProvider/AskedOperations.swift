// However something is asked for, by scope or in detail, for the whole API or for one device, it becomes the same list of
// operations that a person reads.

import Delegation
import OAuth
import Vault

extension HomeProvider {
    /// What an authorisation request asks for.
    ///
    /// - Throws: ``OAuth2Refusal`` for what is unknown, more than the consumer may ask for, or nothing at all.
    func asked(
        _ request: AuthorizationRequest, of consumer: RegisteredConsumer, in transaction: Transaction
    ) throws -> [RequestedOperation] {
        try asked(
            scope: request.scope, details: request.authorizationDetails, resource: request.resource, of: consumer,
            in: transaction)
    }

    /// What a client asks for.
    func asked(
        scope: [String], details: AuthorizationDetails?, resource: [String], of consumer: RegisteredConsumer,
        in transaction: Transaction
    ) throws -> [RequestedOperation] {
        if let details {
            try checkLocations(details, in: transaction)
            let checked = try RequestedOperation.check(
                details.scopes, of: consumer, in: transaction, profiles: profiles)
            guard checked != nil else { throw OAuth2Refusal.invalidAuthorizationDetails }
        }
        var wanted = scope
        for scope in details?.scopes ?? [] where !wanted.contains(scope) { wanted.append(scope) }
        guard let checked = try RequestedOperation.check(wanted, of: consumer, in: transaction, profiles: profiles)
        else { throw OAuth2Refusal.invalidScope }
        let operations = try restrict(checked, to: resource, in: transaction)
        guard !operations.isEmpty else { throw OAuth2Refusal.invalidTarget }
        return operations
    }

    /// Makes sure that details are meant for this home.
    ///
    /// - Throws: ``OAuth2Refusal/invalidAuthorizationDetails``.
    func checkLocations(_ details: AuthorizationDetails?, in transaction: Transaction) throws {
        do {
            _ = try restrict([ScopedOperation](), to: details?.details.flatMap(\.locations) ?? [], in: transaction)
        } catch OAuth2Refusal.invalidTarget {
            throw OAuth2Refusal.invalidAuthorizationDetails
        }
    }
}
