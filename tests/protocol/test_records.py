"""FastCGI records in every division, and streams that are no request."""

import contextlib
import os

import pytest

from support import fastcgi
from support.answers import assert_error, assert_success, error_body
from support.fastcgi import BEGIN_REQUEST, PARAMS, STDIN, Closed, encode_pairs, http_params, whole_request
from support.raw import as_answer, ask, send
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for

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
            connection.send_record(type_, padding=padding)
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


@pytest.mark.parametrize("type_", [STDIN, PARAMS, fastcgi.ABORT_REQUEST, fastcgi.END_REQUEST, 200])
def test_records_of_requests_that_have_not_begun_are_ignored(pool, type_):
    with pool.connect() as connection:
        for content in (b"", b"x" * 65535):
            connection.send_record(type_, content, request_id=7)
            ask(connection)


def test_a_refused_role_ends_no_connection_that_is_to_be_kept(pool):
    with pool.connect() as connection:
        connection.begin(role=fastcgi.AUTHORIZER, request_id=7, keep=True)
        connection.params(http_params(b"{}"), request_id=7)
        answer = connection.read_response(request_id=7)
        assert (answer.stdout, answer.protocol_status) == (b"", fastcgi.UNKNOWN_ROLE)
        ask(connection)


def test_another_request_that_begins_meanwhile_is_refused(pool, shared, contact):
    """At each place in the first one, which is answered as if it were alone."""
    for at in range(1, 5):
        data = encode(shared.body(note=f"first {at}", contact_id=contact))
        first = records_of(data, HTTP_IDEMPOTENCY_KEY=f"first {at}")
        first[0] = (BEGIN_REQUEST, b"\0\1\1\0\0\0\0\0")
        second = records_of(encode(shared.body(note=f"second {at}", contact_id=contact)))
        with pool.connect() as connection:
            for record in first[:at]:
                connection.send_record(*record)
            for record in second:
                connection.send_record(*record, request_id=2)
            refused = connection.read_response(request_id=2)
            assert (refused.stdout, refused.protocol_status) == (b"", fastcgi.CANT_MPX_CONN)
            for record in first[at:]:
                connection.send_record(*record)
            answer = as_answer(connection.read_response())
            assert_success(answer, contact, f'"first {at}"', visibility=1)
            for record in second:  # which may try again
                connection.send_record(*record, request_id=2)
            answer = as_answer(connection.read_response(request_id=2))
            assert_success(answer, contact, f'"second {at}"', visibility=1)
    assert len(pool.site.notes(contact)) == 8


def test_another_request_may_begin_behind_the_last_byte(pool, shared, contact):
    stream, expected = b"", []
    for number in range(1, 30):
        data = encode(shared.body(note=f"{number}", contact_id=contact))
        records = records_of(data)
        records[0] = (BEGIN_REQUEST, b"\0\1\1\0\0\0\0\0")
        stream += b"".join(fastcgi.encode_record(*record, request_id=number) for record in records)
        expected.append(f"{number}")
    with pool.connect() as connection:
        connection.send(stream)
        for number in range(1, 30):
            answer = as_answer(connection.read_response(request_id=number))
            assert_success(answer, contact, f'"{number}"', visibility=1)
    assert sorted(note["note_content"] for note in pool.site.notes(contact)) == sorted(expected)


@pytest.mark.parametrize("listen", ["unix", "tcp"])
def test_what_comes_behind_the_last_request_of_a_connection_does_not_cut_its_answer(listen):
    """A close with unread bytes would reset the connection, which drops what was not read."""
    with Site(options={"workers": 1}) as site, Service(site, listen=listen) as service:
        world = site.world()
        first = whole_request(encode(world.body(note="a" * 60_000)))
        second = whole_request(encode(world.body(note="b" * 60_000)))
        for number in range(20):
            with service.connect() as connection:
                connection.send(first + 2 * second)
                wait_for(connection.is_readable, "the answer")
                answer = as_answer(connection.read_response())
                assert_success(answer, world.contact, '"' + "a" * 60_000 + '"', visibility=1)
                assert connection.socket.recv(1) == b"", number
        assert len(site.notes(world.contact)) == 20


def test_two_requests_cut_at_each_byte(pool, shared):
    body = encode(shared.body(note="x"))[:-1]  # no JSON, so that nothing is stored
    stream = 2 * whole_request(body, keep=True)
    for cut in range(1, len(stream)):
        with pool.connect() as connection:
            connection.send(stream[:cut])
            connection.send(stream[cut:])
            for _ in range(2):
                assert as_answer(connection.read_response()).code == "INVALID_JSON"


@pytest.mark.parametrize("size", [0, 30_000, 70_000, 500_000, 600_000])
def test_what_comes_behind_a_long_body_is_not_lost(pool, shared, size):
    """Whether or not the body is in a file, or too long."""
    with pool.connect() as connection:
        connection.send(2 * (whole_request(b" " * size, keep=True) + whole_request(b"{", keep=True)))
        for _ in range(2):
            code = "BODY_TOO_LARGE" if size > 524288 else "INVALID_JSON"
            assert as_answer(connection.read_response()).code == code
            assert as_answer(connection.read_response()).code == "INVALID_JSON"


def test_very_many_refused_beginnings_delay_no_other(pool):
    begins = b"".join(
        fastcgi.encode_record(BEGIN_REQUEST, RESPONDER_BEGIN, request_id=2 + i) for i in range(2000)
    )
    with pool.connect() as connection, pool.connect() as other:
        connection.begin(keep=True)
        for _ in range(30):
            connection.send(begins)
            ask(other)
            ends = [connection.read_record() for _ in range(2000)]
            assert {(end.type, end.content[4]) for end in ends} == {
                (fastcgi.END_REQUEST, fastcgi.CANT_MPX_CONN)
            }
        connection.params(http_params(b"{"))
        connection.stdin(b"{")
        assert as_answer(connection.read_response()).code == "INVALID_JSON"


def test_a_peer_that_reads_no_refusals_is_closed(pool):
    begins = 60000 * fastcgi.encode_record(BEGIN_REQUEST, RESPONDER_BEGIN, request_id=2)
    with pool.connect() as connection:
        connection.begin(keep=True)
        with pytest.raises(OSError):
            for _ in range(10):
                connection.send(begins)
    assert_serves_others(pool)


@pytest.mark.parametrize("at", range(1, 5))
def test_values_that_are_asked_for_within_a_request(pool, shared, at):
    data = encode(shared.body(note="x"))
    records = records_of(data)
    with pool.connect() as connection:
        for record in records[:at]:
            connection.send_record(*record)
        connection.send_record(fastcgi.GET_VALUES, encode_pairs([("FCGI_MPXS_CONNS", "")]), request_id=0)
        values = connection.read_record()
        assert fastcgi.decode_pairs(values.content) == [(b"FCGI_MPXS_CONNS", b"0")]
        for record in records[at:]:
            connection.send_record(*record)
        assert_success(as_answer(connection.read_response()), shared.contact, '"x"', visibility=1)


# Garbage

GARBAGE = {
    "http": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": b"\0" * 100,
    "ones": b"\xff" * 100,
    "one byte": b"\x02",
    "version 2": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0", version=2),
    "an answer": fastcgi.encode_record(fastcgi.BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0")
    + fastcgi.encode_record(fastcgi.END_REQUEST, b"\0" * 8),
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
