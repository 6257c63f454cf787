"""conf/Containerfile: checked by a linter, built, and its image run as docs/operating.md says."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from support import fastcgi, npm, processes
from support.container import Engine
from support.host import commands
from support.paths import CONF, SOURCE
from support.site import WEB_USER, Site, encode
from support.wait import wait_for

IMAGE = "crmnotes"
FILE = CONF / "Containerfile"
USER = 990


@pytest.fixture(scope="module")
def engine():
    obstacle = subprocess.run([SOURCE / "tests/systemd/obstacle"], capture_output=True, text=True, check=True)
    if obstacle.stdout:
        pytest.skip(obstacle.stdout.strip())
    directory = Path(tempfile.mkdtemp(prefix="crmnotes-podman-"))  # podman takes no long path
    made = Engine(directory)
    try:
        made.import_base()
        made.build(IMAGE)
        yield made
    finally:
        made.reset()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def directory():
    """One that other users can reach."""
    made = Path(tempfile.mkdtemp(prefix="crmnotes-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def volumes(directory):
    """Two directories of this host, which belong to the user of the image."""
    for name in ("data", "run"):
        (directory / name).mkdir(0o750)
        os.chown(directory / name, USER, USER)
    return {"/var/lib/crmnotes": directory / "data", "/run/crmnotes": directory / "run"}


class Container(Site):
    """A running one; crmnotesctl runs inside."""

    def __init__(self, engine, name, sockets):
        self.engine = engine
        self.name = name
        self.socket = sockets / "crmnotes.sock"
        wait_for(self.socket.exists, "the socket", 30)

    def inside(self, *command, stdin=""):
        return self.engine.raw("exec", "--interactive", self.name, *command, input=stdin)

    def ctl_raw(self, *words, stdin="", env=None):
        return self.inside("crmnotesctl", *words, stdin=stdin)

    def add_note(self, world, text):
        return fastcgi.request(self.socket, encode(world.body(note=text)))

    def texts(self, contact):
        return [note["note_content"] for note in self.notes(contact)]

    def is_healthy(self):
        done = self.engine.raw("healthcheck", "run", self.name)
        assert done.returncode in (0, 1), done.stderr  # 125: it could not be run
        return done.returncode == 0

    def writer(self):
        """The process of this host."""
        children = processes.children(self.engine.state(self.name)["Pid"])
        (found,) = [pid for pid in children if ": writer" in processes.title(pid)]
        return found


@pytest.fixture
def migrated(engine, volumes):
    done = engine.run(IMAGE, volumes, "crmnotesctl", "db", "migrate")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def container(engine, volumes, migrated):
    with engine.running(IMAGE, volumes) as name:
        yield Container(engine, name, volumes["/run/crmnotes"])


# The file.


def lint(text):
    tool = npm.modules(SOURCE / "tests/container") / ".bin/dockerfile-utils"
    return subprocess.run([tool, "lint", "/dev/stdin"], input=text, capture_output=True, text=True, timeout=60)


def test_the_linter_finds_nothing():
    done = lint(FILE.read_text())
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout


def test_the_linter_does_look_at_it():
    assert "WORKDIR paths should be absolute" in lint(FILE.read_text() + "WORKDIR relative\n").stdout


# The image.


def test_the_image_says_what_it_is_and_how_its_health_is_asked(engine):
    configuration = engine.configuration(IMAGE)
    assert configuration["User"] == "crmnotes"
    assert configuration["Labels"]["org.opencontainers.image.title"] == "crmnotes"
    assert configuration["Healthcheck"]["Test"] == ["CMD", "crmnotesctl", "status", "--ready"]


def test_the_image_has_neither_compiler_nor_lists_of_packages(engine):
    done = engine.run(IMAGE, {}, "sh", "-c", "command -v gcc make autoconf; ls -A /var/lib/apt/lists /usr/src")
    assert done.stdout == "/usr/src:\n\n/var/lib/apt/lists:\n"


def test_its_user_is_not_root_and_gets_no_more_rights(engine):
    done = engine.run(IMAGE, {}, "sh", "-c", "id -u; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status")
    assert done.stdout.splitlines() == [
        *(str(USER), str(USER)),
        *("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"),
    ]


# Containers.


def test_it_stores_a_note_on_a_read_only_file_system(container):
    world = container.world()
    assert container.add_note(world, "from a container").status == 200
    assert container.texts(world.contact) == ["from a container"]
    refused = container.inside("touch", "/usr/lib/crmnotes/new", "/var/new", "/etc/new").stderr
    assert refused.count("Read-only file system") == 3


def test_its_health_is_whether_a_note_could_be_stored(container):
    wait_for(container.is_healthy, "health", 30)
    writer = container.writer()
    os.kill(writer, signal.SIGSTOP)
    try:
        wait_for(lambda: not container.is_healthy(), "the probe of the writer that is stopped", 30)
    finally:
        os.kill(writer, signal.SIGCONT)
    wait_for(container.is_healthy, "health once the writer goes on", 30)


def test_the_monitor_answers_at_its_own_socket(container):
    status = container.socket.with_name("status.sock")
    answer = fastcgi.request(status, method="GET", path="/live", of_calls=False)
    assert answer.status == 200


def test_a_stop_is_in_order_and_the_next_container_has_the_notes(engine, volumes, container):
    world = container.world()
    assert container.add_note(world, "before the stop").status == 200
    engine.do("stop", "--time", "20", container.name)
    assert engine.state(container.name)["ExitCode"] == 0
    assert '"event":"stopped"' in engine.raw("logs", container.name).stderr
    with engine.running(IMAGE, volumes) as name:
        again = Container(engine, name, volumes["/run/crmnotes"])
        assert again.texts(world.contact) == ["before the stop"]


def test_without_a_database_it_says_what_to_do(engine):
    done = engine.run(IMAGE, {})
    assert done.returncode == 78 and "crmnotesctl db migrate" in done.stderr, done.stderr


# docs/operating.md.


def documented(heading, directory):
    return commands("docs/operating.md", heading).replace("/srv/crmnotes", str(directory))


@contextlib.contextmanager
def as_documented(engine, directory):
    try:
        engine.shell(documented("### In a container", directory))
        yield Container(engine, "crmnotes", directory / "run")
    finally:
        engine.remove("crmnotes")


def connects(socket, user):
    """Whether a process of the user can connect."""
    account = pwd.getpwnam(user)
    script = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, socket],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
    return done.returncode == 0


def test_the_documented_commands_serve_the_web_server_of_the_host(engine, directory):
    with as_documented(engine, directory) as container:
        world = container.world()
        assert container.add_note(world, "as documented").status == 200
        for socket in (container.socket, container.socket.with_name("status.sock")):
            assert connects(socket, WEB_USER) and not connects(socket, "nobody")
        wait_for(container.is_healthy, "health", 30)


def test_the_documented_upgrade_backs_up_and_keeps_the_notes(engine, directory):
    with as_documented(engine, directory) as container:
        world = container.world()
        assert container.add_note(world, "before the upgrade").status == 200
        engine.shell(documented("### Upgrade a container", directory))
        again = Container(engine, "crmnotes", directory / "run")
        wait_for(again.is_healthy, "health", 30)
        assert again.add_note(world, "after the upgrade").status == 200
        assert sorted(again.texts(world.contact)) == ["after the upgrade", "before the upgrade"]
        assert (directory / "data/before-upgrade.db").stat().st_uid == USER
