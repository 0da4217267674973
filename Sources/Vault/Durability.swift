// What was asked of SQLite is read back: a setting that did not take must not go unseen.

import GRDB

/// How a connection writes.
package struct Durability: Sendable, Equatable {
    /// `wal`, where the file system allows it.
    package let journalMode: String
    /// 2 is FULL: a commit is on the disk before it returns.
    package let synchronous: Int

    init(reading db: Database) throws {
        journalMode = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "unknown"
        synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
    }
}
