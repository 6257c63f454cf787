"""The power is cut at any moment; all acknowledged notes are there afterwards."""

import collections
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from faults.ledger import Ledger, join_clients, start_clients
from faults.power_cut import Recorder, make_cuts, play
from support.service import Service
from support.site import Site
from support.webservers import Nginx

CLIENTS = 6
CHECKS = 5  # by crmnotesctl, which is slower


@pytest.fixture
def images():
    """A directory in memory for the databases after the cuts."""
    made = Path(tempfile.mkdtemp(prefix="crmnotes-cuts-", dir="/dev/shm"))
    yield made
    shutil.rmtree(made)


def record(libraries, site, dice, notes, **more):
    """Work under a recorder; answers it and the contents of all notes by their id."""
    world, ledger = site.world(), Ledger()
    site.give_to_owner()
    recorder = Recorder(libraries("record"), site, **more)
    service = Service(site, args=["--workers", 3], env=recorder.environment)
    with service, Nginx(site) as web:
        for half in (1, 2):
            options = {"limit": notes // CLIENTS // 2, "sizes": (20, 16_000)}
            join_clients(start_clients(CLIENTS, web.port, ledger, world, dice, **options))
            if half == 1:
                service.signal(signal.SIGHUP)
                service.wait_for_event("reloaded")
    recorder.finish()
    print(ledger.summary())
    assert ledger.judge(site.database).is_good()
    return recorder, never_updated(ledger)


def never_updated(ledger):
    """Contents by note id, of the notes with one version."""
    versions = collections.defaultdict(list)
    for entry in ledger.entries.values():
        if entry.note_id is not None:
            versions[entry.note_id].append(entry.content)
    return {note_id: found[0] for note_id, found in versions.items() if len(found) == 1}


def assert_complete(recorder, events):
    """Without a cut, the record makes the very files that are there."""
    for _, disks, _ in play(recorder.before, events, [len(events)]):
        for file, disk in disks.items():
            same = disk.after_cut(None, "keep all") == recorder.after[file]
            assert same, f"the record of file {file} is not complete"


def report(cuts, events):
    bad = [cut for cut in cuts if not cut.is_good()]
    lost = sum(bool(cut.lost) for cut in cuts)
    damaged = sum(bool(cut.damaged) for cut in cuts)
    print(f"{len(events)} events, {len(cuts)} cuts: {lost} lost notes, {damaged} damaged")
    return bad


def test_no_acknowledged_note_is_lost(site, libraries, dice, images, is_long, scale):
    recorder, contents = record(libraries, site, dice, notes=4000 if is_long else 1500)
    events = recorder.events()
    assert_complete(recorder, events)
    checks = []
    with_key = site.environment(CRMNOTES_SECRET_KEY_FILE=str(site.key_file))

    def check(database):
        if len(checks) < CHECKS:
            done = site.ctl_raw("--database", database, "db", "check", env=with_key)
            checks.append(done.stderr if done.returncode else "")

    cuts = make_cuts(recorder, events, 1000 if is_long else int(120 * scale), dice, images, contents, check)
    assert not report(cuts, events)[:3]
    assert checks == [""] * CHECKS


def test_without_waiting_for_the_disk_notes_are_lost(libraries, dice, images, is_long, scale):
    """Shows that the test above can fail: the same on a disk that does not sync what it says."""
    with Site() as site:
        recorder, contents = record(libraries, site, dice, 600, RECORD_SYNCS="none")
        events = recorder.events()
        cuts = make_cuts(recorder, events, 1000 if is_long else int(100 * scale), dice, images, contents)
    report(cuts, events)
    assert sum(bool(cut.lost) for cut in cuts) > len(cuts) / 2
