-- The vault of a home that the first release ran (schema "1 service provider"), as sqlite3's .dump has it: an app with a
-- token and an approved request token, one with a token and a code, and the agent. What opens it, and what its apps hold,
-- is in vault-1.json; the home is gone.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 home and keys');
INSERT INTO grdb_migrations VALUES('1 devices and commands');
INSERT INTO grdb_migrations VALUES('1 grants');
INSERT INTO grdb_migrations VALUES('1 service provider');
CREATE TABLE seal_slot (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, salt BLOB NOT NULL,
    n INTEGER NOT NULL, r INTEGER NOT NULL, p INTEGER NOT NULL, wrapped BLOB NOT NULL
) STRICT;
INSERT INTO seal_slot VALUES(1,'file',X'7a0845d3e6e34f387146737548b3c33b5933667cf0c299420f3015c1b8d18e3d',65536,8,1,X'14736a0e1efba03898d5625e8d117c5da174e1d0f578ea6ae0c84bab9724a12053db9f25d3265a5adfa98a81bef7a4b1bb1a64afbe211873929451ae');
CREATE TABLE home (
    id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, site TEXT NOT NULL,
    hub TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
INSERT INTO home VALUES(1,'Old home','home-2391cd32','hub-edc49e04','2026-11-21 05:49:04.788');
CREATE TABLE key (
    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, sealed_secret BLOB NOT NULL,
    created_at TEXT NOT NULL, retired_at TEXT
) STRICT;
INSERT INTO "key" VALUES('JjafH5VjmRk','command',X'cd8980708f0c29a9baa2ccbf9676f16080921429bd3a43a30e2f4a6b2132b268a9afa06e5b0d9378297595e07ecd1b3a17e1df935caed96b3482bb40','2026-11-21 05:49:04.790',NULL);
INSERT INTO "key" VALUES('Pf4N_j61WbQ','root',X'b682fb731846c5952152100ef631c83a503952915398228f2d49ca2de56d3fd783170b1746c5673e734f012c3567193b383cbfee23e76ed226dad8d9','2026-11-21 05:49:04.791',NULL);
INSERT INTO "key" VALUES('broker','broker',X'1dcb5e6a4af3367e70bf77a11da7c3c188be9b03a25e0e7563605f059e9d9d6bf26ae9da972b026dc7cdc4156296b7487f45c41e86484b1e9c31f877','2026-11-21 05:49:04.790',NULL);
INSERT INTO "key" VALUES('audit','audit',X'170bd0222995ef8bcf9f52d5f26b2ff0ab084ea8dc3dc07c0e892271c20aa760b3022df3e0878d0137d7e31969464fc61bf84033266403e24453a01f','2026-11-21 05:49:04.792',NULL);
INSERT INTO "key" VALUES('pepper','pepper',X'8dce2e71799f234d97baa695e6ca7a8cd77b663aa8c204ca10044b83094b0c79508365d6ae5ed313892da652966727337849c3c42219536249f2166e','2026-11-21 05:49:04.934',NULL);
INSERT INTO "key" VALUES('CIwr6zlXCcUlie6D5pV13Cicirq4_ucBo1RPNMSHNbA','access_token',X'cec07e960f70121ae03ca2d05c3fd6fb2610d1349cf027abb2fb2ae9fd85393a9b3d6e1cc29107c5433629e04d39e5701b830598953fd16c98ee36dc90e48bb07f5dc012f0d79933e7f1f1b4a306d212a5119daf35124bd5bcf5a8d24dec4ed5616817b19dedb82b0ae651627f41374235e1eb323882a0a584929f90005c7291758a3351ef31d9388cb7fa29d4410080f5f46cca13f8e668c0caf083dd66b285abd968b54194746cc508f300977a5bfcbd135868510d4299f93e3f040b676076f8a808e1ded286f68a484fcc781baee16150a02e0a713d2a99028334f032cfadd2b9c04dc706bf2d175e17fed90bc45f8886dfce5d204808837e5178cb215aef6e3fde3773c5d30ce697e3d66757e140548dd4f69cdca4837ed32823b4d519a6f19f096ebf460741e507255eea4bd396f7fe763d556e3cba6a18eb0b2d27c0e7416b62f3779257e2d4576e097fc5db007e953f1294a06bd7d2eff03ef74d88586845650d4522a4291ce3782ada76089310b92967abd61c9a8886a3490bc428429b0212aa7ced15c102485d17b93165feb93e9fd6fdafb220aa8cc2ffcfcd76cfa802b122acbfc2329d14bd71fcb504059cf1e54691a1605bfb8c087f284e81b97012e7f467ecb5f1ee8b72b96ca3b4cc240b48ccdc4bf51d4a8cf22baceb8c7cd52e3404749be97a5cfdfa41020ec7186e76081718fb2cb85cb5cd670789005084f56b8c46aad9302fe33013b2fb9f06416c9913399e677fd67cef4b0e1422e276cbfb737b0c6116064eb561759a7a7a726b32b19d34b5e4bbec47994ef1caafb780c944ebc756e0911867a9b6eb2942d76e41ccafaf731ae44e6925ae0112b7734c910f9fa0e808eaa8e99b72bfbe8bce9ac8ed22208611f798588ded3eaae4e7cd18aa890f134095d90c459c53ccff7e858ce75b146a272460a4f1affa1a374c50130d111cd8e2c72a6962fb332a2bb8a375ed40fb923ca1acb9e5d093cd04e27e28d185b24ea13c7615afbd6d362358f5705b3f0e38831b194659e59a4ca8e7aee094eac30c603159af5b409be019b3209f76c3420636dd0b3ace5e4deda0e917a1dcee48359414bb663791180d13b71674ac3769f8da6c368edf6e9c230f08f28be155486b637cab1f0783029f72de3dd32ecc7ae779e0e0c73c0a47e23486efd1c042714896033580d09a1cd3e58e65204b5ae0b2a69049a879327d6fe385054c910265b7699de7e66365b3f0908304fb71725e452740bf538529bec6aafcdb134596ffe88db192ee858f6a0c7f5575af6238d7769ea16744433d4b407c3edba39c20a65859ed23d45c75a5a2e00c61608e08135e198ca8cc65e05abed7b8043220b4dde553b07e164ff67cd684d71d94801b7391f7ad4237f1d42fd0214499de374a67012cf46701b021b8e042a2246a303927dad246171b547e3493cb6b6519c58761d2ec3faff65d6abc3e900ec27e040429a512fe3560a0f05126c021c8030ff52cbdf9f5b0dc65f9aa50d6d613970233ab3ff19220e09074f653554bdd173e683353ac9057428c66de9079cb50de9caa642b37e2bcb48de01971787703332d87c12333b8784169970ca4be915de999a54d67074f043be4f8e4dd11850dce05c9baaceeb2cb9cd4124c9d72289c3a073c658db1315d61f68e1be2f57ae318ffe8687a74572531a6fb4a46e5c430dcb962a33ca6cd8e85beac957ad9039356','2026-11-21 05:49:06.056',NULL);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, authority TEXT NOT NULL,
    outcome TEXT NOT NULL, detail TEXT NOT NULL, mac BLOB NOT NULL
) STRICT;
INSERT INTO audit VALUES(1,'2026-11-21 05:49:04.000','agent','home.create','home-2391cd32','local','created','{}',X'7b6d03848b5774e8f4a8f91a54d7fc7da8fca1c109132692043db5152ca811e3');
INSERT INTO audit VALUES(2,'2026-11-21 05:49:05.000','agent','provider.person','person:anna','local','added','{}',X'a905ace95830729231eab871305722d5cdf667c3f306b3e7d6d2e1e15f39d9d3');
INSERT INTO audit VALUES(3,'2026-11-21 05:49:05.000','user:root','device.enroll','front-door','local','enrolling','{"device":"dev-ac032e2ee2dec409","kid":"i3sRYtmbtik","profile":"locks/demo-lock","probes":"refused as they must be"}',X'd9dedebdf14a213b5e635a005f51a61229617fc542c01419df423896a271158b');
INSERT INTO audit VALUES(4,'2026-11-21 05:49:05.000','agent','command','front-door','local','executed','{"command":"X876zdNlN3rYugqdoThrgA","op":"dac.ping","args":{},"ctr":1,"result":{}}',X'0e2a32d83a91eb7987b6622214300cdb97583208767ab49f52ac667737b02e61');
INSERT INTO audit VALUES(5,'2026-11-21 05:49:05.000','device:dev-ac032e2ee2dec409','device.enroll','front-door','receipt','enrolled','{"command":"X876zdNlN3rYugqdoThrgA"}',X'4096df09e8f792312e9b58d4df6c920398a3bde609d47e0390b6bbd981f33594');
INSERT INTO audit VALUES(6,'2026-11-21 05:49:05.000','agent','provider.consumer','app:ncsnIcdkJEKQ3fgJgcjZYwSo','local','added','{}',X'753e8712cc7c99da0de6d965ee5eabbfd2d6ce3116db14d344ab6c8c1764321b');
INSERT INTO audit VALUES(7,'2026-11-21 05:49:05.000','agent','provider.consumer','app:3TeCSdDgaa8qNgRn4jBgodcA','local','added','{}',X'ec5b86fea46cb132eeecb802d41f0051d83b5cafa5b08f47e2212a9d5c50796f');
INSERT INTO audit VALUES(8,'2026-11-21 05:49:05.000','agent','provider.consumer','app:S0VlPw6n3aTpQz5jtdePVAFz','local','added','{"device":"front-door"}',X'1c2cedabe1116e38b0257855795a17c85709220baca2db5d1bad2b134a6bbd3e');
INSERT INTO audit VALUES(9,'2026-11-21 05:49:05.000','user:root','grant.request','front-door','AkjZtVSCVZkSQf7AFFDesxYj','pending','{"provider":"home-oauth1","scope":["lock.lock@front-door","lock.unlock@front-door"]}',X'09096b42f9596240d09436165d7d2d85da1c483571af30e7a72e1214d3d37d95');
INSERT INTO audit VALUES(10,'2026-11-21 05:49:05.000','person:anna','provider.signin','session','password','done','{}',X'a0eeed6e8a56d5a400b171ddcea224780db8c78a3d0a11ed8dd4335da652ffd8');
INSERT INTO audit VALUES(11,'2026-11-21 05:49:05.000','person:anna','provider.consent','app:ncsnIcdkJEKQ3fgJgcjZYwSo','session','approved','{"scopes":["lock.lock@dev-ac032e2ee2dec409"]}',X'301ff2fd32c71e63a533f6b635521ba418a041dec8a68b14210f15abf5d8dc91');
INSERT INTO audit VALUES(12,'2026-11-21 05:49:05.000','app:ncsnIcdkJEKQ3fgJgcjZYwSo','provider.token','grant:Cjwcbl50pCJ7D2VUUcY1EHyI','request token','issued','{}',X'68c906e7ce825f5bfad57df3f05cfb9ae0172bc2ee415ce7eeaa1d98d23b4fb7');
INSERT INTO audit VALUES(13,'2026-11-21 05:49:05.000','person:anna','provider.signin','session','password','done','{}',X'c64e18aad046e5021723b85103b37ac8f6ea0da4b6e01cb4fe866cdcbc6614d6');
INSERT INTO audit VALUES(14,'2026-11-21 05:49:05.000','person:anna','provider.consent','app:ncsnIcdkJEKQ3fgJgcjZYwSo','session','approved','{"scopes":["lock.lock@dev-ac032e2ee2dec409"]}',X'6e82238c03199687e405315743e81ded63e71cf7e76f40a5c0af599e2fa44774');
INSERT INTO audit VALUES(15,'2026-11-21 05:49:05.000','person:anna','provider.signin','session','password','done','{}',X'83e658f93213f89b5bc9295fbff29f43848b2d129e643e274f1e1c8241995f2e');
INSERT INTO audit VALUES(16,'2026-11-21 05:49:05.000','person:anna','provider.consent','app:3TeCSdDgaa8qNgRn4jBgodcA','session','approved','{"scopes":["lock.lock@dev-ac032e2ee2dec409"]}',X'17d112f69ed7565a0974ec74552c68a2f5891d2b0971e359bc52d7ffab9c00f3');
INSERT INTO audit VALUES(17,'2026-11-21 05:49:05.000','app:3TeCSdDgaa8qNgRn4jBgodcA','provider.token','grant:efwHEpwY1agtq6XQr4BpYL9M','code','issued','{}',X'c6e59278b442963f2c5697cc06afee27584cbd6853fba8da789d9c82550e4906');
INSERT INTO audit VALUES(18,'2026-11-21 05:49:06.000','person:anna','provider.signin','session','password','done','{}',X'15093a8b885fc4074dff9251b34d58d71014cb816b6cc8bdf7b44e6571e7e1a3');
INSERT INTO audit VALUES(19,'2026-11-21 05:49:06.000','person:anna','provider.consent','app:3TeCSdDgaa8qNgRn4jBgodcA','session','approved','{"scopes":["lock.lock@dev-ac032e2ee2dec409"]}',X'c3b2244f50681f77e4b19e54a414e09bab5eadcc2ec05e17fed5c976adb91647');
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1), sealed_head BLOB NOT NULL
) STRICT;
INSERT INTO audit_head VALUES(1,X'4469fe98cd7993882e1610da0df37bcb0d96996fb87e2bc851e5d5ffc771f2cb87a3cfbbd8f50fdc1add51c2c9976a3d82841af7dc6f713073d125636101384df6ec4d6a');
CREATE TABLE device (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, profile TEXT NOT NULL, state TEXT NOT NULL,
    identity_key BLOB NOT NULL UNIQUE, sealing_key BLOB NOT NULL,
    created_at TEXT NOT NULL, enrolled_at TEXT,
    dismissed INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO device VALUES('dev-ac032e2ee2dec409','front-door','locks/demo-lock','enrolled',X'aa729a77fd18951d99ac0bd5179e5e099f77a6e89ff7b1aba6a857929eb442e9',X'2908f934519f4218071826a14789578bdc21e0e8a2527e0f62c7954e17351921','2026-11-21 05:49:05.150','2026-11-21 05:49:05.196',0);
CREATE TABLE key_set (
    version INTEGER PRIMARY KEY, document TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
INSERT INTO key_set VALUES(1,'{"payload":"eyJ2ZXIiOjEsInJvb3QiOnsia2V5cyI6W3sia2lkIjoiUGY0Tl9qNjFXYlEiLCJ4IjoiWlFzeXkyWkJiQ2xiUjJiTGppMC15RWtMV3UwREtLLUFIUXJwckpSODFSWSJ9XSwidGhyZXNob2xkIjoxfSwic2lnbmVycyI6W3sia2lkIjoiSmphZkg1VmptUmsiLCJ4IjoiWHA2UTJhVEJjR1VVOTVqN2ZadTU5amtVdFl5aEN1aFlsVDhJd3NLXzQ0TSIsIm9wcyI6WyJkYWMucGluZyJdLCJkZXZzIjpbIioiXX1dLCJyZXZva2VkIjpbXSwicHJldiI6IiJ9","signatures":[{"protected":"eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiUGY0Tl9qNjFXYlEiLCJ0eXAiOiJkYWMta2V5cytqd3QifQ","signature":"SmjdDFkJTrxLor3CbWUguw_hvZ_lDibL8wxu_G6fp1O3GwvDYP1P1XcgImIseS0lCT2klwybXFJ3Vd8PjcjCBw"}]}','2026-11-21 05:49:04.790');
INSERT INTO key_set VALUES(2,'{"payload":"eyJ2ZXIiOjIsInJvb3QiOnsia2V5cyI6W3sia2lkIjoiUGY0Tl9qNjFXYlEiLCJ4IjoiWlFzeXkyWkJiQ2xiUjJiTGppMC15RWtMV3UwREtLLUFIUXJwckpSODFSWSJ9XSwidGhyZXNob2xkIjoxfSwic2lnbmVycyI6W3sia2lkIjoiSmphZkg1VmptUmsiLCJ4IjoiWHA2UTJhVEJjR1VVOTVqN2ZadTU5amtVdFl5aEN1aFlsVDhJd3NLXzQ0TSIsIm9wcyI6WyJkYWMucGluZyIsImxvY2subG9jayIsImxvY2sudW5sb2NrIl0sImRldnMiOlsiKiJdfV0sInJldm9rZWQiOltdLCJwcmV2IjoiOUlHVnJvTVAtak9ub3p0UGVkd21LRXVaTDc5MW1MZE9VY2Z4WGZvaGFkYyJ9","signatures":[{"protected":"eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiUGY0Tl9qNjFXYlEiLCJ0eXAiOiJkYWMta2V5cytqd3QifQ","signature":"U2x9QHTtqIqDv80QuhYLa10Fp965iIT0miUvRfGerU9UHX3TI5nXYMEuwFqcQ3cTHQLWaR5mu7hFHHsX-VN7Bg"}]}','2026-11-21 05:49:05.151');
CREATE TABLE command (
    id TEXT PRIMARY KEY, device TEXT NOT NULL REFERENCES device (id), operation TEXT NOT NULL,
    args TEXT NOT NULL, requester TEXT NOT NULL, grant_id TEXT, session TEXT, kid TEXT,
    counter INTEGER, hash TEXT, outcome TEXT, code TEXT, receipt TEXT,
    created_at TEXT NOT NULL, finished_at TEXT
) STRICT;
INSERT INTO command VALUES('X876zdNlN3rYugqdoThrgA','dev-ac032e2ee2dec409','dac.ping','{}','agent',NULL,'_xqbesXEOIX1AifsRUTT-w','JjafH5VjmRk',1,'Y17jd4eryI5XDGJa2k7ctAej1ljvzKqpEu-U7HE2V4E','executed',NULL,'eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiaTNzUll0bWJ0aWsiLCJ0eXAiOiJkYWMtYWNrK2p3dCJ9.eyJ2IjoxLCJpc3MiOiJkZXYtYWMwMzJlMmVlMmRlYzQwOSIsImF1ZCI6Imh1Yi1lZGM0OWUwNCIsImNtZCI6IlkxN2pkNGVyeUk1WERHSmEyazdjdEFlajFsanZ6S3FwRXUtVTdIRTJWNEUiLCJqdGkiOiJYODc2emRObE4zcll1Z3Fkb1RocmdBIiwic2VzIjoiX3hxYmVzWEVPSVgxQWlmc1JVVFQtdyIsImN0ciI6MSwic2VxIjozLCJzdCI6ImV4ZWN1dGVkIiwicmVzIjp7fSwidXAiOjExfQ.A_SCQBAmVcOOnX0S3CbuZIcbFGwxfdfZOv94ZTuGmAzJgQu2SIagYoPI3QBTW1Dh7DC5pZ-ib_jAG2ybKtpNAg','2026-11-21 05:49:05.190','2026-11-21 05:49:05.195');
CREATE TABLE consumer (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, device TEXT, key TEXT NOT NULL,
    sealed_secret BLOB NOT NULL, created_at TEXT NOT NULL
) STRICT;
INSERT INTO consumer VALUES('nTNRYWsV3lCq98ir5oGBdBtE','home-oauth1','front-door','S0VlPw6n3aTpQz5jtdePVAFz',X'2df7150b0f85c3f5846848e3800b21a6f997b7dda1d7af5fab6b537f2176439259847a5fd14ee51f558137ccfc368646631bbd24','2026-11-21 05:49:05.265');
CREATE TABLE grant (
    id TEXT PRIMARY KEY, device_id TEXT NOT NULL REFERENCES device (id), device TEXT NOT NULL,
    provider TEXT NOT NULL, consumer TEXT NOT NULL, state TEXT NOT NULL, scopes TEXT NOT NULL,
    generation INTEGER NOT NULL, created_at TEXT NOT NULL, issued_at TEXT, expires_at TEXT,
    reason TEXT, token_type TEXT, sealed_access_token BLOB, sealed_token_secret BLOB,
    sealed_refresh_token BLOB
) STRICT;
INSERT INTO grant VALUES('AkjZtVSCVZkSQf7AFFDesxYj','dev-ac032e2ee2dec409','front-door','home-oauth1','nTNRYWsV3lCq98ir5oGBdBtE','pending','lock.lock@front-door lock.unlock@front-door',0,'2026-11-21 05:49:05.266',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE pending_approval (
    grant_id TEXT PRIMARY KEY REFERENCES grant (id), provider TEXT NOT NULL,
    handle_hash BLOB NOT NULL UNIQUE, sealed_handle BLOB NOT NULL, sealed_proof BLOB NOT NULL,
    redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT;
INSERT INTO pending_approval VALUES('AkjZtVSCVZkSQf7AFFDesxYj','home-oauth1',X'7d2ff17a9d4b52a190273f432f74e55aa140dba695f52875b1099a97048a3eb9',X'0854250674ab6536eeb23f106bf5abb64a57709dbfca627921eb68a35b2d4939fc9df89517b505a71566190b5335323e93a2055c',X'ff5cf3b4954ca66c66a5ee9791ce59f39c9654d81a6bef095676e9dbf92ab6ff015e8f4fb9d145f3bc52971bdc76745c1ecf8082','http://127.0.0.1:50747/callback/home-oauth1','lock.lock@front-door lock.unlock@front-door','2026-11-21 06:04:05.266');
CREATE TABLE refresh (
    grant_id TEXT PRIMARY KEY REFERENCES grant (id), generation INTEGER NOT NULL,
    token_hash BLOB NOT NULL, boot TEXT NOT NULL, started_at TEXT NOT NULL,
    sealed_reply BLOB
) STRICT;
CREATE TABLE sp_person (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL, n INTEGER NOT NULL,
    r INTEGER NOT NULL, p INTEGER NOT NULL, hash BLOB NOT NULL,
    created_at TEXT NOT NULL, removed_at TEXT
) STRICT;
INSERT INTO sp_person VALUES('wYXyjon7TR2W12j0O9JdDwtB','anna',X'7568e100cf73007feaea9643ba3acfbe',65536,8,1,X'608f417b6da7edfb0be1860c6a6de3da1f527a89455b543baea2018b16c80b81','2026-11-21 05:49:05.101',NULL);
CREATE TABLE sp_throttle (
    bucket INTEGER PRIMARY KEY, failures INTEGER NOT NULL, blocked_until TEXT NOT NULL
) STRICT;
CREATE TABLE sp_session (
    hash BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES sp_person (id),
    signed_in_at TEXT NOT NULL, seen_at TEXT NOT NULL
) STRICT;
INSERT INTO sp_session VALUES(X'53aa7034ea06eaca8b593a2ecac599bfd32c689c49409c364507883cc540b6d8','wYXyjon7TR2W12j0O9JdDwtB','2026-11-21 05:49:05.390','2026-11-21 05:49:05.390');
INSERT INTO sp_session VALUES(X'd3425e2eb0865e8b249ade236b3b4a3568dce32b9706eaa9b35cb2a248499615','wYXyjon7TR2W12j0O9JdDwtB','2026-11-21 05:49:05.586','2026-11-21 05:49:05.586');
INSERT INTO sp_session VALUES(X'b4a65c2216b7337d80e28461ed3ee199bdc5d92639d7eac4340fd04b11815946','wYXyjon7TR2W12j0O9JdDwtB','2026-11-21 05:49:05.766','2026-11-21 05:49:05.766');
INSERT INTO sp_session VALUES(X'b43d3076f85ee001b84bd0abf4823d30b37a5990655ed88402e813d9cea99671','wYXyjon7TR2W12j0O9JdDwtB','2026-11-21 05:49:06.067','2026-11-21 05:49:06.067');
CREATE TABLE sp_form (
    hash BLOB PRIMARY KEY, session BLOB NOT NULL REFERENCES sp_session (hash) ON DELETE CASCADE,
    purpose TEXT NOT NULL, payload TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT;
CREATE TABLE sp_consumer (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, protocol TEXT NOT NULL, consumer_key TEXT NOT NULL UNIQUE,
    sealed_secret BLOB, secret_hash BLOB, redirect_uris TEXT NOT NULL, scopes TEXT NOT NULL,
    agent_device TEXT, created_at TEXT NOT NULL, removed_at TEXT
) STRICT;
INSERT INTO sp_consumer VALUES('N1ma2Ught6LtMyymqVGCVEtM','Bell','oauth1','ncsnIcdkJEKQ3fgJgcjZYwSo',X'999939d456cb0634bff3d0dcbd73849b5054125ad253ad27836b0643d0657dd7a8637497ac0ad5c801eb074c33f1a43b2bae0a70',X'4a02b016cace46c649b674ffd2a9e2b2cbbd16331171d3f9c6f4ad00dcdbe2b1','https://app.example/back','lock.lock@front-door',NULL,'2026-11-21 05:49:05.215',NULL);
INSERT INTO sp_consumer VALUES('ULADiGOCjtlO1hlfBGb4izZW','Lamp','oauth2','3TeCSdDgaa8qNgRn4jBgodcA',NULL,X'a77fff96b1108adba81cc0cbf1bde19e488b7b820eec7e4c3d923612844bf8dd','http://127.0.0.1:9000/back','lock.lock@front-door',NULL,'2026-11-21 05:49:05.238',NULL);
INSERT INTO sp_consumer VALUES('VBuUQn9wtMlyFPo4KAV9ZB6B','Keyholder for front-door','oauth1','S0VlPw6n3aTpQz5jtdePVAFz',X'1d3cc32b0e009be4046e9521f3d95b6cc4a35612afe6c82a78e8c5391de2444ab42db9348cc13fd7427be1e45e89226810e820f6',X'6df93f02a2eaa0c6d957dfe48d76d6606790cd2eff14b89a7419c0d57902abbb','http://127.0.0.1:50747/callback/home-oauth1','','front-door','2026-11-21 05:49:05.263',NULL);
CREATE TABLE sp_grant (
    id TEXT PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
    person TEXT NOT NULL REFERENCES sp_person (id), created_at TEXT NOT NULL, used_at TEXT,
    expires_at TEXT NOT NULL, revoked_at TEXT
) STRICT;
INSERT INTO sp_grant VALUES('Cjwcbl50pCJ7D2VUUcY1EHyI','N1ma2Ught6LtMyymqVGCVEtM','wYXyjon7TR2W12j0O9JdDwtB','2026-11-21 05:49:05.566','2026-11-21 05:49:05.571','2027-11-21 05:49:05.566',NULL);
INSERT INTO sp_grant VALUES('efwHEpwY1agtq6XQr4BpYL9M','ULADiGOCjtlO1hlfBGb4izZW','wYXyjon7TR2W12j0O9JdDwtB','2026-11-21 05:49:05.937',NULL,'2027-11-21 05:49:05.937',NULL);
CREATE TABLE sp_grant_scope (
    grant_id TEXT NOT NULL REFERENCES sp_grant (id), device TEXT NOT NULL REFERENCES device (id),
    operation TEXT NOT NULL, PRIMARY KEY (grant_id, device, operation)
) STRICT, WITHOUT ROWID;
INSERT INTO sp_grant_scope VALUES('Cjwcbl50pCJ7D2VUUcY1EHyI','dev-ac032e2ee2dec409','lock.lock');
INSERT INTO sp_grant_scope VALUES('efwHEpwY1agtq6XQr4BpYL9M','dev-ac032e2ee2dec409','lock.lock');
CREATE TABLE sp_request_token (
    token TEXT PRIMARY KEY, sealed_secret BLOB NOT NULL,
    consumer TEXT NOT NULL REFERENCES sp_consumer (id), callback TEXT NOT NULL,
    requested TEXT NOT NULL, state TEXT NOT NULL, person TEXT REFERENCES sp_person (id),
    scopes TEXT NOT NULL, verifier_hash BLOB, wrong_verifiers INTEGER NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
INSERT INTO sp_request_token VALUES('3AZLuauXUIh7FOLikchhN5Ox',X'7b06c8dc66bf78afa9415ed5706ab2e08b2bc0bd7312ab4aab35d93a29c1b5d69de58ae930ac0991e36efa30c3082fec5c6d9010','VBuUQn9wtMlyFPo4KAV9ZB6B','http://127.0.0.1:50747/callback/home-oauth1','lock.lock@front-door lock.unlock@front-door','pending',NULL,'',NULL,0,'2026-11-21 05:59:05.270');
INSERT INTO sp_request_token VALUES('4KknPqMA3QRgprDd2Nf9anIM',X'adbe047991a2f8da090c2a3361c4cf6925e11029257e3a647759647030b0d659251f162dfcd0ab89cfff915a0c080d170b1b7348','N1ma2Ught6LtMyymqVGCVEtM','https://app.example/back','lock.lock@front-door','used','wYXyjon7TR2W12j0O9JdDwtB','lock.lock@dev-ac032e2ee2dec409',X'7dccb6be9fad93dd0a09e0e49db414145f2ea3ed0d0a709a82b083d495c63a1d',0,'2026-11-21 05:59:05.561');
INSERT INTO sp_request_token VALUES('uBuHSXHqOPR1ceZW58Yad3xG',X'7143a2a28b7d82ee9aeef7bda30f41219e0b3eddb1138d902047a5bea2dae0916e871074a4dd2d9b641da0630e016a60a1622921','N1ma2Ught6LtMyymqVGCVEtM','https://app.example/back','lock.lock@front-door','approved','wYXyjon7TR2W12j0O9JdDwtB','lock.lock@dev-ac032e2ee2dec409',X'696641c329d2920882e197c1ad620eee18435e2888daf6865b48da438f71616c',0,'2026-11-21 05:59:05.757');
CREATE TABLE sp_access_token (
    id TEXT PRIMARY KEY, sealed_secret BLOB, grant_id TEXT NOT NULL REFERENCES sp_grant (id),
    scopes TEXT NOT NULL, expires_at TEXT NOT NULL, revoked_at TEXT
) STRICT;
INSERT INTO sp_access_token VALUES('ll6z6eitUXjG06tyeT0F0dVT',X'2aa28190fe68d5ca6aa863d5dd916562cd1bfe6030d3ffbb4240b42db07ef6b5e879f5553ba2a518b90c6e8919e3c9500adb3aa5','Cjwcbl50pCJ7D2VUUcY1EHyI','lock.lock@dev-ac032e2ee2dec409','2027-11-21 05:49:05.566',NULL);
INSERT INTO sp_access_token VALUES('RbBMIIrL0ZeQUtyGYomncovW',NULL,'efwHEpwY1agtq6XQr4BpYL9M','lock.lock@dev-ac032e2ee2dec409','2026-11-21 05:59:05.000',NULL);
CREATE TABLE sp_nonce (
    timestamp INTEGER NOT NULL, consumer TEXT NOT NULL, token TEXT NOT NULL, nonce TEXT NOT NULL,
    PRIMARY KEY (timestamp, consumer, token, nonce)
) STRICT, WITHOUT ROWID;
INSERT INTO sp_nonce VALUES(1795240145,'N1ma2Ught6LtMyymqVGCVEtM','','24329931532175501121795240145');
INSERT INTO sp_nonce VALUES(1795240145,'N1ma2Ught6LtMyymqVGCVEtM','','87152937658782819101795240145');
INSERT INTO sp_nonce VALUES(1795240145,'N1ma2Ught6LtMyymqVGCVEtM','4KknPqMA3QRgprDd2Nf9anIM','73977659551273657951795240145');
INSERT INTO sp_nonce VALUES(1795240145,'N1ma2Ught6LtMyymqVGCVEtM','ll6z6eitUXjG06tyeT0F0dVT','157173199414240361071795240145');
INSERT INTO sp_nonce VALUES(1795240145,'VBuUQn9wtMlyFPo4KAV9ZB6B','','w7fubckZsHOcccPyf3sAmJk5');
CREATE TABLE sp_code (
    hash BLOB PRIMARY KEY, consumer TEXT NOT NULL REFERENCES sp_consumer (id),
    person TEXT NOT NULL REFERENCES sp_person (id), scopes TEXT NOT NULL, redirect_uri TEXT,
    challenge TEXT NOT NULL, expires_at TEXT NOT NULL, grant_id TEXT REFERENCES sp_grant (id)
) STRICT;
INSERT INTO sp_code VALUES(X'caad39baeab3f6de5ca35ca1b6f95470527b46a8a76306234354c36f477a5149','ULADiGOCjtlO1hlfBGb4izZW','wYXyjon7TR2W12j0O9JdDwtB','lock.lock@dev-ac032e2ee2dec409','http://127.0.0.1:9000/back','_gsebptzyCVfeE-6TA8fAvnOBG3hMwYpwj4gC5-JD7s','2026-11-21 05:50:05.932','efwHEpwY1agtq6XQr4BpYL9M');
INSERT INTO sp_code VALUES(X'8acd0f18f8b30ebfda9a58f16159da10478e97400fb7d8453b70439491f2f95d','ULADiGOCjtlO1hlfBGb4izZW','wYXyjon7TR2W12j0O9JdDwtB','lock.lock@dev-ac032e2ee2dec409','http://127.0.0.1:9000/back','6a12E-nq1Q-1f-6BZrXP8w_toxkOcha1hFsUWdC7hAM','2026-11-21 05:50:06.248',NULL);
CREATE TABLE sp_refresh_token (
    hash BLOB PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES sp_grant (id), used_at TEXT NOT NULL
) STRICT;
INSERT INTO sp_refresh_token VALUES(X'aad3c8befb3c3cbd40edc342aaa7b3cee128913c49b33ff3e5bca3c8a38c5648','efwHEpwY1agtq6XQr4BpYL9M','2026-11-21 05:49:05.937');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('audit',19);
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
COMMIT;
