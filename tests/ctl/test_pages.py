"""Lists of crmnotesctl: --limit, --after, and how long ones are streamed."""

import json
import os
import sqlite3
import subprocess
import uuid

import pytest

from support import memory
from support.ids import unknown_id
from support.paths import CTL
from support.wait import wait_for

PAGE = 500  # rows that crmnotesctl reads in one transaction


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


@pytest.fixture(
    params=["org", "member", "apikey", "devkey", "devkey of all", "contact", "note", "audit", "audit of one"]
)
def listing(request, operator, world):
    """The words of a list with five rows at least, and the name of their id."""
    noun, _, which = request.param.partition(" ")
    site = operator.site
    for n in range(5):
        if noun == "org":
            site.add_org(f"N{n}")
        elif noun in ("member", "audit"):
            site.add_member(world.org, f"N{n}")
        elif noun == "apikey":
            site.issue_apikey(world.member)
        elif noun == "devkey":
            site.issue_devkey(world.org, "10.0.0.0/8")
        elif noun == "contact":
            site.add_contact(world.org, world.member)
        else:
            operator.add_notes(world, 1)
    words = [noun, "list"]
    if noun == "note":
        words += ["--contact", world.contact]
    elif request.param not in ("org", "devkey of all", "audit"):
        words += ["--org", world.org]
    return words, f"{noun}_id"


def test_pages_together_are_the_list(site, listing):
    words, id_name = listing
    everything = site.ctl(*words)
    assert len(everything) >= 5
    for size in (1, 2, 3, len(everything)):
        found, after = [], []
        while page := site.ctl(*words, "--limit", size, *after):
            assert len(page) == size or page[-1] == everything[-1]
            found += page
            after = ["--after", page[-1][id_name]]
        assert found == everything


def test_people_are_told_how_to_go_on_where_there_is_more(site, listing):
    words, id_name = listing
    everything = site.ctl(*words)
    table = site.ctl(*words, json=False).splitlines()
    done = site.ctl_raw(*words, "--limit", 2)
    second = everything[1][id_name]
    assert (done.returncode, done.stderr) == (0, f"crmnotesctl: more: --after {second}\n")
    assert done.stdout.splitlines() == table[:3] or words[0] == "audit"
    assert len(done.stdout.splitlines()) == 3
    for more in (["--limit", len(everything)], ["--after", second]):
        done = site.ctl_raw(*words, *more)
        assert (done.returncode, done.stderr) == (0, "")
    done = site.ctl_raw(*words, "--limit", 1, "--after", everything[-1][id_name])
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "crmnotesctl: nothing comes after it\n"
    done = site.ctl_raw("--json", *words, "--limit", 2)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("limit", ["0", "-1", "", "x", "1x", "1.5", "1000000001", "9" * 40, " 1"])
def test_limit_that_is_none(operator, limit):
    operator.fails(65, "org", "list", f"--limit={limit}", says=["--limit", "a number from 1 to 1000000000"])


def test_place_that_is_none(operator, org):
    operator.fails(65, "org", "list", "--after", "x", says=["--after", "no id"])
    nothing = unknown_id()
    operator.fails(65, "audit", "list", "--after", nothing, says=f"no row of the audit {nothing}")


def test_note_that_is_no_place(operator, world):
    nothing = unknown_id()
    words = ("note", "list", "--contact", world.contact, "--after", nothing)
    operator.fails(65, *words, says=f"no note {nothing}")


def test_a_row_that_is_gone_still_is_a_place_in_the_list(operator, org):
    members = [operator.site.add_member(org, name) for name in "ABC"]
    gone = members[1]["member_id"]
    operator.change("DELETE FROM members WHERE name = 'B'")
    assert operator.site.ctl("member", "list", "--org", org, "--after", gone) == members[2:]


def test_audit_since_a_time_behind_the_place(site):
    """Whichever of the two is later counts."""
    for name in "ABCD":
        site.add_org(name)
    rows = site.ctl("audit", "list")
    assert site.ctl("audit", "list", "--after", rows[1]["audit_id"], "--since", rows[3]["at"]) == rows[3:]
    assert site.ctl("audit", "list", "--after", rows[3]["audit_id"], "--since", rows[1]["at"]) == rows[4:]


def test_audit_of_one_moment_is_in_pages_as_well(operator):
    for name in "ABCD":
        operator.site.add_org(name)
    operator.change("UPDATE audit SET at = 5")
    rows = operator.site.ctl("audit", "list", "--since", "1970-01-01T00:00:00.005Z")
    assert len(rows) == 5
    for number, row in enumerate(rows):
        assert operator.site.ctl("audit", "list", "--after", row["audit_id"]) == rows[number + 1 :]


def test_an_audit_of_many_pages_is_one_list(operator):
    """Of changes that were made at the same moment, too."""
    connection = sqlite3.connect(operator.site.database)
    with connection:
        connection.executemany(
            "INSERT INTO audit VALUES (?, ?, 'olga', 'org add', NULL, NULL, '{}')",
            ((n.to_bytes(16, "big"), 1 + n // (2 * PAGE)) for n in range(1, 5 * PAGE)),
        )
    connection.close()
    listed = [row["audit_id"] for row in operator.site.ctl("audit", "list")]
    assert listed[:-1] == [str(uuid.UUID(int=n)) for n in range(1, 5 * PAGE)]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 203])
def test_a_list_of_many_pages_is_one_list(operator, site, org, count):
    ids = operator.add_members(org, count)
    words = ("member", "list", "--org", org)
    assert [row["member_id"] for row in site.ctl(*words)] == ids
    assert [row["member_id"] for row in site.ctl(*words, "--limit", count - 1)] == ids[:-1]
    done = site.ctl_raw(*words, "--limit", count - 1)
    assert done.stderr == f"crmnotesctl: more: --after {ids[-2]}\n"
    heading, *lines = site.ctl(*words, json=False).splitlines()
    assert heading.split() == ["MEMBER", "ID", "NAME", "EMAIL", "ACTIVE"]
    assert [line.split()[0] for line in lines] == ids


def test_notes_of_many_pages_are_one_list_also_for_a_member(operator, world):
    site = operator.site
    ids = operator.add_notes(world, 2 * PAGE + 203)
    words = ("note", "list", "--contact", world.contact)
    assert [row["note_id"] for row in site.ctl(*words)] == ids
    hidden = [uuid.UUID(i).bytes for i in ids[5 : PAGE + 50]]
    operator.change(f"UPDATE notes SET visible = 0 WHERE note_id IN ({','.join('?' * len(hidden))})", *hidden)
    seen = [row["note_id"] for row in site.ctl(*words, "--member", world.second_member)]
    assert seen == ids[:5] + ids[PAGE + 50 :]
    page = site.ctl(*words, "--member", world.second_member, "--limit", 7)
    assert [row["note_id"] for row in page] == seen[:7]


def test_notes_that_are_added_meanwhile_come_last(operator, world):
    """Whatever their id: the service makes them by the time of the request, not of the commit."""
    before = operator.add_notes(world, 4 * PAGE, content="note {} " + "x" * 200)
    process = start(operator.site, "note", "list", "--contact", world.contact)
    first = process.stdout.readline()
    wait_for(lambda: blocks(process), "the pipe to be full", 20)
    behind = operator.add_notes(world, PAGE)
    assert [json.loads(line)["note_id"] for line in [first, *process.stdout]] == before + behind
    assert process.wait(timeout=20) == 0


def test_columns_of_later_pages_are_as_wide_as_before_or_wider(operator, site, org):
    operator.add_members(org, PAGE, name="long " * 9 + "{}")
    operator.add_members(org, PAGE, first=PAGE)
    operator.add_members(org, 1, first=2 * PAGE, name="even longer " * 9)
    heading, *lines = site.ctl("member", "list", "--org", org, json=False).splitlines()
    place = heading.index("EMAIL")
    assert {line[place - 2 : place + 1] for line in lines[:-1]} == {"  -"}
    assert lines[-1].endswith("even longer " * 9 + "  -      yes")


def start(site, *words):
    return subprocess.Popen(
        [CTL, "--config", site.config, "--json", *words],
        stdout=subprocess.PIPE,
        env=site.environment(),
        cwd=site.directory,
    )


def blocks(process):
    """Whether the process waits until somebody reads its standard output."""
    with open(f"/proc/{process.pid}/wchan") as file:
        return "pipe" in file.read()


def peak_kib(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1])


def ids_of(lines):
    return [json.loads(line)["member_id"] for line in lines]


@memory.of_crmnotesctl
def test_a_long_list_is_streamed_in_constant_memory(operator, site, org):
    """The peak is read while the last rows are still to be written. Half of them fill SQLite's cache."""
    peaks = {}
    for count in (100_000, 200_000):
        operator.add_members(org, 100_000, first=count - 100_000, email="somebody@example.com")
        process = start(site, "member", "list", "--org", org)
        for _ in range(count - 5_000):
            process.stdout.readline()
        wait_for(lambda: blocks(process), "the pipe to be full", 20)
        peaks[count] = peak_kib(process)
        assert len(process.stdout.readlines()) == 5_000
        assert process.wait(timeout=20) == 0
    assert peaks[200_000] < peaks[100_000] + 512 and peaks[200_000] < 20 * 1024, peaks


@memory.of_crmnotesctl
def test_large_rows_make_a_page_full_before_it_has_many(operator, site, org):
    operator.add_members(org, 300)
    operator.change("UPDATE members SET name = printf('%.100000c', 'x')")
    process = start(site, "member", "list", "--org", org)
    assert len(process.stdout.readline()) > 100_000
    wait_for(lambda: blocks(process), "the pipe to be full", 20)
    assert peak_kib(process) < 20 * 1024
    assert len(process.stdout.readlines()) == 299
    assert process.wait(timeout=20) == 0


def test_a_slow_reader_holds_no_transaction_open(operator, site, org):
    """The WAL can be emptied, and restart, while the list waits for its reader."""
    ids = operator.add_members(org, 20_000)
    process = start(site, "member", "list", "--org", org)
    first = process.stdout.readline()
    wait_for(lambda: blocks(process), "the pipe to be full", 20)
    connection = sqlite3.connect(site.database)
    with connection:
        connection.execute("UPDATE orgs SET name = 'renamed meanwhile'")
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    assert busy == 0
    assert site.database.with_name("crmnotes.db-wal").stat().st_size == 0
    assert ids_of([first, *process.stdout]) == ids
    assert process.wait(timeout=20) == 0


def test_rows_that_are_added_and_taken_away_meanwhile_move_no_other(operator, org):
    site = operator.site
    ids = operator.add_members(org, 10_000, first=100)
    process = start(site, "member", "list", "--org", org)
    first = process.stdout.readline()
    wait_for(lambda: blocks(process), "the pipe to be full", 20)
    operator.add_members(org, 50, name="before all of them")
    behind = operator.add_members(org, 50, first=20_000, name="behind all of them")
    operator.change("DELETE FROM members WHERE name IN ('M3', 'M5000')")
    listed = ids_of([first, *process.stdout])
    assert process.wait(timeout=20) == 0
    assert listed == [id for id in ids if id != ids[5000]] + behind


def test_a_reader_that_has_seen_enough_ends_a_list_of_many_pages(operator, site, org):
    operator.add_members(org, 20_000)
    process = start(site, "member", "list", "--org", org)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == 0


def test_a_list_that_cannot_be_written_to_its_end_fails(operator, site, org):
    operator.add_members(org, 20_000)
    full = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run(
        [CTL, "--config", site.config, "--json", "member", "list", "--org", org],
        stdout=full, stderr=subprocess.PIPE, text=True, env=site.environment(), timeout=60,
    )  # fmt: skip
    os.close(full)
    assert done.returncode == 74
    assert done.stderr == "crmnotesctl: cannot write to standard output: No space left on device\n"
