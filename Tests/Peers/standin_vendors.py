# The vendors of OAuth 2 where a browser is sent back, each with what is said about it and nothing else.

import hashlib
import re
import secrets
import time

from standin_oauth2 import OAuth2Vendor
from standin_request import Answer, Refused


class GoogleNest(OAuth2Vendor):
    name = "google-nest"
    authorize_at = "nestservices.google.com/partnerconnections/project-0123/auth"
    token_at = "www.googleapis.com/oauth2/v4/token"
    revoke_at = "oauth2.googleapis.com/revoke"
    scopes = ("https://www.googleapis.com/auth/sdm.service",)
    lifetime = 3599

    def authorize(self, asked):
        self.offline = asked.query.get("access_type") == "offline" and asked.query.get("prompt") == "consent"
        return super().authorize(asked)

    def redirect_extra(self):
        return {"scope": " ".join(self.scopes)}

    def reply(self, grant, access_token, refresh_token):
        # Who does not ask for it gets none, and no error either.
        return super().reply(grant, access_token, refresh_token if self.offline else None)


class Netatmo(OAuth2Vendor):
    name = "netatmo"
    authorize_at = "api.netatmo.com/oauth2/authorize"
    token_at = "api.netatmo.com/oauth2/token"
    scopes = ("read_thermostat", "write_thermostat")
    rotation = "strict"
    lifetime = 10800

    def reply(self, grant, access_token, refresh_token):
        return {
            "scope": list(grant.scopes), "access_token": access_token, "refresh_token": refresh_token,
            "expires_in": self.lifetime, "expire_in": self.lifetime}


class Honeywell(OAuth2Vendor):
    name = "honeywell"
    authorize_at = "api.honeywellhome.com/oauth2/authorize"
    token_at = "api.honeywellhome.com/oauth2/token"
    proof = "basic+post"
    authorize_extra = {"appSelect": "1"}
    rotation = "strict"

    FAULTS = {
        "invalid_client": (401, "oauth.v2.InvalidClientIdentifier"),
        "invalid_grant": (400, "keymanagement.service.invalid_refresh_token"),
    }

    def refuse(self, code, why):
        status, fault = self.FAULTS.get(code, (400, "steps.oauth.v2.InvalidParameter"))
        raise Refused(why, Answer(status, {"fault": {"faultstring": why, "detail": {"errorcode": fault}}}))

    def reply(self, grant, access_token, refresh_token):
        return {
            "access_token": access_token, "refresh_token": refresh_token, "expires_in": "1799",
            "token_type": "BearerToken"}


class Yale(OAuth2Vendor):
    name = "yale"
    authorize_at = "oauth.aaecosystem.com/authorize"
    token_at = "oauth.aaecosystem.com/access_token"
    rotation = "same"


class Nuki(OAuth2Vendor):
    name = "nuki"
    authorize_at = "api.nuki.io/oauth/authorize"
    token_at = "api.nuki.io/oauth/token"
    resources = ("api.nuki.io/smartlock",)
    scopes = ("smartlock.readOnly", "smartlock.action")
    rotation = "same"


class SmartThings(OAuth2Vendor):
    name = "smartthings"
    authorize_at = "api.smartthings.com/oauth/authorize"
    token_at = "auth-global.api.smartthings.com/oauth/token"
    resources = ("api.smartthings.com/v1/devices",)
    proof = "basic+id"
    scopes = ("r:devices:*", "x:devices:*")
    rotation = "strict"
    lifetime = 86399

    def dead(self, asked, why):
        # No body that says what is wrong.
        raise Refused(why, Answer(401, b""))

    def reply(self, grant, access_token, refresh_token):
        return {
            **super().reply(grant, access_token, refresh_token), "token_type": "bearer", "access_tier": 0,
            "installed_app_id": "f1a2b3c4-0000-4000-8000-000000000000"}


class Sensibo(OAuth2Vendor):
    name = "sensibo"
    authorize_at = "home.sensibo.com/o/authorize/"
    token_at = "home.sensibo.com/o/token/"
    proof = "none"
    scopes = ("read", "write")
    rotation = "strict"
    # Fifteen years.
    lifetime = 473_040_000


class Withings(OAuth2Vendor):
    name = "withings"
    authorize_at = "account.withings.com/oauth2_user/authorize2"
    token_at = "wbsapi.withings.net/v2/oauth2"
    scopes = ("user.info", "user.metrics", "user.activity")
    separator = ","
    token_extra = {"action": "requesttoken"}
    rotation = "strict"
    lifetime = 10800
    grace = 8 * 3600

    def refuse(self, code, why):
        status = {"invalid_client": 401}.get(code, 503)
        raise Refused(why, Answer(200, {"status": status, "body": {}, "error": f"Invalid Params: {why}"}))

    def refresh(self, asked, parameters):
        token, now = parameters.get("refresh_token"), time.monotonic()
        for grant in self.grants:
            if now - grant.former.get(token, -self.grace - 1) <= self.grace and not grant.is_dead:
                asked.notes["again"] = True
                return self.issue(asked, grant)
        return super().refresh(asked, parameters)

    def reply(self, grant, access_token, refresh_token):
        inner = {**super().reply(grant, access_token, refresh_token), "userid": "363", "csrf_token": "PACnnxwHTaBQOzF7"}
        return {"status": 0, "body": inner}


class Hue(OAuth2Vendor):
    name = "hue"
    authorize_at = "api.meethue.com/v2/oauth2/authorize"
    token_at = "api.meethue.com/v2/oauth2/token"
    proof = "digest"
    rotation = "strict"
    lifetime = 604_800
    realm = "oauth2_client@api.meethue.com"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.nonces = set()

    def prove(self, asked, parameters):
        self.demand("client_secret" not in parameters, "invalid_client", "the secret itself in the body")
        scheme, rest = asked.authorization
        asked.notes["proof"] = scheme or "none"
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', rest))
        if scheme != "digest" or fields.get("nonce") not in self.nonces:
            nonce = secrets.token_hex(16)
            self.nonces.add(nonce)
            raise Refused("no answer to a challenge", Answer(
                401, b"", WWW_Authenticate=f'Digest realm="{self.realm}", nonce="{nonce}"'))
        self.nonces.remove(fields["nonce"])

        def md5(text):
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        owner, request = md5(f"{self.key}:{self.realm}:{self.secret}"), md5(f"{asked.method}:{asked.path}")
        self.demand("qop" not in fields and "cnonce" not in fields, "invalid_client", "a qop nobody offered")
        self.demand(fields.get("username") == self.key, "invalid_client", "another user")
        self.demand(fields.get("realm") == self.realm, "invalid_client", "another realm")
        self.demand(fields.get("uri") == asked.path, "invalid_client", "another uri")
        right = md5(f"{owner}:{fields['nonce']}:{request}")
        self.demand(fields.get("response") == right, "invalid_client", "the wrong response")

    def reply(self, grant, access_token, refresh_token):
        return {**super().reply(grant, access_token, refresh_token), "token_type": "bearer"}


class Tesla(OAuth2Vendor):
    name = "tesla"
    authorize_at = "auth.tesla.com/oauth2/v3/authorize"
    token_at = "fleet-auth.prd.vn.cloud.tesla.com/oauth2/v3/token"
    scopes = ("openid", "offline_access", "vehicle_device_data", "vehicle_cmds", "vehicle_charging_cmds")
    authorize_extra = {"prompt_missing_scopes": "true"}
    rotation = "strict"
    lifetime = 28800

    def redeem(self, asked, parameters):
        self.demand(
            parameters.get("audience") == "https://fleet-api.prd.eu.vn.cloud.tesla.com", "invalid_request",
            "no audience, or another one")
        self.demand(parameters.get("code") in self.codes, "invalid_auth_code", "no such code")
        return super().redeem(asked, parameters)

    def redirect_extra(self):
        return {"issuer": "https://auth.tesla.com/oauth2/v3"}

    def reply(self, grant, access_token, refresh_token):
        reply = super().reply(grant, access_token, refresh_token)
        del reply["scope"]
        return {**reply, "id_token": "eyJhbGciOiJSUzI1NiJ9.e30.AA"}


class Husqvarna(OAuth2Vendor):
    name = "husqvarna"
    authorize_at = "api.authentication.husqvarnagroup.dev/v1/oauth2/authorize"
    token_at = "api.authentication.husqvarnagroup.dev/v1/oauth2/token"
    scopes = ("iam:read", "amc:api")
    rotation = "strict"
    lifetime = 86399

    def dead(self, asked, why):
        body = {"error": "invalid_grant", "error_description": "Failed to find token"}
        raise Refused(why, Answer(400, body))

    def reply(self, grant, access_token, refresh_token):
        return {
            **super().reply(grant, access_token, refresh_token), "provider": "husqvarna",
            "user_id": "d87ce4f5-0000-4000-8000-000000000000"}


class Facebook(OAuth2Vendor):
    name = "facebook"
    authorize_at = "www.facebook.com/v21.0/dialog/oauth"
    token_at = "graph.facebook.com/v21.0/oauth/access_token"
    scopes = ("public_profile",)
    separator = ","
    rotation = "none"
    lifetime = 5100
    long_lifetime = 5_183_944
    needs_grant_type = False
    # Since 2011, and nobody knows why.
    redirect_tail = "#_=_"
    CODES = {"invalid_client": 1, "invalid_token": 190, "invalid_grant": 100}

    def refuse(self, code, why):
        error = {"message": why, "type": "OAuthException", "code": self.CODES.get(code, 100), "fbtrace_id": "Abc"}
        raise Refused(why, Answer(400, {"error": error}))

    def other_grant(self, asked, parameters):
        if parameters.get("grant_type") != "fb_exchange_token":
            super().other_grant(asked, parameters)
        grant = self.access_tokens.get(parameters.get("fb_exchange_token"))
        self.demand(grant and not grant.is_dead, "invalid_token", "Error validating access token")
        grant.generation += 1
        asked.notes["issued"] = grant.generation
        return Answer(200, {
            "access_token": self.new_access_token(grant), "token_type": "bearer", "expires_in": self.long_lifetime})

    def reply(self, grant, access_token, refresh_token):
        return {"access_token": access_token, "token_type": "bearer", "expires_in": self.lifetime}


class Bitly(OAuth2Vendor):
    name = "bitly"
    authorize_at = "bitly.com/oauth/authorize"
    token_at = "api-ssl.bitly.com/oauth/access_token"
    rotation = "none"
    needs_grant_type = False

    def issue(self, asked, grant):
        if "application/json" in asked.headers.get("accept", ""):
            return super().issue(asked, grant)
        asked.notes["form"] = True
        body = f"access_token={self.new_access_token(grant)}&login=someone&apiKey=R_0123456789"
        return Answer(200, body.encode(), Content_Type="application/x-www-form-urlencoded")

    def reply(self, grant, access_token, refresh_token):
        return {"access_token": access_token, "login": "someone", "apiKey": "R_0123456789"}


VENDORS = (
    GoogleNest, Netatmo, Honeywell, Yale, Nuki, SmartThings, Sensibo, Withings, Hue, Tesla, Husqvarna, Facebook, Bitly)
