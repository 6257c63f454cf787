"""Long answers: how much memory they take while clients read them slowly, and that they fit."""

import contextlib
import os
import signal

import pytest

from support import processes
from support.answers import assert_success
from support.calls import FETCH, data_of, fetch_body
from support.fastcgi import END_REQUEST, whole_request
from support.memory import Memory
from support.paths import SERVICE
from support.raw import as_answer, ask
from support.site import encode
from support.wait import wait_for

CLIENTS = 64
WORKERS = 3  # each can have 64 connections
TEXT_BYTES = 60_000  # of a note
# The figure of docs/design.md.
ANSWER_MIB, WORKER_MIB = 1.25, 8
LIMIT_MIB = CLIENTS * ANSWER_MIB + WORKERS * WORKER_MIB


def write_notes(service, world, count, size):
    for number in range(count):
        body = world.body(note=f"{number} ".ljust(size, "x"))
        answer = as_answer(service.call(body))
        assert_success(answer, world.contact, f'"{body["note"]}"', visibility=1)


def read_all(peer):
    """Reads an answer; how many bytes it has."""
    size, record = 0, peer.read_record()
    while record.type != END_REQUEST:
        size += len(record.content)
        record = peer.read_record()
    return size


def answered(service):
    """How many answers of a mebibyte the log has."""
    return sum(event.get("bytes", 0) > 1 << 20 for event in service.events("request"))


def fetch_by_all(service, peers, request):
    """
    Every peer sends its request at the same moment, and reads nothing.

    The workers are stopped meanwhile, so that each finds many requests at once.
    """
    workers = service.workers()
    for pid in workers:
        processes.suspend(pid)
    for peer in peers:
        peer.send(request)
    for pid in workers:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def service(start):
    if b"__asan_init" in SERVICE.read_bytes():
        pytest.skip("sanitizers need memory of their own")
    running = start({"workers": WORKERS, "idle_timeout": 60, "request_timeout": 120})
    running.world = running.site.world()
    write_notes(running, running.world, 18, TEXT_BYTES)
    return running


@pytest.mark.parametrize("kept", [True, False], ids=["kept connections", "new connections"])
def test_slow_readers_of_long_answers_take_no_more_memory_than_is_said(service, kept):
    body = encode(fetch_body(service.world, include_notes=1))
    request = whole_request(body, path=FETCH, keep=kept)
    assert len(data_of(service.request(body, path=FETCH))["notes"]) == 18
    before = answered(service)
    memory = Memory(processes.session_members(service.process.pid))
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(service.connect(60)) for _ in range(CLIENTS)]
        if kept:
            for peer in peers:
                ask(peer)
        fetch_by_all(service, peers, request)
        wait_for(lambda: answered(service) == before + CLIENTS, "all answers", 60)
        held = memory.more()
        assert CLIENTS / 2 < held <= LIMIT_MIB  # half of it is certainly with the service
        assert memory.peak() <= LIMIT_MIB
        assert all(read_all(peer) > 1 << 20 for peer in peers)
    wait_for(lambda: memory.more() <= WORKERS * WORKER_MIB, "the memory's return")


def test_long_answers_fit_where_bodies_are_short(start):
    service = start({"workers": 1, "max_body_bytes": 20_000, "max_note_bytes": 16_000})
    world = service.site.world()
    write_notes(service, world, 70, 15_900)
    body = fetch_body(world, include_notes=1)
    data = data_of(service.call(body, path=FETCH))
    assert len(data["notes"]) == 66 and data["notes_next"] is not None
