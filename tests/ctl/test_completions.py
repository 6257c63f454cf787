"""The completion of bash, zsh and fish: in real shells, as a person types."""

import os
import re
import shutil
import subprocess

import pytest

from support import shells
from support.paths import BUILD, CTL

HARMFUL = [
    "$(touch done) alfa",
    "`touch done` bravo",
    "'; touch done; ' charlie",
    '"; touch done; " delta',
    "${x:=$(touch done)} golf",
    "%(!.$(touch done).) %n hotel",
    "* ? [a-z] {a,b} ~ ! # & | ; < > india",
    "back\\slash: colon=equals juliett",
]
ZURICH = "Zürich & Söhne"


def need(shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")


@pytest.fixture
def path(site):
    """A directory with the command, as it is found when a shell completes."""
    directory = site.directory / "bin"
    directory.mkdir()
    (directory / "crmnotesctl").symlink_to(CTL.resolve())
    return directory


def environment(site):
    return site.environment(CRMNOTES_CONFIG=site.config)


@pytest.fixture(params=["bash", "zsh"])
def shell(request, site, path):
    """A shell at its prompt, in an empty directory."""
    need(request.param)
    directory = site.directory / "empty"
    directory.mkdir()
    with getattr(shells, request.param)(path, environment(site), directory) as running:
        running.directory = directory
        yield running


@pytest.fixture
def fish(site, path):
    """complete(line) answers what fish offers, as {candidate: description}."""
    need("fish")
    directory = site.directory / "empty"
    directory.mkdir()
    script = shells.SCRIPTS / "fish/crmnotesctl.fish"

    def complete(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {script}; complete -C $argv[1]", line],
            capture_output=True, text=True, timeout=60, cwd=directory, stdin=subprocess.DEVNULL,
            env={**environment(site), "PATH": f"{path}:/usr/bin:/bin", "HOME": str(directory), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        found = (line.partition("\t") for line in done.stdout.splitlines())
        return {candidate: description for candidate, _, description in found}

    complete.directory = directory
    return complete


@pytest.fixture
def orgs(site):
    """{name: id} of organizations with names that a shell must not evaluate, and of others."""
    names = [*HARMFUL, ZURICH, "Acme East", "Acme West"]
    return {name: site.ctl_one("org", "add", "--", name)["org_id"] for name in names}


def test_words_are_completed(shell):
    for typed, becomes in (
        ("crmnotesctl memb", "crmnotesctl member "),
        ("crmnotesctl member dea", "crmnotesctl member deactivate "),
        ("crmnotesctl --js", "crmnotesctl --json "),
        ("crmnotesctl --json org re", "crmnotesctl --json org rename "),
        ("crmnotesctl help au", "crmnotesctl help audit "),
        ("crmnotesctl init --an", "crmnotesctl init --another "),
        ("crmnotesctl devkey issue 'Integrator Inc' --hands", "crmnotesctl devkey issue 'Integrator Inc' --hands-out "),
        ("crmnotesctl nonsense ", "crmnotesctl nonsense "),
    ):
        assert shell.complete(typed)[0] == becomes


def test_several_are_listed(shell):
    line, printed = shell.complete("crmnotesctl member ")
    assert line == "crmnotesctl member "
    assert {"add", "list", "show", "edit", "deactivate", "activate", "erase"} <= set(printed.split())


def test_files_are_completed_where_a_file_belongs(shell):
    (shell.directory / "copy of 1.db").write_text("")
    assert shell.complete("crmnotesctl db restore co")[0] == "crmnotesctl db restore copy\\ of\\ 1.db "
    assert shell.complete("crmnotesctl --config=/etc/hostn")[0] == "crmnotesctl --config=/etc/hostname "
    assert shell.complete("crmnotesctl --database /etc/hostn")[0] == "crmnotesctl --database /etc/hostname "
    assert shell.complete("crmnotesctl org show co")[0] == "crmnotesctl org show co"


def test_a_name_becomes_its_id(shell, orgs):
    for typed, org in (
        ("crmnotesctl org show zürich", orgs[ZURICH]),
        ("crmnotesctl org show east", orgs["Acme East"]),
        ("crmnotesctl member list --org SÖH", orgs[ZURICH]),
    ):
        assert shell.complete(typed)[0] == f"{typed.rpartition(' ')[0]} {org} "
    line = f"crmnotesctl member list --org={orgs['Acme West']} "
    assert shell.complete("crmnotesctl member list --org=west")[0] == line
    line = shell.complete("crmnotesctl org show 'h & s")[0]
    assert line.rstrip().replace("'", "") == f"crmnotesctl org show {orgs[ZURICH]}"


def test_a_name_of_several_stays_until_it_is_clear_and_they_are_listed(shell, orgs):
    for option in ("--org ", "--org="):
        line, printed = shell.complete(f"crmnotesctl member list {option}acme")
        assert line == f"crmnotesctl member list {option}acme"
        for name in ("Acme East", "Acme West"):
            assert re.search(rf"{orgs[name]} .*{name}", printed), printed
        assert ZURICH not in printed
    assert shell.complete("crmnotesctl org show ")[0] == "crmnotesctl org show "


def test_an_id_is_completed(shell, orgs):
    """As far as it is clear: all ids of these organizations begin alike."""
    ids = sorted(orgs.values())
    alike = len(os.path.commonprefix(ids))
    line, _ = shell.complete(f"crmnotesctl org show {ids[0][:4]}")
    assert line == f"crmnotesctl org show {ids[0][:alike]}"
    for one in ids:
        assert shell.complete(f"crmnotesctl org show {one[:-1]}")[0] == f"crmnotesctl org show {one} "


def test_keys_and_members_are_completed(shell, site, world):
    lovelace = site.add_member(world.org, "Ada Lovelace")["member_id"]
    for typed, found in (
        ("crmnotesctl member edit lovel", lovelace),
        ("crmnotesctl apikey issue --member lovel", lovelace),
        (f"crmnotesctl contact add Grace --org {world.org} --owner lovel", lovelace),
        ("crmnotesctl devkey revoke developer", world.devkey_id),
        ("crmnotesctl allow test developer", world.devkey_id),
        ("crmnotesctl apikey rotate member", site.ctl("apikey", "list", "--org", world.org)[0]["apikey_id"]),
    ):
        line, printed = shell.complete(typed)
        assert found in line or found in printed, (typed, line, printed)


@pytest.mark.parametrize("tabs", [1, 3])
def test_no_name_is_evaluated(shell, orgs, tabs):
    for name in HARMFUL:
        line, _ = shell.complete(f"crmnotesctl org show {name.split()[-1]}")
        assert line == f"crmnotesctl org show {orgs[name]} "
    for typed in ("", "touch", "a", "\\$\\(", "'$(touch", '"; '):
        shell.complete(f"crmnotesctl org show {typed}", tabs)
        shell.complete(f"crmnotesctl member list --org={typed}", tabs)
    assert list(shell.directory.glob("done")) == []


def test_what_is_typed_is_not_evaluated(shell):
    for typed in ("$(touch done)", "`touch done`", "'$(touch done)", "--org=$(touch done)", "${x:=$(touch done)}"):
        for before in ("", "org ", "org show ", "member list --org "):
            shell.complete(f"crmnotesctl {before}{typed}")
            shell.complete(f"crmnotesctl {before}{typed} ")
    assert list(shell.directory.glob("done")) == []


def test_it_is_silent_without_a_database(empty_operator, shell):
    empty_operator.site.database.unlink(missing_ok=True)
    shell.type(f"export CRMNOTES_DATABASE={empty_operator.site.database}\n")
    line, printed = shell.complete("crmnotesctl org show ")
    assert line == "crmnotesctl org show "
    assert "cannot" not in printed and "crmnotesctl:" not in printed


def test_a_word_in_the_middle_of_a_line_is_completed(shell):
    """The cursor stands behind "memb", and " list" follows it."""
    shell.type("crmnotesctl memb list" + "\x02" * 5 + "\t" + shells.DUMP)
    shell.expect("<<")
    assert shell.expect(">>").split() == ["crmnotesctl", "member", "list"]


def test_make_install_puts_them_where_the_shells_look(tmp_path):
    done = subprocess.run(
        ["make", "-s", "-C", BUILD, "install-data", "prefix=/usr", f"DESTDIR={tmp_path}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for file, place in (
        ("bash/crmnotesctl", "bash-completion/completions"),
        ("zsh/_crmnotesctl", "zsh/site-functions"),
        ("fish/crmnotesctl.fish", "fish/vendor_completions.d"),
    ):
        source = shells.SCRIPTS / file
        assert (tmp_path / "usr/share" / place / source.name).read_text() == source.read_text()


# fish


def test_fish_offers_words_with_their_help(fish):
    assert fish("crmnotesctl memb") == {"member": "Members of an organization: they own contacts"}
    assert fish("crmnotesctl org re") == {"rename": "Give an organization another name"}
    assert set(fish("crmnotesctl org add --")) >= {"--id", "--json"}


def test_fish_offers_files_where_a_file_belongs(fish):
    (fish.directory / "copy of 1.db").write_text("")
    assert list(fish("crmnotesctl db restore co")) == ["copy of 1.db"]
    assert list(fish("crmnotesctl --database /etc/hostn")) == ["/etc/hostname"]
    assert fish("crmnotesctl org show co") == {}


def test_fish_offers_ids_with_their_names(fish, orgs):
    offered = {org: name for name, org in orgs.items()}
    assert fish("crmnotesctl org show ") == offered
    assert fish("crmnotesctl member list --org ") == offered
    assert fish("crmnotesctl member list --org=") == {f"--org={org}": name for org, name in offered.items()}
    one = orgs[ZURICH]
    assert fish(f"crmnotesctl org show {one[:-1]}") == {one: ZURICH}


def test_fish_evaluates_nothing(fish, orgs):
    for typed in ("(touch done)", "$(touch done)", "'(touch done)", '"$(touch done)', "--org=(touch done)"):
        for before in ("", "org ", "org show ", "member list --org ", "org show (touch done) "):
            fish(f"crmnotesctl {before}{typed}")
            fish(f"crmnotesctl {before}{typed} ")
    assert list(fish.directory.glob("done")) == []
