-- The vault of a home before the agent knew more than one flow (schema "2 service provider"), as sqlite3's .dump has it:
-- an OAuth 2 grant with a refresh whose reply was kept and not read, an OAuth 1.0a grant, and a request that waits. What
-- opens it is in vault-2.json; the home never was.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 home and keys');
INSERT INTO grdb_migrations VALUES('1 devices and commands');
INSERT INTO grdb_migrations VALUES('1 grants');
INSERT INTO grdb_migrations VALUES('1 service provider');
INSERT INTO grdb_migrations VALUES('2 service provider');
CREATE TABLE seal_slot (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, salt BLOB NOT NULL,
    n INTEGER NOT NULL, r INTEGER NOT NULL, p INTEGER NOT NULL, wrapped BLOB NOT NULL
) STRICT;
INSERT INTO seal_slot VALUES(1,'file',X'5cc914b43c10fe46d632e6e5d588a54818b9314cb00469bbeca38060b81b22e3',65536,8,1,X'e04127f1d6d322b376d238b8dbc03fc005c191794de79e67eee46997a1bd898a72a039230753db02703359463518b2bf7e065ddb7ca94538c748af49');
CREATE TABLE home (
    id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, site TEXT NOT NULL,
    hub TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
INSERT INTO home VALUES(1,'Second home','home-0b42a1ac','hub-efae2af4','2026-11-21 08:26:55.765');
CREATE TABLE key (
    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, sealed_secret BLOB NOT NULL,
    created_at TEXT NOT NULL, retired_at TEXT
) STRICT;
INSERT INTO "key" VALUES('audit','audit',X'f8527ff1525d76fbfd2d76953e32c1c9518e2359eb0b25c64d536503dfe8c9b9c3dd4f807bd9ce9c3806078922ff57c36b0aadf21eef2d05ed27f455','2026-11-21 08:26:55.770',NULL);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, authority TEXT NOT NULL,
    outcome TEXT NOT NULL, detail TEXT NOT NULL, mac BLOB NOT NULL
) STRICT;
INSERT INTO audit VALUES(1,'2026-11-21 05:46:41.000','agent','test','line 1','local','done','{}',X'e22491ffaefb44a1be859592fb8b9da145c32e3aafe03d5a87480c537a416898');
INSERT INTO audit VALUES(2,'2026-11-21 05:46:42.000','agent','test','line 2','local','done','{}',X'6d5cdaf3aab327adeab519028bc466daed6e66a4a7156162984f71f33f9d8d56');
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1), sealed_head BLOB NOT NULL
) STRICT;
INSERT INTO audit_head VALUES(1,X'fb84e2794bbd55df902ae69f3470bce3e5474ad295c0b8d2bebbee5d5d23effee40d7cb678069e49a59c47d3412e5aff86b1aa87b521717c79df85f4335a26040b4259ee');
CREATE TABLE device (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, profile TEXT NOT NULL, state TEXT NOT NULL,
    identity_key BLOB NOT NULL UNIQUE, sealing_key BLOB NOT NULL,
    created_at TEXT NOT NULL, enrolled_at TEXT,
    dismissed INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO device VALUES('dev-front-door','front-door','locks/demo-lock','enrolled',X'0742eb2e02404d3634f65220684cadaae0373da4445ab6a5e10f7181c0455093',X'63016eaf2169c3f71bfb59fde8fa16c0c7ce4f83678ce78d8b73e1732f4e5872','2026-11-21 05:46:40.250','2026-11-21 05:46:40.250',0);
INSERT INTO device VALUES('dev-hall','hall','locks/demo-lock','enrolled',X'8fe0b027adcb1c6d825137b7aa6ad5f29e4ce722521a8d76967f933d3383ee97',X'd1e89e566c93c896cf1e2f91a09a8561db81b043183bde79e53e1c621ab1a866','2026-11-21 05:46:40.250','2026-11-21 05:46:40.250',0);
INSERT INTO device VALUES('dev-attic','attic','locks/demo-lock','enrolled',X'489bde99ddd41b228d1c44543a9281e8d835cdeeb6288bc9644bf881512a2b5b',X'45f2c90e0794b071c0b08809ffc53548410425f86a9fa20db9873302a4455aaa','2026-11-21 05:46:40.250','2026-11-21 05:46:40.250',0);
CREATE TABLE key_set (
    version INTEGER PRIMARY KEY, document TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE command (
    id TEXT PRIMARY KEY, device TEXT NOT NULL REFERENCES device (id), operation TEXT NOT NULL,
    args TEXT NOT NULL, requester TEXT NOT NULL, grant_id TEXT, session TEXT, kid TEXT,
    counter INTEGER, hash TEXT, outcome TEXT, code TEXT, receipt TEXT,
    created_at TEXT NOT NULL, finished_at TEXT
) STRICT;
INSERT INTO command VALUES('command','dev-front-door','lock.lock','{}','agent','grant-2','session','kid',5,'hash',NULL,NULL,NULL,'2026-11-21 05:46:40.250',NULL);
CREATE TABLE consumer (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, device TEXT, key TEXT NOT NULL,
    sealed_secret BLOB NOT NULL, created_at TEXT NOT NULL
) STRICT;
INSERT INTO consumer VALUES('Oi2mYMa9LsbYU4wdbaog4rO4','cloud',NULL,'hub-2',X'89cc2d986057538b3d05ee4c168f58ce236ac1590bda5e9b883b1a8e7854e66a02ddf674','2026-11-21 05:46:40.250');
INSERT INTO consumer VALUES('pWW5EpbInsGMktmZtZS8MtR1','old-cloud',NULL,'hub-1',X'e05fd28ff8af125985b215d763049f554dcef15de75bfdc8a66fe893162ecfc7767511f8','2026-11-21 05:46:40.250');
CREATE TABLE grant (
    id TEXT PRIMARY KEY, device_id TEXT NOT NULL REFERENCES device (id), device TEXT NOT NULL,
    provider TEXT NOT NULL, consumer TEXT NOT NULL, state TEXT NOT NULL, scopes TEXT NOT NULL,
    generation INTEGER NOT NULL, created_at TEXT NOT NULL, issued_at TEXT, expires_at TEXT,
    reason TEXT, token_type TEXT, sealed_access_token BLOB, sealed_token_secret BLOB,
    sealed_refresh_token BLOB
) STRICT;
INSERT INTO grant VALUES('grant-2','dev-front-door','front-door','cloud','Oi2mYMa9LsbYU4wdbaog4rO4','active','lock',2,'2026-11-21 05:46:40.250','2026-11-21 05:46:40.250','2026-11-21 06:46:40.250',NULL,'Bearer',X'9f88d98ed04fb818f3c3753bd798cdff759ba51039562064533280e4846499cea299df52',NULL,X'2b2f03aedd0e93b7af32cb96e16dd58d709ede9e94f42fe7ede8b8dbf2696400473189d2a4');
INSERT INTO grant VALUES('grant-1','dev-hall','hall','old-cloud','pWW5EpbInsGMktmZtZS8MtR1','active','lock',1,'2026-11-21 05:46:40.250','2026-11-21 05:46:40.250',NULL,NULL,'OAuth',X'04c69d25aa585f7d774d4b2dffebe8e232b7e1e5ec08bf1ab51ed3eaaa8befb1cc',X'3c0cbf016513ad78e8c9d85354e7c7834ffec1525a8a6421d6bdc7c3dd74d06aeb9fc953b0facad1',NULL);
INSERT INTO grant VALUES('grant-3','dev-attic','attic','cloud','Oi2mYMa9LsbYU4wdbaog4rO4','pending','lock',0,'2026-11-21 05:46:40.250',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE pending_approval (
    grant_id TEXT PRIMARY KEY REFERENCES grant (id), provider TEXT NOT NULL,
    handle_hash BLOB NOT NULL UNIQUE, sealed_handle BLOB NOT NULL, sealed_proof BLOB NOT NULL,
    redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT;
INSERT INTO pending_approval VALUES('grant-3','cloud',X'4cefe3f00029ec94bf7071c7ce0fbe939bebdd387c3ff4c80b3dcecee5bd0f0f',X'dc7e6ad3aee76235057f503e986aee14dfca9295fc370d1e38094f3362747a31e10b36',X'c3554ca763fc50982b08971926bda372865bc0cf2f4e583b2a426955e57ef9b621d42eb842b8','http://127.0.0.1:8420/cb','lock','2026-11-21 05:56:40.250');
CREATE TABLE refresh (
    grant_id TEXT PRIMARY KEY REFERENCES grant (id), generation INTEGER NOT NULL,
    token_hash BLOB NOT NULL, boot TEXT NOT NULL, started_at TEXT NOT NULL,
    sealed_reply BLOB
) STRICT;
INSERT INTO refresh VALUES('grant-2',2,X'f865a88f563b9fbc4c224f6fbabd2ec9f810efefc61b212bda20ee64a6fb2840','boot-1','2026-11-21 06:20:00.250',X'4c359c2801a5c1cade3e5b41f5b0185f134376c13881932284255b8cbb7a645bfb8345a09bedab99c44b204973a7ed7572560b1f15414b5db45b6228bf2ae20d66aaf171a851138ec21a636f7d58f8fd62a4f0');
CREATE TABLE sp_person (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL, n INTEGER NOT NULL,
    r INTEGER NOT NULL, p INTEGER NOT NULL, hash BLOB NOT NULL,
    created_at TEXT NOT NULL, removed_at TEXT
) STRICT;
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
CREATE TABLE sp_consumer (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, protocol TEXT NOT NULL, consumer_key TEXT NOT NULL UNIQUE,
    sealed_secret BLOB, secret_hash BLOB, redirect_uris TEXT NOT NULL, scopes TEXT NOT NULL,
    agent_device TEXT, created_at TEXT NOT NULL, removed_at TEXT
, authentication TEXT NOT NULL DEFAULT 'secret', signature_method TEXT, grant_types TEXT NOT NULL DEFAULT 'authorization_code refresh_token', jwks TEXT, rotates_refresh_tokens INTEGER NOT NULL DEFAULT 0, requires_pushed_requests INTEGER NOT NULL DEFAULT 0, requires_dpop INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE sp_grant (
    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
    person TEXT NOT NULL REFERENCES sp_person (id), created_at TEXT NOT NULL, used_at TEXT,
    expires_at TEXT NOT NULL, revoked_at TEXT
) STRICT;
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
, audience TEXT NOT NULL DEFAULT '', thumbprint TEXT) STRICT;
CREATE TABLE sp_nonce (
    timestamp INTEGER NOT NULL, consumer TEXT NOT NULL, token TEXT NOT NULL, nonce TEXT NOT NULL,
    PRIMARY KEY (timestamp, consumer, token, nonce)
) STRICT, WITHOUT ROWID;
CREATE TABLE sp_code (
    hash BLOB PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
    person TEXT NOT NULL REFERENCES sp_person (id), scopes TEXT NOT NULL, redirect_uri TEXT,
    challenge TEXT NOT NULL, expires_at TEXT NOT NULL, grant_id TEXT REFERENCES sp_grant (id)
, resource TEXT NOT NULL DEFAULT '', thumbprint TEXT) STRICT;
CREATE TABLE sp_refresh_token (
    hash BLOB PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES sp_grant (id), used_at TEXT NOT NULL
, resource TEXT NOT NULL DEFAULT '', thumbprint TEXT, replaced_at TEXT, successor BLOB, sealed_successor BLOB) STRICT;
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
CREATE TABLE sp_client_token (
    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id), thumbprint TEXT,
    expires_at TEXT NOT NULL, revoked_at TEXT
) STRICT;
CREATE TABLE sp_approval (
    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
    person TEXT NOT NULL REFERENCES sp_person (id), scopes TEXT NOT NULL, created_at TEXT NOT NULL,
    used_at TEXT, expires_at TEXT NOT NULL, revoked_at TEXT
) STRICT;
CREATE TABLE sp_invitation (
    id INTEGER PRIMARY KEY CHECK (id = 1), hash BLOB NOT NULL, wrong_codes INTEGER NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('audit',2);
CREATE UNIQUE INDEX device_name ON device (name) WHERE state <> 'removed';
CREATE UNIQUE INDEX command_counter ON command (device, session, kid, counter);
CREATE INDEX command_hash ON command (hash);
CREATE INDEX command_open ON command (device) WHERE outcome IS NULL;
CREATE UNIQUE INDEX consumer_place ON consumer (provider, coalesce(device, ''));
CREATE UNIQUE INDEX grant_active ON grant (device_id) WHERE state = 'active';
CREATE INDEX grant_device ON grant (device_id);
CREATE UNIQUE INDEX sp_person_name ON sp_person (name) WHERE removed_at IS NULL;
CREATE INDEX sp_form_session ON sp_form (session);
CREATE UNIQUE INDEX sp_consumer_name ON sp_consumer (name)
    WHERE removed_at IS NULL AND agent_device IS NULL;
CREATE UNIQUE INDEX sp_consumer_agent ON sp_consumer (agent_device, protocol)
    WHERE removed_at IS NULL AND agent_device IS NOT NULL;
CREATE INDEX sp_grant_live ON sp_grant (person) WHERE revoked_at IS NULL;
CREATE INDEX sp_access_token_grant ON sp_access_token (grant_id);
CREATE INDEX sp_refresh_token_grant ON sp_refresh_token (grant_id);
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
CREATE INDEX sp_client_token_expiry ON sp_client_token (expires_at);
CREATE INDEX sp_approval_live ON sp_approval (consumer, person) WHERE revoked_at IS NULL;
COMMIT;
