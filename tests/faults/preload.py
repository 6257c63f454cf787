"""Libraries that stand between the programs and libc or SQLite, compiled when a test runs."""

import ctypes
import errno
import mmap
import os
import struct
import subprocess
from pathlib import Path

from support.site import owner_of_sites

SOURCES = Path(__file__).parent / "preload"

FLAGS = ("-std=gnu17", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror")


def build(name, directory):
    library = directory / f"{name}.so"
    if not library.exists():
        subprocess.run(
            ["gcc", *FLAGS, "-o", library, SOURCES / f"{name}.c", "-lsqlite3", "-ldl"], check=True
        )
    return library


def environment(library, **more):
    """What makes a program load it; a program with sanitizers wants to be first otherwise."""
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0", **more}


class _Control(ctypes.Structure):
    """struct control of preload/faults.c"""

    _fields_ = [
        ("operation", ctypes.c_uint32),
        ("files", ctypes.c_uint32),
        ("countdown", ctypes.c_int32),
        ("error", ctypes.c_int32),
        ("lasting", ctypes.c_uint32),
        ("struck", ctypes.c_uint32),
        ("clock_offset_s", ctypes.c_int64),
        ("only_pid", ctypes.c_int32),
    ]


OPERATIONS = {
    name: number
    for number, name in enumerate(
        ("none", "write", "sync", "open", "truncate", "fork", "malloc", "memfd"),
    )
}
FILES = {"database": 1, "wal": 2, "both": 3, "shm": 4, "none": 0}
SHORT_WRITE = -1  # half of it is written
FORGOTTEN = -2  # nothing is, but that is not said


class Faults:
    """Faults of the programs started with `environment`; nothing fails until set."""

    def __init__(self, library, site):
        self.path = site.directory / "faults.control"
        self.path.write_bytes(bytes(ctypes.sizeof(_Control)))
        owner = owner_of_sites()
        if owner:
            os.chown(self.path, owner.pw_uid, owner.pw_gid)
        self.environment = environment(
            library, FAULTS_CONTROL=str(self.path), FAULTS_DATABASE=str(site.database)
        )

    def __enter__(self):
        with open(self.path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._control = _Control.from_buffer(self._memory)
        return self

    def __exit__(self, *_):
        self.clear()
        del self._control
        self._memory.close()

    def fail(self, operation, *, files="none", after=0, error=errno.EIO, lasting=False, pid=0):
        """
        Lets `after` such calls pass, then one (or all from then on, when lasting) fail.

        pid restricts it to one process.
        """
        self.clear()
        self._control.files = FILES[files]
        self._control.countdown = after
        self._control.error = error
        self._control.lasting = lasting
        self._control.struck = 0
        self._control.only_pid = pid
        self._control.operation = OPERATIONS[operation]

    def clear(self):
        self._control.operation = OPERATIONS["none"]

    @property
    def struck(self):
        """How many calls have failed since the last fail()."""
        return self._control.struck

    def set_clock(self, offset_s):
        """Moves the wall clock of the programs."""
        self._control.clock_offset_s = int(offset_s)


class SlowDisk:
    """A disk whose fsync takes longer, of the programs started with `environment`; 0 until set."""

    def __init__(self, library, site):
        self.path = site.directory / "slow.control"
        self.set(0)
        owner = owner_of_sites()
        if owner:
            os.chown(self.path, owner.pw_uid, owner.pw_gid)
        self.environment = environment(library, SLOW_CONTROL=str(self.path))

    def set(self, delay_ms):
        with open(self.path, "r+b" if self.path.exists() else "xb") as file:
            file.write(struct.pack("=i", delay_ms))
