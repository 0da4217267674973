"""Disks of a sweep's own: ext4 in a file or a tmpfs, filled up, made read-only, or cut off as by a power failure.

Whatever is cut is checked first to be a loop device on a file of this sweep.
"""

import contextlib
import fcntl
import os
import random
import signal
import struct
import subprocess
import tempfile
import time

from sweep_check import Ledger
from sweep_home import Home
from sweep_provider import Provider, Unexpected
from sweep_tap import SKIP, SYNCS, Tap

# linux/fs ext4.h: EXT4_IOC_SHUTDOWN; 2: nothing is flushed, as when the power fails.
SHUTDOWN, WITHOUT_LOG_FLUSH = 0x8004587D, 2
# Pages of 4 KiB that a nearly full disk has left, up to so many.
ROOM = 24


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise Unexpected(f"{' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


class Disk:
    """A file system of its own, mounted as long as the sweep needs it."""

    def __init__(self, kind, size="64M"):
        self.kind = kind
        self.folder = tempfile.mkdtemp(prefix="kh-disk-")
        self.place, self.image, self.device = f"{self.folder}/place", f"{self.folder}/image", None
        os.mkdir(self.place)
        if kind == "ext4":
            with open(self.image, "wb") as file:
                file.truncate(int(size[:-1]) << 20)
            run("mkfs.ext4", "-q", "-m", "0", "-F", self.image)
            self.device = run("losetup", "--find", "--show", self.image).strip()
        self.size = size
        self.mount()

    def mount(self):
        if self.kind == "ext4":
            run("mount", "-t", "ext4", self.device, self.place)
        else:
            run("mount", "-t", "tmpfs", "-o", f"size={self.size}", "keyholder-sweep", self.place)
        os.chmod(self.place, 0o700)

    def unmount(self):
        run("umount", self.place)

    def remove(self):
        with contextlib.suppress(Unexpected):
            self.unmount()
        if self.device:
            with contextlib.suppress(Unexpected):
                run("losetup", "--detach", self.device)
        subprocess.run(["rm", "-rf", "--one-file-system", self.folder], check=False)

    def cut(self):
        """The power fails: nothing more reaches the disk."""
        place = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Never anything but our own image behind a loop device.
            with open("/proc/mounts") as mounts:
                behind = [line.split()[0] for line in mounts if line.split()[1] == self.place]
            backing = open(f"/sys/block/{os.path.basename(self.device)}/loop/backing_file").read().strip()
            mounted = os.stat(self.place).st_dev == os.stat(self.device).st_rdev
            if behind != [self.device] or backing != self.image or not mounted or not self.device.startswith("/dev/loop"):
                raise Unexpected(f"{self.place} is not our own loop mount ({behind}, {backing})")
            fcntl.ioctl(place, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(place)

    def fill(self, leaving=0):
        """Takes all the space that is left, but for some pages of 4 KiB; returns the file that holds it."""
        path = f"{self.place}/filler"
        with open(path, "wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        os.truncate(path, max(0, os.stat(path).st_size // 4096 - leaving) * 4096)
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        return path


def freeze(process):
    """Stops a process and waits until it has stopped, so that no write of it races with what follows."""
    process.send_signal(signal.SIGSTOP)
    while True:
        with open(f"/proc/{process.pid}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] in "Tt":
                return
        time.sleep(0.0005)


def powercut(programs, policy, runs, seed, progress=None):
    """The cuts, and a few of them on a disk that only pretends to write: were none of those to lose anything, the
    sweep would not see a loss."""
    control = cuts(programs, policy, max(3, min(20, runs // 4)), seed, lies=True)
    result = cuts(programs, policy, runs, seed, progress=progress)
    result["control_acknowledged_lost"] = control["acknowledged_lost"]
    if not control["acknowledged_lost"]:
        result["faults"].append("the control has lost nothing")
    return result


def cuts(programs, policy, runs, seed, lies=False, devices=4, life=6, progress=None):
    from sweep_kills import Load, recover

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
            home.kill()
            home.start()
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
            if progress and number % 50 == 49:
                progress(f"{number + 1} cuts, {acknowledged} rotations acknowledged")
        load.stop()
        load = None
        ledger.confirm()
        return {
            "sweep": "powercut", "provider": policy, "seed": seed, "cuts": runs, "in_refresh": in_refresh,
            "acknowledged": acknowledged, "integrity_checked": runs,
            "seconds": round(time.monotonic() - begun, 1), **ledger.report(), "faults": ledger.faults(), "cases": ledger.cases(),
        }
    finally:
        if load:
            load.stop()
        home.stop()
        provider.stop()
        disk.remove()


def full_disk(programs, seed, kind, room=ROOM, policy="strict"):
    """A disk that is really full: what was handed out stays, what cannot be kept is not begun, and it goes on by itself."""
    from sweep_errno import Faults

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
            "sweep": "full disk", "file_system": kind, "provider": policy, "refreshes_sent_while_full": len(asked),
            "nearly_full": room, "sent_and_not_kept": len(not_kept),
            **faults.report(), "faults": broken, "cases": faults.cases(),
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


def read_only(programs, seed):
    """A start on a disk that is mounted for reading: an exit code of its own, nothing changed, and a start afterwards."""
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


def mountable():
    """Why no disk can be mounted here; None when one can."""
    try:
        disk = Disk("ext4", "4M")
    except (Unexpected, OSError) as error:
        return str(error)
    disk.remove()
    return None
