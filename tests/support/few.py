"""A pool of two workers, so that a test notices a peer that delays one of them."""

import contextlib
import statistics
import time

from support.service import Service
from support.site import Site

WORKERS = 2
REQUEST_TIMEOUT = 4
TIMEOUT = 2  # for a peer to send or take anything

PROMPT = 1.0  # seconds; a median on a loaded machine, where an idle one needs some 20 ms


@contextlib.contextmanager
def few_workers():
    """Two of them, that give up slow peers after TIMEOUT."""
    options = {
        "workers": WORKERS,
        "request_timeout": REQUEST_TIMEOUT,
        "idle_timeout": TIMEOUT,
        "max_body_bytes": 1 << 20,
        "max_note_bytes": 1 << 18,
    }
    with Site(options=options) as site, Service(site) as running:
        yield running


@contextlib.contextmanager
def connections(service, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(service.connect()) for _ in range(count)]


def seconds_of(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def assert_prompt(service, count=9):
    """New connections are served without much waiting."""
    taken = [seconds_of(lambda: service.request(method="GET")) for _ in range(count)]
    assert statistics.median(taken) < PROMPT, taken
