"""crmnotesctl db restore."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from support import schema
from support.paths import CTL
from support.service import Service
from support.site import Site, owner_of_sites
from support.wait import wait_for

RESTORE = ["schema_version", "database", "restored", "kept", "size_bytes"]
STOP = "systemctl stop crmnotes.socket crmnotes.service"


def names(site):
    return [org["org_name"] for org in site.ctl("org", "list")]


def files(site):
    return {path.name for path in site.data.iterdir()}


def under_strace(site, words, inject, *options):
    return subprocess.run(
        ["strace", "-f", "-o", "/dev/null", *options, "-e", f"inject={inject}"]
        + [CTL, "--config", site.config, *words],
        env=site.environment(ASAN_OPTIONS="detect_leaks=0"),  # LeakSanitizer traces, too
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def copy(site, tmp_path):
    """
    A backup that has one organization; the database has one more since.

    That stands in its WAL only, as after a power cut.
    """
    site.add_org("before")
    path = tmp_path / "copy.db"
    site.ctl("db", "backup", path)
    wal = site.data / "crmnotes.db-wal"
    killed = under_strace(site, ["org", "add", "after"], "ftruncate:signal=KILL", "-P", wal)
    assert killed.returncode != 0 and wal.stat().st_size > 0
    return path


def test_the_copy_takes_the_databases_place_and_that_is_kept(site, copy):
    mode = site.database.stat().st_mode
    done = site.ctl_one("db", "restore", copy)
    assert list(done) == RESTORE
    assert done["database"] == str(site.database) and done["restored"] == str(copy)
    assert names(site) == ["before"]
    assert site.database.stat().st_mode == mode
    assert site.ctl_one("db", "check")["ok"] is True
    kept = done["kept"]
    assert kept.startswith(f"{site.database}.before-")
    orgs = sqlite3.connect(f"file:{kept}?mode=ro&immutable=1", uri=True)
    assert sorted(orgs.execute("SELECT name FROM orgs")) == [("after",), ("before",)], "by itself"
    orgs.close()
    site.ctl("db", "restore", kept)
    assert sorted(names(site)) == ["after", "before"]


def test_it_can_be_discarded(site, copy):
    before = files(site)
    assert site.ctl_one("db", "restore", "--discard", copy)["kept"] is None
    assert names(site) == ["before"]
    assert files(site) == before - {"crmnotes.db.backup"}, "that was one of the former database"


def test_it_is_in_the_audit_of_the_restored_database(site, copy):
    site.ctl("db", "restore", copy)
    last = site.ctl("audit", "list")[-1]
    assert last["action"] == "db restore" and last["detail"] == {"FILE": str(copy)}


def test_there_need_be_no_database(site, copy):
    for path in site.data.glob("crmnotes.db*"):
        if path != site.key_file:
            path.unlink()
    assert site.ctl_one("db", "restore", copy)["kept"] is None
    assert names(site) == ["before"]
    assert stat.S_IMODE(site.database.stat().st_mode) & 0o007 == 0


def test_the_old_wal_is_never_applied_to_the_copy(site, copy):
    wal = site.data / "crmnotes.db-wal"
    site.ctl("db", "restore", copy)
    assert not wal.exists()
    site.add_org("later")
    assert names(site) == ["before", "later"]


def test_a_damaged_database_is_replaced_and_kept_with_its_wal(site, copy):
    paths = (site.database, site.data / "crmnotes.db-wal")
    for path in paths:
        path.write_bytes(b"\x55" * path.stat().st_size)
    content = [path.read_bytes() for path in paths]
    kept = site.ctl_one("db", "restore", copy)["kept"]
    assert names(site) == ["before"]
    assert [Path(f"{kept}{end}").read_bytes() for end in ("", "-wal")] == content


def test_a_wal_that_cannot_be_written_into_its_database_is_no_reason_to_lose_it(operator, copy):
    """As on a full disk: nothing is replaced."""
    site = operator.site
    before = files(site)
    words = ["db", "restore", copy]
    done = under_strace(site, words, "pwrite64:error=ENOSPC:when=1+", "-P", site.database)
    assert done.returncode != 0 and "WAL" in done.stderr
    assert files(site) == before
    assert sorted(names(site)) == ["after", "before"]


@pytest.mark.parametrize("single", [False, True])
def test_it_refuses_while_a_service_runs(operator, copy, single):
    site = operator.site
    site.give_to_owner()
    with Service(site, single=single, listen="inherited" if single else "unix"):
        before = files(site)
        says = operator.fails(75, "db", "restore", copy, says=[str(site.database), STOP])
        assert "in use by" in says
        assert sorted(names(site)) == ["after", "before"]
        assert files(site) == before
    site.ctl("db", "restore", copy)
    assert names(site) == ["before"]


def test_it_refuses_while_a_service_runs_without_a_database(operator, copy):
    site = operator.site
    site.give_to_owner()
    with Service(site) as service:
        for path in site.data.glob("crmnotes.db"):
            path.unlink()
        operator.fails(75, "db", "restore", copy, says=["a running service", STOP])
        assert not site.database.exists()
        service.signal(signal.SIGTERM)
        service.process.wait(20)
        site.ctl("db", "restore", copy)


def test_it_names_a_process_that_uses_it(operator, copy):
    reader = sqlite3.connect(operator.site.database)
    reader.execute("SELECT count(*) FROM orgs").fetchone()
    operator.fails(75, "db", "restore", copy, says=f"in use by process {os.getpid()}")
    reader.close()
    operator.site.ctl("db", "restore", copy)


def test_nobody_can_use_the_database_meanwhile(site, copy):
    """A FIFO in the place of standard output keeps the command from ending."""
    with subprocess.Popen(
        ["strace", "-f", "-o", "/dev/null", "-e", "inject=sendfile:delay_enter=2000000"]
        + [CTL, "--config", site.config, "db", "restore", copy],
        stdout=subprocess.PIPE,
        text=True,
        env=site.environment(ASAN_OPTIONS="detect_leaks=0"),
    ) as process:
        wait_for(lambda: list(site.data.glob("*.tmp")), "the copy to be made", 20)
        other = sqlite3.connect(site.database, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("SELECT count(*) FROM orgs").fetchone()
        other.close()
        assert process.wait(20) == 0
    assert names(site) == ["before"]


def test_a_copy_of_another_key_file_is_refused(operator, copy):
    site = operator.site
    with Site() as other:
        other.key_file.unlink()
        other.ctl("db", "migrate")
        other.world()
        foreign = copy.with_name("foreign.db")
        other.ctl("db", "backup", foreign)
    operator.fails(78, "db", "restore", foreign, says=[str(site.key_file), str(foreign)])
    assert sorted(names(site)) == ["after", "before"]


def test_without_a_key_file_it_is_restored_with_a_remark(site, copy):
    site.key_file.unlink()
    done = site.ctl_raw("db", "restore", copy)
    assert done.returncode == 0 and f"there is no key file {site.key_file}" in done.stderr
    assert names(site) == ["before"]


def change(path, sql):
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript(sql)
    connection.close()


def test_an_earlier_schema_is_restored_and_migrate_is_named(site, copy):
    schema.go_back(copy)
    done = site.ctl_raw("--json", "db", "restore", copy)
    assert done.returncode == 0 and "run 'crmnotesctl db migrate'" in done.stderr
    assert site.ctl_one("db", "status")["schema_version"] == schema.EARLIER
    site.ctl("db", "migrate")
    assert names(site) == ["before"]


SPOILED = {
    "newer": (lambda path: change(path, "PRAGMA user_version = 99"), 78, "newer program"),
    "foreign": (lambda path: change(path, "PRAGMA application_id = 1"), 78, "another program"),
    "reference": (lambda path: change(path, "DELETE FROM orgs"), 65, "refers to a row"),
    "damaged": (lambda path: damage(path), 65, "damaged"),
    "text": (lambda path: path.write_text("no database"), 65, "is no database"),
    "cut": (lambda path: os.truncate(path, path.stat().st_size // 2), 65, ""),
    "missing": (lambda path: path.unlink(), 65, "No such file"),
    "directory": (lambda path: (path.unlink(), path.mkdir()), 65, "is no regular file"),
    "fifo": (lambda path: (path.unlink(), os.mkfifo(path)), 65, "is no regular file"),
    "wal": (lambda path: path.with_name(f"{path.name}-wal").write_text("x"), 65, "not complete"),
}


def damage(path):
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\x55" * 8192)


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_no_sound_copy_is_refused_and_nothing_is_changed(operator, copy, how):
    spoil, status, says = SPOILED[how]
    operator.site.add_member(operator.site.ctl("org", "list")[0]["org_id"])
    if how == "reference":
        with_member = copy.with_name("with member.db")
        operator.site.ctl("db", "backup", with_member)
        copy = with_member
    before = files(operator.site)
    spoil(copy)
    operator.fails(status, "db", "restore", copy, says=[str(copy), says])
    assert files(operator.site) == before
    assert sorted(names(operator.site)) == ["after", "before"]


def test_the_database_itself_is_no_copy(operator):
    site = operator.site
    link = site.directory / "link.db"
    link.symlink_to(site.database)
    for path in (site.database, link):
        operator.fails(65, "db", "restore", path, says="is the database itself")


def test_a_linked_database_is_replaced_where_it_is(site, copy):
    site.open_to_owner()
    real = site.directory / "real.db"
    shutil.move(site.database, real)
    shutil.move(f"{site.database}-wal", f"{real}-wal")
    site.database.symlink_to(real)
    kept = site.ctl_one("db", "restore", copy)["kept"]
    assert site.database.is_symlink() and kept.startswith(str(real))
    assert names(site) == ["before"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_by_root_it_is_the_services(site, copy):
    site.give_to_owner()
    owner = owner_of_sites()
    site.ctl("db", "restore", copy)
    info = site.database.stat()
    assert (info.st_uid, info.st_gid) == (owner.pw_uid, owner.pw_gid)


# The calls that change files.
STEPS = ["link", "rename", "unlink", "fsync", "fdatasync", "ftruncate", "pwrite64", "sendfile"]


def killed_at(site, copy, call, count):
    """Whether there was a count-th call of that kind."""
    status = under_strace(site, ["db", "restore", copy], f"{call}:signal=KILL:when={count}").returncode
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.parametrize("call", STEPS)
def test_killed_at_any_step_it_leaves_the_old_or_the_new_database_whole(site, copy, call):
    old = {path: path.read_bytes() for path in site.data.iterdir()}
    count, killed = 0, True
    while killed:
        count += 1
        killed = killed_at(site, copy, call, count)
        site.ctl("db", "check")
        assert sorted(names(site)) in (["before"], ["after", "before"])
        assert killed or names(site) == ["before"]
        for path in site.data.iterdir():
            path.unlink()
        for path, content in old.items():
            path.touch(0o600)
            path.write_bytes(content)
        site.give_to_owner()
    assert count > 1, "it makes such calls"
