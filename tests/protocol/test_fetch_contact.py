"""fetchContact: a contact, its notes in pages, its company; who sees which note."""

import pytest

from support.answers import assert_error
from support.calls import CONTACT, FETCH, NOTE, data_of, fetch_body
from support.ids import unknown_id

UNKNOWN = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"
WRONG_ORG = "You are trying to use a contact that does not belong to your organization"


@pytest.fixture
def fetch(pool, shared):
    def send(**fields):
        return pool.call(fetch_body(shared, **fields), path=FETCH)

    return send


def add(pool, world, contact, text, **fields):
    body = world.body(contact_id=contact, note=text, **fields)
    return data_of(pool.call(body))["note_id"]


def texts(data):
    return [note["note_content"] for note in data["notes"]]


def test_a_contact_as_it_is(pool, shared, fetch):
    more = ("--email", "Ada@example.org", "--phone", "+49 30 1")
    contact = pool.site.add_contact(shared.org, shared.member, "Ada", *more)["contact_id"]
    data = data_of(fetch(contact_id=contact.upper()))
    assert list(data) == ["contact"] and list(data["contact"]) == CONTACT
    assert data["contact"].pop("created_at") == data["contact"].pop("updated_at")
    unknown = ("first_name", "last_name", "role_label", "secondary_email", "secondary_phone")
    assert data["contact"] == {
        "contact_id": contact,
        "contact_owner": shared.member,
        "contact_name": "Ada",
        "primary_email": "Ada@example.org",
        "primary_phone": "+49 30 1",
        "entity_name": None,
        **dict.fromkeys(unknown),
    }


def test_what_is_included_is_asked_for(fetch, contact):
    flags = {"notes": ["notes", "notes_next"], "entity": ["entity"]}
    flags.update({"profile": ["profile"], "signals": ["signals"]})
    for name, members in flags.items():
        data = data_of(fetch(contact_id=contact, **{f"include_{name}": "1"}))
        assert list(data) == ["contact", *members]
    everything = dict.fromkeys([f"include_{name}" for name in flags], 1)
    data = data_of(fetch(contact_id=contact, **everything))
    del data["contact"]
    assert data == {"notes": [], "notes_next": None, "entity": None, "profile": {}, "signals": []}


def test_notes_come_newest_first_with_their_members(pool, shared, fetch, contact):
    ids = [add(pool, shared, contact, f"note {n}", note_visibility=n % 2) for n in range(3)]
    data = data_of(fetch(contact_id=contact, include_notes=1))
    assert [note["note_id"] for note in data["notes"]] == ids[::-1]
    note = data["notes"][1]
    assert list(note) == NOTE
    shown = pool.site.note(ids[1])
    assert note == {name: shown[name] for name in NOTE}
    assert data["notes_next"] is None


def test_pages_are_right_while_notes_are_added(pool, shared, fetch, contact):
    wanted = [f"note {n}" for n in range(7)]
    for text in wanted:
        add(pool, shared, contact, text)
    found, after = [], None
    while True:
        more = {"notes_after": after} if after else {}
        data = data_of(fetch(contact_id=contact, include_notes=1, notes_limit=3, **more))
        found += texts(data)
        after = data["notes_next"]
        if after is None:
            break
        assert after == data["notes"][-1]["note_id"] and len(data["notes"]) == 3
        add(pool, shared, contact, "added meanwhile")
    assert found == wanted[::-1]


@pytest.mark.parametrize("count, next_is_null", [(3, True), (4, False)])
def test_there_is_no_next_page_behind_the_last_note(pool, shared, fetch, contact, count, next_is_null):
    for n in range(count):
        add(pool, shared, contact, f"note {n}")
    data = data_of(fetch(contact_id=contact, include_notes=1, notes_limit=3))
    assert (data["notes_next"] is None) == next_is_null


def test_private_notes_of_others_come_out_nowhere(pool, shared, fetch, contact):
    add(pool, shared, contact, "private of the first", note_visibility=0)
    add(pool, shared, contact, "visible of the first", note_visibility=1)
    pool.site.assign_contact(contact, shared.second_member)
    second = {"member_id": shared.second_member}
    add(pool, shared, contact, "private of the second", note_visibility=0, **second)
    add(pool, shared, contact, "visible of the second", note_visibility=1, **second)
    mine = data_of(fetch(contact_id=contact, include_notes=1))
    assert texts(mine) == ["visible of the second", "visible of the first", "private of the first"]
    theirs = data_of(fetch(contact_id=contact, include_notes=1, **second))
    assert texts(theirs) == ["visible of the second", "private of the second", "visible of the first"]
    # the page ends with a note that is seen, and no other one decides what comes next
    data = data_of(fetch(contact_id=contact, include_notes=1, notes_limit=2, **second))
    assert texts(data) == texts(theirs)[:2]
    behind = fetch(contact_id=contact, include_notes=1, notes_after=data["notes_next"], **second)
    assert texts(data_of(behind)) == ["visible of the first"]
    # nor does a page say that notes follow which the member does not see
    data = data_of(fetch(contact_id=contact, include_notes=1, notes_limit=3, **second))
    assert data["notes_next"] is None


def test_an_answer_has_about_a_mebibyte_of_text(pool, shared, fetch, contact):
    long = "x" * 60000
    for n in range(20):
        add(pool, shared, contact, f"{n} {long}")
    data = data_of(fetch(contact_id=contact, include_notes=1))
    size = sum(map(len, texts(data)))
    assert 1024 * 1024 < size < 1024 * 1024 + 65536 and data["notes_next"] is not None
    rest = data_of(fetch(contact_id=contact, include_notes=1, notes_after=data["notes_next"]))
    assert len(data["notes"]) + len(rest["notes"]) == 20 and rest["notes_next"] is None


def test_escapes_count_as_they_are_sent(pool, shared, fetch, contact):
    for _ in range(4):
        add(pool, shared, contact, "x" + "\x01" * 65000)
    answer = fetch(contact_id=contact, include_notes=1)
    data = data_of(answer)
    assert len(data["notes"]) == 3 and len(answer.body) < 1.5 * 1024 * 1024
    assert data["notes_next"] is not None


@pytest.mark.parametrize("limit", [0, 1001, -1, "5", 1.5, 10**30])
def test_a_limit_out_of_range_is_refused(fetch, contact, limit):
    answer = fetch(contact_id=contact, include_notes=1, notes_limit=limit)
    assert_error(answer, "INVALID_FIELDS", "Invalid notes_limit")


def test_a_cursor_that_is_no_note_of_the_contact_is_refused(pool, shared, fetch, contact):
    other = pool.site.add_contact(shared.org, shared.member)["contact_id"]
    foreign = add(pool, shared, other, "elsewhere")
    for cursor in (foreign, unknown_id(), "no uuid"):
        answer = fetch(contact_id=contact, include_notes=1, notes_after=cursor)
        assert_error(answer, "INVALID_FIELDS", "Invalid notes_after")


def test_what_the_call_needs(pool, shared):
    keys = {"api_key": shared.api_key, "developer_secret": shared.developer_secret}
    answer = pool.call(keys, path=FETCH)
    missing = ("Missing org ID", "Missing member ID", "Missing contact ID")
    assert_error(answer, "MISSING_FIELDS", *missing)
    answer = pool.call(fetch_body(shared, include_notes=2, include_entity="x"), path=FETCH)
    assert_error(answer, "INVALID_FIELDS", "Invalid include_notes", "Invalid include_entity")


def test_who_may_not_fetch(pool, shared, fetch):
    other = pool.site.world("Other")
    gone = pool.site.add_member(shared.org)["member_id"]
    pool.site.ctl("member", "deactivate", gone)
    for member in (UNKNOWN, other.member, gone, "no uuid"):
        assert_error(fetch(member_id=member), "MEMBER_NOT_FOUND", "Member does not exist")
    for contact in (UNKNOWN, "no uuid"):
        assert_error(fetch(contact_id=contact), "NOT_FOUND", "Contact does not exist")
    assert_error(fetch(contact_id=other.contact), "WRONG_ORG", WRONG_ORG)
    assert_error(fetch(org_id=other.org), "WRONG_ORG", WRONG_ORG)
    assert data_of(fetch())["contact"]["contact_id"] == shared.contact


def test_uniform_errors_tell_nothing_of_other_organizations(start):
    service = start({"uniform_errors": "yes"})
    own, other = service.site.world("Own"), service.site.world("Other")
    answer = service.call(fetch_body(own, contact_id=other.contact), path=FETCH)
    assert_error(answer, "NOT_FOUND", "Contact does not exist")
    reason = service.wait_for_event("request", request_id=answer.header("X-Request-Id"))["reason"]
    assert reason == "contact_of_another_organization"
    assert_error(service.call(fetch_body(own, org_id=other.org), path=FETCH), "WRONG_ORG", WRONG_ORG)
