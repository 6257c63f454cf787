"""A log without a reader keeps the service neither from serving nor from ending."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest

from support.private_dev import PRIVATE_DEV, can_have_a_private_dev
from support.service import Service
from support.site import Site, owner_of_sites
from support.wait import wait_for

REQUESTS = 1000


@pytest.fixture
def site():
    with Site(options={"workers": 2, "credential_failures": "off"}) as made:
        yield made


def start(site, stderr, *, single=False, as_owner=True, before=()):
    """A service whose standard error is a descriptor of ours."""
    service = Service(site, single=single)
    service.address = site.socket
    more = {}
    if as_owner and (owner := owner_of_sites()):
        site.open_to_owner()
        more = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    service.process = subprocess.Popen(
        [*before, site.program(), "--config", site.config, *(["--single"] if single else [])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
        env=site.environment(),
        cwd=site.directory,
        **more,
    )
    service.wait_until_it_answers()
    return service


def answers(service, count=REQUESTS):
    for number in range(count):
        answer = service.request(b"{", headers={"X-Request-Id": f"{number}-{'x' * 50}"})
        assert answer.status == 400, number


def stops_promptly(service):
    began = time.monotonic()
    service.signal(signal.SIGTERM)
    assert service.process.wait(15) == 0
    assert time.monotonic() - began < 5
    service.assert_clean()


def read_lines(end):
    """What is there, once for each call; the rest of a line is for the next one."""
    os.set_blocking(end, False)
    text = b""
    while True:
        try:
            piece = os.read(end, 65536)
        except BlockingIOError:
            break
        if not piece:
            break
        text += piece
    return [json.loads(line) for line in text.splitlines()]


def is_ours(line):
    return line["event"] == "request" and "-x" in line["request_id"]


def pipe():
    return os.pipe()


def stream_socket():
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
@pytest.mark.parametrize("as_owner", [True, False], ids=["foreign", "own"])
@pytest.mark.parametrize("make", [pipe, stream_socket])
def test_nobody_reads_standard_error(site, make, as_owner, single):
    """A pipe that another user made cannot be opened once more: another way to write."""
    ours, theirs = make()
    try:
        service = start(site, theirs, single=single, as_owner=as_owner)
        os.close(theirs)
        answers(service)
        stops_promptly(service)
    finally:
        os.close(ours)


def test_lost_lines_are_counted_when_there_is_a_reader_again(site):
    site.configure(workers=1)
    ours, theirs = os.pipe()
    service = start(site, theirs)
    os.close(theirs)
    answers(service)
    lines = read_lines(ours)

    def lost():
        lines.extend(read_lines(ours))
        return [line for line in lines if line["event"] == "log_lines_lost"]

    wait_for(lost, "the number of lost lines")
    stops_promptly(service)
    lines.extend(read_lines(ours))
    os.close(ours)
    requests = [line["request_id"] for line in lines if is_ours(line)]
    assert len(requests) == len(set(requests))
    told = sum(line["count"] for line in lines if line["event"] == "log_lines_lost")
    assert len(requests) + told == REQUESTS
    assert [line for line in lines if line["event"] == "stopped"]


def test_a_slow_reader_loses_nothing(site):
    """The queue of a process holds what a pipe does not."""
    ours, theirs = os.pipe()
    service = start(site, theirs)
    os.close(theirs)
    seen = []

    def ours_seen():
        seen.extend(read_lines(ours))
        return len([line for line in seen if is_ours(line)])

    for burst in range(5):
        answers(service, 250)  # more than a pipe holds
        wait_for(lambda: ours_seen() == 250 * (burst + 1), "all lines")
    stops_promptly(service)
    ours_seen()
    os.close(ours)
    assert not [line for line in seen if line["event"] == "log_lines_lost"]


@pytest.mark.parametrize("read", [False, True], ids=["without reader", "with reader"])
@pytest.mark.parametrize("check", [False, True], ids=["start", "check"])
def test_a_fifo_is_refused_at_once(site, check, read):
    fifo = site.directory / "log.fifo"
    os.mkfifo(fifo, 0o666)
    site.configure(log=fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK) if read else None
    run = subprocess.run(
        [site.program(), "--config", site.config, *(["--check-config"] if check else [])],
        capture_output=True,
        text=True,
        timeout=20,
        env=site.environment(),
    )
    if read:
        os.close(end)
    assert run.returncode == 73
    assert f"{fifo} is a FIFO: name a regular file" in run.stderr


@pytest.mark.skipif(not can_have_a_private_dev(), reason="needs mount namespaces, so root")
@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_nobody_reads_syslog(site, single):
    site.configure(log="syslog")
    syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    syslog.bind(str(site.directory / "syslog.sock"))
    before = ["unshare", "-m", "/bin/bash", "-c", PRIVATE_DEV, "bash", site.directory]
    service = start(site, subprocess.DEVNULL, single=single, as_owner=False, before=before)
    answers(service)
    stops_promptly(service)
    syslog.close()
