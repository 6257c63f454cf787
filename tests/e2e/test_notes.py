"""Notes that are stored: what the answer says, and what is in the database afterwards."""

import concurrent.futures
import json

import pytest

from support.answers import assert_success
from support.site import ABSENT, encode
from support.wait import wait_for


def test_published_example_of_a_request_body(front, shared):
    body = f"""{{
"note": "Had a great demo call. Interested in the enterprise plan. Follow up next week.",
"org_id": "{shared.org}",
"api_key": "{shared.api_key}",
"member_id": "{shared.member}",
"contact_id": "{shared.contact}",
"note_editable": 0,
"note_visibility": 1,
"developer_secret": "{shared.developer_secret}"
}}"""
    text = "Had a great demo call. Interested in the enterprise plan. Follow up next week."
    answer = front.send(body.encode())
    note_id = assert_success(answer, shared.contact, f'"{text}"', editable=0, visibility=1)
    stored = front.site.note(note_id)
    assert stored["note_content"] == text
    assert stored["contact_id"] == shared.contact
    assert stored["note_author"] == shared.member
    assert (stored["note_editable"], stored["note_visibility"]) == (0, 1)


def test_a_note_keeps_where_it_came_from(front, shared):
    answer = front.send(shared.body(), headers={"X-Request-Id": "origin-1"})
    origin = front.site.note(note_of(answer))["origin"]
    assert origin["address"] == "127.0.0.1"
    assert origin["devkey_id"] == shared.devkey_id
    assert origin["request_id"] == "origin-1"


def test_every_create_makes_another_note(front, shared, contact):
    body = shared.body(contact_id=contact)
    first, second = note_of(front.send(body)), note_of(front.send(body))
    assert first != second
    assert [note["note_id"] for note in front.site.notes(contact)] in (
        [first, second],
        [second, first],
    )


@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "empty"])
def test_without_note_id_a_note_is_made(front, shared, contact, value):
    answer = front.send(shared.body(contact_id=contact, note_id=value, note="x"))
    note_id = assert_success(answer, contact, '"x"', visibility=1)
    assert [note["note_id"] for note in front.site.notes(contact)] == [note_id]


# Flags

FLAGS = [
    (ABSENT, 0),
    (None, 0),
    ("", 0),
    (0, 0),
    (1, 1),
    (0.0, 0),
    (1.0, 1),
    ("0", 0),
    ("1", 1),
    (False, 0),
    (True, 1),
]


@pytest.mark.parametrize("sent,stored", FLAGS, ids=lambda value: repr(value)[:12])
def test_forms_of_flags_on_create(front, shared, contact, sent, stored):
    for flag in ("visibility", "editable"):
        flags = {"note_visibility": 0, "note_editable": 0, f"note_{flag}": sent}
        answer = front.send(shared.body(contact_id=contact, note="x", **flags))
        note_id = assert_success(answer, contact, '"x"', **{flag: stored})
        assert front.site.note(note_id)[f"note_{flag}"] == stored


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("sent,stored", FLAGS, ids=lambda value: repr(value)[:12])
def test_forms_of_flags_on_update(front, shared, contact, before, sent, stored):
    body = shared.body(contact_id=contact, note="x", note_visibility=before, note_editable=before)
    note_id = note_of(front.send(body))
    after = before if sent in (ABSENT, None, "") else stored
    body.update(note_id=note_id, note="y")
    for flag in ("note_visibility", "note_editable"):
        body.pop(flag) if sent is ABSENT else body.update({flag: sent})
    answer = front.send(body)
    assert_success(answer, contact, '"y"', visibility=after, editable=after, note_id=note_id)


def test_flags_do_not_depend_on_each_other(front, shared, contact):
    body = shared.body(contact_id=contact, note="x", note_visibility=0, note_editable=1)
    note_id = assert_success(front.send(body), contact, '"x"', visibility=0, editable=1)
    body.update(note_id=note_id, note_visibility="1")
    del body["note_editable"]
    assert_success(front.send(body), contact, '"x"', visibility=1, editable=1, note_id=note_id)


# Updates


def test_update_replaces_the_content_and_keeps_the_former_version(front, shared, contact):
    note_id = note_of(front.send(shared.body(contact_id=contact, note="first")))
    for text in ("second", "third"):
        answer = front.send(shared.body(contact_id=contact, note_id=note_id, note=text))
        assert_success(answer, contact, f'"{text}"', visibility=1, note_id=note_id)
    stored = front.site.note(note_id)
    assert stored["note_content"] == "third"
    assert stored["note_author"] == shared.member
    assert stored["created_at"] <= stored["updated_at"]
    former = [version["note_content"] for version in front.site.history(note_id)]
    assert [text for text in former if text != "third"] in (["first", "second"], ["second", "first"])
    assert len(front.site.notes(contact)) == 1


def test_ids_compare_without_regard_to_case_and_are_answered_in_lower_case(front, shared, contact):
    upper = shared.body(
        org_id=shared.org.upper(),
        member_id=shared.member.upper(),
        contact_id=contact.upper(),
        note="x",
    )
    note_id = assert_success(front.send(upper), contact, '"x"', visibility=1)
    answer = front.send({**upper, "note_id": note_id.upper(), "note": "y"})
    assert_success(answer, contact, '"y"', visibility=1, note_id=note_id)


# Text: (how the request spells it, how the answer must)

TEXTS = [
    ('"plain"', '"plain"'),
    ('" spaces stay  "', '" spaces stay  "'),
    ('"a/b"', '"a/b"'),
    ('"a\\/b"', '"a/b"'),
    ('"</script>"', '"</script>"'),
    ('"quote \\" backslash \\\\"', '"quote \\" backslash \\\\"'),
    ('"line\\nend\\r\\ttab"', '"line\\nend\\r\\ttab"'),
    ('"\\b\\f"', '"\\b\\f"'),
    ('"\\u000a\\u0009x"', '"\\n\\tx"'),
    ('"\\u0001\\u001f"', '"\\u0001\\u001f"'),
    ('"\\u001F\\u001B"', '"\\u001f\\u001b"'),
    ('"\\u0041\\u00e9"', '"Aé"'),
    ('"\\u007f"', '"\x7f"'),
    ('"Grüße, 世界, Ελλάδα, עברית"', '"Grüße, 世界, Ελλάδα, עברית"'),
    ('"\\u4e16\\u754c"', '"世界"'),
    ('"🙂👩‍👩‍👧"', '"🙂👩‍👩‍👧"'),
    ('"\\ud83d\\ude42"', '"🙂"'),
    ('"e\u0301 is not \u00e9"', '"e\u0301 is not \u00e9"'),
    ('"a\u2028b\u2029c"', '"a\u2028b\u2029c"'),
    ('"a\\u2028"', '"a\u2028"'),
    ('"\ufeffx"', '"\ufeffx"'),
    ('"\ufffe\uffff\U0010ffff"', '"\ufffe\uffff\U0010ffff"'),
    ('"%s %n %00 \'; DROP TABLE notes; --"', '"%s %n %00 \'; DROP TABLE notes; --"'),
    ('"&lt;b&gt; <b>"', '"&lt;b&gt; <b>"'),
]


@pytest.mark.parametrize("sent,answered", TEXTS, ids=range(len(TEXTS)))
def test_text_is_stored_and_answered_as_received(front, shared, sent, answered):
    head = encode(shared.body(note=ABSENT))[:-1].decode()
    answer = front.send(f'{head},"note":{sent}}}'.encode())
    note_id = assert_success(answer, shared.contact, answered, visibility=1)
    assert front.site.note(note_id)["note_content"] == json.loads(sent)


# What the service does not look at


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", ""],
)
def test_content_type_is_not_examined(front, shared, content_type):
    answer = front.send(shared.body(note="x"), headers={"Content-Type": content_type})
    assert_success(answer, shared.contact, '"x"', visibility=1)


def test_unknown_members_are_ignored(front, shared):
    more = {"extra": {"api_key": "", "list": [1, "2", None]}, "NOTE": 5, "note_content": ""}
    answer = front.send(shared.body(note="x", **more))
    assert_success(answer, shared.contact, '"x"', visibility=1)


def test_order_of_members_and_white_space_do_not_matter(front, shared):
    members = list(shared.body(note="x").items())[::-1]
    text = json.dumps(dict(members), indent=3).replace("\n", "\r\n\t")
    answer = front.send(f" \r\n\t{text}\n ".encode())
    assert_success(answer, shared.contact, '"x"', visibility=1)


def test_requests_at_the_same_moment_are_all_stored(front, shared, contact):
    def write(number):
        return front.send(shared.body(contact_id=contact, note=f"note {number}"))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(write, range(16)))
    ids = {
        assert_success(answer, contact, f'"note {number}"', visibility=1)
        for number, answer in enumerate(answers)
    }
    assert {note["note_id"] for note in front.site.notes(contact)} == ids
    assert len(ids) == 16


def test_keys_and_notes_stand_in_no_log_and_no_other_file(front, shared):
    marker = "MARKER-" + "x7Qz" * 5
    requests = [
        shared.body(note=marker),
        shared.body(note=marker, note_visibility=7),
        shared.body(note=marker, developer_secret=shared.developer_secret + marker),
        shared.body(note=marker, api_key=marker),
        shared.body(note=marker + "y" * 65536),
    ]
    for number, body in enumerate(requests):
        front.send(body, headers={"X-Request-Id": f"logged-{number}"})
    front.send(encode(shared.body(note=marker))[:-1], headers={"X-Request-Id": "logged-last"})
    wait_for(lambda: any(b"logged-last" in text for text in files(front)), "the log's last line")
    for secret in (marker, shared.api_key, shared.developer_secret):
        assert not any(secret.encode() in text for text in files(front)), secret
    stored = b"".join(path.read_bytes() for path in front.site.data.iterdir())
    assert marker.encode() in stored
    assert shared.api_key.encode() not in stored
    assert shared.developer_secret.encode() not in stored


def files(front):
    """What all files of the site hold, except those in its data directory."""
    found = [path for path in front.site.directory.rglob("*") if path.is_file()]
    return [path.read_bytes() for path in found if path.parent != front.site.data]


def note_of(answer):
    assert answer.status == 200 and answer.header("X-Error-Code") is None, answer.body
    return json.loads(answer.body)["data"]["note_id"]
