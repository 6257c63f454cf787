"""One installation of crmnotes in a directory of its own: database, key file, configuration."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from support import processes
from support.paths import CONF, CTL, SERVICE

# As root the web servers' workers become this user, as they do on a real host.
WEB_USER = "www-data"

ABSENT = object()

LOCALHOST = ("127.0.0.1/32", "::1/128")


class CtlError(Exception):
    """crmnotesctl ended with another status than 0."""

    def __init__(self, command, status, stderr):
        super().__init__(f"{command} ended with {status}: {stderr.strip()}")
        self.status = status
        self.stderr = stderr


@dataclass(frozen=True)
class World:
    """An organization with all that the published call needs."""

    org: str
    member: str
    second_member: str
    apikey_id: str
    api_key: str
    devkey_id: str
    developer_secret: str
    contact: str
    second_contact: str  # of the second member

    def body(self, **changes):
        """The members of a good request; changes replace or add, ABSENT takes away."""
        members = {
            "api_key": self.api_key,
            "developer_secret": self.developer_secret,
            "org_id": self.org,
            "member_id": self.member,
            "contact_id": self.contact,
            "note": "Had a great demo call. Interested in the enterprise plan.",
            "note_visibility": 1,
        }
        members.update(changes)
        return {name: value for name, value in members.items() if value is not ABSENT}


def encode(body):
    """A request body as bytes: UTF-8 as it is, no \\u escapes."""
    return json.dumps(body, ensure_ascii=False).encode()


def substitute(text, replacements):
    """Replaces exact strings, each of which must be there exactly once."""
    for old, new in replacements.items():
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times, not once"
        text = text.replace(old, new)
    return text


def owner_of_sites():
    """The user that service and web server run as, or None for the one that we are."""
    return pwd.getpwnam(WEB_USER) if os.geteuid() == 0 else None


class Site:
    """
    A fresh directory with conf/crmnotes.conf, changed only where it names files:

        database, listen and socket_group (as root), and what options adds.

    migrate=False leaves the database to the test, True copies one that this process has
    made before: all of them have the same key. service, ctl and conf are other programs and
    another directory of configuration.
    """

    _migrated = {}  # of each crmnotesctl the files of that one, with their content

    def __init__(self, *, options=None, migrate=True, service=SERVICE, ctl=CTL, conf=CONF):
        self.service = service
        self.ctl_program = ctl
        self.conf = conf
        self.directory = Path(tempfile.mkdtemp(prefix="crmnotes-test-"))
        self.directory.chmod(0o755)
        self.data = self.directory / "data"
        self.data.mkdir(0o750)
        self.database = self.data / "crmnotes.db"
        self.key_file = self.data / "crmnotes.db.key"
        self.socket = self.directory / "crmnotes.sock"
        self.config = self.directory / "crmnotes.conf"
        self.options = {"database": self.database, "listen": f"unix:{self.socket}"}
        if owner_of_sites():
            self.options["socket_group"] = WEB_USER
        self.configure(**(options or {}))
        if migrate:
            self._migrate()
        self.give_to_owner()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self):
        """Looks for what must not be left behind, and takes the directory away."""
        left = processes.mentioning(self.directory)
        try:
            assert not left, f"processes of {self.directory} left behind: {left}"
            processes.assert_no_core_file(self.directory)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def configure(self, **changes):
        """Writes the configuration again, with these options changed; None takes one back."""
        for name, value in changes.items():
            if value is None:
                self.options.pop(name, None)
            else:
                self.options[name] = value
        text = (self.conf / "crmnotes.conf").read_text()
        self.config.write_text(set_options(text, self.options))

    def _migrate(self):
        known = self._migrated.get(self.ctl_program)
        if known is None:
            self.ctl("db", "migrate")
            files = {path.name: path.read_bytes() for path in self.data.iterdir()}
            self._migrated[self.ctl_program] = files
            return
        for name, content in known.items():
            path = self.data / name
            path.touch(0o600)
            path.write_bytes(content)

    def give_to_owner(self):
        """As root: makes the data the property of the user that the service runs as."""
        owner = owner_of_sites()
        if owner:
            for path in [self.data, *self.data.iterdir()]:
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def open_to_owner(self):
        """As root: lets the user of service and web server make its files in the directory."""
        owner = owner_of_sites()
        if owner:
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)

    def program(self):
        """A copy of crmnotes.fcgi that every user can reach, wherever we were built."""
        copy = self.directory / "programs" / self.service.name
        if not copy.exists():
            copy.parent.mkdir()
            shutil.copy(self.service, copy)
        return copy

    def environment(self, **more):
        """The caller's environment without anything of crmnotes in it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CRMNOTES_")}
        return {**kept, **{name: str(value) for name, value in more.items()}}

    def ctl_raw(self, *words, stdin="", env=None, seconds=60):
        """Runs crmnotesctl on this site; the CompletedProcess with text, whatever its status."""
        command = [str(self.ctl_program), "--config", str(self.config), *map(str, words)]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=env or self.environment(),
            cwd=self.directory,
        )
        for mark in processes.SANITIZER_MARKS:
            assert mark not in done.stderr, done.stderr
        return done

    def ctl(self, *words, json=True, stdin=""):
        """
        Runs crmnotesctl; CtlError unless it ends with 0.

        With json the answer is a list, one dict for each line; without, the text.
        """
        done = self.ctl_raw(*(["--json"] if json else []), *words, stdin=stdin)
        if done.returncode != 0:
            raise CtlError(words, done.returncode, done.stderr)
        return _objects(done.stdout) if json else done.stdout

    def ctl_one(self, *words, stdin=""):
        """The one object that crmnotesctl prints."""
        objects = self.ctl(*words, stdin=stdin)
        assert len(objects) == 1, f"{words} printed {len(objects)} objects"
        return objects[0]

    # Provisioning: each answers what crmnotesctl printed, as a dict.

    def add_org(self, name="Org"):
        return self.ctl_one("org", "add", name)

    def add_member(self, org, name="Member", *more):
        return self.ctl_one("member", "add", "--org", org, name, *more)

    def issue_apikey(self, member, *more, stdin=""):
        return self.ctl_one("apikey", "issue", "--member", member, *more, stdin=stdin)

    def issue_devkey(self, org, *allow, name="Developer", expires=None, more=(), stdin=""):
        words = ["devkey", "issue", "--org", org, name]
        for block in allow:
            words += ["--allow", block]
        if expires is not None:
            words += ["--expires", expires]
        return self.ctl_one(*words, *more, stdin=stdin)

    def add_contact(self, org, owner, name="Contact", *more):
        return self.ctl_one("contact", "add", "--org", org, "--owner", owner, name, *more)

    def assign_contact(self, contact, owner):
        return self.ctl("contact", "assign", contact, "--owner", owner)

    def note(self, note_id):
        return self.ctl_one("note", "show", note_id)

    def notes(self, contact):
        return self.ctl("note", "list", "--contact", contact)

    def history(self, note_id):
        return self.ctl("note", "history", note_id)

    def world(self, name="World", allow=LOCALHOST):
        """A fresh organization with two members, a key of each kind and two contacts."""
        org = self.add_org(name)["org_id"]
        member = self.add_member(org, f"{name} member")["member_id"]
        second = self.add_member(org, f"{name} second member")["member_id"]
        apikey = self.issue_apikey(member)
        devkey = self.issue_devkey(org, *allow, name=f"{name} developer")
        contact = self.add_contact(org, member, f"{name} contact")["contact_id"]
        other = self.add_contact(org, second, f"{name} second contact")["contact_id"]
        return World(
            org=org,
            member=member,
            second_member=second,
            apikey_id=apikey["apikey_id"],
            api_key=apikey["api_key"],
            devkey_id=devkey["devkey_id"],
            developer_secret=devkey["developer_secret"],
            contact=contact,
            second_contact=other,
        )


def set_options(text, options):
    """conf/crmnotes.conf with `# option = default` replaced by `option = value`."""
    lines = text.splitlines()
    for name, value in options.items():
        places = [i for i, line in enumerate(lines) if line.startswith(f"# {name} =")]
        assert len(places) == 1, f"option {name} stands {len(places)} times, not once"
        lines[places[0]] = f"{name} = {value}"
    return "\n".join(lines) + "\n"


def _objects(text):
    return [json.loads(line) for line in text.split("\n") if line]
