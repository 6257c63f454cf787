"""crmnotesctl note erase, contact erase and member erase as commands; what they leave in files
is tested in protocol/test_erase.py."""

import os
import pty
import subprocess

import pytest

from support.ids import unknown_id
from support.paths import CTL
from support.wait import wait_for


@pytest.fixture
def subjects(world, add_note):
    """Of each noun the id of something that can be erased."""
    return {"note": add_note("text", version=2), "contact": world.second_contact, "member": world.second_member}


NOUNS = ("note", "contact", "member")


def on_terminal(site, answer, *words):
    """Runs the command on a terminal, where answer is typed when it has asked."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [CTL, "--config", site.config, *words],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=site.environment(),
        cwd=site.directory,
        text=True,
    )
    os.close(slave)
    asked = []
    wait_for(lambda: asked.append(process.stderr.read(1)) or asked[-2:] == ["]", " "], "the question")
    os.write(master, answer)
    out, err = process.communicate(timeout=60)
    os.close(master)
    return process.returncode, out, "".join(asked) + err


@pytest.mark.parametrize("noun", NOUNS)
def test_without_a_terminal_it_must_be_said_twice(operator, subjects, noun):
    words = (noun, "erase", subjects[noun])
    operator.fails(65, *words, says="nothing was erased: to erase without being asked, give --yes")
    assert "erased_at" not in operator.site.ctl_one(noun, "show", subjects[noun])
    assert operator.site.ctl_one(*words, "--yes")[f"{noun}_id"] == subjects[noun]
    assert operator.site.ctl_one(noun, "show", subjects[noun])["erased_at"]


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04", b"yesterday\n"])
def test_whoever_does_not_say_yes_erases_nothing(site, subjects, answer):
    before = site.history(subjects["note"])
    status, out, err = on_terminal(site, answer, "note", "erase", subjects["note"])
    assert (status, out) == (65, "")
    assert err == f"Erase note {subjects['note']} for ever? [y/N] crmnotesctl: nothing was erased\n"
    assert site.history(subjects["note"]) == before


@pytest.mark.parametrize("answer", [b"y\n", b"yes\n"])
def test_whoever_says_yes_erases(site, subjects, answer):
    status, out, _ = on_terminal(site, answer, "note", "erase", subjects["note"])
    assert status == 0 and subjects["note"] in out
    assert site.note(subjects["note"])["note_content"] is None


def test_the_audit_counts_and_names_nobody(site, subjects):
    for noun in NOUNS:
        site.ctl(noun, "erase", subjects[noun], "--yes")
    rows = [row for row in site.ctl("audit", "list") if row["action"].endswith(" erase")]
    assert [(row["action"], row["subject"]) for row in rows] == [(f"{n} erase", subjects[n]) for n in NOUNS]
    assert [row["detail"] for row in rows] == [
        {"ID": subjects["note"], "notes": 1, "versions": 1, "origins": 0, "answers": 0},
        {"ID": subjects["contact"], "notes": 0, "versions": 0, "origins": 0, "answers": 0},
        {"ID": subjects["member"], "notes": 0, "versions": 0, "origins": 0, "answers": 0},
    ]
    assert all(row["org_id"] for row in rows)


def test_what_was_erased_is_not_filled_again(operator, site, world, tmp_path):
    contact = world.second_contact
    site.ctl("contact", "erase", contact, "--yes")
    for words in (("edit", contact, "--name", "Again"), ("assign", contact, "--owner", world.member)):
        operator.fails(65, "contact", *words, says="the contact was erased")
    file = tmp_path / "again.csv"
    file.write_text(f"contact_id,contact_name\n{contact},Again\n")
    words = ("contact", "import", str(file), "--org", world.org, "--owner", world.member)
    assert site.ctl_raw(*words, "--rejects", str(tmp_path / "rejects")).returncode == 65
    assert "was erased" in (tmp_path / "rejects").read_text()
    assert site.ctl_one("contact", "show", contact)["contact_name"] is None


def test_an_export_leaves_out_what_was_erased(site, world, add_note):
    kept, erased = add_note("kept", version=2), add_note("erased", version=2)
    site.ctl("note", "erase", erased, "--yes")
    site.ctl("contact", "erase", world.second_contact, "--yes")
    notes = site.ctl("note", "export", "--org", world.org)
    assert [row["note_id"] for row in notes] == [kept, kept]
    assert world.second_contact not in site.ctl("contact", "export", "--org", world.org, json=False)


def test_many_notes_and_versions(operator, world):
    """More than are erased in one transaction."""
    site = operator.site
    operator.add_notes(world, 200)
    operator.change("UPDATE notes SET address = x'cb007107' WHERE number <= 100")
    assert site.ctl_one("member", "erase", world.member, "--yes")["origins"] == 100
    assert site.ctl_one("contact", "erase", world.contact, "--yes")["notes"] == 200
    assert {note["note_content"] for note in site.notes(world.contact)} == {None}
    assert site.ctl_one("db", "check")["ok"] is True


def test_a_company_goes_with_its_last_contact(site, world):
    words = ("--company", "Lovelace & Daughters")
    first = site.add_contact(world.org, world.member, "Ada", *words)["contact_id"]
    second = site.add_contact(world.org, world.member, "Anne", *words)["contact_id"]
    site.ctl("contact", "erase", first, "--yes")
    assert site.ctl_one("contact", "show", second)["entity_name"] == "Lovelace & Daughters"
    site.ctl("contact", "erase", second, "--yes")
    assert site.ctl("contact", "find", "--org", world.org, "lovelace") == []


def test_what_does_not_exist(operator):
    for noun in NOUNS:
        operator.fails(65, noun, "erase", unknown_id(), "--yes", says=f"there is no {noun}")
