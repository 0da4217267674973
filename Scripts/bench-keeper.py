# The token keeper beside Debian's oidc-agent, in one run: cached tokens, whole processes, signatures, what a provider
# that hangs does to the others, and a crowd of grants. Run by Scripts/bench with a running home and the device
# "hallway", whose grant is the home's own; oidc-agent's account is at the same provider. Ratios are ours divided by
# the peer's or the limit, so less is better for us.
#   BENCH_CHECKOUT, BENCH_DEMO (a folder to write to), BENCH_PROVIDER (host:port), BENCH_JSON, BENCH_DAEMON (its pid)
#   BENCH_SECONDS: how long each measurement takes (3); BENCH_GRANTS: how large the crowd is (2000)
import asyncio
import bisect
import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import time
import types
import urllib.parse

checkout, demo, home = os.environ["BENCH_CHECKOUT"], os.environ["BENCH_DEMO"], os.environ["KEYHOLDER_HOME"]
seconds = float(os.environ.get("BENCH_SECONDS", "3"))
crowd = int(os.environ.get("BENCH_GRANTS", "2000"))
rounds = 3
client = f"{demo}/bench-socket"
control = f"{home}/keyholder.sock"
demo_thermostat = "thermostats/demo-thermostat"


def boot_ms():
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


class Provider(asyncio.Protocol):
    """Gives a token for any code and any refresh token. The first part of the path is its kind: "stuck-…" never
    answers a refresh; every other token lives a day, or until the moment that was set for its kind."""

    ends, refreshed, hanging, is_free = {}, [], set(), False

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def connection_lost(self, _):
        self.hanging.discard(self)

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, rest = self.data.split(b"\r\n\r\n", 1)
            fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
            length = int(fields.get("content-length", 0))
            if len(rest) < length:
                return
            self.data = rest[length:]
            self.answer(head.split(b" ", 2)[1].decode().split("/"), rest[:length].decode())

    def answer(self, path, body):
        if path[1] == "ends":
            self.ends[path[2]] = float(path[3])
            return self.reply({})
        if path[1] == "free":
            Provider.is_free = True
            for each in list(self.hanging):
                each.transport.abort()
            return self.reply({})
        if path[1] == "seen":
            return self.reply({
                "hanging": len(self.hanging), "refreshed": len(self.refreshed), "when": self.refreshed[-int(path[2]):]})
        kind, is_refresh = path[1], "refresh_token" in dict(urllib.parse.parse_qsl(body)).get("grant_type", "")
        if is_refresh and kind.startswith("stuck-") and not self.is_free:
            return self.hanging.add(self)
        if is_refresh:
            self.refreshed.append(time.monotonic())
        life = self.ends.get(kind, 0) - boot_ms()
        life = life if life > 1000 else 86_400_000
        # As long as the home's own tokens are.
        token = f"{secrets.token_urlsafe(400)}.{int(boot_ms() + life)}"
        return self.reply({
            "access_token": token, "token_type": "Bearer", "expires_in": int(life / 1000),
            "refresh_token": secrets.token_urlsafe(24)})

    def reply(self, body):
        data = json.dumps(body).encode()
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)

    @staticmethod
    async def serve():
        # A port for each kind: to an HTTP client these are different servers, as vendors are.
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Provider, "127.0.0.1", 0) for _ in range(12)]
        print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
        await servers[0].serve_forever()


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(control)


class Measured:
    """A home whose provider stands in for vendors."""

    def __init__(self):
        self.stand_in = subprocess.Popen(
            [sys.executable, __file__, "provider"], stdout=subprocess.PIPE, text=True)
        self.port, *self.ports = map(int, self.stand_in.stdout.readline().split())
        self.daemon = None
        self.pid, self.connection = int(os.environ["BENCH_DAEMON"]), UnixConnection("keyholder")

    def ask(self, method, path, body=None):
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body))
            answer = self.connection.getresponse()
            data = json.loads(answer.read())
        except OSError:
            self.connection.close()
            raise
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {data}")
        return data

    def seen(self, path="seen/1"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"/{path}")
        return json.loads(connection.getresponse().read())

    def add_provider(self, name, rotation="grace\n  rotation_grace: 60s"):
        base = f"http://127.0.0.1:{self.ports.pop()}/{name}"
        self.ask("POST", "/v1/providers", {"name": name, "yaml": f"""provider: {name}
title: {name}
protocol: oauth2
hosts: [127.0.0.1]
scope_format: "{{operation}}@{{device}}"
refreshes_per_minute: 6000
verified: true
oauth2:
  authorization_endpoint: {base}/authorize
  token_endpoint: {base}/token
  client_authentication: basic
  rotation: {rotation}
  default_lifetime: 10m
"""})
        self.ask("POST", "/v1/consumers", {"provider": name, "key": "bench", "secret": secrets.token_urlsafe(18)})

    def enroll(self, name):
        """Labels as a maker prints them; nobody runs the devices, which no token needs."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        from dac_joining import label
        keys = [kind.generate().public_key().public_bytes_raw() for kind in (Ed25519PrivateKey, X25519PrivateKey)]
        text = label("dev-" + secrets.token_hex(8), *keys, secrets.token_bytes(16), demo_thermostat)
        self.ask("POST", "/v1/devices", {"name": name, "label": text})

    def grant(self, device, provider):
        """Approved at once: the person's browser comes straight back."""
        asked = urllib.parse.urlsplit(
            self.ask("POST", "/v1/grants", {"device": device, "provider": provider})["authorize_url"])
        query = dict(urllib.parse.parse_qsl(asked.query))
        back = urllib.parse.urlsplit(query["redirect_uri"])
        connection = http.client.HTTPConnection(back.hostname, back.port)
        connection.request("GET", back.path + "?" + urllib.parse.urlencode({"code": "yes", "state": query["state"]}))
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"the approval of {device}: {answer.status} {answer.read()}")
        connection.close()

    def stop_daemon(self):
        os.kill(self.pid, signal.SIGTERM)
        # The socket goes with the program; the first one is the shell's child, whose end only the shell is told.
        while os.path.exists(f"/proc/{self.pid}/exe") and not self.has_ended():
            time.sleep(0.01)
        self.connection.close()

    def has_ended(self):
        if self.daemon:
            return self.daemon.poll() is not None
        with open(f"/proc/{self.pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"

    def start_daemon(self, device):
        """Milliseconds until it says that it is ready, and until it has given a first token."""
        log, begun = f"{demo}/keyholderd-bench.log", time.perf_counter()
        with open(log, "w") as file:
            self.daemon = subprocess.Popen(["keyholderd"], stdout=file, stderr=file)
        self.pid = self.daemon.pid
        while " ready" not in open(log).read():
            if self.daemon.poll() is not None or time.perf_counter() - begun > 120:
                sys.exit(f"error: the daemon does not start: {open(log).read()[-2000:]}")
            time.sleep(0.002)
        ready = time.perf_counter() - begun
        self.ask("POST", f"/v1/devices/{device}/token", {"min_valid": 1})
        return round(ready * 1000), round((time.perf_counter() - begun) * 1000)

    def log(self):
        """The last line that the daemon wrote."""
        with open(f"{demo}/keyholderd-bench.log") as file:
            return file.read().rstrip().rsplit("\n", 1)[-1][-120:]

    def memory(self):
        with open(f"/proc/{self.pid}/status") as file:
            lines = [line.split() for line in file if line.startswith(("VmRSS", "RssAnon"))]
        return {"resident_mib": int(lines[0][1]) / 1024, "own_mib": int(lines[1][1]) / 1024}

    def idle(self, span=10):
        """How much of one processor it takes while nobody asks for anything, in percent."""
        def ticks():
            with open(f"/proc/{self.pid}/stat") as file:
                return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
        before = ticks()
        time.sleep(span)
        return round((ticks() - before) / os.sysconf("SC_CLK_TCK") / span * 100, 2)

    def end(self):
        self.stand_in.kill()
        self.stand_in.wait()
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()


def asking(how, path, body, *more, clients=1, span=seconds, pause=0):
    return [client, "home", str(clients), str(span), str(pause), control, how, path, json.dumps(body), *map(str, more)]


def cached(device, clients, how="kept", span=seconds):
    return asking(how, f"/v1/devices/{device}/token", {"min_valid": 60}, clients=clients, span=span)


def medians(commands, environment=None):
    """Each command several times in turn; of each figure the median, of failed calls all."""
    found = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            found[name].append(json.loads(run.stdout))
    return {name: {
        figure: sum(each[figure] for each in runs) if figure in ("calls", "failed", "stale")
        else round(statistics.median(each[figure] for each in runs), 3) for figure in runs[0]}
        for name, runs in found.items()}


@contextlib.contextmanager
def meanwhile(*commands):
    """Runs clients beside what is measured."""
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) for command in commands]
    time.sleep(1)
    try:
        yield
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


rows, aims = [], []


def row(what, ours, beside, theirs):
    rows.append({
        "what": what, **ours, "beside": beside, **{f"beside_{name}": value for name, value in theirs.items()},
        "ratio": round(ours["p50_ms"] / theirs["p50_ms"], 2),
        "p99_ratio": round(ours["p99_ms"] / theirs["p99_ms"], 2)})
    print(f"{what}: p50 {ours['p50_ms']} ms, p99 {ours['p99_ms']} ms; {beside}: p50 {theirs['p50_ms']} ms, "
          f"p99 {theirs['p99_ms']} ms", file=sys.stderr)
    return rows[-1]


def aim(what, is_met, found):
    aims.append({"aim": what, "met": bool(is_met), "found": found})


def beside_agent():
    """Cached tokens of the same provider, each keeper asked by its own clients."""
    import oidc_agent
    app = json.loads(subprocess.run(
        ["keyholder", "app", "add", "Bench", "--redirect", "http://localhost:1", "--scope", "climate.set@hallway",
         *(word for kind in ("device_code", "authorization_code", "refresh_token") for word in ("--grant-type", kind)),
         "--secret-file", f"{demo}/app.secret", "--json"], check=True, capture_output=True).stdout)
    options = types.SimpleNamespace(
        base=f"http://{os.environ['BENCH_PROVIDER']}", client_id=app["app"]["key"], cert_file=None, decision="approve",
        client_secret_file=f"{demo}/app.secret", scope="climate.set@hallway", person="demo",
        password_file=f"{demo}/demo.password")
    with oidc_agent.Agent() as agent, contextlib.redirect_stdout(sys.stderr):
        # It says that it listens a little before it does.
        until = time.monotonic() + 10
        while agent.run("oidc-add", "--loaded")[0] and time.monotonic() < until:
            time.sleep(0.1)
        if not oidc_agent.device(options, oidc_agent.Steps(), agent):
            sys.exit("error: oidc-agent got no account")
        environment = os.environ | {"OIDC_SOCK": agent._environment["OIDC_SOCK"]}
        for clients in (1, 8, 64):
            found = medians({
                "kept": cached("hallway", clients), "fresh": cached("hallway", clients, "fresh"),
                "agent": [client, "agent", str(clients), str(seconds), "0", oidc_agent.ACCOUNT]}, environment)
            name = f"cached token, {clients} client" + "s" * (clients > 1)
            kept = row(f"{name}, connection kept", found["kept"], "oidc-agent", found["agent"])
            fresh = row(f"{name}, one for each call", found["fresh"], "oidc-agent", found["agent"])
            for how in (kept, fresh):
                aim(f"{how['what']}: not slower than oidc-agent at p50", how["ratio"] <= 1, how["ratio"])
                if clients == 8:
                    aim(f"{how['what']}: ten times better at p99", how["p99_ratio"] <= 0.1, how["p99_ratio"])
                aim(f"{how['what']}: no failed call", how["failed"] == 0, how["failed"])
        for at_once in (1, 8):
            process = [client, "process", str(at_once), str(seconds), "0"]
            found = medians({
                "ours": [*process, "keyholder", "token", "hallway"], "true": [*process, "/bin/true"],
                "agent": [*process, "oidc-token", "--time=60", oidc_agent.ACCOUNT]}, environment)
            ours = row(
                f"keyholder token, whole process, {at_once} at once", found["ours"], "oidc-token", found["agent"])
            ours["bin_true_ms"] = found["true"]["p50_ms"]


def beside_trouble(measured):
    """The token of one device while those of others are being refreshed, or cannot be."""
    refreshing = {"min_valid": 86_400}

    def stuck(number):
        """Sixteen refreshes at four providers that take the request and say nothing; they last 30 s."""
        for n in range(16):
            if n < 4:
                # Those whose refresh tokens stay are refreshed four at a time.
                measured.add_provider(f"stuck-{number}-{n}", "none")
            measured.enroll(f"stuck-{number}-{n:05}")
            measured.grant(f"stuck-{number}-{n:05}", f"stuck-{number}-{n % 4}")
        return asking(
            "kept", f"/v1/devices/stuck-{number}-{{n}}/token", refreshing, 16, clients=64, span=600, pause=1_000_000)

    for provider, devices in {"calm": ["calm"], "busy": [f"busy-{n:05}" for n in range(4)]}.items():
        measured.add_provider(provider)
        for device in devices:
            measured.enroll(device)
            measured.grant(device, provider)
    busy = asking("kept", "/v1/devices/busy-{n}/token", refreshing, 4, clients=4, span=600, pause=20_000)
    quiet = {clients: medians({"calm": cached("calm", clients)})["calm"] for clients in (1, 8)}
    for name, others in {"others' refreshes are committed": [busy], "others' providers hang": [stuck(1)],
                         "both": [busy, stuck(2)]}.items():
        with meanwhile(*others):
            before, begun = measured.seen(), time.monotonic()
            found = {clients: medians({"calm": cached("calm", clients, span=2)})["calm"] for clients in (1, 8)}
            after, span = measured.seen(), time.monotonic() - begun
        for clients, ours in found.items():
            made = row(
                f"cached token while {name}, {clients} client" + "s" * (clients > 1), ours, "nothing else going on",
                quiet[clients])
            made["hanging"] = [before["hanging"], after["hanging"]]
            made["refreshes_per_second"] = round((after["refreshed"] - before["refreshed"]) / span)
        aim(f"cached token while {name}: p99 < 2 ms", found[1]["p99_ms"] < 2, found[1]["p99_ms"])
    # Those that hang are sent again when they rest no more; until then a stop would wait for them.
    measured.seen("free")
    for number in (1, 2):
        for n in range(16):
            measured.ask("DELETE", f"/v1/grants/stuck-{number}-{n:05}")


def signing(measured):
    measured.enroll("signer")
    url = measured.ask("POST", "/v1/grants", {"device": "signer", "provider": "home-oauth1"})["authorize_url"]
    subprocess.run(
        [sys.executable, f"{checkout}/Tests/Peers/browser.py", "approve", url, "--person", "demo", "--password-file",
         f"{demo}/demo.password"], check=True, stdout=subprocess.DEVNULL)
    body = {"method": "GET", "url": f"http://{os.environ['BENCH_PROVIDER']}/api/v1/devices?room=hall"}
    found = medians({"sign": asking("kept", "/v1/devices/signer/sign", body)})["sign"]
    row("OAuth 1.0a sign, connection kept", found, "the aim", {"p50_ms": 0.1, "p99_ms": 0.1})
    aim("OAuth 1.0a sign: p50 at most 0.1 ms", found["p50_ms"] <= 0.1, found["p50_ms"])


def crowded(measured):
    """So many grants that all end in one moment, while the daemon is down: the next start finds none that lives."""
    def timed(action):
        begun = time.monotonic()
        for number in range(crowd):
            action(f"crowd-{number:05}")
        return round(crowd / (time.monotonic() - begun), 1)

    def remembered(when):
        return {f"{when}_{name}": round(value, 1) for name, value in measured.memory().items()}

    measured.add_provider("crowd")
    facts = {"grants": crowd} | remembered("before")
    facts["enrolled_per_second"] = timed(measured.enroll)
    # Refreshes begin at seven tenths of that at the earliest; by then the daemon is down.
    end = boot_ms() + 45_000 + 30 * crowd
    measured.seen(f"ends/crowd/{end}")
    facts["granted_per_second"] = timed(lambda device: measured.grant(device, "crowd"))
    facts |= remembered("made")
    early = measured.seen()["refreshed"]
    measured.stop_daemon()
    facts["start_ready_ms"], facts["start_first_token_ms"] = measured.start_daemon("crowd-00000")
    facts |= remembered("started")
    facts["idle_percent_of_a_processor"] = measured.idle()
    measured.stop_daemon()
    before = measured.seen()["refreshed"]
    facts["refreshed_too_early"] = before - early
    time.sleep(max(0, end - boot_ms()) / 1000 + 1)
    facts["expired_ready_ms"], facts["expired_first_token_ms"] = measured.start_daemon("crowd-00000")
    reading = subprocess.run(
        asking("kept", "/v1/devices/crowd-{n}/token", {"min_valid": 1}, crowd, clients=2, span=15, pause=100_000),
        check=False, capture_output=True, text=True)
    deadline = time.monotonic() + 60 + crowd / 20
    while measured.seen()["refreshed"] < before + crowd and time.monotonic() < deadline and not measured.has_ended():
        time.sleep(1)
    aim("the daemon lives through the crowd", not measured.has_ended(), measured.log())
    if measured.has_ended() or reading.returncode:
        return facts
    readers = json.loads(reading.stdout)
    done = measured.seen("seen/0")["when"][before:]
    facts["refreshed"] = len(done)
    facts["refreshes_per_second"] = round(len(done) / (done[-1] - done[0]), 1)
    facts["refreshes_in_the_busiest_second"] = max(bisect.bisect(done, when + 1) - at for at, when in enumerate(done))
    facts["refreshes_per_second_allowed"] = 100
    facts |= {f"reader_{name}": readers[name] for name in ("calls", "failed", "stale", "p50_ms", "p99_ms", "max_ms")}
    facts |= remembered("refreshed")
    aim("no expired token served to a crowd", not readers["stale"], readers["stale"])
    aim("no failed call while a crowd is refreshed", not readers["failed"], readers["failed"])
    aim("every grant of a crowd refreshed once", len(done) == crowd, len(done))
    return facts


def main():
    sys.path.insert(0, f"{checkout}/Tests/Peers")
    measured = Measured()
    try:
        beside_agent()
        signing(measured)
        beside_trouble(measured)
        facts = crowded(measured)
    finally:
        measured.end()
    if os.environ["BENCH_JSON"] == "true":
        return print(json.dumps({"keeper": {"rows": rows, "crowd": facts, "aims": aims}}, indent=2))
    line = "{:62} {:>8} {:>8} {:>8} {:>6}  {:22} {:>8} {:>8} {:>6} {:>7} {:>7}"
    figures = ["p50 ms", "p99 ms", "max ms", "failed"]
    print(line.format("what", *figures, "beside", *figures[:2], "failed", "ratio", "p99"))
    for each in rows:
        print(line.format(
            each["what"], each["p50_ms"], each["p99_ms"], each["max_ms"], each["failed"], each["beside"],
            each["beside_p50_ms"], each["beside_p99_ms"], each.get("beside_failed", ""), each["ratio"],
            each["p99_ratio"]))
    for name, value in facts.items():
        print(f"{name:62} {value:8}")
    for each in aims:
        print(f"{'met' if each['met'] else 'NOT MET':8} {each['aim']} ({each['found']})")


if sys.argv[1:] == ["provider"]:
    asyncio.run(Provider.serve())
else:
    main()
