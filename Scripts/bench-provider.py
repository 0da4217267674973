# Our OAuth beside other people's, in one run: requests signed and verified, and tokens issued over HTTP. Run by
# Scripts/bench with a running home; ratios are ours divided by theirs, so more is better for us.
#   BENCH_CHECKOUT, BENCH_DEMO (a folder to write to), BENCH_PROVIDER (host:port), BENCH_JSON, BENCH_CONFIGURATION
#   BENCH_SECONDS: how long each measurement takes (5)
import base64
import http.cookiejar
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

checkout, demo = os.environ["BENCH_CHECKOUT"], os.environ["BENCH_DEMO"]
seconds = os.environ.get("BENCH_SECONDS", "5")
python = f"{checkout}/.build/peers/bin/python"
connections = 8
started = []


def start(*command, **options):
    started.append(subprocess.Popen(command, **options))
    return started[-1]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
    sys.exit(f"error: nothing listens on port {port}")


# OAuth 1.0a: the same request by four libraries.


def compile_oauth():
    """Our modules in release mode, outside the package, because a program for this alone is no product."""
    out = f"{checkout}/.build/bench"
    os.makedirs(out, exist_ok=True)
    common = ["swiftc", "-O", "-whole-module-optimization", "-num-threads", "2", "-parse-as-library", "-swift-version", "6",
              "-package-name", "keyholder", "-I", out, "-I", "Sources/COpenSSL"]
    for feature in ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility",
                    "NonisolatedNonsendingByDefault", "InferIsolatedConformances", "ImmutableWeakCaptures"]:
        common += ["-enable-upcoming-feature", feature]
    for module in ["StrictJSON", "Sealing", "OAuth"]:
        sources = sorted(os.path.join(folder, file) for folder, _, files in os.walk(f"{checkout}/Sources/{module}")
                         for file in files if file.endswith(".swift"))
        subprocess.run(
            [*common, "-cross-module-optimization", "-module-name", module, "-emit-module", "-emit-module-path",
             f"{out}/{module}.swiftmodule", "-static", "-emit-library", "-o", f"{out}/lib{module}.a", *sources],
            cwd=checkout, check=True, stdout=sys.stderr)
    subprocess.run(
        [*common, "-module-name", "BenchOAuth", "-o", f"{out}/bench-oauth", "Scripts/bench-oauth.swift", "-L", out, "-lOAuth",
         "-lSealing", "-lStrictJSON", "-lcrypto"], cwd=checkout, check=True, stdout=sys.stderr)
    subprocess.run(["cc", "-O2", "-o", f"{out}/bench-liboauth", f"{checkout}/Scripts/bench-oauth.c", "-loauth"], check=True)
    script = [python, f"{checkout}/Scripts/bench-oauth.py"]
    return {"keyholder": [f"{out}/bench-oauth"], "liboauth": [f"{out}/bench-liboauth"],
            "oauthlib": [*script, "oauthlib"], "Authlib": [*script, "authlib"]}


def rates(programs, action):
    """Each three times in turn, the best of each: others' work on the machine only ever takes away."""
    best = {}
    for _ in range(3):
        for name, command in programs.items():
            run = subprocess.run([*command, action, "1"], check=True, capture_output=True, text=True)
            best[name] = max(best.get(name, 0), float(run.stdout))
    return best


# OAuth 2: the same token request to each provider.


def start_glewlwyd():
    """Debian's glewlwyd on loopback, configured without a browser: its own SQL for SQLite, then its admin API."""
    home, port = f"{demo}/glewlwyd", free_port()
    os.makedirs(home)
    with open("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3") as schema:
        subprocess.run(["sqlite3", f"{home}/database"], stdin=schema, check=True)
    subprocess.run(["openssl", "genrsa", "-out", f"{home}/key.pem", "2048"], check=True, stderr=subprocess.DEVNULL)
    public = subprocess.run(
        ["openssl", "rsa", "-in", f"{home}/key.pem", "-pubout"], check=True, capture_output=True, text=True).stdout
    modules = "/usr/lib/glewlwyd"
    with open(f"{home}/glewlwyd.conf", "w") as file:
        file.write(f"""
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}/"
login_url="login.html"
api_prefix="api"
log_mode="file"
log_level="ERROR"
log_file="{home}/log"
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
database = {{ type = "sqlite3" path = "{home}/database" }};
""")
    start("glewlwyd", f"--config-file={home}/glewlwyd.conf", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def post(path, **body):
        browser.open(urllib.request.Request(
            f"http://127.0.0.1:{port}/api/{path}/", json.dumps(body).encode(), {"Content-Type": "application/json"})).close()

    # The administrator that its SQL makes.
    post("auth", username="admin", password="password")
    with open(f"{home}/key.pem") as key:
        post("mod/plugin", module="oauth2-glewlwyd", name="glwd", display_name="bench", order_rank=0, readonly=False, parameters={
            "url": "glwd", "jwt-type": "rsa", "jwt-key-size": "256", "key": key.read(), "cert": public,
            "access-token-duration": 600, "refresh-token-duration": 1209600, "code-duration": 600,
            "refresh-token-rolling": True, "auth-type-code-enabled": False, "auth-type-code-revoke-replayed": True,
            "auth-type-implicit-enabled": False, "auth-type-password-enabled": False, "auth-type-client-enabled": True,
            "auth-type-device-enabled": False, "auth-type-refresh-enabled": False, "scope": [], "additional-parameters": []})
    post("scope", name="bench", display_name="bench", description="bench", password_required=False, scheme={})
    post("client", client_id="bench", name="bench", password="bench-secret-0123456789", confidential=True, enabled=True,
         scope=["bench"], redirect_uri=["http://127.0.0.1/"], authorization_type=["client_credentials"])
    return f"http://127.0.0.1:{port}/api/glwd/token", "bench", "bench-secret-0123456789", "&scope=bench"


def start_authlib(*options):
    port = free_port()
    start(python, f"{checkout}/Tests/Peers/authlib_oauth2_provider.py", "--port", str(port), "--client-id", "bench",
          "--client-secret", "bench-secret-0123456789", "--redirect-uri", "http://127.0.0.1/", *options,
          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    wait_for(port)
    return f"http://127.0.0.1:{port}/token", "bench", "bench-secret-0123456789", ""


def register_app():
    """An app of our own that gets tokens for itself."""
    body = json.dumps({
        "name": f"bench-{os.getpid()}", "protocol": "oauth2", "redirect": [], "scope": ["climate.set@hallway"],
        "grant_types": ["client_credentials"]}).encode()
    control = socket.socket(socket.AF_UNIX)
    control.connect(os.environ["KEYHOLDER_HOME"] + "/keyholder.sock")
    control.sendall(
        f"POST /v1/apps HTTP/1.1\r\nhost: keyholder\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    answer = control.makefile("rb").read()
    document = json.loads(answer[answer.index(b"\r\n\r\n") + 4:])
    if "app" not in document:
        sys.exit(f"error: {document}")
    return f"http://{os.environ['BENCH_PROVIDER']}/oauth2/token", document["app"]["key"], document["secret"], ""


def load(url, client, secret, extra, span):
    environment = os.environ | {
        "BENCH_AUTHORIZATION": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode(),
        "BENCH_BODY": "grant_type=client_credentials" + extra}
    # One thread: the server, which is measured, has the rest of the machine.
    run = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{span}s", "--timeout", "10s", "-s", f"{checkout}/Scripts/bench-provider.lua", url],
        check=True, capture_output=True, text=True, env=environment)
    line = next(line for line in run.stdout.splitlines() if line.startswith("result "))
    result = json.loads(line.removeprefix("result "))
    if result["refused"] or result["broken"]:
        sys.exit(f"error: {url} failed {result['refused'] + result['broken']} of {result['requests']} requests")
    return result


try:
    programs = compile_oauth()
    facts = {"configuration": os.environ["BENCH_CONFIGURATION"], "oauth1": [], "token_endpoint": []}
    for action in ["sign", "verify"]:
        measured = rates(programs, action)
        for name, rate in measured.items():
            facts["oauth1"].append({"action": action, "name": name, "per_second": round(rate),
                                    "ratio": round(measured["keyholder"] / rate, 2)})
    # As it is, Authlib hands out random texts and remembers them. Durable, it does what we do: a signed JWT whose row is
    # on the disk first.
    servers = {
        "keyholder": register_app(), "glewlwyd": start_glewlwyd(), "Authlib, in memory": start_authlib(),
        "Authlib, durable and signed": start_authlib("--durable", f"{demo}/authlib.sqlite")}
    for server in servers.values():
        load(*server, 1)
    for name, server in servers.items():
        facts["token_endpoint"].append({"name": name, "connections": connections} | load(*server, seconds))
    ours = facts["token_endpoint"][0]
    for row in facts["token_endpoint"]:
        row["ratio"] = round(ours["per_second"] / row["per_second"], 2)
        row["p99_ratio"] = round(row["p99_ms"] / ours["p99_ms"], 2)
finally:
    for process in started:
        process.terminate()
    for process in started:
        process.wait()

if os.environ["BENCH_JSON"] == "true":
    print(json.dumps(facts, indent=2))
else:
    print(f"{'OAuth 1.0a, HMAC-SHA1':32} {'a second':>10} {'ours/theirs':>12}")
    for row in facts["oauth1"]:
        print(f"{row['action'] + ', ' + row['name']:32} {row['per_second']:10} {row['ratio']:12}")
    print(f"{'token endpoint, ' + str(connections) + ' connections':32} {'a second':>10} {'ours/theirs':>12} {'p50 ms':>9} {'p99 ms':>9}")
    for row in facts["token_endpoint"]:
        print(f"{row['name']:32} {row['per_second']:10} {row['ratio']:12} {row['p50_ms']:9} {row['p99_ms']:9}")
