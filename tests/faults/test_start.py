"""The n-th call fails while the service starts: it starts all the same, or reports why not."""

import errno
import json
import signal

import pytest

from support import fastcgi
from support.family import run
from support.fastcgi import Closed
from support.service import Service
from support.wait import wait_for

# By sysexits.h: no database, internal, no resources, cannot create, I/O, configuration.
FAILED = {69, 70, 71, 73, 74, 78}


def assert_told(status, stderr):
    assert status in FAILED, (status, stderr)
    lines = stderr.splitlines()
    said = [line for line in lines if not line.startswith("{")]
    logged = [line for line in lines if line.startswith("{") and json.loads(line)["level"] == "error"]
    assert said or logged, stderr  # later failures are in the log
    assert all(line.startswith("crmnotes.fcgi: ") for line in said), stderr


def test_a_kernel_that_refuses_files_in_memory(site, faults):
    """As the seccomp profile of a container may."""
    site.configure(workers=1, idle_timeout=1)
    world = site.world()
    faults.fail("memfd", error=errno.EPERM, lasting=True)
    with Service(site, env=faults.environment) as service:
        event = service.wait_for_event("no_memfd")
        assert event["level"] == "warning" and "memfd_create" in event["message"]
        assert service.call(world.body()).status == 200
        with pytest.raises((Closed, OSError)):
            service.call(world.body(note="x" * 65_536))
        service.wait_for_event("request_given_up")
        faults.clear()
        assert service.call(world.body(note="x" * 65_536)).status == 200


def test_a_check_without_memory(site, faults, dice, is_long, scale):
    site.configure(socket_group=None)  # glibc itself ends where it looks for a group without memory
    struck = 0
    most = 2000  # beyond all, of which nearly all are those of SQLite
    counts = range(most) if is_long else [*range(8), *sorted(dice.sample(range(8, 700), int(60 * scale))), most]
    for after in counts:
        faults.fail("malloc", error=errno.ENOMEM, after=after)
        done = run(site, "--check-config", env=site.environment(**faults.environment))
        if not faults.struck:
            break
        struck += 1
        if done.returncode != 0:
            assert_told(done.returncode, done.stderr)
    assert done.returncode == 0 and done.stderr == ""
    assert struck > 20


@pytest.mark.parametrize("files", ["database", "wal", "shm"])
@pytest.mark.parametrize("error", [errno.EIO, errno.EMFILE, errno.EACCES], ids=errno.errorcode.get)
def test_a_check_without_files(files, error, site, faults):
    faults.fail("open", files=files, error=error, lasting=True)
    done = run(site, "--check-config", env=site.environment(**faults.environment))
    if faults.struck and done.returncode != 0:
        assert_told(done.returncode, done.stderr)
    assert faults.struck or files == "wal"  # which is opened when there is something in it


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_a_start_without_memory(single, site, faults, dice, is_long, scale):
    site.configure(workers=1)
    site.configure(socket_group=None)
    counts = range(1500) if is_long else sorted(dice.sample(range(1500), int(30 * scale)))
    ended = 0
    for after in counts:
        faults.fail("malloc", error=errno.ENOMEM, after=after)
        service = Service(site, single=single, env=faults.environment)
        service.log = site.directory / f"{after}.log"
        service.start(wait=False)
        try:
            wait_for(lambda: service.process.poll() is not None or comes_up(service), "start or end", 30)
        finally:
            faults.clear()
            if service.process.poll() is None:
                assert service.stop(signal.SIGTERM) == 0
            else:
                ended += 1
                assert_told(service.process.returncode, service.log_text())
            service.assert_clean()
    print(f"{ended} of {len(counts)} starts were given up")


def comes_up(service):
    try:
        return service.request(method="GET").status == 405
    except (OSError, fastcgi.Closed):  # libfcgi ends a worker that has no memory
        return False
