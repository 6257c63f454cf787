"""
The commands that docs/operating.md shows for daily work, run as they stand, on one machine.

Words in capitals are replaced by ids, and files that a section takes for granted are made before.
A section fails with its first command that ends with another status than 0.
"""

import json
import re
import shutil

import pytest

from support.documented import OPERATING
from support.host import PROGRAMS, Host, blocks
from support.machine import Machine
from support.paths import SOURCE
from support.wait import wait_for


PLACEHOLDERS = re.compile(r"\b(ORG|MEMBER|CONTACT|DEVKEY|NOTE|REQUEST|ADDRESS|ID|FILE)\b")
DIRECTORY = "/root/work"
LOG_FILE = "/srv/log/crmnotes/crmnotes.log"


@pytest.fixture(scope="module")
def host(programs, tmp_path_factory):
    shared = {PROGRAMS: programs, "/usr/local/bin/promtool": shutil.which("promtool")}
    with Machine(tmp_path_factory.mktemp("commands"), shared) as machine:
        made = Host(machine)
        made.set_up()
        machine.shell(f"mkdir {DIRECTORY}")
        yield made


@pytest.fixture
def names(world):
    """What stands for the placeholders."""
    return {"ORG": world.org, "MEMBER": world.member, "CONTACT": world.contact, "DEVKEY": world.devkey_id}


@pytest.fixture
def note(host, world, names):
    """A note of the world, with the request that wrote it."""
    assert host.add_note(world, "an invoice for ada") == (200, None)
    (note,) = host.notes(world.contact)
    names.update(NOTE=note["note_id"], REQUEST=note["origin"]["request_id"])
    return note


def section(heading, count=1):
    """The scripts below the heading, of which there must be so many; the one where it is one."""
    found = blocks(OPERATING, heading)
    assert len(found) == count, f"{heading} has other blocks of commands than before: {found}"
    return found if count > 1 else found[0]


def put_in(script, names):
    return PLACEHOLDERS.sub(lambda found: names[found[0]], script)


def run(host, script, names=None, **more):
    """Runs a script; what it printed."""
    return host.machine.shell("set -o pipefail\n" + put_in(script, names or {}), cwd=DIRECTORY, **more)


def on_terminal(host, command, answers, names=None, environment=""):
    """Runs a command on a terminal where these answers are typed; what it showed."""
    host.machine.write(f"{DIRECTORY}/command", put_in(command, names or {}))
    typed = "".join(f"{answer}\n" for answer in answers)
    return run(host, f"{environment} script -qec 'sh -e ./command' /dev/null", stdin=typed)


def fenced(heading, language=""):
    """The first fenced block below a heading."""
    text = (SOURCE / OPERATING).read_text().partition(f"\n{heading}\n")[2]
    return re.search(rf"^```{language}\n(.*?)^```", text, re.M | re.S)[1]


def wait_for_line(host, text):
    """An answer can come before its line is in the journal."""
    wait_for(lambda: text in host.machine.journal(), f"a line of the log with {text}")


def restart(host):
    host.machine.shell("systemctl restart crmnotes.service")
    host.wait_until_active()


# Host.


def test_host(host, world):
    stop, laptop, reference, location = section("## Host", 4)
    run(host, stop)
    assert host.active() == ("inactive", "inactive")
    host.machine.shell("systemctl start crmnotes.socket crmnotes.service")
    host.assert_serves(world)
    migrate, serve = laptop.splitlines()
    shown = run(host, f"""
        cd /tmp
        runuser -u daemon -- {migrate}
        runuser -u daemon -- timeout --foreground 20 {serve} 2>/tmp/laptop.log & serving=$!
        until [ -S /tmp/notes.sock ]; do sleep 0.05; kill -0 $serving; done
        ps -C crmnotes.fcgi -o user,args
        pkill -u daemon -o crmnotes.fcgi
        wait $serving
    """)
    assert re.search(r"^daemon +crmnotes\.fcgi: ", shown, re.M)
    assert_the_reference_is_served(host, reference, location)


def assert_the_reference_is_served(host, make, location):
    run(host, make)
    path = "/etc/nginx/conf.d/crmnotes.conf"
    before = host.machine.shell(f"cat {path}")
    assert before.count("    location /apis/ {") == 1
    host.machine.write(path, before.replace("    location /apis/ {", f"{location}\n    location /apis/ {{"))
    host.machine.shell("nginx -t && systemctl reload nginx")
    page = host.machine.shell("curl -sSi --retry 5 http://127.0.0.1/apis/v2/public/docs/")
    assert page.startswith("HTTP/1.1 200 ") and "\nReferrer-Policy: no-referrer" in page
    assert page.rstrip().endswith("</html>")


def test_configure(host, world):
    check, restarted = section("## Configure", 2)
    shown = run(host, check)
    assert re.search(r"^database += /var/lib/crmnotes/crmnotes\.db\b", shown, re.M)
    former = host.master()
    run(host, restarted)
    assert host.master() != former
    host.assert_serves(world)


# Provision.

ASKED = ["Example Ltd", "Ada", "ada@example.org", "Grace", "192.0.2.0/24", "https://crm.example.org"]


def test_provision_by_init(host):
    ask, given = section("## Provision", 5)[:2]
    asked = on_terminal(host, ask, ASKED, environment=f"CRMNOTES_DATABASE={DIRECTORY}/asked.db")
    printed = run(host, f"export CRMNOTES_DATABASE={DIRECTORY}/given.db\n{given}")
    for shown, database in ((asked, "asked.db"), (printed, "given.db")):
        assert "curl 'https://crm.example.org/apis/" in shown
        members = run(host, f"crmnotesctl --database {database} --json member list --org " + first_id(shown))
        assert json.loads(members)["member_email"] == "ada@example.org"


def first_id(shown):
    return re.search(r"\bID +([0-9a-f-]{36})\b", shown)[1]


def test_provision_one_by_one(host, note, names):
    one_by_one, look, edit = section("## Provision", 5)[2:]
    made = {"NOTE": names["NOTE"]}
    for line in one_by_one.splitlines():
        noun = line.split()[1]
        made[noun.upper()] = first_id(run(host, line, made))
    assert "192.0.2.0/24" in run(host, look, made)
    run(host, edit, made)
    assert host.ctl_one("org", "show", made["ORG"])["org_name"] == "Example Inc"
    assert host.ctl_one("member", "show", made["MEMBER"])["member_email"] is None
    assert host.ctl_one("contact", "show", made["CONTACT"])["role_label"] == "Head of Sales"
    key = host.ctl_one("devkey", "show", made["DEVKEY"])
    assert key["name"] == "Integrator GmbH" and key["revoked_at"]


def test_keys_that_expire(host, world):
    key = host.issue_devkey(world.org, "10.0.0.0/8", expires="10d")["devkey_id"]
    look, mail = section("### Keys that expire", 2)
    # in the place of a mail program, which the machine has not
    host.machine.write("/usr/local/bin/mail", f'#!/bin/sh\nprintf "%s\\n" "$@" >{DIRECTORY}/mail; cat >>{DIRECTORY}/mail')
    host.machine.write("/etc/cron.daily/crmnotes-keys", mail)
    run(host, "chmod +x /usr/local/bin/mail /etc/cron.daily/crmnotes-keys")
    run(host, "run-parts --regex '^crmnotes-keys$' /etc/cron.daily")
    sent = run(host, "cat mail").splitlines()
    assert sent[-2] == "root" and json.loads(sent[-1])["devkey_id"] == key
    assert key in run(host, look, {"DEVKEY": key})
    assert host.ctl("devkey", "list", "--expiring", "30d") == []


def test_long_lists(host, names):
    rows = host.ctl("audit", "list")
    contacts, audit = section("### Long lists").splitlines()
    assert names["CONTACT"] in run(host, contacts, names)
    printed = run(host, audit, {"ID": rows[1]["audit_id"]}).splitlines()
    assert [json.loads(line) for line in printed] == rows[2:] != []


def test_import_and_export(host, world, names):
    lines = [{"contact_id": world.contact, "note_author": world.member, "note_content": "from elsewhere"}]
    host.machine.write(f"{DIRECTORY}/people.csv", "contact_name,E-Mail\nGrace Hopper,grace@example.org")
    host.machine.write(f"{DIRECTORY}/notes.jsonl", "\n".join(map(json.dumps, lines)))
    run(host, section("### Import and export"), names)
    people = {row["contact_name"]: row for row in host.ctl("contact", "list", "--org", world.org)}
    assert people["Grace Hopper"]["contact_email"] == "grace@example.org"
    assert host.texts(world) == ["from elsewhere"]
    assert "Grace Hopper,,,,grace@example.org" in run(host, "cat people.csv")
    assert json.loads(run(host, "cat notes.jsonl"))["note_content"] == "from elsewhere"


@pytest.fixture
def log_file(host):
    """The service with a log file in a place of its own."""
    addition = section("### A log file under systemd: Read-only file system")
    host.machine.write("/etc/systemd/system/crmnotes.service.d/override.conf", addition)  # as `systemctl edit` does
    host.machine.shell(f"install -d -o crmnotes -g crmnotes $(dirname {LOG_FILE}); systemctl daemon-reload")
    host.configure(f"log = {LOG_FILE}")
    restart(host)
    yield LOG_FILE
    host.configure()
    restart(host)


def test_a_log_file_elsewhere_and_a_secret_that_is_changed(host, world, names, log_file):
    rotate, look, show = section("### Change a secret without downtime").splitlines()
    new = re.search(r"^SECRET +(zdk_\w+)$", run(host, rotate, names), re.M)[1]
    host.assert_serves(world)
    wait_for(lambda: host.machine.status(f"grep -q former_secret_used {log_file}") == 0, "the warning")
    used = json.loads(run(host, f"log={log_file}\n{look}").splitlines()[-1])
    assert used["devkey_id"] == world.devkey_id
    assert used["until"] in run(host, show, names)
    assert host.add_note(world, "by the new secret") == (200, None)
    assert new != world.developer_secret


def test_help_a_caller(host, note, names):
    wait_for_line(host, names["REQUEST"])
    shown = run(host, section("### Help a caller"), names | {"ADDRESS": "127.0.0.1"})
    assert '"code":"OK"' in shown and note["note_id"] in shown


def test_peoples_data(host, world, note, names):
    host.ctl("contact", "edit", world.contact, "--email", "ada@example.org")
    find, *others = section("## People's data").splitlines()
    assert world.contact in run(host, find, names)
    shown = [run(host, line, names) for line in others]
    assert all(note["note_id"] in one for one in shown[1:]), shown


def test_erase(host, world, note, names):
    for command in section("### Erase").splitlines():
        if not command.lstrip().startswith("#"):
            assert "[y/N]" in on_terminal(host, command, ["y"], names)
    assert host.note(note["note_id"])["erased_at"]
    assert host.ctl_one("contact", "show", world.contact)["erased_at"]
    assert host.ctl_one("member", "show", world.member)["erased_at"]


def test_backup(host, world):
    run(host, section("## Backup"), {"FILE": "/var/backups/one.db"})
    listed = run(host, "crmnotesctl --database /var/backups/one.db --json org list")
    assert world.org in listed


# What watches it, and what is looked at first.


def test_monitoring(host, world):
    rules, status, collector = section("## Monitoring", 3)
    host.machine.write("/etc/prometheus/prometheus.yml", fenced("## Monitoring", "yaml"))
    assert "SUCCESS" in run(host, rules)
    copied = host.machine.shell("cat /etc/prometheus/crmnotes-rules.yml")
    assert "https://wiki.example.org/crmnotes/operating.md#" in copied and "crm.example.org" not in copied
    shown = run(host, status)
    assert "READY" in shown and "crmnotes_ready 1\n" in shown
    minutely = re.fullmatch(r"\* \* \* \* \* root (.*)\n", collector)[1]
    directory = "/var/lib/prometheus/node-exporter"
    assert "crmnotes_ready 1\n" in run(host, f"mkdir -p {directory}\n{minutely}\ncat {directory}/crmnotes.prom")


def test_something_does_not_work(host):
    shown = run(host, section("## Something does not work"))
    assert "Active: active (running)" in shown and '"event":"' in shown


def test_an_address_that_is_not_whitelisted(host):
    world = host.world("Elsewhere", allow=["192.0.2.0/24"])
    assert host.add_note(world, "x")[1] == "IP_NOT_WHITELISTED"
    wait_for_line(host, "IP_NOT_WHITELISTED")
    seen, test = section("### IP address not whitelisted").splitlines()
    address = json.loads(run(host, seen))["remote_addr"]
    names = {"DEVKEY": world.devkey_id, "ADDRESS": address}
    assert host.machine.status(put_in(test, names)) == 1
    host.ctl("allow", "add", world.devkey_id, address)
    run(host, test, names)
    host.assert_serves(world)
