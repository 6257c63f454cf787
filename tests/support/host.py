"""crmnotes hosted from its sources on a machine of support/machine.py, and requests to it."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import textwrap

from support.paths import BUILD, CALL_PATH, SOURCE
from support.site import Site
from support.wait import wait_for

# Where the sources lie inside, with `configure`, `make` and `autoreconf` that put in place
# what was built outside, and `apt-get`, since all packages are there and no network is.
SOURCES = "/usr/src/crmnotes"
PROGRAMS = "/srv/programs"
STAND_INS = {
    "/usr/local/bin/apt-get": "#!/bin/sh",
    "/usr/local/bin/autoreconf": "#!/bin/sh",
    f"{SOURCES}/configure": "#!/bin/sh",
    "/usr/local/bin/make": f'#!/bin/sh\n[ "$1" != install ] || cp -a --remove-destination {PROGRAMS}/$(cat {SOURCES}/version)/. /',
}


def indented(section):
    """The blocks of indented lines of a section, which are code; fenced ones are no commands."""
    below = re.sub(r"^```.*?^```$", "", section, flags=re.M | re.S)
    return [textwrap.dedent(block) for block in re.findall(r"(?:^ {4,}\S.*\n)+", below, re.M)]


def blocks(page, heading):
    """The scripts of a section, up to the next heading: its blocks of indented lines."""
    text = (SOURCE / page).read_text().partition(f"\n{heading}\n")[2]
    found = indented(re.split(r"^#+ ", text, maxsplit=1, flags=re.M)[0])
    assert found, f"{page}: there are no commands below {heading}"
    return found


def commands(page, heading):
    """All commands of a section as one script."""
    return "".join(blocks(page, heading)).removesuffix("\n")


def make(directory, *words):
    done = subprocess.run(["make", "-s", "-C", directory, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_newer(directory, sql="CREATE TABLE later (unused INTEGER) STRICT;\n"):
    """The same programs with one migration more, and the argument with which make installs them."""
    shutil.copytree(BUILD, directory, symlinks=True, ignore=shutil.ignore_patterns("deb"))
    (directory / "listed.mk").write_text("include Makefile\nlisted:\n\t@echo $(MIGRATIONS)\n")
    present = make(directory, "-f", "listed.mk", "listed").strip()
    last = int(re.findall(r"(\d{4})_", present)[-1])
    migration = directory / f"{last + 1:04}_later.sql"
    migration.write_text(sql)
    migrations = f"MIGRATIONS={present} {migration}"
    make(directory, "crmnotes.fcgi", "crmnotesctl", migrations)
    return migrations


class Host(Site):
    """crmnotes on the machine, as Site is it in a directory: crmnotesctl, and worlds of it."""

    def __init__(self, machine):
        self.machine = machine
        self.numbers = itertools.count(1)

    def ctl_raw(self, *words, stdin="", env=None):
        return self.machine.raw("crmnotesctl", *words, stdin=stdin)

    def set_up(self):
        """The commands of docs/operating.md."""
        for path, text in STAND_INS.items():
            self.machine.write(path, text)
            self.machine.shell(f"chmod +x {path}")
        self.install("this")
        self.machine.shell(f"cp -a {PROGRAMS}/this/usr/share/crmnotes/conf {SOURCES}/conf")
        self.do(commands("docs/operating.md", "### From the sources"))
        self.wait_until_active()

    def do(self, script, **more):
        """Runs commands of a document in the directory of the sources."""
        return self.machine.shell(script, cwd=SOURCES, **more)

    def install(self, version):
        """What `make install` puts in place from now on."""
        self.machine.write(f"{SOURCES}/version", version)

    def configure(self, *lines):
        """Replaces the configuration: that of conf/, and these lines."""
        text = (SOURCE / "conf/crmnotes.conf").read_text()
        self.machine.write("/etc/crmnotes/crmnotes.conf", "\n".join([text, *lines]))

    def add_note(self, world, text, seconds=20):
        """The HTTP status that nginx answers, 0 for none, and the code of an error."""
        done = self.machine.raw(
            *f"curl -s -i -m {seconds} --data-binary @- http://crm.example.org{CALL_PATH}".split(),
            *["--connect-to", "crm.example.org:80:127.0.0.1:80"],
            stdin=json.dumps(world.body(note=text)),
        )
        status = re.search(r"^HTTP/1.1 (\d+)", done.stdout)
        code = re.search(r"^X-Error-Code: (\w+)", done.stdout, re.M)
        return int(status[1]) if status else 0, code[1] if code else None

    def assert_serves(self, world):
        text = f"note {next(self.numbers)}"
        assert self.add_note(world, text) == (200, None), self.machine.journal()
        assert text in self.texts(world)

    def texts(self, world):
        return [note["note_content"] for note in self.notes(world.contact)]

    def active(self):
        """What systemd says of service and socket."""
        return tuple(self.machine.raw("systemctl", "is-active", f"crmnotes.{kind}").stdout.strip() for kind in ("service", "socket"))

    def wait_until_active(self, seconds=30):
        wait_for(lambda: self.active() == ("active", "active"), "service and socket", seconds, 0.1)

    def status_text(self):
        return self.machine.show("crmnotes.service", "StatusText")

    def master(self):
        return self.machine.show("crmnotes.service", "MainPID")


class Requests:
    """Notes that are sent from inside without a pause, one after another."""

    SCRIPT = """
        n=0
        while [ ! -e /run/requests.end ]; do
            n=$((n + 1))
            status=$(sed "s/THE_TEXT/request $n/" /run/requests.body |
                curl -s -m 20 -o /dev/null -w '%{http_code}%header{x-error-code}' --data-binary @- URL) || true
            echo "$status request $n" >>/run/requests.log
            [ "$status" = 200 ] || sleep 0.02
        done
    """

    def __init__(self, host, world):
        self.host = host
        self.world = world

    def __enter__(self):
        machine = self.host.machine
        machine.write("/run/requests.body", json.dumps(self.world.body(note="THE_TEXT")))
        script = self.SCRIPT.replace("URL", f"http://127.0.0.1{CALL_PATH}")
        self.process = subprocess.Popen(machine.inside("bash", "-c", script), stdin=subprocess.DEVNULL)
        self.wait_for("200")
        return self

    def __exit__(self, *failure):
        self.host.machine.raw("touch", "/run/requests.end")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()

    def answers(self):
        """[(status and code of an error, text)] so far."""
        lines = self.host.machine.shell("cat /run/requests.log 2>/dev/null || true").splitlines()
        return [tuple(line.split(" ", 1)) for line in lines]

    def wait_for(self, status, seconds=30):
        """Waits for another answer with that status."""
        before = len(self.answers())
        wait_for(lambda: status in [one for one, _ in self.answers()[before:]], f"an answer {status}", seconds, 0.1)

    def assert_stored(self):
        """Each note that was acknowledged is there, once."""
        acknowledged = {text for status, text in self.answers() if status == "200"}
        texts = [text for text in self.host.texts(self.world) if text in acknowledged]
        assert acknowledged and sorted(texts) == sorted(acknowledged)
