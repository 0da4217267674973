"""A crash at every named place of the program, while it does what leads there; then the next start."""

import contextlib
import http.client
import re
import time

from sweep_check import Ledger
from sweep_home import PROVIDER, Home
from sweep_kills import recover
from sweep_provider import CHECKOUT, Provider, Unexpected

# Seconds: until a failpoint is reached, and until a provider that was not told has been told.
PATIENCE, TOLD_WITHIN = 15.0, 30.0


def names():
    """The failpoints, from the one place in the sources that names them."""
    text = (CHECKOUT / "Sources/Vault/Failpoint.swift").read_text()
    return re.findall(r'^\s*case \w+ = "([a-z.]+)"', text, re.MULTILINE)


class Stage:
    """One home, on which every failpoint is played."""

    def __init__(self, home, ledger):
        self.home, self.provider, self.ledger, self.device = home, home.provider, ledger, home.devices[0]

    def quietly(self, action, *arguments):
        """Whoever asks a daemon that dies hears nothing."""
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException, Unexpected, KeyError, TypeError):
            return action(*arguments)

    def play(self, name):
        """Does what passes the failpoint."""
        kind = name.partition(".")[0]
        if name == "refresh.rested":
            self.provider.set(fail=5)
        if name in ("revoke.delayed", "revoke.queued"):
            self.provider.set(fail_revocations=1)
        if kind == "refresh":
            self.quietly(self.home.token, self.device)
        elif kind == "approval":
            self.quietly(self.home.approve, self.device)
        elif kind == "device":
            self.quietly(self.ask_by_code)
        elif kind == "revoke":
            self.quietly(self.home.ask, "DELETE", f"/v1/grants/{self.device}")
        elif kind == "consumer":
            self.provider.set(secrets=["first-secret", "second-secret"])
            self.home.cli(
                "consumer", "rotate", PROVIDER, "--secret-file", self.home.secret("second-secret"), check=False
            )

    def ask_by_code(self):
        start = len(self.provider.log)
        wanted = {"device": self.device, "provider": PROVIDER, "flow": "device"}
        status, asked = self.home.ask("POST", "/v1/grants", wanted)
        if status != 201:
            raise Unexpected(f"grant request: {status} {asked}")
        began = self.provider.log.wait(lambda item: item.get("action") == "device_authorization", start)
        self.home.families[asked["grant"]["id"]] = began[2]["family"]

    def crash(self, name):
        """Returns whether the program died at the failpoint, and what it left."""
        self.ledger.restart(environment={"KEYHOLDER_FAILPOINT": name}, wait=not name.startswith("recover"))
        self.home.before = len(self.provider.log)
        if name.startswith("revoke"):
            held = [
                grant
                for grant, about in self.home.grants().items()
                if about["device"] == self.device and about["state"] == "active"
            ]
            self.target = self.home.families[held[0]]
        self.play(name)
        deadline = time.monotonic() + PATIENCE
        while self.home.daemon.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        died = self.home.daemon.poll() == -9
        self.home.kill()
        self.provider.set(fail=0, fail_revocations=0)
        return died

    def wrong(self, name):
        """What is not as it should be after the next start."""
        vault = self.home.vault()
        waiting = self.ledger.crashed(vault)
        self.ledger.starts.append(self.home.start())
        number = len(self.ledger.crashes) - 1
        restarted = recover(self.home, self.ledger, number, waiting, self.provider.life + 10)
        for device in self.ledger.settle(number, restarted):
            self.home.approve(device)
        kind = name.partition(".")[0]
        found = []
        if kind == "revoke":
            found += self.revoked(vault)
        if kind == "consumer":
            found += self.rotated()
        # Whatever it was, the owner can go on with the device.
        shown = self.home.grants()
        live = [about for about in shown.values() if about["device"] == self.device and about["state"] == "active"]
        if len(live) > 1:
            found.append("two active grants for one device")
        if not live:
            found += [
                f"{about['state']} without a reason"
                for about in shown.values()
                if about["device"] == self.device and about["state"] != "pending" and not about.get("reason")
            ]
            self.home.approve(self.device)
        token = self.home.token(self.device)
        if not token or not self.provider.honours(token):
            found.append("the device has no token that the provider honours")
        return found

    def revoked(self, vault):
        """What was revoked stays revoked here, and its provider is told although a crash came between."""
        shown = self.home.grants().values()
        if any(about["state"] == "active" and about["device"] == self.device for about in shown):
            return ["the grant is active again"]
        last = self.target
        if vault.farewells and self.provider.families()[last]["dead"] is None:
            # The provider could not be reached, so the next try is minutes away; that it will come is on the disk.
            if any(item.get("outcome") == "failed" for item in self.provider.log.since(self.home.before)):
                return []
        deadline = time.monotonic() + TOLD_WITHIN
        while time.monotonic() < deadline:
            if self.provider.families()[last]["dead"]:
                return []
            time.sleep(0.05)
        return [f"the provider was not told within {TOLD_WITHIN:.0f} s"]

    def rotated(self):
        """Grants outlive the change of a secret, whichever the provider takes in the end."""
        found = []
        if not self.home.token(self.device):
            found.append("no refresh while both secrets count")
        self.home.cli("consumer", "rotate", PROVIDER, "--secret-file", self.home.secret("second-secret"), check=False)
        self.provider.set(secrets=["second-secret"])
        if not self.home.token(self.device):
            found.append("no refresh under the new secret")
        self.provider.set(secrets=None)
        return found


def failpoints(programs, policy, seed, life=3, progress=None):
    provider = Provider(policy, life, 0.002, seed)
    home = Home(provider, 2, programs)
    ledger = Ledger(home)
    stage = Stage(home, ledger)
    begun, points, faults = time.monotonic(), {}, []
    try:
        home.furnish(policy)
        for name in names():
            died = stage.crash(name)
            found = stage.wrong(name)
            points[name] = "not reached" if not died else "; ".join(found) or "kept"
            if points[name] != "kept":
                faults.append(f"{name}: {points[name]}")
            if progress:
                progress(f"{name}: {points[name]}")
        ledger.confirm()
        return {
            "sweep": "failpoints",
            "provider": policy,
            "seed": seed,
            "failpoints": len(points),
            "seconds": round(time.monotonic() - begun, 1),
            **ledger.report(),
            "points": points,
            "faults": faults + ledger.faults(),
            "cases": ledger.cases(),
        }
    finally:
        home.stop()
        provider.stop()
