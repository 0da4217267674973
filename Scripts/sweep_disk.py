"""The power fails, the disk is full, the disk is read-only: what the daemon makes of it, and of the time afterwards."""

import os
import random
import signal
import subprocess
import threading
import time

from sweep_check import Ledger
from sweep_drain import ask
from sweep_errno import RESUMES_WITHIN, Faults
from sweep_home import Home
from sweep_kills import Load, recover
from sweep_mount import Disk, freeze, run
from sweep_provider import Provider
from sweep_tap import SKIP, SYNCS, Tap

# Pages of 4 KiB that a nearly full disk has left, up to so many.
ROOM = 24
# Seconds for which an answer is on its way when the daemon is killed.
LATE = 20.0


def powercut(programs, policy, runs, seed, progress=None):
    """The cuts, and a few of them on a disk that only pretends to write: were none of those to lose anything, the
    sweep would not see a loss."""
    control = cuts(programs, policy, 20, seed, lies=max(3, min(20, runs // 4)))
    result = cuts(programs, policy, runs, seed, progress=progress)
    result["control_acknowledged_lost"] = control["acknowledged_lost"]
    if not control["acknowledged_lost"]:
        result["faults"].append("the control has lost nothing")
    return result


def cuts(programs, policy, runs, seed, lies=0, devices=4, life=6, progress=None):
    """With `lies` nothing is really written, and so many cuts are enough once something was lost."""
    chance = random.Random(seed)
    disk = Disk("ext4")
    provider = Provider(policy, life, 0.002, seed)
    home = Home(provider, devices, programs, place=disk.place)
    ledger = Ledger(home)
    load = None
    begun, acknowledged, in_refresh = time.monotonic(), 0, 0
    try:
        home.furnish(policy)
        if lies:
            tap = Tap(home.folder)
            home.environment |= tap.environment
            ledger.restart()
            tap.arm(SKIP, mask=SYNCS)
        load = Load(ledger, 3, seed)
        for number in range(runs):
            load.open.set()
            time.sleep(chance.uniform(0.02, 0.25))
            freeze(home.daemon)
            load.open.clear()
            disk.cut()
            home.kill()
            with ledger.lock:
                acknowledged += len(ledger.acknowledged)
            disk.unmount()
            disk.mount()
            vault = home.vault()
            in_refresh += bool(vault.intents)
            waiting = ledger.crashed(vault)
            ledger.starts.append(home.start())
            restarted = recover(home, ledger, number, waiting, 15)
            for device in ledger.settle(number, restarted):
                home.approve(device)
            if lies and number + 1 >= lies and ledger.acknowledged_lost:
                break
            if progress and number % 50 == 49:
                progress(f"{number + 1} cuts, {acknowledged} rotations acknowledged")
        load.stop()
        load = None
        ledger.confirm()
        return {
            "sweep": "powercut",
            "provider": policy,
            "seed": seed,
            "cuts": runs,
            "in_refresh": in_refresh,
            "acknowledged": acknowledged,
            "integrity_checked": runs,
            "seconds": round(time.monotonic() - begun, 1),
            **ledger.report(),
            "faults": ledger.faults(),
            "cases": ledger.cases(),
        }
    finally:
        if load:
            load.stop()
        home.stop()
        provider.stop()
        disk.remove()


def full_disk(programs, seed, kind, room=ROOM, policy="strict"):
    """A disk that is really full: what was handed out stays, what cannot be kept is not begun, and it goes on."""
    disk = Disk(kind, "16M")
    provider = Provider(policy, 600, 0.002, seed)
    home = Home(provider, 2, programs, place=disk.place)
    try:
        home.furnish(policy)
        faults = Faults(home, Ledger(home))
        before = home.token(home.devices[0], 1)
        about = {"disk": kind, "log": len(home.log)}
        sent = len(provider.log)
        filler = disk.fill()
        for _ in range(5):
            token = faults.ask()
            if not faults.alive(about):
                break
            faults.tried += 1
            generation = token and faults.newly_issued(token, sent)
            held = home.grants()
            if generation is not None and generation not in [each["generation"] for each in held.values()]:
                faults.false.append({**about, "handed_out": generation})
        asked = [item for item in provider.log.since(sent) if item.get("action") == "refresh"]
        reading = home.token(home.devices[1], 1)
        status, _ = home.ask("GET", "/v1/status")
        os.unlink(filler)
        faults.resume(about)
        token = faults.ask()
        faults.verify(token, sent, about)
        not_kept = [pages for pages in range(room) if not keeps_what_it_sends(home, disk, pages, faults)]
        faults.ledger.confirm()
        broken = faults.broken()
        if not_kept:
            broken.append(f"sent without room for the answer, with so many pages left: {not_kept}")
        if not before or not reading or status != 200:
            broken.append("reading does not work on a full disk")
        return {
            "sweep": "full disk",
            "file_system": kind,
            "provider": policy,
            "refreshes_sent_while_full": len(asked),
            "nearly_full": room,
            "sent_and_not_kept": len(not_kept),
            **faults.report(),
            "faults": broken,
            "cases": faults.cases(),
        }
    finally:
        home.stop()
        provider.stop()
        disk.remove()


def keeps_what_it_sends(home, disk, pages, faults):
    """With a little room left a refresh is either not sent, or its answer is on the disk; and it goes on afterwards."""
    about = {"pages_left": pages, "log": len(home.log)}
    home.ask("GET", "/v1/status")
    sent = len(home.provider.log)
    filler = disk.fill(leaving=pages)
    faults.ask()
    rotated = [item for item in home.provider.log.since(sent) if item.get("outcome") == "rotated"]
    freeze(home.daemon)
    vault = home.vault()
    home.daemon.send_signal(signal.SIGCONT)
    os.unlink(filler)
    kept = True
    for item in rotated:
        for grant, (_, generation) in vault.grants.items():
            if home.families.get(grant) == item["family"]:
                staged = grant in vault.intents and vault.intents[grant][2]
                kept = generation >= item["generation"] or staged
    if faults.alive(about):
        faults.resume(about)
    return kept


def full_restart(programs, seed):
    """Killed while an answer is on its way, and the disk is full at the next start: once there is room, the grant is
    recovered within the provider's grace although nobody asks for a token."""
    disk = Disk("ext4", "16M")
    provider = Provider("grace", 600, 0.002, seed)
    home = Home(provider, 1, programs, place=disk.place)
    ledger = Ledger(home)
    try:
        home.furnish("grace")
        provider.set(hold=LATE)
        sent = len(provider.log)
        threading.Thread(target=ask, args=(home, home.devices[0], 86_000), daemon=True).start()
        provider.log.wait(lambda item: item.get("action") == "holding", sent)
        home.kill()
        provider.set(hold=0)
        waiting = ledger.crashed(home.vault())
        filler = disk.fill()
        ledger.starts.append(home.start())
        failed = home.log.wait(lambda line: "refresh failed" in line)
        os.unlink(filler)
        home.begun = time.monotonic()
        restarted = recover(home, ledger, 0, waiting, RESUMES_WITHIN)
        ledger.settle(0, restarted)
        faults = ledger.faults()
        if not waiting or not failed:
            faults.append("the disk was not full in a recovery")
        return {
            "sweep": "full disk at a start",
            "provider": "grace",
            "seed": seed,
            **ledger.report(),
            "faults": faults,
            "cases": ledger.cases(),
        }
    finally:
        home.stop()
        provider.stop()
        disk.remove()


def read_only(programs, seed):
    """A start on a disk that is mounted for reading: an exit code of its own, nothing changed, then a start."""
    disk = Disk("ext4")
    provider = Provider("strict", 600, 0.002, seed)
    home = Home(provider, 1, programs, place=disk.place)
    try:
        home.furnish("strict")
        home.kill()
        before = home.vault()
        run("mount", "-o", "remount,ro", disk.place)
        home.start(wait=False)
        try:
            status = home.daemon.wait(10)
        except subprocess.TimeoutExpired:
            status = None
            home.kill()
        # What it said on its way out may still be on its way.
        until = time.monotonic() + 5
        while time.monotonic() < until and not any("read-only" in line for line in home.log.since(0)):
            time.sleep(0.05)
        said = home.log.since(0)
        run("mount", "-o", "remount,rw", disk.place)
        same = home.vault() == before
        home.start()
        works = home.token(home.devices[0])
        broken = []
        if status != 11:
            broken.append(f"exit code {status}, not 11")
        if not any("read-only" in line for line in said):
            broken.append("it does not say that the store is read-only")
        if not same:
            broken.append("the vault has changed")
        if not works or not provider.honours(works):
            broken.append("it does not work afterwards")
        return {"sweep": "read-only", "exit_code": status, "faults": broken, "cases": {"log": said}}
    finally:
        home.stop()
        provider.stop()
        disk.remove()
