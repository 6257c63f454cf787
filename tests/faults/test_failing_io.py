"""The n-th call on database or WAL fails; every answer is true all the same."""

import concurrent.futures
import errno
import itertools
import random
import time

import pytest

from faults import preload
from faults.chaos import send
from faults.ledger import ACKNOWLEDGED, Ledger, assert_sound, join_clients, start_clients
from faults.preload import FORGOTTEN, SHORT_WRITE, Faults
from support.family import writer_of
from support.service import Service
from support.site import Site
from support.wait import wait_for
from support.webservers import Nginx

SIDE_BY_SIDE = 4  # most of the time is spent waiting for a new writer
RECOVERY_SECONDS = 15.0  # over the longest pause between two writers

WRITE_ERRORS = (errno.EIO, errno.ENOSPC, errno.EINTR, SHORT_WRITE)
SYNC_ERRORS = (errno.EIO, errno.ENOSPC, errno.EINTR)
PLACES = (0, 1, 2, 3, 5, 9, 17)

# (operation, files, error, how many calls pass, whether all that follow fail, too)
CASES = [
    *itertools.product(["write"], ["wal"], WRITE_ERRORS, PLACES, [False]),
    *itertools.product(["write"], ["wal"], (errno.EIO, errno.ENOSPC), PLACES, [True]),
    *itertools.product(["sync"], ["wal"], SYNC_ERRORS, (0, 1, 2), [False, True]),
    *itertools.product(["write"], ["database"], WRITE_ERRORS, (0, 1, 50), [False]),
    *itertools.product(["write"], ["database"], (errno.EIO, errno.ENOSPC), (0, 50), [True]),
    *itertools.product(["sync"], ["database"], SYNC_ERRORS, (0,), [False, True]),
    *itertools.product(["open"], ["database", "wal", "shm"], (errno.EIO, errno.EMFILE, errno.ENOSPC), (0, 1), [False, True]),
    *itertools.product(["write", "truncate"], ["shm"], (errno.EIO, errno.ENOSPC), (0, 1), [False, True]),
]
SHORT_FORM = {"pool": 16, "single": 28}  # the writer that fails is replaced with pauses


class Trial:
    """A service with its clients, to which one case after another happens."""

    def __init__(self, libraries, single, dice):
        self.site = Site()
        self.libraries = libraries
        self.single = single
        self.dice = dice
        self.ledger = Ledger()
        self.slowest_s = 0.0
        self.struck = []

    def run(self, cases):
        how = {"listen": "inherited", "single": True} if self.single else {"args": ["--workers", 2]}
        with self.site, Faults(self.libraries("faults"), self.site) as self.faults:
            self.world = self.site.world()
            self.service = Service(self.site, env=self.faults.environment, **how)
            with self.service, Nginx(self.site) as web:
                self.port = web.port
                self.send(1)
                for case in cases:
                    self.befall(*case)
            verdict = self.ledger.judge(self.site.database)
            assert verdict.is_good(), f"{verdict} after {self.struck}"
            assert_sound(self.site.database)
        return self

    def befall(self, operation, files, error, after, lasting):
        if operation == "open" or files == "shm":
            self.renew_processes()
        self.faults.fail(operation, files=files, error=error, after=after, lasting=lasting)
        if files == "database" and operation != "open":
            self.send(90, sizes=(40_000, 60_000))  # until a checkpoint is due
        else:
            self.send(5)
        self.faults.clear()
        if self.faults.struck:
            self.struck.append((operation, files, errno.errorcode.get(error, "SHORT"), after, lasting))
        began = time.monotonic()
        wait_for(self.stores_a_note, f"a note after {operation} {files} {error}", RECOVERY_SECONDS, 0.05)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def renew_processes(self):
        if not self.single:
            for pid in {writer_of(self.service), self.service.workers()[-1]} - {None}:
                send(pid, 9)
            wait_for(lambda: len(self.service.workers()) == 3, "new processes")

    def send(self, each, count=4, **more):
        clients = start_clients(count, self.port, self.ledger, self.world, self.dice, limit=each, **more)
        join_clients(clients)
        return clients

    def stores_a_note(self):
        (client,) = self.send(1, count=1)
        return self.ledger.entries[f"{client.name}-1"].state == ACKNOWLEDGED


@pytest.mark.parametrize("mode", SHORT_FORM)
def test_the_ledger_holds_whatever_call_fails(mode, libraries, dice, is_long, scale):
    preload.build("faults", libraries("faults").parent)
    cases = list(CASES) if is_long else dice.sample(CASES, int(SHORT_FORM[mode] * scale))
    dice.shuffle(cases)
    trials = [Trial(libraries, mode == "single", random.Random(dice.random())) for _ in range(SIDE_BY_SIDE)]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        shares = [cases[i::SIDE_BY_SIDE] for i in range(SIDE_BY_SIDE)]
        done = list(threads.map(Trial.run, trials, shares))
    struck = sum(len(trial.struck) for trial in done)
    for trial in done:
        print(trial.ledger.summary())
    print(f"{struck} of {len(cases)} faults struck; slowest recovery {max(t.slowest_s for t in done):.1f} s")
    assert struck > len(cases) / 3


def test_the_ledger_notices_a_disk_that_forgets(libraries, site, dice):
    """Shows that the test above can fail: writes to the WAL are reported as done, but are not."""
    ledger = Ledger()
    with Faults(libraries("faults"), site) as faults:
        service = Service(site, args=["--workers", 2], env=faults.environment)
        with service, Nginx(site) as web:
            world = site.world()
            join_clients(start_clients(1, web.port, ledger, world, dice, limit=5))
            faults.fail("write", files="wal", error=FORGOTTEN, lasting=True)
            join_clients(start_clients(1, web.port, ledger, world, dice, limit=20))
        site.database.with_name("crmnotes.db-shm").unlink()  # it would remember
    assert ledger.count(ACKNOWLEDGED) > 5
    assert ledger.judge(site.database).lost
