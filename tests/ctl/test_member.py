"""crmnotesctl member."""

import pytest

from support.ids import unknown_id

MEMBER = ["member_id", "member_name", "member_email", "active"]


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


def test_add_prints_the_member(site, org):
    member = site.ctl_one("member", "add", "--org", org, "Alice", "--email", "a@example.com")
    assert list(member) == MEMBER
    assert member["member_name"] == "Alice"
    assert member["member_email"] == "a@example.com"
    assert member["active"] is True


def test_email_may_be_left_out(site, org):
    assert site.add_member(org)["member_email"] is None


def test_list_has_the_organizations_own_in_order(site, org):
    other = site.add_org()["org_id"]
    added = [site.add_member(org, name) for name in ("B", "A", "C")]
    site.add_member(other, "D")
    assert site.ctl("member", "list", "--org", org) == added


def test_organization_that_does_not_exist(operator):
    nobody = unknown_id()
    operator.fails(65, "member", "add", "--org", nobody, "X", says=f"no organization {nobody}")
    operator.fails(65, "member", "list", "--org", nobody, says=f"no organization {nobody}")


def test_id_from_elsewhere(operator, org):
    wanted = unknown_id()
    member = operator.site.add_member(org, "M", "--id", wanted)
    assert member["member_id"] == wanted
    words = ("member", "add", "--org", org, "N", "--id", wanted)
    operator.fails(65, *words, says="this id already")


def test_deactivate_and_activate(site, org):
    member = site.add_member(org)
    off = {**member, "active": False}
    assert site.ctl_one("member", "deactivate", member["member_id"]) == off
    assert site.ctl("member", "list", "--org", org) == [off]
    assert site.ctl_one("member", "deactivate", member["member_id"]) == off
    assert site.ctl_one("member", "activate", member["member_id"]) == member
    assert site.ctl_one("member", "activate", member["member_id"]) == member


def test_member_that_does_not_exist(operator):
    nobody = unknown_id()
    for verb in ("deactivate", "activate", "show"):
        operator.fails(65, "member", verb, nobody, says=f"no member {nobody}")
    operator.fails(65, "member", "edit", nobody, "--name", "X", says=f"no member {nobody}")


def test_id_in_capitals_is_the_same(site, org):
    member = site.add_member(org)["member_id"]
    assert site.ctl_one("member", "deactivate", member.upper())["member_id"] == member


@pytest.mark.parametrize(
    "email", ["", "x", "@x", "x@", "a b@c", "a@b@c", "a@b\n", "x" * 250 + "@b.cc"]
)
def test_email_that_is_none(operator, org, email):
    operator.fails(65, "member", "add", "--org", org, "X", f"--email={email}", says="--email")


def test_longest_email(site, org):
    email = "x" * 248 + "@b.com"
    assert site.add_member(org, "X", "--email", email)["member_email"] == email


def test_show(site, org):
    member = site.add_member(org, "Ann", "--email", "ann@example.com")
    site.add_member(org, "Ben")
    assert site.ctl_one("member", "show", member["member_id"]) == member


@pytest.mark.parametrize(
    "words, changes",
    [
        (["--name", "Anna"], {"member_name": "Anna"}),
        (["--email", "anna@example.com"], {"member_email": "anna@example.com"}),
        (["--email="], {"member_email": None}),
        (["--email", "", "--name", "A"], {"member_email": None, "member_name": "A"}),
    ],
)
def test_edit_changes_what_is_given(site, org, words, changes):
    member = site.add_member(org, "Ann", "--email", "ann@example.com")
    other = site.add_member(org, "Ben", "--email", "ben@example.com")
    edited = {**member, **changes}
    assert site.ctl_one("member", "edit", member["member_id"], *words) == edited
    assert site.ctl("member", "list", "--org", org) == [edited, other]


def test_edit_that_is_wrong(operator, org):
    member = operator.site.add_member(org, "Ann")
    words = ("member", "edit", member["member_id"])
    operator.fails(64, *words, says="say what to change: --name, --email")
    operator.fails(65, *words, "--name=", says=["--name", "blank"])
    operator.fails(65, *words, "--email", "x", says=["--email", "must look like"])
    assert operator.site.ctl("member", "list", "--org", org) == [member]
