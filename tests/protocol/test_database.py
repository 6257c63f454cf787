"""A database that is locked, gone, replaced or damaged while the service runs."""

import contextlib
import fcntl
import functools
import shutil
import sqlite3
import threading
import time

import pytest

from support.answers import assert_error, assert_success, note_id_of
from support.fastcgi import http_params
from support.processes import waiting_for_lock
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for

NOT_STORED = "The note was not stored. Try again."


@pytest.fixture(params=[False, True], ids=["pool", "single"])
def service(request):
    options = {"workers": 2}
    with Site(options=options) as site, Service(site, single=request.param) as running:
        yield running


@pytest.fixture
def world(service):
    return service.site.world()


def assert_unavailable(answer):
    assert_error(answer, "UNAVAILABLE", NOT_STORED, status=503, also=["retry-after"])
    assert int(answer.header("Retry-After")) > 0


def assert_added(service, world):
    answer = service.call(world.body(note="x"))
    return assert_success(answer, world.contact, '"x"', visibility=1)


def files_of(site):
    """Database, WAL and shared memory: neither the lock nor the key."""
    return [path for path in site.data.iterdir() if path.suffix not in (".lock", ".key")]


def move(paths, target):
    target.mkdir(exist_ok=True)
    for path in paths:
        path.rename(target / path.name)


def assert_unavailable_for_now(service, world):
    """On kept and new connections, whichever process they reach; also for what is only read."""
    body = encode(world.body())
    with service.connect() as kept:
        for _ in range(4):
            assert_unavailable(service.call(world.body()))
            assert_unavailable(service.call(world.body(note="")))
            assert_unavailable(kept.request(http_params(body), body, keep=True))
    # what needs no database is answered as ever
    assert service.request(method="GET").status == 405
    assert service.request(b"{").status == 400
    answer = service.call(world.body(api_key=""))
    assert answer.header("X-Error-Code") in ("MISSING_API_KEY", "UNAVAILABLE")


def answer_when_noticed(service, body):
    """Each process that started with the former files may be unavailable once, and is replaced."""
    answer = service.call(body)
    for _ in range(max(len(service.workers()), 2)):  # a single process reads and writes
        if answer.status != 503:
            break
        assert_unavailable(answer)
        answer = service.call(body)
    return answer


def assert_serves_again(service, world, *, replaced=False):
    """Without a restart, and with every process that was there unless its files are others."""
    processes = set(service.workers())
    call = functools.partial(answer_when_noticed, service) if replaced else service.call
    for _ in range(6):
        assert_success(call(world.body(note="x")), world.contact, '"x"', visibility=1)
    assert_error(call(world.body(note="")), "MISSING_FIELDS", "Missing note")
    if replaced:
        assert_nobody_died(service)
    else:
        assert set(service.workers()) == processes


def assert_nobody_died(service):
    """Processes whose sandbox allows the former files only may have been replaced."""
    assert service.events("worker_died") == []
    wanted = 0 if service.single else int(service.site.options["workers"]) + 1  # a writer
    wait_for(lambda: len(service.workers()) == wanted, "as many processes as before")


def assert_recovers(service, world):
    """Every process that still has the other file open logs it once."""
    processes = set(service.workers())
    answers = [service.call(world.body(note=note)) for note in 30 * ["x", ""]]
    unavailable = [answer for answer in answers if answer.status == 503]
    for answer in unavailable:
        assert_unavailable(answer)
    assert len(unavailable) <= max(len(processes), 2)  # a single process reads and writes
    assert_nobody_died(service)


def note_ids(service, world):
    return [note["note_id"] for note in service.site.notes(world.contact)]


# Locks


def send_under_lock(service, world, results):
    """A note while another program has the write lock until it is answered."""
    before = assert_added(service, world)
    with open(f"{service.site.database}.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        with service.connect(timeout=60) as connection:
            body = encode(world.body())
            connection.begin()
            connection.params(http_params(body))
            connection.stdin(body)
            # a process of the pool that waits for a commit goes on serving
            if service.workers():
                assert service.request(method="GET").status == 405
                answer = service.call(world.body(note=""))
                assert_error(answer, "MISSING_FIELDS", "Missing note")
            assert_unavailable(connection.read_response())
        seconds = time.monotonic() - began
    assert note_ids(service, world) == [before]
    assert_added(service, world)
    results.append(seconds)


def test_a_lock_that_is_held_for_too_long():
    """Pool and single process at the same time: each takes as long as a commit may."""
    results = []
    with contextlib.ExitStack() as stack:
        threads = []
        for single in (False, True):
            site = stack.enter_context(Site(options={"workers": 2}))
            world = site.world()
            service = stack.enter_context(Service(site, single=single))
            threads.append(threading.Thread(target=send_under_lock, args=[service, world, results]))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(results) == 2  # neither thread failed
    assert all(5 < seconds < 20 for seconds in results), results


def test_a_lock_that_is_held_for_a_moment(service, world):
    assert_added(service, world)
    with service.connect() as connection:
        body = encode(world.body(note="x"))
        with open(f"{service.site.database}.lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.begin()
            connection.params(http_params(body))
            connection.stdin(body)
            wait_for(lambda: waiting_for_lock(lock.name), "somebody at the lock")
        assert_success(connection.read_response(), world.contact, '"x"', visibility=1)
    assert len(note_ids(service, world)) == 2


def test_a_reader_that_stays_holds_up_nobody(service, world):
    reader = sqlite3.connect(f"file:{service.site.database}?mode=ro", uri=True, isolation_level=None)
    try:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        for _ in range(20):
            assert_added(service, world)
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    finally:
        reader.close()
    assert len(note_ids(service, world)) == 20


def test_crmnotesctl_works_beside_a_running_service(service, world):
    for number in range(3):
        contact = service.site.add_contact(world.org, world.member, f"{number}")["contact_id"]
        answer = service.call(world.body(contact_id=contact, note="x"))
        assert_success(answer, contact, '"x"', visibility=1)
    service.site.assign_contact(contact, world.second_member)
    answer = service.call(world.body(contact_id=contact))
    assert answer.header("X-Error-Code") == "NOT_OWNER"


# Files


def test_a_database_that_goes_away_and_comes_back(service, world):
    site = service.site
    first = assert_added(service, world)
    away = site.directory / "away"
    for _ in range(2):
        move(files_of(site), away)
        assert_unavailable_for_now(service, world)
        assert not site.database.exists()  # no other one was made
        move(away.iterdir(), site.data)
        assert_serves_again(service, world)
    notes = note_ids(service, world)
    assert notes[0] == first and len(notes) == 13
    assert service.events("read_failed") or service.events("database_unavailable")
    assert service.events("request", code="UNAVAILABLE", reason="database_unavailable")


def test_a_database_that_is_replaced_by_its_backup(service, world):
    site = service.site
    first = assert_added(service, world)
    backup = site.directory / "backup.db"
    site.ctl("db", "backup", backup)
    lost = assert_added(service, world)
    move(files_of(site), site.directory / "away")
    backup.rename(site.database)
    site.give_to_owner()
    answers = [service.call(world.body(note="x")) for _ in range(12)]
    for answer in answers:  # a process that had the old one open logs it once
        if answer.status == 503:
            assert_unavailable(answer)
        else:
            assert_success(answer, world.contact, '"x"', visibility=1)
    assert [answer.status for answer in answers[-4:]] == [200] * 4
    acknowledged = [note_id_of(answer) for answer in answers if answer.status == 200]
    assert set(note_ids(service, world)) == {first, *acknowledged}
    assert lost not in acknowledged
    assert_recovers(service, world)


@pytest.mark.parametrize("former", ["stays", "is removed"])
@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_a_symbolic_link_that_leads_to_another_database(single, former):
    with Site(options={"workers": 2}) as site:
        world = site.world()
        one, two = site.data / "one", site.data / "two"
        move(files_of(site), one)
        two.mkdir()
        site.give_to_owner()
        site.database.symlink_to(one / site.database.name)
        with Service(site, single=single) as service:
            first = assert_added(service, world)
            site.ctl("db", "backup", site.data / "backup")
            site.give_to_owner()
            (site.data / "backup").rename(two / site.database.name)
            site.database.unlink()
            site.database.symlink_to(two / site.database.name)
            if former == "is removed":
                shutil.rmtree(one)
            # a process that may not even read there notices it twice
            answers = [service.call(world.body(note="x")) for _ in range(30)]
            assert [answer.status for answer in answers[-20:]] == [200] * 20
            assert_nobody_died(service)
            acknowledged = [note_id_of(answer) for answer in answers if answer.status == 200]
            assert set(note_ids(service, world)) == {first, *acknowledged}


@pytest.mark.parametrize("content", [b"", b"no database at all " * 1000, bytes(65536)], ids=["empty", "text", "zeros"])
def test_a_database_that_is_replaced_by_something_else(service, world, content):
    site = service.site
    assert_added(service, world)
    away = site.directory / "away"
    move(files_of(site), away)
    site.database.write_bytes(content)
    site.give_to_owner()
    assert_unavailable_for_now(service, world)
    for path in files_of(site):
        path.unlink()
    move(away.iterdir(), site.data)
    assert_serves_again(service, world, replaced=True)


def alter(path, *pragmas):
    connection = sqlite3.connect(path)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "pragma,complaint",
    [
        ("user_version=1000", "newer"),
        ("journal_mode=DELETE", "is not in WAL mode"),
    ],
    ids=["newer schema", "no WAL"],
)
def test_a_database_that_is_replaced_by_one_that_cannot_be_used(service, world, pragma, complaint):
    site = service.site
    copy = site.data / "copy"
    site.ctl("db", "backup", copy)
    alter(copy, pragma)
    assert_added(service, world)
    away = site.directory / "away"
    move([path for path in files_of(site) if path != copy], away)
    copy.rename(site.database)
    site.give_to_owner()
    assert_unavailable_for_now(service, world)
    # a process may have looked before the file was there and belonged to it
    event = service.wait_for_event("database_unavailable", says=complaint)
    assert event["level"] == "error"
    for path in files_of(site):
        path.unlink()
    move(away.iterdir(), site.data)
    assert_serves_again(service, world, replaced=True)


def test_a_database_that_a_newer_program_migrates_meanwhile(service, world):
    """Within about a second every process stops using it."""
    site = service.site
    assert_added(service, world)
    with contextlib.closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        [version] = other.execute("PRAGMA user_version").fetchone()
        other.execute(f"PRAGMA user_version = {version + 1}")
        wait_for(lambda: all(service.call(world.body()).status == 503 for _ in range(8)), "refusals")
        event = service.wait_for_event("database_unavailable", says=f"schema {version + 1}")
        assert event["level"] == "error"
        count = "SELECT count(*) FROM notes"
        before = other.execute(count).fetchone()
        for _ in range(8):
            assert_unavailable(service.call(world.body()))
        assert other.execute(count).fetchone() == before
        other.execute(f"PRAGMA user_version = {version}")
    assert_serves_again(service, world)


@pytest.mark.parametrize("damage", ["header", "all", "cut off"])
def test_a_database_that_is_damaged_in_place(service, world, damage):
    """No answer may be a success whose note is not there after the repair."""
    site = service.site
    assert_added(service, world)
    good = site.directory / "good"
    shutil.copytree(site.data, good)
    checkpoint(site)
    size = site.database.stat().st_size
    with open(site.database, "r+b") as file:
        if damage == "cut off":
            file.truncate(4096)
        else:
            file.write(b"\xa5" * (100 if damage == "header" else size))
    answers = [service.call(world.body(contact_id=world.contact, note="")) for _ in range(4)]
    answers += [service.call(world.body()) for _ in range(4)]
    for answer in answers:
        assert (answer.status, answer.header("X-Error-Code")) in [
            (200, "MISSING_FIELDS"),  # by the cache of callers
            (503, "UNAVAILABLE"),
            (503, "OUTCOME_UNKNOWN"),
        ]
    for path in files_of(site):
        path.unlink()
    for path in files_in(good):
        shutil.copy(path, site.data)
    site.give_to_owner()
    assert_recovers(service, world)


def files_in(directory):
    return [path for path in directory.iterdir() if path.suffix not in (".lock", ".key")]


def checkpoint(site):
    """Brings everything into the database file, so that damage there matters."""
    connection = sqlite3.connect(site.database)
    try:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    finally:
        connection.close()


def test_a_directory_that_nothing_can_be_written_to(service, world):
    """A service that is not root cannot open the missing lock file."""
    site = service.site
    lock = site.data / f"{site.database.name}.lock"
    lock.unlink()
    lock.mkdir()
    try:
        assert_unavailable(service.call(world.body()))
        answer = service.call(world.body(note=""))
        assert_error(answer, "MISSING_FIELDS", "Missing note")  # reading goes on
        assert note_ids(service, world) == []
    finally:
        lock.rmdir()
    assert_serves_again(service, world, replaced=True)
