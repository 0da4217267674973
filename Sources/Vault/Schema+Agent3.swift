// What the agent learned as a consumer: flows, keys bound to grants, former secrets, revocations that wait for their
// provider, notices, and which machine the vault belongs to.

import GRDB

extension Schema {
    static func extendAgent(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE grant ADD COLUMN flow TEXT NOT NULL DEFAULT 'redirect';
                ALTER TABLE grant ADD COLUMN release TEXT NOT NULL DEFAULT 'token';
                ALTER TABLE grant ADD COLUMN sealed_dpop_key BLOB;
                ALTER TABLE grant ADD COLUMN issued_boot TEXT;
                ALTER TABLE grant ADD COLUMN issued_uptime REAL;
                ALTER TABLE grant ADD COLUMN refresh_expires_at TEXT;

                ALTER TABLE pending_approval ADD COLUMN flow TEXT NOT NULL DEFAULT 'redirect';
                ALTER TABLE pending_approval ADD COLUMN sealed_dpop_key BLOB;
                ALTER TABLE pending_approval ADD COLUMN user_code TEXT;
                ALTER TABLE pending_approval ADD COLUMN verification_uri TEXT;
                ALTER TABLE pending_approval ADD COLUMN verification_uri_complete TEXT;
                ALTER TABLE pending_approval ADD COLUMN interval INTEGER;

                ALTER TABLE refresh ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
                ALTER TABLE refresh ADD COLUMN started_uptime REAL;

                CREATE TABLE consumer_secret (
                    consumer TEXT NOT NULL REFERENCES consumer (id) ON DELETE CASCADE, position INTEGER NOT NULL,
                    sealed_secret BLOB NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (consumer, position)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE revocation (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, grant_id TEXT NOT NULL, provider TEXT NOT NULL,
                    consumer TEXT NOT NULL, device TEXT NOT NULL, token_type TEXT NOT NULL, sealed_access_token BLOB,
                    sealed_token_secret BLOB, sealed_refresh_token BLOB, sealed_dpop_key BLOB,
                    attempts INTEGER NOT NULL, next_at TEXT NOT NULL, created_at TEXT NOT NULL, last_error TEXT
                ) STRICT;
                CREATE INDEX revocation_due ON revocation (next_at);
                CREATE TABLE notice (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
                    device TEXT, provider TEXT, text TEXT NOT NULL, hint TEXT
                ) STRICT;
                CREATE TABLE notice_open (
                    kind TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES notice (seq),
                    PRIMARY KEY (kind, subject)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE notice_channel (name TEXT PRIMARY KEY, told INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                CREATE TABLE instance (
                    id INTEGER PRIMARY KEY CHECK (id = 1), machine TEXT NOT NULL, file TEXT NOT NULL,
                    quarantine TEXT, since TEXT
                ) STRICT;
                CREATE TABLE counter_floor (
                    device TEXT PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE, counter INTEGER NOT NULL,
                    session TEXT
                ) STRICT, WITHOUT ROWID;
                """)
    }
}
