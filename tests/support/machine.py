"""A Debian with systemd, booted by systemd-nspawn; what it writes is gone when it ends, or its disk."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

from support import processes
from support.wait import wait_for

# Made once, and read only: it costs minutes.
ROOT = Path(os.environ.get("CRMNOTES_TEST_ROOT", "/var/tmp/crmnotes-test-root"))
PACKAGES = (
    "systemd,systemd-sysv,dbus,procps,adduser,nginx-light,apache2,logrotate,curl,"
    "libfcgi0ldbl,libjson-c5,libsqlite3-0,libsodium23,libinih1,libmaxminddb0,libseccomp2,libutf8proc2"
)
# What systemd-nspawn keeps from programs inside unless it is told otherwise.
CALLS = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


def make_debian(root, packages, finish=lambda made: None):
    """A Debian with these packages in the directory root; of several processes one makes it."""
    made_of = "etc/crmnotes-test-root"
    with open(f"{root}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (root / made_of).exists() and (root / made_of).read_text() == packages:
            return
        unfinished = Path(f"{root}.new")
        for former in (root, unfinished):
            shutil.rmtree(former, ignore_errors=True)
        include = [f"--include={packages}"] if packages else []
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", *include, "bookworm", unfinished],
            capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        finish(unfinished)
        (unfinished / made_of).write_text(packages)
        unfinished.rename(root)


def _leave_port_80_to_nginx(made):
    (made / "etc/nginx/sites-enabled/default").unlink()
    (made / "etc/systemd/system/multi-user.target.wants/apache2.service").unlink()


def make_root():
    make_debian(ROOT, PACKAGES, _leave_port_80_to_nginx)


@contextlib.contextmanager
def disk(directory):
    """A copy of ROOT, in memory, that keeps what machines write, one after the other."""
    merged = directory / "merged"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "crmnotes-test", directory], check=True)
    try:
        for part in ("upper", "work", "merged"):
            (directory / part).mkdir()
        layers = f"lowerdir={ROOT},upperdir={directory}/upper,workdir={directory}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", merged], check=True)
        yield merged
    finally:
        subprocess.run(["umount", "--recursive", directory], check=True)


class Failed(Exception):
    """A command inside ended with another status than 0."""


class Machine:
    """
    shared: {path inside: directory of this host}, read only. disk: where it keeps what it
    writes; else that is gone when it ends.

    Used as a context manager it is running inside, and gone after.
    """

    def __init__(self, directory, shared, disk=None):
        self.log = directory / "nspawn.log"
        self.shared = shared
        self.root = ["-D", disk] if disk else ["-D", ROOT, "--volatile=overlay"]
        self.groups = []
        self.process = self.leader = None

    def __enter__(self):
        command = ["systemd-nspawn", *self.root, "--machine=crmnotes-test"]
        command += ["--register=no", "--keep-unit", "--private-network", "--console=pipe"]
        command += [f"--system-call-filter={CALLS}", "--quiet"]
        command += [f"--bind-ro={outside}:{inside}" for inside, outside in self.shared.items()]
        self.groups = control_groups(f"crmnotes-test-{os.getpid()}")
        try:
            self.process = processes.start([*command, "-b"], log=self.log, preexec_fn=self._enter_groups)
            wait_for(self._is_up, "the end of its boot", 90, interval=0.1)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)  # halts the machine in order
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        for group in self.groups:
            for directory, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)

    def raw(self, *command, stdin="", seconds=120):
        """Runs a command inside; the CompletedProcess with text, whatever its status."""
        return subprocess.run(
            self.inside(*command), input=stdin, capture_output=True, text=True, timeout=seconds
        )

    def inside(self, *command):
        """The command line for this host that runs a command inside."""
        environment = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8"]
        return ["nsenter", "--target", str(self.leader), "--all", *environment, *map(str, command)]

    def shell(self, script, cwd="/", seconds=120, stdin=""):
        """Runs a script inside, up to its first command that fails; what it printed."""
        done = self.raw("bash", "-euc", f"cd {cwd}\n{script}", seconds=seconds, stdin=stdin)
        if done.returncode != 0:
            raise Failed(f"{script}\nended with {done.returncode}:\n{done.stdout}{done.stderr}\n{self.journal()}")
        return done.stdout

    def status(self, script):
        """The exit status of a script inside."""
        return self.raw("bash", "-c", script).returncode

    def write(self, path, text):
        self.shell(f"mkdir -p {Path(path).parent} && cat >{path} <<'END_OF_FILE'\n{text}\nEND_OF_FILE")

    def show(self, unit, what):
        """A property of a unit, such as StatusText."""
        return self.shell(f"systemctl show --value -p {what} {unit}").strip()

    def journal(self):
        """What the service and systemd have to say of crmnotes."""
        return self.raw("journalctl", "-u", "crmnotes.service", "-u", "crmnotes.socket", "-o", "cat").stdout

    def _enter_groups(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def _is_up(self):
        assert self.process.poll() is None, self.log.read_text(errors="replace")
        # its first child only starts the one that becomes the machine's systemd
        self.leader = next(iter(processes.children(self.process.pid)), None)
        if self.leader is None:
            return False
        return self.raw("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")


def control_groups(name):
    """A group of its own in systemd's hierarchies, as its services would mix with others' else."""
    groups = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, within = line.split(":", 2)
        if controllers in ("", "name=systemd"):
            places = ("unified", ".") if controllers == "" else ("systemd",)
            mounted = next(m for m in (Path("/sys/fs/cgroup") / p for p in places) if (m / "cgroup.procs").exists())
            groups.append(mounted / within.lstrip("/") / name)
            groups[-1].mkdir()
    return groups
