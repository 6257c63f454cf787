"""How crmnotesctl is called: words, options, hints, help, configuration."""

import re
import subprocess
from pathlib import Path

import pytest

from support.paths import CTL
from support.ids import unknown_id
from support.wait import wait_for


@pytest.mark.parametrize(
    "words, says",
    [
        ((), "say what to do (see 'crmnotesctl --help')"),
        (("ogr", "list"), "no noun 'ogr', did you mean 'org'?"),
        (("orgs", "list"), "did you mean 'org'?"),
        (("contcat", "list"), "did you mean 'contact'?"),
        (("frobnicate",), "no noun 'frobnicate' (see 'crmnotesctl --help')"),
        (("org",), "org needs a verb (see 'crmnotesctl org --help')"),
        (("org", "ad", "X"), "no verb 'ad', did you mean 'add'?"),
        (("member", "disable"), "no verb 'disable' (see 'crmnotesctl member --help')"),
        (("org", "add"), "NAME is missing (see 'crmnotesctl org add --help')"),
        (("org", "add", "A", "B"), "no place for 'B'"),
        (("org", "list", "A"), "no place for 'A'"),
        (("member", "list"), "--org ID is missing"),
        (("member", "edit", unknown_id()), "say what to change: --name, --email (see"),
        (("member", "list", "--org"), "--org needs a value"),
        (("member", "list", "--ogr", "X"), "no option '--ogr', did you mean '--org'?"),
        (("org", "list", "--jsno"), "did you mean '--json'?"),
        (("org", "list", "--json=1"), "--json takes no value"),
        (("org", "list", "-x"), "no option '-x'"),
        (("org", "add", "A", "--id", unknown_id(), "--id", unknown_id()), "--id is given twice"),
        (("--org", "X", "member", "list"), "no global option '--org'"),
        (("org", "--jsn", "list"), "did you mean '--json'?"),
        (("member", "add", "--emial", "X"), "no option '--emial', did you mean '--email'?"),
        (("org", "list", "--key"), "no option '--key' (see"),
        (("org", "list", "--file"), "no option '--file' (see"),
        (("org", "add", "A", "--xx", "B"), "no option '--xx' (see"),
        (("member", "list", "-o"), "no option '-o' (see"),
        (("hlep",), "no noun 'hlep', did you mean 'help'?"),
        (("help", "ogr"), "no noun 'ogr', did you mean 'org'?"),
        (("help", "org", "ad"), "no verb 'ad', did you mean 'add'?"),
        (("--config",), "--config needs a value"),
        (("init", "--ogr", "X"), "no option '--ogr', did you mean '--org'? (see 'crmnotesctl init --help')"),
        (("help", "init", "ad"), "there is no place for 'ad'"),
        (("org", "add", "A", "--email", "a@b.c"), "no option '--email'"),
    ],
)
def test_wrong_use_is_told_with_a_hint(operator, words, says):
    assert len(says) > 0 and operator.fails(64, *words, says=says)


def test_options_may_stand_anywhere(operator):
    org = operator.site.add_org()["org_id"]
    for words in (
        ("member", "add", "--org", org, "A", "--email", "a@b.c"),
        ("member", "add", "A", "--email=a@b.c", f"--org={org}"),
        ("member", "--json", "add", "--email", "a@b.c", "A", "--org", org),
        ("member", "add", "--email", "a@b.c", "--org", org, "--json", "--", "A"),
    ):
        assert operator.site.ctl_one(*words)["member_name"] == "A"


def test_word_that_looks_like_an_option_stands_behind_two_dashes(site):
    assert site.ctl_one("org", "add", "--", "--json")["org_name"] == "--json"


def run(*words, **more):
    return subprocess.run([CTL, *words], capture_output=True, text=True, timeout=60, **more)


VERBS = """init|db migrate|db status|db check|db backup|db restore|org add|org list|org show
org rename|member add|member list|member show|member edit|apikey show|devkey show|devkey edit
member deactivate|member activate|member erase|note erase|contact erase|apikey issue|apikey list|apikey rotate|apikey revoke
devkey issue|devkey list|devkey rotate|devkey revoke|allow add|allow remove|allow list|allow test|contact add
contact list|contact show|contact find|contact edit|contact assign|contact import|contact export
note list|note show|note history|note find|note import|note export|request show|audit list|geo test"""


@pytest.mark.parametrize("verb", re.split(r"[|\n]", VERBS))
def test_help_knows_every_command(verb):
    noun, *name = verb.split()
    of_the_noun = f"Usage: crmnotesctl {noun} VERB" if name else f"Usage: crmnotesctl {noun} ["
    for words, usage in (
        (("--help",), "Usage: crmnotesctl ["),
        ((noun, "--help"), of_the_noun),
        ((noun, *name, "--help"), f"Usage: crmnotesctl {verb}"),
        (("--help", noun, *name), f"Usage: crmnotesctl {verb}"),
        (("help",), "Usage: crmnotesctl ["),
        (("help", noun), of_the_noun),
        (("help", noun, *name), f"Usage: crmnotesctl {verb}"),
        ((noun, *name, "-h"), f"Usage: crmnotesctl {verb}"),
    ):
        done = run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(usage)
        assert f"{verb}" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 110


def test_help_of_a_verb_explains_its_options():
    text = run("devkey", "issue", "--help").stdout
    synopsis = "devkey issue --org ID NAME --allow CIDR… [--allow-any] [--expires TIME]"
    more = "[--hands-out APIKEY] [--stdin]"
    assert text.startswith(f"Usage: crmnotesctl {synopsis}\n          {more}\n")
    for option in ("--org ID", "NAME", "--allow CIDR", "--allow-any", "--expires TIME"):
        assert re.search(rf"^  {re.escape(option)}  +\w", text, re.M), option


def test_help_of_the_program_explains_exit_statuses():
    text = run("--help").stdout
    for status in (0, 1, 64, 65, 69, 70, 73, 74, 75, 78):
        assert re.search(rf"^  {status}\s+\w", text, re.M)


def test_version():
    done = run("--version")
    assert re.fullmatch(r"crmnotesctl \d+\.\d+\.\d+\n", done.stdout)
    assert (done.returncode, done.stderr) == (0, "")


def test_database_of_the_command_line_goes_before_the_configuration(operator):
    site = operator.site
    other = site.directory / "other.db"
    site.add_org("first")
    site.ctl("--database", other, "db", "migrate")
    assert site.ctl("org", "list", "--database", other) == []
    assert len(site.ctl("org", "list")) == 1


def test_configuration_from_the_environment(site):
    site.add_org("A")
    environment = site.environment(CRMNOTES_CONFIG=site.config)
    assert "A" in run("org", "list", env=environment).stdout
    environment = site.environment(CRMNOTES_DATABASE=site.database)
    assert "A" in run("org", "list", env=environment).stdout


def test_wrong_configuration_is_told_with_its_line(operator):
    with open(operator.site.config, "a") as config:
        config.write("nonsense = 1\n")
    lines = len(operator.site.config.read_text().splitlines())
    operator.fails(78, "org", "list", says=f"{operator.site.config}:{lines}: ")
    operator.site.config.unlink()
    operator.fails(78, "org", "list", says=str(operator.site.config))


def test_help_needs_no_configuration(site):
    site.config.unlink()
    assert run("--config", str(site.config), "--help").returncode == 0


ID = unknown_id()
DEVELOPER_SECRET = "zdk_" + "S3cret" * 7 + "x"
API_KEY = "zak_" + "S3cret" * 7 + "x"


@pytest.mark.parametrize("secret", [DEVELOPER_SECRET, API_KEY, "zdk_S3cret"])
@pytest.mark.parametrize(
    "words, hint",
    [
        (("allow", "test", "SECRET", "10.0.0.1"), "DEVKEY is the id shown by 'devkey list'"),
        (("devkey", "revoke", "SECRET"), "ID is the id shown by 'devkey list'"),
        (("apikey", "revoke", "SECRET"), "ID is the id shown by 'apikey list'"),
        (("apikey", "issue", "--member", "SECRET"), "--member is the id shown by 'member list'"),
        (("contact", "assign", ID, "--owner=SECRET"), "--owner is the id shown by 'member list'"),
        (("devkey", "list", "--org", "SECRET"), "--org is the id shown by 'org list'"),
        (("note", "list", "--contact", "SECRET"), "--contact is the id shown by 'contact list'"),
    ],
)
def test_secret_for_an_id_is_not_repeated(operator, secret, words, hint):
    words = [word.replace("SECRET", secret) for word in words]
    said = operator.fails(65, *words, says=f"crmnotesctl: that is a secret; {hint}\n")
    assert "S3cret" not in said


@pytest.mark.parametrize("secret", [DEVELOPER_SECRET, API_KEY])
@pytest.mark.parametrize(
    "words",
    [
        ("SECRET",),
        ("help", "SECRET"),
        ("devkey", "SECRET"),
        ("devkey", "--SECRET"),
        ("devkey", "revoke", ID, "SECRET"),
        ("devkey", "revoke", ID, "--SECRET"),
        ("allow", "test", ID, "SECRET"),
        ("allow", "add", ID, "10.0.0.0/8,SECRET"),
        ("devkey", "issue", "--expires", "SECRET"),
        ("apikey", "issue", "--member", ID, "--label", "SECRET"),
        ("org", "add", "X", "--id", "SECRET"),
        ("db", "backup", "/nowhere/SECRET"),
        ("--database", "SECRET", "db", "status"),
    ],
)
def test_secret_anywhere_is_refused_and_not_repeated(operator, secret, words):
    words = [word.replace("SECRET", secret) for word in words]
    said = operator.fails(64, *words, says="that is a secret; none belongs on the command line")
    assert "S3cret" not in said


@pytest.mark.parametrize("option", ["--secret", "--json"])
def test_secret_of_an_option_that_takes_none_is_not_repeated(operator, option):
    said = operator.fails(64, "devkey", "list", f"{option}={DEVELOPER_SECRET}", says=option)
    assert "S3cret" not in said


def test_what_only_begins_like_a_secret_is_none(site):
    assert site.ctl_one("org", "add", "zak_ & Sons")["org_name"] == "zak_ & Sons"


def test_words_that_are_wrong_are_shown_harmless(operator):
    said = operator.fails(64, "\x1b[31mred\nline")
    assert "\x1b" not in said


def test_no_core_file_can_be_written(site):
    """The limit is 1 byte: the kernel then writes no core file, nor pipes one to a program."""
    member = site.add_member(site.add_org()["org_id"])["member_id"]
    words = ["apikey", "issue", "--member", member, "--stdin"]
    process = subprocess.Popen(
        [CTL, "--config", site.config, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=site.environment(),
    )
    limits = Path(f"/proc/{process.pid}/limits")
    try:
        wait_for(lambda: re.search(r"Max core file size +1 +1 ", limits.read_text()), "the limit")
    finally:
        process.communicate(b"a-key-made-elsewhere\n", timeout=20)
