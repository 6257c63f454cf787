"""Random disturbances of a service: processes killed and stopped, reloads, operators' changes."""

import contextlib
import os
import signal
import threading
import time

from support import processes
from support.family import is_writer, writer_of
from support.site import CtlError
from support.wait import wait_for

# crmnotesctl may find the database locked by a process that we stopped.
CTL_MAY_SAY = (69, 75)


def send(pid, how):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


def workers_of(service):
    return [pid for pid in service.workers() if not is_writer(pid)]


class Chaos:
    """Does random things to a service, one every pause_s on average."""

    def __init__(self, service, world, dice, *, pause_s, contested):
        self.service = service
        self.site = service.site
        self.world = world
        self.dice = dice
        self.pause_s = pause_s
        self.contested = contested  # a contact that changes its owner
        self.kills = 0
        self.done = {}
        self.sessions = [service.process.pid]
        self._resuming = []

    def run(self, until, enough=lambda: True):
        """Goes on until that time, and then until enough has been done."""
        actions = {
            self.kill_worker: 8,
            self.kill_writer: 6,
            self.stop_worker: 4,
            self.stop_writer: 4,
            self.reload: 2,
            self.reopen_log: 2,
            self.assign: 3,
            self.allow: 2,
            self.backup: 1,
            self.restart_master: 0.4,
        }
        must = [
            self.kill_writer,
            self.kill_worker,
            self.stop_writer,
            self.reload,
            self.backup,
            self.assign_back,
            self.restart_master,
            self.assign_away,
        ]
        while time.monotonic() < until or not enough():
            action = must.pop() if must else self.dice.choices(list(actions), actions.values())[0]
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
            action()
            time.sleep(self.dice.uniform(0, 2 * self.pause_s))
        for timer in self._resuming:
            timer.join()

    def kill_worker(self):
        self._kill(self._worker())

    def kill_writer(self):
        self._kill(writer_of(self.service))

    def stop_worker(self):
        self._stop(self._worker())

    def stop_writer(self):
        self._stop(writer_of(self.service))

    def reload(self):
        self.service.signal(signal.SIGHUP)

    def reopen_log(self):
        log = self.site.directory / "crmnotes.log"
        if log.exists():
            log.rename(self.site.directory / f"crmnotes.log.{time.monotonic_ns()}")
        self.service.signal(signal.SIGUSR1)

    def assign(self):
        self.dice.choice([self.assign_away, self.assign_back])()

    def assign_away(self):
        self._ctl("contact", "assign", self.contested, "--owner", self.world.second_member)

    def assign_back(self):
        self._ctl("contact", "assign", self.contested, "--owner", self.world.member)

    def allow(self):
        block = f"10.{self.dice.randrange(256)}.{self.dice.randrange(256)}.0/24"
        self._ctl("allow", "add", self.world.devkey_id, block)

    def backup(self):
        copy = self.site.data / f"backup-{time.monotonic_ns()}.db"
        self._ctl("db", "backup", copy)
        copy.unlink(missing_ok=True)

    def restart_master(self):
        """Continues the processes that were stopped, so that they notice the end of their master."""
        session = self.service.process.pid
        self.service.process.kill()
        self.service.process.wait()
        self.kills += 1
        for pid in processes.session_members(session):
            send(pid, signal.SIGCONT)
        processes.assert_session_is_gone(session, 45)
        self.service.start()
        self.sessions.append(self.service.process.pid)

    def _worker(self):
        workers = workers_of(self.service)
        return self.dice.choice(workers) if workers else None

    def _kill(self, pid):
        if pid is not None:
            send(pid, signal.SIGKILL)
            self.kills += 1

    def _stop(self, pid):
        if pid is None:
            return
        send(pid, signal.SIGSTOP)
        seconds = self.dice.choice([0.01, 0.1, 0.5, 1.5])
        timer = threading.Timer(seconds, send, (pid, signal.SIGCONT))
        timer.start()
        self._resuming.append(timer)

    def _ctl(self, *words):
        try:
            self.site.ctl(*words)
        except CtlError as failure:
            assert failure.status in CTL_MAY_SAY, failure
        self.site.give_to_owner()


def assert_no_descriptor_leaks(service, before):
    """before: number of descriptors of the master, when it was idle."""
    pid = service.process.pid
    wait_for(lambda: len(processes.open_files(pid)) <= before, "the master to close its descriptors", 10)
