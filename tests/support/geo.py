"""MaxMind DB files for tests, made by tests/unit/make_mmdb.pl."""

import os
import subprocess

from support.paths import SOURCE

ADDRESS = "192.0.2.1"  # has tags in all files of these kinds
COUNTRY_OF = {"country": "NL", "other_country": "BE"}


def make(kind, path, built_s=None):
    """Makes a file of a kind that the script knows; built_s: the build time that it gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    script = SOURCE / "tests/unit/make_mmdb.pl"
    subprocess.run(["perl", script, kind, path], check=True, timeout=60)
    path.chmod(0o644)
    if built_s is not None:
        before, name, after = path.read_bytes().rpartition(b"build_epoch\x04\x02")
        assert name, "no build time of 4 bytes"
        path.write_bytes(before + name + built_s.to_bytes(4, "big") + after[4:])
    return path


def link(path, target):
    """Makes a symbolic link, or switches one at once, as programs do that update files."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.symlink_to(target)
    os.rename(unfinished, path)
