// Migrations only ever add; a newer file is refused by an older program before anything is touched. Dates are text
// (`YYYY-MM-DD HH:MM:SS.SSS`, UTC), lists of words are separated by spaces, sealed columns are named `sealed_…`.

import GRDB

enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 home and keys") { db in
            try db.execute(
                sql: """
                    CREATE TABLE seal_slot (
                        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, salt BLOB NOT NULL,
                        n INTEGER NOT NULL, r INTEGER NOT NULL, p INTEGER NOT NULL, wrapped BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE home (
                        id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, site TEXT NOT NULL,
                        hub TEXT NOT NULL, created_at TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE key (
                        id TEXT PRIMARY KEY, purpose TEXT NOT NULL, sealed_secret BLOB NOT NULL,
                        created_at TEXT NOT NULL, retired_at TEXT
                    ) STRICT;
                    CREATE TABLE audit (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL,
                        action TEXT NOT NULL, subject TEXT NOT NULL, authority TEXT NOT NULL,
                        outcome TEXT NOT NULL, detail TEXT NOT NULL, mac BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE audit_head (
                        id INTEGER PRIMARY KEY CHECK (id = 1), sealed_head BLOB NOT NULL
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("1 devices and commands", migrate: createDevices)
        migrator.registerMigration("1 grants", migrate: createGrants)
        migrator.registerMigration("1 service provider", migrate: createServiceProvider)
        migrator.registerMigration("2 service provider", migrate: extendServiceProvider)
        migrator.registerMigration("3 agent", migrate: extendAgent)
        return migrator
    }
}
