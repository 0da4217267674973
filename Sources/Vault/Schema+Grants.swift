// Consumers, grants, approvals on their way, and refreshes under way. A grant's secrets are bound to its generation, so
// an older generation cannot be put back in the place of a newer one.

import GRDB

extension Schema {
    static func createGrants(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE consumer (
                    id TEXT PRIMARY KEY, provider TEXT NOT NULL, device TEXT, key TEXT NOT NULL,
                    sealed_secret BLOB NOT NULL, created_at TEXT NOT NULL
                ) STRICT;
                CREATE UNIQUE INDEX consumer_place ON consumer (provider, coalesce(device, ''));
                CREATE TABLE grant (
                    id TEXT PRIMARY KEY, device_id TEXT NOT NULL REFERENCES device (id), device TEXT NOT NULL,
                    provider TEXT NOT NULL, consumer TEXT NOT NULL, state TEXT NOT NULL, scopes TEXT NOT NULL,
                    generation INTEGER NOT NULL, created_at TEXT NOT NULL, issued_at TEXT, expires_at TEXT,
                    reason TEXT, token_type TEXT, sealed_access_token BLOB, sealed_token_secret BLOB,
                    sealed_refresh_token BLOB
                ) STRICT;
                CREATE UNIQUE INDEX grant_active ON grant (device_id) WHERE state = 'active';
                CREATE INDEX grant_device ON grant (device_id);
                CREATE TABLE pending_approval (
                    grant_id TEXT PRIMARY KEY REFERENCES grant (id), provider TEXT NOT NULL,
                    handle_hash BLOB NOT NULL UNIQUE, sealed_handle BLOB NOT NULL, sealed_proof BLOB NOT NULL,
                    redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, expires_at TEXT NOT NULL
                ) STRICT;
                CREATE TABLE refresh (
                    grant_id TEXT PRIMARY KEY REFERENCES grant (id), generation INTEGER NOT NULL,
                    token_hash BLOB NOT NULL, boot TEXT NOT NULL, started_at TEXT NOT NULL,
                    sealed_reply BLOB
                ) STRICT;
                """)
    }
}
