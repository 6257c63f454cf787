"""crmnotesctl note. Notes are put into the database by hand: the service writes them."""

import uuid

import pytest

from support.ids import unknown_id

NOTE = [
    "note_id",
    "contact_id",
    "note_author",
    "note_content",
    "note_editable",
    "note_visibility",
    "created_at",
    "updated_at",
    "origin",
]
ORIGIN = ["address", "country", "city", "network", "devkey_id", "request_id"]

def test_show_prints_the_note_and_its_origin(site, world, add_note):
    content = 'Zwei\nZeilen, "zitiert" / \\ \t und 😀'
    note_id = add_note(content, tags=("DE", "Berlin", "AS64500 Net"))
    note = site.note(note_id)
    assert list(note) == NOTE and list(note["origin"]) == ORIGIN
    assert note == {
        "note_id": note_id,
        "contact_id": world.contact,
        "note_author": world.member,
        "note_content": content,
        "note_editable": 0,
        "note_visibility": 1,
        "created_at": "2023-11-14T22:13:20.123Z",
        "updated_at": "2023-11-14T22:13:21.123Z",
        "origin": {
            "address": "192.0.2.7",
            "country": "DE",
            "city": "Berlin",
            "network": "AS64500 Net",
            "devkey_id": world.devkey_id,
            "request_id": "request-1",
        },
    }


def test_unknown_origin_is_null(site, add_note):
    origin = site.note(add_note("x", address=None))["origin"]
    assert [origin[name] for name in ("address", "country", "city", "network")] == [None] * 4


def test_list_has_the_contacts_own(site, world, add_note):
    ids = [add_note("one"), add_note("two", version=3)]
    add_note("three", contact=world.second_contact)
    ids.append(add_note("four"))
    notes = site.notes(world.contact)
    assert [note["note_id"] for note in notes] == ids, "in the order in which they were stored"
    assert all(list(note) == NOTE for note in notes)


def test_history_goes_from_the_oldest_to_the_present_version(site, world, add_note):
    note_id = add_note("version 12", version=12)
    history = site.history(note_id)
    assert [list(version) for version in history] == [[*NOTE, "version", "written_by"]] * 12
    assert [version["version"] for version in history] == list(range(1, 13))
    assert [version["note_content"] for version in history] == [
        f"version {number}" for number in range(1, 13)
    ]
    assert {version["note_author"] for version in history} == {world.member}
    assert {version["created_at"] for version in history} == {"2023-11-14T22:13:20.123Z"}
    first, last = history[0], history[-1]
    assert first["updated_at"] == "2023-11-14T22:13:21.123Z"
    assert (first["note_editable"], first["note_visibility"]) == (1, 0)
    assert first["written_by"] == world.member and last["written_by"] == world.second_member
    assert first["origin"]["address"] == "::1"
    assert first["origin"]["city"] == "Berlin" and last["origin"]["city"] is None
    assert {name: last[name] for name in NOTE} == site.note(note_id)


def test_history_of_a_note_that_was_never_changed(site, add_note):
    (only,) = site.history(add_note("x"))
    assert only["version"] == 1


def test_content_is_cut_in_lists_for_people_and_whole_in_show(site, world, add_note):
    long = "word " * 40 + "end"
    ids = [add_note(long), add_note("first line\nsecond line\x1b[31m")]
    table = site.ctl("note", "list", "--contact", world.contact, json=False)
    assert len(table.splitlines()) == 3
    assert "first line…" in table and "second line" not in table
    assert long not in table and long[:50] in table
    assert "\x1b" not in table
    assert long in site.ctl("note", "show", ids[0], json=False)
    shown = site.ctl("note", "show", ids[1], json=False)
    assert "second line?[31m" in shown and "\x1b" not in shown


def test_status_counts_notes(site, add_note):
    add_note("x")
    assert site.ctl_one("db", "status")["notes"] == 1


def test_a_member_sees_what_is_his_or_visible(operator, site, world, add_note):
    private, was_private = add_note("private"), add_note("is visible", version=2)
    operator.change("UPDATE notes SET visible = 0 WHERE note_id = ?", uuid.UUID(private).bytes)

    def seen(member):
        notes = site.ctl("note", "list", "--contact", world.contact, "--member", member)
        return {note["note_id"] for note in notes}

    assert seen(world.member) == {private, was_private}
    assert seen(world.second_member) == {was_private}
    assert site.ctl_one("note", "show", private, "--member", world.member)["note_id"] == private
    for verb in ("show", "history"):
        words = ("note", verb, private, "--member", world.second_member)
        operator.fails(65, *words, says=f"no note {private}")
    # the first version was private
    words = ("note", "history", was_private, "--member")
    assert len(site.ctl(*words, world.member)) == 2
    assert [v["version"] for v in site.ctl(*words, world.second_member)] == [2]


def test_what_does_not_exist(operator):
    nothing = unknown_id()
    operator.fails(65, "note", "show", nothing, says=f"no note {nothing}")
    operator.fails(65, "note", "history", nothing, says=f"no note {nothing}")
    operator.fails(65, "note", "list", "--contact", nothing, says=f"no contact {nothing}")


def test_check_of_the_database_finds_notes_that_lists_would_not(operator, add_note):
    add_note("one"), add_note("two")
    assert operator.site.ctl_one("db", "check")["ok"] is True
    operator.change("DELETE FROM last_notes")
    operator.fails(65, "db", "check", says="not every note is in the chain of its contact (1 are missing)")
