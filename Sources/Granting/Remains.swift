// A grant's tokens are read in the transaction that erases them; a damaged row keeps nobody from ending a grant, it only
// keeps the provider from being told.

import Delegation
import Vault

/// What it takes to tell a provider that a grant has ended.
struct Remains: Sendable {
    let record: GrantRecord
    /// `nil` when the grant never had tokens.
    let tokens: GrantTokens?
    let consumer: Consumer?
    /// Why tokens or consumer cannot be read.
    let damage: String?
}

extension Transaction {
    /// Reads what is left of a grant that is about to end.
    ///
    /// - Throws: ``VaultError/sealed``; damage is not thrown.
    func remains(of record: GrantRecord) throws -> Remains {
        do {
            return Remains(
                record: record, tokens: try tokens(of: record.grant.id),
                consumer: try heldConsumer(id: record.consumer), damage: nil)
        } catch let error as VaultError where error != .sealed {
            return Remains(record: record, tokens: nil, consumer: nil, damage: error.description)
        }
    }
}
