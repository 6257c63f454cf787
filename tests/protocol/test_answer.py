"""Answers to the byte: their header, their body, and the request's id."""

import pytest

from support import fastcgi
from support.answers import REQUEST_ID, assert_error, assert_success, error_body, success_body
from support.fastcgi import http_params
from support.site import ABSENT, encode

MAX_BODY_BYTES = 524288


def assert_not_json(answer):
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


def header(status, code=None, *, length, request_id="an.id-1_", more=""):
    error = f"X-Error-Code: {code}\r\n" if code else ""
    return (
        f"Status: {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"X-Request-Id: {request_id}\r\n{error}{more}\r\n"
    ).encode()


@pytest.mark.parametrize(
    "changes,http,status,code,message,more",
    [
        ({"api_key": ""}, {}, "200 OK", "MISSING_API_KEY", "Missing service instance", ""),
        ({"note": 1}, {}, "200 OK", "INVALID_FIELDS", "Invalid note", ""),
        ({}, {"path": "/"}, "404 Not Found", "UNKNOWN_ENDPOINT", "Not found", ""),
        (
            {},
            {"method": "GET"},
            "405 Method Not Allowed",
            "METHOD_NOT_ALLOWED",
            "Method not allowed",
            "Allow: POST\r\n",
        ),
        (
            {},
            {"CONTENT_LENGTH": "1"},
            "400 Bad Request",
            "INVALID_JSON",
            "Request body is not valid JSON",
            "",
        ),
        (
            {"note": "x" * MAX_BODY_BYTES},
            {},
            "413 Content Too Large",
            "BODY_TOO_LARGE",
            "Request body is too large",
            "",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_errors_to_the_byte(pool, shared, changes, http, status, code, message, more):
    body = encode(shared.body(**changes))
    answer = pool.request(body, **{"headers": {"X-Request-Id": "an.id-1_"}, **http})
    expected = error_body(message)
    assert answer.stdout == header(status, code, length=len(expected), more=more) + expected
    assert (answer.stderr, answer.app_status, answer.protocol_status) == (b"", 0, fastcgi.REQUEST_COMPLETE)


def test_success_to_the_byte(pool, shared):
    note = 'é "quoted" / \\ \n\t😀\u2028'
    body = encode(shared.body(note=note, note_editable=True, contact_id=shared.contact.upper()))
    answer = pool.request(body, headers={"X-Request-Id": "an.id-1_"})
    note_id = assert_success(answer, shared.contact, encode(note).decode(), editable=1, visibility=1)
    expected = success_body(note_id, shared.contact, encode(note).decode(), 1, 1)
    assert answer.stdout == header("200 OK", length=len(expected)) + expected
    assert (answer.stderr, answer.app_status, answer.protocol_status) == (b"", 0, fastcgi.REQUEST_COMPLETE)


@pytest.mark.parametrize("given", ["a", "A-Z.a_z-0.9", "x" * 64, "-", "."])
def test_the_request_id_is_the_callers(pool, shared, given):
    answer = pool.call(shared.body(note="x"), headers={"X-Request-Id": given})
    assert answer.header("X-Request-Id") == given
    note_id = assert_success(answer, shared.contact, '"x"', visibility=1)
    assert pool.site.note(note_id)["origin"]["request_id"] == given


@pytest.mark.parametrize(
    "given", ["", "x" * 65, "x" * 5000, " a", "a ", "a\r\nX-Evil: 1", "a\n", "\x7f", b"\xff", "a:b", "a=b", "ａ", None]
)
def test_other_request_ids_are_replaced(pool, shared, given):
    headers = {} if given is None else {"X-Request-Id": given}
    answer = pool.call(shared.body(note="x"), headers=headers)
    note_id = assert_success(answer, shared.contact, '"x"', visibility=1)
    made = answer.header("X-Request-Id")
    assert made != given and REQUEST_ID.fullmatch(made)
    assert pool.site.note(note_id)["origin"]["request_id"] == made


@pytest.mark.parametrize("request_id", [1, 2, 255, 256, 65535])
def test_the_answer_has_the_requests_number(pool, request_id):
    with pool.connect() as connection:
        answer = connection.request(http_params(b"{"), b"{", request_id=request_id)
        assert_not_json(answer)  # read_response has compared the number
        assert connection.is_closed_by_peer()


def test_header_names_that_are_alike_do_not_count(pool, shared):
    body = encode(shared.body(api_key=ABSENT))
    more = {"HTTP_X_REQUEST_ID_": "evil", "http_x_request_id": "evil", "X_REQUEST_ID": "evil"}
    answer = pool.request(body, **more)
    assert_error(answer, "MISSING_API_KEY", "Missing service instance")
    assert answer.header("X-Request-Id") != "evil"
