# The vendors of OAuth 1.0a: oauthlib says whether a signature is right, this file says whose token it was.

import secrets
import time
import urllib.parse

from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header

from standin_request import FORM, Answer, Refused


class OAuth1Vendor:
    name = ""
    request_at = authorize_at = access_at = revoke_at = None
    resources = ()
    key = "keyholderConsumer0123456789"
    secret = "Sec+ret/=%41&0123456789"
    # Real servers say anything; it is a form all the same.
    reply_type = FORM

    def __init__(self, redirect_uri, interval):
        self.redirect_uri = redirect_uri
        self.pending, self.tokens, self.nonces = {}, {}, set()

    def registration(self):
        return {"key": self.key, "secret": self.secret}

    def forget(self):
        self.tokens.clear()

    def refuse(self, why, status=401):
        raise Refused(why, Answer(status, why.encode(), Content_Type="text/plain"))

    def answer(self, asked):
        steps = {
            ("POST", self.request_at): self.request_token, ("GET", self.authorize_at): self.authorize,
            ("POST", self.access_at): self.access_token, ("POST", self.revoke_at): self.revoke}
        step = steps.get((asked.method, asked.place))
        if step is None and asked.place in self.resources:
            step = self.resource
        if step is None:
            raise Refused("there is nothing at this address", Answer(404, b""))
        asked.notes = {"action": step.__name__}
        return step(asked)

    def signed(self, asked, secrets_by_token):
        """The protocol's parameters of a request whose signature is right."""
        header = asked.headers.get("authorization", "")
        if not header.startswith("OAuth "):
            self.refuse("no OAuth header")
        fields = parse_authorization_header(header)
        parts = [(name, urllib.parse.unquote(value)) for name, value in fields if name != "realm"]
        given = dict(parts)
        if len(given) != len(parts):
            self.refuse("a parameter twice", 400)
        if given.get("oauth_consumer_key") != self.key or given.get("oauth_signature_method") != "HMAC-SHA1":
            self.refuse("another consumer, or another method")
        if given.get("oauth_version", "1.0") != "1.0":
            self.refuse("another version", 400)
        if abs(time.time() - int(given.get("oauth_timestamp", 0))) > 300:
            self.refuse("a clock that is wrong")
        used = (given.get("oauth_timestamp"), given.get("oauth_nonce"), given.get("oauth_token"))
        if not used[1] or used in self.nonces:
            self.refuse("a nonce that was used before")
        token = given.get("oauth_token")
        if secrets_by_token is None:
            if token:
                self.refuse("a token where there is none yet", 400)
            token_secret = ""
        elif token not in secrets_by_token:
            self.refuse("no such token")
        else:
            token_secret = secrets_by_token[token]
        request = Request(asked.url, asked.method, asked.body.decode() if asked.is_form else None, asked.headers)
        request.params = signature.collect_parameters(
            uri_query=urllib.parse.urlsplit(asked.url).query, body=asked.body.decode() if asked.is_form else "",
            headers={"Authorization": header})
        request.signature = given.get("oauth_signature", "")
        if not signature.verify_hmac_sha1(request, self.secret, token_secret):
            self.refuse("the wrong signature")
        self.nonces.add(used)
        return given

    def form(self, **members):
        return Answer(200, urllib.parse.urlencode(members).encode(), Content_Type=self.reply_type)

    def request_token(self, asked):
        given = self.signed(asked, None)
        callback = given.get("oauth_callback")
        asked.notes["callback"] = "oob" if callback == "oob" else "redirect"
        if callback not in ("oob", self.redirect_uri):
            self.wrong_callback()
        token, token_secret = secrets.token_hex(14), secrets.token_urlsafe(20)
        self.pending[token] = {"secret": token_secret, "callback": callback, "verifier": None}
        return self.form(oauth_token=token, oauth_token_secret=token_secret, oauth_callback_confirmed="true")

    def wrong_callback(self):
        self.refuse("another callback")

    def authorize(self, asked):
        entry = self.pending.get(asked.query.get("oauth_token"))
        if entry is None:
            self.refuse("no such request token", 400)
        return self.approved(asked, asked.query["oauth_token"], entry)

    def approved(self, asked, token, entry):
        entry["verifier"] = self.new_verifier(entry["callback"])
        if entry["callback"] == "oob":
            page = f"<!doctype html><title>PIN</title><p>Type this: <code>{entry['verifier']}</code></p>"
            return Answer(200, page.encode(), Content_Type="text/html")
        back = urllib.parse.urlencode({"oauth_token": token, "oauth_verifier": entry["verifier"]})
        return Answer(302, b"", Location=f"{entry['callback']}?{back}")

    def new_verifier(self, callback):
        return secrets.token_urlsafe(15)

    def access_token(self, asked):
        given = self.signed(asked, {token: entry["secret"] for token, entry in self.pending.items()})
        entry = self.pending.pop(given["oauth_token"])
        if not entry["verifier"] or given.get("oauth_verifier") != entry["verifier"]:
            self.refuse("another verifier")
        token, token_secret = secrets.token_urlsafe(20), secrets.token_urlsafe(20)
        self.tokens[token] = token_secret
        return self.form(oauth_token=token, oauth_token_secret=token_secret, **self.about_owner)

    about_owner = {}

    def resource(self, asked):
        self.signed(asked, self.tokens)
        return Answer(200, [])

    def revoke(self, asked):
        given = self.signed(asked, self.tokens)
        del self.tokens[given["oauth_token"]]
        return Answer(200, {"access_token": given["oauth_token"]})


class Discovergy(OAuth1Vendor):
    name = "discovergy"
    request_at = "api.discovergy.com/public/v1/oauth1/request_token"
    authorize_at = "api.discovergy.com/public/v1/oauth1/authorize"
    access_at = "api.discovergy.com/public/v1/oauth1/access_token"
    resources = ("api.discovergy.com/public/v1/meters",)

    def approved(self, asked, token, entry):
        # There is no page: who the person is stands in the address, and the verifier is all that comes back.
        if asked.query.get("email") != "owner@example.org" or not asked.query.get("password"):
            self.refuse("no email and password in the query")
        entry["verifier"] = secrets.token_hex(8)
        return self.form(oauth_verifier=entry["verifier"])


class X(OAuth1Vendor):
    name = "x"
    request_at = "api.x.com/oauth/request_token"
    authorize_at = "api.x.com/oauth/authorize"
    access_at = "api.x.com/oauth/access_token"
    revoke_at = "api.x.com/1.1/oauth/invalidate_token"
    resources = ("api.x.com/1.1/account/verify_credentials.json", "api.x.com/1.1/statuses/update.json")
    reply_type = "text/html;charset=utf-8"
    about_owner = {"user_id": "6253282", "screen_name": "someone"}

    # No oauth_problem: a number in JSON.
    CODES = {"no such token": 89, "a clock that is wrong": 135, "no OAuth header": 215}

    def refuse(self, why, status=401):
        error = {"code": self.CODES.get(why, 32), "message": "Could not authenticate you."}
        raise Refused(why, Answer(status, {"errors": [error]}))

    def wrong_callback(self):
        error = {"code": 415, "message": "Callback URL not approved for this client application."}
        raise Refused("another callback", Answer(403, {"errors": [error]}))

    def new_verifier(self, callback):
        return f"{secrets.randbelow(10 ** 7):07}" if callback == "oob" else super().new_verifier(callback)


class Garmin(OAuth1Vendor):
    name = "garmin"
    request_at = "connectapi.garmin.com/oauth-service/oauth/request_token"
    authorize_at = "connect.garmin.com/oauthConfirm"
    access_at = "connectapi.garmin.com/oauth-service/oauth/access_token"
    resources = ("apis.garmin.com/wellness-api/rest/user/id",)
    reply_type = "text/plain"


VENDORS = (Discovergy, X, Garmin)
