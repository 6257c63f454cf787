"""A process without a free descriptor goes on serving, and does not use up the processor."""

import contextlib
import os
import time

import pytest

from support.fastcgi import Closed, http_params
from support.processes import descriptors_limited, open_files, stat
from support.raw import ask
from support.site import encode
from support.wait import wait_for

ROOM = 6


@pytest.fixture
def service(start):
    """One process, so that it is clear whose descriptors end; of our own user, to limit them."""
    running = start({"request_timeout": 10}, single=True, as_owner=False)
    running.world = running.site.world()
    with running.connect() as last:
        ask(last)
        body = encode(running.world.body())
        assert last.request(http_params(body), body, keep=False).status == 200  # all files are open
        assert last.is_closed_by_peer()
    return running


def cpu_seconds(pid):
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_idle_kept_connections_make_way_for_new_ones(service):
    pid = service.process.pid
    with descriptors_limited(pid, ROOM), contextlib.ExitStack() as stack:
        kept = []
        for _ in range(3 * ROOM):
            kept.append(stack.enter_context(service.connect()))
            ask(kept[-1])  # and stays open
        event = service.wait_for_event("accept_failed")
        assert event["level"] == "error" and "open files" in event["message"]
        assert all(connection.is_closed_by_peer() for connection in kept[:ROOM])
        ask(kept[-1])  # the last connection has stayed
    assert service.call(service.world.body()).status == 200


def test_waiting_for_a_descriptor_costs_no_processor_time(service):
    pid = service.process.pid
    with contextlib.ExitStack() as stack:
        with descriptors_limited(pid, 0):
            waiting = stack.enter_context(service.connect(30))
            waiting.begin()
            waiting.params(http_params(b"{"))
            waiting.stdin(b"{")
            service.wait_for_event("accept_failed")
            before, began = cpu_seconds(pid), time.monotonic()
            wait_for(lambda: time.monotonic() - began > 1.5, "time to pass")
            assert cpu_seconds(pid) - before < 0.5
        assert waiting.read_response().status == 400  # as soon as there are some again
    lines = service.events("accept_failed")
    assert len(lines) == 1  # not one for every attempt


def test_requests_in_hand_keep_their_descriptors(service):
    """Unlike idle ones: a request that has begun is not given up for a new connection."""
    pid = service.process.pid
    body = b"{" * 10
    with contextlib.ExitStack() as stack:
        with descriptors_limited(pid, 2):
            begun = []
            for _ in range(2):
                connection = stack.enter_context(service.connect())
                connection.begin(keep=True)
                connection.params(http_params(body))
                connection.stdin(body[:5], end=False)
                begun.append(connection)
            wait_for(lambda: sum("socket:" in name for name in open_files(pid).values()) >= 3, "both", 5)
            stack.enter_context(service.connect())
            service.wait_for_event("accept_failed")
            for connection in begun:
                connection.stdin(body[5:])
                with contextlib.suppress(Closed):
                    assert connection.read_response().status == 400
                    continue
                raise AssertionError("a request that had begun was given up")
