"""Tables of crmnotesctl on a terminal, which is a real pty, of several widths."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import unicodedata

import pytest

from support.paths import CTL

WIDE_NAME = "山田太郎株式会社東京本社営業部"  # 30 columns
COMBINING = "e\u0301" * 24  # 24 columns


def width_of(text):
    """Terminal columns, independently of the C library."""

    def columns(c):
        return 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1

    return sum(map(columns, text))


def on_terminal(site, columns, *words, env=None):
    """What the command prints on a terminal of that width; None: one that does not say it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50 if columns else 0, columns or 0, 0, 0))
    process = subprocess.Popen(
        [CTL, "--config", site.config, *words],
        stdout=slave,
        stderr=subprocess.PIPE,
        env={**site.environment(), "COLUMNS": "", **(env or {})},
        cwd=site.directory,
    )
    os.close(slave)
    printed = b""
    try:
        while piece := os.read(master, 65536):
            printed += piece
    except OSError:  # the other end is closed
        pass
    os.close(master)
    error = process.communicate(timeout=60)[1]
    assert (process.returncode, error) == (0, b""), error
    return printed.decode().replace("\r\n", "\n").splitlines()


@pytest.fixture
def crowd(site):
    """An organization with contacts whose names are wide, combined, long and short."""
    org = site.add_org("Acme")["org_id"]
    member = site.add_member(org, "Ann")["member_id"]
    contacts = [
        site.add_contact(org, member, name, "--email", f"{n}@example.com", "--phone", "+49 30 123456")
        for n, name in enumerate([WIDE_NAME, COMBINING, "long " * 16, "Al"])
    ]
    return org, [contact["contact_id"] for contact in contacts]


def listed(site, org, columns, *more, **env):
    return on_terminal(site, columns, "contact", "list", "--org", org, *more, **env)


LEFT_OUT = "--wide shows all columns: "


@pytest.mark.parametrize("columns", [40, 57, 80, 81, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_ids_are_whole(site, crowd, columns):
    org, ids = crowd
    heading, *lines = listed(site, org, columns)
    assert max(map(width_of, [heading, *lines])) <= columns
    assert [line[:36] for line in lines[:4]] == ids
    assert heading.startswith("CONTACT ID")


def test_at_80_columns_texts_are_cut_and_less_important_columns_left_out(site, crowd):
    org, _ = crowd
    heading, *lines = listed(site, org, 80)
    assert heading.split() == ["CONTACT", "ID", "NAME", "EMAIL"]
    assert [line[36:] for line in lines[:4]] == [
        f"  {WIDE_NAME[:13]}…  0@example.com",
        f"  {COMBINING}     1@example.com",
        f"  {'long ' * 5}l…  2@example.com",
        f"  Al{' ' * 27}3@example.com",
    ]
    assert lines[4:] == [LEFT_OUT + "OWNER, PHONE"]


def test_at_40_columns_the_ids_alone_are_left(site, crowd):
    org, ids = crowd
    heading, *lines = listed(site, org, 40)
    assert (heading, lines[:4]) == ("CONTACT ID", ids)
    assert lines[4:] == ["--wide shows all columns: OWNER, NAME,", "EMAIL, PHONE"]


def test_at_200_columns_everything_is_there(site, crowd):
    org, _ = crowd
    at_terminal = listed(site, org, 200)
    piped = site.ctl("contact", "list", "--org", org, json=False).splitlines()
    assert at_terminal == piped and len(piped) == 5
    assert WIDE_NAME in piped[1] and COMBINING in piped[2] and ("long " * 16).strip() in piped[3]


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_wide_prints_what_a_pipe_gets(site, crowd, columns):
    org, _ = crowd
    piped = site.ctl("contact", "list", "--org", org, json=False).splitlines()
    assert listed(site, org, columns, "--wide") == piped
    assert on_terminal(site, columns, "--wide", "contact", "list", "--org", org) == piped


def test_json_is_the_same_on_a_terminal(site, crowd):
    org, _ = crowd
    piped = site.ctl_raw("--json", "contact", "list", "--org", org).stdout.splitlines()
    assert listed(site, org, 40, "--json") == piped


def test_characters_are_cut_whole(site, crowd):
    """At every width: a wide character is there or not, and no accent loses its letter."""
    org, ids = crowd
    for columns in range(54, 72):
        _, wide, combined, *_ = listed(site, org, columns)
        for line, whole in ((wide, WIDE_NAME), (combined, COMBINING)):
            room = columns - 38 if columns < 69 else columns - 53  # there is room for EMAIL
            name = line[38:].split("  ")[0].rstrip()
            assert room - 1 <= width_of(name) <= room or name == whole
            assert name == whole or (name[-1] == "…" and whole.startswith(name[:-1]))
            assert whole == WIDE_NAME or len(name.rstrip("…")) % 2 == 0, name


def test_columns_stay_aligned_behind_characters_of_any_width(site, crowd):
    org, _ = crowd
    heading, *lines = listed(site, org, 80)
    place = width_of(heading[: heading.index("EMAIL")])
    for number, line in enumerate(lines[:4]):
        at = line.index(f"{number}@")
        assert width_of(line[:at]) == place


def test_a_terminal_that_does_not_know_its_width(site, crowd):
    org, _ = crowd
    assert listed(site, org, None, env={"COLUMNS": "40"}) == listed(site, org, 40)
    for nonsense in ("", "0", "-5", "x"):
        assert listed(site, org, None, env={"COLUMNS": nonsense}) == listed(site, org, 80)
    assert listed(site, org, 200, env={"COLUMNS": "40"}) == listed(site, org, 200)


def test_columns_of_the_environment_do_not_matter_in_a_pipe(site, crowd):
    org, _ = crowd
    words = ("contact", "list", "--org", org)
    narrow = site.ctl_raw(*words, env=site.environment(COLUMNS=40)).stdout
    assert narrow == site.ctl(*words, json=False)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_every_table_fits(site, world, columns):
    site.ctl("devkey", "issue", "--org", world.org, "Many networks " * 5, "--allow",
             ",".join(f"10.0.{n}.0/24" for n in range(30)))  # fmt: skip
    site.ctl("org", "add", "名" * 60)
    for words in (
        ("org", "list"),
        ("member", "list", "--org", world.org),
        ("apikey", "list", "--org", world.org),
        ("devkey", "list", "--org", world.org),
        ("contact", "list", "--org", world.org),
        ("audit", "list"),
    ):
        lines = on_terminal(site, columns, *words)
        assert max(map(width_of, lines)) <= columns, words


def test_a_column_that_is_narrow_stays_where_a_more_important_one_has_no_room(site, world):
    """No room for the name, but for ACTIVE."""
    heading, *_ = on_terminal(site, 50, "member", "list", "--org", world.org)
    assert heading.split() == ["MEMBER", "ID", "ACTIVE"]


def test_one_object_is_printed_whole(site, crowd):
    _, ids = crowd
    lines = on_terminal(site, 40, "contact", "show", ids[2])
    assert ("long " * 16).strip() in "\n".join(lines) and not any("--wide" in line for line in lines)


def test_headings_come_again_where_a_later_page_has_no_room_for_all_columns(operator):
    """A page has 500 rows, and is laid out by its own texts and those before it."""
    site = operator.site
    org = site.add_org()["org_id"]
    first = operator.add_members(org, 500, email="x@example.com")
    second = operator.add_members(org, 600, first=500, name="long " * 20, email="x@example.com")
    lines = on_terminal(site, 74, "member", "list", "--org", org)
    assert max(map(width_of, lines)) <= 74
    places = [n for n, line in enumerate(lines) if line.startswith("MEMBER ID")]
    assert places == [0, 501]
    assert [lines[n].split() for n in places] == [
        ["MEMBER", "ID", "NAME", "EMAIL", "ACTIVE"],
        ["MEMBER", "ID", "NAME", "ACTIVE"],
    ]
    assert lines[-1] == LEFT_OUT + "EMAIL"
    assert [line[:36] for line in lines[1:501] + lines[502:-1]] == first + second
