# oauthlib's and Authlib's half of the OAuth 1.0a figures: what Scripts/bench-oauth.swift does, with each of them.
#   bench-oauth.py oauthlib|authlib sign|verify SECONDS     prints operations a second of processor time
import os
import sys
import time

# Read at import; the address is the one of RFC 5849's own example.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import authlib.oauth1.rfc5849.client_auth
import authlib.oauth1.rfc5849.resource_protector
import oauthlib.oauth1

URL = "http://photos.example.net/photos?file=vacation.jpg&size=original"
KEY, SECRET, TOKEN, TOKEN_SECRET = "dpf43f3p2l4k3l03abcdef", "kd94hf93k423kf44", "nnch734d00sl2jdkabcdef", "pfkkdhi9sl3r4s00"


class Validator(oauthlib.oauth1.RequestValidator):
    """Knows one client and one token and forgets every nonce."""

    enforce_ssl = False
    nonce_length = (16, 64)
    dummy_client = dummy_access_token = "dummy"

    def validate_timestamp_and_nonce(self, *_, **__): return True
    def validate_client_key(self, client_key, request): return client_key == KEY
    def validate_access_token(self, client_key, token, request): return token == TOKEN
    def validate_realms(self, *_, **__): return True
    def get_client_secret(self, client_key, request): return SECRET
    def get_access_token_secret(self, client_key, token, request): return TOKEN_SECRET


class Secrets:
    def get_client_secret(self): return SECRET
    def get_oauth_token_secret(self): return TOKEN_SECRET


class Protector(authlib.oauth1.rfc5849.resource_protector.ResourceProtector):
    def get_client_by_id(self, client_id): return Secrets() if client_id == KEY else None
    def get_token_credential(self, request): return Secrets() if request.token == TOKEN else None
    def exists_nonce(self, nonce, request): return False


library, action, span = sys.argv[1], sys.argv[2], float(sys.argv[3])
oauthlib_client = oauthlib.oauth1.Client(KEY, SECRET, TOKEN, TOKEN_SECRET)
headers = oauthlib_client.sign(URL)[1]
if library == "oauthlib":
    endpoint = oauthlib.oauth1.ResourceEndpoint(Validator())
    signer = lambda: oauthlib_client.sign(URL)
    verifier = lambda: endpoint.validate_protected_resource_request(URL, headers=headers)[0]
else:
    authlib_client = authlib.oauth1.rfc5849.client_auth.ClientAuth(KEY, SECRET, TOKEN, TOKEN_SECRET)
    protector = Protector()
    signer = lambda: authlib_client.prepare("GET", URL, {}, "")
    verifier = lambda: protector.validate_request("GET", URL, {}, headers)
once = signer if action == "sign" else verifier
assert once()
begin, rounds, elapsed = time.process_time(), 0, 0
while elapsed < span:
    for _ in range(50):
        once()
    rounds += 50
    elapsed = time.process_time() - begin
print(rounds / elapsed)
