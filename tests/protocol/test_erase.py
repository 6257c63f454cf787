"""What crmnotesctl has erased is in no file of the database, whether the service runs or not."""

import hashlib
import json
import sqlite3
import threading
import uuid

import pytest

from support.answers import note_id_of
from support.calls import ADD, FETCH, LOOKUP, add_body, data_of, fetch_body, lookup_body
from support.raw import send
from support.service import Service
from support.site import CtlError, Site

# every word is used once; the first three letters of one that is searched are a trigram
FIELDS = {
    "--first-name": "ሀለሐመሠ",
    "--last-name": "Qlastnameq",
    "--role": "Qroleq",
    "--email": "qmail@qhost.example",
    "--second-email": "qsecond@qother.example",
    "--phone": "+49 7141 9008007",
    "--second-phone": "0170 6005004",
    "--company": "Qcompanyq",
    "--website": "https://qwebsite.example",
}
LENGTHS = (1, 1, 5, 40, 150, 400, 2000)  # of a note in words: a cell, and pages behind it


class Person:
    """A contact whose texts and notes have changed several times, and all words about it."""

    def __init__(self, service, world):
        site = service.site
        self.words = set()
        self.id = site.add_contact(world.org, world.member, "Qwholenameq", *self._options(""))["contact_id"]
        for version in "123":
            site.ctl("contact", "edit", self.id, "--name", self._word(f"Qname{version}q"), *self._options(version))
        self.words |= {"Qwholenameq"}
        self.notes = []
        for n, length in enumerate(LENGTHS * 3):
            self.notes.append(self._write(service, world, f"Qnote{n}v0q", length))
            for version in range(1, n % 4):
                self._write(
                    service, world, f"Qnote{n}v{version}q", LENGTHS[(n + 3 * version) % 7], self.notes[-1]
                )

    def _word(self, word):
        self.words.add(word)
        return word

    def _options(self, version):
        def text(option, value):
            if option in ("--phone", "--second-phone"):
                return self._word(f"{value}{version * 2}")
            if option in ("--email", "--second-email"):
                return self._word(f"{version}{value}")
            return self._word(f"{value}{version}")

        return [f"{option}={text(option, value)}" for option, value in FIELDS.items()]

    def _write(self, service, world, word, length, note_id=None):
        self._word(word)
        body = world.body(contact_id=self.id, note=f"{word} " * length)
        if note_id:
            body["note_id"] = note_id
        key = self._word(f"Qkey-{word}")
        answer = send(service, body, headers={"Idempotency-Key": key})
        assert answer.code is None, answer.body
        return note_id_of(answer)


def forms_of(word):
    """How a word may be stored: as it is, folded, of a telephone number the digits, and in the
    index of contacts the first three letters, if these are in no other word."""
    forms = {word, word.lower()}
    if word[-1].isdigit() and not word[1:4].isalpha():
        forms.add("".join(filter(str.isdigit, word)))
    if not word.isascii():
        forms.add(word[:3])
    return {form.encode() for form in forms}


def found(path, words):
    """Which of the words a file has."""
    content = path.read_bytes()
    return {word for word in words if any(form in content for form in forms_of(word))}


def remains(site, words):
    """Of every file of the database's directory the words that are in it."""
    return {path.name: here for path in site.data.iterdir() if (here := found(path, words))}


def printed(site, world):
    """All that commands print about contacts, notes, members and changes."""
    words = (
        ("audit", "list"),
        ("member", "list", "--org", world.org),
        ("contact", "list", "--org", world.org),
        ("note", "find", "--org", world.org),
        ("apikey", "list", "--org", world.org),
    )
    return json.dumps([site.ctl(*each) for each in words], ensure_ascii=False)


def assert_gone(site, world, words):
    assert remains(site, words) == {}
    text = printed(site, world)
    assert [word for word in words if word in text] == []
    backup = site.data / "copy.db"
    site.ctl("db", "backup", backup)
    assert found(backup, words) == set()
    backup.unlink()
    assert site.ctl_one("db", "check")["ok"] is True


@pytest.fixture(params=["running", "stopped"])
def scene(request):
    with Site(options={"workers": 2}) as site, Service(site) as service:
        world = site.world()
        yield service, world, request.param == "stopped"


def add_crowd(site, world, count=20_000):
    """So many contacts that the index of contacts cannot be merged in one step."""
    letters = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
    names = (hashlib.sha256(b"%d" % number).hexdigest()[:30].translate(letters) for number in range(count))
    rows = "contact_name\n" + "".join(f"{name}\n" for name in names)
    done = site.ctl_raw("contact", "import", "-", "--org", world.org, "--owner", world.member, stdin=rows)
    assert done.returncode == 0, done.stderr


def end(service, stop):
    if stop:
        service.stop()


def test_a_contact_is_erased_with_all_its_notes(scene):
    service, world, stop = scene
    site = service.site
    add_crowd(site, world)
    person, other = Person(service, world), site.add_contact(world.org, world.member, "Someone else")
    kept = note_id_of(send(service, world.body(contact_id=other["contact_id"], note="kept text")))
    counts = {"notes": len(person.notes), "versions": sum(max(0, n % 4 - 1) for n in range(len(person.notes)))}
    end(service, stop)
    there = set().union(*remains(site, person.words).values())
    assert there >= {word for word in person.words if word.startswith(("Qnote", "Qkey")) or "3" in word[-2:]}
    erased = site.ctl_one("contact", "erase", person.id, "--yes")
    assert {name: erased[name] for name in counts} == counts
    assert_gone(site, world, person.words)
    assert site.note(kept)["note_content"] == "kept text"
    shown = site.ctl_one("contact", "show", person.id)
    assert shown["contact_id"] == person.id and shown["erased_at"] == shown["updated_at"]
    assert {shown[name] for name in ("contact_name", "contact_email", "first_name", "entity_name")} == {None}
    assert site.ctl("contact", "find", "--org", world.org, person.id) == []
    (row,) = [row for row in site.ctl("audit", "list") if row["action"] == "contact erase"]
    detail = row["detail"]
    assert row["subject"] == person.id and {name: detail[name] for name in counts} == counts
    # nothing is left to be erased
    assert site.ctl_one("contact", "erase", person.id, "--yes")["notes"] == 0
    assert len([row for row in site.ctl("audit", "list") if row["action"] == "contact erase"]) == 1


def test_a_note_is_erased_with_its_versions(scene):
    service, world, stop = scene
    site = service.site
    person = Person(service, world)
    end(service, stop)
    n = 7  # with three versions
    words = {f"Qnote{n}v{version}q" for version in range(3)}
    before = site.history(person.notes[n])
    erased = site.ctl_one("note", "erase", person.notes[n], "--yes")
    assert (erased["notes"], erased["versions"], erased["answers"]) == (1, len(before) - 1, len(before))
    assert_gone(site, world, {word for word in words if word in person.words})
    note = site.note(person.notes[n])
    assert note["note_content"] is None and note["erased_at"] is not None
    for name in ("note_author", "created_at", "updated_at", "note_visibility"):
        assert note[name] == before[-1][name]
    assert [version["note_content"] for version in site.history(person.notes[n])] == [None] * len(before)
    assert {version["origin"]["address"] for version in site.history(person.notes[n])} == {None}
    assert remains(site, person.words - words) != {}, "nothing else was erased"
    assert site.note(person.notes[n + 1])["note_content"] is not None


def test_a_member_is_erased_and_what_it_wrote_stays(scene):
    service, world, stop = scene
    site = service.site
    member = site.add_member(world.org, "Qmembernameq", "--email", "qmember@qmail.example")["member_id"]
    site.ctl("member", "edit", member, "--name", "Qmembernewq")
    key = site.issue_apikey(member, "--label", "Qlabelq")
    contact = site.add_contact(world.org, member)["contact_id"]
    body = world.body(contact_id=contact, member_id=member, api_key=key["api_key"], note="about a contact")
    note = note_id_of(send(service, body))
    end(service, stop)
    words = {"Qmembernameq", "qmember@qmail.example", "Qmembernewq", "Qlabelq"}
    assert set().union(*remains(site, words).values()) >= words - {"Qmembernameq"}
    erased = site.ctl_one("member", "erase", member, "--yes")
    assert (erased["notes"], erased["origins"]) == (0, 1)
    assert_gone(site, world, words)
    shown = site.ctl_one("member", "show", member)
    assert (shown["member_name"], shown["member_email"], shown["active"]) == ("erased", None, False)
    kept = site.note(note)
    assert kept["note_content"] == "about a contact" and kept["origin"]["address"] is None
    (apikey,) = [row for row in site.ctl("apikey", "list", "--org", world.org) if row["member_id"] == member]
    assert apikey["label"] is None and not apikey.get("last_used_from")
    with pytest.raises(CtlError, match="was erased"):
        site.ctl("member", "activate", member)
    if not stop:
        assert send(service, body).code == "INVALID_API_KEY"


def test_what_was_erased_counts_as_absent_for_callers(start):
    service = start({"workers": 2})
    site, world = service.site, service.site.world()
    note = note_id_of(send(service, world.body(note="text")))
    contact = site.add_contact(world.org, world.member)["contact_id"]
    assert send(service, world.body(contact_id=contact, note="text")).code is None
    site.ctl("note", "erase", note, "--yes")
    site.ctl("contact", "erase", contact, "--yes")
    assert send(service, world.body(note_id=note, note="again")).code == "NOTE_NOT_FOUND"
    assert send(service, world.body(contact_id=contact, note="again")).code == "NOT_FOUND"
    assert send(service, world.body(note="another")).code is None
    # now the writer remembers the contact, and reads the note alone
    assert send(service, world.body(note_id=note, note="again")).code == "NOTE_NOT_FOUND"

    def code(path, body):
        return send(service, body, path=path).code

    assert code(FETCH, fetch_body(world, contact_id=contact)) == "NOT_FOUND"
    assert code(LOOKUP, lookup_body(world, contact)) == "NOT_FOUND"
    for mode in ("insert", "update", "upsert"):
        body = add_body(world, {"contactId": contact, "name": "again"}, mode=mode, lookup_by="contact_id")
        assert code(ADD, body) == "NOT_FOUND"
    fetched = data_of(send(service, fetch_body(world, include_notes=1), path=FETCH))
    assert [row["note_content"] for row in fetched["notes"]] == ["another"]
    assert [row["note_content"] for row in site.notes(world.contact)] == [None, "another"]
    assert site.ctl("note", "find", "text") == []
    assert site.ctl("note", "list", "--contact", world.contact, "--member", world.member)[0]["note_content"]


def write_as_an_old_version(site):
    """Leaves copies of everything in free pages and unused parts, as without secure_delete."""
    connection = sqlite3.connect(site.database)
    connection.execute("PRAGMA secure_delete = OFF")
    with connection:
        for table in ("notes", "note_revisions", "contacts", "contact_words", "members"):
            connection.execute(f"CREATE TABLE copy_of_{table} AS SELECT * FROM {table}")
        connection.execute("CREATE INDEX copy_by_content ON copy_of_notes (content)")
        connection.execute("UPDATE copy_of_notes SET content = substr(content, 1, 30)")
    with connection:
        connection.execute("DROP INDEX copy_by_content")
        for table in ("notes", "note_revisions", "contacts", "contact_words", "members"):
            connection.execute(f"DROP TABLE copy_of_{table}")
    connection.close()


def test_what_an_old_version_left_is_removed_as_well(scene):
    service, world, stop = scene
    site = service.site
    person = Person(service, world)
    end(service, stop)
    write_as_an_old_version(site)
    site.ctl("contact", "erase", person.id, "--yes")
    assert_gone(site, world, person.words)


def test_the_service_goes_on_meanwhile(start):
    service = start({"workers": 2})
    world = service.site.world()
    person = Person(service, world)
    write_as_an_old_version(service.site)
    stop, codes = threading.Event(), []

    def write():
        while not stop.is_set():
            codes.append(send(service, world.body(note=f"meanwhile {uuid.uuid4()}")).code)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        service.site.ctl("contact", "erase", person.id, "--yes")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert set(codes) == {None}
    assert len(service.site.notes(world.contact)) == len(codes)
    assert_gone(service.site, world, person.words)
