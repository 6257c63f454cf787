"""The service and a key file that is not the one of the database."""

import contextlib
import shutil
import signal
import sqlite3
import subprocess

import pytest

from support.answers import assert_error, assert_success
from support.raw import code
from support.service import Service
from support.site import Site
from support.wait import wait_for

OTHER_KEY = b"k" * 32


def run(site, *words):
    """Runs the service, which is to end by itself."""
    return subprocess.run(
        [str(site.program()), "--config", str(site.config), *words],
        capture_output=True,
        text=True,
        timeout=20,
        env=site.environment(),
        cwd=site.directory,
        stdin=subprocess.DEVNULL,
    )


def assert_complains(site, done):
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert line == (
        f"crmnotes.fcgi: the key file {site.key_file} is not the one that the keys in the database "
        f"{site.database} were made with: put that one back, or set secret_key_file to it"
    )


@pytest.mark.parametrize("single", [[], ["--single"]], ids=["pool", "single"])
def test_the_service_does_not_start_with_a_wrong_one(site, single):
    site.world()
    site.key_file.write_bytes(OTHER_KEY)
    done = run(site, *single)
    assert_complains(site, done)
    assert done.stdout == "" and not site.socket.exists()


def test_check_config_finds_a_wrong_one(site):
    site.world()
    good = run(site, "--check-config")
    assert (good.returncode, good.stderr) == (0, "")
    site.key_file.write_bytes(OTHER_KEY)
    done = run(site, "--check-config")
    assert_complains(site, done)
    assert done.stdout == good.stdout, "the settings are printed all the same"


def test_a_database_that_knows_no_key_file_is_refused_with_the_command_to_run(site):
    site.world()
    with sqlite3.connect(site.database) as connection:
        connection.execute("DELETE FROM key_mark")
    connection.close()
    for words in ([], ["--check-config"]):
        done = run(site, *words)
        assert done.returncode == 78
        assert str(site.key_file) in done.stderr and "crmnotesctl db migrate" in done.stderr
    site.ctl("db", "migrate")
    site.give_to_owner()
    with Service(site):
        pass


@pytest.fixture
def service(site):
    site.configure(workers=2)
    with Service(site) as running:
        yield running


def assert_added(service, world):
    assert_success(service.call(world.body(note="x")), world.contact, '"x"', visibility=1)


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_a_reload_with_a_wrong_one_is_refused_and_all_goes_on(start, single):
    service = start({"workers": 2}, single=single)
    site = service.site
    world = site.world()
    other = site.data / "other.key"
    other.write_bytes(OTHER_KEY)
    other.chmod(0o600)
    site.give_to_owner()
    site.configure(secret_key_file=other)
    workers = service.workers()
    service.signal(signal.SIGHUP)
    event = service.wait_for_event("reload_failed")
    for part in (str(other), str(site.database), "is not the one"):
        assert part in event["message"]
    assert_added(service, world)
    assert service.workers() == workers


@pytest.mark.parametrize("by", ["nothing", "a copy"])
def test_one_that_is_replaced_is_missed_at_once_and_all_goes_on(service, by):
    site = service.site
    world = site.world()
    copy = site.directory / "copy.key"
    shutil.copy2(site.key_file, copy)
    if by == "nothing":
        site.key_file.unlink()
    else:
        copy.rename(site.key_file)
    event = service.wait_for_event("key_file_moved")
    assert (event["level"], event["path"]) == ("warning", str(site.key_file))
    assert "the next start needs it" in event["message"]
    assert_added(service, world)
    if by == "nothing":
        copy.rename(site.key_file)
    site.give_to_owner()
    service.signal(signal.SIGHUP)
    service.wait_for_event("reloaded")
    assert_added(service, world)
    assert len(service.events("key_file_moved")) == 1


def test_a_reload_takes_the_same_key_from_another_place(service):
    site = service.site
    world = site.world()
    other = site.data / "moved.key"
    site.key_file.rename(other)
    site.configure(secret_key_file=other)
    before = set(service.workers())
    service.signal(signal.SIGHUP)
    wait_for(lambda: not before & set(service.workers()), "new processes")
    assert_added(service, world)
    assert service.events("reload_failed") == []


@contextlib.contextmanager
def other_and_own_site():
    """Two installations, of which the first has a key that no other site has."""
    with Site(migrate=False) as other, Site(options={"workers": 2}) as site:
        other.ctl("db", "migrate")
        yield other, site


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_a_database_of_another_key_file_is_not_blamed_on_the_caller(single):
    """As when a backup of another installation is put back under a running service."""
    with other_and_own_site() as (other, site), Service(site, single=single) as service:
        ours, theirs = site.world(), other.world()
        copy = site.directory / "copy.db"
        other.ctl("db", "backup", copy)
        assert_added(service, ours)
        for ending in ("", "-wal", "-shm"):
            site.database.with_name(f"{site.database.name}{ending}").unlink(missing_ok=True)
        shutil.copy(copy, site.database)
        site.give_to_owner()
        for _ in range(6):
            answer = service.call(theirs.body())
            assert_error(
                answer, "UNAVAILABLE", "The note was not stored. Try again.", status=503, also=["retry-after"]
            )
        event = service.wait_for_event("database_unavailable")
        assert str(site.key_file) in event["message"] and "is not the one" in event["message"]


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_a_database_of_another_key_file_is_not_blamed_on_a_caller_who_is_remembered(single):
    with other_and_own_site() as (other, site), Service(site, single=single) as service:
        ours, copy = site.world(), site.directory / "copy.db"
        other.world()
        other.ctl("db", "backup", copy)
        for _ in range(10):  # so that each process knows the caller
            assert_added(service, ours)
        for ending in ("", "-wal", "-shm"):
            site.database.with_name(f"{site.database.name}{ending}").unlink(missing_ok=True)
        shutil.copy(copy, site.database)
        site.give_to_owner()
        assert [code(service, ours.body()) for _ in range(20)] == ["UNAVAILABLE"] * 20
        service.wait_for_event("request", code="UNAVAILABLE", reason="key_file_wrong")
