// What a person allowed for always holds for that person, that consumer and those operations of those devices, and for
// nothing that is only like them.

package import FoundationEssentials
import GRDB

/// A person's word that a consumer need not ask again.
package struct StandingApproval: Sendable, Equatable {
    package let id: String
    package let consumer: RegisteredConsumer
    package let person: Person
    package let scopes: [ScopedOperation]
    package let createdAt: Date
    /// When it last answered in the person's stead.
    package let usedAt: Date?
    package let expiresAt: Date
}

extension Transaction {
    /// Stores a standing approval, in the place of those that say no more.
    package func insertStandingApproval(
        id: String, consumer: String, person: String, scopes: [ScopedOperation], at now: Date, expiresAt: Date
    ) throws {
        for known in try standingApprovals(of: consumer, by: person, at: now)
        where known.scopes.allSatisfy(scopes.contains) {
            _ = try revokeStandingApproval(id: known.id, at: now)
        }
        try database.execute(
            sql:
                "INSERT INTO sp_approval (id, consumer, person, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [id, consumer, person, scopes.words, now, expiresAt])
    }

    /// The standing approvals that hold, oldest first.
    package func standingApprovals(at now: Date) throws -> [StandingApproval] {
        try Row.fetchAll(
            database,
            sql: "SELECT * FROM sp_approval WHERE revoked_at IS NULL AND expires_at > ? ORDER BY created_at, id",
            arguments: [now]
        ).map(standingApproval)
    }

    private func standingApprovals(of consumer: String, by person: String, at now: Date) throws -> [StandingApproval] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM sp_approval WHERE consumer = ? AND person = ? AND revoked_at IS NULL AND expires_at > ?
                ORDER BY created_at, id
                """,
            arguments: [consumer, person, now]
        ).map(standingApproval)
    }

    private func standingApproval(_ row: Row) throws -> StandingApproval {
        let columns = Columns(row, table: "sp_approval")
        guard let consumer = try registeredConsumer(id: try columns.text("consumer")),
            let person = try person(id: try columns.text("person"))
        else { throw VaultError.badRow(table: "sp_approval", column: "consumer") }
        return StandingApproval(
            id: try columns.text("id"), consumer: consumer, person: person,
            scopes: try columns.scopedOperations("scopes"), createdAt: try columns.date("created_at"),
            usedAt: try columns.optionalDate("used_at"), expiresAt: try columns.date("expires_at"))
    }

    /// The standing approval that covers a request.
    package func standingApproval(
        of consumer: String, by person: String, covering scopes: [ScopedOperation], at now: Date
    ) throws -> StandingApproval? {
        try standingApprovals(of: consumer, by: person, at: now).first { scopes.allSatisfy($0.scopes.contains) }
    }

    /// Notes that a standing approval answered a request.
    package func touchStandingApproval(id: String, at now: Date) throws {
        try database.execute(sql: "UPDATE sp_approval SET used_at = ? WHERE id = ?", arguments: [now, id])
    }

    /// Ends a standing approval; grants that came of it stay.
    ///
    /// - Returns: Whether it held until now.
    package func revokeStandingApproval(id: String, at now: Date) throws -> Bool {
        try database.execute(
            sql: "UPDATE sp_approval SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", arguments: [now, id])
        return database.changesCount > 0
    }

    /// Takes back what a person approved and the consumer did not fetch yet: codes, device codes and request tokens.
    package func dropApprovals(of consumer: String, by person: String) throws {
        try database.execute(
            sql: "DELETE FROM sp_code WHERE consumer = ? AND person = ? AND grant_id IS NULL",
            arguments: [consumer, person])
        for table in ["sp_device_code", "sp_request_token"] {
            try database.execute(
                sql: "UPDATE \(table) SET state = 'denied' WHERE consumer = ? AND person = ? AND state = 'approved'",
                arguments: [consumer, person])
        }
    }

    /// Ends every standing approval of a person for a consumer, so that nothing taken back comes back by itself.
    package func revokeStandingApprovals(of consumer: String, by person: String, at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_approval SET revoked_at = ? WHERE consumer = ? AND person = ? AND revoked_at IS NULL",
            arguments: [now, consumer, person])
    }
}
