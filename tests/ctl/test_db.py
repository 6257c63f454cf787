"""crmnotesctl db."""

import fcntl
import json
import os
import shutil
import sqlite3
import stat
import subprocess

import pytest

from support import schema
from support.paths import CTL
from support.service import Service
from support.site import owner_of_sites

MIGRATE = ["schema_version", "applied", "database", "secret_key_file", "secret_key_created"]
STATUS = [
    "schema_version",
    "schema_wanted",
    "database",
    "secret_key_file",
    "secret_key",
    "size_bytes",
    "wal_bytes",
    "orgs",
    "members",
    "contacts",
    "notes",
    "backup_at",
    "backup",
    "backup_bytes",
]


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_migrate_makes_database_and_key_file(empty_operator):
    site = empty_operator.site
    done = site.ctl_one("db", "migrate")
    assert list(done) == MIGRATE
    assert done["schema_version"] >= 1 and done["applied"] == done["schema_version"]
    assert done["database"] == str(site.database)
    assert done["secret_key_file"] == str(site.key_file)
    assert done["secret_key_created"] is True
    assert len(site.key_file.read_bytes()) == 32
    assert mode_of(site.key_file) == 0o600
    assert mode_of(site.database) & 0o007 == 0


def test_migrate_again_changes_nothing(operator):
    site = operator.site
    key = site.key_file.read_bytes()
    done = site.ctl_one("db", "migrate")
    assert done["applied"] == 0 and done["secret_key_created"] is False
    assert site.key_file.read_bytes() == key


def test_migrate_wonders_about_an_empty_database_beside_a_key_file(operator):
    site = operator.site
    remark = (
        f"crmnotesctl: the key file {site.key_file} was there already, but the database is "
        "empty: if it was copied, was its -wal file left behind?\n"
    )
    for ending in ("", "-wal", "-shm"):
        site.database.with_name(f"crmnotes.db{ending}").unlink(missing_ok=True)
    done = site.ctl_raw("db", "migrate")
    assert (done.returncode, done.stderr) == (0, remark)
    done = site.ctl_raw("db", "migrate")
    assert (done.returncode, done.stderr) == (0, remark), "empty, though it has our schema"
    site.add_org()
    done = site.ctl_raw("db", "migrate")
    assert (done.returncode, done.stderr) == (0, "")


def test_migrate_of_a_new_database_with_a_new_key_file_has_no_remark(empty_operator):
    done = empty_operator.site.ctl_raw("db", "migrate")
    assert (done.returncode, done.stderr) == (0, "")


def test_migrate_writes_what_it_did_into_the_audit(operator):
    rows = operator.rows("SELECT action, org_id, subject FROM audit")
    assert rows == [{"action": "db migrate", "org_id": None, "subject": None}]
    operator.site.ctl("db", "migrate")
    assert len(operator.rows("SELECT * FROM audit")) == 1


MIGRATE_LATER = "stop it first, the service by 'systemctl stop crmnotes.socket crmnotes.service'"


def test_migrate_changes_nothing_while_a_service_runs(operator):
    site = operator.site
    with Service(site):
        assert site.ctl_one("db", "migrate")["applied"] == 0, "there is nothing to do"
        schema.go_back(site.database)
        operator.fails(75, "db", "migrate", says=["is in use by", MIGRATE_LATER])
        assert site.ctl_one("db", "status")["schema_version"] == schema.EARLIER
        says = "stop the service, then run 'crmnotesctl db migrate'"
        operator.fails(78, "org", "list", says=says)
    assert site.ctl_one("db", "migrate")["applied"] == 1


def test_migrate_changes_nothing_while_another_command_runs(operator):
    schema.go_back(operator.site.database)
    reader = sqlite3.connect(operator.site.database)
    reader.execute("SELECT count(*) FROM orgs").fetchone()
    operator.fails(75, "db", "migrate", says=[f"is in use by process {os.getpid()}", MIGRATE_LATER])
    reader.close()
    assert operator.site.ctl_one("db", "migrate")["applied"] == 1


def test_migrate_takes_what_is_personal_out_of_the_audit(operator):
    site = operator.site
    org = site.add_org("Walburga Ltd")["org_id"]
    member = site.add_member(org, "Ann")["member_id"]
    kept = {"--org": org, "NAME": True}
    details = {
        "member add": {"--org": org, "NAME": "Walburga", "--email": "walburga@example.com"},
        "contact add": {**kept, "NAME": "Walburga \"Burgl\" B.", "--phone": "+43 1 4711 4712"},
        "apikey issue": {"--member": member, "--label": "Walburgas Handy"},
        "devkey issue": {**kept, "NAME": "Walburga", "--allow": ["10.0.0.0/8"], "--stdin": True},
        "contact assign": {"ID": member, "--owner": member},
    }
    schema.go_back(site.database, 6)
    connection = sqlite3.connect(site.database)
    insert = "INSERT INTO audit VALUES (?, 1, 'olga', ?, NULL, NULL, ?)"
    with connection:  # so many that the table has pages which are full and pages which are cut
        for action, detail in details.items():
            text = json.dumps(detail, separators=(",", ":"), ensure_ascii=False)
            connection.executemany(insert, [(os.urandom(16), action, text) for _ in range(50)])
        connection.execute(insert, (os.urandom(16), "member add", '{"NAME":"Walburga'))
        connection.execute("UPDATE audit SET detail = detail || ' ' WHERE rowid % 3 = 0")
        connection.execute("DELETE FROM audit WHERE rowid % 5 = 0")
    before = connection.execute("SELECT audit_id, at, actor, action, org_id, subject FROM audit").fetchall()
    connection.close()
    site.give_to_owner()
    assert operator.files().count(b"Walburga") > 150 and b"4711" in operator.files()
    assert site.ctl_one("db", "migrate")["applied"] == 3
    left = operator.files().replace(b"Walburga Ltd", b"")
    assert [word for word in (b"alburga", b"urgl", b"4711 4712") if word in left] == []
    after = operator.rows("SELECT * FROM audit")
    assert [tuple(row.values())[:-1] for row in after[:-1]] == before
    assert after[-1]["action"] == "db migrate"
    found = {row["action"]: json.loads(row["detail"]) for row in after if row["actor"] == "olga"}
    assert found.pop("member add") == {}, "the last one, which was no JSON"
    assert found == {
        "contact add": {**kept, "--phone": True},
        "apikey issue": {"--member": member, "--label": True},
        "devkey issue": {**kept, "--allow": ["10.0.0.0/8"], "--stdin": True},
        "contact assign": details["contact assign"],
    }
    assert {"--org": org, "NAME": True, "--email": True} in [json.loads(row["detail"]) for row in after]
    site.ctl("db", "check")


def test_a_service_whose_database_vanished_is_to_be_stopped_and_nothing_migrated(operator):
    site = operator.site
    with Service(site):
        site.database.unlink()
        before = {path.name for path in site.data.iterdir()}
        for words in (("org", "list"), ("db", "status"), ("db", "backup", site.directory / "x")):
            says = operator.fails(69, *words)
            assert "db migrate" not in says and "Stop the service" in says
        operator.fails(75, "db", "migrate", says=MIGRATE_LATER)
        assert {path.name for path in site.data.iterdir()} == before


def test_a_wal_that_vanished_is_no_reason_to_migrate(operator):
    """As by a backup script; the service may have saved its content, or not."""
    site = operator.site
    with Service(site) as service:
        service.call(site.world().body())
        site.database.with_name("crmnotes.db-wal").unlink()
        for words in (("org", "list"), ("db", "status")):
            done = site.ctl_raw(*words)
            assert "db migrate" not in done.stderr
        assert site.ctl_raw("db", "migrate").returncode in (0, 69, 74, 75)
    site.ctl("db", "check")
    assert len(site.ctl("org", "list")) == 1


def test_the_schema_is_in_the_database_file_itself(empty_operator):
    site = empty_operator.site
    site.ctl("db", "migrate")
    assert site.database.with_name("crmnotes.db-wal").stat().st_size == 0
    alone = shutil.copy(site.database, site.directory / "alone.db")
    shutil.copy(site.key_file, f"{alone}.key")
    assert site.ctl("--database", alone, "org", "list") == []


def test_migrate_makes_no_new_key_for_keys_that_are_there(operator, world):
    site = operator.site
    site.key_file.unlink()
    operator.fails(78, "db", "migrate", says=[str(site.key_file), "restore"])
    assert not site.key_file.exists()
    operator.fails(78, "apikey", "issue", "--member", world.member, says=str(site.key_file))


def test_migrate_makes_a_key_while_there_are_no_keys(operator):
    operator.site.add_org()
    operator.site.key_file.unlink()
    assert operator.site.ctl_one("db", "migrate")["secret_key_created"] is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_migrate_by_root_gives_everything_to_the_directorys_owner(empty_operator):
    site, owner = empty_operator.site, owner_of_sites()
    os.chown(site.data, owner.pw_uid, owner.pw_gid)
    site.ctl("db", "migrate")
    names = {path.name for path in site.data.iterdir()}
    assert names == {"crmnotes.db" + end for end in ("", "-wal", "-shm", ".lock", ".key")}
    for path in site.data.iterdir():
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.pw_uid, owner.pw_gid), path


def test_key_file_can_stand_elsewhere(empty_operator):
    site = empty_operator.site
    elsewhere = site.directory / "key"
    site.configure(secret_key_file=elsewhere)
    assert site.ctl_one("db", "migrate")["secret_key_file"] == str(elsewhere)
    assert mode_of(elsewhere) == 0o600
    assert not site.key_file.exists()


def test_database_that_cannot_be_made(empty_operator):
    empty_operator.site.configure(database="/proc/nowhere/crmnotes.db")
    empty_operator.fails(73, "db", "migrate", says="/proc/nowhere/crmnotes.db")


def test_key_file_that_cannot_be_made(empty_operator):
    empty_operator.site.configure(secret_key_file="/proc/nowhere/key")
    empty_operator.fails(73, "db", "migrate", says="/proc/nowhere/key")


@pytest.mark.parametrize(
    "words", [("db", "status"), ("db", "check"), ("org", "list"), ("org", "add", "X")]
)
def test_missing_database_names_the_command_that_makes_it(empty_operator, words):
    empty_operator.fails(69, *words, says="crmnotesctl db migrate")
    assert list(empty_operator.site.data.iterdir()) == []


def test_backup_needs_a_database(empty_operator, tmp_path):
    empty_operator.fails(69, "db", "backup", tmp_path / "copy", says="crmnotesctl db migrate")


def test_file_that_is_no_database(empty_operator):
    site = empty_operator.site
    site.database.write_text("not a database, but long enough to be asked for its header " * 4)
    site.give_to_owner()
    for verb in ("migrate", "status", "check"):
        empty_operator.fails(69, "db", verb, says="not an SQLite database")


def test_database_of_another_program(empty_operator):
    site = empty_operator.site
    connection = sqlite3.connect(site.database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    site.give_to_owner()
    for verb in ("migrate", "status", "check"):
        empty_operator.fails(78, "db", verb, says="another program")
    assert not site.key_file.exists()


def test_newer_schema_is_told_and_left_alone(operator):
    version = operator.site.ctl_one("db", "status")["schema_version"]
    operator.change(f"PRAGMA user_version={version + 1}")
    backup = ("db", "backup", operator.site.directory / "copy.db")
    for words in (("db", "migrate"), ("db", "check"), ("org", "list"), backup):
        operator.fails(78, *words, says="newer program")
    status = operator.site.ctl_one("db", "status")
    assert status["schema_version"] == version + 1 and status["schema_wanted"] == version
    assert status["notes"] is None


def test_older_schema_names_the_command(empty_operator):
    site = empty_operator.site
    connection = sqlite3.connect(site.database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    site.give_to_owner()
    empty_operator.fails(78, "org", "list", says="crmnotesctl db migrate")
    assert site.ctl_one("db", "status")["schema_version"] == 0
    assert site.ctl_one("db", "migrate")["applied"] >= 1
    assert site.ctl("org", "list") == []


def test_edited_migration_is_named_and_nothing_is_done(operator, world):
    operator.change("UPDATE schema_migrations SET checksum = zeroblob(32) WHERE number = 2")
    says = ["migration 2 (idempotency)", "use that version"]
    for words in (("db", "migrate"), ("db", "check"), ("org", "list")):
        operator.fails(78, *words, says=says)
    done = operator.site.ctl_raw("--json", "db", "status")
    assert done.returncode == 0 and "migration 2 (idempotency)" in done.stderr
    assert json.loads(done.stdout)["notes"] is None


def test_status_counts(operator, world):
    site = operator.site
    status = site.ctl_one("db", "status")
    assert list(status) == STATUS
    assert status["schema_version"] == status["schema_wanted"]
    assert status["size_bytes"] == site.database.stat().st_size
    assert status["wal_bytes"] == site.database.with_name("crmnotes.db-wal").stat().st_size
    assert [status[name] for name in ("orgs", "members", "contacts", "notes")] == [1, 2, 2, 0]


def test_a_database_of_another_mode_is_mended_by_migrate(operator, world):
    """As VACUUM INTO makes it."""
    site = operator.site
    connection = sqlite3.connect(site.database)
    assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    connection.close()
    says = f"{site.database} is not in WAL mode: run 'crmnotesctl db migrate'"
    operator.fails(78, "org", "list", says=says)
    site.ctl("db", "migrate")
    assert len(site.ctl("org", "list")) == 1


def test_check_of_a_sound_database(site, world):
    done = site.ctl_one("db", "check")
    assert list(done) == ["schema_version", "database", "secret_key_file", "secret_key", "ok"]
    assert done["ok"] is True and done["secret_key"] == "right"
    assert done["secret_key_file"] == str(site.key_file)


def test_check_finds_a_reference_to_nothing(operator, world):
    operator.change("DELETE FROM orgs")
    operator.fails(65, "db", "check", says="refers to a row that does not exist")


def test_backup_can_take_the_databases_place(operator, world):
    site = operator.site
    copy = site.directory / "copy.db"
    before = site.ctl("member", "list", "--org", world.org)
    done = site.ctl_one("db", "backup", copy)
    assert list(done) == ["schema_version", "backup", "size_bytes"]
    assert done["backup"] == str(copy) and done["size_bytes"] == copy.stat().st_size
    assert mode_of(copy) == 0o600
    site.add_member(world.org, "after the backup")
    for path in site.data.glob("crmnotes.db*"):
        if path != site.key_file:
            path.unlink()
    shutil.copy(copy, site.database)
    site.give_to_owner()
    assert site.ctl("member", "list", "--org", world.org) == before
    assert site.ctl_one("db", "check")["ok"] is True
    site.add_member(world.org, "after the restore")
    copy.unlink()


def test_backup_of_an_earlier_schema_keeps_it(operator, world):
    """What an upgrade does first, by the new program."""
    site = operator.site
    copy = site.directory / "copy.db"
    schema.go_back(site.database)
    done = site.ctl_one("db", "backup", copy)
    assert done["schema_version"] == schema.EARLIER
    assert site.ctl_one("--database", copy, "db", "status")["schema_version"] == schema.EARLIER
    assert site.ctl_one("db", "migrate")["applied"] == 1
    copy.unlink()


def test_backup_leaves_nothing_else(operator, world):
    before = {path.name for path in operator.site.directory.iterdir()}
    copy = operator.site.directory / "copy.db"
    operator.site.ctl("db", "backup", copy)
    after = {path.name for path in operator.site.directory.iterdir()}
    assert after - before == {"copy.db"}


def test_backup_replaces_no_file(operator):
    copy = operator.site.directory / "copy.db"
    copy.write_text("precious")
    operator.fails(73, "db", "backup", copy, says=[str(copy), "another name"])
    assert copy.read_text() == "precious"


def test_backup_into_a_missing_directory(operator):
    copy = operator.site.directory / "none" / "copy.db"
    operator.fails(73, "db", "backup", copy, says=f"cannot make {copy}: No such file")


def test_help_of_backup_keeps_the_key_file_apart(site):
    text = site.ctl("db", "backup", "--help", json=False)
    assert (
        "Keep the key file, too, but in another place: "
        "without it no key in the copy works.\n" in text
    )


def test_backup_does_not_wait_for_a_writer(operator, world):
    site = operator.site
    with open(f"{site.database}.lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        site.ctl("db", "backup", site.directory / "copy.db")


def test_database_without_permission(site):
    """A user without permission is told that the database exists, and why it cannot be read."""
    program = shutil.copy(CTL, site.directory / "crmnotesctl")
    stranger = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    site.data.chmod(0)
    try:
        done = subprocess.run(
            [program, "--config", site.config, "org", "list"],
            **stranger,
            capture_output=True,
            text=True,
            timeout=60,
            env=site.environment(),
            cwd="/",
        )
    finally:
        site.data.chmod(0o750)
    assert done.returncode == 69
    assert f"{site.database}: Permission denied" in done.stderr
