"""The service as processes: started by hand, watched in /proc, and ended by the test itself."""

import contextlib
import fcntl
import signal
import subprocess
from pathlib import Path

from support import processes
from support.fastcgi import Closed, http_params
from support.paths import CALL_PATH
from support.service import Service
from support.wait import wait_for

USAGE, UNAVAILABLE, CANTCREAT, CONFIG = 64, 69, 73, 78


def run(site, *args, **more):
    """Runs the service and waits until it ends by itself."""
    done = subprocess.run(
        [site.program(), "--config", site.config, *args],
        **{"stdin": subprocess.DEVNULL, "env": site.environment(), **more},
        capture_output=True,
        text=True,
        timeout=30,
        cwd=site.directory,
    )
    for mark in processes.SANITIZER_MARKS:
        assert mark not in done.stderr, done.stderr
    return done


def assert_fails(done, status, *parts):
    """The program says one line that holds these parts, prints nothing, and ends so."""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("crmnotes.fcgi: ")
    for part in parts:
        assert str(part) in done.stderr
    assert (done.returncode, done.stdout) == (status, "")


@contextlib.contextmanager
def running(site, **more):
    """A service that the test itself ends, and which must then leave nothing behind."""
    service = Service(site, **more).start()
    try:
        yield service
        if service.process.returncode == -signal.SIGKILL:
            site.socket.unlink()  # a killed master leaves it
        service.assert_clean()
    finally:
        processes.kill_session(service.process.pid)
        service.process.wait(20)


def serves(service):
    return service.request(method="GET").status == 405


def answers_at(service, base):
    """Whether the call is at this path; a single process may just be between two lives."""
    try:
        return service.request(method="GET", path=base + CALL_PATH).status == 405
    except Closed:
        return False


def reload(service):
    before = len(service.events("reloaded"))
    service.signal(signal.SIGHUP)
    wait_for(lambda: len(service.events("reloaded")) > before, "the reload", 30)


def reload_all(service):
    """Reload, and wait until each process from before has ended: an old worker that has just
    accepted a connection answers it by the settings from before."""
    before = set(service.workers())
    reload(service)
    wait_for(lambda: service.workers() and not before & set(service.workers()), "new ones", 30)


def is_writer(pid):
    """By its title."""
    try:
        return b": writer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return False


def writer_of(service):
    """The writer's id; None while there is none."""
    return next((pid for pid in service.workers() if is_writer(pid)), None)


@contextlib.contextmanager
def writers_held_up(site):
    """No other process can write to the database inside."""
    with open(f"{site.database}.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def waits_for_lock(pid):
    return pid in processes.waiting_for_lock()


def send(connection, body, *, keep=False, **http):
    """Sends a whole request; the caller waits for the answer."""
    connection.begin(keep=keep)
    connection.params(http_params(body, **http))
    connection.stdin(body)


def half_sent(service, body):
    """A connection with the first half of a request, and the other half."""
    connection = service.connect()
    connection.begin(keep=True)
    connection.params(http_params(body))
    connection.stdin(body[: len(body) // 2], end=False)
    return connection, body[len(body) // 2 :]
