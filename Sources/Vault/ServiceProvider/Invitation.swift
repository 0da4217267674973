// There is one invitation at a time; it is good once, for a short while, and for a few tries.

package import FoundationEssentials
import GRDB
import Sealing

extension Transaction {
    /// Puts an invitation in the place of whatever there was.
    package func setInvitation(hash: [UInt8], expiresAt: Date) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO sp_invitation (id, hash, wrong_codes, expires_at) VALUES (1, ?, 0, ?)",
            arguments: [hash.data, expiresAt])
    }

    /// Whether an invitation waits to be used.
    package func hasInvitation(at now: Date) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM sp_invitation WHERE expires_at > ?)", arguments: [now])
            ?? false
    }

    /// Whether a code is the invitation's; a wrong one counts, and the `limit`th takes the invitation away.
    package func checkInvitation(hash: [UInt8], limit: Int, now: Date) throws -> Bool {
        try database.execute(sql: "DELETE FROM sp_invitation WHERE expires_at <= ?", arguments: [now])
        guard let expected = try Data.fetchOne(database, sql: "SELECT hash FROM sp_invitation WHERE id = 1") else {
            return false
        }
        if ConstantTime.equal(Array(expected), hash) { return true }
        try database.execute(sql: "UPDATE sp_invitation SET wrong_codes = wrong_codes + 1")
        try database.execute(sql: "DELETE FROM sp_invitation WHERE wrong_codes >= ?", arguments: [limit])
        return false
    }

    /// Uses the invitation up.
    ///
    /// - Returns: `false` when it is not that one any more.
    package func useInvitation(hash: [UInt8]) throws -> Bool {
        try database.execute(sql: "DELETE FROM sp_invitation WHERE hash = ?", arguments: [hash.data])
        return database.changesCount > 0
    }
}
