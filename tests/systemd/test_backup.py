"""conf/crmnotes-backup.timer and its service, and the commands that docs/operating.md shows for them."""

import json
import re

import pytest

from support.host import commands

OPERATING = "docs/operating.md"
COPIES = "/var/backups/crmnotes"
UNIT = "crmnotes-backup.service"
COPY = re.compile(r"crmnotes-\d{8}T\d{6}Z\.db")


def copies(host):
    return host.machine.shell(f"ls {COPIES}").split()


def journal(host):
    return host.machine.shell(f"journalctl -u {UNIT} -o cat")


@pytest.fixture
def nightly(host):
    """A host with the timer turned on."""
    host.do(commands(OPERATING, "### Every night"))
    return host


def test_the_timer_makes_a_copy_every_night(nightly, world, requests):
    machine = nightly.machine
    assert machine.shell("systemctl is-enabled crmnotes-backup.timer") == "enabled\n"
    seen = machine.shell(commands(OPERATING, "### Look after backups").splitlines()[0])
    assert UNIT in seen and "1 timers listed." in seen
    assert machine.show("crmnotes-backup.timer", "Persistent") == "yes"
    assert copies(nightly) == []

    machine.shell(f"systemctl start {UNIT}")
    (copy,) = copies(nightly)
    assert COPY.fullmatch(copy)
    assert machine.shell(f"stat -c '%U %G %a' {COPIES} {COPIES}/{copy}") == "crmnotes crmnotes 750\ncrmnotes crmnotes 600\n"
    status = nightly.ctl_one("db", "status")
    assert status["backup"] == f"{COPIES}/{copy}"
    assert re.sub(r"[-:]", "", status["backup_at"])[:15] == copy[9:24]
    record = json.loads(machine.shell("cat /var/lib/crmnotes/crmnotes.db.backup"))
    assert record["backup"] == status["backup"]
    requests.wait_for("200")
    assert {status for status, _ in requests.answers()} == {"200"}

    nightly.do(commands(OPERATING, "### Look after backups"))
    assert len(copies(nightly)) == 2
    assert machine.show(UNIT, "Environment") == f"DIRECTORY={COPIES} KEEP=30"


def test_as_many_copies_are_kept_as_the_unit_says(nightly):
    machine = nightly.machine
    machine.shell(f"""
        crmnotesctl db backup /run/copy.db
        for day in $(seq 10 25); do cp /run/copy.db {COPIES}/crmnotes-201901${{day}}T020000Z.db; done
        chown crmnotes: {COPIES}/*
        systemctl start {UNIT}
    """)
    left = copies(nightly)
    assert len(left) == 14 and left[0] == "crmnotes-20190113T020000Z.db"


def test_a_backup_that_fails_says_so_and_costs_nothing(nightly, world):
    machine = nightly.machine
    machine.shell(f"systemctl start {UNIT}")
    before, record = copies(nightly), nightly.ctl_one("db", "status")["backup_at"]
    machine.shell(f"chown root: {COPIES} && chmod 755 {COPIES}")
    assert machine.status(f"systemctl start {UNIT}") != 0
    assert re.search(rf"crmnotesctl: cannot make {COPIES}/{COPY.pattern}: Permission denied", journal(nightly))
    assert UNIT in machine.raw("systemctl", "--failed").stdout
    assert copies(nightly) == before
    assert nightly.ctl_one("db", "status")["backup_at"] == record
    machine.shell(f"mv {COPIES} /var/backups/away")
    assert machine.status(f"systemctl start {UNIT}") != 0
    assert f"cannot open the directory {COPIES}: No such file or directory: make it first" in journal(nightly)
    nightly.do(commands(OPERATING, "### Every night"))
    machine.shell(f"systemctl start {UNIT}")
    assert len(copies(nightly)) == 1
    nightly.assert_serves(world)


def test_the_service_cannot_change_the_copies(nightly):
    """What the service sees of the file system, though root looks."""
    within = ["nsenter", "--target", nightly.master(), "--mount"]
    done = nightly.machine.raw(*within, "touch", f"{COPIES}/planted")
    assert done.returncode != 0 and "Read-only file system" in done.stderr
    assert nightly.machine.raw(*within, "touch", "/var/lib/crmnotes/may").returncode == 0


def test_the_unit_is_confined(nightly):
    said = nightly.machine.shell(f"systemd-analyze security --no-pager {UNIT} | tail -n 1")
    assert float(re.search(r"\d+\.\d+", said)[0]) <= 1.5
