"""FastCGI records in every division, and streams that are no request."""

import contextlib
import os

import pytest

from support import fastcgi
from support.answers import assert_error, assert_success, error_body
from support.fastcgi import BEGIN_REQUEST, PARAMS, STDIN, Closed, encode_pairs, http_params
from support.raw import as_answer, ask, send
from support.site import encode

RESPONDER_BEGIN = b"\0\1\0\0\0\0\0\0"


def assert_serves_others(service):
    """On another connection, with all of its processes still there."""
    with service.connect() as connection:
        ask(connection)
    assert service.events("worker_died") == []


def records_of(data, **http):
    """The records of a request: (type, content)."""
    return [
        (BEGIN_REQUEST, RESPONDER_BEGIN),
        (PARAMS, encode_pairs(http_params(data, **http).items())),
        (PARAMS, b""),
        (STDIN, data),
        (STDIN, b""),
    ]


def test_a_request_may_come_in_one_piece(pool, shared):
    data = encode(shared.body(note="x"))
    with pool.connect() as connection:
        connection.send(b"".join(fastcgi.encode_record(*r) for r in records_of(data)))
        answer = as_answer(connection.read_response())
        assert_success(answer, shared.contact, '"x"', visibility=1)
        assert (answer.app_status, answer.protocol_status) == (0, 0)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_request_may_come_in_pieces_of_any_size(pool, shared, size):
    data = encode(shared.body(note="x"))
    stream = b"".join(fastcgi.encode_record(*r) for r in records_of(data))
    with pool.connect() as connection:
        for at in range(0, len(stream), size):
            connection.send(stream[at : at + size])
        answer = as_answer(connection.read_response())
        assert_success(answer, shared.contact, '"x"', visibility=1)


def test_one_byte_a_record(pool, shared):
    body = encode(shared.body(note="é" * 300))
    with pool.connect() as connection:
        connection.begin()
        connection.params(http_params(body), chunk=1)
        connection.stdin(body, chunk=1)
        answer = connection.read_response()
    assert_success(answer, shared.contact, f'"{"é" * 300}"', visibility=1)


@pytest.mark.parametrize("padding", [1, 7, 255])
def test_padding_is_skipped(pool, shared, padding):
    body = encode(shared.body(note="x"))
    pairs = fastcgi.encode_pairs(http_params(body).items())
    with pool.connect() as connection:
        connection.begin()
        for type_, data in [(fastcgi.PARAMS, pairs), (fastcgi.STDIN, body)]:
            for start in range(0, len(data), 100):
                connection.send_record(type_, data[start : start + 100], padding=padding)
            # libfcgi does not skip padding of the end of the parameters; no web server pads it
            connection.send_record(type_, padding=0 if type_ == fastcgi.PARAMS else padding)
        assert_success(connection.read_response(), shared.contact, '"x"', visibility=1)


def test_streams_of_other_requests_are_skipped(pool, shared):
    data = encode(shared.body(note="x"))
    with pool.connect() as connection:
        for type_, content in records_of(data):
            connection.send_record(type_, content)
            if type_ in (BEGIN_REQUEST, PARAMS) and content:
                connection.send_record(STDIN, b"of nobody", request_id=7)
        answer = as_answer(connection.read_response())
        assert_success(answer, shared.contact, '"x"', visibility=1)


def test_parameters_without_end_are_given_up(pool):
    with pool.connect() as connection:
        connection.begin()
        try:
            for _ in range(60):  # more than a request of any size may have
                connection.send_record(PARAMS, encode_pairs([("X", "x" * 60000)]))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.is_closed_by_peer()
    assert_serves_others(pool)


def test_a_request_that_ends_early_stores_nothing(pool, shared):
    contact = pool.site.add_contact(shared.org, shared.member)["contact_id"]
    data = encode(shared.body(note="cut", contact_id=contact))
    stream = b"".join(fastcgi.encode_record(*r) for r in records_of(data))
    for cut in range(0, len(stream), 41):
        with pool.connect() as connection:
            connection.send(stream[:cut])
    answer = send(pool, shared.body(note="whole", contact_id=contact))
    assert_success(answer, contact, '"whole"', visibility=1)
    assert [note["note_content"] for note in pool.site.notes(contact)] == ["whole"]


def test_the_first_of_equal_parameters_counts(pool):
    pairs = [*http_params(b"{}").items(), ("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", "/")]
    with pool.connect() as connection:
        connection.begin()
        connection.params(pairs)
        connection.stdin(b"{}")
        assert as_answer(connection.read_response()).code == "MISSING_API_KEY"


def test_a_request_without_parameters_is_answered(pool):
    with pool.connect() as connection:
        connection.begin()
        connection.params({})
        connection.stdin(b"")
        answer = as_answer(connection.read_response())
        assert answer.status == 404
        assert answer.body == error_body("Not found")


@pytest.mark.parametrize(
    "pairs",
    [b"\x7f", b"\x80", b"\xff\xff\xff\xff\xff\xff\xff\xffa", b"\x05\x05ab", b"\0\0", b"\x80\0\0\0\0"],
    ids=lambda pairs: pairs.hex(),
)
def test_parameters_that_break_off_do_no_harm(pool, pairs):
    with pool.connect() as connection:
        connection.begin()
        with contextlib.suppress(Closed, BrokenPipeError):
            connection.send_record(fastcgi.PARAMS, pairs)
            connection.send_record(fastcgi.PARAMS)
            connection.stdin(b"{}")
            answer = connection.read_response()
            assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)
    assert_serves_others(pool)


# Management records, roles, and several requests on a connection


def test_values_that_are_asked_for(pool):
    with pool.connect() as connection:
        for _ in range(2):
            names = [("FCGI_MAX_CONNS", ""), ("FCGI_MPXS_CONNS", ""), ("FCGI_MAX_REQS", ""), ("X", "")]
            connection.send_record(fastcgi.GET_VALUES, fastcgi.encode_pairs(names), request_id=0)
            record = connection.read_record()
            assert (record.type, record.request_id) == (fastcgi.GET_VALUES_RESULT, 0)
            assert fastcgi.decode_pairs(record.content) == [(b"FCGI_MPXS_CONNS", b"0")]
            ask(connection)


def test_no_values_that_are_asked_for(pool):
    with pool.connect() as connection:
        connection.send_record(fastcgi.GET_VALUES, request_id=0)
        record = connection.read_record()
        assert (record.type, record.request_id, record.content) == (fastcgi.GET_VALUES_RESULT, 0, b"")
        ask(connection)


@pytest.mark.parametrize("type_", [0, 1, 12, 99, 255])
def test_management_records_of_unknown_types(pool, type_):
    with pool.connect() as connection:
        connection.send_record(type_, b"anything", request_id=0)
        record = connection.read_record()
        assert (record.type, record.request_id) == (fastcgi.UNKNOWN_TYPE, 0)
        assert record.content == bytes([type_]) + b"\0" * 7
        ask(connection)


@pytest.mark.parametrize("role", [0, fastcgi.AUTHORIZER, fastcgi.FILTER, 4, 65535])
def test_unknown_roles_are_refused(pool, role):
    with pool.connect() as connection:
        connection.begin(role=role, request_id=7)
        answer = connection.read_response(request_id=7)
        assert (answer.stdout, answer.app_status) == (b"", 0)
        assert answer.protocol_status == fastcgi.UNKNOWN_ROLE
        assert connection.is_closed_by_peer()
    assert_serves_others(pool)


def test_requests_that_are_mixed_on_a_connection_are_not_stored(pool, shared, contact):
    """FCGI_MPXS_CONNS is 0, so no web server should; libfcgi gives the first one up."""
    body = encode(shared.body(contact_id=contact))
    with pool.connect() as connection:
        connection.begin(request_id=1)
        connection.begin(request_id=2)
        connection.params(http_params(body), request_id=1)
        connection.params(http_params(b"{"), request_id=2)
        connection.stdin(body, request_id=1)
        records = []
        while (record := connection.read_record()) is not None:
            records.append(record)
    stdout = b"".join(r.content for r in records if (r.type, r.request_id) == (fastcgi.STDOUT, 1))
    if stdout:
        answer = fastcgi.Response(stdout=stdout).parse()
        assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)
    assert pool.site.notes(contact) == []
    assert_serves_others(pool)


# Garbage

GARBAGE = {
    "http": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": b"\0" * 100,
    "ones": b"\xff" * 100,
    "one byte": b"\x02",
    "version 2": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0", version=2),
    "params first": fastcgi.encode_record(fastcgi.PARAMS, b"\1\1ab"),
    "body first": fastcgi.encode_record(fastcgi.STDIN, b"{}"),
    "an answer": fastcgi.encode_record(fastcgi.END_REQUEST, b"\0" * 8),
    "short begin": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1\0"),
    "long begin": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1" + b"\0" * 60),
    "begin twice": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0") * 2,
    "body before params": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0")
    + fastcgi.encode_record(fastcgi.STDIN, b"{}"),
    "random": os.urandom(200),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_the_connection_and_nothing_else(pool, garbage):
    with pool.connect() as kept, pool.connect() as connection:
        ask(kept)
        with contextlib.suppress(BrokenPipeError):
            connection.send(garbage)
            assert connection.read_record() is None
        ask(kept)
    with pool.connect() as connection:
        ask(connection)
        with contextlib.suppress(BrokenPipeError):
            connection.send(garbage)  # behind a good request
            assert connection.read_record() is None
    assert_serves_others(pool)
