"""Peers that send slowly or not at all, do not read, or leave: they delay no other request."""

import contextlib
import os
import signal
import socket
import statistics
import time

import pytest

from support.answers import assert_success
from support.fastcgi import Closed, whole_request
from support.few import (
    PROMPT, REQUEST_TIMEOUT, TIMEOUT, WORKERS, assert_prompt, connections, seconds_of,
)  # fmt: skip
from support.processes import suspend
from support.raw import ask
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for


# How much of its request a peer sends before it stops.
SHARES = [0.0, 0.01, 0.1, 0.5, 0.9, 0.999]


@pytest.mark.parametrize("size", [300, 100_000], ids=["short", "long"])
def test_slow_peers_hold_up_nobody(few, few_world, size):
    body = encode(few_world.body(note="x")).ljust(size)
    request = whole_request(body)
    with connections(few, 2 * len(SHARES)) as peers, few.connect() as kept:
        ask(kept)
        began = time.monotonic()
        for peer, share in zip(peers, 2 * SHARES):
            peer.send(request[: int(len(request) * share)])
        if size < 65536:  # a worker reads long bodies while they arrive
            assert_prompt(few)
            ask(kept)
            assert time.monotonic() - began < 12 * TIMEOUT  # not one after another
        wait_for(lambda: few.request(method="GET").status == 405, "an answer", 2 * len(SHARES) * TIMEOUT)
        ask(kept)


def test_a_slow_peer_gets_its_answer_when_it_finishes_in_time(few, few_world):
    request = whole_request(encode(few_world.body(note="x")))
    with few.connect() as peer:
        half = len(request) // 2
        peer.send(request[:half])
        assert_prompt(few)
        peer.send(request[half:])
        assert_success(peer.read_response(), few_world.contact, '"x"', visibility=1)


def test_a_request_that_never_ends_is_given_up(few):
    request = whole_request(b"{" * 200)
    with connections(few, 6) as peers:
        for peer, share in zip(peers, [0.01, 0.02, 0.1, 0.5, 0.9, 0.999]):
            peer.send(request[: int(len(request) * share)])
        for peer in peers:
            assert peer.is_closed_by_peer(10 * TIMEOUT)
    wait_for(lambda: len(few.events("request_given_up")) >= 6, "lines in the log")
    event = few.events("request_given_up")[-1]
    assert event["level"] == "warning" and event["message"] == "its peer sent no more of it"
    assert event["after_ms"] >= 1000 * TIMEOUT and event["bytes"] > 0
    assert_prompt(few, 1)


def send_slowly(peer, request, seconds, pieces=30):
    """Each piece at its time from the start, so that delays of this process do not add up."""
    step, began = -(-len(request) // pieces), time.monotonic()
    for number, at in enumerate(range(0, len(request), step), 1):
        peer.send(request[at : at + step])
        time.sleep(max(0.0, began + number * seconds / pieces - time.monotonic()))


def test_a_slow_peer_that_goes_on_sending_may_take_as_long_as_a_request_may(few, few_world):
    request = whole_request(encode(few_world.body(note="x")).ljust(100_000))
    with few.connect() as peer:
        send_slowly(peer, request, (TIMEOUT + REQUEST_TIMEOUT) / 2)
        assert_success(peer.read_response(), few_world.contact, '"x"', visibility=1)


def test_a_slow_peer_may_not_take_longer_than_a_request_may(few, few_world):
    request = whole_request(encode(few_world.body(note="x")).ljust(100_000))
    before = len(few.events("request_given_up"))
    with few.connect() as peer:
        with contextlib.suppress(OSError):
            send_slowly(peer, request, 2 * REQUEST_TIMEOUT)
        assert peer.is_closed_by_peer(TIMEOUT)
    wait_for(lambda: len(few.events("request_given_up")) > before, "a line in the log")
    event = few.events("request_given_up")[-1]
    assert event["message"] == "it took too long to arrive"
    assert 1000 * REQUEST_TIMEOUT <= event["after_ms"] < 1500 * REQUEST_TIMEOUT


def test_a_peer_that_ends_its_side_gets_its_answer(few, few_world):
    request = whole_request(encode(few_world.body(note="x")))
    with few.connect() as peer:
        peer.send(request)
        peer.socket.shutdown(1)
        assert_success(peer.read_response(), few_world.contact, '"x"', visibility=1)


def test_a_peer_that_ends_its_side_too_early_is_not_answered(few, few_world, few_contact):
    request = whole_request(encode(few_world.body(note="x", contact_id=few_contact)))
    with few.connect() as peer:
        peer.send(request[:-8])  # all but the end of the body
        peer.socket.shutdown(1)
        with pytest.raises(Closed):
            peer.read_response()
    assert few.site.notes(few_contact) == []


LONG_NOTE = "\x01" * 100_000  # as JSON six times as long, more than a socket holds


def test_peers_that_never_read_their_answers_are_given_up(few, few_world):
    names = [f"deaf-{i}" for i in range(WORKERS)]
    with connections(few, WORKERS) as deaf:
        for peer, name in zip(deaf, names):
            body = encode(few_world.body(note=LONG_NOTE))
            peer.send(whole_request(body, headers={"X-Request-Id": name}))
        for name in names:
            few.wait_for_event("request", request_id=name)  # and then it is answered
        taken = seconds_of(lambda: few.request(method="GET"))
        assert taken < PROMPT
        for name in names:
            few.wait_for_event("answer_not_taken", request_id=name)
        assert_prompt(few)
        for peer in deaf:
            with pytest.raises(Closed):
                peer.read_response()


DEAF = 5
UNDELAYED = 0.5  # seconds; one peer that does not read would delay a waiting writer by TIMEOUT


@contextlib.contextmanager
def one_worker():
    options = {
        "workers": 1,
        "request_timeout": REQUEST_TIMEOUT,
        "idle_timeout": TIMEOUT,
        "max_body_bytes": 1 << 20,
    }
    with Site(options=options) as site, Service(site) as running:
        yield running


def deaf_connection(service):
    """One whose kernel takes as little as possible for a peer that reads nothing."""
    connection = service.connect()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    return connection


def test_peers_that_never_read_cost_their_own_connections_only():
    """One worker, and answers larger than what its sockets hold."""
    with one_worker() as service, contextlib.ExitStack() as stack:
        world = service.site.world()
        kept = stack.enter_context(service.connect())
        ask(kept)
        body = encode(world.body(note="\x01" * 65_536))
        names = {f"deaf-{i}" for i in range(DEAF)}
        began = time.monotonic()
        deaf = []
        for name in sorted(names):
            deaf.append(stack.enter_context(deaf_connection(service)))
            deaf[-1].send(whole_request(body, keep=True, headers={"X-Request-Id": name}))
            service.wait_for_event("request", request_id=name)
        taken = []
        for _ in range(9):
            taken.append(seconds_of(lambda: service.request(method="GET")))
            taken.append(seconds_of(lambda: ask(kept)))
        assert statistics.median(taken) < UNDELAYED and max(taken) < 0.75 * TIMEOUT, taken
        for name in names:
            service.wait_for_event("answer_not_taken", request_id=name)
        assert time.monotonic() - began >= TIMEOUT
        assert {event["request_id"] for event in service.events("answer_not_taken")} == names
        ask(kept)
        for connection in deaf:
            with pytest.raises(Closed):
                connection.read_response()
        assert service.events("worker_died") == []


def test_an_answer_does_not_wait_for_a_peer_that_begins_at_the_same_moment():
    """The processes are stopped meanwhile, so that the worker is told of both at once."""
    request = whole_request(b"{", keep=True)
    with one_worker() as service, connections(service, 2) as (quick, slow):
        for connection in (quick, slow):
            ask(connection)
        for pid in service.workers():
            suspend(pid)
        quick.send(request)
        slow.send(request[:20])
        for pid in service.workers():
            os.kill(pid, signal.SIGCONT)
        assert seconds_of(quick.read_response) < UNDELAYED


def test_a_stop_waits_for_answers_that_are_being_sent():
    with one_worker() as service:
        world = service.site.world()  # before the connection, which may not be silent for long
        body = encode(world.body(note="\x01" * 65_536))
        with service.connect() as slow:
            slow.send(whole_request(body, keep=True, headers={"X-Request-Id": "slow"}))
            service.wait_for_event("request", request_id="slow")
            service.process.terminate()
            answer = slow.read_response()
            assert_success(answer, world.contact, '"' + "\\u0001" * 65_536 + '"', visibility=1)
            assert slow.is_closed_by_peer()
        assert service.process.wait(15) == 0
        assert service.events("answer_not_taken") == []


def test_a_peer_that_reads_slowly_gets_its_whole_answer(few, few_world):
    body = encode(few_world.body(note=LONG_NOTE))
    with few.connect() as peer:
        peer.send(whole_request(body, headers={"X-Request-Id": "slow"}))
        few.wait_for_event("request", request_id="slow")
        assert_prompt(few, 1)
        answer = peer.read_response()
    assert_success(answer, few_world.contact, '"' + "\\u0001" * len(LONG_NOTE) + '"', visibility=1)


def test_peers_that_leave_before_their_answers_do_no_harm(few, few_world, few_contact):
    request = whole_request(encode(few_world.body(note="x", contact_id=few_contact)))
    for _ in range(20):
        with few.connect() as peer:
            peer.send(request)
    wait_for(lambda: len(few.site.notes(few_contact)) == 20, "the notes of those who left")
    assert_prompt(few)


def test_no_worker_died_of_all_this(few):
    """The last test of this file: no process may have died in the others."""
    assert few.events("worker_died") == []
    assert few.events("worker_timed_out") == []
    assert len(few.workers()) == WORKERS + 1
    idle_descriptors = [len(os.listdir(f"/proc/{pid}/fd")) for pid in few.workers()]
    wait_for(
        lambda: all(len(os.listdir(f"/proc/{pid}/fd")) < 120 for pid in few.workers()),
        f"connections to be closed, of {idle_descriptors}",
    )
