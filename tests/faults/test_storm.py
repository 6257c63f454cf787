"""Processes die and operators work under load; the answers must agree with the database."""

import contextlib
import sqlite3
import time

import pytest

from faults import preload
from faults.chaos import Chaos, assert_no_descriptor_leaks
from faults.ledger import Ledger, assert_sound, end_clients, join_clients, start_clients
from support import processes
from support.service import Service
from support.site import Site
from support.webservers import Nginx

CLIENTS = 8


@pytest.fixture
def storm_site():
    with Site() as site:
        site.configure(log=site.directory / "crmnotes.log", request_timeout=5, contact_failures="off")
        yield site


def test_what_was_acknowledged_is_stored_once_and_what_was_refused_is_not(storm_site, dice, is_long, scale):
    site, ledger = storm_site, Ledger()
    seconds, kills, notes = (600, 200, 100_000) if is_long else (20 * scale, int(12 * scale), int(1000 * scale))
    service = Service(site, args=["--workers", 6])
    with service, Nginx(site) as web:
        descriptors = len(processes.open_files(service.process.pid))
        world = site.world()
        contested = site.add_contact(world.org, world.member)["contact_id"]
        contacts = [world.contact, world.contact, contested]
        clients = start_clients(CLIENTS // 2, web.port, ledger, world, dice, contacts=contacts)
        clients += start_clients(
            CLIENTS // 2, web.port, ledger, world, dice, contacts=contacts, repeats=20
        )
        chaos = Chaos(service, world, dice, pause_s=0.6, contested=contested)
        try:
            chaos.run(
                time.monotonic() + seconds,
                lambda: chaos.kills >= kills and len(ledger.entries) >= notes,
            )
        finally:
            end_clients(clients)
        last = start_clients(1, web.port, ledger, world, dice, limit=1)
        join_clients(last)
        assert_no_descriptor_leaks(service, descriptors)
    print(f"{chaos.kills} kills, {chaos.done}; {ledger.summary()}")
    for session in chaos.sessions:
        processes.assert_session_is_gone(session)
    assert ledger.entries[f"{last[0].name}-1"].state == "acknowledged"
    verdict = ledger.judge(site.database)
    assert verdict.is_good(), verdict
    assert ledger.count("refused") > 0, "no contact changed its owner under way"
    assert_sound(site.database)
    assert site.ctl_raw("db", "check").returncode == 0


def small_run(site, dice, environment):
    """A few notes under that environment; answers the verdict of the ledger."""
    ledger = Ledger()
    with Service(site, args=["--workers", 2], env=environment), Nginx(site) as web:
        clients = start_clients(4, web.port, ledger, site.world(), dice, limit=50)
        join_clients(clients)
    return ledger


@pytest.mark.parametrize(
    "lie, complaint",
    [("lose", "lost"), ("deny", "refused_but_stored"), ("double", "doubled"), (None, None)],
)
def test_the_ledger_notices_a_service_that(lie, complaint, site, libraries, dice):
    """Shows that the storm test can fail: a library makes commits report success falsely."""
    environment = preload.environment(libraries("liar"), LIE=lie or "none")
    ledger = small_run(site, dice, environment)
    verdict = ledger.judge(site.database)
    print(ledger.summary(), verdict)
    wrong = [name for name, markers in vars(verdict).items() if markers]
    assert complaint in wrong if complaint else not wrong


def test_the_ledger_notices_a_changed_note(site, dice):
    ledger = small_run(site, dice, {})
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute(
            "UPDATE notes SET content = content || '.' WHERE note_id = (SELECT max(note_id) FROM notes)"
        )
    assert len(ledger.judge(site.database).altered) == 1
