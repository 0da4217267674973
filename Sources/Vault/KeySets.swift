// Every version of the key set is kept: a device that slept through some of them needs the chain.

package import FoundationEssentials
import GRDB

extension Transaction {
    /// The newest key set, as published.
    package func currentKeySet() throws -> (version: Int64, document: String)? {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM key_set ORDER BY version DESC LIMIT 1") else {
            return nil
        }
        let columns = Columns(row, table: "key_set")
        return (try columns.integer("version"), try columns.text("document"))
    }

    /// Adds the next version.
    package func insertKeySet(version: Int64, document: String, at now: Date) throws {
        try database.execute(
            sql: "INSERT INTO key_set (version, document, created_at) VALUES (?, ?, ?)",
            arguments: [version, document, now])
    }
}
