"""Files that belong to the database are removed while the service runs."""

import contextlib
import os
import random
import signal
import threading
import time

import pytest

from support import processes
from support.answers import note_id_of
from support.service import Service
from support.site import Site
from support.wait import wait_for

TEMPORARY = ("UNAVAILABLE", "OUTCOME_UNKNOWN")
SETS = [["-wal"], ["-shm"], ["-wal", "-shm"], [".lock"], ["-wal", "-shm", ".lock"]]


@pytest.fixture(params=[False, True], ids=["pool", "single"])
def service(request):
    with Site(options={"workers": 2}) as site:
        running = Service(site, single=request.param).start()
        try:
            yield running
        finally:
            if running.process.poll() is None:
                running.stop()


def beside(site, ending):
    return site.database.with_name(site.database.name + ending)


def remove(site, endings):
    for ending in endings:
        beside(site, ending).unlink(missing_ok=True)


def acknowledged(answers):
    notes = []
    for answer in answers:
        assert answer.status == 200 or answer.header("X-Error-Code") in TEMPORARY, answer
        if answer.status == 200:
            notes.append(note_id_of(answer))
    return notes


def kill_all(service):
    """As by a power cut, but for what the kernel has in its memory."""
    session = service.process.pid
    for pid in [session, *service.workers()]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    service.process.wait(20)
    wait_for(lambda: not processes.session_members(session), "the end of all processes")


def assert_all_are_found(site, world, notes):
    """By a restart, without help."""
    with Service(site) as again:
        found = [note["note_id"] for note in site.notes(world.contact)]
        assert set(notes) <= set(found)
        assert len(found) == len(set(found))
        assert again.call(world.body(note="x")).status == 200
    site.ctl("db", "check")


@pytest.mark.parametrize("endings", SETS, ids="+".join)
def test_what_is_acknowledged_afterwards_is_found_by_the_next_start(service, endings):
    site, world = service.site, service.site.world()
    notes = acknowledged(service.call(world.body(note="x")) for _ in range(5))
    remove(site, endings)
    notes += acknowledged(service.call(world.body(note="x")) for _ in range(5))
    kill_all(service)
    assert len(notes) >= 5
    assert_all_are_found(site, world, notes)


@pytest.mark.parametrize("endings", [s for s in SETS if "-wal" in s], ids="+".join)
def test_what_was_acknowledged_before_is_saved_within_a_second_or_so(service, endings):
    site, world = service.site, service.site.world()
    notes = acknowledged(service.call(world.body(note="x")) for _ in range(5))
    remove(site, endings)
    event = service.wait_for_event("database_moved")
    assert str(beside(site, "-wal")) in event["message"]
    assert "saved" in event["message"]
    kill_all(service)
    assert len(notes) == 5
    assert_all_are_found(site, world, notes)


@pytest.mark.parametrize("endings", SETS, ids="+".join)
def test_the_service_goes_on_without_a_restart(service, endings):
    site, world = service.site, service.site.world()
    assert service.call(world.body(note="x")).status == 200
    remove(site, endings)
    service.wait_for_event("database_moved")
    answers = [service.call(world.body(note="x")) for _ in range(20)]
    assert [answer.status for answer in answers[-10:]] == [200] * 10
    assert {note["note_id"] for note in site.notes(world.contact)} >= set(acknowledged(answers))
    assert service.events("worker_died") == []


def test_a_note_that_a_process_was_writing_at_that_moment_is_not_lost(service):
    """Many times, under load, with other programs that write."""
    site, world = service.site, service.site.world()
    notes, done = [], threading.Event()

    def send():
        while not done.is_set():
            notes.extend(acknowledged([service.call(world.body(note="x"))]))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    chance = random.Random(8)
    for number in range(12):
        remove(site, chance.choice(SETS[:4]))
        if number % 3 == 0:  # may be refused at that moment
            site.ctl_raw("member", "add", "--org", world.org, "Member")
        before = len(notes)
        wait_for(lambda before=before: len(notes) >= before + 10, "further notes", 30)
        time.sleep(chance.random() / 10)
    done.set()
    for thread in threads:
        thread.join(60)
    kill_all(service)
    assert len(notes) >= 120
    assert_all_are_found(site, world, notes)
