"""crmnotesctl beside other writers and readers."""

import fcntl
import os
import sqlite3
import subprocess

from support.family import waits_for_lock
from support.paths import CTL
from support.wait import wait_for


def start(site, *words):
    return subprocess.Popen(
        [CTL, "--config", site.config, "--json", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=site.environment(),
    )


def test_change_waits_for_the_write_lock(site):
    with open(f"{site.database}.lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = start(site, "org", "add", "X")
        wait_for(lambda: waits_for_lock(process.pid), "the command to wait for the lock", 20)
        assert site.ctl("org", "list") == []
        fcntl.flock(lock, fcntl.LOCK_UN)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert len(site.ctl("org", "list")) == 1


def test_writer_that_ignores_the_lock_is_a_reason_to_try_again(operator):
    connection = sqlite3.connect(operator.site.database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    operator.fails(75, "org", "add", "X", says="try again")
    connection.close()
    assert operator.site.ctl("org", "list") == []


def test_list_waits_for_nobody(site):
    site.add_org()
    with open(f"{site.database}.lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = sqlite3.connect(site.database, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM orgs")
        assert len(site.ctl("org", "list")) == 1
        connection.close()


def test_secret_is_awaited_without_holding_the_lock(site):
    member = site.add_member(site.add_org()["org_id"])["member_id"]
    process = start(site, "apikey", "issue", "--member", member, "--stdin")
    opened = f"/proc/{process.pid}/fd"
    wait_for(lambda: has_open(opened, f"{site.database}.lock"), "the lock file to be open", 20)
    site.add_org("meanwhile")
    out, _ = process.communicate("a-key-made-elsewhere\n", timeout=20)
    assert process.returncode == 0 and "a-key-made-elsewhere" in out


def has_open(directory, path):
    try:
        return path in {os.readlink(f"{directory}/{name}") for name in os.listdir(directory)}
    except OSError:
        return False


def test_many_changes_at_once_all_happen(site):
    processes = [start(site, "org", "add", f"org {i}") for i in range(12)]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 12
    assert len(site.ctl("org", "list")) == 12
