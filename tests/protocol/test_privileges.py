"""The user that root becomes, lost rights, and messages about files without permission."""

import grp
import os
import pwd
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from support.paths import SERVICE
from support.service import Service
from support.site import WEB_USER, Site
from support.wait import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

CONFIG = 78


@pytest.fixture
def site():
    """A directory that the service's user may use, though root starts it."""
    with Site(options={"workers": 2, "user": WEB_USER, "socket_group": ""}) as made:
        made.open_to_owner()
        yield made


def run(site, *words, **more):
    return subprocess.run(
        [str(site.program()), "--config", str(site.config), *words],
        capture_output=True,
        text=True,
        timeout=30,
        env=site.environment(),
        stdin=subprocess.DEVNULL,
        **more,
    )


def status_of(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return {line.partition(":")[0]: line.partition(":")[2].split() for line in text.splitlines()}


def everybody(service):
    return [service.process.pid, *service.workers()]


def start(site, **more):
    return Service(site, as_owner=False, **more)


def test_every_process_is_that_user_for_good(site):
    owner = pwd.getpwnam(WEB_USER)
    with start(site) as service:
        service.call(site.world().body())
        wait_for(lambda: len(service.workers()) == 3, "two workers and a writer")
        for pid in everybody(service):
            status = status_of(pid)
            assert status["Uid"] == 4 * [str(owner.pw_uid)]
            assert status["Gid"] == 4 * [str(owner.pw_gid)]
            assert "0" not in status["Groups"]
            for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                assert int(status[kind][0], 16) == 0
            assert status["NoNewPrivs"] == ["1"]
        assert service.events("running_as_root") == []


def test_a_single_process_becomes_it_too(site):
    with start(site, listen="inherited", single=True) as service:
        assert status_of(service.process.pid)["Uid"] == 4 * [str(pwd.getpwnam(WEB_USER).pw_uid)]


def test_the_group_may_be_another_one(site):
    site.configure(group="daemon")
    with start(site) as service:
        for pid in everybody(service):
            assert status_of(pid)["Gid"] == 4 * [str(grp.getgrnam("daemon").gr_gid)]


def access_of(path):
    info = path.stat()
    return stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid


def test_the_socket_is_the_users_and_0660(site):
    owner = pwd.getpwnam(WEB_USER)
    with start(site):
        assert access_of(site.socket) == (0o660, owner.pw_uid, owner.pw_gid)


def test_the_socket_has_the_group_and_mode_that_are_set(site):
    site.configure(socket_group="daemon", socket_mode="0620")
    with start(site) as service:
        owner = pwd.getpwnam(WEB_USER)
        assert access_of(site.socket) == (0o620, owner.pw_uid, grp.getgrnam("daemon").gr_gid)
        assert service.request(method="GET").status == 405


def test_the_log_is_made_by_the_user(site):
    log = site.directory / "own.log"
    site.configure(log=log)
    with start(site):
        assert log.owner() == WEB_USER


def test_root_that_stays_root_is_warned_of(site):
    site.configure(user=None)
    with start(site) as service:
        (event,) = service.events("running_as_root")
        assert event["level"] == "warning" and "set user" in event["message"]
        assert status_of(service.process.pid)["Uid"] == 4 * ["0"]


def test_who_is_not_root_stays_who_it_is(site):
    site.configure(user="daemon")
    with Service(site) as service:
        (event,) = service.events("user_ignored")
        assert event["user"] == "daemon"
        assert status_of(service.process.pid)["Uid"] == 4 * [str(pwd.getpwnam(WEB_USER).pw_uid)]


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"user": "no-such-user"}, "user: there is no user 'no-such-user'"),
        ({"user": "root"}, "user: 'root' is root"),
        ({"group": "no-such-group"}, "group: there is no group 'no-such-group'"),
        ({"user": None, "group": "daemon"}, "group: set user, too"),
    ],
    ids=["user", "root", "group", "group alone"],
)
def test_a_user_that_cannot_be_become_is_named(site, options, complaint):
    site.configure(**options)
    for words in ([], ["--check-config"]):
        done = run(site, *words)
        assert done.returncode == CONFIG
        assert complaint in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("what", ["database", "directory", "wal", "lock", "key", "config", "log"])
def test_a_file_out_of_reach_is_named_with_the_user(site, what):
    if what == "log":
        site.configure(log=site.directory / "own.log")
        (site.directory / "own.log").touch()
    path = {
        "database": site.database,
        "directory": site.data,
        "wal": Path(f"{site.database}-wal"),
        "lock": Path(f"{site.database}.lock"),
        "key": site.key_file,
        "config": site.config,
        "log": site.directory / "own.log",
    }[what]
    os.chown(path, 0, 0)
    path.chmod(0o755 if what == "directory" else 0o600)
    verb = "read" if what in ("key", "config") else "write"
    for words in ([], ["--check-config"]):
        done = run(site, *words)
        assert done.returncode == CONFIG
        assert f"the user {WEB_USER} cannot {verb} {path}: Permission denied" in done.stderr
        assert not site.socket.exists()
        assert bool(words) == ("database = " in done.stdout)


def test_what_can_be_reached_passes(site):
    done = run(site, "--check-config")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("option, value", [("user", "daemon"), ("group", "daemon"), ("sandbox", "no")])
def test_a_reload_changes_nothing_of_it(site, option, value):
    with start(site) as service:
        site.configure(**{option: value})
        service.signal(signal.SIGHUP)
        event = service.wait_for_event("reload_failed")
        assert event["message"] == f"{option}: to change it, restart"
        assert service.request(method="GET").status == 405


def limits_of(pid):
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


def test_core_files_are_off_and_descriptors_fit(site):
    with start(site) as service:
        for pid in everybody(service):
            limits = limits_of(pid)
            assert limits["Max core file size"] == ["0", "0"]
            soft, hard = map(int, limits["Max open files"])
            assert 512 * 32 < soft == hard < 20_000


@pytest.mark.parametrize("beside", [True, False])
def test_a_log_beside_the_database_is_warned_of(site, beside):
    logs = site.directory / "logs"
    logs.mkdir()
    logs.chmod(0o777)
    log = (site.data if beside else logs) / "own.log"
    site.configure(log=log)
    with start(site):
        text = log.read_text()
    assert ('"sandbox_wide"' in text) == beside
    assert '"started"' in text


def test_no_attack_is_built_in():
    """What ./configure --enable-attacks adds for tests/attacks."""
    program = SERVICE.read_bytes()
    for trace in (b"ATTACKS", b"attack_unknown", b"attacks_run"):
        assert trace not in program
