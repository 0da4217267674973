# The vendors of OAuth 2 where the hub shows a code and asks again and again.

import secrets
import time

from standin_oauth2 import Grant, OAuth2Vendor
from standin_request import Answer, Refused


class DeviceVendor(OAuth2Vendor):
    device_at = None
    grant_word = "urn:ietf:params:oauth:grant-type:device_code"
    code_parameter = "device_code"
    interval = 5
    pending_status = 400

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.devices = {}

    @property
    def shown_interval(self):
        return self.interval_asked or self.interval

    def answer(self, asked):
        if asked.place == self.device_at and self.wants_code(asked):
            asked.notes = {"action": "device"}
            return self.begin(asked)
        return super().answer(asked)

    def wants_code(self, asked):
        return asked.method == "POST"

    def new_device(self, scopes):
        code = secrets.token_urlsafe(24)
        self.devices[code] = {"grant": Grant(scopes), "asked": 0, "at": time.monotonic()}
        return code

    def other_grant(self, asked, parameters):
        if parameters.get("grant_type") != self.grant_word:
            super().other_grant(asked, parameters)
        device = self.devices.get(parameters.get(self.code_parameter))
        self.demand(device, "invalid_grant", "no such code")
        now = time.monotonic()
        early, device["at"] = now - device["at"] < self.shown_interval - 0.05, now
        if early:
            asked.notes["early"] = True
            self.refuse("slow_down", "asked too early")
        device["asked"] += 1
        if device["asked"] == 1:
            # The person says yes while the hub waits for the second time.
            body = {"error": "authorization_pending", "error_description": "Waiting for user to authorize application."}
            raise Refused("not yet", Answer(self.pending_status, body))
        del self.devices[parameters[self.code_parameter]]
        self.grants.append(device["grant"])
        return self.issue(asked, device["grant"])


class Ecobee(DeviceVendor):
    name = "ecobee"
    authorize_at = device_at = "api.ecobee.com/authorize"
    token_at = "api.ecobee.com/token"
    proof = "none"
    parameters_in = "query"
    scopes = ("smartWrite",)
    rotation = "same"
    lifetime = 3599
    grant_word = "ecobeePin"
    code_parameter = "code"
    interval = 30
    pending_status = 401

    def wants_code(self, asked):
        return asked.method == "GET" and asked.query.get("response_type") == "ecobeePin"

    def begin(self, asked):
        self.demand(asked.query.get("client_id") == self.key, "invalid_client", "another client_id")
        code = self.new_device(self.asked_scopes(asked.query))
        return Answer(200, {
            "ecobeePin": "bv29-kx4q", "code": code, "scope": "smartWrite", "expires_in": 9,
            "interval": self.shown_interval})

    def refresh(self, asked, parameters):
        if "code" in parameters and "refresh_token" not in parameters:
            parameters = {**parameters, "refresh_token": parameters["code"]}
        return super().refresh(asked, parameters)


class Tado(DeviceVendor):
    name = "tado"
    device_at = "login.tado.com/oauth2/device_authorize"
    token_at = "login.tado.com/oauth2/token"
    # The same for everybody.
    key = "1bb50063-6b0c-4d11-bd99-387f4a91cc46"
    proof = "none"
    scopes = ("offline_access",)
    rotation = "strict"
    lifetime = 599

    def parameters(self, asked):
        # In the query, as tado's own example has them, or in the body, but not in both.
        self.demand(not (asked.query and asked.form), "invalid_request", "parameters in two places")
        return asked.query or asked.form

    def begin(self, asked):
        parameters = self.parameters(asked)
        self.demand(parameters.get("client_id") == self.key, "invalid_client", "another client_id")
        code = self.new_device(self.asked_scopes(parameters))
        page = "https://login.tado.com/oauth2/device"
        return Answer(200, {
            "device_code": code, "expires_in": 300, "interval": self.shown_interval, "user_code": "7BQ5ZQ",
            "verification_uri": page, "verification_uri_complete": f"{page}?user_code=7BQ5ZQ"})

    def reply(self, grant, access_token, refresh_token):
        return {**super().reply(grant, access_token, refresh_token), "userId": "00000000-0000-4000-8000-000000000000"}


class HomeConnect(DeviceVendor):
    name = "home-connect"
    authorize_at = "api.home-connect.com/security/oauth/authorize"
    device_at = "api.home-connect.com/security/oauth/device_authorization"
    token_at = "api.home-connect.com/security/oauth/token"
    resources = ("api.home-connect.com/api/homeappliances",)
    key = "0123456789ABCDEF" * 4
    scopes = ("IdentifyAppliance", "Monitor", "Control", "Settings")
    grant_word = "device_code"
    rotation = "same"
    lifetime = 86400
    # Token requests of the last minute, of which there may be ten.
    calls = ()
    allowed = 10

    def admit(self, asked):
        now = time.monotonic()
        self.calls = [at for at in self.calls if now - at < 60]
        if len(self.calls) >= self.allowed:
            wait = int(60 - (now - self.calls[0])) + 1
            description = f'The rate limit "10 token requests in 1 minute" was reached, {wait} seconds remain.'
            raise Refused("too many", Answer(
                429, {"error": {"key": "429", "description": description}}, Retry_After=str(wait)))
        self.calls.append(now)

    def begin(self, asked):
        self.demand(asked.is_form and not asked.query, "invalid_request", "the body is no form")
        self.demand(asked.form.get("client_id") == self.key, "invalid_client", "another client_id")
        code = self.new_device(self.asked_scopes(asked.form))
        page = "https://api.home-connect.com/security/oauth/device_verify"
        return Answer(200, {
            "device_code": code, "expires_in": 300, "interval": self.shown_interval, "user_code": "A1B2-C3D4",
            "verification_uri": page, "verification_uri_complete": f"{page}?user_code=A1B2-C3D4"})


VENDORS = (Ecobee, Tado, HomeConnect)
