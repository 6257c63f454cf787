"""
Who sees a note, by each way out: its author always, other members what is visible to them.

A way is a row of WAYS; each new one that gives out notes needs a row, and no other change.
"""

import json

import pytest

from support.answers import assert_error
from support.calls import ADD, FETCH, IDENTIFIERS, LOOKUP, data_of, fetch_body, lookup_body
from support.paths import CALL_PATH
from support.site import encode

# The versions of each note: text and visibility. Others may see what is not "hush".
NOTES = {
    "private": [("private: hush", 0)],
    "visible": [("visible: for all", 1)],
    "opened": [("opened, before: hush", 0), ("opened, now: for all", 1)],
    "closed": [("closed, before: hush", 1), ("closed, now: hush", 0)],
}
HIDDEN = "hush"
VERSIONS = [text for versions in NOTES.values() for text, _ in versions]
PRESENT = [versions[-1][0] for versions in NOTES.values()]
OPEN = [text for text in VERSIONS if HIDDEN not in text]


class Stage:
    """An organization whose second member has written NOTES on the first member's contact."""

    def __init__(self, pool):
        self.pool, self.site = pool, pool.site
        self.world = self.site.world("Visibility")
        self.author, self.other = self.world.second_member, self.world.member
        self.site.assign_contact(self.world.contact, self.author)
        self.ids = {name: self.add(versions) for name, versions in NOTES.items()}
        self.site.assign_contact(self.world.contact, self.other)

    def add(self, versions):
        note = {}
        for text, visibility in versions:
            fields = {"member_id": self.author, "note_visibility": visibility, **note}
            answer = self.pool.call(self.world.body(note=text, **fields))
            note = {"note_id": data_of(answer)["note_id"]}
        return note["note_id"]

    def fetch(self, member, **fields):
        body = fetch_body(self.world, member_id=member, include_notes=1, **fields)
        return self.pool.call(body, path=FETCH).body.decode()

    def fetch_by_one(self, member):
        """All pages of one note each, or the error."""
        pages = [self.fetch(member, notes_limit=1)]
        while '"notes_next":"' in pages[-1]:
            after = {"notes_after": json.loads(pages[-1])["data"]["notes_next"]}
            pages.append(self.fetch(member, notes_limit=1, **after))
        return "\n".join(pages)

    def look_up(self, _member):
        body = lookup_body(self.world, "Visibility contact")
        return self.pool.call(body, path=LOOKUP).body.decode()

    def ctl(self, *words):
        done = self.site.ctl_raw("--json", *words)
        return done.stdout + done.stderr

    def list(self, member):
        return self.ctl("note", "list", "--contact", self.world.contact, "--member", member)

    def of_each(self, verb, member):
        return "".join(self.ctl("note", verb, id_, "--member", member) for id_ in self.ids.values())

    def show(self, member):
        return self.of_each("show", member)

    def history(self, member):
        return self.of_each("history", member)

    def find(self, member):
        return self.ctl("note", "find", "--contact", self.world.contact, "--member", member)

    def export(self, member):
        return self.ctl("note", "export", "--contact", self.world.contact, "--member", member)


# By its name: how a member reads, and what the author gets so.
WAYS = {
    "fetchContact": (Stage.fetch, PRESENT),
    "fetchContact in pages": (Stage.fetch_by_one, PRESENT),
    "lookupContact, which knows no member": (Stage.look_up, OPEN),
    "note list": (Stage.list, PRESENT),
    "note show": (Stage.show, PRESENT),
    "note history": (Stage.history, VERSIONS),
    "note find": (Stage.find, PRESENT),
    "note export": (Stage.export, VERSIONS),
}


@pytest.fixture(scope="module")
def stage(pool):
    return Stage(pool)


def shown(answer):
    return {text for text in VERSIONS if text in answer}


@pytest.mark.parametrize("way", WAYS)
def test_others_see_what_is_visible_to_them(stage, way):
    read, _ = WAYS[way]
    answer = read(stage, stage.other)
    assert HIDDEN not in answer and shown(answer) == set(OPEN)


@pytest.mark.parametrize("way", WAYS)
def test_the_author_sees_everything(stage, way):
    read, expected = WAYS[way]
    assert shown(read(stage, stage.author)) == set(expected)


@pytest.mark.parametrize("way", WAYS)
def test_a_member_of_another_organization_sees_what_others_see_at_most(stage, way):
    read, _ = WAYS[way]
    assert HIDDEN not in read(stage, stage.site.world("Elsewhere").member)


def test_nothing_of_a_hidden_note_is_in_an_error(stage):
    for name in ("private", "closed"):
        body = stage.world.body(note="mine", note_id=stage.ids[name])
        assert_error(stage.pool.call(body), "NOTE_NOT_FOUND", "Note does not exist")
    bad = stage.fetch(stage.other, notes_after="no note", include_entity=7)
    assert '"error"' in bad and HIDDEN not in bad


@pytest.mark.parametrize("path", [CALL_PATH, FETCH, LOOKUP, ADD, IDENTIFIERS])
def test_help_shows_no_note(stage, path):
    answer = stage.pool.request(encode({"help": True}), path=path)
    assert answer.status == 200 and not shown(answer.body.decode())


def test_no_note_is_in_the_log_or_in_the_audit(stage):
    for read, _ in WAYS.values():
        for member in (stage.author, stage.other):
            read(stage, member)
    audit = stage.ctl("audit", "list", "--org", stage.world.org)
    assert stage.world.contact in audit  # of its new owners, so there is something to look at
    log = stage.pool.log_text()
    assert stage.ids["visible"] in log
    assert not shown(log) and not shown(audit) and HIDDEN not in log + audit
