"""crmnotesctl contact."""

import pytest

from support.ids import unknown_id

CONTACT = ["contact_id", "contact_owner", "contact_name", "contact_email", "contact_phone"]


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


@pytest.fixture
def owner(site, org):
    return site.add_member(org)["member_id"]


def test_add_prints_the_contact(site, org, owner):
    words = ("--email", "b@example.com", "--phone", "+49 30 1234-567")
    contact = site.add_contact(org, owner, "Bob", *words)
    assert list(contact) == CONTACT
    assert contact["contact_owner"] == owner
    assert contact["contact_name"] == "Bob"
    assert contact["contact_email"] == "b@example.com"
    assert contact["contact_phone"] == "+49 30 1234-567"
    assert site.ctl_one("contact", "show", contact["contact_id"]) == contact


def test_email_and_phone_may_be_left_out(site, org, owner):
    contact = site.add_contact(org, owner)
    assert contact["contact_email"] is None and contact["contact_phone"] is None


def test_list_has_the_organizations_own_in_order(site, org, owner):
    other = site.add_org()["org_id"]
    added = [site.add_contact(org, owner, name) for name in ("B", "A", "C")]
    site.add_contact(other, site.add_member(other)["member_id"])
    assert site.ctl("contact", "list", "--org", org) == added


def test_id_from_elsewhere(operator, org, owner):
    wanted = unknown_id()
    assert operator.site.add_contact(org, owner, "X", "--id", wanted)["contact_id"] == wanted
    words = ("contact", "add", "--org", org, "--owner", owner, "Y", "--id", wanted)
    operator.fails(65, *words, says="this id already")


def test_owner_must_be_an_active_member_of_the_organization(operator, org, owner):
    site = operator.site
    stranger = site.add_member(site.add_org()["org_id"])["member_id"]
    site.ctl("member", "deactivate", owner)
    for wrong in (stranger, owner, unknown_id()):
        words = ("contact", "add", "--org", org, "--owner", wrong, "X")
        operator.fails(65, *words, says=["--owner", wrong, "active member"])
    assert site.ctl("contact", "list", "--org", org) == []


def test_assign(operator, org, owner):
    site = operator.site
    contact = site.add_contact(org, owner)
    second = site.add_member(org, "Second")["member_id"]
    (assigned,) = site.assign_contact(contact["contact_id"], second)
    assert assigned == {**contact, "contact_owner": second}
    assert site.assign_contact(contact["contact_id"], second) == [assigned]
    (row,) = operator.rows("SELECT created_at, updated_at FROM contacts")
    assert row["updated_at"] > row["created_at"]


def test_assign_to_somebody_wrong_changes_nothing(operator, org, owner):
    site = operator.site
    contact = site.add_contact(org, owner)
    stranger = site.add_member(site.add_org()["org_id"])["member_id"]
    left = site.add_member(org, "Left")["member_id"]
    site.ctl("member", "deactivate", left)
    for wrong in (stranger, left, unknown_id()):
        words = ("contact", "assign", contact["contact_id"], "--owner", wrong)
        operator.fails(65, *words, says=["--owner", wrong])
    assert site.ctl_one("contact", "show", contact["contact_id"]) == contact


def test_what_does_not_exist(operator, org, owner):
    nothing = unknown_id()
    operator.fails(65, "contact", "show", nothing, says=f"no contact {nothing}")
    operator.fails(65, "contact", "assign", nothing, "--owner", owner, says="no contact")
    operator.fails(65, "contact", "list", "--org", nothing, says="no organization")
    words = ("contact", "add", "--org", nothing, "--owner", owner, "X")
    operator.fails(65, *words, says="no organization")


@pytest.mark.parametrize("phone", ["", " ", "1" * 65, "12\n34"])
def test_phone_that_is_none(operator, org, owner, phone):
    words = ("contact", "add", "--org", org, "--owner", owner, "X")
    operator.fails(65, *words, f"--phone={phone}", says="--phone")
