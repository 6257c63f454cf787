"""Paths, methods, sizes and headers."""

import http.client

import pytest

from support.answers import REQUEST_ID, assert_error, assert_success
from support.paths import CALL_PATH
from support.site import encode

MAX_BODY_BYTES = 524288


@pytest.mark.parametrize(
    "path",
    [
        "/apis/",
        "/apis/v2/public/crm/",
        "/apis/v2/public/crm/addNotestoContac",
        "/apis/v2/public/crm/addNotestoContacts",
        "/apis/v2/public/crm/addnotestocontact",
        "/apis/v2/public/crm/addNotestoContact/",
        "/apis/v2/public/crm/addNotestoContact/x",
        "/apis/v1/public/crm/addNotestoContact",
        "/apis/apis/v2/public/crm/addNotestoContact",
        "/apis/v2/public/crm/addNotestoContact%20",
        "/apis/v2/public/crm/%2561ddNotestoContact",  # decoded once, by the web server
        "/apis/v2/public/crm/addNotestoContact%3Fx",
        "/apis/x?path=" + CALL_PATH,
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_other_paths_are_not_found(front, shared, method, path):
    answer = front.send(shared.body(), method=method, path=path)
    assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)


@pytest.mark.parametrize(
    "path",
    [
        CALL_PATH + "?",
        CALL_PATH + "?debug=1&path=/x",
        "/apis/v2/public/crm/add%4Eotesto%43ontact",
        "/%61pis/v2/public/crm/addNotestoContact",
    ],
)
def test_the_path_is_decoded_and_the_query_does_not_count(front, shared, path):
    answer = front.send(shared.body(note="x"), path=path)
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_not_allowed(front, shared, method):
    answer = front.send(shared.body(), method=method)
    assert_error(answer, "METHOD_NOT_ALLOWED", "Method not allowed", status=405, also=["allow"])
    assert answer.header("Allow") == "POST"


def test_head_is_not_allowed_and_has_no_body(front):
    answer = front.send(None, method="HEAD")
    assert (answer.status, answer.body) == (405, b"")
    assert answer.header("Allow") == "POST"
    assert answer.header("X-Error-Code") == "METHOD_NOT_ALLOWED"


def padded(body, size):
    data = encode(body)
    return data + b" " * (size - len(data))


def test_body_of_exactly_the_limit_is_good(front, shared):
    answer = front.send(padded(shared.body(note="x"), MAX_BODY_BYTES))
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES])
def test_body_over_the_limit_is_too_large(front, shared, size):
    answer = front.send(padded(shared.body(note="x"), size))
    assert_error(answer, "BODY_TOO_LARGE", "Request body is too large", status=413)


def test_too_large_is_judged_before_json(front):
    answer = front.send(b"x" * (MAX_BODY_BYTES + 1))
    assert_error(answer, "BODY_TOO_LARGE", "Request body is too large", status=413)


def test_path_and_method_are_judged_before_the_body(front):
    too_large = b"x" * (MAX_BODY_BYTES + 1)
    answer = front.send(too_large, path="/apis/x")
    assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)
    answer = front.send(too_large, method="PUT")
    assert_error(answer, "METHOD_NOT_ALLOWED", "Method not allowed", status=405, also=["allow"])


@pytest.mark.parametrize("size", [None, 60000, MAX_BODY_BYTES])
def test_chunked_bodies_are_good(front, shared, size):
    body = padded(shared.body(note="x"), size or 0)
    assert_success(send_chunked(front, body), shared.contact, '"x"', visibility=1)


def test_chunked_body_over_the_limit_is_too_large(front, shared):
    answer = send_chunked(front, padded(shared.body(note="x"), MAX_BODY_BYTES + 1))
    assert_error(answer, "BODY_TOO_LARGE", "Request body is too large", status=413)


def send_chunked(front, body):
    pieces = (body[start : start + 10000] for start in range(0, len(body), 10000))
    return front.send_chunks(pieces)


@pytest.mark.parametrize("given", ["1", "x" * 64, "aZ09._-", "3f2a-11.b_c"])
def test_the_callers_request_id_comes_back(front, shared, given):
    for body in (shared.body(), {}):
        answer = front.send(body, headers={"X-Request-Id": given})
        assert answer.header("X-Request-Id") == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a/b", "a;b", "a\tb", "é", "<x>", "a,b"])
def test_an_unfit_request_id_is_replaced(front, shared, given):
    answer = front.send(shared.body(), headers={"X-Request-Id": given.encode()})
    assert answer.header("X-Request-Id") != given
    assert REQUEST_ID.fullmatch(answer.header("X-Request-Id"))


@pytest.mark.parametrize("prefer, status", [("status=strict", 401), ("respond-async", 200)])
def test_real_status_codes_can_be_asked_for(front, prefer, status):
    answer = front.send({}, headers={"Prefer": prefer})
    also = ["preference-applied"] if status == 401 else []
    assert_error(answer, "MISSING_API_KEY", "Missing service instance", status=status, also=also)


@pytest.mark.parametrize("path, status", [(CALL_PATH, 403), ("/apis/x", 404)])
def test_errors_reach_the_client_as_they_are(front, path, status):
    """Web servers have pages of their own for some statuses."""
    world = front.site.world(allow=["192.0.2.1"])
    answer = front.send(world.body(), path=path, headers={"Prefer": "status=strict"})
    assert (answer.status, answer.header("Content-Type")) == (status, "application/json")
    told = "127.0.0.1" if status == 403 else None
    assert answer.header("X-Client-Address") == told


def test_every_request_has_a_request_id_of_its_own(front, shared):
    ids = {front.send(shared.body()).header("X-Request-Id") for _ in range(20)}
    assert len(ids) == 20


def test_one_connection_carries_many_requests(front, shared):
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=60)
    with_error = {**shared.body(), "note": ""}
    for body, code in [(shared.body(), None), (with_error, "MISSING_FIELDS")] * 10:
        connection.request("POST", CALL_PATH, encode(body))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        assert answer.getheader("X-Error-Code") == code
    connection.close()
