"""Where the log goes: files and their rotation, standard error, syslog."""

import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from support.family import running, serves
from support.fastcgi import http_params
from support.private_dev import PRIVATE_DEV, can_have_a_private_dev
from support.processes import open_files
from support.service import Service
from support.site import Site
from support.wait import wait_for


# Fewer processes than by default, to be started and ended quickly.
SITE_OPTIONS = {"workers": 2}


def lines(path, event="request"):
    read = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in read if line["event"] == event]


def send(service, name):
    return service.request(b"{", headers={"X-Request-Id": name})


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_the_log_may_be_a_file(single):
    with Site(options={"workers": 1}) as site:
        log = site.directory / "x.log"
        site.configure(log=log)
        with Service(site, single=single) as service:
            send(service, "in-the-file")
            wait_for(lambda: "in-the-file" in log.read_text(), "the line")
        assert service.log_text() == ""  # standard error
        for line in log.read_text().splitlines():
            json.loads(line)


# The journal


def log_to_socket(site, journal_stream):
    """The lines that the service writes to a standard error like systemd's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        st = os.fstat(theirs.fileno())
        env = site.environment(JOURNAL_STREAM=journal_stream.format(dev=st.st_dev, ino=st.st_ino))
        command = [site.program(), "--config", site.config, "--workers", "1"]
        with subprocess.Popen(command, stderr=theirs, env=env) as process:
            wait_for(site.socket.exists, "the socket")
            process.terminate()
            assert process.wait(20) == 0
        return ours.recv(1 << 20).decode().splitlines()


def test_the_journal_gets_the_priority_of_each_line(site):
    read = [(line[:3], json.loads(line[3:])) for line in log_to_socket(site, "{dev}:{ino}")]
    assert "started" in [event["event"] for _, event in read]
    priorities = {"info": "<6>", "warning": "<4>", "error": "<3>"}
    assert all(prefix == priorities[event["level"]] for prefix, event in read)


@pytest.mark.parametrize("stream", ["{dev}:1", "1:{ino}", "{ino}", ""])
def test_another_standard_error_is_not_the_journal(site, stream):
    events = [json.loads(line)["event"] for line in log_to_socket(site, stream)]
    assert "started" in events


# Rotation


def test_the_log_is_opened_anew(site, single):
    log, old = site.directory / "x.log", site.directory / "x.log.1"
    site.configure(log=log)
    with running(site, single=single) as service, service.connect() as kept:

        def ask():
            assert kept.request(http_params(b"{"), b"{", keep=True).status == 400

        ask()
        wait_for(lambda: lines(log), "a line")
        log.rename(old)
        ask()
        service.signal(signal.SIGUSR1)
        wait_for(lambda: log.exists(), "another file")
        # every process has let go of the old one
        everyone = [service.process.pid, *service.workers()]
        wait_for(lambda: not any(str(old) in open_files(pid).values() for pid in everyone), "the last one")
        count = len(lines(old))
        for _ in range(5):
            ask()
            assert serves(service)
        assert len(lines(old)) == count >= 2
        assert len(lines(log)) == 10
        assert service.stop() == 0
    assert stat.S_IMODE(log.stat().st_mode) & 0o007 == 0


def test_a_log_that_cannot_be_opened_anew_goes_on(site):
    directory = site.directory / "logs"
    directory.mkdir(0o777)
    directory.chmod(0o777)
    site.configure(log=directory / "x.log")
    with running(site) as service:
        directory.rename(site.directory / "moved")
        service.signal(signal.SIGUSR1)
        log = site.directory / "moved" / "x.log"
        wait_for(lambda: lines(log, "log_not_reopened"), "a complaint")
        before = len(lines(log))
        assert serves(service)
        wait_for(lambda: len(lines(log)) > before, "a line")
        assert service.stop() == 0


def test_no_line_is_lost_when_the_log_is_rotated_under_load(site):
    log = site.directory / "x.log"
    site.configure(log=log)
    with running(site) as service:
        # an answer is sent before its line is written
        before = wait_for(lambda: len(lines(log)), "the line of the first answer")
        for number in range(10):
            log.rename(log.with_suffix(f".{number}"))
            service.signal(signal.SIGUSR1)
            for _ in range(10):
                assert serves(service)
            wait_for(log.exists, "another file")
        assert service.stop() == 0
    files = site.directory.glob("x.*")
    assert sum(len(lines(path)) for path in files) == before + 100


# Syslog

@pytest.mark.skipif(not can_have_a_private_dev(), reason="needs mount namespaces, so root")
@pytest.mark.parametrize("log,stderr", [("stderr", "null"), ("syslog", "file")])
def test_syslog(log, stderr):
    """Also where standard error is the null device, as under spawn-fcgi."""
    with Site(options={"workers": 1, "log": log}) as site:
        syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        syslog.bind(str(site.directory / "syslog.sock"))
        syslog.settimeout(20)
        service = Service(site, as_owner=False)
        service.address = site.socket
        command = ["unshare", "-m", "/bin/bash", "-c", PRIVATE_DEV, "bash", site.directory]
        with open("/dev/null" if stderr == "null" else service.log, "ab") as output:
            service.process = subprocess.Popen(
                [*command, site.program(), "--config", site.config],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=site.environment(),
            )
        try:
            service.wait_until_it_answers()
            send(service, "to-syslog")
            while b"to-syslog" not in (message := syslog.recv(65536)):
                pass
            head, _, line = message.decode().partition(": ")
            assert re.fullmatch(r"<30>.* crmnotes\.fcgi\[\d+\]", head)  # daemon.info
            assert json.loads(line.rstrip("\0\n"))["code"] == "INVALID_JSON"
        finally:
            status = service.stop()
            syslog.close()
        assert status == 0 and "to-syslog" not in service.log_text()
        service.assert_clean()
