"""Waiting for a condition instead of sleeping."""

import socket
import time


def wait_for(condition, what, seconds=15.0, interval=0.01):
    """The first true answer of condition(); AssertionError naming what after seconds.

    It is asked less and less often, up to every fifth interval, so that waiting costs little.
    """
    deadline, longest = time.monotonic() + seconds, 5 * interval
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(interval)
        interval = min(1.2 * interval, longest)


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
