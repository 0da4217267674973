#!/usr/bin/env python3
# Canaille as PyPI ships it, with its sign-in and consent pages, keeping everything in memory. A refresh token of it
# lives no longer than the access token beside it.

import os
import secrets
from datetime import datetime, timezone

import running

SCOPE = "openid profile"


def fill(application, redirect_uri):
    """The person and a confidential client."""
    from canaille.app import models
    backend = application.backend
    with application.app_context(), backend.session():
        backend.save(models.User(
            user_name=running.PERSON, formatted_name="Demo", family_name="Demo", emails=["demo@home.example"],
            password=running.PASSWORD))
        client = models.Client(
            client_id=running.CLIENT_ID, client_secret=running.CLIENT_SECRET, client_name="Keyholder",
            # Elsewhere than this machine, or it would be trusted and nobody asked.
            client_uri="https://hub.example", contacts=["hub@home.example"], redirect_uris=[redirect_uri],
            grant_types=["authorization_code", "refresh_token"], response_types=["code"], scope=SCOPE.split(),
            client_id_issued_at=datetime.now(timezone.utc), token_endpoint_auth_method="client_secret_basic")
        backend.save(client)
        client.audience = [client]
        backend.save(client)


def main():
    options = running.arguments("Canaille on loopback.").parse_args()
    # Authlib below it wants https otherwise.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    import canaille
    listener, base = running.listen()
    lifetimes = {"authorization_code": options.access_token_lifetime, "refresh_token": options.access_token_lifetime}
    application = canaille.create_app({
        "SECRET_KEY": secrets.token_hex(), "SERVER_NAME": base.partition("//")[2], "PREFERRED_URL_SCHEME": "http",
        "OAUTH2_TOKEN_EXPIRES_IN": lifetimes, "SESSION_COOKIE_SECURE": False, "CANAILLE": {"DATABASE": "memory"},
        "CANAILLE_OIDC": {"REQUIRE_NONCE": False}})
    fill(application, options.redirect_uri)
    running.serve(
        application, listener, "canaille", issuer=base, authorization_endpoint=f"{base}/oauth/authorize",
        token_endpoint=f"{base}/oauth/token", revocation_endpoint=f"{base}/oauth/revoke",
        introspection_endpoint=f"{base}/oauth/introspect", userinfo_endpoint=f"{base}/oauth/userinfo",
        client_id=running.CLIENT_ID, client_secret=running.CLIENT_SECRET, scope=SCOPE)


if __name__ == "__main__":
    main()
