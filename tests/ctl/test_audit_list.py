"""crmnotesctl audit list."""

import json

import pytest

from support.ids import unknown_id

MEMBERS = ["audit_id", "at", "actor", "action", "org_id", "subject", "detail"]


def actions(rows):
    return [row["action"] for row in rows]


def test_list_shows_what_was_written_the_newest_last(operator):
    site = operator.site
    org = site.add_org("Acme")["org_id"]
    member = site.add_member(org, "Ann")["member_id"]
    key = site.issue_devkey(org, "10.0.0.0/8", "2001:db8::/32", name="Zoë")["devkey_id"]
    listed = site.ctl("audit", "list")
    assert actions(listed) == ["db migrate", "org add", "member add", "devkey issue"]
    assert all(list(row) == MEMBERS for row in listed)
    first, second, third, last = listed
    assert (first["org_id"], first["subject"], first["detail"]) == (None, None, {})
    assert (second["org_id"], second["subject"]) == (org, org)
    assert (third["subject"], third["detail"]) == (member, {"--org": org, "NAME": True})
    assert last["detail"] == {"--org": org, "NAME": True, "--allow": ["10.0.0.0/8", "2001:db8::/32"]}
    assert (last["org_id"], last["subject"]) == (org, key)
    stored = operator.rows("SELECT hex(audit_id) AS id, actor FROM audit ORDER BY at, audit_id")
    assert [row["audit_id"].replace("-", "").upper() for row in listed] == [row["id"] for row in stored]
    assert [row["actor"] for row in listed] == [row["actor"] for row in stored]
    dates = [row["at"] for row in listed]
    assert dates == sorted(dates) and len(set(dates)) == 4


def test_list_of_one_organization(site):
    ours, theirs = (site.add_org(name)["org_id"] for name in ("Ours", "Theirs"))
    site.add_member(theirs, "X")
    site.add_member(ours, "Y")
    listed = site.ctl("audit", "list", "--org", ours)
    assert actions(listed) == ["org add", "member add"]
    assert {row["org_id"] for row in listed} == {ours}


def test_list_since_a_time(site):
    org = site.add_org()["org_id"]
    site.add_member(org, "A")
    site.add_member(org, "B")
    everything = site.ctl("audit", "list")
    for number, row in enumerate(everything):
        assert site.ctl("audit", "list", "--since", row["at"]) == everything[number:]
    of_org = site.ctl("audit", "list", "--org", org, "--since", everything[2]["at"])
    assert of_org == everything[2:]
    assert site.ctl("audit", "list", "--since", "1970-01-01T00:00:00Z") == everything
    assert site.ctl("audit", "list", "--since", "2099-01-01T00:00:00+05:30") == []
    assert site.ctl("audit", "list", "--since", "2099-01-01") == []
    assert site.ctl("audit", "list", "--since", "1970-01-01") == everything
    assert site.ctl("audit", "list", "--since", "1d") == everything
    assert site.ctl("audit", "list", "--since", "36525d") == everything


def test_a_clock_that_was_set_back_does_not_hide_anything(operator):
    """Sorted by the dates as they were stored."""
    operator.site.add_org("first")
    operator.change("UPDATE audit SET at = 4000000000000 WHERE action = 'org add'")
    operator.site.add_org("second")
    listed = operator.site.ctl("audit", "list")
    assert [row["detail"].get("NAME") for row in listed] == [None, "second", "first"]


def test_table_for_people(site):
    org = site.add_org("Acme\u202e")["org_id"]
    heading, first, second = site.ctl("audit", "list", json=False).splitlines()
    assert heading.split() == ["AT", "ACTOR", "ACTION", "ORG", "ID", "SUBJECT", "DETAIL"]
    assert first.split()[-3:] == ["-", "-", "{}"]
    assert org in second and second.endswith('{"NAME":"Acme?"}')


def test_list_that_is_empty(site):
    done = site.ctl_raw("audit", "list", "--since", "2099-01-01T00:00:00Z")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "crmnotesctl: nothing was changed\n"


def test_detail_that_is_no_json_is_null(operator):
    for text in ("{", "nonsense", "", '{"a":'):
        operator.change("UPDATE audit SET detail = ?", text)
        assert [row["detail"] for row in operator.site.ctl("audit", "list")] == [None]


def test_reading_the_audit_leaves_no_row(operator):
    before = operator.rows("SELECT count(*) FROM audit")
    operator.site.ctl("audit", "list")
    assert operator.rows("SELECT count(*) FROM audit") == before


def test_no_secret_is_in_it(site, world):
    secret = site.ctl_one("devkey", "rotate", world.devkey_id, "--stdin", stdin="x" * 20)
    text = json.dumps(site.ctl("audit", "list"))
    assert '"--stdin": true' in text
    for hidden in (world.api_key, world.developer_secret, secret["developer_secret"]):
        assert hidden not in text


@pytest.mark.parametrize("date", ["", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z"])
def test_time_that_is_none(operator, date):
    operator.fails(65, "audit", "list", f"--since={date}", says=["--since", "2030-12-31T23:59:59Z"])


def test_organization_that_does_not_exist(operator):
    nothing = unknown_id()
    operator.fails(65, "audit", "list", "--org", nothing, says=f"no organization {nothing}")
