"""The Debian packages: built by `make deb`, and newer ones made of them."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from support.host import Host, commands, make
from support.paths import BUILD

PACKAGES = "/srv/packages"  # inside


def built(run):
    """The directory with what `make deb` makes, once for each run of tests (an id of it)."""
    made_by = BUILD / "deb/made-by"
    with open(BUILD / "deb.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made_by.exists() or made_by.read_text() != run:
            make_deb(BUILD)
            made_by.write_text(run)
    return BUILD / "deb"


def make_deb(build):
    """The unit tests have a stage of their own."""
    environment = {**os.environ, "DEB_BUILD_OPTIONS": "nocheck"}
    done = subprocess.run(
        ["make", "-C", build, "deb"], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def main_package(directory):
    """The package with the programs."""
    (found,) = directory.glob("crmnotes_*.deb")
    return found


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def version_of(package):
    return run("dpkg-deb", "-f", package, "Version").strip()


def repack(package, directory, version, programs=None):
    """The same package with another version and with the programs of a build, in directory."""
    directory.mkdir()
    root = directory / "root"
    run("dpkg-deb", "-R", package, root)
    if programs:
        shutil.copy(programs / "crmnotesctl", root / "usr/bin")
        shutil.copy(programs / "crmnotes.fcgi", root / "usr/lib/crmnotes")
    control = root / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {version_of(package)}", f"Version: {version}"))
    sums = root / "DEBIAN/md5sums"
    names = [line.split("  ", 1)[1] for line in sums.read_text().splitlines()]
    sums.write_text(subprocess.run(["md5sum", *names], cwd=root, check=True, capture_output=True, text=True).stdout)
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", root, directory)
    shutil.rmtree(root)
    return Path(main_package(directory))


class PackagedHost(Host):
    """crmnotes installed by apt."""

    def set_up(self):
        """The commands of README."""
        self.machine.shell(commands("README.md", "## Host"), cwd=f"{PACKAGES}/this")
        self.wait_until_active()

    def apt_install(self, which):
        """Status and output; a question would wait for an answer for ever."""
        done = self.machine.raw("bash", "-c", f"apt-get install -y --allow-downgrades {PACKAGES}/{which}/*.deb </dev/null")
        return done.returncode, done.stdout + done.stderr

    def install(self, which):
        status, text = self.apt_install(which)
        assert status == 0, text

    def schema(self):
        return self.ctl_one("db", "status")["schema_version"]
