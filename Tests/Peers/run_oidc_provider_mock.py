#!/usr/bin/env python3
# oidc-provider-mock as PyPI ships it, the sloppy one: no PKCE, no rotation, no refresh token in the answer to a
# refresh, and an hour for what a refresh brings, whatever lifetime was set.

import os
from datetime import timedelta

import oidc_provider_mock

import running


def main():
    options = running.arguments("oidc-provider-mock on loopback.").parse_args()
    # Authlib below it wants https otherwise.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    listener, base = running.listen()
    application = oidc_provider_mock.app(
        require_client_registration=True, access_token_max_age=timedelta(seconds=options.access_token_lifetime))
    # Its own registration; a client that is not registered would be let in with any secret.
    client = application.test_client().post("/oauth2/clients", json={"redirect_uris": [options.redirect_uri]}).json
    running.serve(
        application, listener, "oidc-provider-mock", issuer=base, authorization_endpoint=f"{base}/oauth2/authorize",
        token_endpoint=f"{base}/oauth2/token", userinfo_endpoint=f"{base}/userinfo", client_id=client["client_id"],
        client_secret=client["client_secret"], scope="openid email")


if __name__ == "__main__":
    main()
