"""crmnotesctl org."""

import re

from support.ids import unknown_id

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_add_prints_the_organization(site):
    org = site.ctl_one("org", "add", "Acme & Söhne")
    assert list(org) == ["org_id", "org_name"]
    assert UUID.fullmatch(org["org_id"])
    assert org["org_name"] == "Acme & Söhne"


def test_list_has_all_in_the_order_of_their_making(site):
    added = [site.add_org(name) for name in ("B", "A", "A", "C")]
    assert site.ctl("org", "list") == added


def test_id_from_elsewhere(operator):
    wanted = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"
    org = operator.site.ctl_one("org", "add", "--id", wanted, "Theirs")
    assert org["org_id"] == wanted.lower()
    operator.fails(65, "org", "add", "Again", "--id", wanted, says="this id already")
    assert operator.site.ctl("org", "list") == [org]


def test_id_that_is_none(operator):
    for wrong in ("", "x", unknown_id()[:-1], unknown_id() + "0", "{" + unknown_id() + "}"):
        operator.fails(65, "org", "add", "Name", "--id", wrong, says="--id")


def test_names(operator):
    good = ["x", "x" * 200, "ü" * 100, "名前", "O'Neill \"the\" <b>", "-- x", " padded "]
    for name in good:
        assert operator.site.ctl_one("org", "add", "--", name)["org_name"] == name
    bad = {"": "blank", " \u3000 ": "blank", "x" * 201: "200 bytes", "ü" * 101: "200 bytes"}
    bad |= {"a\nb": "control", "a\x1b[31m": "control", "a\x7f": "control", "a\x85": "control"}
    for name, says in bad.items():
        operator.fails(65, "org", "add", "--", name, says=["NAME", says])
    assert len(operator.site.ctl("org", "list")) == len(good)


def test_name_that_is_no_utf8(operator):
    operator.fails(65, "org", "add", "a\udcff", says="UTF-8")


def test_show_and_rename(operator):
    site = operator.site
    org, other = site.add_org("Acme"), site.add_org("Other")
    assert site.ctl_one("org", "show", org["org_id"]) == org
    renamed = {**org, "org_name": "Acme & Söhne"}
    assert site.ctl_one("org", "rename", org["org_id"], "Acme & Söhne") == renamed
    assert site.ctl_one("org", "rename", org["org_id"].upper(), "Acme & Söhne") == renamed
    assert site.ctl("org", "list") == [renamed, other]
    operator.fails(65, "org", "rename", org["org_id"], " ", says=["NAME", "blank"])
    operator.fails(64, "org", "rename", org["org_id"], says="NAME is missing")


def test_organization_that_does_not_exist(operator):
    nothing = unknown_id()
    operator.fails(65, "org", "show", nothing, says=f"no organization {nothing}")
    operator.fails(65, "org", "rename", nothing, "X", says=f"no organization {nothing}")
