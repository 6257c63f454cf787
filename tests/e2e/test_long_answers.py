"""Long answers through nginx: whoever reads them slowly keeps nothing of the service busy."""

import contextlib
import json
import socket

import pytest

from support import webservers
from support.calls import FETCH, data_of, fetch_body
from support.memory import Memory
from support.paths import SERVICE
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for

CLIENTS = 64
WORKERS = 3
WORKER_MIB = 8  # as in docs/design.md


def request(body):
    head = f"POST {FETCH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def client(stack, port):
    """A client that takes as little as possible before it reads."""
    made = stack.enter_context(socket.socket())
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(60)
    made.connect(("127.0.0.1", port))
    return made


def small_nginx(site):
    """nginx, for which the kernel keeps nearly nothing on the way to clients."""
    nginx = webservers.Nginx(site)
    listen = f"listen 127.0.0.1:{nginx.port}"
    nginx.replace = {f"{listen};": f"{listen} sndbuf=16k;"}
    return nginx


def read_all(connection):
    pieces = []
    while pieces[-1:] != [b""]:
        pieces.append(connection.recv(1 << 20))
    return b"".join(pieces)


def long_answers(service):
    return sum(event.get("bytes", 0) > 1 << 20 for event in service.events("request"))


@pytest.mark.skipif(b"__asan_init" in SERVICE.read_bytes(), reason="sanitizers need more memory")
def test_nginx_takes_over_the_answers_of_slow_readers():
    options = {"workers": WORKERS}
    with Site(options=options) as site, Service(site) as service, small_nginx(site) as nginx:
        world = site.world()
        for number in range(18):
            data_of(service.call(world.body(note=f"{number} ".ljust(60_000, "x"))))
        body = encode(fetch_body(world, include_notes=1))
        data_of(service.request(body, path=FETCH))
        memory = Memory([service.process.pid, *service.workers()])
        with contextlib.ExitStack() as stack:
            clients = [client(stack, nginx.port) for _ in range(CLIENTS)]
            for each in clients:
                each.sendall(request(body))
            wait_for(lambda: long_answers(service) == 1 + CLIENTS, "all answers", 60)
            wait_for(lambda: memory.more() <= WORKERS * WORKER_MIB, "the memory's return")
            for each in clients:
                head, _, answer = read_all(each).partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                assert len(json.loads(answer)["data"]["notes"]) == 18
