"""
Documents that calls answer, through every web server: the call `program` of tests/example, and
one that redirects to it.
"""

import subprocess

import pytest

from support import webservers
from support.answers import SERVERS_OWN, assert_error
from support.paths import BUILD
from support.service import Service
from support.site import Site

PROGRAM = "tests/example/crmnotes.fcgi"
BASE = "/apis/v2/public/example"
TEXT, MOVED = f"{BASE}/program", f"{BASE}/moved"
PREFIX = "/cgi-bin/crmnotes.fcgi"

# One process makes the program and starts it.
pytestmark = pytest.mark.xdist_group("example calls")

# Without what tells of the body.
KEPT = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
}
TYPE = {"content-type": "text/plain; charset=utf-8", "content-length": "9"}


@pytest.fixture(scope="module")
def program():
    subprocess.run(["make", "-s", "-C", BUILD, PROGRAM], check=True, stdin=subprocess.DEVNULL)
    return BUILD / PROGRAM


@pytest.fixture(scope="module", params=webservers.KINDS)
def front(request, program):
    with Site(service=program) as site, webservers.front(request.param, site) as running:
        yield running


@pytest.fixture(scope="module")
def etag(front):
    return front.send(None, method="GET", path=TEXT).header("ETag")


def get(front, path=TEXT, method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return front.send(None, method=method, path=path, headers=named)


def headers_of(answer):
    """All that are ours, each of which comes once."""
    pairs = [(name.lower(), value) for name, value in answer.headers]
    ours = [pair for pair in pairs if pair[0] not in SERVERS_OWN]
    assert len(dict(ours)) == len(ours), ours
    return {name: value for name, value in ours if name != "x-request-id"}


def test_a_document_is_answered_without_credentials(front, etag):
    answer = get(front)
    assert (answer.status, answer.body) == (200, b"crmnotes\n")
    assert headers_of(answer) == {**KEPT, **TYPE, "etag": etag}
    assert answer.header("X-Request-Id")


def test_head_is_answered_like_get_without_a_body(front, etag):
    answer = get(front, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert headers_of(answer) == {**KEPT, **TYPE, "etag": etag}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '"a,b" ,W/{}', "*"])
def test_a_client_that_has_the_document_gets_only_304(front, etag, method, form):
    answer = get(front, method=method, If_None_Match=form.format(etag))
    assert (answer.status, answer.body) == (304, b"")
    assert answer.header("ETag") == etag
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("Content-Length") in (None, "9")  # none but that of the document


@pytest.mark.parametrize("sent", ["", '"a"', "a", '"', "**"])
def test_a_client_that_has_another_document_gets_this_one(front, sent):
    answer = get(front, If_None_Match=sent)
    assert (answer.status, answer.body) == (200, b"crmnotes\n")


def test_other_methods_are_refused(front):
    refused = front.send({}, path=TEXT)
    assert_error(refused, "METHOD_NOT_ALLOWED", "Method not allowed", status=405, also=["allow"])
    assert refused.header("Allow") == "GET, HEAD"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_redirect_is_relative_to_the_path(front, method):
    answer = get(front, path=MOVED, method=method, If_None_Match="*")
    assert (answer.status, answer.body) == (308, b"")
    assert answer.header("Location") == "program"


def test_several_headers_are_one_list(program):
    with Site(service=program) as site, Service(site) as service, service.connect() as connection:
        etag = service.request(method="GET", path=TEXT).header("ETag")
        pairs = [("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", TEXT)]
        tags = [("HTTP_IF_NONE_MATCH", tag) for tag in ('"a"', etag, '"b"')]
        assert connection.request([*pairs, *tags]).status == 304


def test_a_document_is_the_same_after_a_restart_and_under_a_prefix(program):
    tags = set()
    for base in "", PREFIX:
        with Site(service=program, options={"base_path": base}) as site, Service(site) as service:
            answer = service.request(method="GET", path=base + TEXT)
            assert answer.body == b"crmnotes\n"
            tags.add(answer.header("ETag"))
            assert service.request(method="GET", path=base + MOVED).header("Location") == "program"
    assert len(tags) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_without_developer_docs_there_is_no_such_path(program, method):
    with Site(service=program, options={"developer_docs": "no"}) as site, Service(site) as service:
        for path in TEXT, MOVED, BASE + "/none":
            answer = service.request(method=method, path=path)
            assert (answer.status, answer.header("X-Error-Code")) == (404, "UNKNOWN_ENDPOINT")
            assert answer.header("Allow") is None
        assert service.call({"help": True}).status == 200
