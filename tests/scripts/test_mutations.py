"""tests/mutations/run tells tests that notice from tests that do not, on a project of scripts."""

import json
import os
import shutil
import subprocess

import pytest

from support.paths import SOURCE

FILES = ["Makefile.am", "configure.ac", "lib/one.c", "lib/two.c", "configure"]

# The "compiler" only examines the syntax.
CONFIGURE = """#!/bin/sh
cat >Makefile <<'END'
lib/libbase.a app/libapp.a:
tests/unit/test_%: ../source/lib/%.c FORCE
	mkdir -p tests/unit && sh -n $< && cp $< $@ && chmod +x $@
FORCE:
END
"""
PROGRAM = """#!/bin/sh
answer=42
unused=1
[ $answer = 42 ] ||
    exit 1
"""


class Project:
    def __init__(self, root):
        self.root = root
        self.write("tests/files", "#!/bin/sh\nprintf '%s\\n' " + " ".join(FILES) + "\n", 0o755)
        for name in FILES:
            self.write(name, PROGRAM if name.startswith("lib/") else "")
        self.write("configure", CONFIGURE, 0o755)
        (root / "tests/mutations").mkdir()
        shutil.copy(SOURCE / "tests/mutations/run", root / "tests/mutations")

    def write(self, name, text, mode=0o644):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)
        (self.root / name).chmod(mode)

    def run(self, *changes, options=()):
        """Mutations of lib/one.c from one text to another; the exit status and what was said."""
        rows = [
            {"breaks": f"it breaks {number}", "file": "lib/one.c", "old": old, "new": new, "test": "one"}
            for number, (old, new) in enumerate(changes)
        ]
        tables = ("".join(f"{name} = {json.dumps(text)}\n" for name, text in row.items()) for row in rows)
        self.write("tests/mutations/list.toml", "".join(f"[[mutation]]\n{table}" for table in tables))
        done = subprocess.run(
            [self.root / "tests/mutations/run", "--jobs", "2", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            env={**os.environ, "MAKEFLAGS": ""},
        )
        return done.returncode, done.stdout


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


NOTICED = ("answer=42", "answer=41")
CRASHES = ("answer=42", "kill -SEGV $$")
NOT_NOTICED = ("unused=1", "unused=2")


def test_a_mutation_that_is_noticed_is_good(project):
    status, said = project.run(NOTICED, CRASHES, NOTICED)
    assert status == 0 and "3 of 3 mutations were noticed" in said
    assert "SURVIVED" not in said


def test_a_mutation_that_survives_is_named_and_fails(project):
    status, said = project.run(NOTICED, NOT_NOTICED, NOTICED)
    assert status == 1 and "2 of 3 mutations were noticed" in said
    assert "lib/one.c: it breaks 1 (one)" in said and "it breaks 0" not in said


def test_white_space_in_a_text_fits_any_white_space(project):
    status, said = project.run(("|| exit 1", "|| exit 0"), ("= 42 ] || exit 1", "= 41 ]"))
    assert status == 1 and "1 of 2" in said and "it breaks 0" in said


@pytest.mark.parametrize("old", ["answer", "answer=4711"], ids=["twice", "absent"])
@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_text_that_does_not_fit_once_is_an_error(project, old, options):
    status, said = project.run(NOTICED, (old, ""), options=options)
    assert status == 1 and "the list is out of date" in said and "it breaks 1" in said


def test_a_mutation_that_cannot_be_compiled_is_an_error(project):
    status, said = project.run(NOTICED, ("answer=42", "answer=("))
    assert status == 1 and "ERROR failed: make" in said and "it breaks 1" in said
    assert "1 of 2 mutations were noticed" in said


def test_a_test_that_fails_without_a_mutation_is_an_error(project):
    project.write("lib/one.c", PROGRAM + "exit 3\n")
    status, said = project.run(NOTICED)
    assert status == 1 and "one fails on the sources as they are" in said


def test_what_one_run_leaves_changed_does_not_count_in_the_next(project):
    assert project.run(NOTICED)[0] == 0
    project.write("build-mutations/source/lib/one.c", PROGRAM.replace("42", "41"))
    assert project.run(NOTICED)[0] == 0
    assert project.run(NOT_NOTICED)[0] == 1


def test_only_chooses_mutations(project):
    status, said = project.run(NOTICED, NOT_NOTICED, options=["--only", "breaks 0"])
    assert status == 0 and "1 of 1" in said
