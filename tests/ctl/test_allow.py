"""crmnotesctl allow."""

import json

import pytest

from support.ids import unknown_id


@pytest.fixture
def key(site):
    org = site.add_org()["org_id"]
    return site.issue_devkey(org, "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32")["devkey_id"]


def test_list_prints_one_object(site, key):
    allowed = site.ctl_one("allow", "list", key)
    assert list(allowed) == ["devkey_id", "allow"]
    assert allowed["devkey_id"] == key
    assert allowed["allow"] == ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]


def test_add_prints_all_blocks(site, key):
    added = site.ctl_one("allow", "add", key, "192.0.2.7", "::ffff:198.51.100.0/120")
    assert added["allow"] == [
        "10.0.0.0/8",
        "10.1.0.0/16",
        "192.0.2.7/32",
        "198.51.100.0/24",
        "2001:db8::/32",
    ]
    assert site.ctl_one("allow", "add", key, "192.0.2.7/32") == added
    assert site.ctl_one("allow", "list", key) == added


def test_remove_is_all_or_nothing(operator, key):
    site = operator.site
    before = site.ctl_one("allow", "list", key)
    words = ("allow", "remove", key, "10.1.0.0/16", "192.0.2.0/24")
    operator.fails(65, *words, says=["192.0.2.0/24", "nothing was removed"])
    assert site.ctl_one("allow", "list", key) == before
    removed = site.ctl_one("allow", "remove", key, "10.0.0.0/8,2001:db8::/32")
    assert removed["allow"] == ["10.1.0.0/16"]


def test_removing_the_last_block_is_remarked_on(site, key):
    site.ctl("allow", "remove", key, "10.0.0.0/8", "10.1.0.0/16")
    done = site.ctl_raw("--json", "allow", "remove", key, "2001:db8::/32")
    assert done.returncode == 0
    assert done.stdout == f'{{"devkey_id":"{key}","allow":[]}}\n'
    assert "from nowhere" in done.stderr


@pytest.mark.parametrize("block", ["0.0.0.0/0", "::/0"])
def test_every_address_only_when_that_is_said(operator, key, block):
    operator.fails(65, "allow", "add", key, block, says=[block, "--allow-any"])
    assert block in operator.site.ctl_one("allow", "add", "--allow-any", key, block)["allow"]


@pytest.mark.parametrize(
    "address, block, written",
    [
        ("10.0.0.1", "10.0.0.0/8", None),
        ("10.1.255.255", "10.1.0.0/16", None),
        ("::ffff:10.1.2.3", "10.1.0.0/16", "10.1.2.3"),
        ("2001:DB8:0::1", "2001:db8::/32", "2001:db8::1"),
        ("11.0.0.0", None, None),
        ("::1", None, None),
    ],
)
def test_test_answers_by_its_exit_status(site, key, address, block, written):
    done = site.ctl_raw("--json", "allow", "test", key, address)
    answer = {
        "devkey_id": key,
        "address": written or address,
        "allowed": block is not None,
        "block": block,
    }
    assert done.returncode == (0 if block else 1)
    assert done.stderr == ""
    assert list(json.loads(done.stdout).items()) == list(answer.items())


@pytest.mark.parametrize("address", ["", "10.0.0", "10.0.0.1/32", "10.0.0.1:80", "fe80::1%lo"])
def test_test_of_no_address_is_an_error(operator, key, address):
    operator.fails(65, "allow", "test", key, address, says="ADDRESS")


@pytest.mark.parametrize("end, says", [("revoked_at", "revoked"), ("expires_at", "expired")])
@pytest.mark.parametrize("address, block", [("10.0.0.1", "10.0.0.0/8"), ("11.0.0.0", None)])
def test_dead_key_allows_nothing(operator, key, end, says, address, block):
    operator.change(f"UPDATE developer_keys SET {end} = created_at")
    done = operator.site.ctl_raw("--json", "allow", "test", key, address)
    answer = {"devkey_id": key, "address": address, "allowed": False, "block": block}
    assert (done.returncode, json.loads(done.stdout)) == (1, answer)
    assert done.stderr == f"crmnotesctl: the key is {says}: it can be used from nowhere\n"


def test_key_that_does_not_exist(operator):
    nothing = unknown_id()
    for words in (
        ("add", nothing, "10.0.0.0/8"),
        ("remove", nothing, "10.0.0.0/8"),
        ("list", nothing),
        ("test", nothing, "10.0.0.1"),
    ):
        operator.fails(65, "allow", *words, says=f"no developer key {nothing}")


def test_block_that_is_none(operator, key):
    operator.fails(65, "allow", "add", key, "10.0.0.1/8", says=["CIDR", "10.0.0.0/8"])
    operator.fails(65, "allow", "remove", key, "nonsense", says=["CIDR", "nonsense"])
    operator.fails(64, "allow", "add", key, says="CIDR is missing")
