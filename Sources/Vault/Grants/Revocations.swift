// What a provider must still be told survives its grant: the tokens lie here, sealed in rows of their own, until it was
// told or nobody will.

package import Delegation
package import FoundationEssentials
import GRDB
import Sealing

/// Tokens that ended here, and whose provider does not know yet.
package struct QueuedRevocation: Sendable {
    package let id: Int64
    package let grant: GrantID
    package let provider: ProviderName
    /// The consumer that they were issued to.
    package let consumer: String
    package let device: DeviceName
    package let tokens: GrantTokens
    /// How often the provider was asked in vain.
    package let attempts: Int
    package let createdAt: Date
    /// Why the last attempt failed.
    package let lastError: String?
}

extension Transaction {
    /// Queues the revocation of a grant's tokens, due at once.
    ///
    /// - Throws: ``VaultError/sealed``.
    package func queueRevocation(of record: GrantRecord, tokens: GrantTokens, at now: Date) throws {
        try database.execute(
            sql: """
                INSERT INTO revocation (grant_id, provider, consumer, device, token_type, attempts, next_at, created_at)
                VALUES (?, ?, ?, ?, ?, 0, ?, ?)
                """,
            arguments: [
                record.grant.id.rawValue, record.grant.provider.rawValue, record.consumer,
                record.grant.device.rawValue, tokens.tokenType, now, now,
            ])
        let id = database.lastInsertedRowID
        func seal(_ secret: Secret?, _ column: String) throws -> Data? {
            try secret.map { try sealer.seal($0, table: "revocation", row: "\(id)", column: column).data }
        }
        try database.execute(
            sql: """
                UPDATE revocation SET sealed_access_token = ?, sealed_token_secret = ?, sealed_refresh_token = ?,
                    sealed_dpop_key = ?
                WHERE id = ?
                """,
            arguments: [
                try seal(tokens.accessToken, "sealed_access_token"),
                try seal(tokens.tokenSecret, "sealed_token_secret"),
                try seal(tokens.refreshToken, "sealed_refresh_token"), try seal(tokens.dpopKey, "sealed_dpop_key"), id,
            ])
    }

    /// Whether a revocation still waits.
    package func hasRevocation(_ id: Int64) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM revocation WHERE id = ?)", arguments: [id]) ?? false
    }

    /// The revocations whose time has come, those first that wait longest; damaged ones are left out. One that is to wait
    /// for more than half a day was put off by a clock that was ahead, so its time has come too.
    ///
    /// - Throws: ``VaultError/sealed``.
    package func dueRevocations(at now: Date) throws -> [QueuedRevocation] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM revocation WHERE next_at <= ? OR next_at > ? ORDER BY next_at, id",
            arguments: [now, now.addingTimeInterval(43_200)]
        ).compactMap(whole)
    }

    /// When the next revocation is due; damaged ones are not waited for.
    ///
    /// - Throws: ``VaultError/sealed``.
    package func nextRevocation() throws -> Date? {
        let cursor = try Row.fetchCursor(database, sql: "SELECT * FROM revocation ORDER BY next_at, id")
        while let row = try cursor.next() {
            if try whole(row) != nil { return try Columns(row, table: "revocation").date("next_at") }
        }
        return nil
    }

    /// How many providers must still be told; readable while the vault is sealed.
    package func revocationCount() throws -> Int {
        try Int.fetchOne(database, sql: "SELECT count(*) FROM revocation") ?? 0
    }

    /// Notes that a provider could not be told, and when to try again.
    package func delayRevocation(_ id: Int64, until next: Date, error: String) throws {
        try database.execute(
            sql: "UPDATE revocation SET attempts = attempts + 1, next_at = ?, last_error = ? WHERE id = ?",
            arguments: [next, error, id])
    }

    /// Forgets a revocation: the provider was told, or will never be.
    package func deleteRevocation(_ id: Int64) throws {
        try database.execute(sql: "DELETE FROM revocation WHERE id = ?", arguments: [id])
    }

    private func whole(_ row: Row) throws -> QueuedRevocation? {
        do {
            return try revocation(row)
        } catch let error as VaultError where error != .sealed {
            return nil
        }
    }

    private func revocation(_ row: Row) throws -> QueuedRevocation {
        let columns = Columns(row, table: "revocation")
        let id = try columns.integer("id")
        func open(_ column: String) throws -> Secret? {
            try columns.optionalBytes(column).map {
                try sealer.open($0, table: "revocation", row: "\(id)", column: column)
            }
        }
        guard let accessToken = try open("sealed_access_token") else {
            throw VaultError.badRow(table: "revocation", column: "sealed_access_token")
        }
        guard let device = DeviceName(rawValue: try columns.text("device")) else {
            throw VaultError.badRow(table: "revocation", column: "device")
        }
        return QueuedRevocation(
            id: id, grant: GrantID(rawValue: try columns.text("grant_id")), provider: try columns.provider("provider"),
            consumer: try columns.text("consumer"), device: device,
            tokens: GrantTokens(
                accessToken: accessToken, tokenSecret: try open("sealed_token_secret"),
                refreshToken: try open("sealed_refresh_token"), tokenType: try columns.text("token_type"),
                dpopKey: try open("sealed_dpop_key")),
            attempts: Int(try columns.integer("attempts")), createdAt: try columns.date("created_at"),
            lastError: try columns.optionalText("last_error"))
    }
}
