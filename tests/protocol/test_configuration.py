"""Options from the file, the environment and the command line, and what is said about mistakes."""

import subprocess

import pytest

from support.family import CANTCREAT, CONFIG, USAGE, assert_fails, run, serves
from support.service import Service
from support.site import Site


@pytest.fixture(scope="module")
def ready():
    """A site with a database, for a service that does not come up."""
    with Site() as made:
        yield made


def test_version_and_help(ready):
    done = run(ready, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("crmnotes ") and done.stdout.count("\n") == 1
    done = run(ready, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ["config", "database", "listen", "workers", "single", "check-config", "show-config", "version", "help"]:
        assert f"--{option}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "args",
    [
        ["--no-such-option"],
        ["--config"],
        ["--workers"],
        ["--single=yes"],
        ["-x"],
        ["argument"],
        ["--single", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage(ready, args):
    done = subprocess.run([ready.program(), *args], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert args[-1].split("=")[0].lstrip("-") in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith(": see --help\n")


def test_show_config_shows_what_is_in_force_and_where_it_comes_from(tmp_path):
    config = tmp_path / "c.conf"
    config.write_text("# comment\nworkers = 5\nmax_body_bytes = 2048\nlog = /x/y.log\n")
    with Site(migrate=False) as site:
        done = subprocess.run(
            [site.program(), "--show-config", "--config", config, "--workers", "7", "--database", "/x/y.db"],
            env=site.environment(CRMNOTES_MAX_BODY_BYTES=4096, CRMNOTES_WORKERS=6),
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "workers = 7\t; --workers" in lines
    assert "database = /x/y.db\t; --database" in lines
    assert "max_body_bytes = 4096\t; environment variable CRMNOTES_MAX_BODY_BYTES" in lines
    assert f"log = /x/y.log\t; {config}:4" in lines
    assert any(line.startswith("max_note_bytes = 65536\t; default") for line in lines)


def test_show_config_needs_neither_database_nor_socket():
    with Site(migrate=False) as site:
        before = sorted(site.directory.rglob("*"))
        program = site.program()
        done = run(site, "--show-config")
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(site.directory.rglob("*")) == sorted([*before, program.parent, program])


# --check-config


def test_a_good_configuration_is_told_by_the_files_it_names(ready):
    before = sorted(ready.directory.rglob("*"))
    done = run(ready, "--check-config")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        f"database = {ready.database}",
        f"secret_key_file = {ready.key_file}",
        f"listen = unix:{ready.socket}",
        "status_listen = ",
    ]
    assert f"; {ready.config}:" in lines[0] and lines[1].endswith("; beside the database")
    assert {p for p in ready.directory.rglob("*")} - set(before) <= {ready.program(), ready.program().parent}


def test_without_listen_a_socket_is_expected_to_be_handed_over(ready):
    done = run(ready, "--check-config", env=ready.environment(CRMNOTES_LISTEN=""))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2] == "listen = \t; a socket that is handed over"


def assert_found(done, status, *complaints):
    """Every complaint has a line of its own, in this order."""
    lines = done.stderr.splitlines()
    assert len(lines) == len(complaints), done.stderr
    for line, complaint in zip(lines, complaints):
        assert line.startswith("crmnotes.fcgi: ") and complaint in line
    assert done.returncode == status


@pytest.mark.parametrize(
    "option,value,status,complaint",
    [
        ("DATABASE", "/no/such/notes.db", CONFIG, "crmnotesctl db migrate"),
        ("SECRET_KEY_FILE", "/no/such.key", CONFIG, "there is no key file /no/such.key"),
        ("LISTEN", "unix:/no/such/x.sock", CANTCREAT, "cannot make a socket in /no/such/: No such file"),
        ("LISTEN", "unix:/etc/passwd", CANTCREAT, "/etc/passwd exists and is no socket"),
        ("LISTEN", "192.0.2.1:9000", CONFIG, "no loopback address"),
        ("LISTEN", "localhost:9000", CONFIG, "listen must be unix:PATH, 127.0.0.1:PORT or [::1]:PORT"),
        ("LISTEN", "unix:/" + "x" * 108, CONFIG, "shorter"),
        ("SOCKET_GROUP", "no-such-group", CONFIG, "there is no group 'no-such-group'"),
        ("LOG", "/no/such/x.log", CANTCREAT, "cannot open the log /no/such/x.log"),
        ("LOG", "/etc", CANTCREAT, "cannot open the log /etc: Is a directory"),
        ("GEOIP_CITY", "/no/such.mmdb", 0, "warning: /no/such.mmdb: "),
    ],
)
def test_what_would_keep_it_from_starting_is_found(ready, option, value, status, complaint):
    env = {f"CRMNOTES_{option}": value}
    if option == "DATABASE":
        env["CRMNOTES_SECRET_KEY_FILE"] = ready.key_file
    done = run(ready, "--check-config", env=ready.environment(**env))
    assert_found(done, status, complaint)


def test_everything_is_checked_at_once(ready):
    env = {"LISTEN": "unix:/no/such/x.sock", "LOG": "/no/such/x.log", "SECRET_KEY_FILE": "/no/such.key"}
    done = run(ready, "--check-config", env=ready.environment(**{f"CRMNOTES_{k}": v for k, v in env.items()}))
    assert_found(done, CONFIG, "/no/such.key", "/no/such/", "/no/such/x.log")


def test_a_configuration_can_be_checked_beside_the_service_that_uses_it():
    with Site() as site, Service(site) as service:
        site.configure(log=site.directory / "x.log")
        done = run(site, "--check-config")
        assert (done.returncode, done.stderr) == (0, "")
        assert not (site.directory / "x.log").exists()
        assert serves(service)


# Mistakes


@pytest.mark.parametrize("check", [["--check-config"], []], ids=["check", "start"])
@pytest.mark.parametrize(
    "line, complaint",
    [
        ("workers = many", "workers: must be a number, not 'many'"),
        ("workers = 1025", "workers: must be from 0 to 1024, not '1025'"),
        ("no_such_option = 1", "there is no option 'no_such_option'"),
        ("socket_mode = 0888", "socket_mode: must be a number in octal digits"),
        ("trusted_proxies = 10.0.0.1/8", "10.0.0.0/8"),
        ("trusted_proxies = 010.0.0.0/8", "trusted_proxies: "),
        ("base_path = x", "base_path: must begin with /"),
        ("base_path = /x/", "base_path: must begin with / and must not end with it"),
        ("max_body_bytes = 1023", "max_body_bytes: must be from 1024 to "),
        ("request_timeout = 0", "request_timeout: must be from 1 to 3600"),
        ("geoip_city = relative.mmdb", "geoip_city: must be an absolute path"),
        ("group = daemon", "group: set user, too, whose group it is"),
        ("uniform_errors = maybe", "uniform_errors: must be yes or no, not 'maybe'"),
        ("http_status = 200", "http_status: must be published or strict, not '200'"),
        ("rate_limit = 600", "rate_limit: must be off or COUNT/TIME, such as 600/1m"),
        ("rate_limit = 600/2d", "rate_limit: must be from 1 to 1000000 in a time from 1s to 1d"),
        ("credential_failures = 0/1m", "credential_failures: must be from 1 to 1000000"),
        ("contact_failures = no", "contact_failures: must be off or COUNT/TIME"),
        ("log = here.log", "log: must be stderr, syslog or an absolute path"),
        ("log = /dev/stdout", "log: must be stderr in place of '/dev/stdout'"),
        ("log = /dev/stderr", "log: must be stderr in place of '/dev/stderr'"),
        ("log = /dev/fd/2", "log: must be stderr in place of '/dev/fd/2'"),
        ("just words", "expected 'option = value'"),
        ("[section]\nworkers = 1", "options stand without a section"),
        ("log = " + "x" * 300, "the line is longer than"),
        ("workers = 1\nlog = stderr\nworkers = 1", "workers was given in line 3 already"),
        ("trusted_proxies = ::1\ntrusted_proxies =", "trusted_proxies was given in line 3 already"),
    ],
    ids=lambda text: text[:30],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path, ready, check, line, complaint):
    config = tmp_path / "c.conf"
    config.write_text(f"# comment\n\n{line}\n")
    number = 3 + line.count("\n")
    assert_fails(run(ready, "--config", config, *check), CONFIG, f"{config}:{number}: ", complaint)


@pytest.mark.parametrize("workers", ["x", "-1", "1025", "", "2x"])
def test_a_number_that_is_none_is_named_wherever_it_stands(ready, workers):
    assert_fails(run(ready, "--workers", workers), CONFIG, "--workers: workers: must be ")
    env = ready.environment(CRMNOTES_WORKERS=workers)
    assert_fails(run(ready, env=env), CONFIG, "environment variable CRMNOTES_WORKERS: workers: ")


@pytest.mark.parametrize("name", ["CRMNOTES_WORKER", "CRMNOTES_", "CRMNOTES_workers", "CRMNOTES_CONFIGS"])
def test_a_variable_of_no_option_is_named(ready, name):
    complaint = f"environment variable {name}: there is no such option"
    assert_fails(run(ready, env=ready.environment(**{name: 1})), CONFIG, complaint)
    done = ready.ctl_raw("db", "status", env=ready.environment(**{name: 1}))
    assert (done.returncode, done.stdout) == (CONFIG, "")
    assert complaint in done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "PORT",
        "PORT_80_TCP",
        "PORT_80_TCP_ADDR",
        "API_SERVICE_HOST",
        "API_PORT",
        "NAME",
        "ENV_PATH",
    ],
)
def test_variables_that_describe_a_service_are_no_options(ready, name):
    """Kubernetes and Docker set them for a service named crmnotes, or crmnotes-api."""
    env = ready.environment(**{f"CRMNOTES_{name}": "tcp://10.0.0.1:80"})
    assert run(ready, "--check-config", env=env).returncode == 0
    assert ready.ctl_raw("db", "status", env=env).returncode == 0


@pytest.mark.parametrize("option", ["database", "secret_key_file", "geoip_country", "geoip_city", "geoip_asn"])
def test_a_relative_path_in_a_file_is_refused_by_both_programs(tmp_path, ready, option):
    config = tmp_path / "c.conf"
    config.write_text(f"{option} = some/where\n")
    complaint = f"{config}:1: {option}: must be an absolute path"
    assert_fails(run(ready, "--config", config), CONFIG, complaint)
    done = ready.ctl_raw("--config", config, "db", "status")
    assert done.returncode == CONFIG and complaint in done.stderr


def test_a_relative_socket_is_refused(ready):
    env = ready.environment(CRMNOTES_LISTEN="unix:x.sock")
    assert_fails(run(ready, env=env), CONFIG, "CRMNOTES_LISTEN: listen: the PATH of unix:PATH")


def test_a_relative_database_on_the_command_line_is_meant_from_here(ready):
    relative = ready.database.relative_to(ready.directory)  # where both programs run
    done = run(ready, "--check-config", "--database", relative)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"database = {ready.database}\t; --database"
    assert ready.ctl("--database", relative, "org", "list") == []


def test_an_argument_is_judged_as_a_line_of_the_file(ready):
    assert_fails(run(ready, "--listen", "nonsense"), CONFIG, "--listen: listen: must be unix:PATH")
    assert_fails(run(ready, "--database", ""), CONFIG, "--database: database: must name a file")



def test_a_configuration_that_is_not_there_is_named(ready):
    missing = "/no/such/file: No such file or directory"
    assert_fails(run(ready, "--config", "/no/such/file"), CONFIG, missing)
    done = subprocess.run(
        [ready.program()],
        env=ready.environment(CRMNOTES_CONFIG="/no/such/file"),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert_fails(done, CONFIG, missing)
