"""conf/crmnotes.conf and the files that start the service fit the program."""

import re
import shutil
import subprocess

import pytest

from support.paths import CONF, CTL, SERVICE

DEFAULTS = {
    "database": "/var/lib/crmnotes/crmnotes.db",
    "secret_key_file": "/var/lib/crmnotes/crmnotes.db.key",
    "user": "",
    "group": "",
    "sandbox": "yes",
    "listen": "",
    "socket_mode": "0660",
    "socket_group": "",
    "status_listen": "",
    "base_path": "",
    "trusted_proxies": "",
    "workers": "0",
    "max_body_bytes": "524288",
    "max_note_bytes": "65536",
    "request_timeout": "30",
    "idle_timeout": "10",
    "rate_limit": "off",
    "credential_failures": "100/10m",
    "contact_failures": "1000/10m",
    "uniform_errors": "no",
    "http_status": "published",
    "developer_docs": "yes",
    "geoip_country": "",
    "geoip_city": "",
    "geoip_asn": "",
    "log": "stderr",
}

OPTION_LINE = re.compile(r"# ([a-z_]+) = ?(.*)")


def options_of(text):
    """What the lines `# option = default` of a configuration say."""
    found = [OPTION_LINE.fullmatch(line) for line in text.splitlines()]
    return {match[1]: match[2] for match in found if match}


def show_config(path, **env):
    site_free = {"PATH": "/usr/bin:/bin", **env}
    return subprocess.run(
        [SERVICE, "--config", path, "--show-config"],
        capture_output=True,
        text=True,
        timeout=30,
        env=site_free,
    )


def test_every_option_stands_in_the_file_at_its_default():
    assert options_of((CONF / "crmnotes.conf").read_text()) == DEFAULTS


def test_the_file_is_accepted_as_it_is():
    done = show_config(CONF / "crmnotes.conf")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_defaults_in_the_file_are_those_of_the_program(tmp_path):
    empty = tmp_path / "crmnotes.conf"
    empty.touch()
    printed = show_config(empty).stdout.splitlines()
    values = dict(line.split("\t")[0].split(" = ", 1) for line in printed if " = " in line)
    # The one default that depends on another option.
    assert values == {**DEFAULTS, "secret_key_file": values["secret_key_file"]}


@pytest.mark.parametrize("option", DEFAULTS)
def test_every_option_is_accepted_when_uncommented(tmp_path, option):
    text = (CONF / "crmnotes.conf").read_text()
    line = f"# {option} = {DEFAULTS[option]}".rstrip()
    assert text.count(f"\n{line}\n") == 1
    config = tmp_path / "crmnotes.conf"
    config.write_text(text.replace(f"\n{line}\n", f"\n{line[2:]}\n"))
    done = show_config(config)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_long_list_can_be_continued_on_indented_lines(tmp_path):
    config = tmp_path / "crmnotes.conf"
    blocks = [f"10.{high}.{low}.0/24" for high in range(2) for low in range(100)]
    config.write_text("trusted_proxies =\n" + "".join(f"    {block}\n" for block in blocks))
    done = show_config(config)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "line,word",
    [
        ("no_such_option = 1", "no_such_option"),
        ("workers = many", "workers"),
        ("workers = -1", "workers"),
        ("socket_mode = 999", "socket_mode"),
        ("trusted_proxies = 10.0.0.1/8", "10.0.0.0/8"),
        ("log = relative.log", "log"),
        ("listen = somewhere", "listen"),
        ("max_body_bytes = 12k", "max_body_bytes"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path, line, word):
    config = tmp_path / "crmnotes.conf"
    config.write_text(f"# a comment\n\n{line}\n")
    done = show_config(config)
    assert done.returncode == 78
    assert f"{config}:3" in done.stderr and word in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_environment_goes_before_the_file(tmp_path):
    config = tmp_path / "crmnotes.conf"
    config.write_text("workers = 5\n")
    done = show_config(config, CRMNOTES_WORKERS="many")
    assert done.returncode == 78
    assert "CRMNOTES_WORKERS" in done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path):
    programs = {"/usr/lib/crmnotes/crmnotes.fcgi": SERVICE, "/usr/bin/crmnotesctl": CTL}
    units = []
    for unit in sorted(CONF.glob("crmnotes*.[st]*")):
        text = unit.read_text()
        for installed, built in programs.items():
            text = text.replace(installed, str(built))
        assert unit.suffix != ".service" or "/usr/" not in re.sub(r"^#.*", "", text, flags=re.M)
        units.append(tmp_path / unit.name)
        units[-1].write_text(text)
    assert len(units) >= 4
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("spawn-fcgi") is None, reason="needs spawn-fcgi")
def test_spawn_fcgi_says_why_the_service_does_not_start(site):
    site.key_file.unlink()
    site.open_to_owner()
    done = subprocess.run(
        [CONF / "spawn-fcgi.sh"],
        env=site.environment(
            PROGRAM=site.program(), CONFIG=site.config, RUN=site.directory / "run",
            SERVICE_USER="www-data", WEB_GROUP="www-data",
        ),
        capture_output=True,
        text=True,
        timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (78, "")
    assert str(site.key_file) in done.stderr and "crmnotesctl db migrate" in done.stderr
    assert not (site.directory / "run").exists()
