"""What a supervisor hears by the protocol of sd_notify(3), on a real socket without systemd."""

import contextlib
import os
import signal
import socket
import struct
import time

import pytest

from support import processes
from support.family import reload, running, serves
from support.wait import wait_for

# Fewer processes than by default, to be started and ended quickly.
SITE_OPTIONS = {"workers": 2}


class Supervisor:
    """The socket, and what has come: (process id of the sender, {name: value})."""

    def __init__(self, name):
        self.name = str(name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        if not self.name.startswith("@"):
            os.chmod(self.name, 0o777)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.setblocking(False)
        self.messages = []

    def close(self):
        self.socket.close()

    def hear(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, control, _, _ = self.socket.recvmsg(4096, 256)
                pid = struct.unpack("iII", control[0][2])[0]
                self.messages.append((pid, dict(line.split("=", 1) for line in data.decode().split("\n"))))
        return self.messages

    def said(self, name):
        """The messages that have this variable."""
        return [message for _, message in self.hear() if name in message]

    def wait_for(self, name, count=1):
        """The last message with this variable, once there are so many."""
        wait_for(lambda: len(self.said(name)) >= count, f"{count} times {name}", 30)
        return self.said(name)[-1]


@pytest.fixture(params=["path", "abstract"])
def supervisor(request, site):
    name = site.directory / "notify" if request.param == "path" else f"@crmnotes-test-{os.getpid()}"
    made = Supervisor(name)
    yield made
    made.close()


def supervised(site, supervisor, **more):
    return running(site, env={"NOTIFY_SOCKET": supervisor.name, **more})


def test_it_is_ready_when_it_serves_and_says_when_it_stops(site, supervisor):
    with supervised(site, supervisor) as service:
        ready = supervisor.wait_for("READY")
        assert ready == {"READY": "1", "STATUS": "serving, 2 workers"}
        assert len(service.workers()) == 3, "two workers and a writer"
        assert serves(service)
        service.stop()
        stopping = supervisor.wait_for("STOPPING")
        assert stopping["STOPPING"] == "1" and stopping["STATUS"]
        assert {pid for pid, _ in supervisor.messages} == {service.process.pid}
        assert len(supervisor.messages) == 2


def test_the_master_alone_has_the_socket(site, supervisor):
    with supervised(site, supervisor, WATCHDOG_USEC="60000000") as service:
        supervisor.wait_for("READY")

        def sockets(pid):
            return {what for what in processes.open_files(pid).values() if what.startswith("socket:")}

        of_children = set().union(*(sockets(pid) for pid in service.workers()))
        assert of_children
        assert len(sockets(service.process.pid) - of_children) == 1
        service.stop()


def test_a_reload_is_announced_and_ends_ready(site, supervisor):
    with supervised(site, supervisor) as service:
        supervisor.wait_for("READY")
        before_us = time.monotonic_ns() // 1000
        site.configure(workers=3)
        reload(service)
        ready = supervisor.wait_for("READY", 2)
        assert ready["STATUS"] == "serving, 3 workers"
        [reloading] = supervisor.said("RELOADING")
        assert reloading["RELOADING"] == "1"
        assert before_us <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        order = [name for _, message in supervisor.messages for name in message if name in ("READY", "RELOADING")]
        assert order == ["READY", "RELOADING", "READY"]
        service.stop()


def test_a_refused_reload_ends_ready_and_the_status_says_why(site, supervisor):
    with supervised(site, supervisor) as service:
        supervisor.wait_for("READY")
        site.config.write_text(site.config.read_text() + "workers = many\n")
        service.signal(signal.SIGHUP)
        refused = supervisor.wait_for("READY", 2)
        reason = service.wait_for_event("reload_failed")["message"]
        assert refused["STATUS"] == f"serving, 2 workers; reload refused: {reason}"
        assert serves(service)
        service.stop()


def test_signs_of_life_come_from_the_loop_of_the_master(site, supervisor):
    with supervised(site, supervisor, WATCHDOG_USEC="400000") as service:
        supervisor.wait_for("READY")
        supervisor.wait_for("WATCHDOG", 4)
        processes.suspend(service.process.pid)
        heard = len(supervisor.said("WATCHDOG"))
        assert serves(service), "workers do not need the master"
        time.sleep(0.6)  # three times of it
        assert len(supervisor.said("WATCHDOG")) == heard
        service.signal(signal.SIGCONT)
        supervisor.wait_for("WATCHDOG", heard + 1)
        service.stop()


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}])
def test_no_sign_of_life_where_none_is_expected(site, supervisor, more):
    with supervised(site, supervisor, **more) as service:
        supervisor.wait_for("READY")
        reload(service)
        supervisor.wait_for("READY", 2)
        assert supervisor.said("WATCHDOG") == []
        service.stop()


def test_a_supervisor_that_reads_nothing_holds_up_nothing(site, supervisor):
    with supervised(site, supervisor, WATCHDOG_USEC="20000") as service:
        for _ in range(3):
            reload(service)
        time.sleep(0.5)  # more signs of life than the socket holds
        assert serves(service)
        reload(service)
        supervisor.wait_for("READY")
        supervisor.wait_for("WATCHDOG", len(supervisor.said("WATCHDOG")) + 1)
        service.stop()


def test_a_supervisor_that_is_not_there_is_a_warning(site):
    with running(site, env={"NOTIFY_SOCKET": site.directory / "nothing"}) as service:
        event = service.wait_for_event("supervisor_unreachable")
        assert event["level"] == "warning" and str(site.directory / "nothing") in event["message"]
        assert serves(service)
        service.stop()
