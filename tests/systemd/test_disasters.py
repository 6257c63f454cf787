"""The commands that docs/operating.md shows for disasters, on machines that had them."""

import base64
import re
import sqlite3
from dataclasses import replace

import pytest

from support.host import PROGRAMS, Host, Requests, commands
from support.machine import Machine
from support.wait import wait_for

OPERATING = "docs/operating.md"
DATA = "/var/lib/crmnotes"
COPIES = "/var/backups/crmnotes"


def told(heading, **names):
    """The commands below the heading, with names put in for words in capitals."""
    text = commands(OPERATING, heading)
    for word, name in names.items():
        assert re.search(rf"\b{word}\b", text), f"no {word} below {heading}"
        text = re.sub(rf"\b{word}\b", name, text)
    return text


def back_up(host):
    """Makes a copy by the unit; its path."""
    host.machine.shell("systemctl start crmnotes-backup.service")
    return host.ctl_one("db", "status")["backup"]


def key_line(host):
    """The key file as the password safe has it."""
    return host.machine.shell(commands(OPERATING, "### Away from the machine"))


def acknowledged(requests):
    return [text for status, text in requests.answers() if status == "200"]


@pytest.fixture
def nightly(host):
    host.do(commands(OPERATING, "### Every night"))
    return host


def test_a_lost_machine(programs, tmp_path):
    """
    A backup under load; then of the first machine nothing is left but the copy and the key line.

    On the second one all is there that was acknowledged before the backup began, and nothing
    that nobody has sent.
    """
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
    with Machine(first, {PROGRAMS: programs}) as machine:
        host = Host(machine)
        host.set_up()
        host.do(commands(OPERATING, "### Every night"))
        world = host.world()
        with Requests(host, world) as requests:
            wait_for(lambda: len(acknowledged(requests)) > 100, "notes", 60, 0.1)
            before = acknowledged(requests)
            copy = back_up(host)
            requests.wait_for("200")
        sent = {text for _, text in requests.answers()}
        line = key_line(host)
        content = base64.b64decode(machine.shell(f"base64 {copy}"))
    assert not machine.groups[0].exists(), "it is gone"

    with Machine(second, {PROGRAMS: programs}) as machine:
        host = Host(machine)
        host.set_up()
        machine.shell("base64 -d >/root/fetched.db", stdin=base64.b64encode(content).decode())
        host.do(told("### The machine or its disk is lost", COPY="/root/fetched.db"), stdin=line)
        assert host.active() == ("active", "active")
        there = host.texts(world)
        assert len(there) == len(set(there)) and set(before) <= set(there) <= sent
        host.assert_serves(world)
        assert machine.shell(f"ls {DATA}").split() == [f"crmnotes.db{end}" for end in ("", "-shm", "-wal", ".key", ".lock")]
        assert machine.shell(f"stat -c '%U %a' {DATA}/crmnotes.db.key") == "crmnotes 600\n"


def test_a_restore_is_tried(nightly, world):
    assert nightly.add_note(world, "the newest note") == (200, None)
    copy = back_up(nightly)
    said = nightly.do(told("### Test a restore", COPY=copy), stdin=key_line(nightly))
    assert re.search(r"SOUND +yes", said) and re.search(r"KEY FILE IS +right", said)
    assert "the newest note" in said
    assert nightly.machine.status("test -e /root/drill") == 1
    nightly.assert_serves(world)


def test_a_lost_key_file_is_put_back(nightly, world, requests):
    line = key_line(nightly)
    nightly.machine.shell(f"rm {DATA}/crmnotes.db.key")
    assert nightly.ctl_one("db", "status")["secret_key"] == "missing"
    wait_for(lambda: '"key_file_moved"' in nightly.machine.journal(), "the warning")
    nightly.assert_serves(world)
    said = nightly.do(told("### The key file is lost"), stdin=line)
    assert re.search(r"KEY FILE IS +right", said)
    nightly.machine.shell("systemctl restart crmnotes.service")
    nightly.assert_serves(world)
    requests.wait_for("200")
    assert {status for status, _ in requests.answers()} == {"200"}


def test_a_key_file_of_which_there_is_no_copy(host, world):
    assert host.add_note(world, "before") == (200, None)
    host.machine.shell(f"rm {DATA}/crmnotes.db.key")
    script = told(
        "### The key file is lost, and there is no copy of it",
        ORG=world.org, APIKEY=world.apikey_id, DEVKEY=world.devkey_id, MEMBER=world.member,
    )  # fmt: skip
    said = host.do(script)
    assert host.add_note(world, "by the former key")[1] == "INVALID_API_KEY"
    assert host.texts(world) == ["before"]
    api_key, secret = re.findall(r"\b(?:zak|zdk)_\w+", said)
    devkey = next(key for key in host.ctl("devkey", "list", "--org", world.org) if not key["revoked_at"])
    host.ctl("allow", "add", devkey["devkey_id"], "127.0.0.1")
    host.assert_serves(replace(world, api_key=api_key, developer_secret=secret))


def damage(host, tmp_path):
    """Overwrites an index, which no note is read by."""
    machine = host.machine
    machine.shell(f"""
        systemctl stop crmnotes.socket crmnotes.service
        crmnotesctl db backup {DATA}/whole.db
        mv {DATA}/whole.db {DATA}/crmnotes.db
        rm -f {DATA}/crmnotes.db-*
    """)
    local = tmp_path / "local.db"
    local.write_bytes(base64.b64decode(machine.shell(f"base64 {DATA}/crmnotes.db")))
    found = sqlite3.connect(f"file:{local}?immutable=1", uri=True)
    (root,) = found.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'audit_by_org'").fetchone()
    (size,) = found.execute("PRAGMA page_size").fetchone()
    found.close()
    machine.shell(f"dd if=/dev/urandom of={DATA}/crmnotes.db conv=notrunc status=none bs={size} count=1 seek={root - 1}")
    machine.shell("systemctl start crmnotes.socket crmnotes.service")


def test_a_damaged_database(nightly, world, tmp_path):
    assert nightly.add_note(world, "in the copy") == (200, None)
    copy = back_up(nightly)
    assert nightly.add_note(world, "after the copy") == (200, None)
    contact = nightly.add_contact(world.org, world.member, "Later")["contact_id"]
    damage(nightly, tmp_path)
    assert nightly.machine.raw("crmnotesctl", "db", "check").returncode == 65
    assert nightly.machine.status("systemctl start crmnotes-backup.service") != 0
    assert nightly.machine.shell(f"ls {COPIES}").split() == [copy.rpartition("/")[2]]

    said = nightly.do(told("### The database is damaged", COPY=copy))
    assert nightly.texts(world) == ["in the copy"]
    nightly.assert_serves(world)
    former = re.search(r"FORMER DATABASE +(\S+)", said)[1]
    nightly.do(told("### Notes from after the copy", FORMER=former, ORG=world.org))
    texts = nightly.texts(world)
    assert "after the copy" in texts and texts.count("in the copy") == 1
    assert contact in [row["contact_id"] for row in nightly.ctl("contact", "list", "--org", world.org)]
    assert nightly.ctl_one("db", "check")["ok"] is True
    nightly.assert_serves(world)


def test_a_database_file_that_was_removed(nightly, world, requests):
    assert nightly.add_note(world, "in the copy") == (200, None)
    copy = back_up(nightly)
    nightly.machine.shell(f"rm {DATA}/crmnotes.db")
    requests.wait_for("503UNAVAILABLE")
    nightly.do(told("### The database file was removed", COPY=copy))
    requests.wait_for("200")
    assert "in the copy" in nightly.texts(world)
    nightly.assert_serves(world)


def test_a_full_disk(nightly, world):
    """The data on a small disk, which a former database and copies fill."""
    machine = nightly.machine
    machine.shell(f"""
        systemctl stop crmnotes.socket crmnotes.service
        mv {DATA} /run/data
        install -d -o crmnotes -g crmnotes -m 0750 {DATA}
        mount -t tmpfs -o size=4m,mode=0750,uid=$(id -u crmnotes),gid=$(id -g crmnotes) none {DATA}
        cp -p /run/data/* {DATA}
        systemctl start crmnotes.socket crmnotes.service
        crmnotesctl db backup {COPIES}/crmnotes-20190101T000000Z.db
        for day in 2 3 4 5; do cp {COPIES}/crmnotes-20190101T000000Z.db {COPIES}/crmnotes-2019010${{day}}T000000Z.db; done
    """)
    nightly.assert_serves(world)
    machine.status(f"dd if=/dev/zero of={DATA}/crmnotes.db.before-2019-01-01T00:00:00.000Z status=none")
    sizes = [10, 60000, 60000, 60000, 60000, 60000, 60000]
    answers = [nightly.add_note(world, "x" * size) for size in sizes]
    assert (503, "UNAVAILABLE") in answers
    former = nightly.master()
    said = nightly.do(told("### The disk is full"))
    assert f"{DATA}\n" in said
    nightly.assert_serves(world)
    assert nightly.master() == former, "it went on by itself"
    assert machine.shell(f"ls {COPIES}").split() == [f"crmnotes-2019010{day}T000000Z.db" for day in (3, 4, 5)]
    assert nightly.ctl_one("db", "check")["ok"] is True


def test_a_stolen_backup(host, world):
    said = host.do(told("### A backup was stolen", ORG=world.org, APIKEY=world.apikey_id, DEVKEY=world.devkey_id))
    assert "zak_" in said and "zdk_" in said
    host.assert_serves(world)
