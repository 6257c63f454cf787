"""tests/install-packages leaves no service on that it installed, and no other off."""

import os
import shutil
import subprocess

import pytest

from support.paths import SOURCE

TOOLS = ("bash", "cat", "chmod", "comm", "cp", "env", "find", "ls", "mkdir", "mv", "rm", "sort", "tee")

WANTS = "etc/systemd/system/multi-user.target.wants"

# What Debian's packages do when they are installed: enable their service, ask whether to start it.
APT_GET = """#!/bin/bash
echo "$@" >>"$CRMNOTES_ROOT/apt.log"
[ "$1" = install ] || exit 0
cd "$CRMNOTES_ROOT"
usr/sbin/policy-rc.d nginx start
echo "may start: $?" >>apt.log
ln -s /lib/systemd/system/nginx.service etc/systemd/system/multi-user.target.wants/
ln -s /lib/systemd/system/session-clean.timer etc/systemd/system/timers.target.wants/
ln -s ../init.d/nginx etc/rc2.d/S01nginx
exit "${APT_STATUS:-0}"
"""

SYSTEMCTL = """#!/bin/bash
echo "systemctl $@" >>"$CRMNOTES_ROOT/apt.log"
"""


class Machine:
    """A root directory with a service of its owner's, and programs in place of the real ones."""

    def __init__(self, root):
        self.root = root
        self.programs = root / "programs"
        for directory in ("usr/sbin", WANTS, "etc/systemd/system/timers.target.wants", "etc/rc2.d"):
            (root / directory).mkdir(parents=True)
        (root / WANTS / "apache2.service").symlink_to("/lib/systemd/system/apache2.service")
        (root / "etc/rc2.d/S01apache2").symlink_to("../init.d/apache2")
        self.programs.mkdir()
        for name in ("ln", *TOOLS):
            (self.programs / name).symlink_to(shutil.which(name))
        self.script("apt-get", APT_GET)
        self.script("systemctl", SYSTEMCTL)
        self.script("id", "#!/bin/bash\necho 0\n")

    def script(self, name, text):
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def install(self, *words, **environment):
        return subprocess.run(
            [shutil.which("bash"), SOURCE / "tests/install-packages", *words],
            env={"PATH": str(self.programs), "CRMNOTES_ROOT": str(self.root), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def log(self):
        file = self.root / "apt.log"
        return file.read_text() if file.exists() else ""

    def enabled(self):
        links = [p for p in self.root.glob("etc/**/*") if p.is_symlink() and not p.name.startswith("K")]
        return {str(path.relative_to(self.root)) for path in links}


OF_THE_OWNER = {f"{WANTS}/apache2.service", "etc/rc2.d/S01apache2"}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_what_came_with_the_packages_is_not_left_enabled(machine):
    done = machine.install("demo")
    assert done.returncode == 0, done.stderr
    assert "install -y -qq --no-install-recommends nginx curl" in machine.log()
    assert machine.enabled() == OF_THE_OWNER
    assert os.readlink(machine.root / "etc/rc2.d/K01nginx") == "../init.d/nginx"
    assert "Not left enabled: nginx.service" in done.stdout


def test_nothing_may_start_meanwhile(machine):
    machine.install("demo")
    assert "may start: 101" in machine.log()
    assert not (machine.root / "usr/sbin/policy-rc.d").exists()


def test_a_policy_of_the_owner_stays_and_what_it_lets_start_is_stopped(machine):
    policy = machine.root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/bash\nexit 0\n")
    policy.chmod(0o755)
    (machine.root / "run/systemd/system").mkdir(parents=True)
    machine.install("demo")
    assert "may start: 0" in machine.log()
    assert "systemctl stop nginx.service" in machine.log()
    assert "apache2" not in machine.log()
    assert policy.read_text() == "#!/bin/bash\nexit 0\n"


def test_a_failure_of_apt_leaves_nothing_enabled_either(machine):
    assert machine.install("demo", APT_STATUS="100").returncode == 100
    assert machine.enabled() == OF_THE_OWNER
    assert not (machine.root / "usr/sbin/policy-rc.d").exists()


def test_what_is_missing_can_be_asked_before(machine):
    done = machine.install("--missing", "demo", "bench")
    assert done.returncode == 0
    names = done.stdout.split()
    assert {"nginx", "curl", "golang-go", "valgrind"} <= set(names)
    assert len(names) == len(set(names))
    assert machine.log() == ""


def test_compilers_and_languages_are_for_the_stages_that_need_them(machine):
    names = set(machine.install("--missing", "build", "test", "e2e").stdout.split())
    assert "nginx" in names
    assert not names & {"golang-go", "php-fpm", "valgrind", "clang-14", "clang-tidy", "gcovr", "wrk"}
