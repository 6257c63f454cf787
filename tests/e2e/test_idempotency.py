"""The header Idempotency-Key, as it comes through each web server."""

import json
import uuid

import pytest

from support.answers import assert_error, assert_headers, assert_success


def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_a_repeated_request_gets_the_first_answer_and_writes_one_note(front, shared, contact):
    body, headers = shared.body(contact_id=contact, note="once"), key()
    first = front.send(body, headers=headers)
    assert_success(first, contact, '"once"', visibility=1)
    again = front.send(body, headers=headers)
    assert (again.status, again.body) == (200, first.body)
    assert again.header("Idempotency-Replayed") == "true"
    assert_headers(again, {"idempotency-replayed"})
    assert len(front.site.notes(contact)) == 1


def test_fields_are_compared_and_not_bytes(front, shared, contact):
    body, headers = shared.body(contact_id=contact, note="once"), key()
    first = front.send(body, headers=headers)
    other = {**dict(reversed(body.items())), "note_visibility": "1", "more": [1, 2]}
    again = front.send(json.dumps(other, indent=2).encode(), headers=headers)
    assert again.body == first.body
    assert len(front.site.notes(contact)) == 1


def test_the_same_key_with_other_fields_is_refused(front, shared, contact):
    headers = key()
    front.send(shared.body(contact_id=contact, note="one"), headers=headers)
    answer = front.send(shared.body(contact_id=contact, note="two"), headers=headers)
    text = "Idempotency-Key was already used with a different request"
    assert_error(answer, "IDEMPOTENCY_MISMATCH", text, status=422)
    assert len(front.site.notes(contact)) == 1


@pytest.mark.parametrize("value", ["k" * 256, "tab\tinside", "caf\u00e9"], ids=["long", "tab", "latin"])
def test_an_invalid_key_is_refused(front, shared, contact, value):
    headers = {"Idempotency-Key": value}
    answer = front.send(shared.body(contact_id=contact), headers=headers)
    assert_error(answer, "INVALID_IDEMPOTENCY_KEY", "Invalid Idempotency-Key", status=400)
    assert front.site.notes(contact) == []


def test_the_longest_key_is_accepted(front, shared, contact):
    headers = {"Idempotency-Key": "k" * 200 + str(uuid.uuid4()) + "k" * 19}
    assert len(headers["Idempotency-Key"]) == 255
    front.send(shared.body(contact_id=contact), headers=headers)
    again = front.send(shared.body(contact_id=contact), headers=headers)
    assert again.header("Idempotency-Replayed") == "true"
