"""No key, secret or text of a note is anywhere but in the database."""

import contextlib
import os
import re
import signal
import uuid
from pathlib import Path

import pytest

from support import processes
from support.family import reload_all, writer_of
from support.monitor import monitored
from support.raw import send
from support.site import encode
from support.wait import wait_for


@pytest.fixture
def service(start):
    running = start({"workers": 2})
    running.world = running.site.world()
    return running


CANARY = "CANARY7f3a9"


def files_below(*places):
    for place in places:
        for path in Path(place).rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path


def test_no_secret_and_no_note_is_in_any_file_but_the_database(service):
    world = service.world
    secrets = [world.api_key, world.developer_secret]
    notes = [f"{CANARY}-good", f"{CANARY}-bad"]
    bodies = [
        world.body(note=notes[0]),
        world.body(note=notes[1], contact_id="x"),
        world.body(note=notes[1], api_key=f"{CANARY}-key"),
        world.body(note=notes[1], developer_secret=f"{CANARY}-secret"),
        world.body(note=[notes[1]]),
        world.body(note=notes[1], note_id=f"{CANARY}-id"),
        world.body(note=notes[1], **{f"{CANARY}-field": f"{CANARY}-value"}),
    ]
    for body in bodies:
        send(service, body)
        send(service, encode(body) + b"x")
        send(service, encode(body)[:-9])
        send(service, encode(body), CONTENT_LENGTH="7")
        send(service, encode(body), path="/x")
        send(service, encode(body) + b" " * 140000)
        send(service, body, remote_addr="192.0.2.1")
    reload_all(service)
    wait_for(lambda: len(service.workers()) == 3, "all of the new ones")
    os.kill(min(service.workers()), signal.SIGABRT)
    wait_for(lambda: service.events("worker_died"), "the death of a worker")
    database = {p.name for p in service.site.data.iterdir() if p.name.startswith("crmnotes.db")}
    for path in files_below(service.site.directory):
        content = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, path
        if path.name not in database:
            assert CANARY.encode() not in content, path


def test_no_environment_and_no_command_line_holds_a_secret(service):
    secrets = [service.world.api_key, service.world.developer_secret]
    send(service, service.world.body(note=CANARY))
    for pid in [service.process.pid, *service.workers()]:
        for name in ("environ", "cmdline"):
            content = Path(f"/proc/{pid}/{name}").read_bytes()
            assert not any(secret.encode() in content for secret in [*secrets, CANARY])


SHADOW_BYTES = 1 << 30  # AddressSanitizer's shadow memory is larger, and holds no data


def memory_of(pid):
    """All that a process has mapped and written to."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            if "w" not in rights:
                continue
            begin, end = (int(part, 16) for part in place.split("-"))
            if end - begin >= SHADOW_BYTES:
                continue
            with contextlib.suppress(OSError):
                parts.append(os.pread(memory.fileno(), end - begin, begin))
    return b"".join(parts)


def test_the_writer_has_no_key_and_no_socket_that_it_does_not_need(start):
    service = start({"workers": 1})
    key = service.site.key_file.read_bytes()
    assert service.call(service.site.world().body()).status == 200
    writer = writer_of(service)
    (worker,) = set(service.workers()) - {writer}
    try:
        workers, writers = memory_of(worker), memory_of(writer)
    except PermissionError:
        pytest.skip("nobody may read a process's memory here")
    assert (key in workers, key in writers) == (True, False)
    (inode,) = re.findall(r"(\d+) " + re.escape(str(service.site.socket)) + "$", unix_sockets(), re.MULTILINE)
    assert f"socket:[{inode}]" in processes.open_files(worker).values()
    assert f"socket:[{inode}]" not in processes.open_files(writer).values()


def test_the_monitor_has_no_key_and_not_the_socket_of_the_calls():
    with monitored(workers=1) as made:
        key = made.service.site.key_file.read_bytes()
        monitor = made.pid("monitor")
        try:
            assert (key in memory_of(made.pid("worker")), key in memory_of(monitor)) == (True, False)
        except PermissionError:
            pytest.skip("nobody may read a process's memory here")
        (inode,) = re.findall(rf"(\d+) {re.escape(str(made.service.site.socket))}$", unix_sockets(), re.MULTILINE)
        assert f"socket:[{inode}]" not in processes.open_files(monitor).values()


def unix_sockets():
    return Path("/proc/net/unix").read_text()


def test_no_letter_to_the_writer_is_kept_after_the_answer(start):
    service = start({"workers": 1})
    world = service.site.world()
    assert service.call(world.body(note="warm up")).status == 200
    canary = "canary " + uuid.uuid4().hex
    service.call(world.body(note=canary, member_id=world.second_member))  # refused, so never stored
    try:
        found = canary.encode() in memory_of(writer_of(service))  # the letters are shared with it
    except PermissionError:
        pytest.skip("nobody may read a process's memory here")
    assert not found


def test_no_core_file_can_be_written(service):
    for pid in [service.process.pid, *service.workers()]:
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0", limits)


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_no_secret_is_logged_when_the_database_fails(start, single):
    service = start({"workers": 2}, single=single)
    site = service.site
    world = site.world("Fails")
    moved = site.directory / "moved.db"
    body = world.body(note=f"{CANARY} note")
    assert service.call(body).status == 200
    site.database.rename(moved)
    for _ in range(4):
        assert service.call(body).status == 503
    moved.rename(site.database)
    wait_for(lambda: service.call(body).status == 200, "recovery")
    text = service.log_text()
    assert CANARY not in text and world.api_key not in text and world.developer_secret not in text
