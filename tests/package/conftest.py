"""
A fresh Debian on which the package is installed as README says, and newer packages for it.

Where no machine can be booted, all is skipped, and tests/run says why.
"""

import subprocess

import pytest

from support import package
from support.host import build_newer
from support.hosted import requests, world  # noqa: F401
from support.machine import Machine, disk, make_root
from support.package import PACKAGES, PackagedHost
from support.paths import SOURCE

# A migration, and one that cannot succeed.
LATER = "CREATE TABLE later (unused INTEGER) STRICT;\n"
FAILING = "CREATE TABLE notes (unused INTEGER) STRICT;\n"


@pytest.fixture(scope="session")
def built(testrun_uid):
    return package.built(testrun_uid)


@pytest.fixture(scope="session")
def packages(built, tmp_path_factory):
    """A directory with packages: this one, the next one, and newer ones with another migration."""
    obstacle = subprocess.run([SOURCE / "tests/systemd/obstacle"], capture_output=True, text=True, check=True)
    if obstacle.stdout:
        pytest.skip(obstacle.stdout.strip())
    make_root()
    directory = tmp_path_factory.mktemp("packages")
    this = package.main_package(built)
    version = package.version_of(this)
    package.repack(this, directory / "this", version)
    package.repack(this, directory / "next", f"{version}+next")
    for name, migration in ("newer", LATER), ("failing", FAILING):
        programs = tmp_path_factory.mktemp("programs") / name
        build_newer(programs, migration)
        package.repack(this, directory / name, f"{version}+{name}", programs)
    return directory


@pytest.fixture
def root(packages, tmp_path):
    (tmp_path / "disk").mkdir()
    with disk(tmp_path / "disk") as merged:
        yield merged


@pytest.fixture
def boot(packages, root, tmp_path):
    """Boots the machine, as often as it is called, with the same disk."""

    def booted():
        return Machine(tmp_path, {PACKAGES: packages}, root)

    return booted


@pytest.fixture
def machine(boot):
    with boot() as running:
        yield running


@pytest.fixture
def host(machine):
    made = PackagedHost(machine)
    made.set_up()
    return made
