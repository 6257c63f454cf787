"""crmnotesctl apikey rotate and devkey rotate."""

import re
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from support.ids import unknown_id
from support.paths import CTL

OWN = "a-secret-made-elsewhere"


class Kind:
    """One of the two kinds of keys, with one key of it."""

    def __init__(self, operator, world, noun):
        self.operator, self.site, self.org, self.noun = operator, operator.site, world.org, noun
        self.is_api_key = noun == "apikey"
        self.id = world.apikey_id if self.is_api_key else world.devkey_id
        self.first = world.api_key if self.is_api_key else world.developer_secret
        self.secret_name = "api_key" if self.is_api_key else "developer_secret"
        self.what = "API key" if self.is_api_key else "developer key"
        self.whose = ("--member", world.member) if self.is_api_key else ("--org", world.org, "New")

    def rotate(self, *more, stdin=""):
        return self.site.ctl_one(self.noun, "rotate", self.id, *more, stdin=stdin)

    def listed(self):
        keys = self.site.ctl(self.noun, "list", "--org", self.org)
        return next(key for key in keys if key[f"{self.noun}_id"] == self.id)

    def issue_words(self):
        allow = () if self.is_api_key else ("--allow", "10.0.0.0/8")
        return (self.noun, "issue", *self.whose, *allow)


@pytest.fixture(params=["apikey", "devkey"])
def kind(request, operator, world):
    return Kind(operator, world, request.param)


def last_audit(operator):
    return operator.rows("SELECT * FROM audit ORDER BY at DESC, audit_id DESC LIMIT 1")[0]


def seconds_from(operator, date):
    """How long after the last command a date is."""
    then = datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()
    return then - last_audit(operator)["at"] / 1000


def test_the_key_stays_the_same_but_for_its_secret(kind):
    before = kind.listed()
    rotated = kind.rotate()
    assert list(rotated)[:2] == [f"{kind.noun}_id", kind.secret_name]
    secret = rotated.pop(kind.secret_name)
    assert re.fullmatch(r"z[ad]k_[0-9A-Za-z]{43}", secret) and secret != kind.first
    assert secret[:4] == kind.first[:4]
    assert rotated == {**before, "former_secret_until": rotated["former_secret_until"]}
    assert kind.listed() == rotated


@pytest.mark.parametrize(
    "grace, seconds",
    [
        ([], 86400),
        (["--grace", "24h"], 86400),
        (["--grace", "90s"], 90),
        (["--grace=30m"], 1800),
        (["--grace", "7d"], 7 * 86400),
        (["--grace", "365d"], 365 * 86400),
        (["--grace", "0009s"], 9),
    ],
)
def test_the_former_secret_is_good_for_the_grace_time(kind, grace, seconds):
    until = kind.rotate(*grace)["former_secret_until"]
    assert seconds_from(kind.operator, until) == pytest.approx(seconds, abs=0.0011)
    assert kind.listed()["former_secret_until"] == until


@pytest.mark.parametrize("of_date", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S+00:00"])
def test_the_former_secret_is_good_until_a_date(kind, of_date):
    date = (datetime.now(timezone.utc) + timedelta(days=30)).strftime(of_date)
    until = kind.rotate("--grace", date)["former_secret_until"]
    assert datetime.fromisoformat(until) == datetime.fromisoformat(date).replace(tzinfo=timezone.utc)
    assert kind.listed()["former_secret_until"] == until


@pytest.mark.parametrize("grace", ["0", "0s", "00", "0d"])
def test_without_grace_there_is_no_good_former_secret(kind, grace):
    assert kind.rotate("--grace", grace)["former_secret_until"] is None
    assert kind.listed()["former_secret_until"] is None


@pytest.mark.parametrize(
    "grace, says",
    [
        *((text, "such as 90s, 30m, 24h or 7d, a date such as 2030-12-31, or 0") for text in ("", "1", "24", "h", "1w", "1.5h")),
        *((text, "such as 90s, 30m, 24h or 7d, a date such as 2030-12-31, or 0") for text in ("-1h", "1h30m", " 1h", "1 h", "1H")),
        *((text, "at most 365d") for text in ("366d", "8761h", "31536001s", "9" * 30 + "d")),
        ("2999-12-31", "at most 365d"),
        ("2000-01-01T00:00:00Z", "is over already"),
    ],
)
def test_grace_that_is_none(kind, grace, says):
    before = kind.listed()
    kind.operator.fails(65, kind.noun, "rotate", kind.id, f"--grace={grace}", says=["--grace", says])
    assert kind.listed() == before


def test_one_more_rotation_takes_no_time_from_earlier_ones(kind):
    first = kind.rotate("--grace", "1h")["former_secret_until"]
    done = kind.site.ctl_raw("--json", kind.noun, "rotate", kind.id, "--grace", "2h")
    remark = f"crmnotesctl: Secrets of earlier rotations work until {first} at the latest\n"
    assert (done.returncode, done.stderr) == (0, remark)
    second = kind.listed()["former_secret_until"]
    assert seconds_from(kind.operator, second) == pytest.approx(7200, abs=0.0011)
    done = kind.site.ctl_raw(kind.noun, "rotate", kind.id, "--grace", "10m")
    third = kind.listed()["former_secret_until"]
    assert seconds_from(kind.operator, third) == pytest.approx(600, abs=0.0011)
    assert f"earlier rotations work until {third} at the latest. This is shown" in done.stderr
    done = kind.site.ctl_raw("--json", kind.noun, "rotate", kind.id, "--grace", "0")
    assert done.stderr == "crmnotesctl: Secrets of earlier rotations have ended, too\n"
    assert kind.listed()["former_secret_until"] is None
    assert kind.site.ctl_raw("--json", kind.noun, "rotate", kind.id).stderr == ""


def test_people_are_told_that_it_is_shown_once(kind):
    done = kind.site.ctl_raw(kind.noun, "rotate", kind.id)
    assert (done.returncode, done.stderr) == (0, "crmnotesctl: This is shown only once.\n")
    until = kind.listed()["former_secret_until"]
    assert re.search(rf"^FORMER SECRET UNTIL +{until}$", done.stdout, re.M)
    assert until in kind.site.ctl(kind.noun, "list", "--org", kind.org, json=False)


def test_secret_from_elsewhere(kind):
    assert kind.rotate("--stdin", stdin=f"{OWN}\n")[kind.secret_name] == OWN
    words = (kind.noun, "rotate", kind.id, "--stdin")
    kind.operator.fails(65, *words, stdin="short", says=["standard input", "16 to 255"])
    assert OWN.encode() not in kind.operator.files()


def test_secret_that_is_or_was_somebodys(kind):
    other = kind.site.ctl_one(*kind.issue_words())
    former = kind.first
    present = kind.rotate("--grace", "0")[kind.secret_name]
    before = kind.listed()
    for taken in (former, present, other[kind.secret_name]):
        words = (kind.noun, "rotate", kind.id, "--stdin")
        assert taken not in kind.operator.fails(65, *words, stdin=taken, says="already")
        assert taken not in kind.operator.fails(
            65, *kind.issue_words(), "--stdin", stdin=taken, says="already"
        )
    assert kind.listed() == before


def test_key_that_is_revoked(kind):
    kind.rotate()
    assert kind.listed()["former_secret_until"] is not None
    revoked = kind.site.ctl_one(kind.noun, "revoke", kind.id)
    assert revoked["former_secret_until"] is None
    says = ["the key is revoked", f"'{kind.noun} issue'"]
    kind.operator.fails(65, kind.noun, "rotate", kind.id, says=says)
    assert kind.listed() == revoked


def test_key_that_is_expired(operator, world):
    operator.change("UPDATE developer_keys SET expires_at = 1")
    words = ("devkey", "rotate", world.devkey_id)
    operator.fails(65, *words, says=["the key is expired", "'devkey issue'"])


def test_former_secret_works_no_longer_than_the_key(operator, world):
    site, late = operator.site, "2099-01-01T00:00:00Z"
    key = site.issue_devkey(world.org, "10.0.0.0/8", expires=late)["devkey_id"]
    rotated = site.ctl_one("devkey", "rotate", key)
    assert rotated["former_secret_until"] < rotated["expires_at"]
    operator.change("UPDATE developer_keys SET expires_at = strftime('%s', 'now') * 1000 + 60000")
    rotated = site.ctl_one("devkey", "rotate", key)
    assert rotated["former_secret_until"] == rotated["expires_at"]


def test_key_of_a_member_who_is_deactivated_is_remarked_on(site, world):
    site.ctl("member", "deactivate", world.member)
    done = site.ctl_raw("--json", "apikey", "rotate", world.apikey_id)
    remark = "the member is deactivated: the key works once it is active again"
    assert (done.returncode, done.stderr) == (0, f"crmnotesctl: {remark}\n")


def test_wrong_use(kind):
    fails = kind.operator.fails
    nothing = unknown_id()
    fails(65, kind.noun, "rotate", nothing, says=f"no {kind.what} {nothing}")
    fails(64, kind.noun, "rotate", says="ID is missing")
    fails(64, kind.noun, "rotate", kind.id, "--grace", says="--grace needs a value")
    fails(65, kind.noun, "rotate", kind.first, says=f"ID is the id shown by '{kind.noun} list'")
    said = fails(64, kind.noun, "rotate", kind.id, "--grace", kind.first, says="that is a secret")
    assert kind.first not in said


def test_missing_key_file(kind):
    kind.site.key_file.unlink()
    words = (kind.noun, "rotate", kind.id)
    kind.operator.fails(78, *words, says=[str(kind.site.key_file), "crmnotesctl db migrate"])


def test_secret_that_cannot_be_shown_names_the_way_out(kind):
    """The former secret still works after another rotation."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [CTL, "--config", kind.site.config, kind.noun, "rotate", kind.id],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=kind.site.environment(),
        )
    assert done.returncode == 74
    assert f"run 'crmnotesctl {kind.noun} rotate {kind.id}' again" in done.stderr
    assert kind.listed()["former_secret_until"] is not None


def test_only_hashes_are_stored(kind):
    rotated = kind.rotate()
    stored = kind.operator.files()
    for secret in (kind.first, rotated[kind.secret_name]):
        assert secret[4:].encode() not in stored
