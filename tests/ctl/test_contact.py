"""crmnotesctl contact."""

import json

import pytest

from support.ids import unknown_id

CONTACT = [
    "contact_id",
    "contact_owner",
    "contact_name",
    "contact_email",
    "contact_phone",
    "first_name",
    "last_name",
    "role_label",
    "secondary_email",
    "secondary_phone",
    "entity_name",
    "website",
    "created_at",
    "updated_at",
]
# each option of a text, with the member that shows it
OPTIONS = {
    "--first-name": "first_name",
    "--last-name": "last_name",
    "--role": "role_label",
    "--email": "contact_email",
    "--second-email": "secondary_email",
    "--phone": "contact_phone",
    "--second-phone": "secondary_phone",
    "--company": "entity_name",
    "--website": "website",
}
TEXTS = {
    "--first-name": "Grace",
    "--last-name": "Hopper",
    "--role": "Rear Admiral",
    "--email": "grace@example.com",
    "--second-email": "hopper@example.org",
    "--phone": "+1 212 555-0100",
    "--second-phone": "0100",
    "--company": "Navy",
    "--website": "https://navy.example",
}


def words_of(texts):
    return [f"{option}={text}" for option, text in texts.items()]


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
    assert {**assigned, "updated_at": contact["updated_at"]} == {**contact, "contact_owner": second}
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


def test_add_takes_every_text(site, org, owner):
    words = ("contact", "add", "--org", org, "--owner", owner, *words_of(TEXTS))
    contact = site.ctl_one(*words)
    assert {option: contact[member] for option, member in OPTIONS.items()} == TEXTS
    assert contact["contact_name"] == "Grace Hopper"
    assert site.ctl("contact", "list", "--org", org) == [contact]
    shown = site.ctl("contact", "show", contact["contact_id"], json=False)
    assert all(text in shown for text in TEXTS.values())


def test_a_contact_needs_something_to_call_it_by(operator, org, owner):
    words = ("contact", "add", "--org", org, "--owner", owner)
    says = "a contact needs a name, a first name or an e-mail address"
    operator.fails(65, *words, "--phone", "1", says=says)
    assert operator.site.ctl_one(*words, "--email", "a@b.example")["contact_name"] is None


@pytest.mark.parametrize("option", [*OPTIONS, "--name", "--owner"])
def test_edit_changes_what_is_given_and_nothing_else(site, org, owner, option):
    before = site.add_contact(org, owner, "Amazing Grace", *words_of(TEXTS))
    second = site.add_member(org, "Second")["member_id"]
    new = {"--owner": second, "--email": "new@example.net", "--second-email": "2@example.net"}
    member = {"--name": "contact_name", "--owner": "contact_owner", **OPTIONS}[option]
    after = site.ctl_one("contact", "edit", before["contact_id"], option, new.get(option, "New"))
    # a website is that of the company
    other = {"website": None} if option == "--company" else {}
    changed = {**before, **other, member: new.get(option, "New"), "updated_at": after["updated_at"]}
    assert after == changed and after["updated_at"] > before["updated_at"]
    assert site.ctl_one("contact", "show", before["contact_id"]) == after


@pytest.mark.parametrize("option", OPTIONS)
def test_an_empty_text_clears(site, org, owner, option):
    before = site.add_contact(org, owner, "Amazing Grace", *words_of(TEXTS))
    after = site.ctl_one("contact", "edit", before["contact_id"], f"{option}=")
    gone = {OPTIONS[option]} | ({"website"} if option == "--company" else set())
    assert {name for name in CONTACT[:-1] if after[name] != before[name]} == gone
    assert all(after[name] is None for name in gone)


def test_the_name_follows_first_and_last_name(site, org, owner):
    contact = site.ctl_one(
        *("contact", "add", "--org", org, "--owner", owner, "--first-name", "Ada", "--last-name", "Byron")
    )
    assert contact["contact_name"] == "Ada Byron"
    edit = ("contact", "edit", contact["contact_id"])
    assert site.ctl_one(*edit, "--last-name", "Lovelace")["contact_name"] == "Ada Lovelace"
    assert site.ctl_one(*edit, "--name", "Lady Lovelace")["contact_name"] == "Lady Lovelace"
    assert site.ctl_one(*edit, "--first-name", "Augusta")["contact_name"] == "Lady Lovelace"
    assert site.ctl_one(*edit, "--name=")["contact_name"] == "Augusta Lovelace"


def test_an_edit_that_changes_nothing_is_not_written_down(operator, org, owner):
    site = operator.site
    before = site.add_contact(org, owner, "Grace", *words_of(TEXTS))
    edit = ("contact", "edit", before["contact_id"], "--name", "Grace", "--owner", owner)
    assert site.ctl_one(*edit, *words_of(TEXTS)) == before
    assert operator.rows("SELECT count(*) AS n FROM audit WHERE action = 'contact edit'") == [{"n": 0}]
    site.ctl("contact", "edit", before["contact_id"], "--role=Captain", "--owner", owner)
    (row,) = operator.rows("SELECT detail FROM audit WHERE action = 'contact edit'")
    assert json.loads(row["detail"]) == {"ID": before["contact_id"], "--role": True, "--owner": owner}


def test_edits_that_are_refused(operator, org, owner):
    site = operator.site
    contact = site.add_contact(org, owner, "Grace")
    edit = ("contact", "edit", contact["contact_id"])
    operator.fails(64, *edit, says="say what to change: --name, --first-name")
    operator.fails(65, *edit, "--name=", says="a contact needs a name")
    operator.fails(65, *edit, "--website", "https://a.example", says="company")
    operator.fails(65, *edit, "--email", "none", says="--email: must look like")
    operator.fails(65, *edit, "--role", "a\tb", says="--role: must not hold control")
    operator.fails(65, *edit, "--company", "x" * 201, says="--company: must have at most 200")
    operator.fails(65, *edit, "--owner", unknown_id(), says=["--owner", "active member"])
    operator.fails(65, "contact", "edit", unknown_id(), "--role", "x", says="no contact")
    assert site.ctl_one("contact", "show", contact["contact_id"]) == contact


def test_find_shows_the_best_first(operator, org, owner):
    site = operator.site
    find = ("contact", "find", "--org", org)
    part = site.add_contact(org, owner, "Zoë Müller-Lüdenscheidt")
    name = site.add_contact(org, owner, "MÜLLER")
    email = site.add_contact(org, owner, "Eva", "--email", "Müller@example.com")
    phone = site.add_contact(org, owner, "Pia", "--phone", "+49 (30) 901-820")
    other = site.add_org()["org_id"]
    stranger = site.add_contact(other, site.add_member(other)["member_id"], "Müller")
    assert site.ctl(*find, "müller") == [name, email, part]
    assert site.ctl(*find, "müller@EXAMPLE.com") == [email]
    assert site.ctl(*find, "0049 30901820") == [] and site.ctl(*find, "4930901820") == [phone]
    assert site.ctl(*find, part["contact_id"]) == [part]
    assert site.ctl(*find, "Müller", "--limit", "2") == [name, email]
    assert site.ctl(*find, "nobody") == []
    assert site.ctl("contact", "find", "--org", other, "Müller") == [stranger]
    operator.fails(65, "contact", "find", "--org", unknown_id(), "x", says="no organization")
    operator.fails(65, *find, "x" * 257, says="TEXT: must have at most 256 bytes")
    operator.fails(65, *find, "x", "--limit", "0", says="--limit: must be a number from 1")


def test_find_shows_at_most_twenty(site, org, owner):
    added = [site.add_contact(org, owner, f"Number {i}") for i in range(22)]
    assert site.ctl("contact", "find", "--org", org, "number") == added[:1:-1]


@pytest.mark.parametrize("phone", ["", " ", "1" * 65, "12\n34"])
def test_phone_that_is_none(operator, org, owner, phone):
    words = ("contact", "add", "--org", org, "--owner", owner, "X")
    operator.fails(65, *words, f"--phone={phone}", says="--phone")
