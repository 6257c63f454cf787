"""Limits on the calls beside Add Notes to Contact: which requests are free, and which count."""

import json
import re

import pytest

from support.answers import assert_error
from support.calls import (
    ADD,
    FETCH,
    IDENTIFIERS,
    LOOKUP,
    add_body,
    data_of,
    fetch_body,
    lookup_body,
)
from support.raw import code, send

FEW = 5
FEW_AN_HOUR = f"{FEW}/1h"
UNKNOWN = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"


def identifiers_body(world, **fields):
    return {"developer_secret": world.developer_secret, **fields}


def search_body(world, **fields):
    return {**lookup_body(world, "World contact"), **fields}


def contact_body(world, **fields):
    return {**add_body(world, {"name": "Grace"}), **fields}


# A request in order, and whether it stores something.
CALLS = {
    FETCH: (fetch_body, False),
    LOOKUP: (search_body, False),
    IDENTIFIERS: (identifiers_body, False),
    ADD: (contact_body, True),
}
READING = [path for path, (_, stores) in CALLS.items() if not stores]


@pytest.fixture
def limited(start):
    """limited(options) answers a service with an organization and small budgets."""

    def starter(**options):
        budgets = {"credential_failures": FEW_AN_HOUR, "contact_failures": FEW_AN_HOUR}
        running = start({"workers": 3, **budgets, **options})
        running.world = running.site.world()
        return running

    return starter


def left(answer):
    """How many requests the quota still has, by the header."""
    return int(re.fullmatch(r'"default";r=(\d+);t=\d+', answer.header("RateLimit"))[1])


def assert_limited(answer):
    """Answers that the log names another error are for test_limits.py."""
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    assert json.loads(answer.body) == {"data": ["Too many requests"], "status": "error"}
    assert 0 < int(answer.header("Retry-After")) <= 3600


@pytest.mark.parametrize("path", CALLS)
def test_failed_credentials_count_through_every_call(limited, path):
    service = limited()
    body, _ = CALLS[path]
    bad = body(service.world, developer_secret="wrong")
    for _ in range(FEW):
        assert code(service, bad, path=path) == "INVALID_DEVELOPER_SECRET"
    for again, (other, _) in CALLS.items():  # they are counted together
        assert_limited(send(service, other(service.world, developer_secret="wrong"), path=again))
        assert data_of(send(service, other(service.world), path=again))


@pytest.mark.parametrize("path", READING)
def test_requests_that_read_cost_no_quota(limited, path):
    service = limited(rate_limit=FEW_AN_HOUR)
    body, _ = CALLS[path]
    for _ in range(2 * FEW):
        answer = send(service, body(service.world), path=path)
        assert data_of(answer) and left(answer) == FEW
    for n in range(FEW):
        assert code(service, service.world.body()) is None
    assert_limited(send(service, service.world.body()))
    answer = send(service, body(service.world), path=path)
    assert data_of(answer) and left(answer) == 0


def test_contacts_that_are_stored_cost_quota(limited):
    service = limited(rate_limit=FEW_AN_HOUR)
    world = service.world
    free = {
        "MISSING_FIELDS": contact_body(world, contact=None),
        "INVALID_FIELDS": contact_body(world, mode="x"),
        "NOT_FOUND": contact_body(world, mode="update"),
        "MEMBER_NOT_FOUND": contact_body(world, member_id=UNKNOWN),
    }
    for error, body in free.items():
        answer = send(service, body, path=ADD)
        assert (answer.code, left(answer)) == (error, FEW)
    key = {"Idempotency-Key": "one"}
    for expected in range(FEW - 1, -1, -1):
        answer = send(service, contact_body(world), path=ADD, headers=key if expected == 0 else {})
        assert data_of(answer) and left(answer) == expected
    assert_limited(send(service, contact_body(world), path=ADD))
    assert_limited(send(service, world.body()))  # notes and contacts have one quota
    again = send(service, contact_body(world), path=ADD, headers=key)
    assert again.body == answer.body and again.header("Idempotency-Replayed") == "true"


def guesses(world, foreign):
    """Requests by which contacts of other organizations could be found: path, body, error."""
    by_id = {"contactId": foreign.contact, "name": "x"}
    return [
        (FETCH, fetch_body(world, contact_id=UNKNOWN), "NOT_FOUND"),
        (FETCH, fetch_body(world, contact_id=foreign.contact), "WRONG_ORG"),
        (FETCH, fetch_body(world, org_id=foreign.org), "WRONG_ORG"),
        (LOOKUP, lookup_body(foreign, "x", **keys(world)), "WRONG_ORG"),
        (ADD, add_body(world, by_id, lookup_by="contact_id"), "WRONG_ORG"),
    ]


def keys(world):
    return {"api_key": world.api_key, "developer_secret": world.developer_secret}


def test_guessing_contacts_counts_through_every_call(limited):
    service = limited()
    world = service.world
    tried = guesses(world, service.site.world("Foreign"))
    assert len(tried) == FEW
    for path, body, error in tried:
        assert code(service, body, path=path) == error
    for path, body, _ in tried:
        assert_limited(send(service, body, path=path))
    assert_limited(send(service, world.body(contact_id=UNKNOWN)))
    for path, (body, _) in CALLS.items():  # what is in order passes
        assert data_of(send(service, body(world), path=path))


def test_what_tells_nothing_of_others_is_free(limited):
    service = limited()
    world, foreign = service.world, service.site.world("Foreign")
    free = [
        (FETCH, fetch_body(world, member_id=UNKNOWN), "MEMBER_NOT_FOUND"),
        (FETCH, fetch_body(world, member_id=foreign.member), "MEMBER_NOT_FOUND"),
        (FETCH, fetch_body(world, include_notes=1, notes_after=UNKNOWN), "INVALID_FIELDS"),
        (ADD, contact_body(world, member_id=UNKNOWN), "MEMBER_NOT_FOUND"),
        (ADD, contact_body(world, contact={"lastName": "x"}), "MISSING_FIELDS"),
        # a search knows no other organization, not even by an id
        (LOOKUP, lookup_body(world, "nobody"), "NOT_FOUND"),
        (LOOKUP, lookup_body(world, foreign.contact), "NOT_FOUND"),
    ]
    for path, body, error in free:
        for _ in range(2 * FEW):
            assert code(service, body, path=path) == error
    assert_error(
        send(service, fetch_body(world, contact_id=UNKNOWN), path=FETCH),
        "NOT_FOUND",
        "Contact does not exist",
    )
