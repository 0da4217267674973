#!/usr/bin/env python3
# An app on Authlib's client, unmodified: OAuth 1.0a with HMAC-SHA1 and RSA-SHA1 (it has no HMAC-SHA256), and OAuth 2
# with PKCE, refresh, introspection, revocation, private_key_jwt and client credentials.

import argparse
import json
import os
import sys
import urllib.parse

# Read at import: plain HTTP for loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth1Session, OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, RSAKey

from browser import Browser, read_password
from steps import Person, add_person, devices, run, write

TIMEOUT = 60
VERIFIER_BYTES = 36


def key(options):
    """Makes a key pair: PEM for RSA-SHA1, JWK and key set for private_key_jwt."""
    if options.kind == "rsa-pem":
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write(options.private_file, made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode())
        write(options.public_file, made.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())
        return 0
    kind, size = {"es256": (ECKey, "P-256"), "rs256": (RSAKey, 2048)}[options.kind]
    made = kind.generate_key(size, auto_kid=True)
    write(options.private_file, json.dumps(made.as_dict(private=True)))
    write(options.public_file, json.dumps({"keys": [made.as_dict(private=False)]}))
    return 0


def _text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _query(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url or "").query, keep_blank_values=True))


def oauth1(options, steps):
    own = ({"rsa_key": _text(options.private_key_file), "signature_method": "RSA-SHA1"} if options.private_key_file
           else {"client_secret": read_password(options.consumer_secret_file)})
    session = steps.watch(OAuth1Session(
        options.consumer_key, redirect_uri=options.callback, force_include_body=options.in_body, **own))
    base = options.base
    temporary = session.fetch_request_token(
        base + "/oauth1/request_token", data={"scope": options.scope}, timeout=TIMEOUT)
    steps.done("request token", temporary.get("oauth_callback_confirmed") == "true")
    url = session.create_authorization_url(base + "/oauth1/authorize")
    if options.callback == "oob":
        page = Browser().decide(url, options.person, read_password(options.password_file), options.decision)
        verifier, status = page.pin, page.status
    else:
        landed, status = Person(options).answer(url)
        answer = _query(landed)
        if options.decision == "deny":
            steps.done("consent", answer.get("oauth_problem") == "user_refused", page_status=status)
            return
        verifier = session.parse_authorization_response(landed)["oauth_verifier"]
    steps.done("consent", bool(verifier), page_status=status)
    if options.forget_callback:
        session.redirect_uri = None
    token = session.fetch_access_token(base + "/oauth1/access_token", verifier=verifier, timeout=TIMEOUT)
    steps.done("access token", token["oauth_token"] != temporary["oauth_token"])
    status, seen = devices(session, base)
    steps.done("resource", status == 200 and seen, status=status, operations=seen)
    gone = session.post(base + "/oauth1/revoke", timeout=TIMEOUT)
    after, _ = devices(session, base)
    steps.done("revoke", gone.status_code == 200 and after == 401, status=gone.status_code, after=after)


def _session(options, steps):
    metadata = steps.watch(OAuth2Session()).get(
        options.base + "/.well-known/oauth-authorization-server", withhold_token=True, timeout=TIMEOUT).json()
    steps.done("metadata", metadata["issuer"] == options.base)
    method, secret = options.client_auth, None
    if options.private_key_file:
        method = "private_key_jwt"
        document = json.loads(_text(options.private_key_file))
        secret = (ECKey if document["kty"] == "EC" else RSAKey).import_key(document)
    elif options.client_secret_file:
        secret = read_password(options.client_secret_file)
    else:
        method = "none"
    session = steps.watch(OAuth2Session(
        options.client_id, secret, scope=options.scope, redirect_uri=options.redirect,
        token_endpoint=metadata["token_endpoint"], token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method, code_challenge_method="S256"))
    if options.private_key_file:
        # What it calls token endpoint only becomes the audience; extra claims would be kept, with their jti, for all time.
        session.register_client_auth_method(PrivateKeyJWT(
            metadata["token_endpoint"] if options.endpoint_audience else options.base, headers={"kid": secret.kid},
            alg="ES256" if document["kty"] == "EC" else "RS256"))
    return session, metadata


def _told(token):
    return {"token_type": token["token_type"], "scope": token.get("scope"), "expires_in": token.get("expires_in"),
            "refresh_token": bool(token.get("refresh_token"))}


def _use(options, steps, session):
    status, seen = devices(session, options.base, itself=options.flow == "client-credentials")
    return steps.done("resource", status == 200 and seen, status=status, operations=seen)


def code(options, steps):
    session, metadata = _session(options, steps)
    verifier = urllib.parse.quote(os.urandom(VERIFIER_BYTES).hex())
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    landed, status = Person(options).answer(url)
    answer = _query(landed)
    good = answer.get("state") == state and answer.get("iss") == metadata["issuer"]
    if options.decision == "deny":
        steps.done("consent", good and answer.get("error") == "access_denied", page_status=status)
        return
    steps.done("consent", good and "code" in answer, page_status=status)
    token = session.fetch_token(
        authorization_response=landed, state=state, code_verifier=verifier, timeout=TIMEOUT)
    steps.done("token", token["access_token"], **_told(token))
    _use(options, steps, session)
    first = token["access_token"]
    token = session.refresh_token(metadata["token_endpoint"], timeout=TIMEOUT)
    steps.done("refresh", token["access_token"] != first, **_told(token))
    _use(options, steps, session)
    _afterwards(options, steps, session, metadata, token)


def _afterwards(options, steps, session, metadata, token):
    if "introspection_endpoint" in metadata:
        seen = session.introspect_token(
            metadata["introspection_endpoint"], token=token["access_token"], token_type_hint="access_token").json()
        steps.done("introspect", seen.get("active") is True, members=sorted(seen), scope=seen.get("scope"))
    hint = "refresh_token" if token.get("refresh_token") else "access_token"
    gone = session.revoke_token(metadata["revocation_endpoint"], token=token[hint], token_type_hint=hint)
    after, _ = devices(session, options.base, itself=options.flow == "client-credentials")
    steps.done("revoke", gone.status_code == 200 and after == 401, status=gone.status_code, after=after)
    if hint == "refresh_token":
        try:
            session.refresh_token(metadata["token_endpoint"], refresh_token=token[hint], timeout=TIMEOUT)
            steps.done("refresh after", False, error=None)
        except OAuthError as error:
            steps.done("refresh after", error.error == "invalid_grant", error=error.error)


def client_credentials(options, steps):
    session, metadata = _session(options, steps)
    token = session.fetch_token(grant_type="client_credentials", scope=options.scope, timeout=TIMEOUT)
    steps.done("token", token["access_token"] and not token.get("refresh_token"), **_told(token))
    _use(options, steps, session)
    _afterwards(options, steps, session, metadata, token)


def main():
    parser = argparse.ArgumentParser(description="Ask the home's provider for access, as an app on Authlib would.")
    flows = parser.add_subparsers(dest="flow", required=True)
    made = flows.add_parser("key", help="make a key pair")
    made.add_argument("--kind", choices=["rsa-pem", "es256", "rs256"], default="es256")
    made.add_argument("--private-file", required=True)
    made.add_argument("--public-file", required=True)
    one = flows.add_parser("oauth1")
    one.add_argument("--consumer-key", required=True)
    one.add_argument("--consumer-secret-file")
    one.add_argument("--private-key-file", help="PEM: sign with RSA-SHA1")
    one.add_argument("--callback", required=True, help="a URI or oob")
    one.add_argument("--in-body", action="store_true", help="include the body in the signature base string")
    one.add_argument("--forget-callback", action="store_true", help="send oauth_callback in the first request only")
    known = {"oauth1": oauth1, "code": code, "client-credentials": client_credentials}
    for name in ("code", "client-credentials"):
        two = flows.add_parser(name)
        two.add_argument("--client-id", required=True)
        two.add_argument("--client-secret-file")
        two.add_argument("--client-auth", default="client_secret_basic", choices=[
            "client_secret_basic", "client_secret_post"])
        two.add_argument("--private-key-file", help="JWK: private_key_jwt")
        two.add_argument("--endpoint-audience", action="store_true", help="the library's default aud, to be refused")
        two.add_argument("--redirect")
    for name in known:
        each = flows.choices[name]
        each.add_argument("--base", required=True, help="the home's address")
        each.add_argument("--scope", required=True)
        add_person(each)
    options = parser.parse_args()
    if options.flow == "key":
        return key(options)
    options.base = options.base.rstrip("/")
    return run(known[options.flow], options)


if __name__ == "__main__":
    sys.exit(main())
