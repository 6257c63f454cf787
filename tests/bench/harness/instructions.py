"""
Instructions a request, counted by callgrind. They repeat within two percent, so a change of a
few percent more is a change of the program; instructions.json keeps what they were.

The service is run twice, for N and for 2 N requests; the difference is what N requests cost,
without start and end. The count depends on compiler, libraries and what the processor can
(libsodium and libc choose by that), so numbers are compared only where all of these agree.
"""

import concurrent.futures
import json
import os
import re
import shutil

from support import fastcgi, processes
from support.paths import BUILD, SERVICE, SOURCE
from support.site import Site
from support.wait import wait_for

from harness import machine, population
from harness.subjects import encoded, succeeded

FILE = SOURCE / "tests" / "bench" / "instructions.json"
REQUESTS = 300
MEMBER_CONTACTS = population.CONTACTS
ROOM = 0.05
PACKAGES = (
    "libfcgi0ldbl", "libjson-c5", "libsqlite3-0", "libsodium23", "libinih1", "libmaxminddb0", "libc6", "valgrind",
)  # fmt: skip


def versions():
    """All that the count depends on besides our own sources."""
    makefile = (BUILD / "Makefile").read_text()

    def variable(name):
        found = re.search(rf"^{name} = (.*)$", makefile, re.M)
        return found[1].strip() if found else ""

    return {
        "compiler": machine.output(variable("CC").split()[0] or "cc", "--version").partition("\n")[0],
        "cflags": f"{variable('CFLAGS')} {variable('HARDENING_CFLAGS')} {variable('HARDENING_CPPFLAGS')}",
        "avx2": machine.has_flag("avx2"),
        "packages": machine.package_versions(PACKAGES),
    }


def _exchange(address, bodies):
    """
    Sends the bodies one after the other over one kept connection, each request at once, as
    nginx does: the count would depend on how many pieces arrive together.
    """
    with fastcgi.Connection(address, timeout=60) as connection:
        for body in bodies:
            connection.send(fastcgi.whole_request(body, keep=True))
            response = connection.read_response()
            assert succeeded(response), response.stdout


def _count(requests, update, pool):
    """
    Instructions of whole lives that serve that many requests: {"single": n} of a process by
    itself, or {"worker": n, "writer": n} of a pool of one worker.
    """
    with Site() as site:
        population.fill(site)
        # The contacts of one member: what a caller's first request costs cancels out.
        contacts = [population.Contact(n % MEMBER_CONTACTS) for n in range(requests)]
        bodies = [encoded(c.body("x" * population.NOTE_BYTES, update)) for c in contacts]
        program = site.directory / SERVICE.name
        shutil.copy(SERVICE, program)
        process = processes.start(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={site.directory}/callgrind.%p",
             program, "--config", site.config, *(["--workers", "1"] if pool else ["--single"])],
            log=site.directory / "valgrind.log",
            env=site.environment(CRMNOTES_SANDBOX="no"),  # valgrind loads code that it makes
            cwd=site.directory,
        )  # fmt: skip
        try:
            wait_for(lambda: _listens(process, site.socket), "the service under valgrind", 60)
            before = population.stored(site.database)[update]
            _exchange(site.socket, bodies)
            assert population.stored(site.database)[update] - before == requests
        finally:
            processes.stop(process, seconds=60)
        if not pool:
            return {"single": _total(site.directory / f"callgrind.{process.pid}")}
        files = [file for file in site.directory.glob("callgrind.*") if _total(file)]
        return {role: _total(_of_role(files, role)) for role in ("worker", "writer")}


def _total(file):
    found = re.search(r"^(?:summary|totals): (\d+)", file.read_text(), re.M)
    return int(found[1]) if found else 0


def _of_role(files, role):
    """The file of the process that ran the role's main function."""
    found = [file for file in files if re.search(rf"^c?fn=\(\d+\) {role}_run$", file.read_text(), re.M)]
    assert len(found) == 1, f"{len(found)} processes ran {role}_run"
    return found[0]


def _listens(process, path):
    assert process.poll() is None, "the service under valgrind ended"
    try:
        fastcgi.connect(path).close()
        return True
    except OSError:
        return False


def count():
    """Instructions a request, by who and what; counted side by side, which changes none of them."""
    found = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        lives = [
            (what, [threads.submit(_count, n * REQUESTS, update, pool) for n in (1, 2)])
            for what, update in (("create", False), ("update", True))
            for pool in (False, True)
        ]
        for what, counts in lives:
            once, twice = (count.result() for count in counts)
            for role in once:
                found[f"{role}, {what}"] = round((twice[role] - once[role]) / REQUESTS)
    return found


def measure(record=False, show=print):
    """Counts, and compares with the file or writes it. result["failed"]: more than there is room for."""
    now = {"versions": versions(), "requests": REQUESTS, "instructions": count()}
    known = json.loads(FILE.read_text()) if FILE.exists() else {"versions": None, "instructions": {}}
    same = known["versions"] == now["versions"]
    failed = []
    for name, number in now["instructions"].items():
        was = known["instructions"].get(name)
        change = f"{number / was - 1:+.1%} against {FILE.name}" if was else "not known yet"
        show(f"{name}: {number:,} instructions a request ({change})")
        if same and was and number > was * (1 + ROOM):
            failed.append(name)
        if same and was and number < was * (1 - ROOM) and not record:
            show(f"    better: tests/bench/run --record writes {FILE.name} anew")
    if not same and not record:
        show("    other versions of compiler, libraries or processor: printed, not compared")
    if record:
        FILE.write_text(json.dumps(now, indent=4) + "\n")
    elif failed:
        show(f"    FAILED: over {ROOM:.0%} more: {', '.join(failed)}. If that is meant: tests/bench/run --record")
    return {**now, "compared": same, "failed": [] if record else failed}
