"""
What a process of the service cannot do, even after an attacker took it over.

Needs programs that were built with ./configure --enable-attacks. Each attack is made twice:
with `sandbox = no` it must succeed, or its failure otherwise would prove nothing. Run as
root, because permissions of files do not limit root.
"""

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess

import pytest

from support import processes
from support.paths import SERVICE
from support.service import Service
from support.wait import free_port, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="as root, whom permissions do not stop")

ROLES = ["worker", "writer", "monitor", "single"]
SIGSYS = int(signal.SIGSYS)
DENIED = {errno.EACCES, errno.EPERM, errno.ENOSYS}


SITE_OPTIONS = {"workers": 1, "socket_group": None}


# Without Landlock, as on a kernel that has none, only the filter of system calls confines.
OPEN, CONFINED, FILTERED = "open", "confined", "without Landlock"
BY_LANDLOCK = {"read", "write"}  # attacks that Landlock alone prevents


@contextlib.contextmanager
def under_attack(site, role, attacks, *, sandbox):
    """The service, of which processes of one role carry out the attacks when they start."""
    status = f"unix:{site.directory}/status.sock" if role == "monitor" else None
    site.configure(sandbox="no" if sandbox == OPEN else "yes", status_listen=status)
    service = Service(
        site,
        listen="inherited" if role == "single" else "unix",
        single=role == "single",
        env={"ATTACKS": ";".join(f"{role} {attack}" for attack in attacks)}
        | ({"ATTACKS_WITHOUT_LANDLOCK": "1"} if sandbox == FILTERED else {}),
        as_owner=False,
    )
    service.start(wait=False)
    try:
        yield service
    finally:
        processes.stop(service.process)
        site.socket.unlink(missing_ok=True)
        (site.directory / "status.sock").unlink(missing_ok=True)


def outcomes(site, role, attacks, *, sandbox):
    """The errno of each attack, 0 for success."""

    def all_done():
        events = [line for line in lines(service) if line["event"] == "attack"]
        return events if len(events) >= len(attacks) else None

    with under_attack(site, role, attacks, sandbox=sandbox) as service:
        events = wait_for(all_done, "the attacks")[: len(attacks)]
    names = [" ".join([event["name"], event.get("argument", "")]).strip() for event in events]
    assert names == attacks
    return {name: event["errno"] for name, event in zip(names, events)}


def lines(service):
    complete = service.log_text().rpartition("\n")[0]
    return [json.loads(line) for line in complete.split("\n") if line.startswith("{")]


def test_this_build_has_the_attacks():
    """Shows that the test in tests/protocol, that a normal build has none of them, can fail."""
    assert b"ATTACKS" in SERVICE.read_bytes() and b"attack_unknown" in SERVICE.read_bytes()


@pytest.fixture
def victim():
    """A process that does not belong to the service, as a target of attacks."""
    started = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield started
    started.kill()
    started.wait()


@pytest.fixture
def peer():
    """A port of this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def attacks_of(site, role, victim, peer):
    """Attacks that do not kill the process; their files are in a directory of their own."""
    outside = site.directory / "outside"
    outside.mkdir()
    for name in ("emptied", "renamed", "mode", "removed", "present"):
        (outside / name).write_text("x")
    unix, datagrams = outside / "unix.sock", outside / "datagrams.sock"
    attacks = [
        "read /etc/passwd",
        "read /etc/shadow",
        f"read {outside}/present",
        f"read /proc/{victim.pid}/maps",
        f"write {outside}/made",
        f"write {outside}/present",
        "write /etc/crmnotes-attack",
        f"empty {outside}/emptied",
        f"rename {outside}/renamed",
        f"chmod {outside}/mode",
        f"remove {outside}/removed",
        f"connect {peer}",
        f"connect_unix {unix}",
        f"datagram {datagrams}",
        f"listen {free_port()}",
        f"signal {victim.pid}",
        f"signal_group {victim.pid}",
        f"set_owner {victim.pid}",
        f"limit {victim.pid}",
        "fork",
        "map_code",
    ]
    if role != "single":  # which may use all of the database's directory
        attacks += ["signal 0", f"write {site.data}/made", f"write {site.key_file}"]
    if role in ("worker", "monitor"):
        attacks += [f"write {site.database}", f"write {site.database}-wal", f"write {site.database}.lock"]
    if role in ("writer", "monitor"):
        attacks += [f"read {site.key_file}", f"read {site.config}"]
    attacks.append(f"signal_by_input {victim.pid}")  # the last one, because it kills
    return attacks, unix, datagrams


def prevented_by_landlock(attack, role):
    name = attack.split()[0]
    return name in BY_LANDLOCK or (role == "single" and name == "remove")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sandbox", [OPEN, CONFINED, FILTERED])
def test_attacks_are_denied(site, role, sandbox, victim, peer):
    attacks, unix, datagrams = attacks_of(site, role, victim, peer)
    site.ctl("org", "add", "Org")  # makes the lock file
    try:
        with (
            socket.socket(socket.AF_UNIX) as server,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver,
        ):
            server.bind(str(unix))
            server.listen()
            receiver.bind(str(datagrams))
            results = outcomes(site, role, attacks, sandbox=sandbox)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/etc/crmnotes-attack")
    succeeded = {attack for attack, error in results.items() if error == 0}
    if sandbox == OPEN:
        assert succeeded == set(attacks), results
        assert victim.wait(20) == -signal.SIGKILL
        return
    left = {attack for attack in attacks if sandbox == FILTERED and prevented_by_landlock(attack, role)}
    assert succeeded == left
    assert {results[attack] for attack in attacks if attack not in left} <= DENIED, results
    assert victim.poll() is None


@pytest.mark.parametrize("role", [*ROLES, "master"])
@pytest.mark.parametrize("attack", ["execute", "trace", "read_memory"])
@pytest.mark.parametrize("confinement", [CONFINED, FILTERED])
def test_an_attack_without_excuse_kills(site, role, attack, confinement, victim):
    if attack == "execute":
        argument = str(site.directory / "executed")
    elif attack == "trace" or role in ("single", "master"):
        argument = str(victim.pid)
    else:
        argument = "0"
    if attack == "read_memory" and role in ("single", "master"):
        pytest.skip("only a child of the master knows where something is in another process")

    words = f"{attack} {argument}"
    with under_attack(site, role, [words], sandbox=OPEN) as service:
        if attack == "execute":
            wait_for((site.directory / "executed").exists, "what was executed")
        else:
            event = wait_for(
                lambda: [line for line in lines(service) if line["event"] == "attack"], "the attack"
            )[0]
            assert event["errno"] == 0
    if attack == "execute":
        (site.directory / "executed").rmdir()
    service.log.unlink()

    with under_attack(site, role, [words], sandbox=confinement) as service:
        if role in ("single", "master"):
            assert service.process.wait(20) == -SIGSYS
        else:
            service.wait_for_event("worker_died", signal=SIGSYS)
    assert [line for line in lines(service) if line["event"] == "attack"] == []
    assert not (site.directory / "executed").exists()


@pytest.mark.parametrize("sandbox", [OPEN, CONFINED, FILTERED])
def test_the_master_opens_no_connection_and_loads_no_code(site, sandbox, peer, victim):
    attacks = [
        f"connect {peer}",
        f"listen {free_port()}",
        "map_code",
        f"signal_group {victim.pid}",
        f"set_owner {victim.pid}",
        f"limit {victim.pid}",
    ]
    results = outcomes(site, "master", attacks, sandbox=sandbox)
    if sandbox != OPEN:
        assert set(results.values()) <= DENIED, results
    else:
        assert set(results.values()) == {0}, results
