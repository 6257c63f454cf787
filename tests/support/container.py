"""The image of conf/Containerfile, and containers of it, by podman with a storage of its own."""

import contextlib
import json
import os
import subprocess
from pathlib import Path

from support.machine import make_debian
from support.paths import SOURCE

# The image that the file begins with is made of Debian's packages: no registry is needed.
BASE = Path(os.environ.get("CRMNOTES_TEST_BASE", "/var/tmp/crmnotes-test-base"))
BASE_IMAGE = "docker.io/library/debian:bookworm-slim"

# chroot: a step of the build needs no network and no control group of its own.
BUILD_HERE = ["--isolation", "chroot", "--format", "docker", "--pull=never"]
# Lower than podman's own limits, which may be above those of this host.
RUN_HERE = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
# As docs/operating.md has them.
CONFINED = "--read-only --cap-drop all --security-opt no-new-privileges --network none".split()


class Engine:
    """podman; directory has its images and containers."""

    def __init__(self, directory):
        storage = ["--root", str(directory / "storage"), "--runroot", str(directory / "run")]
        self.command = ["podman", *storage, "--cgroup-manager", "cgroupfs", "--runtime", "runc"]
        # There is no systemd that asks a container for its health: tests do.
        self.environment = {**os.environ, "DISABLE_HC_SYSTEMD": "true"}

    def raw(self, *words, seconds=600, **more):
        """Runs podman; the CompletedProcess with text, whatever its status."""
        command = [str(word) for word in (*self.command, *words)]
        return self._completed(command, seconds, **more)

    def do(self, *words, **more):
        """Runs podman, which must succeed; what it printed."""
        done = self.raw(*words, **more)
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def shell(self, script):
        """Runs a script in the sources, in which podman is this one; what it printed."""
        by_verb = f'build) shift; set -- build {" ".join(BUILD_HERE)} "$@" ;;'
        by_verb += f' run) shift; set -- run {" ".join(RUN_HERE)} "$@" ;;'
        podman = f'podman() {{ case $1 in {by_verb} esac; command {" ".join(self.command)} "$@"; }}'
        done = self._completed(["bash", "-euc", f"{podman}\n{script}"], 600, cwd=SOURCE)
        assert done.returncode == 0, f"{script}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def import_base(self):
        """Makes the image that the build begins with."""
        make_debian(BASE, "")
        packed = subprocess.Popen(["tar", "-C", BASE, "-c", "."], stdout=subprocess.PIPE)
        self.do("import", "-", BASE_IMAGE, stdin=packed.stdout)
        assert packed.wait() == 0

    def build(self, image):
        return self.do("build", *BUILD_HERE, "-f", SOURCE / "conf/Containerfile", "-t", image, SOURCE)

    def configuration(self, image):
        """What the image says of itself: User, Healthcheck, Labels and so on."""
        (found,) = json.loads(self.do("image", "inspect", image))
        return {**found["Config"], "Healthcheck": found["Healthcheck"]}

    def state(self, name):
        """Of a container: Pid, ExitCode and so on."""
        (found,) = json.loads(self.do("container", "inspect", name))
        return found["State"]

    def run(self, image, volumes, *command):
        """A container that ends by itself; the CompletedProcess."""
        return self.raw("run", "--rm", *CONFINED, *RUN_HERE, *_mounts(volumes), image, *command)

    @contextlib.contextmanager
    def running(self, image, volumes):
        """A container of the service; its name."""
        name = self.do("run", "--detach", *CONFINED, *RUN_HERE, *_mounts(volumes), image).strip()
        try:
            yield name
        finally:
            self.remove(name)

    def remove(self, name):
        self.raw("rm", "--force", "--time", "5", name)

    def reset(self):
        self.raw("unmount", "--all")
        self.raw("rmi", "--all", "--force")

    def _completed(self, command, seconds, **more):
        return subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=self.environment, **more
        )


def _mounts(volumes):
    return [f"--volume={outside}:{inside}" for inside, outside in volumes.items()]
