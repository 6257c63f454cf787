"""The n-th call fails in crmnotesctl: it reports a failure, and the report is true."""

import errno
import sqlite3

import pytest

from faults.preload import SHORT_WRITE

# By sysexits.h: no database, internal, cannot create, I/O, try again, configuration.
FAILED = {69, 70, 73, 74, 75, 78}

IN_DOUBT = "look whether it was done"


class Bench:
    """A site with something to list, and crmnotesctl with faults."""

    def __init__(self, site, faults):
        self.site, self.faults = site, faults
        self.world = site.world()
        self.environment = site.environment(**faults.environment)

    def run(self, *words):
        done = self.site.ctl_raw(*words, env=self.environment)
        assert done.returncode >= 0, f"{words} was ended by signal {-done.returncode}"
        return done

    def orgs(self):
        return [org["org_name"] for org in self.site.ctl("org", "list")]


@pytest.fixture
def bench(site, faults):
    return Bench(site, faults)


def attempt(bench, words, **fault):
    """Runs it with that fault; None when the fault did not strike."""
    bench.faults.fail(**fault)
    done = bench.run(*words)
    struck = bench.faults.struck
    bench.faults.clear()
    if not struck:
        return None
    if done.returncode != 0:
        # SQLite's integrity check takes a lack of memory (its code 7) for damage
        of_memory = done.returncode == 65 and "error code=7" in done.stderr
        assert done.returncode in FAILED or of_memory, done
        assert done.stderr.startswith("crmnotesctl: ") and done.stderr.count("\n") == 1, done.stderr
    return done


COMMANDS = {
    "list": lambda b: ["--json", "contact", "list", "--org", b.world.org],
    "table": lambda b: ["contact", "list", "--org", b.world.org],
    "status": lambda b: ["--json", "db", "status"],
    "check": lambda b: ["db", "check"],
    "allow": lambda b: ["allow", "test", b.world.devkey_id, "127.0.0.1"],
    "blocks": lambda b: ["--json", "devkey", "list", "--org", b.world.org],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_memory(command, bench, dice, is_long, scale):
    words = COMMANDS[command](bench)
    good = bench.run(*words)
    counts = range(2000) if is_long else sorted({*range(0, 40, 3), *dice.sample(range(40, 1000), int(60 * scale))})
    struck = 0
    for after in counts:
        done = attempt(bench, words, operation="malloc", error=errno.ENOMEM, after=after)
        if done is None:
            break
        struck += 1
        if done.returncode == 0 and command in ("list", "blocks", "table", "status"):
            assert done.stdout == good.stdout or "out of memory" in done.stderr
    assert struck > 5
    bench.site.ctl("db", "check")


IO = [
    *[("write", "wal", error, after) for error in (errno.EIO, errno.ENOSPC, SHORT_WRITE) for after in (0, 1, 2, 5)],
    *[("sync", "wal", error, 0) for error in (errno.EIO, errno.ENOSPC)],
    *[("open", files, error, 0) for files in ("database", "wal") for error in (errno.EIO, errno.EMFILE)],
]


@pytest.mark.parametrize("lasting", [False, True])
def test_failing_io(bench, lasting):
    """What is reported as added is there; what is reported as failed is not, unless it is unknown."""
    added, in_doubt, struck = {"World"}, set(), 0
    for operation, files, error, after in IO:
        name = f"{operation} {files} {error} {after}"
        done = attempt(
            bench, ["org", "add", name],
            operation=operation, files=files, error=error, after=after, lasting=lasting,
        )  # fmt: skip
        struck += done is not None
        if done is None or done.returncode == 0:
            added.add(name)
        elif IN_DOUBT in done.stderr:
            in_doubt.add(name)
    assert struck > len(IO) / 2
    assert added <= set(bench.orgs()) <= added | in_doubt
    bench.site.ctl("db", "check")


def test_without_memory_there_is_always_a_whole_copy(bench):
    """What is not complete has not the name of a copy, and the former one goes only after it."""
    directory = bench.site.data
    bench.site.ctl("db", "backup", "--directory", directory)
    words = ["db", "backup", "--directory", directory, "--keep", "1"]
    struck = 0
    for after in [*range(0, 60, 7), *range(60, 1500, 83)]:
        if attempt(bench, words, operation="malloc", error=errno.ENOMEM, after=after) is None:
            break
        struck += 1
        copies = list(directory.glob("crmnotes-*Z.db"))
        assert copies
        for copy in copies:
            connection = sqlite3.connect(f"file:{copy}?immutable=1", uri=True)
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            connection.close()
    assert struck > 5
    bench.site.ctl("db", "restore", copies[0])
    assert bench.orgs() == ["World"]
