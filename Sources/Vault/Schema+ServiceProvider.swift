// The home's own service provider. Whatever a peer presents and need not be shown again (codes, OAuth 2 secrets and
// refresh tokens, cookies, form tokens) is kept as SHA-256 of a random value; what HMAC needs again is sealed.

import GRDB

extension Schema {
    static func createServiceProvider(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE sp_person (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL, n INTEGER NOT NULL,
                    r INTEGER NOT NULL, p INTEGER NOT NULL, hash BLOB NOT NULL,
                    created_at TEXT NOT NULL, removed_at TEXT
                ) STRICT;
                CREATE UNIQUE INDEX sp_person_name ON sp_person (name) WHERE removed_at IS NULL;
                CREATE TABLE sp_throttle (
                    bucket INTEGER PRIMARY KEY, failures INTEGER NOT NULL, blocked_until TEXT NOT NULL
                ) STRICT;
                CREATE TABLE sp_session (
                    hash BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES sp_person (id),
                    signed_in_at TEXT NOT NULL, seen_at TEXT NOT NULL
                ) STRICT;
                CREATE TABLE sp_form (
                    hash BLOB PRIMARY KEY, session BLOB NOT NULL REFERENCES sp_session (hash) ON DELETE CASCADE,
                    purpose TEXT NOT NULL, payload TEXT NOT NULL, expires_at TEXT NOT NULL
                ) STRICT;
                CREATE INDEX sp_form_session ON sp_form (session);

                CREATE TABLE sp_consumer (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, protocol TEXT NOT NULL, consumer_key TEXT NOT NULL UNIQUE,
                    sealed_secret BLOB, secret_hash BLOB, redirect_uris TEXT NOT NULL, scopes TEXT NOT NULL,
                    agent_device TEXT, created_at TEXT NOT NULL, removed_at TEXT
                ) STRICT;
                CREATE UNIQUE INDEX sp_consumer_name ON sp_consumer (name)
                    WHERE removed_at IS NULL AND agent_device IS NULL;
                CREATE UNIQUE INDEX sp_consumer_agent ON sp_consumer (agent_device, protocol)
                    WHERE removed_at IS NULL AND agent_device IS NOT NULL;

                CREATE TABLE sp_grant (
                    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
                    person TEXT NOT NULL REFERENCES sp_person (id), created_at TEXT NOT NULL, used_at TEXT,
                    expires_at TEXT NOT NULL, revoked_at TEXT
                ) STRICT;
                CREATE INDEX sp_grant_live ON sp_grant (person) WHERE revoked_at IS NULL;
                CREATE TABLE sp_grant_scope (
                    grant_id TEXT NOT NULL REFERENCES sp_grant (id), device TEXT NOT NULL REFERENCES device (id),
                    operation TEXT NOT NULL, PRIMARY KEY (grant_id, device, operation)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE sp_request_token (
                    token TEXT PRIMARY KEY, sealed_secret BLOB NOT NULL,
                    consumer TEXT NOT NULL REFERENCES sp_consumer (id), callback TEXT NOT NULL,
                    requested TEXT NOT NULL, state TEXT NOT NULL, person TEXT REFERENCES sp_person (id),
                    scopes TEXT NOT NULL, verifier_hash BLOB, wrong_verifiers INTEGER NOT NULL,
                    expires_at TEXT NOT NULL
                ) STRICT;
                CREATE TABLE sp_access_token (
                    id TEXT PRIMARY KEY, sealed_secret BLOB, grant_id TEXT NOT NULL REFERENCES sp_grant (id),
                    scopes TEXT NOT NULL, expires_at TEXT NOT NULL, revoked_at TEXT
                ) STRICT;
                CREATE INDEX sp_access_token_grant ON sp_access_token (grant_id);
                CREATE TABLE sp_nonce (
                    timestamp INTEGER NOT NULL, consumer TEXT NOT NULL, token TEXT NOT NULL, nonce TEXT NOT NULL,
                    PRIMARY KEY (timestamp, consumer, token, nonce)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE sp_code (
                    hash BLOB PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
                    person TEXT NOT NULL REFERENCES sp_person (id), scopes TEXT NOT NULL, redirect_uri TEXT,
                    challenge TEXT NOT NULL, expires_at TEXT NOT NULL, grant_id TEXT REFERENCES sp_grant (id)
                ) STRICT;
                CREATE TABLE sp_refresh_token (
                    hash BLOB PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES sp_grant (id), used_at TEXT NOT NULL
                ) STRICT;
                """)
    }
}
