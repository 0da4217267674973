"""A SIGKILL at every call by which a refresh changes anything outside the process: before it, and right after it."""

import collections
import re
import subprocess
import time

from sweep_check import Ledger
from sweep_home import Home
from sweep_kills import recover
from sweep_provider import Provider, Unexpected
from sweep_tap import COUNT, KILL_AFTER, KILL_BEFORE, Tap

# A refresh makes far fewer calls; more means that something else is counted.
MANY = 400


def await_quiet(home, patience=10.0):
    """Waits until the daemon's log has said nothing new for a moment, so that one refresh is counted alone."""
    start = len(home.log)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if home.log.wait(lambda line: "Granting" in line, start, 0.15) is None:
            return
        start = len(home.log)


def refresh(home):
    """One refresh; None when the daemon was killed in it or refused."""
    try:
        return home.token(home.devices[0])
    except (OSError, ValueError):
        return None


def seen_by_strace(home, tap):
    """The calls of one refresh as strace counts them and as the tap does: no point must be missing."""
    names = "pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,rename,unlink,fallocate"
    tracer = subprocess.Popen(
        [
            "strace",
            "--follow-forks",
            f"--attach={home.daemon.pid}",
            f"--trace={names}",
            "--output",
            f"{home.folder}/strace",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in tracer.stderr:
        if "attached" in line:
            break
    tap.arm(COUNT)
    token = refresh(home)
    # What follows the answer is counted by both.
    await_quiet(home)
    tap.disarm()
    tracer.terminate()
    tracer.wait()
    if token is None:
        raise Unexpected("no refresh under strace")
    # Wake-ups of event loops (8 bytes to an eventfd) and the log on standard error are no points of a refresh.
    calls = collections.Counter()
    with open(f"{home.folder}/strace") as file:
        for line in file:
            found = re.search(r"(?:^|\s)(\w+)\((\d*)", line)
            wakes = re.search(r'write\(\d+, "\\1(\\0)+", 8', line)
            if (
                found
                and "resumed" not in line
                and not wakes
                and not (found.group(1) == "write" and found.group(2) in ("1", "2"))
            ):
                calls[found.group(1).replace("64", "")] += 1
    counted = collections.Counter(tap.trace)
    return {name: (calls[name], counted[name]) for name in sorted(calls) if calls[name] > counted[name]}


def syscalls(programs, policy, seed, limit=0, life=3, progress=None):
    provider = Provider(policy, life, 0.002, seed)
    home = Home(provider, 1, programs)
    ledger = Ledger(home)
    begun = time.monotonic()
    try:
        home.furnish(policy)
        tap = Tap(home.folder)
        home.environment |= tap.environment
        ledger.restart()
        await_quiet(home)
        missed = seen_by_strace(home, tap)
        points, killed, unharmed = [], 0, False
        for action in (KILL_BEFORE, KILL_AFTER):
            number = 0
            while number < (limit or MANY):
                number += 1
                await_quiet(home)
                tap.arm(action, first=number)
                token = refresh(home)
                tap.disarm()
                if home.daemon.poll() is None and token is not None and not tap.hits:
                    # It came through: every point has been tried.
                    unharmed = True
                    break
                killed += 1
                points.append(tap.trace[-1] if tap.trace else "none")
                home.kill()
                waiting = ledger.crashed(home.vault())
                ledger.starts.append(home.start())
                restarted = recover(home, ledger, len(ledger.crashes) - 1, waiting, life + 10)
                for device in ledger.settle(len(ledger.crashes) - 1, restarted):
                    home.approve(device)
            if progress:
                progress(f"{killed} points")
        ledger.confirm()
        faults = ledger.faults()
        if not unharmed and not limit:
            faults.append(f"no end after {MANY} calls")
        if missed:
            faults.append(f"calls that only strace sees: {missed}")
        return {
            "sweep": "syscalls",
            "provider": policy,
            "seed": seed,
            "points_killed": killed,
            "calls": ", ".join(f"{count} {name}" for name, count in collections.Counter(points).items()),
            "seconds": round(time.monotonic() - begun, 1),
            **ledger.report(),
            "faults": faults,
            "cases": ledger.cases(),
        }
    finally:
        home.stop()
        provider.stop()
