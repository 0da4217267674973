// A proof is remembered until it would be refused for its age, whatever happens in between, so it is good once.

package import FoundationEssentials
import GRDB
import Sealing

extension Transaction {
    /// Remembers the `jti` of a DPoP proof or client assertion, and forgets those that are too old to be taken.
    ///
    /// - Parameters:
    ///   - id: The `jti`, unique for its signer.
    ///   - signer: Who signed: the thumbprint of a key, or the id of a consumer.
    ///   - expiresAt: From when on the proof is refused for its age.
    ///   - now: The moment.
    /// - Returns: `false` when it was used before.
    /// - Throws: An error of the database; nothing is remembered then.
    package func useProof(_ id: String, of signer: String, expiresAt: Date, now: Date) throws -> Bool {
        // A minute longer, in case the clock is set back.
        try database.execute(
            sql: "DELETE FROM sp_proof WHERE expires_at < ?", arguments: [now.addingTimeInterval(-60)])
        try database.execute(
            sql: "INSERT OR IGNORE INTO sp_proof (signer, hash, expires_at) VALUES (?, ?, ?)",
            arguments: [signer, HashFunction.sha256.digest(Array(id.utf8)).data, expiresAt])
        return database.changesCount > 0
    }
}
