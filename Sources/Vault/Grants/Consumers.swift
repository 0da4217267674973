// A consumer's secret is sealed in its own row; there is one consumer for each device, or one for all of a provider's.
// Who adds a consumer again knows its secret: only a rotation leaves former ones behind.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

extension Transaction {
    /// Stores a consumer; one for the same provider and device keeps its id, so that its grants keep their consumer, and
    /// loses its former secrets.
    ///
    /// - Parameters:
    ///   - provider: Where it is registered.
    ///   - device: The device it belongs to, or `nil` when it serves every device of the provider.
    ///   - key: `oauth_consumer_key` or `client_id`.
    ///   - secret: Its secret.
    ///   - now: When it is stored.
    /// - Returns: The consumer as it is stored.
    /// - Throws: ``VaultError/sealed``.
    package func putConsumer(
        provider: ProviderName, device: DeviceName?, key: String, secret: Secret, at now: Date
    ) throws -> Consumer {
        let known = try String.fetchOne(
            database, sql: "SELECT id FROM consumer WHERE provider = ? AND device IS ?",
            arguments: [provider.rawValue, device?.rawValue])
        let id = known ?? Random.alphanumerics(24)
        let sealed = try sealer.seal(secret, table: "consumer", row: id, column: "sealed_secret")
        try database.execute(
            sql: """
                INSERT INTO consumer (id, provider, device, key, sealed_secret, created_at) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET key = excluded.key, sealed_secret = excluded.sealed_secret
                """,
            arguments: [id, provider.rawValue, device?.rawValue, key, sealed.data, now])
        try dropFormerSecrets(ofConsumer: id)
        return Consumer(id: id, provider: provider, device: device, key: key, secret: secret)
    }

    /// The consumer for a device of a provider: the device's own, or else the one for all.
    package func heldConsumer(of provider: ProviderName, for device: DeviceName) throws -> Consumer? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT * FROM consumer WHERE provider = ? AND (device = ? OR device IS NULL)
                ORDER BY device IS NULL LIMIT 1
                """,
            arguments: [provider.rawValue, device.rawValue]
        ).map(heldConsumer)
    }

    /// The consumer of that id.
    package func heldConsumer(id: String) throws -> Consumer? {
        try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM consumer WHERE id = ?"), arguments: [id]
        ).map(heldConsumer)
    }

    /// Every consumer without its secret, by provider; readable while the vault is sealed.
    package func consumerKeys() throws -> [ConsumerKey] {
        try Row.fetchAll(
            database, sql: "SELECT id, provider, device, key, created_at FROM consumer ORDER BY provider, device"
        ).map { row in
            let columns = Columns(row, table: "consumer")
            return ConsumerKey(
                id: try columns.text("id"), provider: try columns.provider("provider"),
                device: try columns.optionalText("device").flatMap(DeviceName.init(rawValue:)),
                key: try columns.text("key"), createdAt: try columns.date("created_at"))
        }
    }

    /// Forgets a consumer.
    ///
    /// - Returns: Whether there was one.
    package func deleteConsumer(id: String) throws -> Bool {
        try database.execute(sql: "DELETE FROM consumer WHERE id = ?", arguments: [id])
        return database.changesCount == 1
    }

    private func heldConsumer(_ row: Row) throws -> Consumer {
        let columns = Columns(row, table: "consumer")
        let id = try columns.text("id")
        return Consumer(
            id: id, provider: try columns.provider("provider"),
            device: try columns.optionalText("device").flatMap(DeviceName.init(rawValue:)),
            key: try columns.text("key"),
            secret: try sealer.open(
                try columns.bytes("sealed_secret"), table: "consumer", row: id, column: "sealed_secret"),
            formerSecrets: try formerSecrets(ofConsumer: id).map(\.secret))
    }
}

/// What may be shown of a consumer.
package struct ConsumerKey: Sendable, Equatable {
    package let id: String
    package let provider: ProviderName
    /// The device it belongs to, or `nil` when it serves every device of the provider.
    package let device: DeviceName?
    /// `oauth_consumer_key` or `client_id`.
    package let key: String
    package let createdAt: Date
}

extension Columns {
    func provider(_ column: String) throws -> ProviderName {
        guard let name = ProviderName(rawValue: try text(column)) else {
            throw VaultError.badRow(table: table, column: column)
        }
        return name
    }
}
