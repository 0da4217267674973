#!/usr/bin/env python3
# Debian's glewlwyd, a second instance with its own settings and database, set up through its admin API. One OpenID
# plugin with PAR, PKCE, the device grant, DPoP and resource indicators.

import http.cookiejar
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import running

MODULES = "/usr/lib/glewlwyd"
SCHEMA = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
SCOPE = "climate"
RESOURCE = "https://climate.home.example/"
SETTINGS = """
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="{log_level}"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
session_expiration=3600
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{modules}/user"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
hash_algorithm="SHA512"
static_files_path="/usr/share/glewlwyd/webapp"
static_files_mime_types = ({{ extension = ".html" mime_type = "text/html" }});
database = {{ type = "sqlite3" path = "{folder}/database" }};
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def start(folder, port, log_level):
    """The server with an empty database; it ends with this process, however that ends."""
    with open(SCHEMA) as schema:
        subprocess.run(["sqlite3", f"{folder}/database"], stdin=schema, check=True)
    with open(f"{folder}/glewlwyd.conf", "w") as file:
        file.write(SETTINGS.format(port=port, folder=folder, modules=MODULES, log_level=log_level))
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "glewlwyd", f"--config-file={folder}/glewlwyd.conf"],
        stdin=subprocess.DEVNULL, stdout=sys.stderr)
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process
        except OSError:
            time.sleep(0.02)
    process.kill()
    sys.exit("error: glewlwyd does not start")


class Administrator:
    """Whom the package's own SQL makes."""

    def __init__(self, base):
        self._base = base
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.post("auth", username="admin", password="password")

    def post(self, path, **body):
        request = urllib.request.Request(
            f"{self._base}/api/{path}/", json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            self._opener.open(request, timeout=20).close()
        except urllib.error.HTTPError as error:
            sys.exit(f"error: glewlwyd refuses {path}: {error.status} {error.read().decode()[:500]}")


def plugin(base, options):
    """What the OpenID plugin is told."""
    key = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], check=True,
        capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=key, check=True, capture_output=True).stdout
    return {
        "iss": f"{base}/api/oidc", "oauth-as-iss-id": True, "subject-type": "public", "jwks-show": True,
        "jwt-type": "ecdsa", "jwt-key-size": "256", "key": key.decode(), "cert": public.decode(),
        "access-token-duration": options.access_token_lifetime, "refresh-token-duration": 30 * 86400,
        "code-duration": 60, "refresh-token-rolling": True,
        "refresh-token-one-use": "always" if options.one_use_refresh else "never", "allow-non-oidc": True,
        "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True, "auth-type-token-enabled": False,
        "auth-type-id-token-enabled": False, "auth-type-none-enabled": False, "auth-type-password-enabled": False,
        "auth-type-client-enabled": True, "auth-type-device-enabled": True, "auth-type-refresh-enabled": True,
        "scope": [], "additional-parameters": [], "claims": [],
        "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required": True,
        "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
        "device-authorization-expiration": 600, "device-authorization-interval": options.device_interval,
        "oauth-dpop-allowed": True, "oauth-dpop-iat-duration": 60, "oauth-dpop-nonce-mandatory": options.dpop_nonce,
        "oauth-dpop-nonce-counter": 5, "resource-allowed": True, "resource-scope": {SCOPE: [RESOURCE]},
        "resource-scope-and-client-property": False, "oauth-par-allowed": True,
        "oauth-par-required": options.require_par,
        "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:", "oauth-par-duration": 90}


def set_up(base, options):
    """The plugin, a scope, the person and a confidential client."""
    administrator = Administrator(base)
    administrator.post(
        "mod/plugin", module="oidc", name="oidc", display_name="Home", order_rank=0, readonly=False,
        parameters=plugin(base, options))
    administrator.post(
        "scope", name=SCOPE, display_name="Climate", description="Climate", password_required=True, scheme={})
    administrator.post(
        "user", username=running.PERSON, name="Demo", password=running.PASSWORD, scope=[SCOPE, "g_profile"],
        enabled=True)
    administrator.post(
        "client", client_id=running.CLIENT_ID, name="Keyholder", password=running.CLIENT_SECRET, confidential=True,
        enabled=True, scope=[SCOPE], redirect_uri=[options.redirect_uri],
        token_endpoint_auth_method=["client_secret_basic", "client_secret_post"],
        authorization_type=["code", "refresh_token", "device_authorization", "client_credentials"])


def main():
    parser = running.arguments("glewlwyd on loopback.")
    parser.add_argument("--one-use-refresh", action="store_true", help="rotate, and end the chain on reuse")
    parser.add_argument("--dpop-nonce", action="store_true", help="ask each DPoP proof for a nonce")
    parser.add_argument("--require-par", action="store_true")
    parser.add_argument("--device-interval", type=int, default=5, metavar="SECONDS")
    parser.add_argument("--log-level", default="ERROR", choices=["ERROR", "WARNING", "INFO", "DEBUG"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        process = start(folder, port, options.log_level)
        try:
            ended = threading.Event()
            running.on_end(ended.set)
            set_up(base, options)
            prefix = f"{base}/api/oidc"
            running.tell(
                "glewlwyd", issuer=prefix, authorization_endpoint=f"{prefix}/auth", token_endpoint=f"{prefix}/token",
                pushed_authorization_request_endpoint=f"{prefix}/par",
                device_authorization_endpoint=f"{prefix}/device_authorization", revocation_endpoint=f"{prefix}/revoke",
                introspection_endpoint=f"{prefix}/introspect", userinfo_endpoint=f"{prefix}/userinfo",
                client_id=running.CLIENT_ID, client_secret=running.CLIENT_SECRET, scope=SCOPE, resource=RESOURCE)
            threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
            ended.wait()
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
