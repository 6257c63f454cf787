"""Every error that a call says it can give (by {"help":true}) is provoked, to the byte."""

import contextlib
import errno
import json
import re

import pytest

from support.answers import error_body
from support.family import writer_of
from support.fastcgi import Closed
from support.paths import CALL_PATH, SOURCE
from support.service import Service
from support.site import ABSENT, encode
from support.wait import wait_for

SITE_OPTIONS = {"workers": 1, "max_body_bytes": 4096, "max_note_bytes": 1000}
STRANGER = "10.1.2.3"
UNKNOWN = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"
PATHS = sorted(
    path
    for file in (SOURCE / "app" / "api").glob("*.c")
    for path in re.findall(r'\.path = "(/apis/[^"]*)"', file.read_text())
)


class Bench:
    """A service with an organization, and the notes that some errors are about."""

    def __init__(self, service, faults):
        self.service, self.faults = service, faults
        self.site = service.site
        self.world = self.site.world()
        self.other = self.site.world("Other")
        self.private = self.add_note_of_former_owner(0)
        self.visible = self.add_note_of_former_owner(1)

    def add_note_of_former_owner(self, visibility):
        w = self.world
        self.site.assign_contact(w.contact, w.second_member)
        answer = self.send(w.body(member_id=w.second_member, note_visibility=visibility))
        self.site.assign_contact(w.contact, w.member)
        return json.loads(answer.body)["data"]["note_id"]

    def send(self, body, **http):
        return self.service.request(body if isinstance(body, bytes) else encode(body), **http)

    def note(self, **changes):
        return self.send(self.world.body(**changes))



def mismatch(bench):
    headers = {"Idempotency-Key": "every-error"}
    bench.send(bench.world.body(note="first"), headers=headers)
    yield bench.send(bench.world.body(note="second"), headers=headers)


def rate_limited(bench):
    bench.site.configure(credential_failures="1/1h")
    bench.service.signal(1)
    bench.service.wait_for_event("reloaded")
    bench.note(api_key="zak_wrong")
    yield bench.note(api_key="zak_wrong")


def unavailable(bench):
    away = bench.site.database.with_suffix(".away")
    bench.site.database.rename(away)
    try:
        yield bench.note()
    finally:
        away.rename(bench.site.database)
        wait_for(lambda: bench.note().status == 200, "notes again")


def unknown_outcome(bench):
    wait_for(lambda: bench.note().status == 200, "a writer that has opened the database")
    bench.faults.fail("sync", files="wal", error=errno.EIO, pid=writer_of(bench.service))
    try:
        yield bench.note()
    finally:
        bench.faults.clear()
        wait_for(lambda: bench.note().status == 200, "the next writer")


def internal(bench):
    """Most allocations of this request are those of the JSON library for its members."""
    many = {f"m{n}": n for n in range(200)}
    for after in range(150, 170):
        wait_for(lambda: bench.note().status == 200, "a worker")
        workers = set(bench.service.workers()) - {writer_of(bench.service)}
        bench.faults.fail("malloc", error=errno.ENOMEM, after=after, pid=min(workers))
        with contextlib.suppress(Closed):
            yield bench.note(**many)
        bench.faults.clear()


PROVOKED = {
    "METHOD_NOT_ALLOWED": lambda b: [b.send(b"", method="PUT")],
    "INVALID_IDEMPOTENCY_KEY": lambda b: [b.send(b.world.body(), headers={"Idempotency-Key": "é"})],
    "BODY_TOO_LARGE": lambda b: [b.send(b" " * 5000)],
    "UNSUPPORTED_ENCODING": lambda b: [b.send(b.world.body(), headers={"Content-Encoding": "gzip"})],
    "Request body is not valid JSON": lambda b: [b.send(b"{")],
    "Request body must be a JSON object": lambda b: [b.send(b"[]")],
    "MISSING_API_KEY": lambda b: [b.note(api_key="")],
    "INVALID_API_KEY": lambda b: [b.note(api_key="zak_unknown")],
    "IP_NOT_WHITELISTED": lambda b: [b.send(b.world.body(), remote_addr=STRANGER)],
    "MISSING_DEVELOPER_SECRET": lambda b: [b.note(developer_secret=None)],
    "INVALID_DEVELOPER_SECRET": lambda b: [b.note(developer_secret="zdk_unknown")],
    "Missing org ID": lambda b: [b.note(org_id=ABSENT)],
    "Missing member ID": lambda b: [b.note(member_id=None)],
    "Missing contact ID": lambda b: [b.note(contact_id="")],
    "Missing note": lambda b: [b.note(note="  ")],
    "Invalid org ID": lambda b: [b.note(org_id=1)],
    "Invalid member ID": lambda b: [b.note(member_id=[])],
    "Invalid contact ID": lambda b: [b.note(contact_id=True)],
    "Invalid note": lambda b: [b.note(note="x" * 1001)],
    "Invalid note ID": lambda b: [b.note(note_id={})],
    "Invalid note_visibility": lambda b: [b.note(note_visibility=2)],
    "Invalid note_editable": lambda b: [b.note(note_editable="yes")],
    "IDEMPOTENCY_MISMATCH": mismatch,
    "NOT_FOUND": lambda b: [b.note(contact_id=UNKNOWN)],
    "WRONG_ORG": lambda b: [b.note(contact_id=b.other.contact)],
    "NOT_OWNER": lambda b: [b.note(member_id=b.world.second_member)],
    "NOTE_NOT_FOUND": lambda b: [b.note(note_id=b.private)],
    "NOTE_NOT_EDITABLE": lambda b: [b.note(note_id=b.visible)],
    "UNAVAILABLE": unavailable,
    "OUTCOME_UNKNOWN": unknown_outcome,
    "INTERNAL": internal,
    "RATE_LIMITED": rate_limited,
}


def promised_errors(service, path):
    answer = service.request(encode({"help": True}), path=path)
    assert answer.status == 200
    return json.loads(answer.body)["data"]["errors"]


@pytest.mark.parametrize("path", PATHS)
def test_every_error_of_a_call_is_provoked(path, site, faults):
    assert path == CALL_PATH, "provoke the errors of this call, too"
    with Service(site, env=faults.environment) as service:
        bench = Bench(service, faults)
        errors = promised_errors(service, path)
        # what changes the settings comes last
        for error in sorted(errors, key=lambda e: e["code"] == "RATE_LIMITED"):
            provoke = PROVOKED.get(error["message"]) or PROVOKED[error["code"]]
            answers = provoke(bench)
            found = next((a for a in answers if a.header("X-Error-Code") == error["code"]), None)
            if hasattr(answers, "close"):
                answers.close()
            assert found is not None, error
            assert (found.status, found.body) == (error["http_status"], error_body(error["message"]))
        known = {error["code"] for error in errors} | {error["message"] for error in errors}
        assert set(PROVOKED) <= known, "a provocation of an error that is not promised"
        assert all(error["resolution"].endswith(".") for error in errors)
