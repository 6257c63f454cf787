"""crmnotesctl complete: what could stand at a place, whatever stands before it."""

import os
import re
import subprocess

import pytest

from support.ids import unknown_id
from support.paths import CTL


def lines(site, *words, env=None):
    """What is offered for the last word, which must never be a failure."""
    done = subprocess.run(
        [CTL, "complete", *map(str, words)], capture_output=True, text=True, timeout=60, cwd=site.directory,
        env=env or site.environment(CRMNOTES_CONFIG=site.config),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def offered(site, *words):
    """{candidate: remark}"""
    found = [line.split("\t") for line in lines(site, *words)]
    assert all(len(one) == 2 for one in found), found
    return dict(found)


def help_of(*words):
    return subprocess.run([CTL, *words, "--help"], capture_output=True, text=True, check=True).stdout


def test_nouns_and_verbs_are_those_of_the_help(site):
    commands = re.findall(r"^  ([a-z]+)(?: ([a-z]+))?(?: .*)?$(?:\n {9}.*)*\n {6}(\S.*)$", help_of(), re.M)
    nouns = offered(site, "")
    assert list(nouns) == [*dict.fromkeys(noun for noun, _, _ in commands), "help"]
    for noun in nouns:
        verbs = {verb: text for one, verb, text in commands if one == noun and verb}
        if verbs:
            assert offered(site, noun, "") == verbs
            assert offered(site, "help", noun, "") == verbs


def test_options_are_those_of_the_help_but_the_given_ones(site):
    for noun, verb in re.findall(r"^  ([a-z]+)(?: ([a-z]+))?(?: .*)?$\n      ", help_of(), re.M):
        words = [noun, verb] if verb else [noun]
        own = re.findall(r"^  (--[a-z-]+)", help_of(*words), re.M)
        found = offered(site, *words, "--")
        assert [option for option in found if option in own] == own
        assert {"--config", "--database", "--json", "--wide", "--help", "--version"} <= set(found)
        if own:
            rest = offered(site, *words, own[0], "x", own[-1][:3])
            assert own[0] not in rest


@pytest.mark.parametrize(
    "words, found",
    [
        (["o"], ["org"]),
        (["a"], ["apikey", "allow", "audit"]),
        (["--json", "--config", "/dev/null", "or"], ["org"]),
        (["help", "or"], ["org"]),
        (["org", "re"], ["rename"]),
        (["--j"], ["--json"]),
        (["org", "--w"], ["--wide"]),
        (["member", "list", "--li"], ["--limit"]),
        (["init", "--me"], ["--member"]),
        (["nonsense", ""], []),
        (["org", "nonsense", ""], []),
        (["org", "add", "Name", "--id", ""], []),
        (["org", "list", "--", ""], []),
        (["org", "list", "--", "--"], []),
        (["org", "list", "--nonsense="], []),
        (["help", "org", "add", ""], []),
        (["db", "backup", ""], [":files"]),
        (["db", "restore", "--discard", "/e"], [":files"]),
        (["--config", ""], [":files"]),
        (["--database=/v"], [":files"]),
        (["contact", "import", "--rejects", "x"], [":files"]),
        (["org", "add", ""], ["--id"]),
    ],
)
def test_each_place_has_what_can_stand_there(site, words, found):
    assert [line.split("\t")[0] for line in lines(site, *words)] == found


def test_without_a_word_it_says_nothing_of_its_own(site):
    assert lines(site) == lines(site, "")


@pytest.fixture
def two(site):
    """Two organizations with a member and keys each."""
    return site.world("Zürich & Söhne"), site.world("Acme")


def test_an_id_is_found_by_its_beginning_and_by_a_part_of_its_name(site, two):
    zurich, acme = (world.org for world in two)
    names = {zurich: "Zürich & Söhne", acme: "Acme"}
    assert offered(site, "member", "list", "--org", "") == names
    assert offered(site, "org", "show", "") == names
    assert offered(site, "org", "show", acme.upper()) == {acme: "Acme"}
    assert offered(site, "org", "show", "CM") == {acme: "Acme"}
    assert offered(site, "org", "show", "SÖHNE") == {zurich: "Zürich & Söhne"}
    assert offered(site, "org", "show", "h & s") == {zurich: "Zürich & Söhne"}
    assert offered(site, "org", "show", "nobody") == {}
    assert offered(site, "member", "list", "--org=acm") == {f"--org={acme}": "Acme"}


def test_members_and_keys_are_those_of_the_organization_that_is_given(site, two):
    zurich, acme = two
    for noun, verb, one in (("apikey", "list", None), ("contact", "add", "--owner"), ("note", "find", "--author")):
        assert acme.org in offered(site, noun, verb, "--org", "")
        if one:
            of_acme = offered(site, noun, verb, "--org", acme.org, one, "")
            assert acme.member in of_acme and zurich.member not in of_acme
            everybody = offered(site, noun, verb, one, "")
            assert {acme.member, zurich.member} <= set(everybody)
    assert {acme.devkey_id, zurich.devkey_id} <= set(offered(site, "devkey", "revoke", ""))
    assert acme.devkey_id in offered(site, "allow", "test", "")
    assert set(offered(site, "devkey", "list", "--org", acme.org, "--after", "")) == {acme.devkey_id}


def test_what_no_longer_works_is_marked(site, world):
    key = site.issue_apikey(world.member, "--label", "nightly")["apikey_id"]
    site.ctl("apikey", "revoke", key)
    site.ctl("member", "deactivate", world.second_member)
    remark = offered(site, "apikey", "show", "nightly")[key]
    assert remark.startswith("nightly, ") and remark.endswith(" (revoked)")
    assert offered(site, "member", "show", world.second_member)[world.second_member].endswith(" (deactivated)")


def test_an_api_key_is_found_by_the_name_of_its_member(site, world):
    ada = site.add_member(world.org, "Ada Lovelace")["member_id"]
    key = site.issue_apikey(ada)["apikey_id"]
    assert offered(site, "devkey", "issue", "--hands-out", "lovelace") == {key: "Ada Lovelace"}


@pytest.mark.parametrize("name", ["$(touch x)", "a'b\"c", "back\\slash", "`id`", "* ? [x]", "😀 é", "--org", "%n%d ; |"])
def test_a_name_of_any_characters_is_one_field_of_one_line(site, name):
    org = site.ctl_one("org", "add", "--", name)["org_id"]
    assert offered(site, "org", "show", org) == {org: name}


def test_what_would_confuse_a_terminal_or_a_shell_is_made_harmless(operator):
    """Other programs can write such names into the database."""
    org = operator.site.add_org("X")["org_id"]
    operator.change("UPDATE orgs SET name = ?", "a\tb\x1b[2Jc\nd\u202ee")
    ((found, remark),) = offered(operator.site, "org", "show", "").items()
    assert found == org and not re.search(r"[\x00-\x1f\u202e]", remark)


def test_what_is_typed_may_be_anything(site):
    for word in ("$(touch x)", "\x1b[2J", "x" * 5000, "-", "--=", "=", ":", "'"):
        for before in ([], ["org"], ["org", "show"], ["member", "list", "--org"], ["db", "backup"]):
            lines(site, *before, word)
    done = subprocess.run([CTL, "complete", "org", "show", b"\xff\xfe"], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_of_many_it_offers_some(operator):
    org = operator.site.add_org()["org_id"]
    operator.add_members(org, 1000)
    assert len(offered(operator.site, "member", "show", "")) == 200
    assert len(offered(operator.site, "member", "show", "m99")) == 11


def test_it_is_silent_where_the_database_cannot_be_read(empty_operator):
    site = empty_operator.site
    assert lines(site, "org", "show", "") == []
    site.database.write_bytes(b"no database" * 1000)
    assert lines(site, "org", "show", "") == []
    site.config.write_text("nonsense = 1\n")
    assert lines(site, "org", "show", "") == []
    assert lines(site, "org", "sh") != []


def test_it_uses_the_database_that_the_line_names(site, two):
    other = site.directory / "other.db"
    site.ctl("--database", other, "db", "migrate")
    org = site.ctl_one("--database", other, "org", "add", "Elsewhere")["org_id"]
    assert offered(site, "--database", other, "org", "show", "") == {org: "Elsewhere"}
    assert offered(site, "org", "show", f"--database={other}", "") == {org: "Elsewhere"}
    assert offered(site, "--config", os.devnull, "--database", other, "org", "show", "") == {org: "Elsewhere"}


def test_it_changes_nothing(operator):
    site = operator.site
    world = site.world()
    before = {path: path.read_bytes() for path in site.data.iterdir() if not path.name.endswith("-shm")}
    for words in (["org", "show", ""], ["member", "show", ""], ["apikey", "show", unknown_id()], ["devkey", "show", "W"]):
        lines(site, *words)
    assert {path: path.read_bytes() for path in before} == before
    assert world.org in offered(site, "org", "show", "")


def test_it_is_no_noun_of_the_help(operator):
    assert "  complete" not in help_of()
    operator.fails(64, "complete", says="no noun 'complete'")
