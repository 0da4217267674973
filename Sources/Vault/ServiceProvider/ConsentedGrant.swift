// What was allowed is kept by device id: a device that later gets the same name inherits nothing.

package import Delegation
package import FoundationEssentials
import GRDB

/// One operation of one device, by the device's id.
package struct ScopedOperation: Sendable, Hashable {
    package let operation: String
    package let device: String

    /// Names an operation of a device.
    package init(_ operation: String, device: String) {
        self.operation = operation
        self.device = device
    }

    /// The form it is stored in.
    package var word: String { "\(operation)@\(device)" }

    /// Reads the stored form.
    package init?(word: String) {
        guard let at = word.firstIndex(of: "@") else { return nil }
        self.init(String(word[..<at]), device: String(word[word.index(after: at)...]))
    }
}

extension [ScopedOperation] {
    /// The form a list is stored in.
    var words: String { map(\.word).joined(separator: " ") }
}

/// What a person allowed a consumer of the home's own provider.
package struct ConsentedGrant: Sendable, Equatable {
    package let id: GrantID
    package let consumer: RegisteredConsumer
    package let person: Person
    package let scopes: [ScopedOperation]
    package let createdAt: Date
    /// When it was last used, to the minute.
    package let usedAt: Date?
    package let expiresAt: Date
    package let revokedAt: Date?

    /// Whether it still allows anything.
    package func isLive(at now: Date) -> Bool { revokedAt == nil && now < expiresAt }
}

extension Transaction {
    /// Stores what a person allowed, and forgets what ended long ago with all that belonged to it.
    ///
    /// - Parameters:
    ///   - id: The grant's id.
    ///   - consumer: The id of the consumer.
    ///   - person: The id of the person.
    ///   - scopes: What was allowed.
    ///   - now: The moment.
    ///   - expiresAt: When it ends.
    ///   - limit: How many a consumer may have of a person at a time; the oldest beyond that end.
    /// - Returns: The ids of those that ended to make room.
    /// - Throws: An error of the database; nothing is stored then.
    package func insertConsentedGrant(
        id: GrantID, consumer: String, person: String, scopes: [ScopedOperation], at now: Date, expiresAt: Date,
        limit: Int
    ) throws -> [GrantID] {
        try forgetGrants(endedBefore: now.addingTimeInterval(-30 * 86400))
        let ended = try String.fetchAll(
            database,
            sql: """
                UPDATE sp_grant SET revoked_at = ?1 WHERE id IN (
                    SELECT id FROM sp_grant WHERE consumer = ?2 AND person = ?3 AND revoked_at IS NULL AND expires_at > ?1
                    ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?4)
                RETURNING id
                """,
            arguments: [now, consumer, person, limit - 1])
        try database.execute(
            sql: "INSERT INTO sp_grant (id, consumer, person, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            arguments: [id.rawValue, consumer, person, now, expiresAt])
        for scope in scopes {
            try database.execute(
                sql: "INSERT INTO sp_grant_scope (grant_id, device, operation) VALUES (?, ?, ?)",
                arguments: [id.rawValue, scope.device, scope.operation])
        }
        return ended.map(GrantID.init(rawValue:))
    }

    private func forgetGrants(endedBefore oldest: Date) throws {
        let ended = try String.fetchAll(
            database, sql: "SELECT id FROM sp_grant WHERE expires_at < ?1 OR revoked_at < ?1 LIMIT 100",
            arguments: [oldest])
        for id in ended {
            for table in ["sp_refresh_token", "sp_access_token", "sp_code", "sp_grant_scope"] {
                try database.execute(sql: "DELETE FROM \(table) WHERE grant_id = ?", arguments: [id])
            }
            try database.execute(sql: "DELETE FROM sp_grant WHERE id = ?", arguments: [id])
        }
    }

    /// The grant of that id, live or not.
    package func consentedGrant(_ id: GrantID) throws -> ConsentedGrant? {
        try Row.fetchOne(database, sql: "SELECT * FROM sp_grant WHERE id = ?", arguments: [id.rawValue])
            .map(consentedGrant)
    }

    /// The grants that still allow something, oldest first.
    package func liveGrants(at now: Date) throws -> [ConsentedGrant] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM sp_grant WHERE revoked_at IS NULL AND expires_at > ? ORDER BY created_at, id",
            arguments: [now]
        ).map(consentedGrant)
    }

    /// Ends a grant with every token it has.
    ///
    /// - Returns: Whether it was live until now.
    package func revokeConsentedGrant(_ id: GrantID, at now: Date) throws -> Bool {
        try database.execute(
            sql: "UPDATE sp_grant SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
            arguments: [now, id.rawValue])
        return database.changesCount > 0
    }

    /// Notes that a grant was used, at most once a minute.
    package func touchGrant(_ grant: ConsentedGrant, at now: Date) throws {
        if let usedAt = grant.usedAt, now.timeIntervalSince(usedAt) < 60 { return }
        try database.execute(sql: "UPDATE sp_grant SET used_at = ? WHERE id = ?", arguments: [now, grant.id.rawValue])
    }

    private func consentedGrant(_ row: Row) throws -> ConsentedGrant {
        let columns = Columns(row, table: "sp_grant")
        let id = try columns.text("id")
        guard let consumer = try registeredConsumer(id: try columns.text("consumer")),
            let person = try person(id: try columns.text("person"))
        else { throw VaultError.badRow(table: "sp_grant", column: "consumer") }
        let scopes = try Row.fetchAll(
            database, sql: "SELECT * FROM sp_grant_scope WHERE grant_id = ? ORDER BY device, operation", arguments: [id]
        ).map { row in
            let columns = Columns(row, table: "sp_grant_scope")
            return ScopedOperation(try columns.text("operation"), device: try columns.text("device"))
        }
        return ConsentedGrant(
            id: GrantID(rawValue: id), consumer: consumer, person: person, scopes: scopes,
            createdAt: try columns.date("created_at"), usedAt: try columns.optionalDate("used_at"),
            expiresAt: try columns.date("expires_at"), revokedAt: try columns.optionalDate("revoked_at"))
    }

    /// The person of that id, removed or not.
    func person(id: String) throws -> Person? {
        try Row.fetchOne(database, sql: "SELECT * FROM sp_person WHERE id = ?", arguments: [id])
            .map { try Self.person(Columns($0, table: "sp_person")) }
    }

    /// Whether a person may still sign in.
    package func isPresent(person id: String) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM sp_person WHERE id = ? AND removed_at IS NULL)",
            arguments: [id]) ?? false
    }
}

extension Columns {
    /// Operations of devices, separated by spaces.
    func scopedOperations(_ column: String) throws -> [ScopedOperation] {
        try words(column).map { word in
            guard let scope = ScopedOperation(word: word) else { throw VaultError.badRow(table: table, column: column) }
            return scope
        }
    }
}
