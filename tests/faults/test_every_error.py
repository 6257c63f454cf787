"""Every error that a call says it can give (by {"help":true}) is provoked, to the byte."""

import contextlib
import errno
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from support.answers import error_body
from support.calls import ADD, FETCH, IDENTIFIERS, LOOKUP, add_body, fetch_body, lookup_body
from support.family import reload_all, writer_of
from support.fastcgi import Closed
from support.paths import CALL_PATH, SOURCE
from support.service import Service
from support.site import encode
from support.wait import wait_for

SITE_OPTIONS = {"workers": 1, "max_body_bytes": 4096, "max_note_bytes": 1000}
STRANGER = "10.1.2.3"
UNKNOWN = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"
CONTROL = "a\x01"  # no text of a contact or company may have it
PATHS = sorted(
    path
    for file in (SOURCE / "app" / "api").glob("*.c")
    for path in re.findall(r'\.method = "POST",\s*\.path = "(/apis/[^"]*)"', file.read_text())
)


class Bench:
    """A service with two organizations, one call, and the notes that some errors are about."""

    def __init__(self, service, faults, path):
        self.service, self.faults, self.path = service, faults, path
        self.site = service.site
        self.world = self.site.world()
        self.other = self.site.world("Other")
        self.private = self.add_note_of_former_owner(0)
        self.visible = self.add_note_of_former_owner(1)

    def add_note_of_former_owner(self, visibility):
        w = self.world
        self.site.assign_contact(w.contact, w.second_member)
        body = w.body(member_id=w.second_member, note_visibility=visibility)
        answer = self.send(body, path=CALL_PATH)
        self.site.assign_contact(w.contact, w.member)
        return json.loads(answer.body)["data"]["note_id"]

    def send(self, body, **http):
        http = {"path": self.path, **http}
        return self.service.request(body if isinstance(body, bytes) else encode(body), **http)

    def good(self, **changes):
        """The body of a request that is in order, but for the changes."""
        return CALLS[self.path].body(self.world, **changes)

    def call(self, **changes):
        return self.send(self.good(**changes))

    def contact(self, **members):
        """Of a call that writes a contact: one that is in order, but for these members."""
        return self.call(contact={"name": "Grace", **members})

    def entity(self, **members):
        return self.call(entity={"name": "Navy", **members})


def identifiers_body(world, **changes):
    return {"developer_secret": world.developer_secret, **changes}


def twins(bench):
    twin = ("--email", "twin@example.org")
    for _ in range(2):
        bench.site.add_contact(bench.world.org, bench.world.member, "Twin", *twin)
    yield bench.call(contact={"primaryEmail": twin[1]})


def existing(bench):
    contact = {"primaryEmail": "once@example.org"}
    assert bench.call(contact=contact).header("X-Error-Code") is None
    yield bench.call(contact=contact, mode="insert")


def mismatch(bench):
    headers = {"Idempotency-Key": "every-error"}
    first, second = CALLS[bench.path].different
    bench.send(bench.good(**first), headers=headers)
    yield bench.send(bench.good(**second), headers=headers)


def rate_limited(bench):
    bench.site.configure(credential_failures="1/1h")
    reload_all(bench.service)
    bench.call(developer_secret="zdk_wrong")
    yield bench.call(developer_secret="zdk_wrong")


def is_good(bench):
    return bench.call().header("X-Error-Code") is None


def unavailable(bench):
    away = bench.site.database.with_suffix(".away")
    bench.site.database.rename(away)
    try:
        yield wait_for(lambda: not is_good(bench) and bench.call(), "an error")
    finally:
        away.rename(bench.site.database)
        wait_for(lambda: is_good(bench), "good answers again")


def unknown_outcome(bench):
    wait_for(lambda: is_good(bench), "a writer that has opened the database")
    bench.faults.fail("sync", files="wal", error=errno.EIO, pid=writer_of(bench.service))
    try:
        yield bench.call()
    finally:
        bench.faults.clear()
        wait_for(lambda: is_good(bench), "the next writer")


def internal(bench):
    """Most allocations of this request are those of the JSON library for its members."""
    many = {f"m{n}": n for n in range(200)}
    for after in range(150, 170):
        wait_for(lambda: is_good(bench), "a worker")
        workers = set(bench.service.workers()) - {writer_of(bench.service)}
        bench.faults.fail("malloc", error=errno.ENOMEM, after=after, pid=min(workers))
        with contextlib.suppress(Closed):
            yield bench.call(**many)
        bench.faults.clear()


# By message, else by code: how a call's error is provoked, where the call has no way of its own.
PROVOKED = {
    "METHOD_NOT_ALLOWED": lambda b: [b.send(b"", method="PUT")],
    "INVALID_IDEMPOTENCY_KEY": lambda b: [b.send(b.good(), headers={"Idempotency-Key": "é"})],
    "BODY_TOO_LARGE": lambda b: [b.send(b" " * 5000)],
    "UNSUPPORTED_ENCODING": lambda b: [b.send(b.good(), headers={"Content-Encoding": "gzip"})],
    "Request body is not valid JSON": lambda b: [b.send(b"{")],
    "Request body must be a JSON object": lambda b: [b.send(b"[]")],
    "MISSING_API_KEY": lambda b: [b.call(api_key="")],
    "INVALID_API_KEY": lambda b: [b.call(api_key="zak_unknown")],
    "IP_NOT_WHITELISTED": lambda b: [b.send(b.good(), remote_addr=STRANGER)],
    "MISSING_DEVELOPER_SECRET": lambda b: [b.call(developer_secret=None)],
    "INVALID_DEVELOPER_SECRET": lambda b: [b.call(developer_secret="zdk_unknown")],
    "Missing org ID": lambda b: [b.call(org_id=None)],
    "Missing member ID": lambda b: [b.call(member_id=None)],
    "Missing contact ID": lambda b: [b.call(contact_id="")],
    "Invalid org ID": lambda b: [b.call(org_id=1)],
    "Invalid member ID": lambda b: [b.call(member_id=[])],
    "Invalid contact ID": lambda b: [b.call(contact_id=True)],
    "MEMBER_NOT_FOUND": lambda b: [b.call(member_id=UNKNOWN)],
    "WRONG_ORG": lambda b: [b.call(org_id=b.other.org)],
    "IDEMPOTENCY_MISMATCH": mismatch,
    "UNAVAILABLE": unavailable,
    "OUTCOME_UNKNOWN": unknown_outcome,
    "INTERNAL": internal,
    "RATE_LIMITED": rate_limited,
}


@dataclass(frozen=True)
class Call:
    """body(world, **changes) is a request in order; provoked are the ways of this call alone."""

    body: Callable
    provoked: dict = field(default_factory=dict)
    different: tuple = ()  # the changes of two requests that are not the same


CALLS = {
    CALL_PATH: Call(
        body=lambda world, **changes: world.body(**changes),
        different=({"note": "first"}, {"note": "second"}),
        provoked={
            "Missing note": lambda b: [b.call(note="  ")],
            "Invalid note": lambda b: [b.call(note="x" * 1001)],
            "Invalid note ID": lambda b: [b.call(note_id={})],
            "Invalid note_visibility": lambda b: [b.call(note_visibility=2)],
            "Invalid note_editable": lambda b: [b.call(note_editable="yes")],
            "NOT_FOUND": lambda b: [b.call(contact_id=UNKNOWN)],
            "WRONG_ORG": lambda b: [b.call(contact_id=b.other.contact)],
            "NOT_OWNER": lambda b: [b.call(member_id=b.world.second_member)],
            "NOTE_NOT_FOUND": lambda b: [b.call(note_id=b.private)],
            "NOTE_NOT_EDITABLE": lambda b: [b.call(note_id=b.visible)],
        },
    ),
    FETCH: Call(
        body=fetch_body,
        provoked={
            "Invalid include_notes": lambda b: [b.call(include_notes=2)],
            "Invalid include_entity": lambda b: [b.call(include_entity="yes")],
            "Invalid include_profile": lambda b: [b.call(include_profile=[])],
            "Invalid include_signals": lambda b: [b.call(include_signals=-1)],
            "Invalid notes_limit": lambda b: [b.call(notes_limit=1001)],
            "Invalid notes_after": lambda b: [b.call(include_notes=1, notes_after=UNKNOWN)],
            "NOT_FOUND": lambda b: [b.call(contact_id=UNKNOWN)],
            "WRONG_ORG": lambda b: [b.call(contact_id=b.other.contact)],
        },
    ),
    LOOKUP: Call(
        body=lambda world, **changes: lookup_body(world, "World contact", **changes),
        provoked={
            "Missing search string": lambda b: [b.call(search_string=" ")],
            "Invalid search string": lambda b: [b.call(search_string="x" * 1000)],
            "NOT_FOUND": lambda b: [b.call(search_string="nobody has this name")],
        },
    ),
    ADD: Call(
        body=lambda world, **changes: {**add_body(world, {"name": "Grace"}), **changes},
        different=({"contact": {"name": "First"}}, {"contact": {"name": "Second"}}),
        provoked={
            "Missing contact": lambda b: [b.call(contact=None)],
            "Invalid contact": lambda b: [b.call(contact="Grace")],
            "Invalid contactId": lambda b: [b.contact(contactId=1)],
            "Invalid firstName": lambda b: [b.contact(firstName=CONTROL)],
            "Invalid lastName": lambda b: [b.contact(lastName="x" * 201)],
            "Invalid name": lambda b: [b.contact(name=True)],
            "Invalid roleLabel": lambda b: [b.contact(roleLabel=CONTROL)],
            "Invalid primaryEmail": lambda b: [b.contact(primaryEmail="nowhere")],
            "Invalid secondaryEmail": lambda b: [b.contact(secondaryEmail="@")],
            "Invalid primaryPhone": lambda b: [b.contact(primaryPhone="1" * 65)],
            "Invalid secondaryPhone": lambda b: [b.contact(secondaryPhone=CONTROL)],
            "Invalid owner": lambda b: [b.contact(owner=[])],
            "Invalid mode": lambda b: [b.call(mode="replace")],
            "Invalid lookup_by": lambda b: [b.call(lookup_by="name")],
            "Invalid skip_entity": lambda b: [b.call(skip_entity=2)],
            "Invalid debug": lambda b: [b.call(debug="loud")],
            "Invalid entity": lambda b: [b.call(entity="Navy")],
            "Invalid entity name": lambda b: [b.entity(name=CONTROL)],
            "Invalid entity website": lambda b: [b.entity(website="x" * 1000)],
            "NOT_FOUND": lambda b: [b.call(mode="update")],
            "CONTACT_EXISTS": existing,
            "CONTACT_AMBIGUOUS": twins,
            "Missing contact name": lambda b: [b.call(contact={"lastName": "Hopper"})],
            "Missing entity name": lambda b: [b.call(entity={"website": "https://example.org"})],
        },
    ),
    IDENTIFIERS: Call(body=identifiers_body),
}


def promised_errors(service, path):
    answer = service.request(encode({"help": True}), path=path)
    assert answer.status == 200
    return json.loads(answer.body)["data"]["errors"]


def names_of(errors):
    return {error["code"] for error in errors} | {error["message"] for error in errors}


def test_every_call_has_its_provocations():
    assert sorted(CALLS) == PATHS, "provoke the errors of this call, too"


@pytest.mark.parametrize("path", PATHS)
def test_every_error_of_a_call_is_provoked(path, site, faults):
    provoked = {**PROVOKED, **CALLS[path].provoked}
    with Service(site, env=faults.environment) as service:
        bench = Bench(service, faults, path)
        errors = promised_errors(service, path)
        # what changes the settings comes last
        for error in sorted(errors, key=lambda e: e["code"] == "RATE_LIMITED"):
            provoke = provoked.get(error["message"]) or provoked[error["code"]]
            answers = provoke(bench)
            found = next((a for a in answers if a.header("X-Error-Code") == error["code"]), None)
            if hasattr(answers, "close"):
                answers.close()
            assert found is not None, error
            assert (found.status, found.body) == (error["http_status"], error_body(error["message"]))
        unpromised = set(CALLS[path].provoked) - names_of(errors)
        assert not unpromised, "a provocation of an error that is not promised"
        assert all(error["resolution"].endswith(".") for error in errors)


def test_every_common_provocation_is_of_an_error_that_some_call_promises(service):
    known = set().union(*(names_of(promised_errors(service, path)) for path in PATHS))
    assert set(PROVOKED) <= known
