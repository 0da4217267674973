// A chain has one live end. What replaced a token can be told again, but only to who still holds the one before it, and
// only until the new one is itself replaced.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// An OAuth 2 refresh token, known by its hash.
package struct IssuedRefreshToken: Sendable, Equatable {
    /// SHA-256 of the token.
    package let hash: [UInt8]
    package let grant: ConsentedGrant
    /// The resources its access tokens may be for (RFC 8707).
    package let resource: [String]
    /// The thumbprint of the key it is bound to; only a public client's is (RFC 9449 §5).
    package let thumbprint: String?
    package let usedAt: Date
    /// When another took its place, `nil` while it is the live end of its chain.
    package let replacedAt: Date?
    /// SHA-256 of the one that took its place.
    package let successor: [UInt8]?
}

extension Transaction {
    /// Stores a refresh token, and forgets those that were replaced so long ago that nobody can have kept them by
    /// mistake.
    package func insertRefreshToken(
        hash: [UInt8], grant: GrantID, resource: [String], thumbprint: String?, at now: Date
    ) throws {
        try database.execute(
            sql: "DELETE FROM sp_refresh_token WHERE replaced_at < ?", arguments: [now.addingTimeInterval(-30 * 86400)])
        try database.execute(
            sql: "INSERT INTO sp_refresh_token (hash, grant_id, resource, thumbprint, used_at) VALUES (?, ?, ?, ?, ?)",
            arguments: [hash.data, grant.rawValue, resource.joined(separator: " "), thumbprint, now])
    }

    /// The refresh token of that hash, live or not.
    package func refreshToken(hash: [UInt8]) throws -> IssuedRefreshToken? {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sp_refresh_token WHERE hash = ?", arguments: [hash.data])
        else { return nil }
        let columns = Columns(row, table: "sp_refresh_token")
        guard let grant = try consentedGrant(GrantID(rawValue: try columns.text("grant_id"))) else {
            throw VaultError.badRow(table: "sp_refresh_token", column: "grant_id")
        }
        return IssuedRefreshToken(
            hash: hash, grant: grant, resource: try columns.words("resource"),
            thumbprint: try columns.optionalText("thumbprint"), usedAt: try columns.date("used_at"),
            replacedAt: try columns.optionalDate("replaced_at"), successor: try columns.optionalBytes("successor"))
    }

    /// Notes that a refresh token was used.
    package func touchRefreshToken(hash: [UInt8], at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_refresh_token SET used_at = ? WHERE hash = ?", arguments: [now, hash.data])
    }

    /// Puts a new refresh token in the place of one; what came before that one is forgotten but for the fact that it was
    /// replaced.
    ///
    /// - Parameters:
    ///   - token: The live end of a chain.
    ///   - successor: The new one.
    ///   - now: The moment.
    /// - Throws: ``VaultError/badRow(table:column:)`` when `token` was replaced already; nothing is kept then.
    package func replaceRefreshToken(_ token: IssuedRefreshToken, with successor: Secret, at now: Date) throws {
        let hash = successor.reveal { HashFunction.sha256.digest($0) }
        try database.execute(
            sql: "UPDATE sp_refresh_token SET sealed_successor = NULL WHERE successor = ?", arguments: [token.hash.data]
        )
        try database.execute(
            sql: """
                UPDATE sp_refresh_token SET replaced_at = ?, successor = ?, sealed_successor = ?
                WHERE hash = ? AND replaced_at IS NULL
                """,
            arguments: [
                now, hash.data,
                try sealer.seal(
                    successor, table: "sp_refresh_token", row: Hex.encode(token.hash), column: "sealed_successor"
                ).data, token.hash.data,
            ])
        guard database.changesCount == 1 else {
            throw VaultError.badRow(table: "sp_refresh_token", column: "successor")
        }
        try insertRefreshToken(
            hash: hash, grant: token.grant.id, resource: token.resource, thumbprint: token.thumbprint, at: now)
    }

    /// The token that took the place of one, to be told again.
    ///
    /// - Returns: `nil` unless that one is still the live end of the chain.
    package func successor(of token: IssuedRefreshToken) throws -> Secret? {
        guard let next = try token.successor.flatMap({ try refreshToken(hash: $0) }), next.replacedAt == nil,
            let sealed = try Data.fetchOne(
                database, sql: "SELECT sealed_successor FROM sp_refresh_token WHERE hash = ?",
                arguments: [token.hash.data])
        else { return nil }
        return try sealer.open(
            Array(sealed), table: "sp_refresh_token", row: Hex.encode(token.hash), column: "sealed_successor")
    }
}
