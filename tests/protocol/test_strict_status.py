"""Real status codes: by http_status = strict, and by Prefer: status=strict."""

import json

import pytest

from support import fastcgi
from support.answers import assert_error, assert_success
from support.raw import as_answer, send
from support.service import Service
from support.site import ABSENT, Site, encode

PREFER = {"Prefer": "status=strict"}
APPLIED = "preference-applied"
STRANGER = {"remote_addr": "192.0.2.1"}

# changes of a good body, of its transport, code, status
ERRORS = [
    ({"api_key": ABSENT}, {}, "MISSING_API_KEY", 401),
    ({"api_key": "zak_wrong"}, {}, "INVALID_API_KEY", 401),
    ({}, STRANGER, "IP_NOT_WHITELISTED", 403),
    ({"developer_secret": ""}, {}, "MISSING_DEVELOPER_SECRET", 401),
    ({"developer_secret": "zdk_wrong"}, {}, "INVALID_DEVELOPER_SECRET", 401),
    ({"note": " "}, {}, "MISSING_FIELDS", 400),
    ({"note": 1}, {}, "INVALID_FIELDS", 400),
    ({"contact_id": "none"}, {}, "NOT_FOUND", 404),
    ({"org_id": "none"}, {}, "WRONG_ORG", 403),
    ({"member_id": "none"}, {}, "NOT_OWNER", 403),
    ({"note_id": "none"}, {}, "NOTE_NOT_FOUND", 404),
    # those that have a status of their own
    ({"note": "x" * 600000}, {}, "BODY_TOO_LARGE", 413),
    ({}, {"CONTENT_LENGTH": "1"}, "INVALID_JSON", 400),
    ({}, {"HTTP_CONTENT_ENCODING": "gzip"}, "UNSUPPORTED_ENCODING", 415),
    ({}, {"path": "/"}, "UNKNOWN_ENDPOINT", 404),
    ({}, {"method": "PUT"}, "METHOD_NOT_ALLOWED", 405),
]


@pytest.fixture(scope="module")
def strict():
    options = {"workers": 2, "credential_failures": "off", "contact_failures": "off", "http_status": "strict"}
    with Site(options=options) as site, Service(site) as running:
        yield running


@pytest.fixture(scope="module")
def strict_world(strict):
    return strict.site.world()


@pytest.mark.parametrize("changes, http, code, status", ERRORS, ids=[row[2] for row in ERRORS])
def test_each_error_has_its_status_and_the_published_body(
    pool, shared, strict, strict_world, changes, http, code, status
):
    published = send(pool, shared.body(**changes), **http)
    preferred = send(pool, shared.body(**changes), headers=PREFER, **http)
    configured = send(strict, strict_world.body(**changes), **http)
    assert {published.code, preferred.code, configured.code} == {code}
    assert published.body == preferred.body == configured.body
    assert published.status in (200, status)
    assert (preferred.status, configured.status) == (status, status)
    assert preferred.header(APPLIED) == "status=strict"
    assert published.header(APPLIED) is None and configured.header(APPLIED) is None


@pytest.mark.parametrize("prefer, applied", [(None, None), ("status=strict", "status=strict"), ("x", None)])
def test_the_preference_is_confirmed_where_it_was_sent(strict, strict_world, prefer, applied):
    headers = {} if prefer is None else {"Prefer": prefer}
    also = [APPLIED] if applied else []
    answer = send(strict, strict_world.body(note=""), headers=headers)
    assert_error(answer, "MISSING_FIELDS", "Missing note", status=400, also=also)
    answer = send(strict, strict_world.body(), headers=headers)
    assert (answer.status, answer.header(APPLIED)) == (200, applied)


def test_a_success_stays_200(pool, shared):
    answer = send(pool, shared.body(note="x"), headers=PREFER)
    assert answer.header(APPLIED) == "status=strict"
    answer.headers.remove(("Preference-Applied", "status=strict"))
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize(
    "fields, strictly",
    [
        (["Status=\"Strict\""], True),
        (["respond-async, status=strict; until=x"], True),
        (["respond-async", "status=strict"], True),
        (["return=minimal", "wait=1, x", "status=strict"], True),
        (["status=published", "status=strict"], False),
        (["status=lax"], False),
        (["x=\"a, status=strict\""], False),
        ([""], False),
    ],
)
def test_a_preference_may_stand_among_others(pool, shared, fields, strictly):
    body = encode(shared.body(note=""))
    pairs = [*fastcgi.http_params(body).items(), *(("HTTP_PREFER", field) for field in fields)]
    with pool.connect() as connection:
        answer = as_answer(connection.request(pairs, body))
    assert answer.status == (400 if strictly else 200)
    assert answer.header(APPLIED) == ("status=strict" if strictly else None)


def test_a_note_that_is_replayed_is_200_and_one_that_does_not_fit_422(pool, shared):
    headers = {**PREFER, "Idempotency-Key": "strict-1"}
    first = send(pool, shared.body(), headers=headers)
    again = send(pool, shared.body(), headers=headers)
    assert (again.status, again.body, again.header("Idempotency-Replayed")) == (200, first.body, "true")
    other = send(pool, shared.body(note="y"), headers=headers)
    assert (other.status, other.code) == (422, "IDEMPOTENCY_MISMATCH")


def test_a_caller_that_the_transaction_refuses_gets_the_status_as_well(pool):
    """After the first note the worker leaves the check to the transaction."""
    world = pool.site.world("Revoked")
    assert send(pool, world.body()).status == 200
    pool.site.ctl("apikey", "revoke", world.apikey_id)
    assert send(pool, world.body(), headers=PREFER).status == 401


def test_a_guess_too_many_is_429_in_both(start):
    service = start({"credential_failures": "1/1h", "workers": 1})
    body = service.site.world().body(api_key="zak_wrong")
    assert [send(service, body, headers=PREFER).status for _ in range(2)] == [401, 429]


def test_the_log_has_the_status_that_was_sent(start):
    service = start({"workers": 1})
    for headers, status in ({}, 200), (PREFER, 401):
        request_id = send(service, {}, headers=headers).header("X-Request-Id")
        line = service.wait_for_event("request", request_id=request_id)
        assert (line["http_status"], line["code"]) == (status, "MISSING_API_KEY")


def test_help_tells_the_status_that_the_service_sends(pool, strict):
    for service, statuses in (pool, {200}), (strict, {400, 401, 403, 404}):
        answer = json.loads(send(service, {"help": True}).body)
        published = [e for e in answer["data"]["errors"] if e["code"] in {row[2] for row in ERRORS[:11]}]
        assert {error["http_status"] for error in published} == statuses


# The address that a caller has to have allowed


@pytest.mark.parametrize(
    "peer, told",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("unix:", None),
        ("", None),
        ("fe80::1%eth0", None),
    ],
)
def test_a_refused_address_is_told_to_the_caller(pool, shared, peer, told):
    for secret in shared.developer_secret, "zdk_wrong":
        answer = send(pool, shared.body(developer_secret=secret), remote_addr=peer)
        assert answer.code == "IP_NOT_WHITELISTED"
        assert answer.header("X-Client-Address") == told


def test_the_address_is_the_one_behind_a_trusted_proxy(start):
    service = start({"trusted_proxies": "127.0.0.0/8", "workers": 1})
    headers = {"X-Forwarded-For": "203.0.113.9, 192.0.2.9"}
    answer = send(service, service.site.world().body(), headers=headers)
    assert answer.header("X-Client-Address") == "192.0.2.9"


@pytest.mark.parametrize("changes", [{}, {"api_key": ""}, {"note": ""}, {"contact_id": "none"}])
def test_other_answers_do_not_tell_an_address(pool, shared, changes):
    assert send(pool, shared.body(**changes)).header("X-Client-Address") is None


def test_an_address_that_guesses_too_much_is_not_told(start):
    service = start({"credential_failures": "1/1h", "workers": 1})
    body = service.site.world().body()
    first, second = (send(service, body, **STRANGER) for _ in range(2))
    assert (first.code, first.header("X-Client-Address")) == ("IP_NOT_WHITELISTED", "192.0.2.1")
    assert (second.code, second.header("X-Client-Address")) == ("RATE_LIMITED", None)
