"""Writes that fail, at every write and sync of a refresh, once and for good: nothing is handed out that is not on the
disk, nobody dies of it, nothing is lost, and it goes on when the fault ends."""

import errno
import hashlib
import time

from sweep_check import Ledger, spread
from sweep_home import Home
from sweep_kills import recover
from sweep_provider import Provider
from sweep_tap import FAIL, FILES, Tap
from sweep_trace import MANY, await_quiet

RESUMES_WITHIN = 10.0
# Long enough for the daemon to meet the fault a second time by itself.
LASTS = 0.3
# Seconds; a strict provider's token is sent a second time only shortly before the access token dies.
LIFE = 6


class Faults:
    """What a sweep of failing writes has found."""

    def __init__(self, home, ledger):
        self.home, self.ledger = home, ledger
        self.false, self.dead, self.stuck, self.resumed, self.tried = [], [], [], [], 0

    def newly_issued(self, token, start):
        """The generation of a token that the provider issued since then; None for one that was there before."""
        issued = hashlib.sha256(token.encode()).hexdigest()
        for item in self.home.provider.log.since(start):
            if item.get("issued") == issued:
                return item["generation"]
        return None

    def ask(self):
        try:
            return self.home.token(self.home.devices[0])
        except (OSError, ValueError):
            return None

    def resume(self, about):
        """The fault is over: waits until a refresh works again."""
        lifted = time.monotonic()
        while time.monotonic() - lifted < RESUMES_WITHIN:
            start = len(self.home.provider.log)
            token = self.ask()
            if token and self.newly_issued(token, start) is not None:
                if not self.home.provider.honours(token):
                    self.stuck.append({**about, "why": "token not honoured"})
                self.resumed.append(time.monotonic() - lifted)
                return
            # A reply that was kept in memory is put in place without asking the provider again.
            if (
                token
                and self.home.provider.honours(token)
                and self.home.log.wait(lambda line: "token refreshed" in line, about["log"], 0)
            ):
                self.resumed.append(time.monotonic() - lifted)
                return
            time.sleep(0.05)
        self.stuck.append({**about, "log": self.home.log.since(about["log"])[-6:]})

    def alive(self, about):
        status = self.home.daemon.poll()
        if status is not None:
            self.dead.append({**about, "status": status, "log": self.home.log.since(0)[-6:]})
        return status is None

    def held(self):
        """Kills the daemon and starts it again; what the disk holds of the first device's grant now."""
        self.home.kill()
        vault = self.home.vault()
        waiting = self.ledger.crashed(vault)
        self.home.start()
        restarted = recover(self.home, self.ledger, len(self.ledger.crashes) - 1, waiting, self.home.provider.life + 10)
        for device in self.ledger.settle(len(self.ledger.crashes) - 1, restarted):
            self.home.approve(device)
        return {grant: row[1] for grant, row in vault.grants.items() if row[0] == "active"}

    def verify(self, token, start, about):
        """A token that was handed out while writes fail has to be on the disk."""
        generation = token and self.newly_issued(token, start)
        if generation is None:
            return
        grants = self.held()
        if generation not in grants.values():
            self.false.append({**about, "handed_out": generation, "held": list(grants.values())})

    def inject(self, tap, code, number, lasting):
        """One fault; returns whether the refresh came by it."""
        home = self.home
        if home.daemon.poll() is not None:
            home.start()
        await_quiet(home)
        about = {"error": errno.errorcode[code], "call": number, "lasting": lasting, "log": len(home.log)}
        start = len(home.provider.log)
        tap.arm(FAIL, first=number, last=0xFFFFFFFF if lasting else number, error=code, mask=FILES, files_only=True)
        token = self.ask()
        if lasting and tap.hits:
            time.sleep(LASTS)
        hit, name = tap.hits, tap.trace[number - 1 : number]
        tap.disarm()
        self.tried += bool(hit)
        about["name"] = name
        if self.alive(about):
            self.verify(token, start, about)
            about["log"] = min(about["log"], len(home.log))
            self.resume(about)
        return bool(hit)

    def report(self):
        return {
            "faults_injected": self.tried,
            "false_successes": len(self.false),
            "daemon_died": len(self.dead),
            "not_resumed": len(self.stuck),
            "resume_ms": spread(self.resumed),
            **self.ledger.report(),
        }

    def broken(self):
        told = [
            f"{len(cases)} {name}"
            for name, cases in (("false successes", self.false), ("deaths", self.dead), ("not resumed", self.stuck))
            if cases
        ]
        if self.ledger.lost or self.ledger.needless:
            told.append(f"{len(self.ledger.lost) + len(self.ledger.needless)} grants lost although nothing crashed")
        return told + self.ledger.faults()

    def cases(self):
        return {"false": self.false, "dead": self.dead, "stuck": self.stuck, **self.ledger.cases()}


def injected(programs, policy, code, seed, limit, progress):
    provider = Provider(policy, LIFE, 0.002, seed)
    home = Home(provider, 1, programs)
    begun = time.monotonic()
    try:
        home.furnish(policy)
        tap = Tap(home.folder)
        home.environment |= tap.environment
        faults = Faults(home, Ledger(home))
        faults.ledger.restart()
        for lasting in (False, True):
            number = 1
            while number <= (limit or MANY) and faults.inject(tap, code, number, lasting):
                number += 1
            if progress:
                progress(f"{errno.errorcode[code]} {'for good' if lasting else 'once'}: {number - 1} calls")
        faults.ledger.confirm()
        return {
            "sweep": "errno",
            "error": errno.errorcode[code],
            "provider": policy,
            "seed": seed,
            "seconds": round(time.monotonic() - begun, 1),
            **faults.report(),
            "faults": faults.broken(),
            "cases": faults.cases(),
        }
    finally:
        home.stop()
        provider.stop()


def errno_sweep(programs, seed, limit=0, progress=None):
    from sweep_disk import full_disk, full_restart, read_only

    for code in (errno.ENOSPC, errno.EIO, errno.EROFS):
        yield injected(programs, "strict", code, seed, limit, progress)
    yield full_disk(programs, seed, "tmpfs")
    yield full_disk(programs, seed, "ext4")
    yield full_restart(programs, seed)
    yield read_only(programs, seed)
