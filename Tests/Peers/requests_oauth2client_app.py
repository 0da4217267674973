#!/usr/bin/env python3
# An app on requests_oauth2client, unmodified: the library makes the proofs, assertions, pushed requests and retries,
# the app only says what it wants. `testing=True` is the library's own switch for plain HTTP on loopback.

import argparse
import json
import sys
import urllib.parse

import requests
from jwskate import Jwk
from requests_oauth2client import (
    AuthorizationPending, AuthorizationResponseError, ClientSecretBasic, ClientSecretPost,
    DeviceAuthorizationPollingJob, OAuth2Client, OAuth2Error, PrivateKeyJwt, PublicApp)

from browser import read_password
from steps import Person, add_person, devices, run, usage, write

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
PATIENCE = 10


def key(options):
    """Makes a key for private_key_jwt: a private JWK, and the key set that is registered."""
    made = Jwk.generate(alg=options.alg).with_kid_thumbprint()
    write(options.private_file, made.to_json())
    write(options.public_file, json.dumps({"keys": [made.public_jwk().to_dict()]}))
    return 0


def _authentication(options):
    if options.private_key_file:
        # Without `aud` the library names the endpoint it is about to call, which a strict server refuses.
        return PrivateKeyJwt(
            options.client_id, Jwk(json.loads(open(options.private_key_file, encoding="utf-8").read())),
            aud=None if options.endpoint_audience else options.base)
    if options.client_secret_file:
        kind = ClientSecretPost if options.client_auth == "post" else ClientSecretBasic
        return kind(options.client_id, read_password(options.client_secret_file))
    return PublicApp(options.client_id)


def _client(options, steps):
    session = steps.watch(requests.Session())
    url = options.base + "/.well-known/oauth-authorization-server"
    metadata = session.get(url, timeout=60).json()
    client = OAuth2Client.from_discovery_endpoint(
        url, issuer=options.base, session=session, auth=_authentication(options), testing=True,
        redirect_uri=options.redirect, dpop_bound_access_tokens=options.dpop,
        # Not among what the library takes from the document by itself.
        device_authorization_endpoint=metadata.get("device_authorization_endpoint"))
    steps.done("metadata", metadata["issuer"] == options.base, endpoints=sorted(
        name for name in metadata if name.endswith("_endpoint") or name == "jwks_uri"))
    return client


def _told(token, **more):
    return {"token_type": token.token_type, "scope": token.scope, "expires_in": token.expires_in,
            "refresh_token": bool(token.refresh_token), **more}


def _use(options, steps, client, token):
    status, seen = devices(client.session, options.base, token, options.flow == "client-credentials")
    return steps.done("resource", status == 200 and seen, status=status, operations=seen)


def _refused(steps, step, wanted, call):
    """A call that has to fail with one error."""
    try:
        call()
    except (OAuth2Error, AuthorizationResponseError) as error:
        return steps.done(step, error.error == wanted, error=error.error)
    return steps.done(step, False, error=None)


def _afterwards(options, steps, client, token):
    """What every grant is followed by: use, refresh, introspection, revocation."""
    _use(options, steps, client, token)
    if options.dpop:
        stolen = client.session.get(options.base + "/api/v1/devices", timeout=60,
                                    headers={"Authorization": f"Bearer {token.access_token}"})
        steps.done("bound token as a bearer token", stolen.status_code == 401, status=stolen.status_code)
    if token.refresh_token:
        fresh = client.refresh_token(token)
        steps.done("refresh", fresh.access_token != token.access_token, **_told(fresh))
        token = fresh if fresh.refresh_token else token
        _use(options, steps, client, fresh)
    if client.introspection_endpoint and not isinstance(client.auth, PublicApp):
        seen = client.introspect_token(token.access_token, token_type_hint="access_token")
        steps.done("introspect", seen["active"] is True, members=sorted(seen), scope=seen.get("scope"))
        unknown = client.introspect_token("nothing-of-the-kind")
        steps.done("introspect nothing", unknown == {"active": False}, members=sorted(unknown))
    gone = client.revoke_refresh_token(token) if token.refresh_token else client.revoke_access_token(token)
    # Not with the library's authentication: it takes every 401 with a DPoP challenge for a question for a nonce.
    after = client.session.get(options.base + "/api/v1/devices", timeout=60, headers={
        "Authorization": f"Bearer {token.access_token}"})
    steps.done("revoke", gone is True and after.status_code == 401, after=after.status_code)
    if client.introspection_endpoint and not isinstance(client.auth, PublicApp):
        seen = client.introspect_token(token.access_token)
        steps.done("introspect after", seen == {"active": False})
    if token.refresh_token:
        _refused(steps, "refresh after", "invalid_grant", lambda: client.refresh_token(token))


def code(options, steps):
    """Authorisation code with PKCE, pushed first unless --no-par."""
    client = _client(options, steps)
    asked = client.authorization_request(scope=options.scope, nonce=None)
    if options.no_par:
        url = asked.uri
    else:
        pushed = client.pushed_authorization_request(asked)
        steps.done("push", pushed.request_uri.startswith("urn:ietf:params:oauth:request_uri:"), expires=bool(
            pushed.expires_at))
        url = pushed.uri
    landed, status = Person(options).answer(url)
    if options.decision == "deny":
        _refused(steps, "consent", "access_denied", lambda: asked.validate_callback(landed))
        return
    answer = asked.validate_callback(landed or "")
    # The library checks `state`, and `iss` (RFC 9207) only for requests made without its client.
    issuer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(landed).query)).get("iss")
    steps.done("consent", answer.code and issuer == options.base, page_status=status)
    token = client.authorization_code(answer, validate=True)
    steps.done("token", token.access_token, **_told(token))
    if options.replay:
        _refused(steps, "code again", "invalid_grant", lambda: client.authorization_code(answer, validate=True))
        status, _ = devices(client.session, options.base, token, options.flow == "client-credentials")
        steps.done("what the code gave is gone", status == 401, status=status)
        return
    if options.narrower:
        _exchange(options, steps, client, token)
    _afterwards(options, steps, client, token)


def _exchange(options, steps, client, token):
    """RFC 8693: a token with less in it, for somebody else."""
    more = {"dpop_key": token.dpop_key} if options.dpop else {}
    narrow = client.token_exchange(
        subject_token=token.access_token, subject_token_type=ACCESS_TOKEN, requested_token_type=ACCESS_TOKEN,
        scope=options.narrower, dpop=options.dpop, **more)
    steps.done("exchange", narrow.scope == options.narrower, **_told(narrow))
    _use(options, steps, client, narrow)


def device(options, steps):
    """The device grant: the person types the code elsewhere."""
    client = _client(options, steps)
    asked = client.authorize_device(scope=options.scope)
    steps.done("device authorisation", asked.device_code, user_code_length=len(asked.user_code),
               verification_uri=asked.verification_uri, complete=bool(asked.verification_uri_complete),
               interval=asked.interval)
    job = DeviceAuthorizationPollingJob(client, asked, dpop=options.dpop, interval=asked.interval or 5)
    try:
        job.token_request()
        steps.done("pending", False)
    except AuthorizationPending as error:
        steps.done("pending", True, error=error.error)
    person = Person(options)
    status = (person.type_code(asked.verification_uri, asked.user_code) if options.type_code
              else person.answer(asked.verification_uri_complete)[1])
    if options.decision == "deny":
        job.sleep()
        _refused(steps, "denied", "access_denied", job.token_request)
        return
    steps.done("consent", status == 200, page_status=status)
    # The library waits for the interval before each question.
    token = next(filter(None, (job() for _ in range(PATIENCE))))
    steps.done("token", token.access_token, **_told(token))
    _afterwards(options, steps, client, token)


def client_credentials(options, steps):
    client = _client(options, steps)
    token = client.client_credentials(scope=options.scope)
    steps.done("token", token.access_token and not token.refresh_token, **_told(token))
    _afterwards(options, steps, client, token)


def main():
    parser = argparse.ArgumentParser(description="Ask the home's provider for access, as a modern app would.")
    flows = parser.add_subparsers(dest="flow", required=True)
    made = flows.add_parser("key", help="make a key for private_key_jwt")
    made.add_argument("--alg", default="ES256")
    made.add_argument("--private-file", required=True)
    made.add_argument("--public-file", required=True)
    known = {"code": code, "device": device, "client-credentials": client_credentials}
    for name in known:
        each = flows.add_parser(name)
        each.add_argument("--base", required=True, help="the home's address, which is its issuer")
        each.add_argument("--client-id", required=True)
        each.add_argument("--client-secret-file")
        each.add_argument("--client-auth", choices=["basic", "post"], default="basic")
        each.add_argument("--private-key-file", help="a private JWK with kid and alg")
        each.add_argument("--endpoint-audience", action="store_true", help="the library's default aud, to be refused")
        each.add_argument("--redirect")
        each.add_argument("--scope", required=True)
        each.add_argument("--dpop", action="store_true")
        each.add_argument("--no-par", action="store_true")
        each.add_argument("--replay", action="store_true", help="redeem the code twice, and stop")
        each.add_argument("--narrower", metavar="SCOPE", help="exchange the token for one with this scope")
        each.add_argument("--type-code", action="store_true", help="the person types the code of the device")
        add_person(each)
    options = parser.parse_args()
    if options.flow == "key":
        return key(options)
    options.base = options.base.rstrip("/")
    if options.flow == "code" and not options.redirect:
        usage("code needs --redirect")
    return run(known[options.flow], options)


if __name__ == "__main__":
    sys.exit(main())
