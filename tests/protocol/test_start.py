"""Key, database and log must be usable when the service starts."""

import json
import sqlite3

import pytest

from support.family import CANTCREAT, CONFIG, UNAVAILABLE, assert_fails, run
from support.site import Site


def test_a_missing_database():
    with Site(migrate=False) as site:
        site.key_file.write_bytes(bytes(32))
        site.key_file.chmod(0o600)
        assert_fails(run(site), CONFIG, site.database, "crmnotesctl db migrate")
        assert not site.database.exists()


def test_a_missing_key():
    with Site() as site:
        site.key_file.unlink()
        assert_fails(run(site), CONFIG, site.key_file, "crmnotesctl db migrate")
        assert not site.key_file.exists()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length(size):
    with Site() as site:
        site.key_file.write_bytes(bytes(size))
        assert_fails(run(site), CONFIG, site.key_file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read(site, mode):
    site.key_file.chmod(mode)
    assert_fails(run(site), CONFIG, site.key_file, "600")


def test_a_file_that_is_no_database():
    with Site(migrate=False) as site:
        site.ctl("db", "migrate")
        for name in site.data.glob("crmnotes.db-*"):
            name.unlink()
        site.database.write_bytes(b"no database at all " * 1000)
        done = run(site)
        assert (done.returncode, done.stdout) == (UNAVAILABLE, "")
        *logged, complaint = done.stderr.splitlines()
        assert f"{site.database} is not an SQLite database" in complaint
        assert [json.loads(line)["event"] for line in logged] == ["sqlite"]


def set_version(site, version):
    connection = sqlite3.connect(site.database)
    try:
        before = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version={version(before)}")
    finally:
        connection.close()


@pytest.mark.parametrize("version", [lambda now: now + 1, lambda now: 1_000_000], ids=["next", "far"])
def test_a_newer_schema_is_refused(version):
    with Site() as site:
        set_version(site, version)
        done = run(site)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
        assert "newer" in done.stderr and "db migrate" not in done.stderr
        assert not site.socket.exists()


def test_an_older_schema_is_refused_and_the_cure_named():
    with Site() as site:
        set_version(site, lambda now: now - 1)
        done = run(site)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
        assert "crmnotesctl db migrate" in done.stderr
        assert not site.socket.exists()


@pytest.mark.parametrize("application_id", [0, 5])
def test_somebody_elses_database_is_refused(application_id):
    with Site() as site:
        for path in site.data.glob("crmnotes.db*"):
            if path != site.key_file:
                path.unlink()
        connection = sqlite3.connect(site.database)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA application_id={application_id}")
        connection.execute("CREATE TABLE songs (title TEXT)")
        connection.commit()
        connection.close()
        done = run(site)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
        assert str(site.database) in done.stderr or "database" in done.stderr


def test_a_log_that_cannot_be_opened():
    with Site(options={"log": "/no/such/x.log"}) as site:
        assert_fails(run(site), CANTCREAT, "/no/such/x.log")
        assert not site.socket.exists()


def test_a_log_file_is_not_a_symbolic_link():
    with Site() as site:
        target = site.directory / "target"
        (site.directory / "x.log").symlink_to(target)
        site.configure(log=site.directory / "x.log")
        done = run(site)
        assert (done.returncode, done.stdout) == (73, "")
        assert "x.log is a symbolic link: name the file that it leads to" in done.stderr
        assert not target.exists()
