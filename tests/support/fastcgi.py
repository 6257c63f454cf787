"""A FastCGI client at the level of records, for talking to the service without a web server."""

import select
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

from support.paths import CALL_PATH

BEGIN_REQUEST = 1
ABORT_REQUEST = 2
END_REQUEST = 3
PARAMS = 4
STDIN = 5
STDOUT = 6
STDERR = 7
DATA = 8
GET_VALUES = 9
GET_VALUES_RESULT = 10
UNKNOWN_TYPE = 11

RESPONDER = 1
AUTHORIZER = 2
FILTER = 3
KEEP_CONN = 1

REQUEST_COMPLETE = 0
CANT_MPX_CONN = 1
OVERLOADED = 2
UNKNOWN_ROLE = 3

MAX_RECORD_BYTES = 65535


@dataclass
class Record:
    type: int
    request_id: int
    content: bytes


@dataclass
class Response:
    """What came back for one request: the CGI answer and the end of the request."""

    stdout: bytes = b""
    stderr: bytes = b""
    app_status: int | None = None
    protocol_status: int | None = None
    status_line: str = "200 OK"  # without one, as web servers take it
    headers: list = field(default_factory=list)  # as a web server passes them on
    body: bytes = b""

    @property
    def status(self):
        """The HTTP status."""
        return int(self.status_line.split()[0])

    def header(self, name, default=None):
        for known, value in self.headers:
            if known.lower() == name.lower():
                return value
        return default

    def parse(self):
        head, found, self.body = self.stdout.partition(b"\r\n\r\n")
        assert found, f"no end of the headers in {self.stdout[:500]!r}"
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            if name == "Status":
                self.status_line = value.strip()
            else:
                self.headers.append((name, value.strip()))
        return self


class Closed(Exception):
    """The service closed the connection before the answer was complete."""

    def __init__(self, response):
        super().__init__(f"connection closed after {len(response.stdout)} bytes")
        self.response = response


def encode_record(type_, content=b"", request_id=1, padding=0, version=1):
    head = struct.pack("!BBHHBx", version, type_, request_id, len(content), padding)
    return head + content + b"\0" * padding


def encode_pairs(pairs):
    """Names and values as FastCGI writes them: lengths of one or four bytes."""
    out = bytearray()
    for name, value in pairs:
        name, value = _bytes(name), _bytes(value)
        for length in (len(name), len(value)):
            out += struct.pack("!B", length) if length < 128 else struct.pack("!I", length | 1 << 31)
        out += name + value
    return bytes(out)


def whole_request(body, *, keep=False, **http):
    """A whole request as bytes."""
    begin = struct.pack("!HB5x", RESPONDER, KEEP_CONN if keep else 0)
    records = [
        (BEGIN_REQUEST, begin),
        (PARAMS, encode_pairs(http_params(body, **http).items())),
        (PARAMS, b""),
        *[(STDIN, body[i : i + 32768]) for i in range(0, len(body), 32768)],
        (STDIN, b""),
    ]
    return b"".join(encode_record(*record) for record in records)


def decode_pairs(content):
    pairs, at = [], 0
    while at < len(content):
        lengths = []
        for _ in range(2):
            if content[at] < 128:
                lengths.append(content[at])
                at += 1
            else:
                lengths.append(struct.unpack_from("!I", content, at)[0] & 0x7FFFFFFF)
                at += 4
        name = content[at : at + lengths[0]]
        value = content[at + lengths[0] : at + sum(lengths)]
        pairs.append((name, value))
        at += sum(lengths)
    return pairs


def http_params(body=b"", *, method="POST", path=CALL_PATH, remote_addr="127.0.0.1", headers=None, **more):
    """
    The parameters that nginx sends by conf/nginx.conf, with all of the path in SCRIPT_NAME.

    headers are HTTP headers by their own names; more are FastCGI parameters as they are,
    and None takes one away.
    """
    params = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": path,
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": remote_addr,
    }
    usual = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": str(len(body))}
    headers = {**usual, **(headers or {})}
    for name, value in headers.items():
        params["HTTP_" + name.upper().replace("-", "_")] = value
    params.update(more)
    return {name: value for name, value in params.items() if value is not None}


class Connection:
    """One connection to the service; address is a path or (host, port)."""

    # Called for each answer: method and path (None: not known), status, headers, body.
    look = None

    def __init__(self, address, timeout=15.0, *, of_calls=True):
        """of_calls: the answers are those of calls, and no others."""
        self.socket = connect(address, timeout)
        self._of_calls = of_calls
        self._buffer = b""
        self._asked = {}  # method and path by request id

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_record(self, type_, content=b"", request_id=1, padding=0):
        self.send(encode_record(type_, content, request_id, padding))

    def begin(self, *, request_id=1, role=RESPONDER, keep=False):
        content = struct.pack("!HB5x", role, KEEP_CONN if keep else 0)
        self.send_record(BEGIN_REQUEST, content, request_id)

    def params(self, params, *, request_id=1, chunk=MAX_RECORD_BYTES, end=True):
        pairs = list(params.items() if isinstance(params, dict) else params)
        self._asked[request_id] = _asked_by(pairs)
        self._stream(PARAMS, encode_pairs(pairs), request_id, chunk, end)

    def stdin(self, body, *, request_id=1, chunk=MAX_RECORD_BYTES, end=True):
        self._stream(STDIN, body, request_id, chunk, end)

    def abort(self, request_id=1):
        self.send_record(ABORT_REQUEST, request_id=request_id)

    def request(self, params, body=b"", *, keep=False, chunk=MAX_RECORD_BYTES, request_id=1):
        """One whole request and its answer."""
        self.begin(keep=keep, request_id=request_id)
        self.params(params, request_id=request_id)
        self.stdin(body, request_id=request_id, chunk=chunk)
        return self.read_response(request_id)

    def read_record(self):
        """The next record, or None at the end of the connection."""
        head = self._read(8)
        if head is None:
            return None
        _, type_, request_id, length, padding = struct.unpack("!BBHHBx", head)
        content = self._read(length)
        if content is None or self._read(padding) is None:
            return None
        return Record(type_, request_id, content)

    def read_response(self, request_id=1):
        """All records of a request; Closed when the connection ends before END_REQUEST."""
        response = Response()
        while True:
            record = self.read_record()
            if record is None:
                raise Closed(response)
            assert record.request_id == request_id, record
            if record.type == STDOUT:
                response.stdout += record.content
            elif record.type == STDERR:
                response.stderr += record.content
            elif record.type == END_REQUEST:
                response.app_status, response.protocol_status = struct.unpack("!IB3x", record.content)
                return self._parsed(response, request_id) if response.stdout else response
            else:
                raise AssertionError(f"unexpected record {record}")

    def _parsed(self, response, request_id):
        parsed = response.parse()
        if Connection.look is not None and self._of_calls:
            method, path = self._asked.pop(request_id, (None, None))
            Connection.look(method, path, parsed.status, parsed.headers, parsed.body)
        return parsed

    def is_readable(self):
        """Whether the service has sent something, or closed, that was not read yet."""
        return bool(self._buffer or select.select([self.socket], [], [], 0)[0])

    def is_closed_by_peer(self, timeout=5.0):
        """Waits until the service closes; False if it sends something or keeps it open."""
        self.socket.settimeout(timeout)
        try:
            return not self._buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _stream(self, type_, data, request_id, chunk, end):
        for start in range(0, len(data), chunk):
            self.send_record(type_, data[start : start + chunk], request_id)
        if end:
            self.send_record(type_, request_id=request_id)

    def _read(self, size):
        while len(self._buffer) < size:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self._buffer += piece
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def connect(address, timeout=15.0):
    if isinstance(address, (str, Path)):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(timeout)
        try:
            peer.connect(str(address))
        except OSError:
            peer.close()
            raise
        return peer
    return socket.create_connection(address, timeout)


def request(address, body=b"", *, params=None, timeout=15.0, of_calls=True, **http):
    """One request on a connection of its own; http as for http_params."""
    with Connection(address, timeout, of_calls=of_calls) as connection:
        return connection.request(params or http_params(body, **http), body)


def _asked_by(pairs):
    first = {}
    for name, value in pairs:
        first.setdefault(_bytes(name), _bytes(value).decode("latin-1"))
    path = first.get(b"SCRIPT_NAME", "") + first.get(b"PATH_INFO", "")
    return first.get(b"REQUEST_METHOD"), path


def _bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()
