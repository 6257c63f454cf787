"""TERM and INT, and that all processes end when the master dies."""

import contextlib
import os
import signal
import time

import pytest

from support import processes
from support.answers import assert_success, note_id_of
from support.family import running, send, waits_for_lock, writer_of, writers_held_up
from support.fastcgi import Connection, http_params
from support.load import Load
from support.service import Service
from support.site import encode
from support.wait import wait_for


# Fewer processes than by default, to be started and ended quickly.
SITE_OPTIONS = {"workers": 2}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=["TERM", "INT", "QUIT"])
def test_requests_that_have_begun_are_finished(site, single, how):
    world = site.world()
    body = encode(world.body(note="x"))
    with running(site, single=single) as service, contextlib.ExitStack() as stack:
        begun, idle = [stack.enter_context(service.connect()) for _ in range(2)]
        for connection in (begun, idle):
            assert connection.request(http_params(b"{"), b"{", keep=True).status == 400
        begun.begin(keep=True)
        begun.params(http_params(body))
        begun.stdin(body[:50], end=False)
        service.signal(how)
        assert idle.is_closed_by_peer(10)
        begun.stdin(body[50:])
        assert_success(begun.read_response(), world.contact, '"x"', visibility=1)
        assert begun.is_closed_by_peer(10)
        assert service.process.wait(20) == 0
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            Connection(service.address)
    assert len(site.notes(world.contact)) == 1


@pytest.mark.parametrize(
    "how",
    [signal.SIGUSR2, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGPROF, signal.SIGVTALRM, signal.SIGIO, signal.SIGPWR],
    ids=lambda how: how.name,
)
def test_signals_without_a_meaning_are_ignored(site, single, how):
    world = site.world()
    with running(site, single=single) as service:
        assert service.call(world.body()).status == 200
        everybody = {service.process.pid, *service.workers()}
        for pid in everybody:
            os.kill(pid, how)
        assert_success(service.call(world.body(note="x")), world.contact, '"x"', visibility=1)
        assert everybody == {service.process.pid, *service.workers()}
        assert service.stop() == 0


def test_the_end_does_not_wait_for_ever(site, single):
    site.configure(request_timeout=1)
    with running(site, single=single) as service, service.connect() as connection:
        connection.begin()
        connection.params(http_params(b"{"))
        connection.stdin(b"{", end=False)
        service.signal(signal.SIGTERM)
        assert service.process.wait(10) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_pool_ends_at_once(site, how):
    with Service(site) as service:
        began = time.monotonic()
        assert service.stop(how) == 0
        assert time.monotonic() - began < 10  # not after request_timeout, which is 30 s


def test_a_pool_under_load_ends_soon_and_keeps_its_word(site):
    with running(site) as service:
        with Load(service, site.world(), kept=4, fresh=2) as load:
            load.lossy = True
            began = time.monotonic()
            service.signal(signal.SIGTERM)
            load.stop.set()
            assert service.process.wait(30) == 0
            assert time.monotonic() - began < 15  # not after request_timeout, which is 30 s
        load.assert_stored()
        assert service.events("worker_died") == []


def test_all_processes_end_with_the_master(site):
    with running(site) as service, service.connect() as kept:
        assert kept.request(http_params(b"{"), b"{", keep=True).status == 400
        service.process.kill()
        service.process.wait(20)
        wait_for(lambda: not processes.session_members(service.process.pid), "the end of all", 5)
        assert kept.is_closed_by_peer()


def test_a_master_and_a_writer_that_are_killed_make_room_for_the_next(site):
    """Requests are in hand then, and one is half sent."""
    world = site.world()
    body = encode(world.body(note="x"))
    with running(site) as service, contextlib.ExitStack() as stack:
        service.call(world.body())  # opens the lock file
        writer = writer_of(service)
        waiting, half = [stack.enter_context(service.connect()) for _ in range(2)]
        half.begin()
        half.params(http_params(body))
        half.stdin(body[:50], end=False)
        with writers_held_up(site):
            send(waiting, body)
            wait_for(lambda: waits_for_lock(writer), "the writer at the lock")
            began = time.monotonic()
            for pid in (service.process.pid, writer):
                os.kill(pid, signal.SIGKILL)
            service.process.wait(20)
            answer = waiting.read_response()
        assert answer.header("X-Error-Code") == "OUTCOME_UNKNOWN"
        wait_for(lambda: not processes.session_members(service.process.pid), "the end of all", 5)
        assert time.monotonic() - began < 3  # a second, on a quiet machine


def test_a_start_waits_for_a_predecessor_that_is_ending(site):
    world = site.world()
    first = Service(site).start()
    with first.connect() as connection:
        connection.begin()
        connection.params(http_params(b"{"))
        connection.stdin(b"{", end=False)  # so that a worker stays for a while
        first.process.kill()
        first.process.wait(20)
        with Service(site) as second:
            assert second.call(world.body(note="x")).status == 200
    processes.assert_session_is_gone(first.process.pid)


def test_a_request_in_hand_outlives_the_master(site):
    world = site.world()
    body = encode(world.body(note="x"))
    with running(site) as service, service.connect() as connection:
        service.call(world.body())  # opens the lock file
        with writers_held_up(site):
            send(connection, body)
            wait_for(lambda: waits_for_lock(writer_of(service)), "the writer at the lock")
            service.process.kill()
            service.process.wait(20)
        answer = connection.read_response()
        assert_success(answer, world.contact, '"x"', visibility=1)
    assert note_id_of(answer) in [note["note_id"] for note in site.notes(world.contact)]
