"""Kept connections, and more of them than there are processes and places."""

import contextlib
import statistics
import threading
import time

import pytest

from support.answers import assert_success
from support.fastcgi import Connection, http_params, whole_request
from support.few import PROMPT, TIMEOUT, WORKERS, assert_prompt, connections, seconds_of
from support.raw import ask
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for


@pytest.mark.parametrize("kept", [WORKERS, 5 * WORKERS, 50 * WORKERS])
def test_more_kept_connections_than_workers_keep_no_new_one_waiting(few, kept):
    with connections(few, kept) as idle:
        for connection in idle:
            ask(connection)
        assert_prompt(few)
        taken = [seconds_of(lambda: ask(connection)) for connection in idle]
        assert statistics.median(taken) < PROMPT, taken


def test_connections_on_which_nothing_was_ever_sent_keep_no_new_one_waiting(few):
    with connections(few, 10 * WORKERS):
        assert_prompt(few)


def test_many_requests_on_one_connection(few, few_world):
    body = encode(few_world.body(note="x"))
    with few.connect() as connection:
        ids = set()
        for i in range(300):
            if i % 10:
                ask(connection)
            else:
                answer = connection.request(http_params(body), body, keep=True)
                ids.add(assert_success(answer, few_world.contact, '"x"', visibility=1))
        assert len(ids) == 30


def test_a_connection_that_is_not_to_be_kept_is_closed(few):
    with few.connect() as connection:
        ask(connection)
        answer = connection.request(http_params(b"{"), b"{", keep=False)
        assert answer.status == 400
        assert connection.is_closed_by_peer()


def test_an_idle_kept_connection_outlives_all_time_limits(few):
    with few.connect() as connection:
        ask(connection)
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 2.5 * TIMEOUT, "time to pass")
        ask(connection)


def test_requests_on_many_kept_connections_at_the_same_moment(few, few_world, few_contact):
    def work(connection, number):
        for i in range(10):
            body = encode(few_world.body(note=f"{number} {i}", contact_id=few_contact))
            answer = connection.request(http_params(body), body, keep=True)
            notes.append(assert_success(answer, few_contact, f'"{number} {i}"', visibility=1))

    notes = []
    with connections(few, 20) as many:
        threads = [threading.Thread(target=work, args=pair) for pair in zip(many, range(20))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    stored = few.site.notes(few_contact)
    assert {note["note_id"] for note in stored} == set(notes)
    assert {note["note_content"] for note in stored} == {f"{n} {i}" for n in range(20) for i in range(10)}


def test_a_burst_of_new_connections_beside_kept_ones_is_served_quickly(few):
    with connections(few, 10) as kept, contextlib.ExitStack() as stack:
        for connection in kept:
            ask(connection)
        began = time.monotonic()
        burst = [stack.enter_context(few.connect()) for _ in range(100)]
        for connection in burst:
            connection.send(whole_request(b"{"))
        for connection in burst:
            assert connection.read_response().status == 400
        assert time.monotonic() - began < 5  # left to others, each would wait for its 20 ms


def serves_soon(service):
    try:
        with service.connect(timeout=2.0) as connection:
            return connection.request(http_params(b"{"), b"{").status == 400
    except TimeoutError:
        return False


def test_idle_connections_beyond_all_places_do_not_stop_the_service(start):
    service = start({"workers": 1, "request_timeout": 4, "idle_timeout": 2})
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            peer = stack.enter_context(service.connect(timeout=1.0))
            peer.begin(keep=True)
            peer.params(http_params(b"{}"))
            peer.stdin(b"{}")
        wait_for(lambda: serves_soon(service), "service beside them", 30)


def test_tcp_peers_are_served_alike():
    with Site(options={"workers": 1}) as site, Service(site, listen="tcp") as service:
        with Connection(service.address) as kept:
            ask(kept)
            assert_prompt(service)
            ask(kept)


def test_long_answers_on_a_kept_tcp_connection_are_not_delayed():
    """By no acknowledgement that the peer's kernel holds back, some 40 ms each."""
    with Site(options={"workers": 1}) as site, Service(site, listen="tcp") as service:
        world = site.world()
        with Connection(service.address) as kept:

            def ask_for(request):
                kept.send(request)
                assert kept.read_response().status == 200

            def fastest(note):  # each would be delayed
                request = whole_request(encode(world.body(note=note)), keep=True)
                return min(seconds_of(lambda: ask_for(request)) for _ in range(21))

            short = fastest("x")  # what storing takes
            for size in (5_000, 10_000, 20_000, 60_000):
                assert fastest("x" * size) < short + 0.020
