"""crmnotesctl apikey."""

import re

import pytest

from support.ids import unknown_id

ISSUED = [
    "apikey_id",
    "api_key",
    "member_id",
    "label",
    "created_at",
    "last_used_at",
    "last_used_from",
    "former_secret_until",
    "revoked_at",
]
LISTED = [name for name in ISSUED if name != "api_key"]
DATE = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ")
OWN = "a-key-made-elsewhere"


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


@pytest.fixture
def member(site, org):
    return site.add_member(org)["member_id"]


def test_issue_shows_the_key_once(site, org, member):
    issued = site.ctl_one("apikey", "issue", "--member", member, "--label", "PHP site")
    assert list(issued) == ISSUED
    assert re.fullmatch(r"zak_[0-9A-Za-z]{43}", issued["api_key"])
    assert issued["member_id"] == member and issued["label"] == "PHP site"
    assert DATE.fullmatch(issued["created_at"])
    assert issued["last_used_at"] is None and issued["revoked_at"] is None
    (listed,) = site.ctl("apikey", "list", "--org", org)
    assert list(listed) == LISTED
    assert listed == {name: issued[name] for name in LISTED}


def test_keys_differ(site, member):
    assert len({site.issue_apikey(member)["api_key"] for _ in range(5)}) == 5


def test_list_has_the_organizations_own_in_order(site, org, member):
    stranger = site.add_member(site.add_org()["org_id"])["member_id"]
    ids = [site.issue_apikey(m)["apikey_id"] for m in (member, stranger, member)]
    listed = site.ctl("apikey", "list", "--org", org)
    assert [key["apikey_id"] for key in listed] == [ids[0], ids[2]]


def test_revoking_keeps_the_first_date(site, org, member):
    key = site.issue_apikey(member)["apikey_id"]
    revoked = site.ctl_one("apikey", "revoke", key)
    assert list(revoked) == LISTED and DATE.fullmatch(revoked["revoked_at"])
    assert site.ctl_one("apikey", "revoke", key) == revoked
    assert site.ctl("apikey", "list", "--org", org) == [revoked]


def test_key_from_elsewhere(site, member):
    for text in (OWN, "!" * 16, "~" * 255):
        assert site.issue_apikey(member, "--stdin", stdin=f"{text}\n")["api_key"] == text


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n"])
def test_line_of_standard_input_ends_anyhow(site, member, end):
    assert site.issue_apikey(member, "--stdin", stdin=OWN + end)["api_key"] == OWN


def test_key_from_elsewhere_is_hashed_as_our_own(operator, member):
    issued = operator.site.issue_apikey(member)
    operator.fails(
        65,
        *("apikey", "issue", "--member", member, "--stdin"),
        stdin=issued["api_key"],
        says="already",
    )


def test_key_that_was_revoked_is_not_issued_again(operator, member):
    key = operator.site.issue_apikey(member, "--stdin", stdin=OWN)["apikey_id"]
    operator.site.ctl("apikey", "revoke", key)
    operator.fails(65, "apikey", "issue", "--member", member, "--stdin", stdin=OWN)


def test_api_key_and_developer_secret_may_be_the_same_text(site, org, member):
    site.issue_apikey(member, "--stdin", stdin=OWN)
    assert site.issue_devkey(org, "10.0.0.0/8", more=["--stdin"], stdin=OWN)


@pytest.mark.parametrize("text", ["", "\n", "x" * 15, "x" * 256, "x" * 5000, "x" * 15 + " y"])
def test_key_from_elsewhere_that_is_none(operator, member, text):
    words = ("apikey", "issue", "--member", member, "--stdin")
    said = operator.fails(65, *words, stdin=text, says="standard input")
    assert text.strip() == "" or text.strip() not in said
    assert operator.rows("SELECT * FROM api_keys") == []


def test_member_that_does_not_exist(operator):
    nobody = unknown_id()
    operator.fails(65, "apikey", "issue", "--member", nobody, says=f"no member {nobody}")


def test_key_that_does_not_exist(operator):
    nothing = unknown_id()
    operator.fails(65, "apikey", "revoke", nothing, says=f"no API key {nothing}")


def test_member_who_is_deactivated_is_remarked_on(site, member):
    site.ctl("member", "deactivate", member)
    words = ("apikey", "issue", "--member", member)
    remark = "crmnotesctl: the member is deactivated: the key works once it is active again"
    done = site.ctl_raw(*words)
    assert (done.returncode, done.stderr) == (0, f"{remark}. This is shown only once.\n")
    done = site.ctl_raw("--json", *words)
    assert (done.returncode, done.stderr) == (0, f"{remark}\n")


def test_missing_key_file_names_the_command_that_makes_it(operator, member):
    operator.site.key_file.unlink()
    words = ("apikey", "issue", "--member", member)
    operator.fails(78, *words, says=[str(operator.site.key_file), "crmnotesctl db migrate"])


def test_key_file_that_others_may_read(operator, member):
    operator.site.key_file.chmod(0o640)
    operator.fails(78, "apikey", "issue", "--member", member, says="chmod 600")
    assert operator.site.ctl("org", "list"), "lists need no key file"


def test_show(operator, member):
    site = operator.site
    issued = site.issue_apikey(member, "--label", "PHP")
    site.issue_apikey(member)
    shown = site.ctl_one("apikey", "show", issued["apikey_id"])
    assert shown == {name: issued[name] for name in LISTED}
    nothing = unknown_id()
    operator.fails(65, "apikey", "show", nothing, says=f"no API key {nothing}")
