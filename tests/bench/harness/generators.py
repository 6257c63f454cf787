"""
What makes load, and how much of it.

Closed-loop load is wrk's: each connection sends as soon as it has its answer. Its percentiles are
corrected for coordinated omission: a request that waits for long counts for those that its
connection would have sent meanwhile, so the 99th percentile shows a server that serves some
clients at once and lets others wait.

Open-loop load is open_load.c's: requests at a constant rate, and latency from the moment when each
was due.
"""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from support.paths import BUILD, CALL_PATH, SOURCE

SCRIPT = SOURCE / "tests" / "bench" / "load.lua"
OPEN_LOAD = BUILD / "tests" / "bench" / "open_load"
TIMEOUT_SECONDS = 70  # longer than any web server here waits for an answer


@dataclass(frozen=True)
class Load:
    """What is sent. Answers count as successes when they say so, or with this error code."""

    bodies: Path
    connections: int
    seconds: float
    warm: float = 1.0  # seconds of load before, which do not count
    update: bool = False  # the bodies update notes
    code: str = ""
    reads: bool = False  # the call stores nothing
    path: str = CALL_PATH  # of the call
    rate: int | None = None  # open-loop: requests a second
    good_ms: int | None = None  # open-loop: successes count if they come in time, and refusals may come


def wrk(subject, load, seconds):
    """Runs wrk; what load.lua wrote."""
    result = subject.site.directory / f"wrk-{threading.get_ident()}.json"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        ["wrk", "-t", "1", "-c", str(load.connections), "-d", f"{max(1, round(seconds))}s", "--timeout",
         f"{TIMEOUT_SECONDS}s", "-s", SCRIPT, subject.url(load.path), "--", load.bodies, subject.code_of(load)],
        env={**os.environ, "BENCH_RESULT": str(result)},
        capture_output=True,
        text=True,
    )  # fmt: skip
    if done.returncode != 0 or not result.exists():
        raise AssertionError(f"wrk: {done.stdout}{done.stderr}")
    found = json.loads(result.read_text())
    return {"requests_per_s": round(found["succeeded"] / found["seconds"], 1), **found}


def open_load(port, load):
    """Runs open_load; what it printed."""
    numbers = [load.rate, max(1, round(load.seconds)), load.connections]
    if load.good_ms:
        numbers.append(load.good_ms)
    done = subprocess.run(
        [OPEN_LOAD, str(port), CALL_PATH, load.bodies, *map(str, numbers)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise AssertionError(f"open_load: {done.stderr}")
    found = json.loads(done.stdout)
    found = {"requests_per_s": found.pop("achieved_per_s"), **found}
    if load.good_ms:
        found["requests_per_s"] = round(found["good"] / found["seconds"], 1)
        found["failed"] -= found["refused"]
        found["first_failure"] = found["first_failure"] if found["failed"] else ""
    return found


class StalledServer:
    """
    A web server that answers nothing for a while after the first request, and then all. Used as
    a context manager.
    """

    ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"status":"success"}'

    def __init__(self, seconds, connections):
        self.seconds = seconds
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.begun, self.answers = threading.Event(), threading.Event()
        parts = [self._stall, *[self._serve] * connections]
        self.threads = [threading.Thread(target=part, daemon=True) for part in parts]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.listening.close()

    def _stall(self):
        self.begun.wait()
        time.sleep(self.seconds)
        self.answers.set()

    def _serve(self):
        connection, _ = self.listening.accept()
        with connection:
            while connection.recv(65536):
                self.begun.set()
                self.answers.wait()
                connection.sendall(self.ANSWER)


def check_open_load():
    """
    AssertionError unless open_load counts latency from when a request was due: a server that
    stalls for 0.7 s of one second makes more than half of the requests late, though only two
    have been sent meanwhile.
    """
    with StalledServer(0.7, connections=2) as server, tempfile.NamedTemporaryFile() as bodies:
        bodies.write(b"{}\n")
        bodies.flush()
        found = open_load(server.port, Load(Path(bodies.name), 2, 1, rate=200))
    assert (found["succeeded"], found["failed"]) == (200, 0), found
    assert found["p50_ms"] > 100, f"open_load does not count from when a request is due: {found}"
