"""docs/api.md lists the errors that the calls say they can give, by {"help":true}."""

import re
from itertools import groupby

import pytest

from support.calls import ADD, FETCH, IDENTIFIERS, LOOKUP, data_of
from support.paths import CALL_PATH, SOURCE
from support.service import Service
from support.site import Site

CALLS = [CALL_PATH, FETCH, LOOKUP, ADD, IDENTIFIERS]
FAULTS = ["UNAVAILABLE", "OUTCOME_UNKNOWN", "INTERNAL"]  # no checks, so they come last

# Of errors that are not of the kind that the published API answers with 200.
STATUS = {
    "INVALID_IDEMPOTENCY_KEY": 400,
    "INVALID_JSON": 400,
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_ENCODING": 415,
    "RATE_LIMITED": 429,
    "IDEMPOTENCY_MISMATCH": 422,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "OUTCOME_UNKNOWN": 503,
}

STRICT_STATUS = {
    "MISSING_API_KEY": 401,
    "INVALID_API_KEY": 401,
    "IP_NOT_WHITELISTED": 403,
    "MISSING_DEVELOPER_SECRET": 401,
    "INVALID_DEVELOPER_SECRET": 401,
    "MISSING_FIELDS": 400,
    "INVALID_FIELDS": 400,
    "MEMBER_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "WRONG_ORG": 403,
    "NOT_OWNER": 403,
    "NOTE_NOT_FOUND": 404,
    "NOTE_NOT_EDITABLE": 403,
    "CONTACT_EXISTS": 409,
    "CONTACT_AMBIGUOUS": 409,
}

# By their numbers in docs/api.md.
CHECKS = [
    "MISSING_API_KEY",
    "INVALID_API_KEY",
    "IP_NOT_WHITELISTED",
    "MISSING_DEVELOPER_SECRET",
    "INVALID_DEVELOPER_SECRET",
    "IP_NOT_WHITELISTED",
    "MISSING_FIELDS",
    "INVALID_FIELDS",
    "NOT_FOUND",
    "WRONG_ORG",
    "NOT_OWNER",
    "NOTE_NOT_FOUND",
    "NOTE_NOT_EDITABLE",
]

TRANSPORT = [
    *("METHOD_NOT_ALLOWED", "INVALID_IDEMPOTENCY_KEY", "BODY_TOO_LARGE"),
    *("UNSUPPORTED_ENCODING", "INVALID_JSON"),
]
ORDER = [
    *TRANSPORT,
    *CHECKS[:5],  # the sixth has the code of the third
    *("RATE_LIMITED", "MISSING_FIELDS", "INVALID_FIELDS", "IDEMPOTENCY_MISMATCH"),
]
# Of fetchIdentifiers, which needs no API key and has no fields.
ORDER_OF_SECRETS = [*TRANSPORT, *CHECKS[3:6], "RATE_LIMITED"]
ONLY_OF_WRITERS = {"INVALID_IDEMPOTENCY_KEY", "IDEMPOTENCY_MISMATCH"}


def errors_of_all(options):
    """By path: what a service with these options says that the call can answer."""
    with Site(options=options) as site, Service(site) as service:
        return {path: data_of(service.call({"help": True}, path=path))["errors"] for path in CALLS}


@pytest.fixture(scope="module")
def promised():
    return errors_of_all({})


@pytest.fixture(scope="module")
def strict():
    return errors_of_all({"http_status": "strict"})


@pytest.fixture(scope="module")
def api():
    return (SOURCE / "docs/api.md").read_text()


def rows(text, first_cell):
    """The cells of those table rows whose first cell matches, without backticks."""
    tables = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("`", "") for cell in row] for row in tables]
    return [row for row in cells if re.fullmatch(first_cell, row[0])]


def each(errors):
    return [error for listed in errors.values() for error in listed]


def codes(errors):
    """In their order, several messages of one check as one."""
    return [code for code, _ in groupby(error["code"] for error in errors)]


def listed_errors(api):
    """By code: the status, and the messages of all calls."""
    listed = {}
    for code, status, messages, _ in rows(api, "[A-Z_]{4,}"):
        known = listed.setdefault(code, (int(status), []))
        assert known[0] == int(status)
        known[1].extend(messages.split(", "))
    return listed


def test_every_error_has_its_status(promised, strict):
    for error in each(promised):
        assert error["http_status"] == STATUS.get(error["code"], 200), error
    for error in each(strict):
        assert error["http_status"] == {**STATUS, **STRICT_STATUS}[error["code"]], error
    assert {error["code"] for error in each(promised)} == {*STATUS, *STRICT_STATUS}


def test_api_lists_every_error_with_its_status_and_messages(api, promised):
    known = {"UNKNOWN_ENDPOINT": (404, {"Not found"})}
    for error in each(promised):
        known.setdefault(error["code"], (error["http_status"], set()))[1].add(error["message"])
    listed = listed_errors(api)
    for code, (_, messages) in listed.items():
        assert len(messages) == len(set(messages)), f"{code} has a message twice"
    assert {code: (status, set(texts)) for code, (status, texts) in listed.items()} == known


def test_api_lists_every_error_whose_status_changes(api):
    listed = [
        (code, int(row[1]))
        for row in rows(api, "fields|keys|rights|what is named|what is there")
        for code in row[2].split(", ")
    ]
    assert dict(listed) == STRICT_STATUS and len(listed) == len(STRICT_STATUS)


def test_the_numbered_checks_stand_in_their_order(api):
    listed = [(int(row[0]), row[-1]) for row in rows(api, "[0-9]+")]
    assert listed == list(enumerate(CHECKS, 1))


def test_the_checks_of_the_first_call_are_those_of_the_table(api, promised):
    listed = list(dict.fromkeys(row[-1] for row in rows(api, "[0-9]+|–")))
    assert ["UNKNOWN_ENDPOINT", *codes(promised[CALL_PATH])] == listed + FAULTS


def own_checks(errors):
    """The codes behind the checks that all calls have."""
    found = codes(errors)
    own = found[found.index("INVALID_FIELDS") + 1 : found.index("UNAVAILABLE")]
    return own[1:] if own[0] == "IDEMPOTENCY_MISMATCH" else own


@pytest.mark.parametrize("path", [FETCH, LOOKUP, ADD])
def test_the_own_checks_of_a_call_stand_in_their_order(api, promised, path):
    (row,) = rows(api, path.rpartition("/")[2])
    assert re.findall(r"\b[A-Z_]{6,}\b", row[1]) == own_checks(promised[path])


@pytest.mark.parametrize("path", CALLS)
def test_checks_of_all_calls_have_one_order(promised, path):
    order = ORDER_OF_SECRETS if path == IDENTIFIERS else ORDER
    left_out = set() if path in (CALL_PATH, ADD) else ONLY_OF_WRITERS
    order = [code for code in order if code not in left_out]
    assert codes(promised[path])[: len(order)] == order


def test_every_error_but_faults_has_its_place_among_the_checks(api):
    placed = {row[-1] for row in rows(api, "[0-9]+|–")}
    for row in rows(api, "fetchContact|lookupContact|addContactsFull"):
        placed |= set(re.findall(r"\b[A-Z_]{6,}\b", row[1]))
    assert placed == {"UNKNOWN_ENDPOINT", *STATUS, *STRICT_STATUS} - set(FAULTS)
