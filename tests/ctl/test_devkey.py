"""crmnotesctl devkey."""

import re
from datetime import datetime, timedelta, timezone

import pytest

from support.ids import unknown_id

ISSUED = [
    "devkey_id",
    "developer_secret",
    "name",
    "allow",
    "created_at",
    "expires_at",
    "last_used_at",
    "last_used_from",
    "former_secret_until",
    "revoked_at",
]
LISTED = [name for name in ISSUED if name != "developer_secret"]


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


def test_issue_shows_the_secret_once(site, org):
    issued = site.ctl_one("devkey", "issue", "--org", org, "Agency", "--allow", "10.0.0.0/8")
    assert list(issued) == ISSUED
    assert re.fullmatch(r"zdk_[0-9A-Za-z]{43}", issued["developer_secret"])
    assert issued["name"] == "Agency" and issued["allow"] == ["10.0.0.0/8"]
    assert issued["expires_at"] is None
    (listed,) = site.ctl("devkey", "list", "--org", org)
    assert listed == {name: issued[name] for name in LISTED}
    assert list(listed) == LISTED


BLOCKS = ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]


@pytest.mark.parametrize(
    "words",
    [
        ["NAME", "--allow", *BLOCKS],
        ["--allow", *BLOCKS, "NAME"],
        ["--allow", *BLOCKS, "--", "NAME"],
        ["--allow", ",".join(BLOCKS), "NAME"],
        ["--allow=10.0.0.0/8", "NAME", "--allow", "2001:db8::/32", "192.0.2.1"],
        ["NAME", "--allow", *BLOCKS, "--allow-any", "--allow", "10.0.0.0/8"],
    ],
)
def test_blocks_can_be_given_in_many_ways(site, org, words):
    issued = site.ctl_one("devkey", "issue", "--org", org, *words)
    assert issued["name"] == "NAME" and issued["allow"] == BLOCKS


def test_block_is_required(operator, org):
    operator.fails(64, "devkey", "issue", "--org", org, "X", says="--allow CIDR is missing")


@pytest.mark.parametrize(
    "block, says",
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("10.0.0/8", "10.0.0"),
        ("010.0.0.0/8", "010.0.0.0"),
        ("", "no IP address"),
        ("10.0.0.0/8,", "no IP address"),
        ("example.com", "example.com"),
    ],
)
def test_block_that_is_none(operator, org, block, says):
    words = ("devkey", "issue", "--org", org, "X", f"--allow={block}")
    operator.fails(65, *words, says=["--allow", says])
    assert operator.rows("SELECT * FROM developer_keys") == []


@pytest.mark.parametrize("block", ["0.0.0.0/0", "::/0"])
def test_every_address_only_when_that_is_said(operator, org, block):
    words = ("devkey", "issue", "--org", org, "X", "--allow", "10.0.0.0/8", block)
    operator.fails(65, *words, says=[block, "--allow-any"])
    assert block in operator.site.ctl_one(*words, "--allow-any")["allow"]


def test_expiry(site, org):
    issued = site.issue_devkey(org, "10.0.0.0/8", expires="2099-12-31T23:59:59+01:00")
    assert issued["expires_at"] == "2099-12-31T22:59:59.000Z"


def test_expiry_on_a_date_is_its_first_moment(site, org):
    issued = site.issue_devkey(org, "10.0.0.0/8", expires="2099-12-31")
    assert issued["expires_at"] == "2099-12-31T00:00:00.000Z"


@pytest.mark.parametrize("words, seconds", [("90d", 90 * 86400), ("36h", 36 * 3600), ("10m", 600), ("45s", 45)])
def test_expiry_after_a_while(site, org, words, seconds):
    before = datetime.now(timezone.utc)
    issued = site.issue_devkey(org, "10.0.0.0/8", expires=words)
    after = datetime.now(timezone.utc)
    at = datetime.fromisoformat(issued["expires_at"]) - timedelta(seconds=seconds)
    assert before - timedelta(milliseconds=1) <= at <= after


@pytest.mark.parametrize(
    "date",
    [
        "",
        "tomorrow",
        "2099-12",
        "2099-02-30",
        "2099-13-01",
        "2099-12-31T",
        "2099-02-30T00:00:00Z",
        "90",
        "90x",
        "d",
        "-1d",
        "1.5d",
        "36526d",
        "99999999999999999999d",
    ],
)
def test_expiry_that_is_no_date(operator, org, date):
    words = ("devkey", "issue", "--org", org, "X", "--allow", "10.0.0.0/8")
    operator.fails(65, *words, f"--expires={date}", says="--expires")


def test_expiry_in_the_past(operator, org):
    past = (datetime.now(timezone.utc) - timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = ("devkey", "issue", "--org", org, "X", "--allow", "10.0.0.0/8")
    operator.fails(65, *words, "--expires", past, says="over already")


def test_secret_from_elsewhere(operator, org):
    own = "a-secret-made-elsewhere"
    site = operator.site
    issued = site.issue_devkey(org, "10.0.0.0/8", more=["--stdin"], stdin=own)
    assert issued["developer_secret"] == own
    words = ("devkey", "issue", "--org", org, "X", "--allow", "10.0.0.0/8", "--stdin")
    operator.fails(65, *words, stdin=own, says="already")
    assert len(site.ctl("devkey", "list", "--org", org)) == 1


def test_revoking_keeps_the_first_date(site, org):
    key = site.issue_devkey(org, "10.0.0.0/8")["devkey_id"]
    revoked = site.ctl_one("devkey", "revoke", key)
    assert list(revoked) == LISTED and revoked["revoked_at"]
    assert site.ctl_one("devkey", "revoke", key) == revoked


def test_list_has_the_organizations_own_in_order(site, org):
    other = site.add_org()["org_id"]
    for whose, name in ((org, "B"), (other, "X"), (org, "A")):
        site.issue_devkey(whose, "10.0.0.0/8", name=name)
    listed = site.ctl("devkey", "list", "--org", org)
    assert [key["name"] for key in listed] == ["B", "A"]


def test_what_does_not_exist(operator):
    nothing = unknown_id()
    words = ("devkey", "issue", "--org", nothing, "X", "--allow", "10.0.0.0/8")
    operator.fails(65, *words, says=f"no organization {nothing}")
    for words in (["revoke"], ["show"], ["edit", "--name", "X"]):
        operator.fails(65, "devkey", *words, nothing, says=f"no developer key {nothing}")
    operator.fails(65, "devkey", "list", "--org", nothing, says=f"no organization {nothing}")


def test_show(site, org):
    issued = site.issue_devkey(org, "10.0.0.0/8", "2001:db8::/32", expires="2099-12-31")
    site.issue_devkey(org, "10.0.0.0/8")
    shown = site.ctl_one("devkey", "show", issued["devkey_id"])
    assert shown == {name: issued[name] for name in LISTED}


def test_edit_changes_what_is_given(site, org):
    key = site.issue_devkey(org, "10.0.0.0/8", name="Before")
    other = site.issue_devkey(org, "10.0.0.0/8", name="Other")
    expected = {name: key[name] for name in LISTED}
    for words, changes in (
        (["--name", "After"], {"name": "After"}),
        (["--expires", "2099-12-31"], {"expires_at": "2099-12-31T00:00:00.000Z"}),
        (["--expires", "never"], {"expires_at": None}),
        (["--expires", "2098-01-01T01:00:00+01:00", "--name", "X"],
         {"name": "X", "expires_at": "2098-01-01T00:00:00.000Z"}),
    ):  # fmt: skip
        expected |= changes
        assert site.ctl_one("devkey", "edit", key["devkey_id"], *words) == expected
    listed = site.ctl("devkey", "list", "--org", org)
    assert listed == [expected, {name: other[name] for name in LISTED}]


def test_edit_that_is_wrong(operator, org):
    key = operator.site.issue_devkey(org, "10.0.0.0/8")["devkey_id"]
    operator.fails(64, "devkey", "edit", key, says="say what to change: --name, --expires")
    for date, says in (("", "must be a date"), ("2000-01-01", "over already"), ("Never", "must be")):
        operator.fails(65, "devkey", "edit", key, f"--expires={date}", says=["--expires", says])


def test_expiry_that_is_never(site, org):
    assert site.issue_devkey(org, "10.0.0.0/8", expires="never")["expires_at"] is None


def test_an_expired_key_is_given_more_time(operator, org):
    """It cannot be rotated, and the sentence says what helps."""
    site = operator.site
    key = site.issue_devkey(org, "10.0.0.0/8", expires="90d")["devkey_id"]
    operator.change("UPDATE developer_keys SET expires_at = 1")
    operator.fails(65, "devkey", "rotate", key, says=["the key is expired", "'devkey edit'"])
    site.ctl("devkey", "edit", key, "--expires", "90d")
    assert site.ctl_one("devkey", "rotate", key)["developer_secret"]


def test_list_of_those_that_expire_soon(operator, org):
    site = operator.site
    other = site.add_org()["org_id"]
    for whose, name, expires in (
        (org, "soon", "10d"),
        (org, "never", None),
        (other, "soon elsewhere", "29d"),
        (org, "later", "31d"),
        (org, "revoked", "10d"),
        (org, "over", "10d"),
    ):
        site.issue_devkey(whose, "10.0.0.0/8", name=name, expires=expires)
    operator.change("UPDATE developer_keys SET revoked_at = 1 WHERE name = 'revoked'")
    operator.change("UPDATE developer_keys SET expires_at = 1 WHERE name = 'over'")

    def names(*words):
        return [key["name"] for key in site.ctl("devkey", "list", *words)]

    assert names("--expiring", "30d") == ["soon", "soon elsewhere"]
    assert names("--expiring", "30d", "--org", org) == ["soon"]
    assert names("--expiring", "9d") == []
    assert names("--expiring", "2999-01-01", "--org", org) == ["soon", "later"]
    assert names("--expiring", "30d", "--limit", "1") == ["soon"]
    done = site.ctl_raw("devkey", "list", "--expiring", "1d")
    assert (done.stdout, done.stderr) == ("", "crmnotesctl: no developer keys\n")
    operator.fails(65, "devkey", "list", "--expiring", "2000-01-01", says="over already")


def test_list_of_all_organizations_says_whose_they_are(site, org):
    other = site.add_org()["org_id"]
    keys = [site.issue_devkey(whose, "10.0.0.0/8")["devkey_id"] for whose in (org, other)]
    listed = site.ctl("devkey", "list")
    assert [(key["devkey_id"], key["org_id"]) for key in listed] == [(keys[0], org), (keys[1], other)]
    assert list(listed[0]) == ["devkey_id", "org_id", *LISTED[1:]]
    table = site.ctl("devkey", "list", json=False).splitlines()
    assert "ORG ID" in table[0] and other in table[2]
