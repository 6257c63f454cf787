"""The path: a web server may divide it in several ways, and has decoded it."""

import pytest

from support.answers import assert_error, assert_success
from support.paths import CALL_PATH
from support.service import Service
from support.site import Site, encode

PREFIX = "/cgi-bin/crmnotes.fcgi"
APART = CALL_PATH.rindex("/")


def is_the_call(service, **params):
    """A GET of the call's path is not allowed; of any other it is not found."""
    answer = service.request(method="GET", **params)
    if answer.status == 405:
        assert_error(answer, "METHOD_NOT_ALLOWED", "Method not allowed", status=405, also=["allow"])
        return True
    assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)
    return False


@pytest.mark.parametrize("split", [0, 1, 5, APART, APART + 1, len(CALL_PATH) - 1, len(CALL_PATH)])
def test_script_name_and_path_info_are_one_path(pool, shared, split):
    parts = {"SCRIPT_NAME": CALL_PATH[:split], "PATH_INFO": CALL_PATH[split:]}
    answer = pool.call(shared.body(note="x"), **parts)
    assert_success(answer, shared.contact, '"x"', visibility=1)


def test_either_part_may_be_absent(pool):
    assert is_the_call(pool, SCRIPT_NAME=CALL_PATH, PATH_INFO=None)
    assert is_the_call(pool, SCRIPT_NAME=None, PATH_INFO=CALL_PATH)
    assert not is_the_call(pool, SCRIPT_NAME=None, PATH_INFO=None)
    assert not is_the_call(pool, SCRIPT_NAME="", PATH_INFO="")


def test_other_parameters_that_hold_a_path_do_not_count(pool):
    others = dict.fromkeys(["REQUEST_URI", "DOCUMENT_URI", "PATH_TRANSLATED", "SCRIPT_FILENAME"], CALL_PATH)
    assert not is_the_call(pool, **{**others, "SCRIPT_NAME": "/x"})
    assert is_the_call(pool, **{**dict.fromkeys(others, "/x"), "SCRIPT_NAME": CALL_PATH})


@pytest.mark.parametrize(
    "path",
    [
        "".join(f"%{ord(c):02x}" for c in CALL_PATH),  # was decoded by the web server, if at all
        CALL_PATH.replace("/", "%2F"),
        CALL_PATH.replace("o", "%6f"),
        CALL_PATH.replace("o", "%256f"),
        CALL_PATH + "?",
        CALL_PATH + "?a=b&c=%",
        CALL_PATH + "?" + CALL_PATH,
        CALL_PATH + "??",
        CALL_PATH + "%3F",
        CALL_PATH + "%3Fa=b",
        CALL_PATH + "%00",
        CALL_PATH + "%00?",
        CALL_PATH + "%",
        CALL_PATH + "%7",
        CALL_PATH + "%zz",
        CALL_PATH[:-1] + "%7",
        CALL_PATH[:-1] + "%",
        CALL_PATH.replace("Note", "Not%6"),
        CALL_PATH + "+",
        CALL_PATH + "/",
        CALL_PATH + " ",
        "/" + CALL_PATH,
        CALL_PATH[1:],
        CALL_PATH.replace("/v2", "//v2"),
        CALL_PATH.replace("/v2", "/./v2"),
        CALL_PATH.replace("/v2", "/v2/../v2"),
        CALL_PATH.upper(),
        CALL_PATH + ";a=b",
        CALL_PATH + "#",
        CALL_PATH + CALL_PATH,
        "?" + CALL_PATH,
        "*",
        "",
        b"/apis/\xff\xfe",
        pytest.param("/" + "a" * 30000, id="long"),
        pytest.param(CALL_PATH + "/" + "%41" * 10000, id="long and encoded"),
    ],
)
def test_paths_that_are_not_the_call(pool, path):
    assert not is_the_call(pool, SCRIPT_NAME=path)
    assert not is_the_call(pool, SCRIPT_NAME="", PATH_INFO=path)


@pytest.mark.parametrize("query", ["a=b", "path=" + CALL_PATH, "%00", "?" * 5000])
def test_the_query_does_not_count(pool, query):
    assert is_the_call(pool, QUERY_STRING=query)
    assert not is_the_call(pool, path="/x", QUERY_STRING=query)


@pytest.fixture(scope="module")
def prefixed():
    options = {"base_path": PREFIX, "workers": 1}
    with Site(options=options) as site, Service(site) as running:
        yield running


@pytest.mark.parametrize(
    "script,info",
    [
        (PREFIX + CALL_PATH, ""),
        (PREFIX, CALL_PATH),
        ("", PREFIX + CALL_PATH),
        (PREFIX[:4], PREFIX[4:] + CALL_PATH),
    ],
)
def test_base_path_is_taken_off(prefixed, script, info):
    assert is_the_call(prefixed, SCRIPT_NAME=script, PATH_INFO=info)


@pytest.mark.parametrize(
    "script,info",
    [
        (CALL_PATH, ""),
        (PREFIX, ""),
        (PREFIX + "/", CALL_PATH),
        (PREFIX + "x", CALL_PATH),
        (PREFIX + PREFIX, CALL_PATH),
        (PREFIX[:-1], CALL_PATH),
        (PREFIX.upper(), CALL_PATH),
        ("/x" + PREFIX, CALL_PATH),
        (PREFIX[:5], ""),
        (PREFIX.replace("-", "%2D"), CALL_PATH),
        (PREFIX, CALL_PATH + "?x"),
        ("", ""),
    ],
)
def test_without_exactly_the_base_path_nothing_is_found(prefixed, script, info):
    assert not is_the_call(prefixed, SCRIPT_NAME=script, PATH_INFO=info)


@pytest.mark.parametrize("method", ["", "post", "Post", "POST ", "XPOST", "POSTS", None, b"\xff"])
def test_the_method_is_post_to_the_letter(pool, shared, method):
    answer = pool.request(encode(shared.body()), REQUEST_METHOD=method)
    assert_error(answer, "METHOD_NOT_ALLOWED", "Method not allowed", status=405, also=["allow"])
    assert answer.header("Allow") == "POST"
