"""What the log says that the answer does not: what a request was about, and why it was refused."""

import itertools
import sqlite3

import pytest

from support.answers import assert_success, note_id_of
from support.fastcgi import http_params
from support.ids import unknown_id
from support.raw import send
from support.service import Service
from support.site import ABSENT, Site, encode

OPTIONS = {"workers": 2, "credential_failures": "off", "contact_failures": "off"}

numbers = itertools.count()


@pytest.fixture(scope="module", params=[False, True], ids=["pool", "single"])
def service(request):
    with Site(options=OPTIONS) as site, Service(site, single=request.param) as running:
        yield running


@pytest.fixture
def world(service):
    """A fresh one, for tests that take rights away."""
    return service.site.world()


@pytest.fixture(scope="module")
def shared(service):
    return service.site.world("Shared")


def logged(service, body, code, **http):
    """The line of a request that is answered with this code."""
    name = f"reason.{next(numbers)}"
    data = body if isinstance(body, bytes) else encode(body)
    answer = send(service, data, headers={"X-Request-Id": name, **http.pop("headers", {})}, **http)
    assert answer.code == code
    line = service.wait_for_event("request", request_id=name)
    assert line["code"] == (code or "OK")
    return line


def remember(service, world, remembered):
    """A caller that was just accepted is judged by the writer, others by the worker."""
    if remembered:
        assert send(service, world.body()).code is None


# What it was about.

IDS = ["org_id", "apikey_id", "devkey_id", "member_id", "contact_id", "note_id", "given_org_id"]


def ids_of(line):
    return {name: line[name] for name in IDS if name in line}


def test_a_note_that_is_created_and_one_that_is_updated_are_named(service, shared):
    known = {
        "org_id": shared.org,
        "apikey_id": shared.apikey_id,
        "devkey_id": shared.devkey_id,
        "member_id": shared.member,
        "contact_id": shared.contact,
    }
    note = note_id_of(send(service, shared.body()))
    line = logged(service, shared.body(note_id=note.upper()), None)
    assert ids_of(line) == {**known, "note_id": note}
    line = logged(service, shared.body(), None)
    assert ids_of(line) == {**known, "note_id": service.site.notes(shared.contact)[-1]["note_id"]}


def test_a_note_that_was_stored_before_is_named_again(service, shared):
    headers = {"Idempotency-Key": "reasons"}
    first = logged(service, shared.body(), None, headers=headers)
    assert logged(service, shared.body(), None, headers=headers)["note_id"] == first["note_id"]


def test_a_refused_request_names_what_it_asked_for(service, shared):
    note, contact = unknown_id(), unknown_id()
    line = logged(service, shared.body(contact_id=contact, note_id=note), "NOT_FOUND")
    assert (line["contact_id"], line["note_id"], line["member_id"]) == (contact, note, shared.member)


def test_ids_are_logged_only_where_they_are_ids(service, shared):
    line = logged(service, shared.body(contact_id="zak_canary", member_id=7, note_id=["x"]), "INVALID_FIELDS")
    assert not {"contact_id", "member_id", "note_id"} & line.keys()
    line = logged(service, shared.body(contact_id="zak_canary"), "NOT_FOUND")
    assert "contact_id" not in line
    assert "canary" not in service.log_text()


def test_the_organization_is_that_of_the_key_and_another_one_has_another_name(service, shared):
    other = unknown_id()
    line = logged(service, shared.body(org_id=other), "WRONG_ORG")
    assert (line["org_id"], line["given_org_id"]) == (shared.org, other)
    line = logged(service, shared.body(org_id=shared.org.upper()), None)
    assert line["org_id"] == shared.org and "given_org_id" not in line
    line = logged(service, shared.body(api_key="x" * 20, developer_secret=ABSENT), "INVALID_API_KEY")
    assert ids_of(line) == {
        "given_org_id": shared.org,
        "member_id": shared.member,
        "contact_id": shared.contact,
    }


def test_a_success_has_no_reason(service, shared):
    assert not {"reason", "json_offset", "fields"} & logged(service, shared.body(), None).keys()


# Credentials.


def change(service, sql, *values):
    connection = sqlite3.connect(service.site.database, timeout=20)
    with connection:
        connection.execute(sql, values)
    connection.close()


def revoke_devkeys(service, world):
    service.site.ctl("devkey", "revoke", world.devkey_id)


def expire_devkey(service, world):
    change(service, "UPDATE developer_keys SET expires_at = 1 WHERE hex(developer_key_id) = ?",
           world.devkey_id.replace("-", "").upper())  # fmt: skip


def add_devkey(service, world):
    service.site.issue_devkey(world.org, "127.0.0.1")


CREDENTIALS = {
    "key_revoked": (
        "INVALID_API_KEY",
        lambda service, world: service.site.ctl("apikey", "revoke", world.apikey_id),
    ),
    "key_rotated": (
        "INVALID_API_KEY",
        lambda service, world: service.site.ctl("apikey", "rotate", world.apikey_id, "--grace", "0"),
    ),
    "member_deactivated": (
        "INVALID_API_KEY",
        lambda service, world: service.site.ctl("member", "deactivate", world.member),
    ),
    "developer_key_revoked": (
        "INVALID_DEVELOPER_SECRET",
        lambda service, world: (add_devkey(service, world), revoke_devkeys(service, world)),
    ),
    "developer_key_expired": (
        "INVALID_DEVELOPER_SECRET",
        lambda service, world: (add_devkey(service, world), expire_devkey(service, world)),
    ),
    "developer_key_rotated": (
        "INVALID_DEVELOPER_SECRET",
        lambda service, world: service.site.ctl("devkey", "rotate", world.devkey_id, "--grace", "0"),
    ),
    "organization_keys_revoked": ("IP_NOT_WHITELISTED", revoke_devkeys),
    "address_outside": (
        "IP_NOT_WHITELISTED",
        lambda service, world: service.site.ctl("allow", "remove", world.devkey_id, "127.0.0.1"),
    ),
}


@pytest.mark.parametrize("remembered", [False, True], ids=["worker", "writer"])
@pytest.mark.parametrize("reason", CREDENTIALS)
def test_a_right_that_was_taken_away_is_told(service, world, remembered, reason):
    code, take_away = CREDENTIALS[reason]
    remember(service, world, remembered)
    take_away(service, world)
    line = logged(service, world.body(), code)
    assert line["reason"] == reason
    assert ids_of(line)["apikey_id"] == world.apikey_id
    assert ids_of(line)["org_id"] == world.org
    assert ids_of(line)["devkey_id"] == world.devkey_id


def test_a_former_key_of_a_revoked_one_is_revoked(service, world):
    service.site.ctl("apikey", "rotate", world.apikey_id, "--grace", "1h")
    assert logged(service, world.body(), None)["apikey_id"] == world.apikey_id
    service.site.ctl("apikey", "revoke", world.apikey_id)
    assert logged(service, world.body(), "INVALID_API_KEY")["reason"] == "key_revoked"


@pytest.mark.parametrize(
    "changes, http, code, reason",
    [
        ({"api_key": "x" * 47}, {}, "INVALID_API_KEY", "key_unknown"),
        ({"api_key": 7}, {}, "INVALID_API_KEY", "key_unknown"),
        ({"developer_secret": "x" * 47}, {}, "INVALID_DEVELOPER_SECRET", "developer_key_unknown"),
        ({}, {"remote_addr": "192.0.2.1"}, "IP_NOT_WHITELISTED", "address_outside"),
        ({}, {"remote_addr": "unix:"}, "IP_NOT_WHITELISTED", "address_unknown"),
        (
            {"developer_secret": "x" * 47},
            {"remote_addr": "192.0.2.1"},
            "IP_NOT_WHITELISTED",
            "address_outside_organization",
        ),
        ({"api_key": ""}, {}, "MISSING_API_KEY", None),
        ({"developer_secret": None}, {}, "MISSING_DEVELOPER_SECRET", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_credentials_that_are_wrong_are_told_apart(service, shared, changes, http, code, reason):
    line = logged(service, shared.body(**changes), code, **http)
    assert line.get("reason") == reason


def test_a_developer_key_of_another_organization(service, shared, world):
    body = shared.body(developer_secret=world.developer_secret)
    line = logged(service, body, "INVALID_DEVELOPER_SECRET")
    assert line["reason"] == "developer_key_of_another_organization"
    assert (line["org_id"], line["devkey_id"]) == (shared.org, world.devkey_id)


# Contact, member and note.


def private_note(service, world):
    """The contact gets another owner than the author of its private note."""
    note = note_id_of(send(service, world.body(note_visibility=0)))
    service.site.assign_contact(world.contact, world.second_member)
    return {"note_id": note, "member_id": world.second_member}


def deactivated_owner(service, world):
    service.site.ctl("member", "deactivate", world.second_member)
    return {"contact_id": world.second_contact, "member_id": world.second_member}


def note_of_another_contact(service, world):
    note = send(service, world.body(contact_id=world.second_contact, member_id=world.second_member))
    return {"note_id": note_id_of(note)}


def fields(**values):
    return lambda service, world: values


WRONG_FIELDS = {
    "contact_unknown": ("NOT_FOUND", fields(contact_id=unknown_id())),
    "contact_id_malformed": ("NOT_FOUND", fields(contact_id="x")),
    "org_id_not_of_the_key": ("WRONG_ORG", fields(org_id="x")),
    "not_owner": ("NOT_OWNER", lambda service, world: {"member_id": world.second_member}),
    "owner_deactivated": ("NOT_OWNER", deactivated_owner),
    "note_unknown": ("NOTE_NOT_FOUND", fields(note_id=unknown_id())),
    "note_id_malformed": ("NOTE_NOT_FOUND", fields(note_id="x")),
    "note_of_another_contact": ("NOTE_NOT_FOUND", note_of_another_contact),
    "note_private": ("NOTE_NOT_FOUND", private_note),
}


@pytest.mark.parametrize("remembered", [False, True], ids=["worker", "writer"])
@pytest.mark.parametrize("reason", WRONG_FIELDS)
def test_a_field_that_names_the_wrong_record_is_told(service, world, remembered, reason):
    code, prepare = WRONG_FIELDS[reason]
    changes = prepare(service, world)
    remember(service, world, remembered and reason != "note_private")
    assert logged(service, world.body(**changes), code)["reason"] == reason


@pytest.mark.parametrize("uniform", ["no", "yes"])
def test_the_log_tells_apart_what_uniform_errors_hide(start, uniform):
    service = start({**OPTIONS, "uniform_errors": uniform})
    own, foreign = service.site.world("Own"), service.site.world("Foreign")
    code = "NOT_FOUND" if uniform == "yes" else "WRONG_ORG"
    line = logged(service, own.body(contact_id=foreign.contact), code)
    assert line["reason"] == "contact_of_another_organization"
    line = logged(service, own.body(contact_id=unknown_id()), "NOT_FOUND")
    assert line["reason"] == "contact_unknown"


def test_an_error_that_is_hidden_keeps_its_reason(start):
    service = start({"workers": 1, "contact_failures": "1/1h", "rate_limit": "1/1h"})
    world = service.site.world()
    assert logged(service, world.body(contact_id="x"), "NOT_FOUND")["reason"] == "contact_id_malformed"
    hidden = logged(service, world.body(contact_id=unknown_id()), "RATE_LIMITED")
    assert (hidden["instead_of"], hidden["reason"]) == ("NOT_FOUND", "contact_unknown")
    assert logged(service, world.body(), None)["http_status"] == 200
    limited = logged(service, world.body(), "RATE_LIMITED")
    assert limited["reason"] == "quota_used_up" and "instead_of" not in limited


# Fields and bodies.


@pytest.mark.parametrize(
    "changes, code, reason",
    [
        ({"note": " \u3000"}, "MISSING_FIELDS", "note_blank"),
        ({"note": ""}, "MISSING_FIELDS", "note_absent"),
        ({"org_id": None, "note": "\n"}, "MISSING_FIELDS", "org_id_absent,note_blank"),
        ({"note": "a\0b"}, "INVALID_FIELDS", "note_nul"),
        ({"note": "x" * 65537}, "INVALID_FIELDS", "note_too_long"),
        ({"note": 1}, "INVALID_FIELDS", "note_no_string"),
        ({"member_id": [], "note_editable": 2}, "INVALID_FIELDS", "member_id_no_string,note_editable_no_flag"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_that_is_wrong_is_told_with_what_is_wrong(service, shared, changes, code, reason):
    assert logged(service, shared.body(**changes), code)["reason"] == reason


@pytest.mark.parametrize(
    "body, reason, offset",
    [
        (b"", "json_syntax", 0),
        (b'{"a":1,}', "json_syntax", 7),
        (b'{"a":1} x', "json_syntax", 8),
        (b"{'a':1}", "json_syntax", 1),
        (b'{"a":"\xff"}', "json_not_utf8", 6),
        (b'{"a":1,"\\u0061":2}', "json_name_twice", 18),
        (b"[" * 17, "json_too_deep", 17),
        (b"[" + b"0," * 20000 + b"0]", "json_too_large", 32767),
        (b"[1]", "json_no_object", None),
    ],
    ids=range(9),
)
def test_a_body_that_is_no_json_is_told_with_the_byte(service, body, reason, offset):
    line = logged(service, body, "INVALID_JSON")
    assert (line["reason"], line.get("json_offset")) == (reason, offset)


def test_a_body_that_is_cut_off(service):
    line = logged(service, b"{}", "INVALID_JSON", CONTENT_LENGTH="1")
    assert line["reason"] == "body_incomplete" and "json_offset" not in line


@pytest.mark.parametrize(
    "key, reason",
    [("", "empty"), ("x" * 256, "too_long"), ("a\x7f", "not_printable"), ("ü", "not_printable")],
)
def test_an_idempotency_key_that_is_wrong_is_told_with_what_is_wrong(service, shared, key, reason):
    line = logged(service, shared.body(), "INVALID_IDEMPOTENCY_KEY", headers={"Idempotency-Key": key})
    assert line["reason"] == f"idempotency_key_{reason}"


def test_two_idempotency_keys_are_told(service, shared):
    name = f"reason.{next(numbers)}"
    body = encode(shared.body())
    params = [*http_params(body, headers={"X-Request-Id": name}).items(), *[("HTTP_IDEMPOTENCY_KEY", "k")] * 2]
    with service.connect() as connection:
        connection.request(params, body)
    assert service.wait_for_event("request", request_id=name)["reason"] == "idempotency_key_twice"
