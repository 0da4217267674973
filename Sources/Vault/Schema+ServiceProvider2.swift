// What the provider learned later: terms per consumer, rotation, pushed requests, device codes, standing approvals.

import GRDB

extension Schema {
    static func extendServiceProvider(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE sp_consumer ADD COLUMN authentication TEXT NOT NULL DEFAULT 'secret';
                ALTER TABLE sp_consumer ADD COLUMN signature_method TEXT;
                ALTER TABLE sp_consumer ADD COLUMN grant_types TEXT NOT NULL DEFAULT 'authorization_code refresh_token';
                ALTER TABLE sp_consumer ADD COLUMN jwks TEXT;
                ALTER TABLE sp_consumer ADD COLUMN rotates_refresh_tokens INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sp_consumer ADD COLUMN requires_pushed_requests INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sp_consumer ADD COLUMN requires_dpop INTEGER NOT NULL DEFAULT 0;

                ALTER TABLE sp_access_token ADD COLUMN audience TEXT NOT NULL DEFAULT '';
                ALTER TABLE sp_access_token ADD COLUMN thumbprint TEXT;
                ALTER TABLE sp_code ADD COLUMN resource TEXT NOT NULL DEFAULT '';
                ALTER TABLE sp_code ADD COLUMN thumbprint TEXT;
                ALTER TABLE sp_refresh_token ADD COLUMN resource TEXT NOT NULL DEFAULT '';
                ALTER TABLE sp_refresh_token ADD COLUMN thumbprint TEXT;
                ALTER TABLE sp_refresh_token ADD COLUMN replaced_at TEXT;
                ALTER TABLE sp_refresh_token ADD COLUMN successor BLOB;
                ALTER TABLE sp_refresh_token ADD COLUMN sealed_successor BLOB;
                CREATE INDEX sp_refresh_token_grant ON sp_refresh_token (grant_id);

                CREATE TABLE sp_pushed_request (
                    hash BLOB PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
                    parameters TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT
                ) STRICT;
                CREATE TABLE sp_device_code (
                    hash BLOB PRIMARY KEY, user_code_hash BLOB NOT NULL UNIQUE,
                    consumer TEXT NOT NULL REFERENCES sp_consumer (id), requested TEXT NOT NULL,
                    resource TEXT NOT NULL, state TEXT NOT NULL, person TEXT REFERENCES sp_person (id),
                    scopes TEXT NOT NULL, interval INTEGER NOT NULL, polled_at TEXT, expires_at TEXT NOT NULL
                ) STRICT;
                CREATE TABLE sp_proof (
                    signer TEXT NOT NULL, hash BLOB NOT NULL, expires_at TEXT NOT NULL, PRIMARY KEY (signer, hash)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX sp_proof_expiry ON sp_proof (expires_at);
                CREATE INDEX sp_pushed_request_expiry ON sp_pushed_request (expires_at);
                CREATE INDEX sp_pushed_request_consumer ON sp_pushed_request (consumer, expires_at);
                CREATE INDEX sp_device_code_expiry ON sp_device_code (expires_at);
                CREATE INDEX sp_device_code_consumer ON sp_device_code (consumer, expires_at);
                CREATE INDEX sp_access_token_expiry ON sp_access_token (expires_at);
                CREATE INDEX sp_code_expiry ON sp_code (expires_at);
                CREATE INDEX sp_code_grant ON sp_code (grant_id);
                CREATE INDEX sp_request_token_expiry ON sp_request_token (expires_at);
                CREATE INDEX sp_refresh_token_replaced ON sp_refresh_token (replaced_at) WHERE replaced_at IS NOT NULL;
                CREATE INDEX sp_refresh_token_successor ON sp_refresh_token (successor) WHERE successor IS NOT NULL;
                CREATE INDEX sp_grant_ended ON sp_grant (expires_at);
                CREATE INDEX sp_grant_revoked ON sp_grant (revoked_at) WHERE revoked_at IS NOT NULL;
                CREATE TABLE sp_client_token (
                    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id), thumbprint TEXT,
                    expires_at TEXT NOT NULL, revoked_at TEXT
                ) STRICT;
                CREATE INDEX sp_client_token_expiry ON sp_client_token (expires_at);
                CREATE TABLE sp_approval (
                    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
                    person TEXT NOT NULL REFERENCES sp_person (id), scopes TEXT NOT NULL, created_at TEXT NOT NULL,
                    used_at TEXT, expires_at TEXT NOT NULL, revoked_at TEXT
                ) STRICT;
                CREATE INDEX sp_approval_live ON sp_approval (consumer, person) WHERE revoked_at IS NULL;
                CREATE TABLE sp_invitation (
                    id INTEGER PRIMARY KEY CHECK (id = 1), hash BLOB NOT NULL, wrong_codes INTEGER NOT NULL,
                    expires_at TEXT NOT NULL
                ) STRICT;
                """)
    }
}
