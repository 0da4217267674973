// A pushed request is used up by the decision about it, so a person may reload the page, and nobody may decide twice.

package import FoundationEssentials
import GRDB

/// An authorisation request that was left beforehand (RFC 9126), known by the hash of its `request_uri`.
package struct PushedRequest: Sendable, Equatable {
    /// The id of the consumer that left it.
    package let consumer: String
    /// The parameters, form-encoded.
    package let parameters: String
    package let expiresAt: Date
    package let usedAt: Date?
}

extension Transaction {
    /// Stores a pushed request, and forgets those that have expired.
    package func insertPushedRequest(
        hash: [UInt8], consumer: String, parameters: String, expiresAt: Date, now: Date
    ) throws {
        try database.execute(
            sql: "DELETE FROM sp_pushed_request WHERE expires_at < ?", arguments: [now.addingTimeInterval(-60)])
        try database.execute(
            sql: "INSERT INTO sp_pushed_request (hash, consumer, parameters, expires_at) VALUES (?, ?, ?, ?)",
            arguments: [hash.data, consumer, parameters, expiresAt])
    }

    /// The pushed request of that hash, used or not.
    package func pushedRequest(hash: [UInt8]) throws -> PushedRequest? {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sp_pushed_request WHERE hash = ?", arguments: [hash.data])
        else { return nil }
        let columns = Columns(row, table: "sp_pushed_request")
        return PushedRequest(
            consumer: try columns.text("consumer"), parameters: try columns.text("parameters"),
            expiresAt: try columns.date("expires_at"), usedAt: try columns.optionalDate("used_at"))
    }

    /// How many requests a consumer has pushed that nobody decided about yet.
    package func pushedRequests(of consumer: String, at now: Date) throws -> Int {
        try Int.fetchOne(
            database,
            sql: "SELECT count(*) FROM sp_pushed_request WHERE consumer = ? AND used_at IS NULL AND expires_at > ?",
            arguments: [consumer, now]) ?? 0
    }

    /// Forgets the oldest request of a consumer that nobody decided about.
    package func dropOldestPushedRequest(of consumer: String) throws {
        try database.execute(
            sql: """
                DELETE FROM sp_pushed_request WHERE hash = (
                    SELECT hash FROM sp_pushed_request WHERE consumer = ? AND used_at IS NULL ORDER BY expires_at LIMIT 1)
                """,
            arguments: [consumer])
    }

    /// Marks a pushed request used.
    ///
    /// - Returns: `false` when it was used before, or is too old.
    package func usePushedRequest(hash: [UInt8], at now: Date) throws -> Bool {
        try database.execute(
            sql: "UPDATE sp_pushed_request SET used_at = ?1 WHERE hash = ?2 AND used_at IS NULL AND expires_at > ?1",
            arguments: [now, hash.data])
        return database.changesCount > 0
    }
}
