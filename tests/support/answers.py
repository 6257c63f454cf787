"""What the service answers, written out, to be compared to the byte."""

import re

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# What web servers add to an answer by themselves.
SERVERS_OWN = {"server", "date", "connection", "keep-alive"}

# What an error has beside the common headers, where the client's address is known.
ERROR_HEADERS = {"IP_NOT_WHITELISTED": {"x-client-address"}}

COMMON_HEADERS = {
    "content-type",
    "content-length",
    "cache-control",
    "x-content-type-options",
    "x-request-id",
}


def success_body(note_id, contact, content_json, editable, visibility):
    """content_json is the note as a JSON string, quotes included."""
    return (
        f'{{"data":{{"note_id":"{note_id}","contact_id":"{contact}","note_content":{content_json},'
        f'"note_editable":{editable},"note_visibility":{visibility}}},"status":"success"}}'
    ).encode()


def error_body(*messages):
    """For messages without anything that JSON escapes."""
    listed = ",".join(f'"{message}"' for message in messages)
    return f'{{"data":[{listed}],"status":"error"}}'.encode()


def note_id_of(answer):
    """The id that a success answer begins with: the one thing that no test can know."""
    begin = b'{"data":{"note_id":"'
    assert answer.body.startswith(begin), answer.body[:300]
    note_id = answer.body[len(begin) : len(begin) + 36].decode()
    assert UUID.fullmatch(note_id), note_id
    return note_id


def assert_success(answer, contact, content_json, *, editable=0, visibility=0, note_id=None):
    """The whole answer; note_id is that of an update. Answers the note's id."""
    assert answer.status == 200, answer.body
    found = note_id_of(answer)
    if note_id is not None:
        assert found == note_id
    assert answer.body == success_body(found, contact, content_json, editable, visibility)
    assert_headers(answer)
    return found


def assert_error(answer, code, *messages, status=200, also=()):
    """The whole answer; also names the headers that this error has beside the common ones."""
    assert answer.body == error_body(*messages)
    assert answer.status == status
    assert answer.header("X-Error-Code") == code
    assert_headers(answer, {"x-error-code", *ERROR_HEADERS.get(code, ()), *also})


def assert_headers(answer, also=()):
    names = [name.lower() for name, _ in answer.headers if name.lower() not in SERVERS_OWN]
    assert sorted(names) == sorted(COMMON_HEADERS | set(also))
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert REQUEST_ID.fullmatch(answer.header("X-Request-Id"))
