"""conf/apparmor, by AppArmor's own parser; no kernel that enforces it is needed."""

import subprocess

from support.paths import CONF


def parse(text):
    return subprocess.run(
        ["apparmor_parser", "--skip-kernel-load", "--skip-cache"], input=text, capture_output=True, text=True, timeout=60
    )


def test_the_profile_parses():
    done = parse((CONF / "apparmor").read_text())
    assert done.returncode == 0, done.stderr


def test_a_mistake_in_it_would_be_noticed():
    text = (CONF / "apparmor").read_text()
    assert text.count("capability chown,") == 1
    assert parse(text.replace("capability chown,", "capability chwon,")).returncode != 0


def test_it_is_for_the_program_that_the_unit_starts():
    unit = (CONF / "crmnotes.service").read_text()
    assert "ExecStart=/usr/lib/crmnotes/crmnotes.fcgi\n" in unit
    assert "profile crmnotes /usr/lib/crmnotes/crmnotes.fcgi " in (CONF / "apparmor").read_text()
