#!/usr/bin/env python3
# Every protocol decision here is Authlib's own but two: a challenge is required of every client, and a refresh token
# that was replaced ends its whole family when it comes back.

import os
import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, InvalidRequestError, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, jsonify
from joserfc.jwk import RSAKey

import serving

METHODS = ["client_secret_basic", "client_secret_post"]
CODE_LIFETIME = 60


@dataclass
class Client(ClientMixin):
    client_id: str
    secret: str
    redirect_uris: list

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method, endpoint):
        return method in METHODS

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token", "client_credentials")


@dataclass
class Code(AuthorizationCodeMixin):
    code: str
    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    expires_at: float

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


@dataclass
class Token(TokenMixin):
    client_id: str
    access_token: str
    refresh_token: str | None
    scope: str
    issued_at: float
    lifetime: int
    family: str
    access_ended: bool = False
    refresh_ended: bool = False

    def check_client(self, client):
        return client.client_id == self.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.lifetime

    def is_expired(self):
        return self.lifetime > 0 and time.time() >= self.issued_at + self.lifetime

    def is_revoked(self):
        return self.access_ended

    def get_user(self):
        return "demo"

    def get_client(self):
        return None


class Store:
    """What Authlib asks to remember; one lock, so that a code or refresh token is used up once."""

    def __init__(self):
        self.lock = threading.RLock()
        self.codes = {}
        self.tokens = []

    def take_code(self, code):
        with self.lock:
            return self.codes.pop(code, None)

    def find(self, **member):
        (name, value), = member.items()
        with self.lock:
            return next((token for token in self.tokens if value and getattr(token, name) == value), None)

    def end_family(self, family):
        with self.lock:
            for token in self.tokens:
                if token.family == family:
                    token.access_ended = token.refresh_ended = True


class TokenFile:
    """Tokens in SQLite, each on the disk before it is handed out."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, check_same_thread=False)
        for statement in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE token (id, client, expires)"]:
            self.database.execute(statement)

    def insert(self, token, client):
        with self.lock, self.database:
            self.database.execute(
                "INSERT INTO token VALUES (?, ?, ?)",
                (token["access_token"], client.client_id, time.time() + token.get("expires_in", 0)))


class SignedTokens(JWTBearerTokenGenerator):
    """Access tokens as RS256 JWTs."""

    key = None

    def get_jwks(self):
        return self.key


def make_grants(store, rotate):
    class CodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = METHODS

        def save_authorization_code(self, code, request):
            data = request.payload.data
            store.codes[code] = Code(
                code, request.client.client_id, request.payload.redirect_uri, request.scope,
                data.get("code_challenge"), data.get("code_challenge_method"), time.time() + CODE_LIFETIME)

        def query_authorization_code(self, code, client):
            found = store.take_code(code)
            if found is None:
                serving.note("code unknown or used before")
            elif found.client_id != client.client_id or time.time() > found.expires_at:
                serving.note("code of another client, or too old")
                found = None
            return found

        def delete_authorization_code(self, authorization_code):
            store.codes.pop(authorization_code.code, None)

        def authenticate_user(self, authorization_code):
            return "demo"

    class RefreshGrant(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = METHODS
        INCLUDE_NEW_REFRESH_TOKEN = rotate

        def authenticate_refresh_token(self, refresh_token):
            with store.lock:
                token = store.find(refresh_token=refresh_token)
                if token is None or token.refresh_ended:
                    serving.note("refresh token unknown" if token is None else "refresh token used up: family ended")
                    if token:
                        store.end_family(token.family)
                    return None
                token.refresh_ended = rotate
                return token

        def authenticate_user(self, refresh_token):
            return "demo"

        def revoke_old_credential(self, refresh_token):
            refresh_token.access_ended = True

    class ClientGrant(grants.ClientCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    return CodeGrant, RefreshGrant, ClientGrant


class RequiredChallenge(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant, redirect_uri):
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("'code_challenge' with method S256 is required")
        return super().validate_code_challenge(grant, redirect_uri)


class Server(AuthorizationServer):
    def handle_error_response(self, request, error):
        serving.note(f"{error.error}: {error.description or ''}")
        return super().handle_error_response(request, error)


def make_app(client, rotate, lifetime, durable=None):
    app = Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {
        "authorization_code": lifetime, "refresh_token": lifetime, "client_credentials": lifetime}
    store = Store()
    file = TokenFile(durable) if durable else None

    def save_token(token, request):
        if file:
            file.insert(token, request.client)
        before = getattr(request, "refresh_token", None)
        family = before.family if before else secrets.token_hex(8)
        with store.lock:
            store.tokens.append(
                Token(
                    request.client.client_id, token["access_token"], token.get("refresh_token"),
                    token.get("scope", ""), time.time(), token.get("expires_in", 0), family))

    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = METHODS

        def query_token(self, token_string, token_type_hint):
            return store.find(access_token=token_string) or store.find(refresh_token=token_string)

        def revoke_token(self, token, request):
            if request.form["token"] == token.access_token:
                token.access_ended = True
            else:
                store.end_family(token.family)

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string):
            return store.find(access_token=token_string)

    server = Server(app, query_client=lambda id: client if id == client.client_id else None, save_token=save_token)
    code_grant, refresh_grant, client_grant = make_grants(store, rotate)
    server.register_grant(code_grant, [RequiredChallenge(required=True)])
    server.register_grant(refresh_grant)
    server.register_grant(client_grant)
    if durable:
        signed = SignedTokens("http://127.0.0.1", expires_generator=lambda *_: lifetime)
        signed.key = RSAKey.generate_key(2048)
        server.register_token_generator("client_credentials", signed)
    server.register_endpoint(Revocation)
    protector = ResourceProtector()
    protector.register_token_validator(Validator())

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize():
        try:
            grant = server.get_consent_grant(end_user="demo")
        except OAuth2Error as error:
            return server.handle_error_response(None, error)
        answer = serving.decision()
        if answer is None:
            scope = grant.request.payload.scope or "nothing in particular"
            return serving.consent_page("Allow this app?", f"{client.client_id} asks for {scope}.")
        return server.create_authorization_response(
            grant_user="demo" if answer == "approve" else None, grant=grant)

    @app.post("/token")
    def token():
        return server.create_token_response()

    @app.post("/revoke")
    def revoke():
        return server.create_endpoint_response("revocation")

    @app.get("/api/me")
    @protector()
    def me():
        return jsonify(name="demo", client=current_token.client_id, scope=current_token.scope)

    return app


def main():
    parser = serving.arguments("An OAuth 2 provider on Authlib.", "--client-id", "--client-secret")
    parser.add_argument("--redirect-uri", required=True, action="append", help="may be given several times")
    parser.add_argument("--rotate", action="store_true", help="replace the refresh token at each use")
    parser.add_argument("--access-token-lifetime", type=int, default=600, metavar="SECONDS", help="0: not said")
    parser.add_argument(
        "--durable", metavar="FILE", help="a client's own tokens are signed JWTs and committed to this new SQLite file")
    options = parser.parse_args()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    client = Client(options.client_id, options.client_secret, options.redirect_uri)
    serving.serve(
        make_app(client, options.rotate, options.access_token_lifetime, options.durable), options.port, provider="authlib",
        protocol="oauth2", rotate=options.rotate)


if __name__ == "__main__":
    main()
