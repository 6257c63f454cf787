"""crmnotesctl db backup into a directory, and what is recorded of every backup."""

import json
import os
import re
import shutil
import stat
import subprocess
import time

import pytest

from support.paths import CTL
from support.site import Site, owner_of_sites
from support.wait import wait_for

NAME = re.compile(r"crmnotes-\d{8}T\d{6}Z\.db")
COLUMNS = ["schema_version", "backup", "size_bytes"]


@pytest.fixture
def copies(site):
    """A directory for copies, which the owner of the database may write."""
    path = site.directory / "copies"
    path.mkdir(0o750)
    owner = owner_of_sites()
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


def names(directory):
    """Of all files but the locks, sorted."""
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))


def back_up(site, directory, *more):
    return site.ctl_one("db", "backup", "--directory", directory, *more)


def copy_of(site, directory, *stamps):
    """Copies that were made at other times; their names."""
    made = back_up(site, directory)["backup"]
    found = [f"crmnotes-{stamp}.db" for stamp in stamps]
    for name in found:
        shutil.copy(made, directory / name)
    os.unlink(made)
    give_to_owner(directory)
    return found


def give_to_owner(directory):
    owner = owner_of_sites()
    for path in directory.iterdir():
        if owner:
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def record_of(site):
    path = site.data / "crmnotes.db.backup"
    return json.loads(path.read_text()) if path.exists() else None


def strace(site, *options):
    command = ["strace", "-f", "-o", site.directory / "strace.log", *options, CTL, "--config", site.config]
    # LeakSanitizer traces, too
    return command, {"env": site.environment(ASAN_OPTIONS="detect_leaks=0"), "cwd": site.directory}


def under_strace(site, options, *words):
    command, more = strace(site, *options)
    return subprocess.run([*command, *map(str, words)], **more, capture_output=True, text=True, timeout=60)


# The copy


def test_the_name_says_when_the_copy_was_made(site, copies):
    before = time.strftime("crmnotes-%Y%m%dT%H%M%SZ.db", time.gmtime())
    done = back_up(site, copies)
    after = time.strftime("crmnotes-%Y%m%dT%H%M%SZ.db", time.gmtime())
    assert list(done) == COLUMNS
    (name,) = names(copies)
    assert NAME.fullmatch(name) and before <= name <= after
    copy = copies / name
    assert done["backup"] == str(copy) and done["size_bytes"] == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_the_name_begins_with_that_of_the_database(site, copies):
    second = site.data / "second"
    site.ctl("db", "migrate", "--database", second)
    back_up(site, copies)
    back_up(site, copies, "--keep", 1, "--database", second)
    first, other = names(copies)
    assert NAME.fullmatch(first) and NAME.fullmatch(other.replace("second", "crmnotes"))


def test_a_copy_from_a_directory_is_restored(site, copies, world):
    copy = back_up(site, copies)["backup"]
    site.add_org("later")
    site.ctl("db", "restore", copy)
    assert [org["org_id"] for org in site.ctl("org", "list")] == [world.org]
    assert names(copies) == [os.path.basename(copy)]


def test_copies_of_the_same_second_have_names_of_their_own(site, copies):
    made = [back_up(site, copies)["backup"] for _ in range(3)]
    assert len(names(copies)) == 3
    assert made == sorted(made)


def test_a_copy_whose_notes_cannot_all_be_found_is_not_kept(operator, world):
    site = operator.site
    operator.add_notes(world, 3)
    operator.change("UPDATE notes SET previous = 0")
    copy = site.directory / "copy.db"
    operator.fails(65, "db", "backup", copy, says="not every note is in the chain of its contact")
    assert list(site.directory.glob("copy.db*")) == []


def test_a_damaged_database_costs_no_copy(operator, world, copies):
    """The former copies stay what they are: the last ones in order."""
    site = operator.site
    former = copy_of(site, copies, "20200101T000000Z")
    recorded = record_of(site)
    operator.add_notes(world, 3)
    operator.change("UPDATE notes SET previous = 0")
    operator.fails(65, "db", "backup", "--directory", copies, "--keep", "1", says="not every note")
    assert names(copies) == former
    assert record_of(site) == recorded


# Which copies are kept


def test_the_oldest_ones_beyond_the_number_are_removed(site, copies):
    former = copy_of(site, copies, "20200101T000000Z", "20191231T235959Z", "20200101T000001Z", "20190601T120000Z")
    done = back_up(site, copies, "--keep", 3)
    assert list(done) == [*COLUMNS, "removed"] and done["removed"] == 2
    assert names(copies) == [former[0], former[2], os.path.basename(done["backup"])]
    done = back_up(site, copies, "--keep", 1)
    assert done["removed"] == 3
    assert names(copies) == [os.path.basename(done["backup"])]


def test_without_a_number_all_of_them_stay(site, copies):
    former = copy_of(site, copies, "20200101T000000Z", "20200101T000001Z")
    back_up(site, copies)
    assert len(names(copies)) == 3 and names(copies)[:2] == former
    assert back_up(site, copies, "--keep", 4)["removed"] == 0


def test_the_new_copy_stays_though_the_clock_was_set_back(site, copies):
    former = copy_of(site, copies, "29990101T000000Z", "29990101T000001Z")
    made = back_up(site, copies, "--keep", 2)["backup"]
    assert names(copies) == [os.path.basename(made), former[1]]


OTHERS = [
    "crmnotes-20200101T000000Z.db.bak",
    "crmnotes-20200101T000000Z.db-wal",
    "crmnotes-20200101T000000Z",
    "crmnotes-20200101T000000z.db",
    "crmnotes-20200101 000000Z.db",
    "crmnotes-2020010T0000000Z.db",
    "crmnotes-old-20200101T000000Z.db",
    "xcrmnotes-20200101T000000Z.db",
    "crmnotes20200101T000000Z.db",
    "crmnotes.db-20200101T000000Z.db",
    "second-20200101T000000Z.db",
    "CrmNotes-20200101T000000Z.db",
    "crmnotes-20200101T000000Z.db.partial",
    "crmnotes-20200101T000000Z.db.x.partial",
    "crmnotes-20200101T000000Z.db.1.partial.db",
    "crmnotes-.1.partial",
    "copy.db.1.partial",
    "second-20200101T000000Z.db.1.partial",
]


def test_files_of_other_names_are_left_alone(site, copies):
    (copy,) = copy_of(site, copies, "20200101T000001Z")
    for name in OTHERS:
        shutil.copy(copies / copy, copies / name)
    (copies / "crmnotes-20200101T000002Z.db").mkdir()
    (copies / "crmnotes-20200101T000003Z.db").symlink_to(copy)
    (copies / "crmnotes-20200101T000003Z.db.1.partial").symlink_to(copy)
    give_to_owner(copies)
    before = names(copies)
    made = back_up(site, copies, "--keep", 1)
    assert made["removed"] == 1
    assert names(copies) == sorted({*before, os.path.basename(made["backup"])} - {copy})


@pytest.mark.parametrize("bytes_left", [0, 50, 4096, -1])
def test_a_file_that_is_no_whole_copy_counts_for_nothing(site, copies, bytes_left):
    """As when a transfer from elsewhere was cut off."""
    former = copy_of(site, copies, "20200101T000000Z", "20200101T000001Z", "20200101T000002Z")
    cut = copies / former[1]
    os.truncate(cut, bytes_left if bytes_left >= 0 else cut.stat().st_size - 1)
    done = site.ctl_raw("--json", "db", "backup", "--directory", copies, "--keep", 2)
    assert done.returncode == 0 and json.loads(done.stdout)["removed"] == 1
    assert done.stderr.startswith("crmnotesctl: 1 files in ") and former[1] in done.stderr
    assert names(copies)[:2] == former[1:] and len(names(copies)) == 3


def test_a_copy_that_cannot_be_removed_is_told_and_the_backup_is_made(site, copies):
    former = copy_of(site, copies, "20200101T000000Z", "20200101T000001Z")
    fault = ["-e", "trace=unlinkat", "-e", "inject=unlinkat:error=EPERM"]
    done = under_strace(site, fault, "db", "backup", "--directory", copies, "--keep", 1)
    assert done.returncode == 74
    assert "is complete, but: cannot remove" in done.stderr and former[1] in done.stderr
    assert len(names(copies)) == 3
    assert record_of(site)["backup"] == str(copies / names(copies)[-1])


def test_nothing_is_removed_before_the_new_copy_is_on_the_disk(site, copies):
    """The system calls in their order: copy, its name, the directory; then the oldest one."""
    (former,) = copy_of(site, copies, "20200101T000000Z")
    calls = "fsync,fdatasync,renameat2,unlinkat"
    done = under_strace(site, ["-y", "-e", f"trace={calls}"], "db", "backup", "--directory", copies, "--keep", 1)
    assert done.returncode == 0, done.stderr
    (name,) = names(copies)
    lines = [line for line in (site.directory / "strace.log").read_text().splitlines() if str(copies) in line]
    found = [re.search(rf"(\w+)\(.*?({re.escape(str(copies))}[^>\",]*|{former})", line).groups() for line in lines]
    partial = next(path for call, path in found if call == "renameat2")
    assert re.fullmatch(rf"{name}\.\d+\.partial", os.path.basename(partial))
    last = len(found) - 1 - [call for call, _ in reversed(found)].index("renameat2")
    assert found[last - 1] == ("fsync", partial)
    assert found[last + 1] == ("fsync", str(copies))
    assert [call for call, _ in found].index("unlinkat") > last + 1


# Interrupted, twice at a time, and without room


def test_leftovers_of_an_interrupted_backup_are_removed(site, copies):
    left = [f"crmnotes-20200101T000000Z.db.4711.partial{end}" for end in ("", "-journal", "-wal", "-shm")]
    for name in left:
        (copies / name).write_bytes(b"\0" * 8192)
    give_to_owner(copies)
    made = back_up(site, copies)
    assert names(copies) == [os.path.basename(made["backup"])]


@pytest.mark.parametrize("moment", ["pwrite64:signal=KILL:when=20", "fsync:signal=KILL", "renameat2:signal=KILL"])
def test_a_backup_that_is_killed_is_no_copy_and_the_next_one_cleans_up(site, copies, world, moment):
    former = copy_of(site, copies, "20200101T000000Z")
    recorded = record_of(site)
    words = ["db", "backup", "--directory", copies, "--keep", 1]
    done = under_strace(site, ["-e", f"inject={moment}"], *words)
    assert done.returncode not in (0, 73, 74), done.stderr
    left = [name for name in names(copies) if name not in former]
    assert left and not [name for name in left if NAME.fullmatch(name)]
    assert former[0] in names(copies) and record_of(site) == recorded
    made = site.ctl_one(*words)
    assert names(copies) == [os.path.basename(made["backup"])]


def test_a_second_backup_at_the_same_moment_is_refused_and_harms_nothing(operator, copies):
    site = operator.site
    command, more = strace(site, "-e", "inject=renameat2:delay_enter=5s")
    first = subprocess.Popen([*command, "db", "backup", "--directory", copies, "--keep", "1"], **more, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: list(copies.glob("*.partial")), "the first one to write", 20)
        unfinished = list(copies.glob("*.partial"))
        says = [str(copies), "try again when it is done"]
        operator.fails(75, "db", "backup", "--directory", copies, "--keep", "1", says=says)
        assert list(copies.glob("*.partial")) == unfinished
        assert first.wait(30) == 0
    finally:
        first.kill()
        first.wait()
    (name,) = names(copies)
    assert NAME.fullmatch(name)
    assert back_up(site, copies, "--keep", 2)["removed"] == 0


FULL = """
mount -t tmpfs -o size=400k none "$1"
cp -p "$2" "$1/"
chown --reference="$2" "$1"
cd "$1"
shift 2
"$@"
status=$?
ls -1
exit $status
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_costs_no_former_copy(site, copies, world, operator):
    operator.add_notes(world, 100, "many words of a note " * 100)
    former = shutil.move(back_up(site, copies)["backup"], site.directory)
    recorded = record_of(site)
    assert 200 * 1024 < os.stat(former).st_size < 380 * 1024, "one fits, two do not"
    words = [CTL, "--config", site.config, "db", "backup", "--directory", copies, "--keep", "1"]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", FULL, "sh", copies, former, *words],
        capture_output=True, text=True, timeout=60, env=site.environment(),
    )  # fmt: skip
    assert done.returncode == 69, done.stderr
    assert "cannot write the copy" in done.stderr and "full" in done.stderr
    assert done.stdout.split() == [os.path.basename(former)]
    assert record_of(site) == recorded


# How it is not used


def test_what_a_backup_needs(operator, copies):
    operator.fails(64, "db", "backup", says="give one of these: FILE, --directory")
    operator.fails(64, "db", "backup", "x", "--directory", copies, says="give only one: FILE, --directory")
    operator.fails(64, "db", "backup", "x", "--keep", "3", says="--keep needs --directory")
    operator.fails(65, "db", "backup", "--directory", copies, "--keep", "0", says="--keep")


def test_a_directory_is_no_file(operator, copies):
    says = f"{copies} is a directory: give the name of a file in it, or --directory {copies}"
    operator.fails(73, "db", "backup", copies, says=says)
    assert names(copies) == []


def test_a_directory_that_is_missing_or_none(operator, copies):
    none = copies / "none"
    says = f"cannot open the directory {none}: No such file or directory: make it first"
    operator.fails(73, "db", "backup", "--directory", none, says=says)
    none.write_text("precious")
    operator.fails(73, "db", "backup", "--directory", none, says="Not a directory")
    assert none.read_text() == "precious"


# The record of the last backup


@pytest.fixture
def backed_up(site, copies):
    """The answer of a backup into the directory."""
    return back_up(site, copies)


def status_of(site):
    status = site.ctl_one("db", "status")
    return [status[name] for name in ("backup_at", "backup", "backup_bytes")]


def test_status_shows_the_last_backup(site, copies):
    assert status_of(site) == [None, None, None]
    made = back_up(site, copies)
    at, path, size = status_of(site)
    stamp = re.search(r"\d{8}T\d{6}", made["backup"])[0]
    assert re.sub(r"[-:]", "", at).startswith(stamp) and at.endswith("Z")
    assert (path, size) == (made["backup"], made["size_bytes"])


def test_a_backup_to_a_file_is_recorded_by_its_absolute_path(site, copies):
    site.ctl("db", "backup", "copy.db")
    assert status_of(site)[1] == str(site.directory / "copy.db")
    back_up(site, copies)
    site.ctl("db", "backup", site.directory / "later.db")
    assert status_of(site)[1] == str(site.directory / "later.db"), "the last one counts"


def test_the_record_belongs_to_the_service_and_its_group_may_read_it(site, backed_up):
    path = site.data / "crmnotes.db.backup"
    info = path.stat()
    assert stat.S_IMODE(info.st_mode) == 0o640
    assert (info.st_uid, info.st_gid) == (site.data.stat().st_uid, site.data.stat().st_gid)
    assert record_of(site) == {
        "backup_at": status_of(site)[0],
        "backup": backed_up["backup"],
        "size_bytes": backed_up["size_bytes"],
    }


def test_a_backup_that_failed_is_not_recorded(operator, backed_up):
    recorded = record_of(operator.site)
    operator.fails(73, "db", "backup", backed_up["backup"], says="exists already")
    assert record_of(operator.site) == recorded


def test_a_backup_that_cannot_be_recorded_is_made_and_told(site, copies):
    done = under_strace(site, ["-e", "inject=rename:error=ENOSPC"], "db", "backup", "--directory", copies)
    assert done.returncode == 0
    assert "the backup is complete, but 'db status' will not show it: cannot write" in done.stderr
    assert len(names(copies)) == 1 and record_of(site) is None
    assert [path.name for path in site.data.iterdir() if "backup" in path.name] == []


def test_a_record_that_cannot_be_read_is_told(site, backed_up):
    (site.data / "crmnotes.db.backup").write_text("{}")
    done = site.ctl_raw("--json", "db", "status")
    assert done.returncode == 0 and json.loads(done.stdout)["backup_at"] is None
    assert "crmnotes.db.backup does not say when the last backup was made" in done.stderr


def test_after_a_restore_no_backup_is_known(site, backed_up):
    """The last one was made of the database that was replaced."""
    site.ctl("db", "restore", backed_up["backup"])
    assert status_of(site) == [None, None, None]


def test_a_restore_that_is_refused_leaves_the_record(operator, backed_up):
    site = operator.site
    recorded = record_of(site)
    operator.fails(65, "db", "restore", site.config, says="no database")
    assert record_of(site) == recorded


def test_a_copy_holds_no_record_of_another_machine(site, backed_up):
    """The record is beside the database and not in it: a restored one begins without."""
    with Site(migrate=False) as other:
        shutil.copy(site.key_file, other.key_file)
        other.give_to_owner()
        other.ctl("db", "restore", backed_up["backup"])
        assert status_of(other) == [None, None, None]
