"""fetchIdentifiers: from the developer secret alone to the ids of the other calls."""

import pytest

from support.answers import assert_error
from support.calls import FETCH, IDENTIFIERS, data_of, fetch_body


@pytest.fixture
def fetch(pool):
    def send(secret, **fields):
        return pool.call({"developer_secret": secret, **fields}, path=IDENTIFIERS)

    return send


@pytest.fixture
def world(pool):
    return pool.site.world("Identifiers")


def hand_out(site, world, which, stdin, allow="127.0.0.0/8"):
    words = ("devkey", "issue", "--org", world.org, "Hands out", "--allow", allow)
    return site.ctl_one(*words, "--hands-out", which, stdin=stdin)


def test_what_is_answered(pool, world, fetch):
    gone = pool.site.add_member(world.org, "Gone")["member_id"]
    pool.site.ctl("member", "deactivate", gone)
    data = data_of(fetch(world.developer_secret))
    assert list(data) == ["api_key", "org_id", "org_name", "members", "brands"]
    assert data == {
        "api_key": None,
        "org_id": world.org,
        "org_name": "Identifiers",
        "members": [
            {"member_id": world.member, "member_name": "Identifiers member"},
            {"member_id": world.second_member, "member_name": "Identifiers second member"},
        ],
        "brands": [],
    }


def test_a_program_comes_from_its_secret_to_a_contact(pool, world, fetch):
    secret = hand_out(pool.site, world, world.apikey_id, world.api_key + "\n")["developer_secret"]
    data = data_of(fetch(secret))
    assert data["api_key"] == world.api_key
    keys = {"api_key": data["api_key"], "developer_secret": secret}
    answer = pool.call({**fetch_body(world), **keys}, path=FETCH)
    assert data_of(answer)["contact"]["contact_id"] == world.contact


def test_the_key_that_is_handed_out_is_the_present_one(pool, world, fetch):
    secret = hand_out(pool.site, world, world.apikey_id, world.api_key)["developer_secret"]
    rotated = pool.site.ctl_one("apikey", "rotate", world.apikey_id, "--grace", "1h")["api_key"]
    assert data_of(fetch(secret))["api_key"] == rotated
    pool.site.ctl("apikey", "revoke", world.apikey_id)
    assert data_of(fetch(secret))["api_key"] is None


def test_no_key_of_an_inactive_member_is_handed_out(pool, world, fetch):
    secret = hand_out(pool.site, world, world.apikey_id, world.api_key)["developer_secret"]
    pool.site.ctl("member", "deactivate", world.member)
    data = data_of(fetch(secret))
    assert data["api_key"] is None and len(data["members"]) == 1


def test_the_text_is_nowhere_in_the_database(pool, world):
    hand_out(pool.site, world, world.apikey_id, world.api_key)
    for path in pool.site.directory.glob("*.db*"):
        assert world.api_key.encode() not in path.read_bytes(), path
    audit = pool.site.ctl_raw("audit", "list", "--org", world.org)
    assert world.api_key not in audit.stdout + audit.stderr


def test_a_key_that_is_no_key_of_the_organization(pool, world):
    other = pool.site.world("Other")
    for which, text in (
        (world.apikey_id, other.api_key),
        (world.apikey_id, "zak_" + "x" * 43),
        (other.apikey_id, world.api_key),
        (world.apikey_id, ""),
    ):
        words = ("devkey", "issue", "--org", world.org, "X", "--allow", "127.0.0.1/32")
        run = pool.site.ctl_raw(*words, "--hands-out", which, stdin=text)
        assert run.returncode == 65 and run.stdout == "", run
        assert "standard input" in run.stderr


def test_a_key_is_no_word_of_the_command_line(pool, world):
    words = ("devkey", "issue", "--org", world.org, "X", "--allow", "127.0.0.0/8")
    run = pool.site.ctl_raw(*words, "--hands-out", world.api_key)
    assert run.returncode == 65 and "--hands-out is the id shown by 'apikey list'" in run.stderr
    assert world.api_key not in run.stderr


def test_checks(pool, world, fetch):
    assert_error(fetch(None), "MISSING_DEVELOPER_SECRET", "Missing developer_secret")
    assert_error(fetch("zdk_" + "x" * 43), "INVALID_DEVELOPER_SECRET", "Invalid developer_secret")
    # the API key is not looked at
    assert data_of(fetch(world.developer_secret, api_key="x"))["org_id"] == world.org
    far = hand_out(pool.site, world, world.apikey_id, world.api_key, allow="192.0.2.0/24")
    answer = fetch(far["developer_secret"])
    assert_error(answer, "IP_NOT_WHITELISTED", "IP address not whitelisted")
