"""SIGTERM while a provider takes its time over a refresh: the answer is waited for, kept, and only then is the end."""

import random
import signal
import subprocess
import threading
import time

from sweep_check import Ledger, spread
from sweep_home import Home
from sweep_provider import Provider

# Seconds; a supervisor is told to wait a little longer than the first.
ENDS_WITHIN, LONGEST_ANSWER = 30.0, 4.0


def drain(programs, policy, runs, seed, devices=4, progress=None):
    chance = random.Random(seed)
    provider = Provider(policy, 60, 0.002, seed)
    home = Home(provider, devices, programs)
    ledger = Ledger(home)
    begun, ended, bad, not_kept = time.monotonic(), [], [], []
    try:
        home.furnish(policy)
        for number in range(runs):
            hold = chance.uniform(0.05, LONGEST_ANSWER if runs <= 20 else 0.5)
            provider.set(hold=hold)
            start = len(provider.log)
            device = chance.choice(home.devices)
            # Its own caller, and fifty who only want what is there.
            asking = [
                threading.Thread(target=ask, args=(home, device, 86_000 if caller == 0 else 1), daemon=True)
                for caller in range(51)
            ]
            for thread in asking:
                thread.start()
            provider.log.wait(lambda item: item.get("action") == "holding", start)
            signalled = time.monotonic()
            home.daemon.send_signal(signal.SIGTERM)
            try:
                status = home.daemon.wait(ENDS_WITHIN + 5)
            except subprocess.TimeoutExpired:
                status = None
            ended.append(time.monotonic() - signalled)
            if status != 0 or ended[-1] > ENDS_WITHIN:
                bad.append({"run": number, "status": status, "seconds": ended[-1], "log": home.log.since(0)[-5:]})
            home.kill()
            provider.set(hold=0)
            vault = home.vault()
            for grant, (state, generation) in vault.grants.items():
                newest = provider.families()[home.families[grant]]["newest"]
                if state != "active" or generation != newest or grant in vault.intents:
                    not_kept.append(
                        {"run": number, "grant": grant, "state": state, "held": generation, "newest": newest}
                    )
            home.start()
        ledger.confirm()
        faults = [f"{len(bad)} ends that were late or not clean"] * bool(bad) + [
            f"{len(not_kept)} rotations not kept"
        ] * bool(not_kept)
        return {
            "sweep": "drain",
            "provider": policy,
            "seed": seed,
            "stops": runs,
            "clean_ends": runs - len(bad),
            "rotations_not_kept": len(not_kept),
            "grants_lost": len(ledger.lost) + len(ledger.silent),
            "end_ms": spread(ended),
            "seconds": round(time.monotonic() - begun, 1),
            "faults": faults + ledger.faults(),
            "cases": {"ends": bad, "not_kept": not_kept, **ledger.cases()},
        }
    finally:
        home.stop()
        provider.stop()


def ask(home, device, at_least):
    try:
        home.token(device, at_least)
    except (OSError, ValueError):
        # The socket is closed to newcomers first.
        pass
