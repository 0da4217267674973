// A client's own token opens nothing of the home: it lets an app see how it stands here itself.

package import FoundationEssentials
import GRDB

/// An access token that a client got for itself (RFC 6749 §4.4), known by its `jti`.
package struct ClientToken: Sendable, Equatable {
    package let id: String
    package let consumer: RegisteredConsumer
    /// The thumbprint of the key it is bound to, `nil` for a bearer token.
    package let thumbprint: String?
    package let expiresAt: Date
    package let revokedAt: Date?
}

extension Transaction {
    /// Stores a client's token, and forgets those that have expired.
    package func insertClientToken(
        id: String, consumer: String, thumbprint: String?, expiresAt: Date, now: Date
    ) throws {
        try database.cachedStatement(sql: "DELETE FROM sp_client_token WHERE expires_at < ?").execute(
            arguments: [now.addingTimeInterval(-60)])
        try database.cachedStatement(
            sql: "INSERT INTO sp_client_token (id, consumer, thumbprint, expires_at) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [id, consumer, thumbprint, expiresAt])
    }

    /// The client's token of that id, live or not.
    package func clientToken(id: String) throws -> ClientToken? {
        guard
            let row = try Row.fetchOne(database, sql: "SELECT * FROM sp_client_token WHERE id = ?", arguments: [id])
        else { return nil }
        let columns = Columns(row, table: "sp_client_token")
        guard let consumer = try registeredConsumer(id: try columns.text("consumer")) else {
            throw VaultError.badRow(table: "sp_client_token", column: "consumer")
        }
        return ClientToken(
            id: id, consumer: consumer, thumbprint: try columns.optionalText("thumbprint"),
            expiresAt: try columns.date("expires_at"), revokedAt: try columns.optionalDate("revoked_at"))
    }

    /// Ends a client's token.
    package func revokeClientToken(id: String, at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_client_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", arguments: [now, id])
    }
}
