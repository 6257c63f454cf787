"""FastCGI peers that are slow, broken or malicious; others are served all the same."""

import contextlib
import random
import socket
import struct
import threading
import time

import pytest

from support import fastcgi
from support.answers import note_id_of, success_body
from support.processes import open_files
from support.service import Service
from support.site import encode
from support.wait import wait_for

WORKERS = 2
PEERS = WORKERS + 1
REQUEST_TIMEOUT = 4
SECONDS = 1.5  # normal requests beside each kind of peer


class Peer(threading.Thread):
    """One hostile connection after another, until told to end."""

    def __init__(self, service, behaviour, body, seed):
        super().__init__(daemon=True)
        self.service, self.behaviour, self.body = service, behaviour, body
        self.dice = random.Random(seed)
        self.ending = threading.Event()
        self.rounds = 0

    def run(self):
        while not self.ending.is_set():
            with contextlib.suppress(OSError, fastcgi.Closed, AssertionError):
                with self.service.connect() as connection:
                    self.behaviour(self, connection)
            self.rounds += 1
            self.ending.wait(0.01)

    def hold(self, connection):
        """Keeps the connection until the service or the test ends it."""
        connection.socket.settimeout(0.1)
        while not self.ending.is_set():
            with contextlib.suppress(TimeoutError):
                if connection.socket.recv(1) == b"":
                    return

    def wholly(self):
        """A good request, as bytes."""
        return begin() + params(self.body) + stdin(self.body)


def begin(keep=False):
    return fastcgi.encode_record(fastcgi.BEGIN_REQUEST, struct.pack("!HB5x", 1, int(keep)))


def params(body, end=True):
    pairs = fastcgi.encode_pairs(fastcgi.http_params(body).items())
    return fastcgi.encode_record(fastcgi.PARAMS, pairs) + (fastcgi.encode_record(fastcgi.PARAMS) if end else b"")


def stdin(body, end=True):
    records = b"".join(
        fastcgi.encode_record(fastcgi.STDIN, body[i : i + 60000]) for i in range(0, len(body), 60000)
    )
    return records + (fastcgi.encode_record(fastcgi.STDIN) if end else b"")


def silent(peer, connection):
    peer.hold(connection)


def half_a_header(peer, connection):
    connection.send(b"\x01\x01\x00\x01")
    peer.hold(connection)


def half_the_parameters(peer, connection):
    connection.send(begin() + params(peer.body)[:100])
    peer.hold(connection)


def half_the_body(peer, connection):
    connection.send(begin() + params(peer.body) + stdin(peer.body[:10], end=False))
    peer.hold(connection)


def half_of_a_large_body(peer, connection):
    connection.send(begin() + params(b"x" * 130_000) + stdin(b"x" * 100_000, end=False))
    peer.hold(connection)


def half_closed(peer, connection):
    connection.send(begin() + params(peer.body)[:100])
    connection.socket.shutdown(socket.SHUT_WR)
    peer.hold(connection)


def promise_of_a_large_record(peer, connection):
    connection.send(begin() + struct.pack("!BBHHBx", 1, fastcgi.PARAMS, 1, 65535, 255))
    peer.hold(connection)


def one_byte_at_a_time(peer, connection):
    for byte in peer.wholly():
        connection.send(bytes([byte]))
        if peer.ending.wait(0.002):
            return
    peer.hold(connection)


def one_byte_a_record(peer, connection):
    pairs = fastcgi.encode_pairs(fastcgi.http_params(peer.body).items())
    connection.send(begin())
    for byte in pairs:
        connection.send_record(fastcgi.PARAMS, bytes([byte]))
    connection.send_record(fastcgi.PARAMS)
    for byte in peer.body:
        connection.send_record(fastcgi.STDIN, bytes([byte]))
    connection.send_record(fastcgi.STDIN)
    connection.read_response()


def answer_never_read(peer, connection):
    connection.send(peer.wholly())
    peer.ending.wait(0.2)


def many_answers_never_read(peer, connection):
    request = begin(keep=True) + params(peer.body) + stdin(peer.body)
    connection.socket.settimeout(0.1)
    while not peer.ending.is_set():
        with contextlib.suppress(TimeoutError):
            connection.send(request)


def gone_at_once(peer, connection):
    connection.send(peer.wholly())


def garbage(peer, connection):
    connection.send(peer.dice.randbytes(peer.dice.randint(1, 3000)))
    peer.hold(connection)


def garbage_behind_a_beginning(peer, connection):
    connection.send(begin() + peer.dice.randbytes(500))
    peer.hold(connection)


def garbage_for_parameters(peer, connection):
    connection.send(begin() + fastcgi.encode_record(fastcgi.PARAMS, peer.dice.randbytes(500)))
    connection.send_record(fastcgi.PARAMS)
    connection.send_record(fastcgi.STDIN)
    peer.hold(connection)


def another_version(peer, connection):
    connection.send(fastcgi.encode_record(fastcgi.BEGIN_REQUEST, bytes(8), version=9))
    peer.hold(connection)


def interleaved(peer, connection):
    connection.send(begin() + params(peer.body, end=False))
    connection.send(fastcgi.encode_record(fastcgi.BEGIN_REQUEST, struct.pack("!HB5x", 1, 1), 2))
    connection.send(fastcgi.encode_record(fastcgi.PARAMS, b"", 2))
    peer.hold(connection)


def management_flood(peer, connection):
    for _ in range(200):
        connection.send(fastcgi.encode_record(fastcgi.GET_VALUES, b"", 0))
    peer.hold(connection)


def aborts(peer, connection):
    abort = fastcgi.encode_record(fastcgi.ABORT_REQUEST)
    states = [
        begin(),
        begin() + params(peer.body, end=False),
        begin() + params(peer.body),
        begin() + params(peer.body) + stdin(peer.body, end=False),
        peer.wholly(),
    ]
    connection.send(peer.dice.choice(states) + abort)
    peer.ending.wait(0.02)


KINDS = [
    silent,
    half_a_header,
    half_the_parameters,
    half_the_body,
    half_of_a_large_body,
    half_closed,
    promise_of_a_large_record,
    one_byte_at_a_time,
    one_byte_a_record,
    answer_never_read,
    many_answers_never_read,
    gone_at_once,
    garbage,
    garbage_behind_a_beginning,
    garbage_for_parameters,
    another_version,
    interleaved,
    management_flood,
    aborts,
]


@contextlib.contextmanager
def peers(service, kind, body, dice):
    running = [Peer(service, kind, body, dice.random()) for _ in range(PEERS)]
    for peer in running:
        peer.start()
    try:
        yield running
    finally:
        for peer in running:
            peer.ending.set()
        for peer in running:
            peer.join(30)
            assert not peer.is_alive(), f"{peer.behaviour.__name__} did not end"


def normal_requests(service, world, seconds):
    """Requests of a good peer; answers how long each took."""
    times, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        with service.connect(timeout=60) as connection:
            answer = connection.request(
                fastcgi.http_params(body := encode(world.body(note="n"))), body, keep=False
            )
        times.append(time.monotonic() - began)
        assert answer.body == success_body(note_id_of(answer), world.contact, '"n"', 0, 1)
    return times


def idle_descriptors(service):
    pids = sorted([service.process.pid, *service.workers()])
    return {pid: len(open_files(pid)) for pid in pids}


def assert_served(site, kind, dice, seconds):
    site.configure(request_timeout=REQUEST_TIMEOUT, idle_timeout=REQUEST_TIMEOUT // 2)
    with Service(site, args=["--workers", WORKERS]) as service:
        world = site.world()
        body = encode(world.body(note="h" * 60_000))
        normal_requests(service, world, 0.1)
        for _ in range(2 * WORKERS):
            service.request(body)
        before = idle_descriptors(service)
        most = max(before.values()) + 1  # a worker that has not served yet opens as many later
        with peers(service, kind, body, dice) as running:
            times = normal_requests(service, world, seconds)
        slowest = max(times)
        print(f"{len(times)} normal requests, slowest {slowest * 1000:.0f} ms, {sum(p.rounds for p in running)} rounds")
        assert slowest < REQUEST_TIMEOUT
        normal_requests(service, world, 0.1)

        def back():
            now = idle_descriptors(service)
            return now.keys() == before.keys() and all(count <= most for count in now.values())

        wait_for(back, f"{before} descriptors again", 3 * REQUEST_TIMEOUT)
        assert not service.events("worker_died") and not service.events("worker_timed_out")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_normal_requests_are_served_beside_peers_who_are(kind, site, dice, is_long):
    assert_served(site, kind, dice, 20 if is_long else SECONDS)


def now_this_now_that(peer, connection):
    """Another kind each time, and not for long."""
    ending = threading.Timer(peer.dice.uniform(0.05, 1.0), connection.socket.shutdown, [socket.SHUT_RDWR])
    ending.start()
    try:
        peer.dice.choice(KINDS)(peer, connection)
    finally:
        ending.cancel()


def test_normal_requests_are_served_beside_a_mixture(site, dice, is_long):
    assert_served(site, now_this_now_that, dice, 60 if is_long else 6)
