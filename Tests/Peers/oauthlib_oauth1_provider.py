#!/usr/bin/env python3
# Every protocol decision here is oauthlib's own, with its strict defaults: keys, tokens, nonces and verifiers of 20 to
# 30 letters and digits. This file only stores what oauthlib asks it to store.

from flask import Flask, jsonify, request
from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_HMAC_SHA512, RequestValidator, WebApplicationServer)
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

import serving

DUMMY = "dummydummydummydummydummy"


class Validator(RequestValidator):
    allowed_signature_methods = (SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_HMAC_SHA512)
    enforce_ssl = False
    dummy_client = dummy_request_token = dummy_access_token = DUMMY

    def __init__(self, key, secret, callback):
        super().__init__()
        self.key, self.secret, self.callback = key, secret, callback
        self.pending, self.tokens, self.nonces = {}, {}, set()

    def validate_client_key(self, client_key, request):
        return client_key == self.key

    def get_client_secret(self, client_key, request):
        return self.secret if client_key == self.key else DUMMY

    def validate_timestamp_and_nonce(
            self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        entry = (client_key, timestamp, nonce, request_token or access_token)
        if entry in self.nonces:
            serving.note("nonce used before")
            return False
        self.nonces.add(entry)
        return True

    def get_default_realms(self, client_key, request):
        return []

    def get_realms(self, token, request):
        return []

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def verify_realms(self, token, realms, request):
        return True

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri in (self.callback, "oob")

    def save_request_token(self, token, request):
        self.pending[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "callback": request.redirect_uri}

    def verify_request_token(self, token, request):
        return token in self.pending

    def get_redirect_uri(self, token, request):
        return self.pending[token]["callback"]

    def save_verifier(self, token, verifier, request):
        self.pending[token]["verifier"] = verifier["oauth_verifier"]

    def validate_request_token(self, client_key, token, request):
        return client_key == self.key and token in self.pending

    def get_request_token_secret(self, client_key, token, request):
        return self.pending.get(token, {}).get("secret", DUMMY)

    def validate_verifier(self, client_key, token, verifier, request):
        return self.pending.get(token, {}).get("verifier") == verifier

    def invalidate_request_token(self, client_key, request_token, request):
        self.pending.pop(request_token, None)

    def save_access_token(self, token, request):
        self.tokens[token["oauth_token"]] = token["oauth_token_secret"]

    def validate_access_token(self, client_key, token, request):
        return client_key == self.key and token in self.tokens

    def get_access_token_secret(self, client_key, token, request):
        return self.tokens.get(token, DUMMY)


def received():
    """The request as it was on the wire: Flask has already decoded parts of its own URL."""
    target = request.environ.get("RAW_URI", request.full_path)
    return {
        "uri": f"{request.scheme}://{request.host}{target}", "http_method": request.method,
        "body": request.get_data(as_text=True), "headers": dict(request.headers)}


def answered(headers, body, status):
    if status >= 400 and body:
        serving.note(body)
    return body or "", status, headers


def make_app(validator):
    app = Flask(__name__)
    server = WebApplicationServer(validator)

    @app.post("/request_token")
    def request_token():
        return answered(*server.create_request_token_response(**received()))

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize():
        token, answer = request.values.get("oauth_token"), serving.decision()
        if token not in validator.pending:
            serving.note("request token unknown")
            return "unknown request token", 400
        callback = validator.pending[token]["callback"]
        if answer is None:
            return serving.consent_page("Allow this app?", f"{validator.key} asks for access.")
        if answer == "deny":
            del validator.pending[token]
            query = f"oauth_token={token}&oauth_problem=user_refused"
            return "refused" if callback == "oob" else serving.redirect_refused(callback, query)
        try:
            headers, body, status = server.create_authorization_response(
                f"http://{request.host}/authorize?oauth_token={token}")
        except OAuth1Error as error:
            serving.note(error.description)
            return error.urlencoded, error.status_code
        if callback == "oob":
            return serving.pin_page(validator.pending[token]["verifier"])
        return body or "", status, headers

    @app.post("/access_token")
    def access_token():
        return answered(*server.create_access_token_response(**received()))

    @app.route("/api/me", methods=["GET", "POST", "PUT"])
    def me():
        valid, seen = server.validate_protected_resource_request(**received())
        if not valid:
            explain(seen)
            return jsonify(error="unauthorized"), 401, {"WWW-Authenticate": "OAuth"}
        return jsonify(name="demo", consumer=seen.client_key, args=request.args.to_dict(flat=False))

    def explain(seen):
        # For resources oauthlib only says no; the same checks are asked again for their reason.
        try:
            if seen is None:
                server._create_request(**received())
            else:
                server._check_mandatory_parameters(seen)
                if not seen.resource_owner_key or not validator.check_access_token(seen.resource_owner_key):
                    serving.note("access token missing or not 20 to 30 letters and digits")
        except OAuth1Error as error:
            serving.note(error.description)

    return app


def main():
    options = serving.arguments(
        "An OAuth 1.0a provider on oauthlib.", "--consumer-key", "--consumer-secret", "--callback").parse_args()
    validator = Validator(options.consumer_key, options.consumer_secret, options.callback)
    if not validator.check_client_key(validator.key):
        raise SystemExit("error: oauthlib wants a consumer key of 20 to 30 letters and digits")
    serving.serve(make_app(validator), options.port, "oauthlib", provider="oauthlib", protocol="oauth1")


if __name__ == "__main__":
    main()
