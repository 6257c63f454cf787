"""The machine of a run: processor, kernel, disk, versions."""

import os
import platform
import re
import subprocess
from pathlib import Path

PACKAGES = (
    "nginx", "libfcgi0ldbl", "libjson-c5", "libsqlite3-0", "libsodium23", "libinih1", "libmaxminddb0",
    "libc6", "gcc-12", "valgrind", "wrk", "php8.2-fpm", "golang-1.19-go",
    "golang-github-mattn-go-sqlite3-dev", "apache2-bin", "libapache2-mod-fcgid",
)  # fmt: skip
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs", "devtmpfs"}


def output(*command):
    """What a command prints, or "" when it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip()


def package_versions(names=PACKAGES):
    """Debian's versions of what is installed; empty elsewhere."""
    listed = output("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n", *names)
    rows = (line.split() for line in listed.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}


def file_system(directory):
    """Type and device of the file system that the directory is on."""
    best = ("", "?", "?")
    where = str(Path(directory).resolve())
    for line in Path("/proc/self/mounts").read_text().splitlines():
        device, mount, kind = line.split()[:3]
        mount = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), mount)
        if (where + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best[0]):
            best = (mount, kind, device)
    return {"type": best[1], "device": best[2]}


def fsync_us(directory, count=50):
    """The median time of an fdatasync after 4 KiB were appended: the disk in one number."""
    import time

    path = Path(directory) / "fsync-probe"
    times = []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for _ in range(count):
            os.write(fd, b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(fd)
            times.append(time.perf_counter() - began)
    finally:
        os.close(fd)
        path.unlink()
    return round(sorted(times)[count // 2] * 1e6)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def has_flag(flag):
    return any(
        line.startswith("flags") and flag in line.split()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
    )


def describe(directory):
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[1]) / 1024**2, 1),
        "kernel": platform.release(),
        "distribution": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "directory": str(directory),
        "file_system": file_system(directory),
        "fdatasync_us": fsync_us(directory),
        "load_before": os.getloadavg()[0],
        "packages": package_versions(),
    }
