# The first step of an app: the address of the page on which a person is asked. Standard library only.

import base64
import hashlib
import hmac
import secrets
import time
import urllib.parse
import urllib.request

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
    """An authorisation URL for a fresh request token (RFC 5849 section 2.1), signed with HMAC-SHA1."""
    endpoint = f"{base}/oauth1/request_token"
    signed = {
        "oauth_consumer_key": key, "oauth_signature_method": "HMAC-SHA1", "oauth_callback": callback,
        "oauth_timestamp": str(int(time.time())), "oauth_nonce": secrets.token_urlsafe(12), "scope": scope}
    normalized = "&".join(sorted(f"{_escape(name)}={_escape(value)}" for name, value in signed.items()))
    text = "&".join(map(_escape, ("POST", endpoint, normalized)))
    digest = hmac.new(f"{_escape(secret)}&".encode(), text.encode(), "sha1").digest()
    signed["oauth_signature"] = base64.b64encode(digest).decode()
    header = ", ".join(f'{name}="{_escape(value)}"' for name, value in signed.items() if name != "scope")
    request = urllib.request.Request(
        endpoint, data=urllib.parse.urlencode({"scope": scope}).encode(), headers={"Authorization": f"OAuth {header}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT) as reply:
        token = dict(urllib.parse.parse_qsl(reply.read().decode()))
    return f"{base}/oauth1/authorize?" + urllib.parse.urlencode({"oauth_token": token["oauth_token"]})


def _escape(text):
    return urllib.parse.quote(text, safe="-._~")
