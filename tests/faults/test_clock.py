"""The wall clock jumps: deadlines are not affected, and notes are stored."""

import contextlib
import signal
import sqlite3
import time

import pytest

from faults.chaos import send
from faults.ledger import ACKNOWLEDGED, Ledger, join_clients, start_clients
from support.family import writer_of
from support.service import Service
from support.wait import wait_for
from support.webservers import Nginx

HOUR = 3600
TIMEOUT = 12  # seconds, of which a busy machine needs few
JUMPS = {
    "an_hour_ahead": lambda now: HOUR,
    "an_hour_back": lambda now: -HOUR,
    "to_1970": lambda now: 1 - now,
    "past_2038": lambda now: 2**31 + HOUR - now,
}


def times_of(database, contact):
    """(created_at, note id) in the order in which the notes were stored."""
    sql = "SELECT created_at, note_id FROM notes WHERE contact_id = ? ORDER BY rowid"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql, [bytes.fromhex(contact.replace("-", ""))]).fetchall()


def store(ledger, port, world, dice, contact, count=5):
    """Notes one after another; answers how long the slowest took."""
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        (client,) = start_clients(1, port, ledger, world, dice, limit=1, contacts=[contact])
        join_clients([client])
        assert ledger.entries[f"{client.name}-1"].state == ACKNOWLEDGED
        slowest = max(slowest, time.monotonic() - began)
    return slowest


@pytest.mark.parametrize("jump", JUMPS)
def test_notes_are_stored_when_the_clock_jumps(jump, site, faults, dice):
    site.configure(request_timeout=TIMEOUT)
    ledger = Ledger()
    service = Service(site, args=["--workers", 2], env=faults.environment)
    with service, Nginx(site) as web:
        world = site.world()
        contact, later = [site.add_contact(world.org, world.member)["contact_id"] for _ in range(2)]
        store(ledger, web.port, world, dice, world.contact)
        children = sorted(service.workers())
        offset = JUMPS[jump](int(time.time()))
        faults.set_clock(offset)
        slowest = store(ledger, web.port, world, dice, contact)
        faults.set_clock(0)
        slowest = max(slowest, store(ledger, web.port, world, dice, later))
        assert slowest < TIMEOUT / 3, "somebody waited for a deadline"
        assert sorted(service.workers()) == children, "a process took the jump for a long time"
    assert ledger.judge(site.database).is_good()
    for of, expected in ((contact, time.time() + offset), (later, time.time())):
        found = times_of(site.database, of)
        stamps = [(at, id_[:6]) for at, id_ in found]  # what follows in an id is random
        assert stamps == sorted(stamps), "later notes have smaller times or ids"
        assert all(abs(at / 1000 - expected) < 60 for at, _ in found)


@pytest.mark.parametrize("offset", [HOUR, -HOUR, 10 * 365 * 24 * HOUR])
def test_a_request_that_waits_goes_on_waiting(offset, site, faults, dice):
    site.configure(request_timeout=8)
    ledger = Ledger()
    service = Service(site, args=["--workers", 2], env=faults.environment)
    with service, Nginx(site) as web:
        world = site.world()
        store(ledger, web.port, world, dice, world.contact)
        writer = writer_of(service)
        send(writer, signal.SIGSTOP)
        try:
            clients = start_clients(4, web.port, ledger, world, dice, limit=1)
            wait_for(lambda: len(ledger.entries) == 9, "the requests")
            faults.set_clock(offset)
            time.sleep(1.2)  # nothing may happen, and so there is nothing to wait for
            assert ledger.count("sent") == 4
        finally:
            send(writer, signal.SIGCONT)
        join_clients(clients)
        assert ledger.count(ACKNOWLEDGED) == 9
        assert writer_of(service) == writer
