"""Keys, secrets and texts of notes are in no file, environment or command line but the database."""

import contextlib
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from faults.chaos import send
from support import webservers
from support.paths import CTL
from support.service import Service
from support.site import LOCALHOST, Site, encode
from support.wait import wait_for

# Parts of them are looked for, so that a cut or a mask that is too small shows, too.
API_KEY = "zak_CanaryKey5551" + "k" * 26
SECRET = "zdk_CanarySecret5552" + "s" * 23
WRONG_KEY = "zak_CanaryWrong5553" + "w" * 24
WRONG_SECRET = "zdk_CanaryWrong5554" + "w" * 24
NOTE = "CanaryNote5555"
REFUSED_NOTE = "CanaryNote5556"

CREDENTIALS = [b"CanaryKey5551", b"CanarySecret5552", b"CanaryWrong5553", b"CanaryWrong5554"]
NOTES = [b"CanaryNote5555", b"CanaryNote5556"]


def provision(site):
    """A world whose credentials are canaries, issued by --stdin."""
    world = site.world()
    site.ctl("apikey", "issue", "--member", world.member, "--stdin", stdin=API_KEY + "\n")
    words = ["devkey", "issue", "--org", world.org, "Canary", "--stdin"]
    for block in LOCALHOST:
        words += ["--allow", block]
    site.ctl(*words, stdin=SECRET + "\n")
    site.give_to_owner()
    return world


def bodies(world):
    """Requests with all kinds of results, each with canaries."""
    good = world.body(api_key=API_KEY, developer_secret=SECRET, note=NOTE)
    bad = {**good, "note": REFUSED_NOTE}
    whole = encode(bad)
    return [
        encode(good),
        encode({**good, "note": NOTE + "x" * 60_000}),
        encode({**bad, "api_key": WRONG_KEY}),
        encode({**bad, "developer_secret": WRONG_SECRET}),
        encode({**bad, "contact_id": REFUSED_NOTE}),
        encode({**bad, "org_id": SECRET}),
        encode({**bad, "note_id": API_KEY}),
        encode({**bad, "note": REFUSED_NOTE + "x" * 70_000}),
        encode({**bad, "note_visibility": REFUSED_NOTE}),
        encode({**bad, "filler": "x" * 200_000}),  # too large for the service
        encode({**bad, "filler": "x" * 400_000}),  # too large for the web server, too
        whole[:-1],
        whole + b"x",
        whole[:-1] + b',"note":"' + REFUSED_NOTE.encode() + b'"}',
        b"\xff" + whole,
    ]


def send_all(front, world):
    for body in bodies(world):
        with contextlib.suppress(OSError):  # what is far too large may be cut off
            front.send(body, headers={"Idempotency-Key": "canary-free", "X-Request-Id": "r-1"})
    for path in ("/apis/nothing", "/"):
        with contextlib.suppress(OSError):
            front.send(bodies(world)[0], path=path)


def holders(directory, needles, but=()):
    """Files under directory, other than these, that hold one of needles."""
    found = []
    for path in Path(directory).rglob("*"):
        if path.is_file() and not path.is_symlink() and path not in but:
            content = path.read_bytes()
            found += [(str(path), needle) for needle in needles if needle in content]
    return found


def processes_showing(directory, needles):
    """Processes on that directory whose command line or environment holds one of needles."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            shown = Path(f"/proc/{pid}/cmdline").read_bytes()
            if str(directory).encode() in shown:
                shown += Path(f"/proc/{pid}/environ").read_bytes()
                found += [(pid, needle) for needle in needles if needle in shown]
    return found


def database_files(site):
    return [site.database.with_name(site.database.name + tail) for tail in ("", "-wal", "-shm")]


def audit_of(site):
    with contextlib.closing(sqlite3.connect(site.database)) as connection:
        return repr(connection.execute("SELECT * FROM audit").fetchall()).encode()


def core_limit(pid):
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max core file size"):
            return line.split()[4:6]
    raise AssertionError("no such limit")


@pytest.mark.parametrize("kind", webservers.KINDS)
def test_no_secret_is_written_down_by(kind, dice):
    with Site() as site:
        site.configure(log=site.directory / "crmnotes.log")
        (site.directory / "tmp").mkdir(mode=0o777)
        (site.directory / "tmp").chmod(0o1777)
        world = provision(site)
        with webservers.front(kind, site) as front:
            send_all(front, world)
            assert not processes_showing(site.directory, CREDENTIALS + NOTES)
            backup = site.data / "backup.db"
            outputs = [
                subprocess.run(
                    [CTL, "--config", site.config, *words],
                    capture_output=True,
                    check=True,
                    env=site.environment(),
                ).stdout
                for words in (
                    ["db", "backup", backup],
                    ["apikey", "list", "--org", world.org],
                    ["devkey", "list", "--org", world.org],
                    ["db", "status"],
                )
            ]
        assert not [n for n in CREDENTIALS + NOTES for output in outputs if n in output]
        assert not holders(site.directory, CREDENTIALS)
        assert not holders(site.directory, NOTES, but=[*database_files(site), backup])
        assert not holders(site.directory, NOTES[1:]), "a refused note was stored"
        assert holders(site.directory, NOTES[:1]), "this test would find nothing"
        assert not [n for n in CREDENTIALS + NOTES if n in audit_of(site)]


def test_a_crash_leaves_no_core_and_no_secret(site):
    site.configure(log=site.directory / "crmnotes.log")
    world = provision(site)
    with Service(site, args=["--workers", 2]) as service:
        for body in bodies(world)[:5]:
            service.request(body)
        children = service.workers()
        assert [core_limit(pid) for pid in children] == [["0", "0"]] * len(children)
        for pid in children:
            send(pid, signal.SIGSEGV)
        wait_for(lambda: not set(children) & set(service.workers()), "their end")
        service.wait_until_it_answers()
    assert not holders(site.directory, CREDENTIALS)
    assert not holders(site.directory, NOTES, but=database_files(site))
