"""From a package file to a stored note and the status page in a browser, as README says it."""

import subprocess
import time

from support.host import commands
from support.package import PACKAGES, PackagedHost

LIMIT_S = 180
INIT = "crmnotesctl init --org 'Example Ltd' --member Ada --contact Grace --allow 127.0.0.1"


def shown_in_chromium(machine, url, directory):
    """The page as a browser on that machine shows it; its window is outside, its network inside."""
    command = ["nsenter", "--target", str(machine.leader), "--net", "chromium", "--headless", "--no-sandbox"]
    command += [f"--user-data-dir={directory}", "--disable-gpu", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_note_is_stored_and_the_status_page_shows_it_within_three_minutes(machine, tmp_path):
    began = time.monotonic()
    script = commands("README.md", "## Host")
    assert commands("docs/operating.md", "### The package") in script
    machine.shell(script, cwd=f"{PACKAGES}/this")
    call = machine.shell(INIT).rstrip().rpartition("\n")[2]
    assert call.startswith("curl ")
    assert '"status":"success"' in machine.shell(call)
    page = shown_in_chromium(machine, "http://127.0.0.1/status", tmp_path / "browser")
    assert "crmnotes is ready" in page and "A note could be stored now." in page
    assert time.monotonic() - began < LIMIT_S
    notes = PackagedHost(machine).ctl_one("status")["notes"]
    assert notes["created"] == 1
