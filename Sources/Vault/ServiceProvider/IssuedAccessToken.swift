// Every access token has a row, the signed ones too, so that each can be withdrawn at once.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// An access token that was handed out: an OAuth 1.0a token, or the `jti` of a JWT.
package struct IssuedAccessToken: Sendable, Equatable {
    package let id: String
    package let grant: ConsentedGrant
    /// What it allows; never more than the grant.
    package let scopes: [ScopedOperation]
    /// The resources it is good at (RFC 8707); empty for OAuth 1.0a, which has no such thing.
    package let audience: [String]
    /// The thumbprint of the key it is bound to (RFC 9449 §6), `nil` for a bearer token.
    package let thumbprint: String?
    package let expiresAt: Date
    package let revokedAt: Date?
}

extension Transaction {
    /// Stores an access token, and forgets those that have expired, of OAuth 1.0a, which can say so, a day later; the
    /// secret, which only OAuth 1.0a has, is sealed.
    package func insertAccessToken(
        id: String, secret: Secret?, grant: GrantID, scopes: [ScopedOperation], audience: [String] = [],
        thumbprint: String? = nil, expiresAt: Date, now: Date
    ) throws {
        try database.execute(
            sql: "DELETE FROM sp_access_token WHERE expires_at < ? AND (sealed_secret IS NULL OR expires_at < ?)",
            arguments: [now.addingTimeInterval(-60), now.addingTimeInterval(-86400)])
        let sealed = try secret.map {
            try sealer.seal($0, table: "sp_access_token", row: id, column: "sealed_secret").data
        }
        try database.execute(
            sql: """
                INSERT INTO sp_access_token (id, sealed_secret, grant_id, scopes, audience, thumbprint, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id, sealed, grant.rawValue, scopes.words, audience.joined(separator: " "), thumbprint, expiresAt,
            ])
    }

    /// The access token of that id, live or not.
    package func accessToken(id: String) throws -> IssuedAccessToken? {
        guard
            let row = try Row.fetchOne(database, sql: "SELECT * FROM sp_access_token WHERE id = ?", arguments: [id])
        else { return nil }
        let columns = Columns(row, table: "sp_access_token")
        guard let grant = try consentedGrant(GrantID(rawValue: try columns.text("grant_id"))) else {
            throw VaultError.badRow(table: "sp_access_token", column: "grant_id")
        }
        return IssuedAccessToken(
            id: id, grant: grant, scopes: try columns.scopedOperations("scopes"),
            audience: try columns.words("audience"), thumbprint: try columns.optionalText("thumbprint"),
            expiresAt: try columns.date("expires_at"), revokedAt: try columns.optionalDate("revoked_at"))
    }

    /// The secret of an OAuth 1.0a token.
    ///
    /// - Throws: ``VaultError/badRow(table:column:)`` for a token that has none.
    package func secret(of token: IssuedAccessToken) throws -> Secret {
        let sealed = try Data.fetchOne(
            database, sql: "SELECT sealed_secret FROM sp_access_token WHERE id = ?", arguments: [token.id])
        guard let sealed else { throw VaultError.badRow(table: "sp_access_token", column: "sealed_secret") }
        return try sealer.open(Array(sealed), table: "sp_access_token", row: token.id, column: "sealed_secret")
    }

    /// Ends one access token; its grant stays.
    package func revokeAccessToken(id: String, at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_access_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", arguments: [now, id])
    }

    /// Remembers a nonce, and forgets those whose timestamp would be refused anyway.
    ///
    /// - Returns: `false` when it was used before.
    package func useNonce(
        _ nonce: String, timestamp: Int, consumer: String, token: String, forgetBefore oldest: Int
    ) throws -> Bool {
        try database.execute(sql: "DELETE FROM sp_nonce WHERE timestamp < ?", arguments: [oldest])
        try database.execute(
            sql: "INSERT OR IGNORE INTO sp_nonce (timestamp, consumer, token, nonce) VALUES (?, ?, ?, ?)",
            arguments: [timestamp, consumer, token, nonce])
        return database.changesCount > 0
    }
}
