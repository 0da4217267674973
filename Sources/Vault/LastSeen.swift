// The vault remembers what time it was: a hub that wakes up in 1970 can tell, and one that was in 2038 for a night is
// not held to it.

package import FoundationEssentials
import GRDB

extension Transaction {
    /// The latest wall-clock time that the vault believes in; readable while it is sealed.
    ///
    /// The newest line of the audit log that is not older than the home counts, even where an earlier line has a later
    /// time: then the clock was ahead, and somebody has set it right. Without such a line, it is the newest token's time.
    ///
    /// - Returns: `nil` for a home in which nothing ever happened.
    package func lastSeen() throws -> Date? {
        try Date.fetchOne(
            database,
            sql: "SELECT at FROM audit WHERE at >= (SELECT created_at FROM home) ORDER BY seq DESC LIMIT 1")
            ?? Date.fetchOne(
                database,
                sql: """
                    SELECT max(issued_at) FROM grant WHERE issued_at >= (SELECT created_at FROM home)
                    """)
    }
}
