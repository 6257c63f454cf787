"""Bodies as FastCGI brings them: of every length, announced or not, and aborted ones."""

import gzip
import json

import pytest

from support import fastcgi
from support.answers import assert_error, assert_success
from support.family import send, waits_for_lock, writer_of, writers_held_up
from support.fastcgi import http_params, whole_request
from support.site import encode
from support.wait import wait_for

MAX_BODY_BYTES = 524288

PEEK_BYTES = 65536  # longer requests are read while they arrive


def padded(body, size):
    """The body with white space up to that size: it stays good."""
    data = encode(body)
    assert len(data) <= size
    return data + b" " * (size - len(data))


def assert_not_json(answer):
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


def assert_too_large(answer):
    assert_error(answer, "BODY_TOO_LARGE", "Request body is too large", status=413)


@pytest.mark.parametrize("length", [None, "", "-1", "-131072", "-0", "-" + "9" * 40])
@pytest.mark.parametrize("size", [None, PEEK_BYTES, PEEK_BYTES + 1, MAX_BODY_BYTES])
def test_a_body_without_a_length_is_good(pool, shared, size, length):
    body = padded(shared.body(note="x"), size) if size else encode(shared.body(note="x"))
    answer = pool.request(body, CONTENT_LENGTH=length)
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES, 3_000_000])
def test_a_body_without_a_length_may_be_too_large(pool, shared, size):
    assert_too_large(pool.request(padded(shared.body(), size), CONTENT_LENGTH=None))


@pytest.mark.parametrize("size", [None, PEEK_BYTES + 1, MAX_BODY_BYTES])
@pytest.mark.parametrize(
    "announce",
    [
        lambda size: size - 1,
        lambda size: size + 1,
        lambda size: 0,
        lambda size: 2 * size,
        lambda size: MAX_BODY_BYTES + size + 1,
        lambda size: f"{size}x",
        lambda size: f"{size} ",
        lambda size: f" {size}",
        lambda size: f"+{size}",
        lambda size: f"-{size}x",
        lambda size: "-",
        lambda size: f"--{size}",
        lambda size: hex(size),
        lambda size: f"{size}.0",
        lambda size: f"{size},{size}",
        lambda size: (1 << 64) + size,
        lambda size: 1 << 200,
        lambda size: "x",
    ],
    ids=lambda announce: str(announce(1)),
)
def test_a_body_of_another_length_than_announced_is_not_stored(pool, shared, contact, size, announce):
    body = encode(shared.body(contact_id=contact))
    body = padded(shared.body(contact_id=contact), size) if size else body
    answer = pool.request(body, CONTENT_LENGTH=announce(len(body)))
    if len(body) == MAX_BODY_BYTES and answer.status == 413:
        assert_too_large(answer)
    else:
        assert_not_json(answer)
    assert pool.site.notes(contact) == []


def test_a_body_of_nothing(pool):
    for length in ["0", "", None]:
        assert_not_json(pool.request(b"", CONTENT_LENGTH=length))
    assert_not_json(pool.request(b"", CONTENT_LENGTH="1"))


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "zstd", "x", "identity, gzip", " ", "é"])
def test_a_body_that_is_encoded_is_not_read(pool, shared, contact, coding):
    answer = pool.call(shared.body(contact_id=contact), headers={"Content-Encoding": coding})
    assert_error(answer, "UNSUPPORTED_ENCODING", "Content-Encoding is not supported", status=415)
    answer = pool.request(gzip.compress(encode(shared.body())), headers={"Content-Encoding": coding})
    assert_error(answer, "UNSUPPORTED_ENCODING", "Content-Encoding is not supported", status=415)
    assert pool.site.notes(contact) == []


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_as_it_is_may_say_so(pool, shared, coding):
    answer = pool.call(shared.body(note="x"), headers={"Content-Encoding": coding})
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize("chunk", [7, 8192, 32768, 65535])
def test_the_longest_body_in_records_of_all_sizes(pool, shared, chunk):
    body = padded(shared.body(note="x"), MAX_BODY_BYTES)
    with pool.connect() as connection:
        answer = connection.request(http_params(body), body, chunk=chunk)
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize("escape", ["where JSON needs it", "all but ASCII", "everything"])
@pytest.mark.parametrize("character", ["x", "\x01", "\\", "é", "€", "😀"])
def test_the_longest_note_comes_back_whole(pool, shared, character, escape):
    """However it is written, it fits into a body."""
    note = character * (65536 // len(character.encode()))
    body = json.dumps(shared.body(note="NOTE"))
    if escape == "everything":
        units = note.encode("utf-16-be")
        text = '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)) + '"'
    else:
        text = json.dumps(note, ensure_ascii=escape == "all but ASCII")
    answer = pool.request(body.replace('"NOTE"', text).encode())
    in_json = encode(note).decode()
    assert_success(answer, shared.contact, in_json, visibility=1)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 5_000_000])
def test_a_kept_connection_stays_usable_after_a_body_that_is_too_large(pool, shared, size, announced):
    body = encode(shared.body(note="x"))
    large = b"x" * size
    params = http_params(large) if announced else http_params(large, CONTENT_LENGTH=None)
    with pool.connect() as connection:
        for request_id in range(1, 7, 2):
            assert_too_large(connection.request(params, large, keep=True, request_id=request_id))
            answer = connection.request(http_params(body), body, keep=True, request_id=request_id + 1)
            assert_success(answer, shared.contact, '"x"', visibility=1)


def test_the_longest_body_of_all_that_can_be_configured(start):
    most = 8 << 20
    service = start({"workers": 1, "max_body_bytes": most})
    world = service.site.world()
    assert_success(service.request(padded(world.body(note="x"), most)), world.contact, '"x"', visibility=1)
    assert_too_large(service.request(padded(world.body(note="x"), most + 1)))


@pytest.mark.parametrize("http", [{"path": "/x"}, {"method": "PUT"}, {"headers": {"Idempotency-Key": ""}}])
@pytest.mark.parametrize("size", [10, PEEK_BYTES + 10, 1_000_000])
def test_a_kept_connection_stays_usable_after_a_body_that_nobody_wants(pool, size, http):
    with pool.connect() as connection:
        for _ in range(3):
            unwanted = b"x" * size
            answer = connection.request(http_params(unwanted, **http), unwanted, keep=True)
            assert answer.status in (400, 404, 405)
            assert_not_json(connection.request(http_params(b"{"), b"{", keep=True))


def abort_at(state, connection, params, body):
    """Sends a request up to that state, and then the wish to abort it."""
    pairs = fastcgi.encode_pairs(params.items())
    connection.begin(keep=True)
    if state == "params":
        connection.send_record(fastcgi.PARAMS, pairs[:50])
    if state in ("params ended", "body", "body whole"):
        connection.params(params)
    if state == "body":
        connection.stdin(body[: len(body) // 2], end=False)
    if state == "body whole":
        connection.stdin(body, end=False)
    connection.abort()


@pytest.mark.parametrize("length", ["announced", "absent"])
@pytest.mark.parametrize("size", [None, MAX_BODY_BYTES], ids=["short", "long"])
@pytest.mark.parametrize("state", ["begun", "params", "params ended", "body", "body whole"])
def test_an_aborted_request_is_not_stored(pool, shared, contact, state, size, length):
    members = shared.body(contact_id=contact)
    body = padded(members, size) if size else encode(members)
    params = http_params(body)
    if length == "absent":
        del params["CONTENT_LENGTH"]
    with pool.connect() as connection:
        abort_at(state, connection, params, body)
        answer = connection.read_response()
        assert (answer.stdout, answer.protocol_status) == (b"", fastcgi.REQUEST_COMPLETE)
        assert_not_json(connection.request(http_params(b"{"), b"{", keep=True))
    assert pool.site.notes(contact) == []
    assert pool.request(method="GET").status == 405


def test_an_abort_that_comes_after_the_request_changes_nothing(pool, shared):
    """In one piece with it: sent for itself, it could meet a connection that has ended."""
    body = encode(shared.body(note="x"))
    with pool.connect() as connection:
        for _ in range(5):
            assert_added(connection.request(http_params(body), body, keep=True), shared)
        connection.send(whole_request(body) + fastcgi.encode_record(fastcgi.ABORT_REQUEST))
        assert_added(connection.read_response(), shared)


def test_an_abort_that_comes_while_the_note_is_committed_changes_nothing(pool, shared):
    body = encode(shared.body(note="x"))
    with pool.connect() as connection:
        assert_added(connection.request(http_params(body), body, keep=True), shared)
        with writers_held_up(pool.site):
            send(connection, body)
            wait_for(lambda: waits_for_lock(writer_of(pool)), "the writer at the lock")
            connection.abort()
        assert_added(connection.read_response(), shared)


def assert_added(answer, world):
    assert_success(answer, world.contact, '"x"', visibility=1)
