"""The manual pages say of commands and options what the programs say."""

import importlib.machinery
import importlib.util
import re
import shutil
import subprocess

import pytest

from support.paths import BUILD, CONF, CTL, SERVICE, SOURCE

MAN = SOURCE / "docs/man"
PAGES = sorted(MAN.glob("*.[158]"))


def load_update():
    loader = importlib.machinery.SourceFileLoader("update", str(MAN / "update"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("update", loader))
    loader.exec_module(module)
    return module


UPDATE = load_update()


def page(name):
    return (MAN / name).read_text()


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def show_config(*arguments, **env):
    return subprocess.run(
        [SERVICE, "--config", "/dev/null", "--show-config", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": "/usr/bin:/bin", **env},
    )


def section(text, heading):
    return re.search(rf"^\.Sh {heading}$(.*?)(?=^\.Sh|\Z)", text, re.M | re.S)[1]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_generated_parts_are_up_to_date(path):
    """Otherwise: docs/man/update BUILD."""
    assert path.read_text() == UPDATE.updated(path, BUILD)


def test_there_is_a_page_for_each_program_and_the_configuration():
    assert [path.name for path in PAGES] == ["crmnotes.conf.5", "crmnotes.fcgi.8", "crmnotesctl.1"]


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_mandoc_has_no_complaint(path):
    done = subprocess.run(["mandoc", "-Tlint", path], capture_output=True, text=True)
    complaints = done.stdout.splitlines()
    # where ours are not installed
    known = re.compile(r"referenced manual not found: Xr crmnotes")
    assert [line for line in complaints if not known.search(line)] == []


# Independently of docs/man/update, which might leave something out.


def verbs_of_the_help():
    """Noun and verb, or the noun alone where it is a command by itself."""
    return re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?: .*)?$\n      ", help_of(CTL), re.M)


def items_of_the_page():
    """What stands below each verb, up to the next one."""
    text = section(page("crmnotesctl.1"), "COMMANDS")
    parts = re.split(r"^\.Ic (\w+(?: \w+)?)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_crmnotesctl_has_every_noun_and_verb_and_nothing_else():
    assert list(items_of_the_page()) == verbs_of_the_help()


@pytest.mark.parametrize("verb", verbs_of_the_help())
def test_crmnotesctl_has_every_parameter_of_a_verb_and_nothing_else(verb):
    usage, _, rest = help_of(CTL, *verb.split()).partition("\n\n")
    explained = re.findall(r"^  (--[a-z-]+|[A-Z]+)\b", rest, re.M)
    in_synopsis = re.findall(r"--[a-z-]+|\b[A-Z][A-Z0-9]*\b", usage.partition(verb)[2])
    assert set(explained) <= set(in_synopsis)
    item = items_of_the_page()[verb]
    synopsis, _, below = item.partition("\n.Xc\n")
    words = re.findall(r"Fl -([a-z-]+)|Ar ([A-Z0-9]+)", synopsis)
    assert [f"--{flag}" if flag else value for flag, value in words] == in_synopsis
    items = re.findall(r"^\.It (?:Fl -([a-z-]+)|Ar ([A-Z]+))", below, re.M)
    assert [f"--{flag}" if flag else value for flag, value in items] == explained


def test_crmnotesctl_has_every_general_option_and_exit_status():
    general = help_of(CTL).partition("Options of all commands\n")[2]
    options, statuses = general.split("\n\n")[:2]
    text = page("crmnotesctl.1")
    described = re.findall(r"^\.It Fl -([a-z-]+)", section(text, "DESCRIPTION"), re.M)
    assert described == re.findall(r"^  --([a-z-]+)", options, re.M)
    listed = re.findall(r"^\.It (\d+)$", section(text, "EXIT STATUS"), re.M)
    assert listed == re.findall(r"^  (\d+) ", statuses, re.M)


def test_the_service_has_every_option_and_nothing_else():
    described = re.findall(r"^\.It Fl -([a-z-]+)", page("crmnotes.fcgi.8"), re.M)
    assert described == re.findall(r"^  --([a-z-]+)", help_of(SERVICE), re.M)


def test_the_configuration_has_every_option_with_its_default_and_nothing_else():
    found = re.findall(r"^\.It Ic ([a-z_]+) No = ?(.*)$", page("crmnotes.conf.5"), re.M)
    described = {name: value for name, value in found if name != "secret_key_file"}
    lines = show_config().stdout.splitlines()
    printed = dict(line.split("\t")[0].split(" = ", 1) for line in lines)
    assert "secret_key_file" in dict(found)  # its default depends on another option
    assert len(found) == len(printed)
    assert described == {name: v for name, v in printed.items() if name != "secret_key_file"}


# Ranges.


def ranges():
    """option, least, most: of the options whose comment in the file says so."""
    for block in re.split(r"\n\n+", (CONF / "crmnotes.conf").read_text()):
        text = " ".join(line.removeprefix("# ") for line in block.splitlines())
        option = re.search(r"\b([a-z_]+) = \d+$", text)
        numbers = re.search(r", (\d+) to (\d+)\.", text)
        if option and numbers:
            yield option[1], int(numbers[1]), int(numbers[2])


def test_the_numbers_have_a_range():
    numbers = {"workers", "max_body_bytes", "max_note_bytes", "request_timeout", "idle_timeout"}
    assert {option for option, _, _ in ranges()} == numbers


@pytest.mark.parametrize("option, least, most", ranges())
def test_a_range_is_that_of_the_program(option, least, most):
    def status(value):
        return show_config(**{f"CRMNOTES_{option.upper()}": str(value)}).returncode

    assert [status(value) for value in (least - 1, least, most, most + 1)] == [78, 0, 0, 78]
