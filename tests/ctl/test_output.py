"""What crmnotesctl prints for programs and for people, and its error when it cannot print."""

import json
import os
import stat
import subprocess

import pytest

from support.paths import CTL


def test_json_is_one_compact_object_a_line(site):
    site.add_org("A/B ü")
    site.add_org('"\\')
    lines = site.ctl_raw("--json", "org", "list").stdout.splitlines()
    objects = [json.loads(line) for line in lines]
    compact = dict(ensure_ascii=False, separators=(",", ":"))
    assert lines == [json.dumps(entry, **compact) for entry in objects]
    assert [entry["org_name"] for entry in objects] == ["A/B ü", '"\\']


@pytest.mark.parametrize(
    "words, nothing",
    [
        (("org", "list"), "no organizations"),
        (("member", "list", "--org", "ORG"), "no members"),
        (("apikey", "list", "--org", "ORG"), "no API keys"),
        (("devkey", "list", "--org", "ORG"), "no developer keys"),
        (("contact", "list", "--org", "ORG"), "no contacts"),
    ],
)
def test_empty_list(site, words, nothing):
    if "ORG" in words:
        org = site.add_org()["org_id"]
        words = [org if word == "ORG" else word for word in words]
    done = site.ctl_raw(*words)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"crmnotesctl: {nothing}\n"
    done = site.ctl_raw("--json", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_table_is_aligned_whatever_the_characters(site):
    org = site.add_org()["org_id"]
    names = ["short", "Zoë Müller", "名前 名前", "e\u0301a", "a much longer name than all"]
    for name in names:
        site.add_member(org, name, "--email", "same@example.com")
    heading, *lines = site.ctl("member", "list", "--org", org, json=False).splitlines()
    assert heading.split() == ["MEMBER", "ID", "NAME", "EMAIL", "ACTIVE"]
    assert len(lines) == len(names)
    place = heading.index("EMAIL")
    wide = {"名前 名前": -4, "e\u0301a": 1}
    for name, line in zip(names, lines):
        assert name in line
        assert line.index("same@example.com") == place + wide.get(name, 0), name
        assert line.endswith("yes")


def test_one_object_is_printed_line_by_line(site):
    org = site.add_org("Acme")["org_id"]
    member = site.ctl("member", "add", "--org", org, "Ann", json=False).splitlines()
    assert [line.split("  ")[0] for line in member] == ["MEMBER ID", "NAME", "EMAIL", "ACTIVE"]
    assert [line.split()[-1] for line in member][1:] == ["Ann", "-", "yes"]


def test_characters_that_deceive_are_shown_harmless(operator):
    org = operator.site.add_org("x")["org_id"]
    deceptive = "a\x1b[2Jb\u202ec\u2028d\x9be\tf\x00g\x7fh\u061ci\u2069j\u200fk\x85é😀"
    operator.change("UPDATE orgs SET name = CAST(? AS TEXT)", deceptive)
    table = operator.site.ctl("org", "list", json=False)
    assert table.splitlines()[1] == f"{org}  a?[2Jb?c?d?e f?g?h?i?j?k?é😀"
    line = operator.site.ctl_raw("--json", "org", "list").stdout.removesuffix("\n")
    assert json.loads(line)["org_name"] == deceptive
    harmless = r'"a\u001b[2Jb\u202ec\u2028d\u009be\tf\u0000g\u007fh\u061ci\u2069j\u200fk\u0085é😀"'
    assert harmless in line


def test_bytes_that_are_no_utf8_are_shown_harmless(operator):
    operator.site.add_org("x")
    operator.change("UPDATE orgs SET name = CAST(? AS TEXT)", b"a\xffb\xc3")
    assert operator.site.ctl("org", "list", json=False).splitlines()[1].endswith("  a?b?")
    assert operator.site.ctl_one("org", "list")["org_name"] == "a\ufffdb\ufffd"


def run_into(site, stdout, *words):
    return subprocess.run(
        [CTL, "--config", site.config, *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        env=site.environment(),
    )


@pytest.fixture(params=["/dev/full", "closed pipe", "closed"])
def broken_stdout(request):
    if request.param == "/dev/full":
        fd = os.open("/dev/full", os.O_WRONLY)
    elif request.param == "closed pipe":
        end, fd = os.pipe()
        os.close(end)
    else:
        fd = os.open("/dev/null", os.O_RDONLY)
    yield fd
    os.close(fd)


def is_pipe(fd):
    return stat.S_ISFIFO(os.fstat(fd).st_mode)


@pytest.mark.parametrize("words", [("org", "list"), ("help",), ("contact", "add", "--help")], ids=" ".join)
def test_a_reader_that_has_seen_enough_is_no_error(site, words):
    site.add_org()
    end, fd = os.pipe()
    os.close(end)
    done = run_into(site, fd, *words)
    os.close(fd)
    assert (done.returncode, done.stderr) == (0, "")


def test_list_that_cannot_be_written(site, broken_stdout):
    site.add_org()
    done = run_into(site, broken_stdout, "org", "list")
    if is_pipe(broken_stdout):
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 74
        assert done.stderr.startswith("crmnotesctl: cannot write to standard output: ")


@pytest.mark.parametrize("noun", ["apikey", "devkey"])
def test_key_that_cannot_be_shown_is_named_so_that_it_can_be_revoked(
    operator, world, broken_stdout, noun
):
    site = operator.site
    words = {
        "apikey": ("apikey", "issue", "--member", world.member),
        "devkey": ("devkey", "issue", "--org", world.org, "X", "--allow", "10.0.0.0/8"),
    }[noun]
    done = run_into(site, broken_stdout, *words)
    assert done.returncode == 74
    newest = site.ctl(noun, "list", "--org", world.org)[-1][f"{noun}_id"]
    assert f"crmnotesctl {noun} revoke {newest}" in done.stderr
    assert "zak_" not in done.stderr and "zdk_" not in done.stderr


@pytest.mark.parametrize("noun", ["apikey", "devkey"])
def test_people_are_told_that_a_key_is_shown_only_once(site, world, noun):
    words = {
        "apikey": ("apikey", "issue", "--member", world.member),
        "devkey": ("devkey", "issue", "--org", world.org, "X", "--allow", "10.0.0.0/8"),
    }[noun]
    done = site.ctl_raw(*words)
    assert (done.returncode, done.stderr) == (0, "crmnotesctl: This is shown only once.\n")
    done = site.ctl_raw("--json", *words)
    assert (done.returncode, done.stderr) == (0, "")


def test_standard_output_that_is_closed(site):
    """The database must not get the number that standard output would have."""
    site.add_org("before")
    command = f'"{CTL}" --config "{site.config}" org add X'
    for closed in (">&-", ">&- 2>&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f"{command} {closed}"], timeout=60, env=site.environment())
        assert done.returncode == 74
    assert site.ctl_one("db", "check")["ok"] is True
    assert len(site.ctl("org", "list")) == 4


def test_help_that_cannot_be_written(broken_stdout):
    done = subprocess.run([CTL, "--help"], stdout=broken_stdout, stderr=subprocess.PIPE)
    assert done.returncode == (0 if is_pipe(broken_stdout) else 74)
