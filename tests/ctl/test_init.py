"""crmnotesctl init: an organization with keys in one step, by options or by questions."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import time

import pytest

from support import schema
from support.paths import CTL, SOURCE
from support.service import Service

OPTIONS = {
    "--org": "First Ltd",
    "--member": "Ada",
    "--contact": "Grace",
    "--allow": "192.0.2.0/24",
}
MEMBERS = ["org_id", "org_name", "member_id", "member_name", "member_email", "contact_id"]
MEMBERS += ["contact_name", "apikey_id", "api_key", "devkey_id", "developer_secret", "allow", "curl"]
HINT = "(see 'crmnotesctl init --help')"


def words(*more, without=(), **changed):
    """The words of init with all options but some."""
    options = {**OPTIONS, **{f"--{name}": value for name, value in changed.items()}}
    return ["init", *(word for o, value in options.items() if o not in without for word in (o, value)), *more]


def body_of(done):
    """The request of the line for curl, as the shell would give it to curl."""
    return json.loads(re.search(r" -d '(.*)'$", done["curl"])[1])


# By options.


def test_it_makes_everything_where_there_is_nothing(empty_operator):
    site = empty_operator.site
    done = site.ctl_one(*words("--email", "ada@example.org"))
    assert list(done) == MEMBERS
    assert stat.S_IMODE(site.key_file.stat().st_mode) == 0o600
    (member,) = site.ctl("member", "list", "--org", done["org_id"])
    assert (member["member_id"], member["member_name"]) == (done["member_id"], "Ada")
    assert member["member_email"] == done["member_email"] == "ada@example.org"
    contact = site.ctl_one("contact", "show", done["contact_id"])
    assert (contact["contact_name"], contact["contact_owner"]) == ("Grace", done["member_id"])
    (key,) = site.ctl("devkey", "list", "--org", done["org_id"])
    assert (key["devkey_id"], key["name"], key["allow"]) == (done["devkey_id"], "First Ltd", ["192.0.2.0/24"])
    assert re.fullmatch(r"zak_\w{43}", done["api_key"]) and re.fullmatch(r"zdk_\w{43}", done["developer_secret"])
    assert site.ctl_one("db", "check")["ok"] is True


def test_a_note_can_be_stored_at_once(empty_operator):
    site = empty_operator.site
    done = site.ctl_one(*words())
    site.give_to_owner()
    with Service(site) as service:
        answer = service.call(body_of(done), remote_addr="192.0.2.9")
        assert answer.status == 200 and answer.header("X-Error-Code") is None, answer
    (note,) = site.notes(done["contact_id"])
    assert note["note_content"] == "Had a great demo call."


def test_it_uses_a_database_that_is_there_while_the_service_runs(site):
    with Service(site) as service:
        done = site.ctl_one(*words())
        assert service.call(body_of(done), remote_addr="192.0.2.9").header("X-Error-Code") is None


def test_people_get_a_record_and_the_line_for_curl_by_itself(empty_operator):
    done = empty_operator.site.ctl_raw(*words(url="https://crm.example.org/x/"))
    record, says, command = done.stdout.split("\n\n")
    headings = [re.split(r"  +", line)[0] for line in record.splitlines()]
    assert headings == [
        *("ORG ID", "ORG NAME", "MEMBER ID", "MEMBER NAME", "MEMBER EMAIL", "CONTACT ID", "CONTACT NAME"),
        *("API KEY ID", "API KEY", "DEVELOPER KEY ID", "SECRET", "ALLOW"),
    ]
    assert says == "This adds a note:"
    assert command.startswith("curl 'https://crm.example.org/x/apis/v2/public/crm/addNotestoContact' ")
    assert done.stderr == "crmnotesctl: Key and secret are shown only once.\n"


def test_the_url_is_that_of_this_host_with_the_path_of_the_configuration(operator):
    site = operator.site
    assert site.ctl_one(*words())["curl"].startswith("curl 'http://localhost/apis/v2/")
    site.configure(base_path="/crm")
    assert site.ctl_one(*words("--another"))["curl"].startswith("curl 'http://localhost/crm/apis/v2/")


def test_a_second_one_must_be_meant(operator):
    first = operator.site.ctl_one(*words())
    operator.fails(65, *words(), says="an organization already: see 'crmnotesctl org list', or add --another")
    second = operator.site.ctl_one(*words("--another", "--program", "Integrator"))
    assert first["org_id"] != second["org_id"]
    assert len(operator.site.ctl("org", "list")) == 2
    (key,) = operator.site.ctl("devkey", "list", "--org", second["org_id"])
    assert key["name"] == "Integrator"


def test_the_audit_has_one_row_and_no_names_of_people(operator):
    done = operator.site.ctl_one(*words("--email", "ada@example.org"))
    (row,) = [row for row in operator.site.ctl("audit", "list") if row["action"] != "db migrate"]
    assert (row["action"], row["org_id"], row["subject"]) == ("init", done["org_id"], done["org_id"])
    assert row["detail"] == {"--org": "First Ltd", "--member": True, "--email": True, "--contact": True,
                             "--allow": ["192.0.2.0/24"]}  # fmt: skip


def test_no_secret_is_in_a_file(operator):
    done = operator.site.ctl_one(*words())
    for secret in (done["api_key"], done["developer_secret"]):
        assert secret.encode() not in operator.files()


@pytest.mark.parametrize(
    "changes, status, says",
    [
        ({"org": " "}, 65, "--org: must not be empty or blank"),
        ({"allow": "10.0.0.1/8"}, 65, "--allow: "),
        ({"allow": "0.0.0.0/0"}, 65, "say --allow-any if that is wanted"),
        ({"email": "ada"}, 65, "--email: must look like name@example.com"),
        ({"url": "crm.example.org"}, 65, "--url: must be a URL such as https://crm.example.org"),
        ({"url": "http://"}, 65, "--url: must be a URL"),
        ({"url": "ftp://crm.example.org"}, 65, "--url: must be a URL"),
        ({"url": "httpss://crm.example.org"}, 65, "--url: must be a URL"),
        ({"url": "http://x'$(touch here)'"}, 65, "--url: must be a URL"),
        ({"url": "http://" + "x" * 600}, 65, "of at most 512 bytes"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(empty_operator, changes, status, says):
    empty_operator.fails(status, *words(**changes), says=says)
    assert not empty_operator.site.database.exists() and not empty_operator.site.key_file.exists()


def test_without_a_terminal_it_says_what_to_give(empty_operator):
    everything = "--org NAME, --member NAME, --contact NAME, --allow CIDR"
    empty_operator.fails(64, "init", says=f"there is no terminal to ask on: give {everything} {HINT}")
    empty_operator.fails(64, *words(without=["--contact"]), says=f"give --contact NAME {HINT}")
    assert not empty_operator.site.database.exists()


def test_where_the_secrets_cannot_be_shown_it_says_how_to_get_others(operator):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [CTL, "--config", operator.site.config, *words()],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, env=operator.site.environment(),
        )  # fmt: skip
    assert done.returncode == 74
    (org,) = operator.site.ctl("org", "list")
    assert f"issue other keys for organization {org['org_id']} and member " in done.stderr


def test_a_database_of_an_earlier_schema_is_left_to_db_migrate(operator):
    """It is in use, perhaps, and needs a backup before."""
    schema.go_back(operator.site.database)
    operator.fails(78, *words(), says="crmnotesctl db migrate")
    assert operator.site.ctl_one("db", "status")["schema_version"] == schema.EARLIER


def test_the_usual_words_for_help_work():
    for line in (["init", "--help"], ["help", "init"], ["--help", "init"], ["init", "-h"]):
        done = subprocess.run([CTL, *line], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith("Usage: crmnotesctl init [--org NAME]"), line


def test_a_word_behind_it_has_no_place(empty_operator):
    empty_operator.fails(64, "init", "org", says=f"there is no place for 'org' {HINT}")


# By questions.


class Terminal:
    """The command on a pty, whose standard output is a pipe: it has the answer alone."""

    def __init__(self, site, *more, env=None):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [CTL, "--config", site.config, *more],
            stdin=slave, stderr=slave, stdout=subprocess.PIPE, text=True, cwd=site.directory,
            env=site.environment(**(env or {})), start_new_session=True,
            # a shell in the background ignores Ctrl-C, and so does what it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()
        os.close(self.master)

    def expect(self, text, seconds=20):
        """Reads until the text has been printed; answers what came before it."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"waiting for {text!r}, seen {self.seen!r}"
            self.seen += os.read(self.master, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def answer(self, question, text):
        self.expect(question)
        self.type(text + "\n")

    def end(self):
        """Exit status, standard output, and what else was written to the terminal."""
        printed = self.process.stdout.read()
        status = self.process.wait(20)
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(self.master, 4096):
                self.seen += piece.decode()
        return status, printed, self.seen


def test_it_asks_for_everything_with_values_for_an_empty_line(empty_operator):
    site = empty_operator.site
    with Terminal(site, "--json", "init", env={"SUDO_USER": "olga"}) as terminal:
        terminal.answer("Name of the organization: ", "Zürich & Söhne")
        terminal.answer("Name of a member [olga]: ", "")
        terminal.answer("Its e-mail address, or nothing: ", "")
        terminal.answer("Name of a contact of this member [Test contact]: ", "")
        terminal.answer("Networks from which notes may be sent [127.0.0.1 ::1]: ", "")
        assert not site.database.exists()
        terminal.answer("Where callers reach the service [http://localhost]: ", "")
        status, printed, _ = terminal.end()
    assert status == 0
    done = json.loads(printed)
    assert (done["org_name"], done["member_name"], done["member_email"]) == ("Zürich & Söhne", "olga", None)
    assert (done["contact_name"], done["allow"]) == ("Test contact", ["127.0.0.1/32", "::1/128"])
    assert done["curl"].startswith("curl 'http://localhost/apis/")
    assert site.ctl_one("contact", "show", done["contact_id"])["contact_name"] == "Test contact"


def test_a_wrong_answer_is_asked_for_again_with_the_reason(empty_operator):
    with Terminal(empty_operator.site, "--json", "init", "--org", "O", "--contact", "C") as terminal:
        for question, answers in {
            "Name of a member [": (("x" * 300, "must have at most"), ("Ada", None)),
            "Its e-mail address, or nothing: ": (
                ("ada", "must look like name@example.com"),
                ("zak_" + "S3cret" * 7 + "x", "that is a secret, which is not asked for"),
                ("ada@example.org", None),
            ),
            "Networks from which notes may be sent [": (
                ("10.0.0.1/8", "10.0.0.0/8"),
                ("192.0.2.0/24 nonsense", "'nonsense' is no IP address"),
                ("::/0", "say --allow-any if that is wanted"),
                ("  198.51.100.0/24 2001:db8::/32 ", None),
            ),
            "Where callers reach the service [": (
                ("crm.example.org", "must be a URL such as https://crm.example.org"),
                ("https://crm.example.org", None),
            ),
        }.items():
            for answer, reason in answers:
                terminal.answer(question, answer)
                if reason:
                    terminal.expect(reason)
        status, printed, _ = terminal.end()
    assert status == 0
    done = json.loads(printed)
    assert (done["member_name"], done["member_email"]) == ("Ada", "ada@example.org")
    assert done["allow"] == ["198.51.100.0/24", "2001:db8::/32"]


def test_an_organization_has_no_name_for_an_empty_line(empty_operator):
    with Terminal(empty_operator.site, "init") as terminal:
        terminal.answer("Name of the organization: ", " ")
        assert "  an answer is needed" in terminal.expect("Name of the organization: ")


def test_with_everything_given_it_asks_nothing(empty_operator):
    with Terminal(empty_operator.site, *words()) as terminal:
        status, printed, said = terminal.end()
    assert status == 0 and "This adds a note:" in printed
    assert said == "crmnotesctl: Key and secret are shown only once.\r\n"


@pytest.mark.parametrize("answers", [0, 3])
def test_the_end_of_the_input_leaves_nothing_behind(empty_operator, answers):
    site = empty_operator.site
    before = sorted(site.data.iterdir())
    with Terminal(site, "init") as terminal:
        for text in ["First Ltd", "Ada", ""][:answers]:
            terminal.answer(": ", text)
        terminal.expect(": ")
        terminal.type("\x04")
        status, printed, said = terminal.end()
    assert (status, printed) == (65, "")
    assert said.endswith("crmnotesctl: the input ended: nothing was stored\r\n")
    assert sorted(site.data.iterdir()) == before


def test_an_interrupt_leaves_nothing_behind(empty_operator):
    site = empty_operator.site
    with Terminal(site, "init") as terminal:
        terminal.answer("Name of the organization: ", "First Ltd")
        terminal.expect("Name of a member")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(20) == -signal.SIGINT
    assert not site.database.exists()


def test_a_second_one_is_refused_before_it_asks(operator):
    operator.site.add_org()
    with Terminal(operator.site, "init") as terminal:
        status, printed, said = terminal.end()
    assert (status, printed) == (65, "")
    assert "add --another" in said and "Name of" not in said


# What docs/operating.md shows.


def test_the_documented_commands_are_right(empty_operator, tmp_path):
    text = (SOURCE / "docs/operating.md").read_text().partition("\n## Provision\n")[2]
    script = re.search(r"^    (crmnotesctl init --org .*?)\n\n", text, re.M | re.S)[1]
    (tmp_path / "crmnotesctl").write_text(f'#!/bin/sh\nexec {CTL} --config {empty_operator.site.config} "$@"\n')
    (tmp_path / "crmnotesctl").chmod(0o755)
    environment = {**empty_operator.site.environment(), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("curl 'https://crm.example.org/apis/")
