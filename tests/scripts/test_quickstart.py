"""quickstart stores a note, says what it installs, and what it leaves behind."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from support import processes
from support.paths import CONF, CTL, SERVICE, SOURCE

INSTALL_PACKAGES = """#!/bin/bash
[ "$1" = --missing ] || { echo "APT RUNS"; exit; }
printf '%s\\n' $MISSING
"""


@pytest.fixture
def clone(tmp_path):
    """A directory with quickstart where all is built, and with nothing to be installed by apt."""
    clone = tmp_path / "clone"
    (clone / "tests").mkdir(parents=True)
    for file in (SOURCE / "quickstart", SERVICE, CTL):
        shutil.copy(file, clone)
    shutil.copytree(CONF, clone / "conf")
    (clone / "Makefile").write_text("all crmnotes.fcgi crmnotesctl:\n\ttrue\n")
    (clone / "tests/install-packages").write_text(INSTALL_PACKAGES)
    (clone / "tests/install-packages").chmod(0o755)
    yield clone
    assert processes.mentioning(clone) == []


def quickstart(clone, missing=""):
    done = subprocess.run(
        [clone / "quickstart", "--once"],
        env={"PATH": "/usr/bin:/bin", "MISSING": missing},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_note_is_stored_and_what_is_left_is_told(clone):
    said = quickstart(clone)
    answer, _, left = said.partition("Left behind:")
    assert '"status":"success"}' in answer
    assert str(clone / "quickstart.d") in left and "no packages" in left
    assert (clone / "quickstart.d").is_dir()


def test_packages_are_named_before_they_are_installed_and_at_the_end(clone):
    said = quickstart(clone, missing="nginx curl")
    before, _, after = said.partition("APT RUNS")
    assert "will be installed" in before and "nginx curl" in before
    assert "nginx curl" in after.partition("Left behind:")[2]
    assert "nginx curl" in quickstart(clone).partition("Left behind:")[2], "forgotten by the second run"


@contextlib.contextmanager
def running(clone):
    """quickstart until Ctrl-C, with what it says on a pipe."""
    started = subprocess.Popen(
        [clone / "quickstart"],
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # a shell in the background ignores Ctrl-C, and so does what it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield started.stdout
    finally:
        started.send_signal(signal.SIGINT)
        said, _ = started.communicate(timeout=30)
    assert started.returncode == 0, said


def test_the_reference_is_where_it_says_and_the_secret_leads_to_all_else(clone):
    with running(clone) as said:
        page = next(line.strip() for line in said if re.fullmatch(r"http://127\.0\.0\.1:\d+/.*/docs/\n", line))
        with urllib.request.urlopen(page.partition("/apis/")[0] + "/ready", timeout=20) as answer:
            assert json.load(answer) == {"ready": True}
        with urllib.request.urlopen(page, timeout=20) as answer:
            assert b"<title>API reference</title>" in answer.read()
        request = json.loads((clone / "quickstart.d/request.json").read_text())
        secret = json.dumps({"developer_secret": request["developer_secret"]}).encode()
        identifiers = page.replace("/docs/", "/developers/fetchIdentifiers")
        with urllib.request.urlopen(identifiers, secret, timeout=20) as answer:
            data = json.load(answer)["data"]
        assert (data["api_key"], data["org_id"]) == (request["api_key"], request["org_id"])
