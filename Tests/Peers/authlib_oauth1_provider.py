#!/usr/bin/env python3
# Every protocol decision here is Authlib's own; this file only stores what Authlib asks it to store.

import os

from authlib.integrations.flask_oauth1 import AuthorizationServer, ResourceProtector, current_credential
from authlib.oauth1 import ClientMixin, TemporaryCredential, TokenCredentialMixin
from authlib.oauth1.errors import OAuth1Error
from authlib.oauth1.rfc5849.signature import generate_signature_base_string, verify_hmac_sha1, verify_rsa_sha1
from flask import Flask, jsonify, request

import serving


class Consumer(ClientMixin):
    def __init__(self, key, secret, callback, public_key):
        self.key, self.secret, self.callback, self.public_key = key, secret, callback, public_key

    def get_default_redirect_uri(self):
        return self.callback

    def get_client_secret(self):
        return self.secret

    def get_rsa_public_key(self):
        return self.public_key


class TokenCredential(TokenCredentialMixin):
    def __init__(self, token, secret, consumer):
        self.token, self.secret, self.consumer = token, secret, consumer

    def get_oauth_token(self):
        return self.token

    def get_oauth_token_secret(self):
        return self.secret


def explaining(verify):
    """Authlib's verdict; a wrong signature is logged with the base string it was compared under."""
    def verify_and_explain(oauth_request):
        right = verify(oauth_request)
        if not right:
            serving.note(f"signature differs; base string here: {generate_signature_base_string(oauth_request)}")
        return right
    return verify_and_explain


class Explaining:
    """Shared by both halves of Authlib's server, so that no refusal goes unexplained."""

    SIGNATURE_METHODS = {"HMAC-SHA1": explaining(verify_hmac_sha1), "RSA-SHA1": explaining(verify_rsa_sha1)}
    SUPPORTED_SIGNATURE_METHODS = list(SIGNATURE_METHODS)

    def handle_error_response(self, error):
        serving.note(f"{error.error}: {error.get_error_description() or error.description}")
        return super().handle_error_response(error)


class Server(Explaining, AuthorizationServer):
    pass


class Protector(Explaining, ResourceProtector):
    def acquire_credential(self):
        try:
            return super().acquire_credential()
        except OAuth1Error as error:
            serving.note(f"{error.error}: {error.get_error_description() or error.description}")
            raise


def make_app(consumer):
    app = Flask(__name__)
    temporary, tokens, nonces = {}, {}, set()

    def find_consumer(key):
        return consumer if key == consumer.key else None

    def exists_nonce(nonce, timestamp, key, token):
        known = (nonce, timestamp, key, token) in nonces
        nonces.add((nonce, timestamp, key, token))
        return known

    def save_temporary(token, key, callback):
        credential = TemporaryCredential(token, client_id=key, oauth_callback=callback)
        temporary[token["oauth_token"]] = credential
        return credential

    def save_verifier(credential, user, verifier):
        credential.update(user_id=user, oauth_verifier=verifier)

    def save_token(token, credential):
        made = TokenCredential(token["oauth_token"], token["oauth_token_secret"], credential.get_client_id())
        tokens[made.token] = made
        return made

    server = Server(app, query_client=find_consumer)
    server.register_hook("exists_nonce", exists_nonce)
    server.register_hook("create_temporary_credential", save_temporary)
    server.register_hook("get_temporary_credential", temporary.get)
    server.register_hook("delete_temporary_credential", lambda token: temporary.pop(token, None))
    server.register_hook("create_authorization_verifier", save_verifier)
    server.register_hook("create_token_credential", save_token)

    def find_token(key, token):
        found = tokens.get(token)
        return found if found and found.consumer == key else None

    protector = Protector(app, query_client=find_consumer, query_token=find_token, exists_nonce=exists_nonce)

    @app.post("/request_token")
    def request_token():
        return server.create_temporary_credentials_response()

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize():
        try:
            asked = server.check_authorization_request()
        except OAuth1Error as error:
            return server.handle_error_response(error)
        answer = serving.decision()
        if answer is None:
            return serving.consent_page("Allow this app?", f"{asked.credential.get_client_id()} asks for access.")
        if answer == "approve" and asked.credential.get_redirect_uri() == "oob":
            asked.user = "demo"
            return serving.pin_page(server.create_authorization_verifier(asked))
        return server.create_authorization_response(grant_user="demo" if answer == "approve" else None)

    @app.post("/access_token")
    def access_token():
        return server.create_token_response()

    @app.route("/api/me", methods=["GET", "POST", "PUT"])
    @protector()
    def me():
        return jsonify(name="demo", consumer=current_credential.consumer, args=request.args.to_dict(flat=False))

    return app


def main():
    parser = serving.arguments(
        "An OAuth 1.0a provider on Authlib.", "--consumer-key", "--consumer-secret", "--callback")
    parser.add_argument("--public-key", metavar="FILE", help="the consumer's, in PEM, for RSA-SHA1")
    options = parser.parse_args()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    public_key = None
    if options.public_key:
        with open(options.public_key) as file:
            public_key = file.read()
    app = make_app(Consumer(options.consumer_key, options.consumer_secret, options.callback, public_key))
    serving.serve(app, options.port, provider="authlib", protocol="oauth1")


if __name__ == "__main__":
    main()
