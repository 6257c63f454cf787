"""Checks 1 to 13 in docs/api.md: their order and their messages. Row 5 in a name is check 5."""

from datetime import datetime, timedelta, timezone

import pytest

from support.answers import assert_error, assert_success, note_id_of
from support.site import ABSENT, LOCALHOST
from support.wait import wait_for

ELSEWHERE = ("10.0.0.0/8", "2001:db8::/32")

UNKNOWN_ID = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"

MISSING = [ABSENT, None, ""]
MISSING_IDS = ["absent", "null", "empty"]
NO_STRING = [5, 0, 1.5, True, False, [], {}, ["x"], {"x": "y"}]

WRONG_ORG = (
    "You are trying to add a note to a contact that does not belong to your organization"
)
NOT_OWNER = "The API only supports notes being added by the member that owns the contact."


def in_seconds(seconds):
    """A time from now, as RFC 3339 in UTC."""
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def refuses(front, body, code, *messages):
    assert_error(front.send(body), code, *messages)


# Check 1


@pytest.mark.parametrize("value", MISSING, ids=MISSING_IDS)
def test_row_1_api_key_is_missing(front, shared, value):
    refuses(front, shared.body(api_key=value), "MISSING_API_KEY", "Missing service instance")


def test_row_1_comes_before_everything_else(front, shared):
    refuses(front, {}, "MISSING_API_KEY", "Missing service instance")


# Check 2


@pytest.mark.parametrize(
    "value", ["zak_" + "A" * 43, "x", " ", "a\0b", "é" * 200, "x" * 5000, *NO_STRING], ids=repr
)
def test_row_2_api_key_is_unknown(front, shared, value):
    refuses(front, shared.body(api_key=value), "INVALID_API_KEY", "Invalid API Key")


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda k: k + " ", lambda k: k[:-1]])
def test_row_2_api_key_is_compared_exactly(front, shared, change):
    key = change(shared.api_key)
    refuses(front, shared.body(api_key=key), "INVALID_API_KEY", "Invalid API Key")


def test_row_2_developer_secret_is_no_api_key(front, shared):
    key = shared.developer_secret
    refuses(front, shared.body(api_key=key), "INVALID_API_KEY", "Invalid API Key")


def test_row_2_api_key_is_revoked(front, world):
    front.site.ctl("apikey", "revoke", world.apikey_id)
    refuses(front, world.body(), "INVALID_API_KEY", "Invalid API Key")


def test_row_2_other_keys_live_on_when_one_is_revoked(front, world):
    second = front.site.issue_apikey(world.member)
    front.site.ctl("apikey", "revoke", world.apikey_id)
    answer = front.send(world.body(api_key=second["api_key"], note="x"))
    assert_success(answer, world.contact, '"x"', visibility=1)


def test_row_2_member_is_deactivated_and_activated(front, world):
    front.site.ctl("member", "deactivate", world.member)
    refuses(front, world.body(), "INVALID_API_KEY", "Invalid API Key")
    front.site.ctl("member", "activate", world.member)
    assert_success(front.send(world.body(note="x")), world.contact, '"x"', visibility=1)


def test_row_2_deactivated_member_leaves_others_working(front, world):
    second = front.site.issue_apikey(world.second_member)
    front.site.ctl("member", "deactivate", world.second_member)
    refuses(front, world.body(api_key=second["api_key"]), "INVALID_API_KEY", "Invalid API Key")
    assert_success(front.send(world.body(note="x")), world.contact, '"x"', visibility=1)


# Checks 3 to 6


@pytest.fixture(scope="session")
def elsewhere(front):
    """An organization whose only developer key is for other networks."""
    return front.site.world("Elsewhere", allow=ELSEWHERE)


def test_row_3_no_developer_key_allows_the_address(front, elsewhere):
    refuses(front, elsewhere.body(), "IP_NOT_WHITELISTED", "IP address not whitelisted")


@pytest.mark.parametrize("value", [*MISSING, "zdk_wrong"], ids=[*MISSING_IDS, "wrong"])
def test_row_3_comes_before_the_developer_secret(front, elsewhere, value):
    body = elsewhere.body(developer_secret=value)
    refuses(front, body, "IP_NOT_WHITELISTED", "IP address not whitelisted")


def test_row_3_another_organizations_developer_key_does_not_help(front, elsewhere, shared):
    body = elsewhere.body(developer_secret=shared.developer_secret)
    refuses(front, body, "IP_NOT_WHITELISTED", "IP address not whitelisted")


def test_row_3_organization_without_developer_keys(front):
    org = front.site.add_org("No keys")["org_id"]
    member = front.site.add_member(org)["member_id"]
    body = {"api_key": front.site.issue_apikey(member)["api_key"]}
    refuses(front, body, "IP_NOT_WHITELISTED", "IP address not whitelisted")


def test_row_3_only_developer_key_is_revoked(front, world):
    front.site.ctl("devkey", "revoke", world.devkey_id)
    refuses(front, world.body(), "IP_NOT_WHITELISTED", "IP address not whitelisted")


def test_row_3_forwarded_addresses_count_for_nothing(front, elsewhere):
    claims = {"X-Forwarded-For": "10.0.0.1", "X-Real-IP": "10.0.0.1", "Forwarded": "for=10.0.0.1"}
    answer = front.send(elsewhere.body(), headers=claims)
    assert_error(answer, "IP_NOT_WHITELISTED", "IP address not whitelisted")


def test_row_3_changes_of_the_allowed_list_count_at_once(front, world):
    front.site.ctl("allow", "remove", world.devkey_id, *LOCALHOST)
    refuses(front, world.body(), "IP_NOT_WHITELISTED", "IP address not whitelisted")
    front.site.ctl("allow", "add", world.devkey_id, "127.0.0.0/8")
    assert_success(front.send(world.body(note="x")), world.contact, '"x"', visibility=1)


@pytest.mark.parametrize("value", MISSING, ids=MISSING_IDS)
def test_row_4_developer_secret_is_missing(front, shared, value):
    body = {"api_key": shared.api_key, "developer_secret": value}
    body = {name: value for name, value in body.items() if value is not ABSENT}
    refuses(front, body, "MISSING_DEVELOPER_SECRET", "Missing developer_secret")


@pytest.mark.parametrize("value", ["zdk_" + "A" * 43, "x", " ", *NO_STRING], ids=repr)
def test_row_5_developer_secret_is_unknown(front, shared, value):
    body = {"api_key": shared.api_key, "developer_secret": value}
    refuses(front, body, "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda k: k + " ", lambda k: k[:-1]])
def test_row_5_developer_secret_is_compared_exactly(front, shared, change):
    body = shared.body(developer_secret=change(shared.developer_secret))
    refuses(front, body, "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")


def test_row_5_api_key_is_no_developer_secret(front, shared):
    body = shared.body(developer_secret=shared.api_key)
    refuses(front, body, "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")


def test_row_5_developer_secret_of_another_organization(front, shared, other):
    body = shared.body(developer_secret=other.developer_secret)
    refuses(front, body, "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")


def test_row_5_developer_key_is_revoked_while_another_lives(front, world):
    front.site.issue_devkey(world.org, *LOCALHOST, name="Another")
    front.site.ctl("devkey", "revoke", world.devkey_id)
    refuses(front, world.body(), "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")


def test_row_5_developer_key_expires_while_another_lives(front, world):
    soon = front.site.issue_devkey(world.org, *LOCALHOST, name="Short", expires=in_seconds(2))
    body = world.body(developer_secret=soon["developer_secret"], note="x")
    assert_success(front.send(body), world.contact, '"x"', visibility=1)
    wait_for(lambda: front.send(body).header("X-Error-Code"), "the end of a developer key")
    refuses(front, body, "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")
    assert_success(front.send(world.body(note="y")), world.contact, '"y"', visibility=1)


@pytest.mark.parametrize("rest", ["good", "missing"])
def test_row_6_this_developer_key_is_for_other_networks(front, world, rest):
    away = front.site.issue_devkey(world.org, *ELSEWHERE, name="Away")["developer_secret"]
    body = world.body(developer_secret=away)
    if rest == "missing":
        body = {"api_key": world.api_key, "developer_secret": away}
    refuses(front, body, "IP_NOT_WHITELISTED", "IP address not whitelisted")


# Checks 7 and 8

FIELDS = {
    "org_id": "Missing org ID",
    "member_id": "Missing member ID",
    "contact_id": "Missing contact ID",
    "note": "Missing note",
}


@pytest.mark.parametrize("value", MISSING, ids=MISSING_IDS)
@pytest.mark.parametrize("field", FIELDS)
def test_row_7_a_field_is_missing(front, shared, field, value):
    refuses(front, shared.body(**{field: value}), "MISSING_FIELDS", FIELDS[field])


@pytest.mark.parametrize(
    "note", [" ", "\t", "\n", "\r\n", "  \n\t \r ", "\u00a0\u2003\u3000\u2028"], ids=repr
)
def test_row_7_note_of_white_space(front, shared, note):
    refuses(front, shared.body(note=note), "MISSING_FIELDS", "Missing note")


@pytest.mark.parametrize("value", MISSING, ids=MISSING_IDS)
def test_row_7_all_that_are_missing_in_order(front, shared, value):
    body = shared.body(note=value, contact_id=value, member_id=value, org_id=value)
    refuses(front, body, "MISSING_FIELDS", *FIELDS.values())


def test_row_7_some_that_are_missing_in_order(front, shared):
    body = shared.body(note=" ", member_id=None)
    refuses(front, body, "MISSING_FIELDS", "Missing member ID", "Missing note")


def test_row_7_comes_before_row_8(front, shared):
    body = shared.body(note=ABSENT, org_id=5, note_visibility=7)
    refuses(front, body, "MISSING_FIELDS", "Missing note")


STRINGS = {
    "org_id": "Invalid org ID",
    "member_id": "Invalid member ID",
    "contact_id": "Invalid contact ID",
    "note": "Invalid note",
    "note_id": "Invalid note ID",
}


@pytest.mark.parametrize("value", NO_STRING, ids=repr)
@pytest.mark.parametrize("field", STRINGS)
def test_row_8_a_field_is_no_string(front, shared, field, value):
    refuses(front, shared.body(**{field: value}), "INVALID_FIELDS", STRINGS[field])


BAD_FLAGS = [2, -1, 10**30, 0.5, 1.5, -1.0, "2", "-1", "x", "true", "false", " 1", "1 ", "01", [], {}, [1]]


@pytest.mark.parametrize("value", BAD_FLAGS, ids=repr)
@pytest.mark.parametrize("flag", ["note_visibility", "note_editable"])
def test_row_8_a_flag_is_neither_0_nor_1(front, shared, flag, value):
    refuses(front, shared.body(**{flag: value}), "INVALID_FIELDS", f"Invalid {flag}")


def test_row_8_all_that_are_invalid_in_order(front, shared):
    body = shared.body(
        note_editable=2,
        note_visibility=2,
        note_id=1,
        note=1,
        contact_id=1,
        member_id=1,
        org_id=1,
    )
    messages = [*STRINGS.values(), "Invalid note_visibility", "Invalid note_editable"]
    refuses(front, body, "INVALID_FIELDS", *messages)


@pytest.mark.parametrize("note", ["\0", "a\0b", "a\0"], ids=repr)
def test_row_8_note_holds_nul(front, shared, note):
    refuses(front, shared.body(note=note), "INVALID_FIELDS", "Invalid note")


@pytest.mark.parametrize("note", ["a" * 65537, "é" * 32768 + "a"], ids=["ascii", "two bytes each"])
def test_row_8_note_is_too_long(front, shared, note):
    refuses(front, shared.body(note=note), "INVALID_FIELDS", "Invalid note")


@pytest.mark.parametrize("note", ["a" * 65536, "é" * 32768], ids=["ascii", "two bytes each"])
def test_row_8_note_of_exactly_the_limit_is_good(front, shared, note):
    answer = front.send(shared.body(note=note))
    note_id = assert_success(answer, shared.contact, f'"{note}"', visibility=1)
    assert front.site.note(note_id)["note_content"] == note


def test_row_8_comes_before_row_9(front, shared):
    body = shared.body(contact_id=UNKNOWN_ID, note_editable=3)
    refuses(front, body, "INVALID_FIELDS", "Invalid note_editable")


# Checks 9 to 11

NO_UUIDS = [
    "x",
    "a1b2c3d4",
    "a1b2c3d4-e5f6-7890-abcd-ef123456789",
    "a1b2c3d4-e5f6-7890-abcd-ef12345678901",
    "a1b2c3d4-e5f6-7890-abcd-ef123456789g",
    "a1b2c3d4e5f67890abcdef1234567890",
    "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}",
    " a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890\0",
    "' OR 1=1 --",
    "x" * 3000,
]


@pytest.mark.parametrize("contact_id", [UNKNOWN_ID, *NO_UUIDS], ids=repr)
def test_row_9_contact_is_unknown(front, shared, contact_id):
    body = shared.body(contact_id=contact_id)
    refuses(front, body, "NOT_FOUND", "Contact does not exist")


def test_row_9_comes_before_rows_10_to_12(front, shared, other):
    body = shared.body(
        contact_id=UNKNOWN_ID, org_id=other.org, member_id=other.member, note_id=UNKNOWN_ID
    )
    refuses(front, body, "NOT_FOUND", "Contact does not exist")


def test_row_10_contact_is_of_another_organization(front, shared, other):
    refuses(front, shared.body(contact_id=other.contact), "WRONG_ORG", WRONG_ORG)


def test_row_10_org_id_is_another_organization(front, shared, other):
    refuses(front, shared.body(org_id=other.org), "WRONG_ORG", WRONG_ORG)


def test_row_10_org_id_and_contact_are_of_another_organization(front, shared, other):
    body = shared.body(org_id=other.org, contact_id=other.contact, member_id=other.member)
    refuses(front, body, "WRONG_ORG", WRONG_ORG)


@pytest.mark.parametrize("org_id", [UNKNOWN_ID, *NO_UUIDS], ids=repr)
def test_row_10_org_id_is_unknown(front, shared, org_id):
    refuses(front, shared.body(org_id=org_id), "WRONG_ORG", WRONG_ORG)


def test_row_10_comes_before_rows_11_and_12(front, shared, other):
    body = shared.body(org_id=other.org, member_id=UNKNOWN_ID, note_id=UNKNOWN_ID)
    refuses(front, body, "WRONG_ORG", WRONG_ORG)


def test_row_11_member_does_not_own_the_contact(front, shared):
    refuses(front, shared.body(member_id=shared.second_member), "NOT_OWNER", NOT_OWNER)


def test_row_11_member_of_another_organization(front, shared, other):
    refuses(front, shared.body(member_id=other.member), "NOT_OWNER", NOT_OWNER)


@pytest.mark.parametrize("member_id", [UNKNOWN_ID, *NO_UUIDS], ids=repr)
def test_row_11_member_is_unknown(front, shared, member_id):
    refuses(front, shared.body(member_id=member_id), "NOT_OWNER", NOT_OWNER)


def test_row_11_comes_before_row_12(front, shared):
    body = shared.body(member_id=shared.second_member, note_id=UNKNOWN_ID)
    refuses(front, body, "NOT_OWNER", NOT_OWNER)


def test_row_11_the_owner_may_be_another_than_the_keys_member(front, shared):
    body = shared.body(
        member_id=shared.second_member, contact_id=shared.second_contact, note="x"
    )
    assert_success(front.send(body), shared.second_contact, '"x"', visibility=1)


def test_row_11_deactivated_owner_counts_as_absent(front, world):
    front.site.ctl("member", "deactivate", world.second_member)
    body = world.body(member_id=world.second_member, contact_id=world.second_contact)
    refuses(front, body, "NOT_OWNER", NOT_OWNER)


def test_row_11_follows_the_contact_to_its_new_owner(front, world):
    front.site.assign_contact(world.contact, world.second_member)
    refuses(front, world.body(), "NOT_OWNER", NOT_OWNER)
    body = world.body(member_id=world.second_member, note="x")
    assert_success(front.send(body), world.contact, '"x"', visibility=1)


# Checks 12 and 13


@pytest.mark.parametrize("note_id", [UNKNOWN_ID, *NO_UUIDS], ids=repr)
def test_row_12_note_is_unknown(front, shared, note_id):
    refuses(front, shared.body(note_id=note_id), "NOTE_NOT_FOUND", "Note does not exist")


def test_row_12_note_is_on_another_contact(front, shared, contact):
    note_id = write(front, shared.body(contact_id=contact, note="x"))
    refuses(front, shared.body(note_id=note_id), "NOTE_NOT_FOUND", "Note does not exist")
    assert front.site.note(note_id)["note_content"] == "x"


def test_row_12_note_is_of_another_organization(front, shared, other):
    note_id = write(front, other.body(note="x"))
    refuses(front, shared.body(note_id=note_id), "NOTE_NOT_FOUND", "Note does not exist")


@pytest.mark.parametrize("editable", [0, 1])
def test_row_12_private_note_of_a_former_owner(front, world, editable):
    note_id = write(front, world.body(note="x", note_visibility=0, note_editable=editable))
    front.site.assign_contact(world.contact, world.second_member)
    body = world.body(member_id=world.second_member, note_id=note_id, note="y")
    refuses(front, body, "NOTE_NOT_FOUND", "Note does not exist")
    assert front.site.note(note_id)["note_content"] == "x"


def test_row_13_visible_note_of_a_former_owner_is_read_only(front, world):
    note_id = write(front, world.body(note="x", note_visibility=1, note_editable=0))
    front.site.assign_contact(world.contact, world.second_member)
    body = world.body(member_id=world.second_member, note_id=note_id, note="y")
    refuses(front, body, "NOTE_NOT_EDITABLE", "Note is not editable")
    assert front.site.note(note_id)["note_content"] == "x"


def test_after_row_13_editable_note_of_a_former_owner_is_updated(front, world):
    note_id = write(front, world.body(note="x", note_visibility=1, note_editable=1))
    front.site.assign_contact(world.contact, world.second_member)
    body = world.body(
        member_id=world.second_member, note_id=note_id, note="y", note_visibility=ABSENT
    )
    answer = front.send(body)
    assert_success(answer, world.contact, '"y"', editable=1, visibility=1, note_id=note_id)
    assert front.site.note(note_id)["note_author"] == world.member


def test_after_row_13_a_former_owner_edits_again_when_the_contact_returns(front, world):
    note_id = write(front, world.body(note="x", note_visibility=0))
    front.site.assign_contact(world.contact, world.second_member)
    front.site.assign_contact(world.contact, world.member)
    answer = front.send(world.body(note_id=note_id, note="y", note_visibility=ABSENT))
    assert_success(answer, world.contact, '"y"', note_id=note_id)


def test_refused_requests_store_nothing(front, shared, contact):
    for wrong in ({"note": ""}, {"org_id": UNKNOWN_ID}, {"member_id": shared.second_member}):
        assert front.send(shared.body(contact_id=contact, **wrong)).header("X-Error-Code")
    assert front.site.notes(contact) == []


def write(front, body):
    """Stores a note and answers its id."""
    answer = front.send(body)
    assert answer.header("X-Error-Code") is None, answer.body
    return note_id_of(answer)
