# What vendors of OAuth 2 have in common, with a name for each thing they do differently.

import base64
import hashlib
import secrets
import time
import urllib.parse

from standin_request import FORM, Answer, Refused


class Grant:
    """What came of one approval; only the newest refresh token lives where tokens are rotated."""

    def __init__(self, scopes):
        self.scopes, self.is_dead, self.generation = scopes, False, 0
        self.refresh_token = None
        self.former = {}


class OAuth2Vendor:
    name = ""
    # HOST/PATH of each endpoint.
    authorize_at = token_at = None
    revoke_at = None
    # An API that a token opens.
    resources = ()
    key = "keyholderClient0123456789"
    # What a client that encodes it for Basic, or does not encode it for a form, gets wrong.
    secret = "Sec+ret/=%41:0123456789"
    # post, basic (not encoded), basic+id (and the id in the body), basic+post, none, digest.
    proof = "post"
    # Where parameters of the token endpoint stand: body or query.
    parameters_in = "body"
    # The scopes that have to be asked for, and what stands between them.
    scopes = ()
    separator = " "
    # What else has to be there.
    authorize_extra, token_extra = {}, {}
    # never: no new refresh token comes; same: the old one comes again; strict: a new one, and the old one is dead.
    rotation = "never"
    lifetime = 3600
    # Whether a code may be redeemed without the word for it.
    needs_grant_type = True

    def __init__(self, redirect_uri, interval):
        self.redirect_uri, self.interval_asked = redirect_uri, interval
        self.codes, self.grants, self.access_tokens = {}, [], {}

    def registration(self):
        return {"key": self.key, "secret": self.secret if self.proof != "none" else None}

    def forget(self):
        for grant in self.grants:
            grant.is_dead = True

    def hasten(self):
        self.lifetime = min(self.lifetime, 3600)

    def refuse(self, code, why):
        """As RFC 6749 §5.2 has it; a vendor with other words has a method of its own."""
        status = 401 if code == "invalid_client" else 400
        raise Refused(why, Answer(status, {"error": code, "error_description": why}))

    def answer(self, asked):
        if asked.place == self.authorize_at and asked.method == "GET":
            return self.authorize(asked)
        if asked.place == self.token_at:
            return self.token(asked)
        if self.revoke_at and asked.place == self.revoke_at and asked.method == "POST":
            return self.revoke(asked)
        if asked.place in self.resources and asked.method == "GET":
            return self.resource(asked)
        raise Refused("there is nothing at this address", Answer(404, {}))

    # The page where the person says yes.

    def authorize(self, asked):
        asked.notes = {"action": "authorize"}
        query = asked.query
        self.demand(query.get("response_type") == "code", "unsupported_response_type", "response_type is not code")
        self.demand(query.get("client_id") == self.key, "invalid_client", "another client_id")
        self.demand(query.get("redirect_uri") == self.redirect_uri, "invalid_request", "another redirect_uri")
        self.demand(len(query.get("state", "")) >= 20, "invalid_request", "no state worth the name")
        for name, value in self.authorize_extra.items():
            self.demand(query.get(name) == value, "invalid_request", f"{name} is not {value}")
        code = self.new_code(self.asked_scopes(query), query.get("code_challenge"))
        back = urllib.parse.urlencode({"code": code, "state": query["state"], **self.redirect_extra()})
        return Answer(302, b"", Location=f"{self.redirect_uri}?{back}{self.redirect_tail}")

    redirect_tail = ""

    def redirect_extra(self):
        return {}

    def new_code(self, scopes, challenge):
        code = secrets.token_urlsafe(18)
        self.codes[code] = (Grant(scopes), challenge)
        return code

    def asked_scopes(self, parameters):
        text = parameters.get("scope")
        if not self.scopes:
            self.demand(text is None, "invalid_scope", "a scope where there is none")
            return []
        asked = (text or "").split(self.separator)
        self.demand(sorted(asked) == sorted(self.scopes), "invalid_scope", f"the scopes are {text!r}")
        return asked

    def demand(self, condition, code, why):
        if not condition:
            self.refuse(code, why)

    # The token endpoint.

    def token(self, asked):
        asked.notes = {"action": "token"}
        self.demand(asked.method == "POST", "invalid_request", "not a POST")
        parameters = self.parameters(asked)
        asked.notes["grant_type"] = parameters.get("grant_type")
        asked.notes["parameters"] = sorted(parameters)
        self.admit(asked)
        self.prove(asked, parameters)
        for name, value in self.token_extra.items():
            self.demand(parameters.get(name) == value, "invalid_request", f"{name} is not {value}")
        kind = parameters.get("grant_type")
        if kind == "authorization_code" or (kind is None and not self.needs_grant_type):
            return self.redeem(asked, parameters)
        if kind == "refresh_token" and self.rotation != "none":
            return self.refresh(asked, parameters)
        return self.other_grant(asked, parameters)

    def admit(self, asked):
        """For vendors that count."""

    def other_grant(self, asked, parameters):
        self.refuse("unsupported_grant_type", f"grant_type {parameters.get('grant_type')!r}")

    def parameters(self, asked):
        if self.parameters_in == "query":
            self.demand(not asked.form, "invalid_request", "parameters in the body")
            return asked.query
        self.demand(not asked.query, "invalid_request", "parameters in the query")
        self.demand(asked.is_form, "invalid_request", f"the body is not {FORM}")
        return asked.form

    def prove(self, asked, parameters):
        header, in_body = asked.basic(), (parameters.get("client_id"), parameters.get("client_secret"))
        pair = (self.key, self.secret)
        wanted = {
            "post": (None, pair),
            "basic": (pair, (None, None)),
            "basic+id": (pair, (self.key, None)),
            "basic+post": (pair, pair),
            "none": (None, (self.key, None)),
        }[self.proof]
        asked.notes["proof"] = "+".join(
            part for part, there in (("basic", header), ("id", in_body[0]), ("secret", in_body[1])) if there)
        self.demand(header or "authorization" not in asked.headers, "invalid_client", "another kind of proof")
        self.demand((header, in_body) == wanted, "invalid_client", "not the proof that was asked for")

    def redeem(self, asked, parameters):
        grant, challenge = self.codes.pop(parameters.get("code"), (None, None))
        self.demand(grant, "invalid_grant", "no such code")
        self.demand(parameters.get("redirect_uri") == self.redirect_uri, "invalid_grant", "another redirect_uri")
        if challenge:
            hashed = hashlib.sha256(parameters.get("code_verifier", "").encode()).digest()
            made = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
            self.demand(made == challenge, "invalid_grant", "another code_verifier")
        self.grants.append(grant)
        return self.issue(asked, grant)

    def refresh(self, asked, parameters):
        token = parameters.get("refresh_token")
        grant = next((each for each in self.grants if token and token == each.refresh_token), None)
        former = next((each for each in self.grants if token in each.former), None)
        self.demand(token, "invalid_request", "no refresh_token")
        if grant is None or grant.is_dead:
            self.dead(asked, "a refresh token that was replaced" if former else "a dead refresh token")
        asked.notes["presented"] = grant.generation
        return self.issue(asked, grant)

    def dead(self, asked, why):
        self.refuse("invalid_grant", why)

    def issue(self, asked, grant):
        first = grant.refresh_token is None
        grant.generation += 1
        if first or self.rotation == "strict":
            if grant.refresh_token:
                grant.former[grant.refresh_token] = time.monotonic()
            grant.refresh_token = secrets.token_urlsafe(24)
        access_token = self.new_access_token(grant)
        asked.notes["issued"] = grant.generation
        shown = None if self.rotation == "none" or (self.rotation == "never" and not first) else grant.refresh_token
        return Answer(200, self.reply(grant, access_token, shown))

    def new_access_token(self, grant):
        token = secrets.token_urlsafe(24)
        self.access_tokens[token] = grant
        return token

    def reply(self, grant, access_token, refresh_token):
        reply = {"access_token": access_token, "token_type": "Bearer", "expires_in": self.lifetime}
        if refresh_token:
            reply["refresh_token"] = refresh_token
        if grant.scopes:
            reply["scope"] = self.separator.join(grant.scopes)
        return reply

    # What a token is for, and how it ends.

    def resource(self, asked):
        asked.notes = {"action": "resource"}
        scheme, token = asked.authorization
        grant = self.access_tokens.get(token)
        if scheme != "bearer" or grant is None or grant.is_dead:
            raise Refused("no live token", Answer(401, {"error": "invalid_token"}))
        return Answer(200, [])

    def revoke(self, asked):
        asked.notes = {"action": "revoke"}
        token = asked.form.get("token")
        grant = next((each for each in self.grants if token and token == each.refresh_token), None)
        grant = grant or self.access_tokens.get(token)
        self.demand(grant and not grant.is_dead, "invalid_token", "no such token")
        grant.is_dead = True
        return Answer(200, {})
