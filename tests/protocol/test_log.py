"""What the lines of the log say to the byte."""

import itertools
import json
import os
import re
import signal
import unicodedata

import pytest

from support.answers import assert_success, note_id_of
from support.family import writers_held_up
from support.fastcgi import http_params
from support.paths import CALL_PATH
from support.service import Service
from support.site import ABSENT, Site, encode

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

FIELDS = [
    "ts",
    "level",
    "event",
    "pid",
    "request_id",
    "remote_addr",
    "method",
    "path",
    "org_id",
    "apikey_id",
    "devkey_id",
    "member_id",
    "contact_id",
    "note_id",
    "code",
    "http_status",
    "bytes",
    "dur_us",
    "db_us",
]


@pytest.fixture(scope="module", params=[False, True], ids=["pool", "single"])
def service(request):
    with Site(options={"workers": 2}) as site, Service(site, single=request.param) as running:
        yield running


numbers = itertools.count()


@pytest.fixture
def name():
    """A request id that no other test uses."""
    return f"name.{next(numbers)}"


@pytest.fixture(scope="module")
def world(service):
    return service.site.world()


def line_of(service, name):
    """The line of the request with that id, and that there is only one."""
    line = service.wait_for_event("request", request_id=name)
    assert sum(event.get("request_id") == name for event in service.events()) == 1
    return line


def send(service, body, name, **http):
    headers = {"X-Request-Id": name, **http.pop("headers", {})}
    data = body if isinstance(body, bytes) else encode(body)
    return service.request(data, headers=headers, **http)


def test_a_success_has_all_fields(service, world):
    answer = send(service, world.body(note="x"), "success")
    assert_success(answer, world.contact, '"x"', visibility=1)
    line = line_of(service, "success")
    assert list(line) == FIELDS
    assert TIME.fullmatch(line["ts"])
    assert 0 < line["db_us"] <= line["dur_us"] < 60_000_000
    serving = service.workers() or [service.process.pid]
    assert line["pid"] in serving
    told = {name: line[name] for name in FIELDS if name not in ("ts", "pid", "dur_us", "db_us")}
    assert told == {
        "level": "info",
        "event": "request",
        "request_id": "success",
        "remote_addr": "127.0.0.1",
        "method": "POST",
        "path": CALL_PATH,
        "org_id": world.org,
        "apikey_id": world.apikey_id,
        "devkey_id": world.devkey_id,
        "member_id": world.member,
        "contact_id": world.contact,
        "note_id": note_id_of(answer),
        "code": "OK",
        "http_status": 200,
        "bytes": len(answer.stdout),
    }


@pytest.mark.parametrize(
    "changes,http,code,status,known",
    [
        ({"api_key": ""}, {}, "MISSING_API_KEY", 200, []),
        ({"api_key": "x" * 47}, {}, "INVALID_API_KEY", 200, ["devkey_id"]),
        ({}, {"remote_addr": "192.0.2.1"}, "IP_NOT_WHITELISTED", 200, ["org_id", "devkey_id"]),
        ({"developer_secret": ""}, {}, "MISSING_DEVELOPER_SECRET", 200, ["org_id"]),
        ({"developer_secret": "x" * 47}, {}, "INVALID_DEVELOPER_SECRET", 200, ["org_id"]),
        ({"note": ""}, {}, "MISSING_FIELDS", 200, ["org_id", "devkey_id"]),
        ({"note": 1}, {}, "INVALID_FIELDS", 200, ["org_id", "devkey_id"]),
        ({"contact_id": "x"}, {}, "NOT_FOUND", 200, ["org_id", "devkey_id"]),
        ({"org_id": "x"}, {}, "WRONG_ORG", 200, ["org_id", "devkey_id"]),
        ({"member_id": "x"}, {}, "NOT_OWNER", 200, ["org_id", "devkey_id"]),
        ({"note_id": "x"}, {}, "NOTE_NOT_FOUND", 200, ["org_id", "devkey_id"]),
        ({}, {"CONTENT_LENGTH": "1"}, "INVALID_JSON", 400, []),
        ({}, {"headers": {"Idempotency-Key": ""}}, "INVALID_IDEMPOTENCY_KEY", 400, []),
        ({"note": "x" * 524288}, {}, "BODY_TOO_LARGE", 413, []),
        ({}, {"path": "/x"}, "UNKNOWN_ENDPOINT", 404, []),
        ({}, {"method": "PUT"}, "METHOD_NOT_ALLOWED", 405, []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_says_who_and_why(service, world, changes, http, code, status, known):
    answer = send(service, world.body(**changes), code, **http)
    assert answer.header("X-Error-Code") == code
    line = line_of(service, code)
    assert (line["code"], line["http_status"], line["bytes"]) == (code, status, len(answer.stdout))
    ids = {"org_id": world.org, "devkey_id": world.devkey_id}
    assert {name: line[name] for name in ids if name in line} == {name: ids[name] for name in known}
    assert ("fields" in line) == (code in ("MISSING_FIELDS", "INVALID_FIELDS"))


@pytest.mark.parametrize(
    "changes,fields",
    [
        ({"note": ""}, "note"),
        ({"org_id": "", "member_id": None, "contact_id": ABSENT, "note": " "}, "org_id,member_id,contact_id,note"),
        ({"org_id": "", "note": 1}, "org_id"),  # what is missing comes first
        ({"note": 1}, "note"),
        (
            {name: [] for name in ["org_id", "member_id", "contact_id", "note", "note_id"]}
            | {"note_visibility": 7, "note_editable": "secret value"},
            "org_id,member_id,contact_id,note,note_id,note_visibility,note_editable",
        ),
    ],
    ids=["empty", "missing", "missing first", "invalid", "all"],
)
def test_a_refusal_names_the_fields_and_never_their_values(service, world, name, changes, fields):
    send(service, world.body(**changes), name)
    line = line_of(service, name)
    assert line["fields"] == fields
    place = list(line).index("code") + 1
    assert list(line)[place : place + 3] == ["reason", "fields", "http_status"]
    assert "secret value" not in service.log_text()


def test_a_replay_is_a_success(service, world):
    headers = {"Idempotency-Key": "for the log"}
    first = send(service, world.body(note="x"), "first", headers=headers)
    again = send(service, world.body(note="x"), "replay", headers=headers)
    assert note_id_of(first) == note_id_of(again)
    assert line_of(service, "replay")["code"] == "OK"


def test_an_answer_of_5xx_is_an_error(start):
    service = start({"workers": 1, "request_timeout": 1})
    world = service.site.world()
    with writers_held_up(service.site):
        assert send(service, world.body(), "failed").status == 503
    assert send(service, world.body(api_key="wrong"), "refused").status == 200
    failed = line_of(service, "failed")
    assert (failed["level"], failed["reason"]) == ("error", "busy")
    assert line_of(service, "refused")["level"] == "info"


def test_one_line_for_every_request(service, world):
    with service.connect() as connection:
        before = len(service.events("request"))
        for number in range(20):
            params = http_params(b"{", headers={"X-Request-Id": f"one.{number}"})
            connection.request(params, b"{", keep=True)
        for number in range(20):
            line_of(service, f"one.{number}")
        assert len(service.events("request")) == before + 20


def test_what_is_not_known_is_left_out(service):
    send(service, b"", "nothing", remote_addr=None, method=None, path=None, CONTENT_LENGTH=None)
    line = line_of(service, "nothing")
    assert not {"remote_addr", "method", "path", "org_id", "devkey_id"} & line.keys()
    assert (line["code"], line["http_status"]) == ("UNKNOWN_ENDPOINT", 404)


@pytest.mark.parametrize(
    "remote_addr,shown",
    [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("unix:", None), ("x", None)],
)
def test_the_address_in_its_usual_form(service, name, remote_addr, shown):
    send(service, b"{", name, remote_addr=remote_addr)
    assert line_of(service, name).get("remote_addr") == shown


@pytest.mark.parametrize(
    "path,shown",
    [
        ('/a"b\\c/d', '/a"b\\c/d'),
        ("/\n\r\x1b\x7f", "/\n\r\x1b\x7f"),
        ("/%0a%C3%A9", "/%0a%C3%A9"),
        (b"/\xff\xc3(", "/??("),
        ("/\u2028", "/\u2028"),
        ("/\x9b31m\x85\u2029", "/\x9b31m\x85\u2029"),
        ('/"}\n{"event":"request"', '/"}\n{"event":"request"'),
    ],
    ids=range(7),
)
def test_what_callers_choose_is_told_and_breaks_no_line(service, name, path, shown):
    send(service, b"{", name, path=path)
    assert line_of(service, name)["path"] == shown
    for line in service.log_text().splitlines():  # which ends lines at U+2028 and others, too
        assert json.loads(line) and not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in line)


def test_long_values_are_cut(service):
    send(service, b"{", "long", path="/" + "é" * 5000, method="M" * 5000)
    line = line_of(service, "long")
    for name in ["path", "method"]:
        assert 100 < len(line[name].encode()) < 1000
    assert set("/é") == set(line["path"])


def test_no_line_is_longer_than_a_pipe_takes_at_once(service, name):
    nasty = '\x01\n\r\t"\\{}[]\x7f\u2028é😀'
    method = nasty.encode() * 100 + b"\xff\xfe"
    for path in (nasty * 500, "/" + "%00%0a%22%ff" * 3000, "x" * 60000):
        send(service, b"{}", name, SCRIPT_NAME=path, method=method)
    service.wait_for_event("request", request_id=name)
    for line in service.log.read_bytes().splitlines(keepends=True):
        assert len(line) <= 4096 and line.endswith(b"\n")
        json.loads(line)


def test_the_query_is_not_logged(service):
    send(service, b"{", "query", QUERY_STRING="api_key=zak_canary")
    assert line_of(service, "query")["path"] == CALL_PATH
    send(service, b"{", "mark", path=CALL_PATH + "?api_key=zak_canary")
    assert line_of(service, "mark")["path"] == CALL_PATH
    assert "canary" not in service.log_text()


def test_start_stop_and_deaths_are_told(start):
    service = start({"workers": 2})
    service.wait_for_event("started", workers=2)
    victim = min(service.workers())
    os.kill(victim, signal.SIGKILL)
    died = service.wait_for_event("worker_died", worker=victim)
    assert died["level"] == "error"
    assert service.stop() == 0
    assert service.events("stopping") and service.events("stopped")
