"""Processes that are killed or hang: which requests that costs, and that they are replaced."""

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from support import processes
from support.answers import assert_success
from support.family import running, send, serves, waits_for_lock, writer_of, writers_held_up
from support.fastcgi import Closed, http_params
from support.load import Load
from support.site import encode
from support.wait import wait_for


# Fewer processes than by default, to be started and ended quickly.
SITE_OPTIONS = {"workers": 2}


# Killed


def sockets_of(pid):
    return sum(target.startswith("socket:") for target in processes.open_files(pid).values())


def test_a_worker_that_is_killed_costs_its_connections_and_is_replaced(site):
    with running(site) as service, contextlib.ExitStack() as stack:
        assert service.call(site.world().body()).status == 200
        before = set(service.workers())
        workers = before - {writer_of(service)}
        own = {worker: sockets_of(worker) for worker in workers}
        kept = []

        def held(worker):
            return sockets_of(worker) - own[worker]

        while len(kept) < 4 or not all(held(worker) for worker in workers):
            assert len(kept) < 60, "one worker takes no connection"
            kept.append(stack.enter_context(service.connect()))
            assert kept[-1].request(http_params(b"{"), b"{", keep=True).status == 400
        victim = min(workers)
        lost = held(victim)
        os.kill(victim, signal.SIGKILL)
        assert serves(service)
        service.wait_for_event("worker_died", worker=victim, signal=9)
        alive = 0
        for connection in kept:
            with contextlib.suppress(Closed, BrokenPipeError):
                alive += connection.request(http_params(b"{"), b"{", keep=True).status == 400
        assert alive == len(kept) - lost
        wait_for(lambda: len(service.workers()) == len(before), "another worker")
        assert len(before & set(service.workers())) == len(before) - 1
        assert service.stop() == 0


def test_a_worker_that_is_killed_costs_its_request(site):
    site.configure(workers=1)
    world = site.world()
    body = encode(world.body(note="x"))
    with running(site) as service, service.connect() as connection:
        service.call(world.body())
        writer = writer_of(service)
        (worker,) = set(service.workers()) - {writer}
        with writers_held_up(site):
            send(connection, body)
            wait_for(lambda: waits_for_lock(writer), "the writer at the lock")
            os.kill(worker, signal.SIGKILL)
            with pytest.raises(Closed):
                connection.read_response()
            wait_for(lambda: serves(service), "the next worker")
        # as long as the writer has the dead worker's letter, there may be no room for another
        answer = wait_for(lambda: unless_unavailable(service.call(world.body(note="y"))), "a note")
        assert_success(answer, world.contact, '"y"', visibility=1)
        assert writer_of(service) == writer
        assert service.stop() == 0


def unless_unavailable(answer):
    return None if answer.header("X-Error-Code") == "UNAVAILABLE" else answer


def test_a_writer_that_is_killed_makes_the_outcome_unknown(site):
    world = site.world()
    body = encode(world.body(note="x"))
    with running(site) as service, service.connect() as connection:
        service.call(world.body())
        writer = writer_of(service)
        with writers_held_up(site):
            send(connection, body)
            wait_for(lambda: waits_for_lock(writer), "the writer at the lock")
            os.kill(writer, signal.SIGKILL)
            answer = connection.read_response()
        assert answer.status == 503
        assert answer.header("X-Error-Code") == "OUTCOME_UNKNOWN"
        answer = service.call(world.body(note="y"))
        assert_success(answer, world.contact, '"y"', visibility=1)
        assert writer_of(service) != writer
        assert service.stop() == 0
    assert sorted(n["note_content"] for n in site.notes(world.contact))[1:] == ["y"]


def test_a_writer_that_is_killed_under_load_loses_no_note(site):
    world = site.world()
    with running(site) as service:
        with Load(service, world, kept=4, fresh=4) as load:
            for _ in range(3):
                writer = wait_for(lambda: writer_of(service), "a writer that writes")
                os.kill(writer, signal.SIGKILL)
                service.wait_for_event("worker_died", worker=writer, signal=9)
                load.wait_for_answers(20)
        assert load.failures == []
        codes = {answer.header("X-Error-Code") for answer in load.answers.values()}
        assert None in codes and codes <= {None, "UNAVAILABLE", "OUTCOME_UNKNOWN"}
        load.assert_stored()
        assert service.stop() == 0


def test_no_acknowledged_note_is_lost_whichever_process_is_killed(site):
    site.configure(workers=4)
    dice = random.Random(1)
    with running(site) as service:
        with Load(service, site.world(), kept=4, fresh=2, lossy=True) as load:
            for _ in range(6):
                everyone = wait_for(lambda: _all_of(service, 5), "all processes", 30)
                victim = dice.choice(everyone)
                os.kill(victim, signal.SIGKILL)
                service.wait_for_event("worker_died", worker=victim, signal=9)
                load.wait_for_answers(20)
        load.assert_stored()
        site.ctl("db", "check")
        assert service.stop() == 0


def _all_of(service, count):
    found = sorted(service.workers())
    return found if len(found) == count else None


def test_the_death_of_all_children_at_once_is_survived(site):
    world = site.world()
    with running(site) as service:
        service.call(world.body(note="before"))
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
        answer = service.call(world.body(note="after"))  # waits in the backlog meanwhile
        assert_success(answer, world.contact, '"after"', visibility=1)
        assert service.stop() == 0


# Stuck


def go_on(pid):
    """Lets a stopped process work for a while; by SCHED_BATCH, its turn does not come at once."""
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.003)


def stop_at_work(pid):
    """Stops a process while it computes, which a busy one does most of the time."""
    for _ in range(10_000):
        processes.suspend(pid)
        if Path(f"/proc/{pid}/syscall").read_text().startswith("-1 "):  # in no system call
            return
        go_on(pid)
    raise AssertionError(f"process {pid} never computes")


def hang(service, worker):
    """Stops a worker until the master gives it up; one that is stopped between two requests goes on."""
    for _ in range(20):
        stop_at_work(worker)
        with contextlib.suppress(AssertionError):
            return service.wait_for_event("worker_timed_out", seconds=4, worker=worker)
        go_on(worker)
    raise AssertionError(f"worker {worker} was never given up")


def test_a_worker_that_hangs_is_ended_and_replaced(site):
    site.configure(workers=1, request_timeout=2, max_body_bytes=1 << 20, max_note_bytes=1 << 18)
    world = site.world()
    with running(site) as service:
        service.call(world.body())
        (worker,) = set(service.workers()) - {writer_of(service)}
        long = encode(world.body(note="\x01" * 100_000))
        with service.connect() as cut_off:

            def ask_on():
                with pytest.raises((Closed, ConnectionError)) as end:
                    while True:
                        cut_off.request(http_params(long), long, keep=True)
                ends.append(end)

            ends = []

            asking = threading.Thread(target=ask_on)
            asking.start()
            hang(service, worker)
            asking.join(15)
            assert len(ends) == 1  # its connection was closed
        wait_for(lambda: not processes.alive(worker), "the end of the worker")
        assert serves(service)
        assert service.stop() == 0


def answer_of_stopped(writer, service, connection, body):
    """The answer to a request whose note the writer has in hand when it is stopped.

    On a busy machine it may have given up the lock before it is stopped; then it goes on.
    """
    for _ in range(20):
        with writers_held_up(service.site):
            send(connection, body, keep=True)
            wait_for(lambda: waits_for_lock(writer) or connection.is_readable(), "the lock")
            os.kill(writer, signal.SIGSTOP)
        answer = connection.read_response()
        if answer.header("X-Error-Code") != "UNAVAILABLE":
            return answer
        os.kill(writer, signal.SIGCONT)
    raise AssertionError(f"writer {writer} was never stopped at the lock")


def test_a_writer_that_hangs_is_ended_and_replaced(site):
    site.configure(request_timeout=3)
    world = site.world()
    with running(site) as service, service.connect() as connection:
        assert service.call(world.body()).status == 200
        writer = writer_of(service)
        answer = answer_of_stopped(writer, service, connection, encode(world.body(note="x")))
        assert (answer.status, answer.header("X-Error-Code")) == (503, "OUTCOME_UNKNOWN")
        service.wait_for_event("worker_timed_out", worker=writer)
        # until the next writer has begun, a note may be refused
        answer = wait_for(lambda: unless_unavailable(service.call(world.body(note="y"))), "a note")
        assert_success(answer, world.contact, '"y"', visibility=1)
        assert service.stop() == 0


def test_a_stopped_worker_does_not_stop_the_service(site):
    site.configure(workers=4)
    with running(site) as service:
        service.call(site.world().body())
        stopped = min(set(service.workers()) - {writer_of(service)})
        os.kill(stopped, signal.SIGSTOP)
        try:
            # the kernel may have given it one connection before it stopped
            lost = 0
            for _ in range(20):
                with service.connect(timeout=5.0) as connection:
                    try:
                        assert connection.request(http_params(b"{"), b"{").status == 400
                    except TimeoutError:
                        lost += 1
            assert lost <= 1
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(stopped, signal.SIGCONT)
        assert service.stop() == 0


def test_a_peer_that_takes_its_answer_byte_by_byte_is_given_up(site):
    site.configure(workers=1, request_timeout=3, max_body_bytes=1_000_000)
    body = encode(site.world().body(note="\u0001" * 65000))
    with running(site) as service:
        with service.connect(timeout=30) as slow:
            send(slow, body)
            with contextlib.suppress(OSError):
                given_up = time.monotonic() + 20
                while time.monotonic() < given_up and slow.socket.recv(300):
                    if service.events("worker_timed_out") or service.events("answer_not_taken"):
                        break
                    time.sleep(0.05)
        # where the whole time was not enough, the end of the connection was
        wait_for(
            lambda: service.events("worker_timed_out") or service.events("answer_not_taken"),
            "the end of the answer",
        )
        assert serves(service)
        assert service.stop() == 0
