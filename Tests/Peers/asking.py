# The first step of an app: the address of the page on which a person is asked.

import base64
import hashlib
import secrets
import urllib.parse
import urllib.request

from oauthlib.oauth1 import Client

TIMEOUT = 60


def oauth2(base, key, redirect, scope, state=None, **more):
    """An authorisation URL with PKCE, and its verifier."""
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    parameters = {
        "response_type": "code", "client_id": key, "redirect_uri": redirect, "scope": scope,
        "state": secrets.token_urlsafe(8) if state is None else state, "code_challenge": challenge,
        "code_challenge_method": "S256", **more}
    return f"{base}/oauth2/authorize?" + urllib.parse.urlencode(parameters), verifier


def oauth1(base, key, secret, callback, scope):
    """An authorisation URL for a fresh request token."""
    client = Client(key, client_secret=secret, callback_uri=callback)
    url, headers, body = client.sign(
        f"{base}/oauth1/request_token", "POST", {"scope": scope},
        {"Content-Type": "application/x-www-form-urlencoded"})
    request = urllib.request.Request(url, data=body.encode(), headers=headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT) as reply:
        token = dict(urllib.parse.parse_qsl(reply.read().decode()))
    return f"{base}/oauth1/authorize?" + urllib.parse.urlencode({"oauth_token": token["oauth_token"]})
