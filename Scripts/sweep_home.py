"""A home with grants at a provider of its own: started, killed and looked into by the sweeps.

The vault of a dead daemon is only ever read as a copy, because whoever opens it would finish what the crash left open.
"""

import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.parse

from sweep_provider import Lines, Unexpected

PROVIDER = "rotating"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


# What the daemon says, in one place.
READY = re.compile(r"\bready\b")
REFRESHED = re.compile(r"grant\.id=(\w+).*\btoken refreshed\b")
ENDED = re.compile(r"grant\.id=(\w+).*\bgrant ended\b")


def settled(line):
    """The grant whose refresh a line of the daemon's log says is over, one way or the other."""
    found = REFRESHED.search(line) or ENDED.search(line)
    return found and found.group(1)


Vault = collections.namedtuple("Vault", "grants intents farewells")


class Home:
    """A home; `folder` is where everything lies, `place` where the state directory lies when that is another disk."""

    def __init__(self, provider, devices, programs, place=None, environment=None):
        self.provider, self.programs = provider, pathlib.Path(programs)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kh-sweep-"))
        self.path = pathlib.Path(place or self.folder) / "home"
        self.environment = os.environ | {"KEYHOLDER_HOME": str(self.path)} | (environment or {})
        self.daemon, self.log, self.broker = None, None, None
        self.families, self.number = {}, 0
        self.devices = [f"thing-{number:02}" for number in range(devices)]

    def furnish(self, rotation):
        """Makes the home, its devices, and one approved grant for each."""
        ports = free_ports(3)
        self.cli(
            "init",
            "--listen",
            f"127.0.0.1:{ports[0]}",
            "--redirect",
            f"127.0.0.1:{ports[1]}",
            "--broker",
            f"localhost:{ports[2]}",
        )
        self.broker = subprocess.Popen(
            [shutil.which("mosquitto", path="/usr/sbin:/usr/bin"), "-c", str(self.path / "broker/mosquitto.conf")],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not Lines(self.broker.stderr).wait(lambda line: "running" in line):
            raise Unexpected("mosquitto does not start")
        self.start()
        if not self.log.wait(lambda line: "broker connected" in line):
            raise Unexpected("no broker")
        for name in self.devices:
            made = [
                self.programs / "keyholder-device",
                "init",
                "--dir",
                self.folder / name,
                "--profile",
                "thermostats/demo-thermostat",
            ]
            ran = subprocess.run(made, capture_output=True, text=True)
            if ran.returncode:
                raise Unexpected(f"keyholder-device init: {ran.stderr}")
            label = ran.stdout.strip()
            self.cli("device", "enroll", name, "--label", label, "--out", str(self.folder / f"{name}.join"))
        # No refresh needs the broker, and a start without it is one handshake shorter.
        self.broker.kill()
        self.broker.wait()
        profile = self.folder / f"{PROVIDER}.yaml"
        base = self.provider.base
        grace = f"\n  rotation_grace: {self.provider.grace}s" if rotation == "grace" else ""
        profile.write_text(f"""provider: {PROVIDER}
title: Rotating
protocol: oauth2
hosts: [127.0.0.1]
scope_format: "{{operation}}@{{device}}"
refreshes_per_minute: 6000
verified: true
oauth2:
  authorization_endpoint: {base}/authorize
  device_authorization_endpoint: {base}/device_authorization
  token_endpoint: {base}/token
  revocation_endpoint: {base}/revoke
  client_authentication: basic
  rotation: {rotation}
  default_lifetime: 10m{grace}
""")
        self.cli("provider", "add", str(profile))
        self.cli("consumer", "add", PROVIDER, "--key", "sweep", "--secret-file", self.secret("first-secret"))
        for name in self.devices:
            self.approve(name)

    def secret(self, text):
        """A private file with a consumer's secret."""
        path = self.folder / "consumer.secret"
        path.touch(0o600)
        path.write_text(text)
        return str(path)

    def cli(self, *arguments, check=True):
        ran = subprocess.run(
            [self.programs / "keyholder", *arguments], env=self.environment, capture_output=True, text=True
        )
        if check and ran.returncode:
            raise Unexpected(f"keyholder {' '.join(arguments[:3])}: {ran.stderr}")
        return ran

    def ask(self, method, path, body=None, timeout=40):
        connection = UnixConnection(str(self.path / "keyholder.sock"), timeout)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def start(self, environment=None, wait=True, wrapper=()):
        """Starts the daemon; returns the seconds until it said that it is ready."""
        begun, self.asked = time.monotonic(), len(self.provider.log)
        self.daemon = subprocess.Popen(
            [*wrapper, str(self.programs / "keyholderd")],
            env=self.environment | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log, self.begun = Lines(self.daemon.stderr), begun
        if not wait:
            return None
        ready = self.log.wait(READY.search)
        if not ready:
            raise Unexpected("the daemon did not start:\n" + "\n".join(self.log.since(0)[-10:]))
        return ready[1] - begun

    def kill(self):
        """SIGKILL; returns what the daemon would have exited with, had it ended by itself."""
        self.daemon.kill()
        return self.daemon.wait()

    def request(self, device):
        """Asks for a grant; returns its id and where to approve."""
        status, asked = self.ask("POST", "/v1/grants", {"device": device, "provider": PROVIDER})
        if status != 201:
            raise Unexpected(f"grant request: {status} {asked}")
        return asked["grant"]["id"], asked["authorize_url"]

    def landing(self, url):
        """Lets the provider approve; returns where it sends the browser, and the family that begins."""
        parts = urllib.parse.urlsplit(url)
        _, body, headers = self.provider.ask("GET", f"{parts.path}?{parts.query}")
        return headers["Location"], body["family"]

    def approve(self, device):
        grant, url = self.request(device)
        back, family = self.landing(url)
        self.families[grant] = family
        parts = urllib.parse.urlsplit(back)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=40)
        connection.request("GET", f"{parts.path}?{parts.query}")
        status = connection.getresponse().status
        connection.close()
        if status != 200:
            raise Unexpected(f"the approval of {device} was answered with {status}")
        return grant

    def grants(self):
        """Every grant that the hub knows, by id."""
        return {each["id"]: each for each in self.ask("GET", "/v1/grants")[1]["grants"]}

    def token(self, device, at_least=86_000):
        """A token as a local program asks for it; by default one that only a refresh can give."""
        status, answer = self.ask("POST", f"/v1/devices/{device}/token", {"min_valid": at_least})
        return answer["access_token"] if status == 200 else None

    def vault(self):
        """What a dead daemon left: grants (id → state, generation), intents (id → generation, hash, has a reply), and
        the grants whose end their provider has still to be told."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for suffix in ("", "-wal"):
                source = f"{self.path}/vault.sqlite{suffix}"
                if os.path.exists(source):
                    shutil.copy(source, f"{folder}/vault.sqlite{suffix}")
            database = sqlite3.connect(f"{folder}/vault.sqlite")
            whole = database.execute("PRAGMA integrity_check").fetchone()[0]
            if whole != "ok":
                raise Unexpected(f"the vault is damaged: {whole}")
            grants = {row[0]: row[1:] for row in database.execute("SELECT id, state, generation FROM grant")}
            intents = {
                row[0]: (row[1], row[2].hex(), bool(row[3]))
                for row in database.execute(
                    "SELECT grant_id, generation, token_hash, sealed_reply IS NOT NULL FROM refresh"
                )
            }
            queued = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'revocation'").fetchone()
            farewells = {row[0] for row in database.execute("SELECT grant_id FROM revocation")} if queued else set()
            database.close()
        return Vault(grants, intents, farewells)

    def stop(self):
        for process in (self.daemon, self.broker):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_ports(count):
    """Below the range that the kernel gives away by itself, so that nobody takes one while the daemon is down."""
    ports, port = [], 20_000 + os.getpid() * 37 % 6000
    while len(ports) < count:
        port += 1
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
    return ports
