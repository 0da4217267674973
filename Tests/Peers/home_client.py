#!/usr/bin/env python3
# A third-party app written against the RFCs with requests-oauthlib, unmodified: it knows nothing of Keyholder but the
# addresses an app's maker is told. What it was given it keeps in a private file, and acts on it in later runs.

import argparse
import base64
import json
import os
import sys
import urllib.parse

# Settings of oauthlib, read at import: plain HTTP for loopback, and a granted scope that differs is not an exception.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"

import requests
from oauthlib.oauth2 import OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth1, OAuth1Session, OAuth2Session
from requests_oauthlib.oauth1_session import TokenRequestDenied

from browser import Browser, read_password
from steps import write

TIMEOUT = 60


class Story:
    """What happened, in the order it happened; becomes one JSON line."""

    def __init__(self, protocol):
        self.result = {"protocol": protocol, "ok": False, "statuses": []}

    def watch(self, session):
        def seen(response, *_, **__):
            path = urllib.parse.urlsplit(response.url).path
            self.result["statuses"].append([response.request.method, path, response.status_code])

        session.hooks["response"].append(seen)
        session.trust_env = False
        return session

    def tell(self, **members):
        self.result.update(members)


class LastingYes(Browser):
    """A person who does not want to be asked again."""

    def submit(self, page, form, pairs):
        return super().submit(page, form, pairs + ([("always", "yes")] if form.button("approve") else []))


def visit(url, options, story):
    page = (LastingYes if options.always else Browser)().decide(url, options.person, read_password(options.password_file), options.decision)
    story.tell(page_status=page.status, page_title=page.title)
    return page


def answer_of(page):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.redirected_to or "").query, keep_blank_values=True))


def save(options, **members):
    """Keeps what was given for later runs."""
    if options.save:
        write(options.save, json.dumps({"protocol": options.protocol, "base": options.base, **members}))


def list_devices(session, base, story):
    reply = session.get(base + "/api/v1/devices", timeout=TIMEOUT)
    devices = reply.json().get("devices", []) if reply.status_code == 200 else []
    story.tell(
        devices_status=reply.status_code, devices=[device["name"] for device in devices],
        operations=sorted(f"{operation['op']}@{device['name']}" for device in devices
                          for operation in device["operations"]))
    return reply.status_code == 200


def oauth1(options, story):
    session = story.watch(
        OAuth1Session(
            options.consumer_key, client_secret=read_password(options.consumer_secret_file),
            callback_uri=options.callback, signature_method=options.signature_method))
    base = options.base
    # The scope travels in the form body, so a home that signs other bytes than it reads is caught here.
    temporary = session.fetch_request_token(
        base + "/oauth1/request_token", data={"scope": options.scope}, timeout=TIMEOUT)
    story.tell(callback_confirmed=temporary.get("oauth_callback_confirmed"))
    page = visit(session.authorization_url(base + "/oauth1/authorize"), options, story)
    answer = answer_of(page)
    if options.decision == "deny":
        refused = (
            answer.get("oauth_problem") == "user_refused" if page.redirected_to
            else page.status == 200 and page.pin is None and not page.forms)
        story.tell(ok=refused, denied=True, problem=answer.get("oauth_problem"))
        return
    if options.callback == "oob":
        verifier = page.pin
    else:
        story.tell(token_matched=answer.get("oauth_token") == temporary["oauth_token"])
        verifier = session.parse_authorization_response(page.redirected_to or "")["oauth_verifier"]
    story.tell(pin=page.pin is not None)
    token = session.fetch_access_token(base + "/oauth1/access_token", verifier=verifier, timeout=TIMEOUT)
    # OAuth 1.0a has no word for the granted scope; what the token opens is what was granted.
    listed = list_devices(session, base, story)
    save(options, key=options.consumer_key, secret=read_password(options.consumer_secret_file),
         method=options.signature_method, token=token["oauth_token"], token_secret=token["oauth_token_secret"])
    story.tell(ok=listed, granted_scope=token.get("scope") or " ".join(story.result["operations"]))
    if options.revoke:
        gone = session.post(base + "/oauth1/revoke", timeout=TIMEOUT)
        after = session.get(base + "/api/v1/devices", timeout=TIMEOUT)
        story.tell(
            revoke_status=gone.status_code, after_revoke_status=after.status_code,
            ok=listed and gone.status_code == 200 and after.status_code == 401)


def oauth2(options, story):
    base, secret = options.base, read_password(options.client_secret_file)
    session = story.watch(
        OAuth2Session(options.client_id, redirect_uri=options.redirect, scope=options.scope.split(), pkce="S256"))
    metadata = session.get(
        base + "/.well-known/oauth-authorization-server", withhold_token=True, timeout=TIMEOUT).json()
    url, state = session.authorization_url(metadata["authorization_endpoint"])
    page = visit(url, options, story)
    answer = answer_of(page)
    story.tell(
        issuer_matched=metadata["issuer"] == base, iss_matched=answer.get("iss") == metadata["issuer"],
        state_matched=answer.get("state") == state)
    good = story.result["iss_matched"] and story.result["state_matched"] and story.result["issuer_matched"]
    if options.decision == "deny":
        story.tell(ok=good and answer.get("error") == "access_denied", denied=True, problem=answer.get("error"))
        return
    in_body = options.client_auth == "post"
    # requests-oauthlib fills in Basic by itself unless it is told to send the credentials in the body.
    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=page.redirected_to or "", client_secret=secret,
        include_client_id=True if in_body else None, timeout=TIMEOUT)
    story.tell(
        granted_scope=" ".join(token["scope"]) if isinstance(token["scope"], list) else token["scope"],
        token_type=token.get("token_type"), expires_in=token.get("expires_in"),
        refresh_token=bool(token.get("refresh_token")))
    listed = list_devices(session, base, story)
    basic = None if in_body else HTTPBasicAuth(options.client_id, secret)
    body = {"client_id": options.client_id, "client_secret": secret} if in_body else {}
    fresh = session.refresh_token(metadata["token_endpoint"], auth=basic, timeout=TIMEOUT, **body)
    again = list_devices(session, base, story)
    changed = fresh["access_token"] != token["access_token"]
    save(options, token=fresh["access_token"])
    # A client has no business in a token; a test wants to know which key signed it.
    header = fresh["access_token"].partition(".")[0]
    story.tell(kid=json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("kid"))
    story.tell(
        refreshed=changed, refresh_token_replaced=fresh.get("refresh_token") != token.get("refresh_token"),
        ok=good and listed and again and changed)
    if options.revoke:
        # A requests session without the library's token, as a plain client of RFC 7009.
        plain = story.watch(requests.Session())
        form = {"token": fresh["refresh_token"], "token_type_hint": "refresh_token", **body}
        gone = plain.post(metadata["revocation_endpoint"], data=form, auth=basic, timeout=TIMEOUT)
        after = session.get(base + "/api/v1/devices", timeout=TIMEOUT)
        story.tell(
            revoke_status=gone.status_code, after_revoke_status=after.status_code,
            ok=story.result["ok"] and gone.status_code == 200 and after.status_code == 401)


def ask(options, story):
    """Sends one request, or the very same several times, with what was saved."""
    with open(options.credentials, encoding="utf-8") as file:
        held = json.load(file)
    headers, auth = {}, None
    if options.body is not None:
        headers["Content-Type"] = options.content_type
    if held["protocol"] == "oauth1":
        # Only so does the library sign a body that is no form, by its hash.
        auth = OAuth1(
            held["key"], held["secret"], held["token"], held["token_secret"], signature_method=held["method"],
            force_include_body=options.body is not None and not options.no_body_hash)
    else:
        headers["Authorization"] = "Bearer " + held["token"]
    session = requests.Session()
    session.trust_env = False
    request = session.prepare_request(
        requests.Request(options.method, held["base"] + options.path, headers=headers, data=options.body, auth=auth))
    if options.spoil:
        request.headers["Authorization"] = spoilt(request.headers["Authorization"])
    if options.change_body_to is not None:
        request.prepare_body(options.change_body_to, None)
    replies = [read(session.send(request, timeout=TIMEOUT)) for _ in range(options.times)]
    story.tell(ok=True, replies=replies)


def spoilt(header):
    """An Authorization header, text or bytes, whose signature has another letter somewhere."""
    text = header.decode() if isinstance(header, bytes) else header
    name, quote, value = text.rpartition("oauth_signature=\"")
    if not name:
        return text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1]
    return name + quote + ("A" if value[0] != "A" else "B") + value[1:]


def read(reply):
    kind = reply.headers.get("Content-Type", "").partition(";")[0]
    return {
        "status": reply.status_code, "type": kind, "retry_after": reply.headers.get("Retry-After"),
        "challenge": reply.headers.get("WWW-Authenticate"), "body": reply.json() if "json" in kind else reply.text}


def set_up(options, story):
    """A person makes an account with the code that the hub shows."""
    browser = Browser()
    page = browser.get(options.base + "/set-up")
    form = next(form for form in page.forms if form.has_password())
    given = {"code": read_password("-"), "name": options.person, "password": read_password(options.password_file)}
    page = browser.submit(page, form, [(name, given.get(name, value)) for _, name, value in form.fields if name])
    story.tell(ok=page.status == 200, page_status=page.status, page_title=page.title)


def main():
    parser = argparse.ArgumentParser(description="Ask the home's provider for access, as an app would, and use it.")
    protocols = parser.add_subparsers(dest="protocol", required=True)
    one = protocols.add_parser("oauth1")
    one.add_argument("--consumer-key", required=True)
    one.add_argument("--consumer-secret-file", required=True)
    one.add_argument("--callback", required=True, help="a URI or oob")
    one.add_argument("--signature-method", default="HMAC-SHA1", choices=["HMAC-SHA1", "HMAC-SHA256"])
    two = protocols.add_parser("oauth2")
    two.add_argument("--client-id", required=True)
    two.add_argument("--client-secret-file", required=True)
    two.add_argument("--redirect", required=True)
    two.add_argument("--client-auth", default="basic", choices=["basic", "post"])
    for each in (one, two):
        each.add_argument("--base", required=True, help="the home's address, such as http://127.0.0.1:8420")
        each.add_argument("--scope", required=True, help="words separated by spaces")
        each.add_argument("--person", required=True)
        each.add_argument("--password-file", required=True)
        each.add_argument("--decision", default="approve", choices=["approve", "deny"])
        each.add_argument("--always", action="store_true", help="the person does not want to be asked again")
        each.add_argument("--save", metavar="FILE", help="keep what was given for 'ask'")
        each.add_argument("--revoke", action="store_true", help="give the access back at the end and check that")
    three = protocols.add_parser("ask", help="send a request with what was saved")
    three.add_argument("credentials")
    three.add_argument("method")
    three.add_argument("path")
    three.add_argument("--body")
    three.add_argument("--content-type", default="application/json")
    three.add_argument("--times", type=int, default=1, help="send the very same request so many times")
    three.add_argument("--no-body-hash", action="store_true", help="do not sign the body")
    three.add_argument("--spoil", action="store_true", help="break the signature")
    three.add_argument("--change-body-to", metavar="BODY", help="after signing")
    four = protocols.add_parser("set-up", help="make an account with the code on standard input")
    four.add_argument("--person", required=True)
    four.add_argument("--password-file", required=True)
    four.add_argument("--base", required=True)
    options = parser.parse_args()
    options.base = getattr(options, "base", "").rstrip("/")
    story = Story(options.protocol)
    try:
        {"oauth1": oauth1, "oauth2": oauth2, "ask": ask, "set-up": set_up}[options.protocol](options, story)
    except (OAuth2Error, TokenRequestDenied, OSError, ValueError, KeyError) as error:
        story.tell(error=f"{type(error).__name__}: {error}")
    print(json.dumps(story.result))
    return 0 if story.result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
