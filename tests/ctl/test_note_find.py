"""crmnotesctl note find."""

import uuid

import pytest

from support.ids import unknown_id

NOW_MS = 1_750_000_000_000
DAY_MS = 24 * 60 * 60 * 1000


def id_at(ms, number):
    """A UUID of version 7, as the service makes them."""
    return str(uuid.UUID(int=ms << 80 | 0x7 << 76 | 0x2 << 62 | number))


@pytest.fixture
def find(site):
    def ids(*words):
        return [note["note_id"] for note in site.ctl("note", "find", *words)]

    return ids


@pytest.fixture
def notes(add_note, world):
    """Ten notes, one a day; the odd ones are of the second contact and private."""
    return [
        add_note(
            f"Note number {n}",
            note=id_at(NOW_MS + n * DAY_MS, n),
            at_ms=NOW_MS + n * DAY_MS,
            contact=world.second_contact if n % 2 else world.contact,
            author=world.second_member if n % 2 else world.member,
            visible=1 - n % 2,
        )
        for n in range(10)
    ]


def test_what_is_given_must_hold(find, world, notes):
    last_first = notes[::-1]
    even, odd = last_first[1::2], last_first[::2]
    assert find("--org", world.org) == last_first
    assert find("--contact", world.contact) == even
    assert find("--author", world.second_member) == odd
    assert find("--author", world.second_member, "--contact", world.contact) == []
    assert find("--request", "request-1") == last_first
    assert find("--request", "request-2") == []
    assert find("number") == last_first and find("number", "7") == [notes[7]]
    assert find("--org", unknown_id()) == find("--contact", unknown_id()) == []


def test_a_time_has_both_its_ends(find, notes, site):
    day = {n: site.note(notes[n])["created_at"] for n in range(10)}
    assert find("--since", day[7]) == [notes[9], notes[8], notes[7]]
    assert find("--until", day[1]) == [notes[1], notes[0]]
    assert find("--since", day[3], "--until", day[4], "number") == [notes[4], notes[3]]
    assert find("--since", day[4], "--until", day[3]) == []


def test_a_time_also_finds_notes_whose_ids_hold_none(find, add_note, notes):
    other = add_note("from elsewhere", at_ms=NOW_MS + 3 * DAY_MS, note=str(uuid.uuid4()))
    assert find("--since", "2025-06-18", "--until", "2025-06-19") == [other, notes[3]]


def test_only_what_a_member_may_see(find, world, notes):
    assert find("--org", world.org, "--member", world.member) == notes[8::-2]
    assert find("--org", world.org, "--member", world.second_member) == notes[::-1]
    assert find("--contact", world.second_contact, "--member", world.member) == []
    assert find("--since", "2020-01-01", "--member", world.member) == notes[8::-2]


def test_words_are_found_without_regard_to_case(find, add_note):
    note = add_note("Straße nach İzmir, ΣΊΣΥΦΟΣ, Cafe\u0301 — 100% sure_thing")
    add_note("something else")
    for words in (
        ("STRASSE",),
        ("straße", "i\u0307zmir"),
        ("σίσυφοσ",),
        ("CAFÉ",),
        ("asse NACH",),
        ("100%", "sure_"),
        ("sure", "100"),
    ):
        assert find(*words) == [note], words
    assert find("nach straße") == [] and find("nach", "nothing") == []
    assert find("1%") == []


def test_only_the_present_version_counts(find, add_note):
    note = add_note("present", version=3)
    assert find("present") == [note] and find("version") == []


def test_pages_together_are_all_that_is_found(find, site, world, notes):
    for words in (("number",), ("--contact", world.contact), ("--since", "2020-01-01")):
        everything = find(*words)
        for size in (1, 2, 10):
            found = []
            while page := find(*words, "--limit", size, *(["--after", found[-1]] if found else [])):
                assert len(page) <= size
                found += page
            assert found == everything
    done = site.ctl_raw("note", "find", "number", "--limit", 2)
    assert done.stderr == f"crmnotesctl: more: --after {notes[8]}\n"


def test_more_rows_than_a_page_of_the_program_has(find, operator, add_note, world):
    note = add_note("word one")
    operator.change(
        """INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version,
        content, editable, visible, written_by, written_at, developer_key_id, request_id)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
        SELECT randomblob(16), org_id, contact_id, author_id, created_at, 1, 'word ' || i, 0, 1,
        written_by, written_at, developer_key_id, request_id FROM notes, n"""
    )
    found = find("WORD")
    assert len(set(found)) == len(found) == 1201 and found[-1] == note


def test_what_is_refused(operator):
    find = ("note", "find")
    operator.fails(64, *find, says="say what to look for: --org, --contact")
    operator.fails(64, *find, "--member", unknown_id(), says="say what to look for")
    operator.fails(65, *find, " ", says="WORDS: must not be empty or blank")
    operator.fails(65, *find, *"abcdefghijklmnopq", says="WORDS: must be at most 16 words")
    operator.fails(65, *find, "x" * 257, says="WORDS: must have at most 256 bytes")
    operator.fails(65, *find, "x", "--after", unknown_id(), says="there is no note")
