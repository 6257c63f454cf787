"""crmnotesctl note import and note export."""

import json
import random
import subprocess

import pytest

from support.answers import note_id_of
from support.ids import unknown_id
from support.load import Load
from support.service import Service
from support.site import Site


def export(site, *words):
    return subprocess.run(
        [site.ctl_program, "--config", site.config, "note", "export", *words],
        capture_output=True, check=True, env=site.environment(), timeout=120,
    ).stdout  # fmt: skip


def lines_of(*notes):
    return "".join(json.dumps(note, ensure_ascii=False) + "\n" for note in notes).encode()


def run(site, data, *words):
    """The summary of an import of these bytes, whatever its exit status."""
    file = site.directory / "notes.jsonl"
    file.write_bytes(data)
    done = site.ctl_raw("--json", "note", "import", file, *words)
    assert done.returncode in (0, 65) and done.stdout, done.stderr
    return json.loads(done.stdout)


def counts(summary):
    return tuple(summary[name] for name in ("added", "updated", "unchanged", "refused"))


def rejects(site):
    return [json.loads(line) for line in (site.directory / "notes.jsonl.rejects").read_text().splitlines()]


def note(world, content="Text", **more):
    return {"contact_id": world.contact, "note_author": world.member, "note_content": content, **more}


def copy_of_world(source, world, target):
    """The organization, members and contacts, in another site."""
    target.ctl("org", "add", "World", "--id", world.org)
    for member in (world.member, world.second_member):
        target.ctl("member", "add", "--org", world.org, "M", "--id", member)
    file = target.directory / "contacts.csv"
    file.write_text(source.ctl("contact", "export", json=False))
    target.ctl("contact", "import", file)


def chain(operator, contact):
    """The ids of a contact's notes along the chain, the newest first."""
    rows = {row["number"]: row for row in operator.rows("SELECT number, hex(note_id) AS id, previous FROM notes")}
    (last,) = operator.rows(
        "SELECT note FROM last_notes JOIN contacts ON number = contact WHERE lower(hex(contact_id)) = ?",
        contact.replace("-", ""),
    )
    ids, number = [], last["note"]
    while number:
        ids.append(rows[number]["id"].lower())
        number = rows[number]["previous"]
    return ids


TEXTS = ["Plain", "=1+1", 'quote " and \\ and /', "tab\tnewline\r\n\u2028\u2029", "\x01\x1f\x7f\x80", "ÄÖ\u0301ßİ",
         "\U0001f600\U0010ffff", "\ufeffmark", "שלום", "x" * 65536]  # fmt: skip


def store_notes(service, world):
    """Notes of the service, with versions and all kinds of text."""
    ids = []
    for number, text in enumerate(TEXTS):
        body = world.body(note=text, note_visibility=number % 2, note_editable=1)
        ids.append(note_id_of(service.call(body)))
    for text in ("second", "third"):
        service.call(world.body(note=text, note_id=ids[0]))


def test_an_import_into_an_empty_database_gives_the_same(site):
    world = site.world()
    with Service(site) as service:
        store_notes(service, world)
    first = export(site)
    assert first.count(b"\n") == len(TEXTS) + 2
    with Site() as other:
        copy_of_world(site, world, other)
        summary = run(other, first)
        assert counts(summary) == (len(TEXTS), 2, 0, 0)
        assert export(other) == first
        assert other.notes(world.contact) == site.notes(world.contact)
        assert counts(run(other, first)) == (0, 0, len(TEXTS) + 2, 0)
        assert export(other) == first
        other.ctl("db", "check")
        (key,) = other.ctl("devkey", "list", "--org", world.org)
        assert key["devkey_id"] == world.devkey_id and key["revoked_at"] is not None


def test_notes_from_elsewhere(operator):
    site = operator.site
    world = site.world()
    site.ctl("member", "edit", world.member, "--email", "ada@example.org")
    old = note(world, "Old", note_author="ADA@example.org", created_at="1999-01-01T00:00:00Z", note_visibility=1)
    assert counts(run(site, lines_of(old, note(world, "New")))) == (2, 0, 0, 0)
    first, second = site.notes(world.contact)
    assert (first["note_content"], second["note_content"]) == ("Old", "New")
    assert first["created_at"] == first["updated_at"] == "1999-01-01T00:00:00.000Z"
    assert first["note_author"] == world.member and first["note_visibility"] == 1
    assert first["origin"]["request_id"] == "import"
    assert counts(run(site, lines_of(old, note(world, "New")))) == (0, 0, 2, 0)
    other = site.issue_devkey(world.org, "10.0.0.0/8")["devkey_id"]
    run(site, lines_of(note(world, "By key")), "--devkey", other)
    by_key = [n for n in site.notes(world.contact) if n["note_content"] == "By key"]
    assert by_key[0]["origin"]["devkey_id"] == other


def test_an_old_note_gets_its_place_in_the_chain(operator):
    site = operator.site
    world = site.world()
    rng = random.Random(5)
    notes = [
        note(world, f"N{n}", note_id=unknown_id(), created_at=f"20{rng.randint(10, 29)}-01-01T00:00:00.{n % 3:03}Z")
        for n in range(60)
    ]
    for part in (notes[:20], notes[20:25], notes[25:]):
        run(site, lines_of(*part))
    wanted = sorted(notes, key=lambda n: (n["created_at"], n["note_id"]), reverse=True)
    assert chain(operator, world.contact) == [n["note_id"].replace("-", "") for n in wanted]
    of_contact = [json.loads(line)["note_id"] for line in export(site, "--contact", world.contact).splitlines()]
    assert of_contact == [n["note_id"] for n in reversed(wanted)]
    assert len(site.notes(world.contact)) == 60
    site.ctl("db", "check")
    first = export(site)
    with Site() as empty:
        copy_of_world(site, world, empty)
        run(empty, first)
        assert export(empty) == first


BAD = [
    ({"contact_id": "c1b8b7ee-0000-4000-8000-000000000000"}, "there is no contact c1b8b7ee-"),
    ({"contact_id": None}, "contact_id: is missing"),
    ({"note_author": "c1b8b7ee-0000-4000-8000-000000000000"}, "note_author: there is no member c1b8b7ee-"),
    ({"note_content": " \n"}, "note_content: must not be empty or blank"),
    ({"note_content": "a\u0000b"}, "note_content: must be UTF-8 without U+0000"),
    ({"note_content": 5}, "note_content: must be a string"),
    ({"note_editable": 2}, "note_editable: must be a number from 0 to 1"),
    ({"created_at": "today"}, "created_at: must be a date"),
    ({"version": 2}, "version 1 must come first"),
    ({"origin": {"address": "x"}}, "origin: address: is no IP address"),
]


@pytest.mark.parametrize("change, reason", BAD, ids=map(str, range(len(BAD))))
def test_refused_lines_are_mended_and_imported(site, world, change, reason):
    bad = {**note(world, "Bad"), **change}
    assert counts(run(site, lines_of(note(world, "Good"), bad))) == (1, 0, 0, 1)
    (refused,) = rejects(site)
    assert refused.pop("reject_line") == 2
    assert refused.pop("reject_reason").startswith(reason)
    assert refused == bad
    mended = {"reject_line": 2, "reject_reason": "x", **note(world, "Mended")}
    assert counts(run(site, lines_of(mended))) == (1, 0, 0, 0)
    again = {"reject_line": 2, "reject_reason": "x", **bad}
    assert counts(run(site, lines_of(again))) == (0, 0, 0, 1)
    assert rejects(site)[0]["reject_line"] == 1


def test_what_is_no_object_is_refused_in_its_line(site, world):
    data = b"{'a':1}\n[]\n" + lines_of(note(world, "Good")) + b'{"a":1,"a":2}\n\xff\n'
    assert counts(run(site, data)) == (1, 0, 0, 4)
    text = (site.directory / "notes.jsonl.rejects").read_bytes()
    assert [line for line in text.splitlines() if b"reject" not in line] == [b"{'a':1}", b"[]", b'{"a":1,"a":2}', b"\xff"]
    assert counts(run(site, text)) == (0, 0, 0, 4)


def test_a_note_that_is_there_with_other_content_is_refused(site, world):
    there = note(world, "There", note_id=unknown_id())
    run(site, lines_of(there))
    before = export(site)
    for change in ({"note_content": "Other"}, {"note_visibility": 1}, {"contact_id": world.second_contact}):
        assert counts(run(site, lines_of({**there, **change}))) == (0, 0, 0, 1)
        assert f"with another {next(iter(change))}" in rejects(site)[0]["reject_reason"]
    assert export(site) == before
    more = [{**there, "note_content": f"V{n}", "version": n} for n in (2, 3)]
    wrong = {**there, "note_content": "Wrong"}
    assert counts(run(site, lines_of(wrong, *more))) == (0, 0, 0, 3)
    assert counts(run(site, lines_of(there, *more))) == (0, 2, 1, 0)
    assert [v["note_content"] for v in site.history(there["note_id"])] == ["There", "V2", "V3"]
    site.ctl("db", "check")


def test_a_member_gets_what_it_may_see(site, world):
    run(site, lines_of(note(world, "Private", note_visibility=0), note(world, "Open", note_visibility=1)))
    assert export(site).count(b"\n") == 2
    assert export(site, "--member", world.member).count(b"\n") == 2
    assert b"Private" not in export(site, "--member", world.second_member)
    assert b"Private" not in export(site, "--contact", world.contact, "--member", world.second_member)
    assert export(site, "--org", world.org) == export(site)
    assert export(site, "--org", site.add_org()["org_id"]) == b""


def test_mistakes_of_the_command_line(operator, world):
    operator.fails(65, "note", "export", "--org", world.org, "--contact", world.contact, says="not both")
    operator.fails(65, "note", "export", "--contact", unknown_id(), says="there is no contact")
    (operator.site.directory / "n").write_bytes(lines_of(note(world)))
    operator.fails(65, "note", "import", "n", "--devkey", unknown_id(), says="there is no developer key")
    operator.fails(65, "note", "import", "n", "--org", unknown_id(), says="there is no organization")


def test_a_dry_run_changes_nothing(operator, world):
    summary = run(operator.site, lines_of(note(world), note(world, "")), "--dry-run")
    assert counts(summary) == (1, 0, 0, 1)
    assert export(operator.site) == b"" and operator.rows("SELECT * FROM audit WHERE action LIKE 'note%'") == []


def test_after_kills_nothing_is_doubled_or_lost(operator, world):
    """Beside a service that stores notes of the same contact; killed at random moments."""
    site = operator.site
    data = lines_of(*(note(world, f"Imported {n}", created_at=f"2020-01-01T00:{n // 1000:02}:00.{n % 1000:03}Z") for n in range(5000)))
    (site.directory / "n.jsonl").write_bytes(data)
    command = [site.ctl_program, "--config", site.config, "note", "import", site.directory / "n.jsonl"]
    kills = 0
    with Service(site) as service, Load(service, world, kept=2, fresh=0) as load:
        while True:
            with subprocess.Popen(command, env=site.environment(), stdout=subprocess.DEVNULL) as process:
                try:
                    assert process.wait(random.uniform(0.02, 0.06) * 2**kills) == 0
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
        load.stop.set()
    assert kills > 0 and not load.failures
    stored = sorted(n["note_content"] for n in site.notes(world.contact))
    assert stored == sorted([*(f"Imported {n}" for n in range(5000)), *load.texts(None)])
    site.ctl("db", "check")
