"""More requests than the disk can take: the newest are refused at once, and nothing else is lost."""

import contextlib
import statistics
import time

import pytest

from faults.preload import SlowDisk
from support.calls import FETCH, fetch_body
from support.fastcgi import whole_request
from support.service import Service
from support.site import encode
from support.wait import wait_for

PLACES = 64  # requests in hand of a worker
TIMEOUT = 4  # request_timeout
SYNC_MS = 1000  # less than a third of that, within which the writer has to take a note
MANY = 5 * PLACES  # the disk takes PLACES in one or two seconds
ACCEPTING = 0.06 + MANY * 0.001  # seconds until a worker without room has all connections
AT_ONCE = 0.5 + ACCEPTING


@pytest.fixture
def slow(libraries, site):
    return SlowDisk(libraries("slow"), site)


@pytest.fixture
def service(site, slow):
    site.configure(request_timeout=TIMEOUT)
    world = site.world()
    with Service(site, env=slow.environment, args=["--workers", "1"]) as running:
        running.world = world
        assert running.call(world.body(note="opens the database")).status == 200
        yield running


class Crowd:
    """Requests that are sent at the same moment, each on a connection of its own."""

    def __init__(self, service, stack, name, count):
        self.notes = [f"{name} {number}" for number in range(count)]
        requests = [whole_request(encode(service.world.body(note=note))) for note in self.notes]
        self.peers = [stack.enter_context(service.connect(30)) for _ in requests]
        self.began = time.monotonic()
        for peer, request in zip(self.peers, requests, strict=True):
            peer.send(request)
        self.seconds = [None] * count

    def look(self):
        """Notes when answers came. True when all have."""
        now = time.monotonic() - self.began
        for number, peer in enumerate(self.peers):
            if self.seconds[number] is None and peer.is_readable():
                self.seconds[number] = now
        return None not in self.seconds

    def answers(self):
        wait_for(self.look, "all answers", 30, interval=0.01)
        return [peer.read_response() for peer in self.peers]


def send(service, name, count):
    """The crowd and its answers."""
    with contextlib.ExitStack() as stack:
        crowd = Crowd(service, stack, name, count)
        return crowd, crowd.answers()


def contents(service):
    notes = service.site.notes(service.world.contact)
    return sorted(note["note_content"] for note in notes[1:])


def test_the_newest_are_refused_at_once_and_the_older_ones_are_stored(service, slow):
    slow.set(SYNC_MS)
    first, answers = send(service, "first", PLACES)
    assert [answer.status for answer in answers] == [200] * PLACES

    crowd, answers = send(service, "many", MANY)
    refused = [number for number, answer in enumerate(answers) if answer.status == 503]
    stored = [number for number, answer in enumerate(answers) if answer.status == 200]
    assert len(refused) + len(stored) == MANY
    assert len(refused) > PLACES
    assert stored[:PLACES] == list(range(PLACES))
    assert statistics.median(refused) > statistics.median(stored)
    assert max(crowd.seconds[number] for number in stored) < TIMEOUT + ACCEPTING
    assert statistics.median(crowd.seconds[number] for number in refused) < AT_ONCE
    for number in refused:
        answer = answers[number]
        assert answer.header("X-Error-Code") == "UNAVAILABLE"
        assert answer.body == b'{"data":["The note was not stored. Try again."],"status":"error"}'
        assert 1 < int(answer.header("Retry-After")) <= 2 * TIMEOUT
    assert contents(service) == sorted([*first.notes, *(crowd.notes[number] for number in stored)])
    logged = service.events("request", reason="overloaded")
    assert len(logged) == len(refused)
    assert {(line["code"], line["http_status"]) for line in logged} == {("UNAVAILABLE", 503)}


def test_nothing_is_refused_any_more_when_the_cause_has_gone(service, slow):
    slow.set(SYNC_MS)
    send(service, "first", PLACES)
    _, answers = send(service, "many", MANY)
    assert 503 in [answer.status for answer in answers]
    slow.set(0)
    _, answers = send(service, "after", MANY)
    assert [answer.status for answer in answers] == [200] * MANY


def test_reading_calls_are_refused_alike_but_documents_are_answered(service, slow):
    slow.set(SYNC_MS)
    send(service, "first", PLACES)
    with contextlib.ExitStack() as stack:
        crowd = Crowd(service, stack, "many", MANY)
        wait_for(lambda: crowd.look() or any(crowd.seconds), "a refusal")
        unknown = service.request(method="GET", path="/nothing")
        document = service.request(method="GET", path="/apis/v2/public/openapi.json")
        fetched = service.request(encode(fetch_body(service.world)), path=FETCH)
        crowd.answers()
    assert unknown.status == 404
    assert document.status == 200
    assert fetched.status == 503
    assert fetched.body == b'{"data":["The service is not available. Try again."],"status":"error"}'
    assert int(fetched.header("Retry-After")) > 1


def test_one_slow_request_makes_a_quiet_service_refuse_nothing(service, slow):
    slow.set(SYNC_MS)
    send(service, "slow", 1)
    slow.set(0)
    _, answers = send(service, "many", MANY)
    assert [answer.status for answer in answers] == [200] * MANY
