"""crmnotesctl run as root: what the service's user can do with its directory gains it nothing."""

import os
import shutil
import subprocess
import sys

import pytest

from support.paths import CTL
from support.site import Site, owner_of_sites
from support.wait import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another user")

ENDINGS = ["", "-wal", "-shm", ".lock", ".key"]


@pytest.fixture
def root_only(tmp_path):
    """A directory of root, into which the service's user would like to write."""
    path = tmp_path / "root only"
    path.mkdir(0o700)
    return path


@pytest.fixture
def empty_site():
    with Site(migrate=False) as made:
        yield made


def owner(path):
    info = path.lstat()
    return info.st_uid, info.st_gid


def service_user():
    entry = owner_of_sites()
    return entry.pw_uid, entry.pw_gid


def assert_all_are_the_users(site):
    for path in site.data.iterdir():
        assert owner(path) == service_user(), path


def test_what_commands_make_beside_the_database_is_the_services(site):
    for command in (["org", "list"], ["org", "add", "X"], ["db", "status"], ["db", "check"]):
        for path in [site.data / f"crmnotes.db{end}" for end in ("-wal", "-shm", ".lock")]:
            path.unlink(missing_ok=True)
        site.ctl(*command)
        assert_all_are_the_users(site)


def test_a_backup_is_the_services_in_its_directory_and_roots_in_roots(site, root_only):
    site.ctl("db", "backup", site.data / "copy.db")
    assert_all_are_the_users(site)
    site.ctl("db", "backup", root_only / "copy.db")
    assert owner(root_only / "copy.db") == (0, 0)
    assert [path.name for path in root_only.iterdir()] == ["copy.db"]


def test_a_restored_database_is_the_services_wherever_the_copy_is(site, root_only):
    for place in (root_only, site.data):
        site.ctl("db", "backup", place / "copy.db")
        site.ctl("db", "restore", place / "copy.db")
        assert_all_are_the_users(site)


def test_a_key_file_in_a_directory_of_root_is_the_services(empty_site):
    key_file = empty_site.directory / "key"
    assert owner(empty_site.directory) == (0, 0)
    empty_site.configure(secret_key_file=key_file)
    empty_site.ctl("db", "migrate")
    assert owner(key_file) == service_user()


def test_a_key_file_of_root_in_a_directory_of_root_is_used(site, root_only):
    """Such as one that systemd hands to the service as a credential."""
    key_file = site.directory / "key"
    shutil.copy(site.key_file, key_file)
    os.chown(key_file, 0, 0)
    site.key_file.unlink()
    site.configure(secret_key_file=key_file)
    world = site.world()
    assert site.ctl_one("db", "status")["secret_key"] == "right"
    assert site.ctl_one("db", "check")["ok"] is True
    site.ctl("db", "backup", root_only / "copy.db")
    site.ctl("db", "restore", root_only / "copy.db")
    assert site.ctl_one("db", "migrate")["secret_key_created"] is False
    site.issue_apikey(world.member)
    assert_all_are_the_users(site)


def test_a_link_to_a_key_file_of_root_is_not_followed(site, root_only):
    """The service's user could have put it into the database's directory."""
    shutil.move(site.key_file, root_only / "key")
    site.key_file.parent.joinpath("link").symlink_to(root_only)
    site.configure(secret_key_file=site.data / "link/key")
    assert site.ctl_one("db", "status")["secret_key"] == "unusable"


@pytest.mark.parametrize("end", ENDINGS)
def test_links_in_the_databases_directory_make_nothing_elsewhere(empty_site, root_only, end):
    site = empty_site
    link = site.data / f"crmnotes.db{end}"
    link.symlink_to(root_only / "made")
    for words in (["db", "migrate"], ["org", "add", "X"], ["db", "status"]):
        site.ctl_raw(*words)
    assert list(root_only.iterdir()) == []


@pytest.mark.parametrize("end", ENDINGS[1:])
def test_hard_links_there_give_no_file_away(empty_site, root_only, end):
    """The kernel forbids them by default (fs.protected_hardlinks)."""
    victim = root_only / "victim"
    victim.write_bytes(b"precious")
    victim.chmod(0o600)
    os.link(victim, empty_site.data / f"crmnotes.db{end}")
    empty_site.ctl_raw("db", "migrate")
    assert owner(victim) == (0, 0) and victim.read_bytes() == b"precious"


@pytest.mark.parametrize("words", [["db", "migrate"], ["db", "restore", "COPY"]])
def test_a_link_instead_of_the_directory_makes_nothing_where_it_leads(site, root_only, words):
    copy = root_only.parent / "copy.db"
    site.ctl("db", "backup", copy)
    site.open_to_owner()
    site.data.rename(site.directory / "away")
    site.data.symlink_to(root_only)
    done = site.ctl_raw(*[copy if word == "COPY" else word for word in words])
    assert done.returncode != 0
    assert list(root_only.iterdir()) == []


def test_a_link_to_a_file_of_root_is_not_restored(site, root_only):
    site.ctl("db", "backup", root_only / "copy.db")
    link = site.data / "copy.db"
    link.symlink_to(root_only / "copy.db")
    os.lchown(link, *service_user())
    before = {path.name for path in site.data.iterdir()}
    done = site.ctl_raw("db", "restore", link)
    assert done.returncode == 74 and "Permission denied" in done.stderr
    assert {path.name for path in site.data.iterdir()} == before


def test_a_link_to_a_directory_of_root_gets_no_backup(site, root_only):
    link = site.data / "backups"
    link.symlink_to(root_only)
    os.lchown(link, *service_user())
    assert site.ctl_raw("db", "backup", link / "copy.db").returncode == 73
    assert list(root_only.iterdir()) == []


def test_backups_in_a_directory_are_the_services_there_and_roots_in_roots(site, root_only):
    for directory in (site.data / "copies", root_only):
        directory.mkdir(exist_ok=True)
    os.chown(site.data / "copies", *service_user())
    for place in (site.data / "copies", root_only):
        for _ in range(2):
            site.ctl("db", "backup", "--directory", place, "--keep", "1")
        assert {owner(path) for path in place.iterdir()} == {owner(place)}
        assert sorted(path.name[:9] for path in place.iterdir()) == [".crmnotes", "crmnotes-"]
    assert_all_are_the_users(site)


@pytest.mark.parametrize("name", [".crmnotes.lock", "crmnotes.db.backup"])
def test_links_in_the_way_of_a_backup_make_nothing_elsewhere(site, root_only, name):
    link = site.data / name
    link.symlink_to(root_only / "made")
    os.lchown(link, *service_user())
    site.ctl_raw("db", "backup", "--directory", site.data)
    assert list(root_only.iterdir()) == []


def test_a_link_to_a_directory_of_root_gets_no_backups_and_loses_none(site, root_only):
    site.ctl("db", "backup", "--directory", root_only)
    before = sorted(root_only.iterdir())
    link = site.data / "copies"
    link.symlink_to(root_only)
    os.lchown(link, *service_user())
    assert site.ctl_raw("db", "backup", "--directory", link, "--keep", "1").returncode == 73
    assert sorted(root_only.iterdir()) == before


RACE = """
import os, sys
directory, target = sys.argv[1:]
print("ready", flush=True)
while True:
    for name in os.listdir(directory):
        if not name.startswith(("copy", "crmnotes-", "crmnotes.db.")) or name.endswith((".lock", ".key")):
            continue
        path = os.path.join(directory, name)
        try:
            if not os.path.islink(path):
                os.unlink(path)
                os.symlink(os.path.join(target, name), path)
        except OSError:
            pass
"""


def attack(site, root_only, *words):
    """Runs the command while the service's user puts links in place of what it makes."""
    racer = subprocess.Popen(
        [sys.executable, "-c", RACE, site.data, root_only],
        user=service_user()[0],
        group=service_user()[1],
        extra_groups=[],
        stdout=subprocess.PIPE,
        cwd="/",
    )
    try:
        assert racer.stdout.readline() == b"ready\n"
        for _ in range(4):
            slow = ["strace", "-f", "-o", "/dev/null", "-e", "inject=close:delay_exit=20000"]
            subprocess.run(
                [*slow, CTL, "--config", site.config, *words],
                env=site.environment(ASAN_OPTIONS="detect_leaks=0"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
            )
            assert list(root_only.iterdir()) == []
            for path in site.data.iterdir():
                assert owner(path) == service_user(), path
    finally:
        racer.kill()
        racer.wait()
        racer.stdout.close()


def test_a_race_for_a_backup_makes_nothing_elsewhere(site, root_only):
    site.add_org()
    attack(site, root_only, "db", "backup", site.data / "copy.db")


def test_a_race_for_a_backup_in_a_directory_makes_nothing_elsewhere(site, root_only):
    site.add_org()
    attack(site, root_only, "db", "backup", "--directory", site.data, "--keep", "1")


def test_a_race_for_a_restore_makes_nothing_elsewhere(site, root_only, tmp_path):
    site.ctl("db", "backup", tmp_path / "copy.db")
    attack(site, root_only, "db", "restore", "--discard", tmp_path / "copy.db")


def test_only_the_effective_ids_change(site):
    """So no process of the service's user can signal, trace, or read the command."""
    process = subprocess.Popen(
        [CTL, "--config", site.config, "apikey", "issue", "--stdin", "--member", site_member(site)],
        stdin=subprocess.PIPE,
        env=site.environment(),
    )
    try:
        uids = wait_for_uids(process.pid)
        assert uids == ["0", str(service_user()[0]), "0", str(service_user()[0])]
        kill = [sys.executable, "-c", f"import os; os.kill({process.pid}, 15)"]
        done = subprocess.run(
            kill, user=service_user()[0], group=service_user()[1], extra_groups=[], stderr=-3, cwd="/"
        )
        assert done.returncode != 0 and process.poll() is None
    finally:
        process.kill()
        process.communicate()


def site_member(site):
    return site.add_member(site.add_org()["org_id"])["member_id"]


def wait_for_uids(pid):
    def uids():
        with open(f"/proc/{pid}/status") as status:
            found = next(line.split()[1:] for line in status if line.startswith("Uid:"))
        return found if found[0] != found[1] else None

    return wait_for(uids, "the command to act as the service's user", 20)
