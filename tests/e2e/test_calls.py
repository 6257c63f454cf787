"""The calls beside Add Notes to Contact, as they come through each web server."""

import uuid

import pytest

from support.answers import assert_error, assert_headers
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

NAME = "Zoë Łuczak 世界"
# By path: a request that is in order, and the members that are answered.
CALLS = {
    FETCH: (fetch_body, ["contact"]),
    LOOKUP: (
        lambda world: lookup_body(world, "SHARED contact"),
        ["notes", "contact", "entity", "profile", "signals"],
    ),
    ADD: (lambda world: add_body(world, {"name": NAME}), ["contact_id", "entity_id", "created"]),
    IDENTIFIERS: (
        lambda world: {"developer_secret": world.developer_secret},
        ["api_key", "org_id", "org_name", "members", "brands"],
    ),
}
pytestmark = pytest.mark.parametrize("path", CALLS)


@pytest.fixture
def body(shared, path):
    return CALLS[path][0](shared)


def test_a_request_in_order_is_answered(front, path, body):
    answer = front.send(body, path=path)
    assert list(data_of(answer)) == CALLS[path][1]
    assert_headers(answer)


def test_help_needs_no_credentials(front, path):
    answer = front.send({"help": True}, path=path)
    assert data_of(answer)["path"] == path
    assert_headers(answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(front, path, body, method):
    answer = front.send(body, path=path, method=method)
    assert_error(answer, "METHOD_NOT_ALLOWED", "Method not allowed", status=405, also=["allow"])
    assert answer.header("Allow") == "POST"


def test_head_has_no_body(front, path):
    answer = front.send(None, path=path, method="HEAD")
    assert (answer.status, answer.body, answer.header("Allow")) == (405, b"", "POST")


@pytest.mark.parametrize("change", [str.lower, lambda p: p + "/", lambda p: p[:-1]])
def test_other_paths_are_not_found(front, path, body, change):
    answer = front.send(body, path=change(path))
    assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)


def test_the_query_does_not_count(front, path, body):
    assert data_of(front.send(body, path=path + "?search_string=x"))


def test_real_status_codes_can_be_asked_for(front, path, body):
    wrong = {**body, "developer_secret": "zdk_wrong"}
    assert front.send(wrong, path=path).status == 200
    answer = front.send(wrong, path=path, headers={"Prefer": "status=strict"})
    also = ["preference-applied"]
    assert_error(answer, "INVALID_DEVELOPER_SECRET", "Invalid developer_secret", status=401, also=also)


def test_an_idempotency_key_counts_where_something_is_stored(front, path, body):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = front.send(body, path=path, headers=headers)
    again = front.send(body, path=path, headers=headers)
    if path == ADD:
        assert again.body == first.body and data_of(again)["created"] == 1
        contact = data_of(again)["contact_id"]
        assert front.site.ctl_one("contact", "show", contact)["contact_name"] == NAME
    assert again.header("Idempotency-Replayed") == ("true" if path == ADD else None)
    bad = front.send(body, path=path, headers={"Idempotency-Key": "k" * 256})
    assert bad.header("X-Error-Code") == ("INVALID_IDEMPOTENCY_KEY" if path == ADD else None)
