"""A key file that is not the one that the database's keys were made with."""

import json
import shutil

import pytest


@pytest.fixture
def wrong(operator, world):
    """The operator of a site whose key file was replaced by another."""
    operator.right = operator.site.key_file.read_bytes()
    operator.site.key_file.write_bytes(b"k" * 32)
    operator.names = [str(operator.site.key_file), str(operator.site.database)]
    return operator


def mark(operator):
    return operator.rows("SELECT hex(mark) AS mark FROM key_mark")


def test_every_command_that_hashes_refuses_it(wrong, world):
    says = [*wrong.names, "is not the one", "put that one back"]
    before = wrong.rows("SELECT hex(hash) AS hash FROM api_keys UNION SELECT hex(hash) FROM developer_keys")
    for words in (
        ("apikey", "issue", "--member", world.member),
        ("apikey", "rotate", world.apikey_id),
        ("devkey", "issue", "--org", world.org, "X", "--allow", "10.0.0.0/8"),
        ("devkey", "rotate", world.devkey_id, "--grace", "0"),
        ("db", "migrate"),
        ("db", "check"),
    ):
        wrong.fails(78, *words, says=says)
    after = wrong.rows("SELECT hex(hash) AS hash FROM api_keys UNION SELECT hex(hash) FROM developer_keys")
    assert after == before


def test_status_reports_it(wrong):
    done = wrong.site.ctl_raw("--json", "db", "status")
    assert done.returncode == 0
    assert json.loads(done.stdout)["secret_key"] == "wrong"
    assert json.loads(done.stdout)["members"] == 2
    for part in (*wrong.names, "is not the one"):
        assert part in done.stderr


def test_what_needs_no_hash_goes_on(wrong, world):
    for words in (
        ("apikey", "list", "--org", world.org),
        ("apikey", "revoke", world.apikey_id),
        ("allow", "add", world.devkey_id, "10.0.0.0/8"),
        ("member", "list", "--org", world.org),
    ):
        assert wrong.site.ctl(*words)


def test_with_the_right_file_everything_is_well_again(wrong, world):
    wrong.site.key_file.write_bytes(wrong.right)
    assert wrong.site.ctl_one("db", "check")["secret_key"] == "right"
    assert wrong.site.ctl_one("db", "status")["secret_key"] == "right"
    assert wrong.site.ctl_one("apikey", "rotate", world.apikey_id)


def test_check_fails_without_a_file_that_can_be_used(operator, world):
    operator.site.key_file.chmod(0o644)
    operator.fails(78, "db", "check", says=f"chmod 600 {operator.site.key_file}")
    operator.site.key_file.unlink()
    operator.fails(78, "db", "check", says=f"there is no key file {operator.site.key_file}: put it back")


def test_file_that_is_missing_is_remarked_on(operator, world):
    operator.site.key_file.unlink()
    done = operator.site.ctl_raw("--json", "db", "status")
    remark = f"crmnotesctl: there is no key file {operator.site.key_file}: put it back, "
    assert done.returncode == 0 and json.loads(done.stdout)["secret_key"] == "missing"
    assert done.stderr == remark + "without it no key works\n"


def test_file_that_cannot_be_used_is_remarked_on(operator, world):
    operator.site.key_file.chmod(0o644)
    done = operator.site.ctl_raw("--json", "db", "status")
    assert done.returncode == 0 and json.loads(done.stdout)["secret_key"] == "unusable"
    assert f"chmod 600 {operator.site.key_file}" in done.stderr


def test_migrate_needs_a_file_that_it_can_use(operator, world):
    operator.site.key_file.chmod(0o644)
    operator.fails(78, "db", "migrate", says=f"chmod 600 {operator.site.key_file}")


def test_status_of_another_schema_says_nothing_of_it(operator):
    operator.change("PRAGMA user_version=2")
    done = operator.site.ctl_raw("--json", "db", "status")
    assert json.loads(done.stdout)["secret_key"] is None
    assert "schema" in done.stderr and "key file" not in done.stderr


def test_database_without_a_mark_gets_one_from_migrate(operator, world):
    """As after a migration that was interrupted before the key file was made."""
    before = mark(operator)
    operator.change("DELETE FROM key_mark")
    says = ["does not know the key file", "crmnotesctl db migrate"]
    operator.fails(78, "db", "check", says=says)
    operator.site.ctl("db", "migrate")
    assert mark(operator) == before
    last = operator.rows("SELECT action FROM audit ORDER BY at DESC, audit_id DESC LIMIT 1")
    assert last == [{"action": "db migrate"}]
    assert operator.site.ctl_one("db", "check")["secret_key"] == "right"


def test_database_without_a_mark_gets_one_where_it_is_needed_first(operator, world):
    before = mark(operator)
    for words in (("apikey", "rotate", world.apikey_id), ("apikey", "issue", "--member", world.member)):
        operator.change("DELETE FROM key_mark")
        operator.site.ctl_one(*words)
        assert mark(operator) == before


def test_new_key_file_while_there_are_no_keys_is_taken(operator):
    site = operator.site
    org = site.add_org()["org_id"]
    member = site.add_member(org)["member_id"]
    before = mark(operator)
    site.key_file.unlink()
    assert site.ctl_one("db", "migrate")["secret_key_created"] is True
    assert mark(operator) != before
    assert site.issue_apikey(member)
    assert site.ctl_one("db", "check")["secret_key"] == "right"


def test_lost_key_file_can_be_replaced_when_all_keys_are_revoked(operator, world):
    """The notes are still there, and new keys can be issued."""
    site = operator.site
    site.key_file.unlink()
    operator.fails(78, "db", "migrate", says=["restore it from a backup", "revoke all keys"])
    site.ctl("apikey", "revoke", world.apikey_id)
    operator.fails(78, "db", "migrate", says="revoke all keys")
    site.ctl("devkey", "revoke", world.devkey_id)
    assert site.ctl_one("db", "migrate")["secret_key_created"] is True
    assert site.issue_apikey(world.member) and site.issue_devkey(world.org, "10.0.0.0/8")
    assert site.ctl_one("db", "check")["secret_key"] == "right"


def test_backup_moves_with_its_key_file(operator, world):
    """To another place, and under other names."""
    site = operator.site
    copy = site.directory / "moved.db"
    site.ctl("db", "backup", copy)
    shutil.copy(site.key_file, f"{copy}.key")
    moved = ("--database", copy)
    assert site.ctl_one(*moved, "db", "check")["secret_key"] == "right"
    assert site.ctl_one(*moved, "devkey", "rotate", world.devkey_id)
    copy.with_name("moved.db.key").write_bytes(b"k" * 32)
    operator.fails(78, *moved, "db", "check", says=[str(copy), f"{copy}.key"])
