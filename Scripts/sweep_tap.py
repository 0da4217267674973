"""The sweep's end of sweep-tap.c: arms it, and reads what it has counted."""

import mmap
import shutil
import struct
import subprocess

from sweep_provider import CHECKOUT, Unexpected

CALLS = (
    "pwrite",
    "write",
    "writev",
    "sendto",
    "sendmsg",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "unlink",
    "fallocate",
)
COUNT, KILL_BEFORE, KILL_AFTER, FAIL, SKIP = range(5)
TRACE = 8192
ALL = (1 << len(CALLS)) - 1
SYNCS = sum(1 << CALLS.index(name) for name in ("fsync", "fdatasync"))
FILES = sum(1 << CALLS.index(name) for name in ("pwrite", "write", "fsync", "fdatasync", "ftruncate", "fallocate"))


class Tap:
    def __init__(self, folder):
        self.library, path = f"{folder}/tap.so", f"{folder}/tap"
        compiler = shutil.which("cc") or shutil.which("clang")
        if not compiler:
            raise Unexpected("no C compiler")
        subprocess.run(
            [compiler, "-O1", "-shared", "-fPIC", "-o", self.library, CHECKOUT / "Scripts/sweep-tap.c"], check=True
        )
        with open(path, "wb") as file:
            file.write(bytes(36 + TRACE))
        self.environment = {"LD_PRELOAD": self.library, "SWEEP_TAP": path}
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 36 + TRACE)

    def arm(self, action, first=1, last=0xFFFFFFFF, error=0, mask=ALL, files_only=False):
        self.disarm()
        struct.pack_into("<9I", self.shared, 0, 0, mask, files_only, action, first, last, error, 0, 0)
        struct.pack_into("<I", self.shared, 0, 1)

    def disarm(self):
        """The fault ends."""
        struct.pack_into("<I", self.shared, 0, 0)

    @property
    def count(self):
        return struct.unpack_from("<I", self.shared, 28)[0]

    @property
    def hits(self):
        return struct.unpack_from("<I", self.shared, 32)[0]

    @property
    def trace(self):
        """The names of the calls that were counted, in their order."""
        return [CALLS[each - 1] for each in self.shared[36 : 36 + min(self.count, TRACE)]]
