// Devices, what the hub knows of their current boot, and every command with its outcome.

import GRDB

extension Schema {
    static func createDevices(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE device (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, profile TEXT NOT NULL, state TEXT NOT NULL,
                    identity_key BLOB NOT NULL UNIQUE, sealing_key BLOB NOT NULL,
                    created_at TEXT NOT NULL, enrolled_at TEXT,
                    dismissed INTEGER NOT NULL DEFAULT 0
                ) STRICT;
                CREATE UNIQUE INDEX device_name ON device (name) WHERE state <> 'removed';
                CREATE TABLE key_set (
                    version INTEGER PRIMARY KEY, document TEXT NOT NULL, created_at TEXT NOT NULL
                ) STRICT;
                CREATE TABLE command (
                    id TEXT PRIMARY KEY, device TEXT NOT NULL REFERENCES device (id), operation TEXT NOT NULL,
                    args TEXT NOT NULL, requester TEXT NOT NULL, grant_id TEXT, session TEXT, kid TEXT,
                    counter INTEGER, hash TEXT, outcome TEXT, code TEXT, receipt TEXT,
                    created_at TEXT NOT NULL, finished_at TEXT
                ) STRICT;
                CREATE UNIQUE INDEX command_counter ON command (device, session, kid, counter);
                CREATE INDEX command_hash ON command (hash);
                CREATE INDEX command_open ON command (device) WHERE outcome IS NULL;
                """)
    }
}
