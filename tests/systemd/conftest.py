"""
A machine with systemd and nginx on which crmnotes is hosted from its sources.

Where no machine can be booted, all is skipped, and tests/run says why.
"""

import subprocess

import pytest

from support.host import PROGRAMS, Host, build_newer, make
from support.hosted import requests, world  # noqa: F401
from support.machine import Machine, make_root
from support.paths import BUILD, SOURCE


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """A directory with what `make install` installs: this version, and a newer one."""
    obstacle = subprocess.run([SOURCE / "tests/systemd/obstacle"], capture_output=True, text=True, check=True)
    if obstacle.stdout:
        pytest.skip(obstacle.stdout.strip())
    make_root()
    directory = tmp_path_factory.mktemp("programs")
    migrations = build_newer(directory / "build")
    make(BUILD, "install", "prefix=/usr", f"DESTDIR={directory}/this")
    make(directory / "build", "install", "prefix=/usr", migrations, f"DESTDIR={directory}/newer")
    return directory


@pytest.fixture
def machine(programs, tmp_path):
    with Machine(tmp_path, {PROGRAMS: programs}) as running:
        yield running


@pytest.fixture
def host(machine):
    made = Host(machine)
    made.set_up()
    return made
