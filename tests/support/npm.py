"""
Packages of npm, exactly those of a lockfile, installed once and outside of the sources. Run as a
program it prints where the packages of the directory that it is given are.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path("/var/tmp/crmnotes-npm")


def modules(directory):
    """The node_modules with what package-lock.json in directory names."""
    files = [Path(directory) / name for name in ("package.json", "package-lock.json")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    installed = CACHE / digest
    if not installed.exists():
        CACHE.mkdir(exist_ok=True)
        _install(files, installed)
    return installed / "node_modules"


def _install(files, target):
    """Into a new directory that gets its name when it is complete; of two at once one stays."""
    made = Path(tempfile.mkdtemp(dir=CACHE))
    for file in files:
        shutil.copy(file, made)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=made, check=True, timeout=300, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        os.rename(made, target)
    except OSError:
        assert target.exists()
        shutil.rmtree(made)


if __name__ == "__main__":
    print(modules(sys.argv[1]))
