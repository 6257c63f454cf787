"""The programs of another commit, built as those that are measured."""

import os
import shlex
import sqlite3
import subprocess
import sys

from support.paths import BUILD, SOURCE
from support.site import CtlError

from harness.subjects import Programs, constant_answer

PROGRAMS = ("crmnotes.fcgi", "crmnotesctl", "tests/bench/ceiling")
GIT = ("git", "-c", f"safe.directory={SOURCE}", "-C", str(SOURCE))


def build(name):
    """
    Builds a commit in BUILD/bench/COMMIT, where it stays for the next run. Ends the run when
    that fails, or when the commit cannot do what is measured: its databases are made by its
    own crmnotesctl, but filled by population.py of this tree.
    """
    commit = _run([*GIT, "rev-parse", "--short", "--verify", f"{name}^{{commit}}"], name).strip()
    target = BUILD / "bench" / commit
    source = target / "source"
    if not (target / "Makefile").exists():
        source.mkdir(parents=True, exist_ok=True)
        _run(["sh", "-c", '"$@" | tar -xf - -C "$0"', source, *GIT, "archive", commit], name)
        _run(["autoreconf", "-fi"], name, cwd=source)
        same = shlex.split(_run([BUILD / "config.status", "--config"], name))
        _run([source / "configure", "--quiet", *same], name, cwd=target)
    _run(["make", "-s", f"-j{os.cpu_count()}", *PROGRAMS], name, cwd=target)
    programs = Programs(commit, target, source / "conf")
    try:
        constant_answer(programs)
    except (AssertionError, CtlError, sqlite3.Error) as failure:
        sys.exit(f"tests/bench/run: {name} cannot be measured beside this tree: {failure}")
    return programs


def _run(command, name, cwd=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        sys.exit(f"tests/bench/run: {name} cannot be built: {shlex.join(done.args)}:\n{said}")
    return done.stdout
