"""
Random bodies for every call of docs/openapi.json: the service refuses one for its form when, and
only when, the document does not allow it. support.openapi compares each answer.
"""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support import openapi
from support.fastcgi import http_params
from support.raw import as_answer
from support.schemas import ANYTHING, Schemas

CALLS = [path for path, item in openapi.document()["paths"].items() if "post" in item]
FORM = {"INVALID_JSON", "MISSING_FIELDS", "INVALID_FIELDS"}
# What has such a code, but depends on what is stored.
STORED = {"Missing contact name", "Missing entity name"}
# A missing or wrong credential ends the checks before the fields are looked at.
CREDENTIALS = {"api_key", "developer_secret"}

EXAMPLES, BODIES = 128, 16  # of each call, and of each example, whose bodies are sent at once


@pytest.fixture(scope="module")
def known(pool, shared):
    """What exists, by the names of members."""
    note = json.loads(pool.call(shared.body(note="x")).body)["data"]["note_id"]
    return {
        "api_key": [shared.api_key],
        "developer_secret": [shared.developer_secret],
        "org_id": [shared.org],
        "member_id": [shared.member],
        "contact_id": [shared.contact, shared.second_contact],
        "note_id": [note, ""],
        "notes_after": [note, ""],
        "contactId": [shared.contact, ""],
        "owner": [shared.member, ""],
        "search_string": [shared.contact, "World"],
    }


def request_of(path):
    operation = openapi.document()["paths"][path]["post"]
    return openapi.document()["components"]["schemas"][operation["operationId"] + "Request"]


def fits_limits(value, schema):
    """x-maxBytes, which JSON Schema does not know, of all members that are sent."""
    if isinstance(value, str) and not value.isspace():
        return len(value.encode()) <= schema.get("x-maxBytes", len(value.encode()))
    if isinstance(value, dict):
        properties = inside_of(schema).get("properties", {})
        return all(fits_limits(each, inside_of(properties[name])) for name, each in value.items() if name in properties)
    return True


def inside_of(schema):
    """Of a member that may be left out, what it is otherwise."""
    return schema["anyOf"][0] if "anyOf" in schema else schema


def changed(body, change):
    """The body with, mostly, one member that is something else."""
    name, how, value = change
    others = {each: one for each, one in body.items() if each != name}
    return body if name is None else others if how == "gone" else {**others, name: value}


def changes(schema):
    """Strategy of the changes above: of all members, and of those that have limits beyond them."""
    names = sorted(set(schema["properties"]) - CREDENTIALS)
    limits = {name: inside_of(schema["properties"][name]).get("x-maxBytes") for name in names}
    too_long = [(name, "", c * most) for name, most in limits.items() if most for c in "xé"]
    longest = [(name, "", c * (most // 2)) for name, most in limits.items() if most for c in "xé"]
    gone = [(name, "gone", None) for name in names]
    if not names:
        return st.just((None, "", None))
    anything = st.tuples(st.sampled_from(names), st.just(""), ANYTHING)
    return st.one_of(st.sampled_from([*gone, *too_long, *longest, (None, "", None)]), anything, anything)


def is_refused_for_its_form(answer, body):
    if answer.code not in FORM:
        return False
    messages = set(json.loads(answer.body)["data"])
    # any string is well-formed as a cursor, but few are one
    is_no_cursor = messages == {"Invalid notes_after"} and isinstance(body.get("notes_after"), str)
    return not (messages <= STORED or is_no_cursor)


def at_once(connections, path, texts):
    for connection, text in zip(connections, texts, strict=True):
        connection.begin(keep=True)
        connection.params(http_params(text, path=path))
        connection.stdin(text)
    return [as_answer(connection.read_response()) for connection in connections]


@pytest.mark.parametrize("path", CALLS)
def test_exactly_what_the_document_allows_is_not_refused_for_its_form(pool, known, path):
    schema = request_of(path)
    # text that is no UUID is an id that nobody has
    allows = openapi.validator(schema, openapi.document(), formats=False).is_valid
    credentials = {name: known[name][0] for name in CREDENTIALS if name in schema["properties"]}
    bodies = Schemas(openapi.document(), known).values(schema)
    seen = {True: 0, False: 0}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # to shrink a body would take minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(bodies, min_size=BODIES // 2, max_size=BODIES // 2),
        st.lists(st.tuples(bodies, changes(schema)), min_size=BODIES // 2, max_size=BODIES // 2),
        st.booleans(),
    )
    def check(allowed, others, ascii_only):
        for body in allowed:
            assert allows(body) and fits_limits(body, schema)
        sent = [{**body, **credentials} for body in [*allowed, *(changed(*other) for other in others)]]
        texts = [json.dumps(body, ensure_ascii=ascii_only).encode() for body in sent]
        for body, answer in zip(sent, at_once(connections, path, texts), strict=True):
            fits = allows(body) and fits_limits(body, schema)
            assert is_refused_for_its_form(answer, body) != fits, (body, answer.code, answer.body)
            seen[fits] += 1

    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(pool.connect(timeout=60)) for _ in range(BODIES)]
        check()
    has_fields = set(schema["properties"]) > CREDENTIALS
    assert sum(seen.values()) >= 2000 and (seen[False] >= 100 or not has_fields), seen
