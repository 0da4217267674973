"""Disks of a sweep's own: ext4 in a file or a tmpfs, filled up, made read-only, or cut off as by a power failure.

Whatever is cut is checked first to be a loop device on a file of this sweep.
"""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import tempfile
import time

from sweep_provider import Unexpected

# linux/fs ext4.h: EXT4_IOC_SHUTDOWN; 2: nothing is flushed, as when the power fails.
SHUTDOWN, WITHOUT_LOG_FLUSH = 0x8004587D, 2


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
            if (
                behind != [self.device]
                or backing != self.image
                or not mounted
                or not self.device.startswith("/dev/loop")
            ):
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


def mountable():
    """Why no disk can be mounted here; None when one can."""
    try:
        disk = Disk("ext4", "4M")
    except (Unexpected, OSError) as error:
        return str(error)
    disk.remove()
    return None
