"""Every change leaves one row in the audit, and no secret anywhere."""

import json
import os
import pwd
import uuid

import pytest

from support.ids import unknown_id

OWN = "a-key-made-elsewhere-0123456789"


def last(operator):
    return operator.rows("SELECT * FROM audit ORDER BY rowid DESC LIMIT 1")[0]


def count(operator):
    return operator.rows("SELECT count(*) AS n FROM audit")[0]["n"]


def test_every_change_is_written_down(operator):
    site = operator.site
    org = site.add_org("Acme")["org_id"]
    steps = []

    def step(words, subject_of):
        before = count(operator)
        answer = site.ctl_one(*words)
        assert count(operator) == before + 1, words
        row = last(operator)
        assert row["action"] == f"{words[0]} {words[1]}"
        assert uuid.UUID(bytes=row["org_id"]) == uuid.UUID(org)
        assert uuid.UUID(bytes=row["subject"]) == uuid.UUID(answer[subject_of])
        steps.append(row["action"])
        return answer[subject_of], json.loads(row["detail"])

    _, detail = step(("org", "rename", org, "Acme Ltd"), "org_id")
    assert detail == {"ID": org, "NAME": "Acme Ltd"}
    member, detail = step(("member", "add", "--org", org, "Ann", "--email", "a@b.c"), "member_id")
    assert detail == {"--org": org, "NAME": True, "--email": True}
    second, _ = step(("member", "add", "--org", org, "Ben"), "member_id")
    step(("member", "edit", member, "--name", "Anna"), "member_id")
    step(("member", "deactivate", member), "member_id")
    step(("member", "activate", member), "member_id")
    key, detail = step(("apikey", "issue", "--member", member, "--label", "x"), "apikey_id")
    assert detail == {"--member": member, "--label": True}
    _, detail = step(("apikey", "rotate", key, "--grace", "90s"), "apikey_id")
    assert detail == {"ID": key, "--grace": "90s"}
    step(("apikey", "revoke", key), "apikey_id")
    words = ("devkey", "issue", "--org", org, "D", "--allow", "10.0.0.0/8,192.0.2.1")
    devkey, detail = step(words, "devkey_id")
    assert detail == {"--org": org, "NAME": True, "--allow": ["10.0.0.0/8", "192.0.2.1/32"]}
    _, detail = step(("allow", "add", devkey, "0.0.0.0/0", "--allow-any"), "devkey_id")
    assert detail == {"DEVKEY": devkey, "CIDR": ["0.0.0.0/0"], "--allow-any": True}
    step(("allow", "remove", devkey, "0.0.0.0/0"), "devkey_id")
    _, detail = step(("devkey", "rotate", devkey), "devkey_id")
    assert detail == {"ID": devkey}
    _, detail = step(("devkey", "edit", devkey, "--expires", "2099-12-31"), "devkey_id")
    assert detail == {"ID": devkey, "--expires": "2099-12-31"}
    step(("devkey", "revoke", devkey), "devkey_id")
    contact, _ = step(("contact", "add", "--org", org, "--owner", member, "C"), "contact_id")
    step(("contact", "assign", contact, "--owner", second), "contact_id")
    assert len(steps) == 17


def test_nothing_that_names_or_reaches_a_person_is_written_down(operator):
    """The id of the subject says whom it was about; the audit outlives the people."""
    site = operator.site
    org = site.add_org("Acme")["org_id"]
    member = site.add_member(org, "Walburga", "--email", "walburga@example.com")["member_id"]
    site.ctl("member", "edit", member, "--name", "Wilhelmina", "--email", "wilhelmina@example.com")
    site.ctl("member", "edit", member, "--email=")
    site.add_contact(org, member, "Leopoldine", "--email", "poldi@example.com", "--phone", "+43 1 4711")
    site.issue_apikey(member, "--label", "Walburgas Handy")
    key = site.issue_devkey(org, "10.0.0.0/8", name="Kunigunde, Programmiererin")["devkey_id"]
    site.ctl("devkey", "edit", key, "--name", "Kunigunde & Tochter")
    kept = str(operator.rows("SELECT detail FROM audit")).lower()
    for word in ("walburga", "wilhelmina", "leopoldine", "poldi", "4711", "kunigunde", "@"):
        assert word not in kept
    assert "acme" in kept, "the test reads the right table"
    row = json.loads(operator.rows("SELECT detail FROM audit WHERE action = 'member edit'")[1]["detail"])
    assert row == {"ID": member, "--email": True}


def test_org_add_is_written_down_with_its_time_and_actor(operator):
    org = operator.site.add_org("Acme")["org_id"]
    row = last(operator)
    assert row["action"] == "org add"
    assert row["org_id"] == row["subject"] == uuid.UUID(org).bytes
    assert row["actor"] == pwd.getpwuid(os.getuid()).pw_name
    (created,) = operator.rows("SELECT created_at FROM orgs")
    assert row["at"] == created["created_at"]
    assert json.loads(row["detail"]) == {"NAME": "Acme"}


def test_actor_behind_sudo(operator):
    environment = operator.site.environment(SUDO_USER="alice")
    assert operator.site.ctl_raw("org", "add", "X", env=environment).returncode == 0
    assert last(operator)["actor"] == "alice"


def test_reading_and_failing_leave_no_row(operator, world):
    before = count(operator)
    site = operator.site
    for words in (
        ("org", "list"),
        ("org", "show", world.org),
        ("member", "list", "--org", world.org),
        ("member", "show", world.member),
        ("apikey", "list", "--org", world.org),
        ("apikey", "show", world.apikey_id),
        ("devkey", "list", "--org", world.org),
        ("devkey", "show", world.devkey_id),
        ("allow", "list", world.devkey_id),
        ("allow", "test", world.devkey_id, "127.0.0.1"),
        ("contact", "show", world.contact),
        ("db", "status"),
        ("db", "check"),
    ):
        site.ctl(*words)
    operator.fails(65, "org", "add", "X", "--id", world.org)
    operator.fails(65, "apikey", "revoke", unknown_id())
    operator.fails(65, "apikey", "rotate", unknown_id())
    operator.fails(65, "contact", "assign", world.contact, "--owner", unknown_id())
    operator.fails(65, "allow", "remove", world.devkey_id, "127.0.0.1", "10.9.9.9")
    assert count(operator) == before


def test_change_that_changes_nothing_leaves_no_row(operator, world):
    site = operator.site
    site.ctl("apikey", "revoke", world.apikey_id)
    site.ctl("devkey", "revoke", world.devkey_id)
    before = count(operator)
    site.ctl("apikey", "revoke", world.apikey_id)
    site.ctl("devkey", "revoke", world.devkey_id)
    site.ctl("org", "rename", world.org, "World")
    site.ctl("member", "edit", world.member, "--name", "World member", "--email=")
    site.ctl("devkey", "edit", world.devkey_id, "--name", "World developer", "--expires=never")
    site.ctl("member", "activate", world.member)
    site.ctl("allow", "add", world.devkey_id, "127.0.0.1")
    site.ctl("contact", "assign", world.contact, "--owner", world.member)
    assert count(operator) == before


def test_no_secret_is_stored(operator, world):
    site = operator.site
    site.issue_apikey(world.member, "--stdin", stdin=OWN)
    site.issue_devkey(world.org, "10.0.0.0/8", more=["--stdin"], stdin=OWN + "-secret")
    stored = operator.files()
    assert world.org.replace("-", "") in stored.hex(), "the test reads the right files"
    for secret in (world.api_key, world.developer_secret, OWN):
        assert secret.encode() not in stored
        assert secret[4:].encode() not in stored


@pytest.mark.parametrize("noun", ["apikey", "devkey"])
def test_secret_is_no_word_of_the_command_line(operator, world, noun):
    """There is no way to type one where ps would show it."""
    whose = ("--member", world.member) if noun == "apikey" else ("--org", world.org, "X")
    allow = () if noun == "apikey" else ("--allow", "10.0.0.0/8", "--allow-any")
    operator.fails(64, noun, "issue", *whose, *allow, f"--stdin={OWN}")
    assert f"no place for '{OWN}'" in operator.fails(64, noun, "issue", *whose, *allow, OWN)
