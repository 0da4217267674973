// While a secret is being changed, nobody knows when the provider forgets the old one: the last few are kept, each sealed
// under a number of its own.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

extension Transaction {
    /// Gives a consumer a new secret; the one that it had becomes the first of its former ones, of which three are kept.
    ///
    /// - Parameters:
    ///   - provider: Where it is registered.
    ///   - device: The device it belongs to, or `nil` for the one that serves every device of the provider.
    ///   - secret: Its new secret; one that it has already changes nothing.
    ///   - now: When it is changed.
    /// - Returns: The consumer as it is now; `nil` when there is none.
    /// - Throws: ``VaultError/sealed``, ``VaultError/damagedSecret(table:column:)``.
    package func rotateConsumer(
        provider: ProviderName, device: DeviceName?, secret: Secret, at now: Date
    ) throws -> Consumer? {
        guard
            let id = try String.fetchOne(
                database, sql: "SELECT id FROM consumer WHERE provider = ? AND device IS ?",
                arguments: [provider.rawValue, device?.rawValue]),
            let consumer = try heldConsumer(id: id)
        else { return nil }
        guard !consumer.secret.matches(secret) else { return consumer }
        let former = try formerSecrets(ofConsumer: id)
        // A secret that is taken up again is not a former one.
        for known in former where known.secret.matches(secret) { try deleteFormerSecret(id, known.position) }
        let position = (former.first?.position ?? 0) + 1
        let kept = try sealer.seal(
            consumer.secret, table: "consumer_secret", row: Self.place(id, position), column: "sealed_secret")
        try database.execute(
            sql: "INSERT INTO consumer_secret (consumer, position, sealed_secret, created_at) VALUES (?, ?, ?, ?)",
            arguments: [id, position, kept.data, now])
        for known in try formerSecrets(ofConsumer: id).dropFirst(3) { try deleteFormerSecret(id, known.position) }
        let sealed = try sealer.seal(secret, table: "consumer", row: id, column: "sealed_secret")
        try database.execute(
            sql: "UPDATE consumer SET sealed_secret = ? WHERE id = ?", arguments: [sealed.data, id])
        return try heldConsumer(id: id)
    }

    /// Forgets the secrets that a consumer had before, because the present one works.
    package func dropFormerSecrets(ofConsumer id: String) throws {
        try database.execute(sql: "DELETE FROM consumer_secret WHERE consumer = ?", arguments: [id])
    }

    func formerSecrets(ofConsumer id: String) throws -> [(position: Int64, secret: Secret)] {
        try Row.fetchAll(
            database.cachedStatement(sql: "SELECT * FROM consumer_secret WHERE consumer = ? ORDER BY position DESC"),
            arguments: [id]
        ).compactMap { row in
            let columns = Columns(row, table: "consumer_secret")
            let position = try columns.integer("position")
            do {
                let secret = try sealer.open(
                    try columns.bytes("sealed_secret"), table: "consumer_secret", row: Self.place(id, position),
                    column: "sealed_secret")
                return (position, secret)
            } catch VaultError.damagedSecret {
                // It would only be tried in vain; the present secret must not be lost with it.
                return nil
            }
        }
    }

    private func deleteFormerSecret(_ id: String, _ position: Int64) throws {
        try database.execute(
            sql: "DELETE FROM consumer_secret WHERE consumer = ? AND position = ?", arguments: [id, position])
    }

    private static func place(_ id: String, _ position: Int64) -> String { "\(id)#\(position)" }
}
