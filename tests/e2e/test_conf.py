"""conf/crmnotes.conf and the documents say what the program does."""

import re
import shutil
import subprocess

import pytest

from support.paths import CONF, SERVICE, SOURCE

DEFAULTS = {
    "database": "/var/lib/crmnotes/crmnotes.db",
    "secret_key_file": "/var/lib/crmnotes/crmnotes.db.key",
    "user": "",
    "group": "",
    "sandbox": "yes",
    "listen": "",
    "socket_mode": "0660",
    "socket_group": "",
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

ERRORS = {
    "MISSING_API_KEY": ["Missing service instance"],
    "INVALID_API_KEY": ["Invalid API Key"],
    "IP_NOT_WHITELISTED": ["IP address not whitelisted"],
    "MISSING_DEVELOPER_SECRET": ["Missing developer_secret"],
    "INVALID_DEVELOPER_SECRET": ["Invalid developer_secret"],
    "MISSING_FIELDS": [
        "Missing org ID",
        "Missing member ID",
        "Missing contact ID",
        "Missing note",
        "Missing search string",
        "Missing contact",
        "Missing contact name",
        "Missing entity name",
    ],
    "INVALID_FIELDS": [
        "Invalid org ID",
        "Invalid member ID",
        "Invalid contact ID",
        "Invalid note",
        "Invalid note ID",
        "Invalid note_visibility",
        "Invalid note_editable",
        *(f"Invalid include_{what}" for what in ("notes", "entity", "profile", "signals")),
        *("Invalid notes_limit", "Invalid notes_after", "Invalid search string", "Invalid contact"),
        *("Invalid contactId", "Invalid firstName", "Invalid lastName", "Invalid name"),
        *("Invalid roleLabel", "Invalid primaryEmail", "Invalid secondaryEmail"),
        *("Invalid primaryPhone", "Invalid secondaryPhone", "Invalid owner", "Invalid mode"),
        *("Invalid lookup_by", "Invalid skip_entity", "Invalid debug", "Invalid entity"),
        *("Invalid entity name", "Invalid entity website"),
    ],
    "MEMBER_NOT_FOUND": ["Member does not exist"],
    "NOT_FOUND": ["Contact does not exist"],
    "WRONG_ORG": [
        "You are trying to add a note to a contact that does not belong to your organization",
        "You are trying to use a contact that does not belong to your organization",
    ],
    "NOT_OWNER": ["The API only supports notes being added by the member that owns the contact."],
    "NOTE_NOT_FOUND": ["Note does not exist"],
    "NOTE_NOT_EDITABLE": ["Note is not editable"],
    "CONTACT_EXISTS": ["Contact already exists"],
    "CONTACT_AMBIGUOUS": ["More than one contact matches"],
    "INVALID_IDEMPOTENCY_KEY": ["Invalid Idempotency-Key"],
    "RATE_LIMITED": ["Too many requests"],
    "IDEMPOTENCY_MISMATCH": ["Idempotency-Key was already used with a different request"],
    "INVALID_JSON": ["Request body is not valid JSON", "Request body must be a JSON object"],
    "UNKNOWN_ENDPOINT": ["Not found"],
    "METHOD_NOT_ALLOWED": ["Method not allowed"],
    "BODY_TOO_LARGE": ["Request body is too large"],
    "UNSUPPORTED_ENCODING": ["Content-Encoding is not supported"],
    "UNAVAILABLE": [
        "The note was not stored. Try again.",
        "The contact was not stored. Try again.",
        "The service is not available. Try again.",
    ],
    "OUTCOME_UNKNOWN": [
        "The outcome is unknown. Repeat the request with the same Idempotency-Key."
    ],
    "INTERNAL": ["Internal error"],
}

STATUS = {
    "INVALID_IDEMPOTENCY_KEY": 400,
    "INVALID_JSON": 400,
    "UNKNOWN_ENDPOINT": 404,
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_ENCODING": 415,
    "RATE_LIMITED": 429,
    "IDEMPOTENCY_MISMATCH": 422,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "OUTCOME_UNKNOWN": 503,
}

STRICT_STATUS = {
    "MISSING_API_KEY": 401,
    "INVALID_API_KEY": 401,
    "IP_NOT_WHITELISTED": 403,
    "MISSING_DEVELOPER_SECRET": 401,
    "INVALID_DEVELOPER_SECRET": 401,
    "MISSING_FIELDS": 400,
    "INVALID_FIELDS": 400,
    "MEMBER_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "WRONG_ORG": 403,
    "NOT_OWNER": 403,
    "NOTE_NOT_FOUND": 404,
    "NOTE_NOT_EDITABLE": 403,
    "CONTACT_EXISTS": 409,
    "CONTACT_AMBIGUOUS": 409,
}

# By their numbers in docs/api.md.
CHECKS = [
    "MISSING_API_KEY",
    "INVALID_API_KEY",
    "IP_NOT_WHITELISTED",
    "MISSING_DEVELOPER_SECRET",
    "INVALID_DEVELOPER_SECRET",
    "IP_NOT_WHITELISTED",
    "MISSING_FIELDS",
    "INVALID_FIELDS",
    "NOT_FOUND",
    "WRONG_ORG",
    "NOT_OWNER",
    "NOTE_NOT_FOUND",
    "NOTE_NOT_EDITABLE",
]

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


def rows(text, first_cell):
    """The cells of those table rows whose first cell matches, without backticks."""
    tables = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("`", "") for cell in row] for row in tables]
    return [row for row in cells if re.fullmatch(first_cell, row[0])]


@pytest.fixture(scope="module")
def api():
    return (SOURCE / "docs/api.md").read_text()


def test_api_lists_every_error_with_its_status_and_messages(api):
    listed = {}
    for code, status, messages, *_ in rows(api, "[A-Z_]{4,}"):
        listed.setdefault(code, (int(status), []))[1].extend(messages.split(", "))
    assert listed == {code: (STATUS.get(code, 200), texts) for code, texts in ERRORS.items()}


def test_api_lists_every_error_whose_status_changes(api):
    listed = [
        (code, int(row[1]))
        for row in rows(api, "fields|keys|rights|what is named|what is there")
        for code in row[2].split(", ")
    ]
    assert dict(listed) == STRICT_STATUS and len(listed) == len(STRICT_STATUS)
    assert set(STRICT_STATUS) == set(ERRORS) - set(STATUS)


def test_the_numbered_checks_stand_in_their_order(api):
    listed = [(int(row[0]), row[-1]) for row in rows(api, "[0-9]+")]
    assert listed == list(enumerate(CHECKS, 1))


def test_every_error_but_faults_has_its_place_among_the_checks(api):
    faults = {"UNAVAILABLE", "OUTCOME_UNKNOWN", "INTERNAL"}
    common = {row[-1] for row in rows(api, "[0-9]+|–")}
    calls = rows(api, "fetchContact|lookupContact|addContactsFull")
    own = {code for row in calls for code in re.findall(r"[A-Z]+_[A-Z_]+", row[-1])}
    assert common | own == set(ERRORS) - faults


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path):
    service = (CONF / "crmnotes.service").read_text()
    assert "/usr/lib/crmnotes/crmnotes.fcgi" in service
    service = service.replace("/usr/lib/crmnotes/crmnotes.fcgi", str(SERVICE))
    (tmp_path / "crmnotes.service").write_text(service)
    shutil.copy(CONF / "crmnotes.socket", tmp_path)
    units = [tmp_path / "crmnotes.socket", tmp_path / "crmnotes.service"]
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
