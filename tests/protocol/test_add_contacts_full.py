"""addContactsFull: contacts are added, found and changed, with their companies."""

import concurrent.futures
import json
import re

import pytest

from support.answers import UUID, assert_error
from support.calls import ADD, FETCH, add_body, data_of, fetch_body

UNKNOWN = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"
WRONG_ORG = "You are trying to use a contact that does not belong to your organization"
NOT_FOUND = ("NOT_FOUND", "Contact does not exist")
FULL = {
    "firstName": "Grace",
    "lastName": "Hopper",
    "roleLabel": "Rear admiral",
    "primaryEmail": "grace@full.example",
    "secondaryEmail": "hopper@full.example",
    "primaryPhone": "+1 212 555 0100",
    "secondaryPhone": "+1 212 555 0101",
}


@pytest.fixture
def world(pool):
    return pool.site.world("Contacts")


@pytest.fixture
def add(pool, world):
    def send(contact, headers=None, **fields):
        return pool.call(add_body(world, contact, **fields), path=ADD, headers=headers)

    return send


@pytest.fixture
def read(pool, world):
    def send(contact):
        body = fetch_body(world, contact_id=contact, include_entity=1)
        return data_of(pool.call(body, path=FETCH))

    return send


def test_a_contact_is_added_with_all_fields(world, add, read):
    answer = add(FULL, entity={"name": "Navy", "website": "https://navy.example"})
    data = data_of(answer)
    assert re.fullmatch(
        rb'\{"data":\{"contact_id":"[^"]+","entity_id":"[^"]+","created":1\},"status":"success"\}', answer.body
    )
    assert UUID.fullmatch(data["contact_id"]) and UUID.fullmatch(data["entity_id"])
    found = read(data["contact_id"])
    assert found["entity"] == {"entity_name": "Navy", "website": "https://navy.example"}
    contact = found["contact"]
    assert contact.pop("created_at") == contact.pop("updated_at")
    assert contact == {
        "contact_id": data["contact_id"],
        "contact_owner": world.member,
        "contact_name": "Grace Hopper",
        "first_name": "Grace",
        "last_name": "Hopper",
        "role_label": "Rear admiral",
        "primary_email": "grace@full.example",
        "secondary_email": "hopper@full.example",
        "primary_phone": "+1 212 555 0100",
        "secondary_phone": "+1 212 555 0101",
        "entity_name": "Navy",
    }


def test_only_what_is_sent_changes(add, read):
    first = data_of(add(FULL))["contact_id"]
    changed = data_of(add({"primaryEmail": "GRACE@full.example", "roleLabel": "Inventor", "lastName": None}))
    assert changed == {"contact_id": first, "entity_id": None, "created": 0}
    contact = read(first)["contact"]
    assert contact["role_label"] == "Inventor" and contact["last_name"] is None
    assert contact["contact_name"] == "Grace"  # made of first and last name
    assert contact["primary_email"] == "GRACE@full.example"
    assert contact["secondary_phone"] == FULL["secondaryPhone"]
    assert contact["updated_at"] > contact["created_at"]


@pytest.mark.parametrize("nothing", [None, "", " \t"])
def test_null_and_blank_clear(add, read, nothing):
    contact = data_of(add(FULL))["contact_id"]
    cleared = {"contactId": contact, "primaryPhone": nothing, "roleLabel": nothing, "name": "G"}
    data_of(add(cleared, lookup_by="contact_id"))
    found = read(contact)["contact"]
    assert (found["primary_phone"], found["role_label"], found["contact_name"]) == (None, None, "G")


@pytest.mark.parametrize(
    "by, sent",
    [
        (None, {"primaryEmail": "hopper@FULL.example"}),
        ("email", {"secondaryEmail": "grace@full.example"}),
        ("phone", {"primaryPhone": "0012125550101"[2:]}),
        ("phone", {"secondaryPhone": "+1 (212) 555-0100"}),
    ],
)
def test_a_contact_is_found_by_either_address(add, by, sent):
    contact = data_of(add(FULL))["contact_id"]
    fields = {"lookup_by": by} if by else {}
    assert data_of(add(sent, mode="update", **fields))["contact_id"] == contact


def test_modes(add):
    assert_error(add(FULL, mode="update"), *NOT_FOUND)
    first = data_of(add(FULL, mode="insert"))
    assert first["created"] == 1
    assert_error(add(FULL, mode="insert"), "CONTACT_EXISTS", "Contact already exists")
    assert data_of(add(FULL, mode="update")) == {**first, "created": 0}
    assert data_of(add(FULL)) == {**first, "created": 0}


def test_an_id_of_the_callers_own(add, read):
    named = {"contactId": "0B5F4A1E-9D5C-4B6E-8F3A-2C1D0E9F8A01", "name": "Own"}
    by_id = {"lookup_by": "contact_id"}
    assert_error(add(named, mode="update", **by_id), *NOT_FOUND)
    added = data_of(add(named, **by_id))
    assert added["contact_id"] == named["contactId"].lower() and added["created"] == 1
    assert data_of(add(named, **by_id))["created"] == 0
    assert_error(add({"contactId": "x", "name": "Own"}, **by_id), *NOT_FOUND)
    # without lookup_by it is not looked at
    assert data_of(add({"contactId": added["contact_id"], "name": "Other"}))["created"] == 1


def test_several_that_match(pool, world, add):
    for _ in range(2):
        pool.site.add_contact(world.org, world.member, "Twin", "--email", "twin@x.example")
    twin = {"primaryEmail": "twin@x.example"}
    for mode in ("upsert", "update"):
        answer = add(twin, mode=mode)
        assert_error(answer, "CONTACT_AMBIGUOUS", "More than one contact matches")
    assert_error(add(twin, mode="insert"), "CONTACT_EXISTS", "Contact already exists")


@pytest.mark.parametrize("contact", [{}, {"lastName": "x"}, {"name": " "}, {"primaryPhone": "1"}])
def test_a_contact_needs_a_name(add, contact):
    assert_error(add(contact), "MISSING_FIELDS", "Missing contact name")


def test_a_change_must_leave_a_name(add):
    contact = data_of(add({"name": "Only"}))["contact_id"]
    cleared = {"contactId": contact, "name": None}
    assert_error(add(cleared, lookup_by="contact_id"), "MISSING_FIELDS", "Missing contact name")


def test_owner(pool, world, add, read):
    contact = data_of(add({**FULL, "owner": world.second_member}))["contact_id"]
    assert read(contact)["contact"]["contact_owner"] == world.second_member
    data_of(add({**FULL, "roleLabel": "x"}))
    assert read(contact)["contact"]["contact_owner"] == world.second_member
    body = world.body(contact_id=contact, note="by the owner", member_id=world.second_member)
    data_of(pool.call(body))
    data_of(add({**FULL, "owner": world.member}))
    assert_error(pool.call(body), "NOT_OWNER", "The API only supports notes being added by the member that owns the contact.")
    for owner in (UNKNOWN, "x"):
        assert_error(add({**FULL, "owner": owner}), "MEMBER_NOT_FOUND", "Member does not exist")


def test_companies_are_found_by_their_names(add, read):
    navy = data_of(add({"name": "One"}, entity={"name": "Straße"}))["entity_id"]
    assert data_of(add({"name": "Two"}, entity={"name": "STRASSE"}))["entity_id"] == navy
    by = {"lookup_by": "contact_id"}
    contact = {"contactId": "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a02", "name": "Three"}
    assert data_of(add(contact, **by))["entity_id"] is None
    answer = add(contact, entity={"website": "https://x.example"}, **by)
    assert_error(answer, "MISSING_FIELDS", "Missing entity name")
    assert data_of(add(contact, entity={"name": "Straße"}, skip_entity=True, **by))["entity_id"] is None
    assert data_of(add(contact, entity={"name": "Straße"}, **by))["entity_id"] == navy
    assert data_of(add(contact, entity={"website": "https://x.example"}, **by))["entity_id"] == navy
    found = read(contact["contactId"])
    assert found["entity"] == {"entity_name": "Straße", "website": "https://x.example"}
    assert data_of(add(contact, entity={"name": None}, **by))["entity_id"] is None
    assert read(contact["contactId"])["entity"] is None


@pytest.mark.parametrize(
    "member, value",
    [
        *(("primaryEmail", value) for value in ("x", "a b@c", "@x", "a@" + "x" * 253, 5)),
        *(("primaryPhone", value) for value in ("1\n2", "1" * 65, [])),
        *(("firstName", value) for value in ("x" * 201, "\x7f", True)),
        ("contactId", 5),
        ("owner", {}),
    ],
)
def test_members_that_are_wrong(add, member, value):
    answer = add({"name": "x", member: value})
    assert_error(answer, "INVALID_FIELDS", f"Invalid {member}")


def test_fields_that_are_wrong(pool, world, add):
    answer = add({"name": "x"}, mode="x", lookup_by="name", skip_entity=2, debug="x", entity=[])
    wrong = ("mode", "lookup_by", "skip_entity", "debug", "entity")
    assert_error(answer, "INVALID_FIELDS", *(f"Invalid {name}" for name in wrong))
    answer = add({"name": "x"}, entity={"name": "\x01", "website": "y" * 255})
    assert_error(answer, "INVALID_FIELDS", "Invalid entity name", "Invalid entity website")
    assert_error(add("x"), "INVALID_FIELDS", "Invalid contact")
    keys = {"api_key": world.api_key, "developer_secret": world.developer_secret}
    missing = ("Missing org ID", "Missing member ID", "Missing contact")
    assert_error(pool.call(keys, path=ADD), "MISSING_FIELDS", *missing)


def test_who_may_not_add(pool, world, add):
    other = pool.site.world("Other")
    for member in (UNKNOWN, other.member, "no uuid"):
        answer = add(FULL, member_id=member)
        assert_error(answer, "MEMBER_NOT_FOUND", "Member does not exist")
    assert_error(add(FULL, org_id=other.org), "WRONG_ORG", WRONG_ORG)
    foreign = {"contactId": other.contact, "name": "Mine"}
    assert_error(add(foreign, lookup_by="contact_id"), "WRONG_ORG", WRONG_ORG)
    assert pool.site.ctl_one("contact", "show", other.contact)["contact_name"] == "Other contact"
    # the same address in another organization is another contact
    mine = data_of(add(FULL))
    theirs = data_of(pool.call(add_body(other, FULL), path=ADD))
    assert theirs["created"] == 1 and theirs["contact_id"] != mine["contact_id"]


def test_a_request_can_be_repeated(add):
    key = {"Idempotency-Key": "one"}
    first = add({"name": "Once"}, headers=key)
    again = add({"name": "Once"}, headers=key)
    assert again.body == first.body and again.header("Idempotency-Replayed") == "true"
    answer = add({"name": "Twice"}, headers=key)
    message = "Idempotency-Key was already used with a different request"
    assert_error(answer, "IDEMPOTENCY_MISMATCH", message, status=422)


def test_requests_at_the_same_moment_make_one_contact(pool, world, add):
    with concurrent.futures.ThreadPoolExecutor(16) as executor:
        answers = list(executor.map(lambda _: data_of(add(FULL)), range(64)))
    assert len({answer["contact_id"] for answer in answers}) == 1
    assert sum(answer["created"] for answer in answers) == 1


def test_the_log_names_the_contact(pool, world, add):
    answer = add(FULL)
    line = pool.wait_for_event("request", request_id=answer.header("X-Request-Id"))
    assert line["contact_id"] == json.loads(answer.body)["data"]["contact_id"]
    assert line["member_id"] == world.member and "entity_id" not in line
    text = json.dumps(line)
    assert not any(value in text for value in FULL.values())
