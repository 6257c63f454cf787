"""No processes, descriptors, disk or memory; serving goes on when there are some again."""

import contextlib
import errno
import os
import resource
import shutil
import signal
import subprocess
import time

import pytest

from faults.chaos import send, workers_of
from faults.ledger import ACKNOWLEDGED, REFUSED, Ledger, assert_sound, join_clients, start_clients
from support.family import is_writer, writer_of
from support.processes import descriptors_limited, limited
from support.service import Service
from support.site import Site, owner_of_sites
from support.wait import wait_for
from support.webservers import Nginx

RECOVERY_SECONDS = 25.0
WORKERS = 2


class Bench:
    """A service behind nginx with a ledger of what is sent to it."""

    def __init__(self, site, service, port, dice):
        self.site, self.service, self.port, self.dice = site, service, port, dice
        self.ledger = Ledger()
        self.world = site.world()
        self.site.give_to_owner()

    def start(self, each, count=3, **more):
        return start_clients(count, self.port, self.ledger, self.world, self.dice, limit=each, **more)

    def send(self, each, count=3, **more):
        clients = self.start(each, count, **more)
        join_clients(clients)
        return [self.ledger.entries[f"{c.name}-{i + 1}"] for c in clients for i in range(each)]

    def stores(self):
        return self.send(1, count=1)[0].state == ACKNOWLEDGED

    def wait_until_it_stores(self):
        began = time.monotonic()
        wait_for(self.stores, "a note after the fault", RECOVERY_SECONDS, 0.05)
        return time.monotonic() - began

    def assert_master_lives(self):
        assert self.service.process.poll() is None, "the master has ended"

    def judge(self):
        """Once the service has ended."""
        print(self.ledger.summary())
        verdict = self.ledger.judge(self.site.database)
        assert verdict.is_good(), verdict
        assert_sound(self.site.database)


@contextlib.contextmanager
def bench(site, dice, env=None, **more):
    service = Service(site, args=["--workers", WORKERS], env=env, **more)
    with service, Nginx(site) as web:
        made = Bench(site, service, web.port, dice)
        made.send(4)
        yield made
        made.assert_master_lives()
    made.judge()


def test_no_process_can_be_made(site, faults, dice):
    with bench(site, dice, faults.environment) as b:
        lost = [writer_of(b.service), workers_of(b.service)[0]]
        faults.fail("fork", error=errno.EAGAIN, lasting=True)
        for pid in lost:
            send(pid, signal.SIGKILL)
        b.service.wait_for_event("fork_failed")
        waiting = b.start(1)  # they cannot be stored now
        wait_for(lambda: faults.struck >= 3, "more attempts")
        b.assert_master_lives()
        faults.clear()
        join_clients(waiting)
        print(f"stores again after {b.wait_until_it_stores():.1f} s")
        wait_for(lambda: len(b.service.workers()) == WORKERS + 1, "all processes")
        assert all(b.ledger.entries[f"{c.name}-1"].state == ACKNOWLEDGED for c in waiting)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_no_descriptors_are_left(room, site, dice):
    with bench(site, dice, as_owner=False) as b:
        with contextlib.ExitStack() as limits:
            for pid in [b.service.process.pid, *b.service.workers()]:
                limits.enter_context(descriptors_limited(pid, room))
            crowd = b.start(2, count=12)  # more than there is room for
            with contextlib.suppress(AssertionError):
                join_clients(crowd, 1.0)
            b.assert_master_lives()
        join_clients(crowd)
        print(f"stores again after {b.wait_until_it_stores():.1f} s")


@pytest.mark.parametrize("role", ["writer", "master"])
def test_files_that_may_not_grow(site, role):
    """RLIMIT_FSIZE, as systemd's LimitFSIZE= sets it: a write fails, and no process is killed by XFSZ."""
    site.configure(workers=1, log=site.directory / "crmnotes.log")
    world = site.world()
    with Service(site, as_owner=False) as service:
        assert service.call(world.body(note="before")).status == 200
        writer = writer_of(service)
        pid = writer if role == "writer" else service.process.pid
        with limited(pid, resource.RLIMIT_FSIZE, 1000):
            answers = [service.call(world.body(note="x" * 60_000)) for _ in range(3)]
            if role == "writer":
                assert {answer.header("X-Error-Code") for answer in answers} == {"UNAVAILABLE"}
                assert len(site.notes(world.contact)) == 1
            else:
                assert {answer.status for answer in answers} == {200}
                (worker,) = set(service.workers()) - {writer}
                os.kill(worker, signal.SIGKILL)  # which the master writes into its log
                wait_for(lambda: len(set(service.workers()) - {worker}) == 2, "a new worker")
        assert service.call(world.body(note="after")).status == 200
        assert writer in service.workers()
        assert service.stop() == 0


def test_a_new_writer_finds_no_descriptors(site, faults, dice):
    with bench(site, dice, faults.environment) as b:
        faults.fail("open", files="both", error=errno.EMFILE, lasting=True)
        send(writer_of(b.service), signal.SIGKILL)
        refused = b.send(1)
        assert [entry.code for entry in refused] == ["UNAVAILABLE"] * len(refused)
        faults.clear()
        print(f"stores again after {b.wait_until_it_stores():.1f} s")


@contextlib.contextmanager
def small_disk(directory, mib):
    """A file system of its own on directory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0750", "none", directory], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@contextlib.contextmanager
def site_on_small_disk(mib):
    """As small_disk, where we may mount; otherwise on a large one (see fill)."""
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(Site(migrate=False))
        if owner_of_sites():
            stack.enter_context(small_disk(site.data, mib))
        site.ctl("db", "migrate")
        site.give_to_owner()
        yield site


def fill(site):
    """Leaves some 1.5 MiB free."""
    free = shutil.disk_usage(site.data).free
    ballast = site.data / "ballast"
    with open(ballast, "wb") as file:
        for _ in range((free - 3 * 2**19) // 2**16):
            file.write(bytes(2**16))
    return ballast


def test_a_full_disk(dice):
    if not owner_of_sites():
        pytest.skip("only root may mount; test_failing_io.py has ENOSPC")
    with site_on_small_disk(24) as site, bench(site, dice) as b:
        for _ in range(2):
            ballast = fill(site)
            entries = b.send(60, sizes=(30_000, 60_000))
            last = b.send(3, sizes=(30_000, 60_000))
            assert {e.state for e in last} == {REFUSED}, "the disk did not get full"
            assert {e.code for e in entries if e.state == REFUSED} <= {"UNAVAILABLE"}
            b.assert_master_lives()
            event = b.service.wait_for_event("commit_failed")
            assert (event["level"], event["status"]) == ("error", "unavailable"), event
            assert "full" in event["message"] and event["commands"] >= 1
            ballast.unlink()
            print(f"stores again after {b.wait_until_it_stores():.1f} s")


def fail_allocations(b, faults, pid, counts, each=2):
    """One allocation after another fails in one process; answers what clients were told."""
    told = []
    for after in counts:
        faults.fail("malloc", error=errno.ENOMEM, after=after, pid=pid())
        told += b.send(each, count=2)
        faults.clear()
        b.assert_master_lives()
    return told


def some(dice, is_long, most):
    """How many allocations go well before one fails."""
    return range(most) if is_long else sorted(dice.sample(range(most), 12))


@pytest.mark.parametrize("process", ["worker", "writer"])
def test_no_memory_in_a(process, site, faults, dice, is_long):
    def pid():
        wait_for(b.stores, "a note between two faults", RECOVERY_SECONDS, 0.05)
        pids = [p for p in b.service.workers() if is_writer(p) == (process == "writer")]
        return dice.choice(pids)

    with bench(site, dice, faults.environment) as b:
        fail_allocations(b, faults, pid, some(dice, is_long, 60))
        print(f"stores again after {b.wait_until_it_stores():.1f} s")


def test_a_lack_of_memory_is_not_blamed_on_the_client(site, faults, dice):
    with bench(site, dice, faults.environment) as b:
        for after in range(38, 44):  # where json-c allocates
            workers = workers_of(b.service)
            faults.fail("malloc", error=errno.ENOMEM, after=after, pid=dice.choice(workers))
            b.send(2, count=2)
            faults.clear()
        refusals = {e.code for e in b.ledger.entries.values() if e.state == REFUSED}
    assert refusals <= {"UNAVAILABLE", "INTERNAL"}


def test_no_memory_in_the_master(site, faults, dice, is_long):
    """On a reload, which is when the master allocates."""
    with bench(site, dice, faults.environment) as b:
        for after in some(dice, is_long, 40):
            faults.fail("malloc", error=errno.ENOMEM, after=after, lasting=True, pid=b.service.process.pid)
            before = reloads(b.service)
            b.service.signal(signal.SIGHUP)
            wait_for(lambda: faults.struck or reloads(b.service) > before, "the reload")
            faults.clear()
            b.assert_master_lives()
            assert b.stores()


def reloads(service):
    return service.log_text().count('"event":"reloading"')
