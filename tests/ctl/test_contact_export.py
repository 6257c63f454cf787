"""crmnotesctl contact export, and the way back by contact import."""

import csv
import io
import os
import random
import subprocess
import uuid

import pytest

from support import memory
from support.ids import unknown_id
from support.load import Load
from support.service import Service
from support.site import Site

NAMES = (
    "contact_id,contact_owner,contact_name,first_name,last_name,role_label,primary_email,secondary_email,"
    "primary_phone,secondary_phone,entity_name,entity_website,created_at,updated_at"
)


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


@pytest.fixture
def owner(site, org):
    return site.add_member(org, "Ada")["member_id"]


def export(site, *words):
    return subprocess.run(
        [site.ctl_program, "--config", site.config, "contact", "export", *words],
        capture_output=True, check=True, env=site.environment(), timeout=120,
    ).stdout  # fmt: skip


def import_bytes(site, data, *words):
    file = site.directory / "import.csv"
    file.write_bytes(data)
    return site.ctl_one("contact", "import", file, *words)


def same_members(source, target):
    """The organizations and members of one site, in another one."""
    for org in source.ctl("org", "list"):
        target.ctl("org", "add", org["org_name"], "--id", org["org_id"])
        for member in source.ctl("member", "list", "--org", org["org_id"]):
            words = ("--org", org["org_id"], member["member_name"], "--id", member["member_id"])
            target.ctl("member", "add", *words)


def some_text(rng, most):
    """Any characters that a name may have: all planes, combining, right to left, quotes."""
    ranges = [(0x20, 0x7E), (0x20, 0x7E), (0xA1, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x5D0, 0x5EA),
              (0x2010, 0x2064), (0x4E00, 0x4FFF), (0xE000, 0xE010), (0x1F600, 0x1F64F), (0xFFF0, 0xFFFF), (0x10FFF0, 0x10FFFF)]  # fmt: skip
    text = "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 12)))
    text = rng.choice(["", "=", "+1", "-", "@", '"', ",", " ", "'", "\ufeff", "x"]) + text
    while len(text.encode()) > most:
        text = text[:-1]
    return text if text.strip() else "x"


def random_rows(rng, owners, count):
    for number in range(count):
        def maybe(value):
            return value if rng.random() < 0.6 else ""

        yield [
            str(uuid.UUID(int=rng.getrandbits(128))), rng.choice(owners), some_text(rng, 200),
            maybe(some_text(rng, 200)), maybe(some_text(rng, 200)), maybe(some_text(rng, 200)),
            maybe(f"n{number}@{some_text(rng, 60).replace('@', '').replace(' ', '') or 'x'}"),
            maybe(f"İß{number % 7}@x.example"), maybe(some_text(rng, 64)), maybe("+49 (30) 1"),
            maybe(f"Company {rng.randint(1, 20)}"), "",
            f"{rng.randint(1971, 2100)}-02-0{rng.randint(1, 9)}T01:02:03.{rng.randint(0, 999):03}Z",
            f"{rng.randint(1971, 2100)}-02-0{rng.randint(1, 9)}T01:02:03.{rng.randint(0, 999):03}Z",
        ]  # fmt: skip


def as_csv(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([NAMES.split(","), *rows])
    return out.getvalue().encode()


def test_without_contacts_there_are_the_names(site, org):
    assert export(site, "--org", org) == NAMES.encode() + b"\r\n"
    assert export(site) == b"org_id," + NAMES.encode() + b"\r\n"


def test_what_is_imported_is_exported(site, org, owner):
    rng = random.Random(7)
    data = as_csv(random_rows(rng, [owner], 500))
    summary = import_bytes(site, data, "--org", org)
    assert summary["added"] == 500
    assert export(site, "--org", org) == data


def test_an_import_into_an_empty_database_gives_the_same(site, org, owner):
    rng = random.Random(11)
    second = site.add_org("Second")["org_id"]
    owners = [site.add_member(org, f"M{n}")["member_id"] for n in range(3)]
    import_bytes(site, as_csv(random_rows(rng, owners, 300)), "--org", org)
    import_bytes(site, as_csv(random_rows(rng, [site.add_member(second)["member_id"]], 50)), "--org", second)
    contact = site.ctl("contact", "list", "--org", org)[5]["contact_id"]
    site.assign_contact(contact, owner)  # it is the last one now
    site.ctl("member", "deactivate", owners[0])
    first = export(site)
    assert first.splitlines()[-51].split(b",")[1].decode() == contact
    with Site() as other:
        same_members(site, other)
        assert import_bytes(other, first)["added"] == 350
        assert export(other) == first
        assert import_bytes(other, first)["unchanged"] == 350
        assert export(other) == first


def test_a_missing_member_is_named(site, org, owner):
    site.add_contact(org, owner, "Ada")
    data = export(site)
    with Site() as other:
        other.ctl("org", "add", "X", "--id", org)
        (other.directory / "f.csv").write_bytes(data)
        done = other.ctl_raw("contact", "import", other.directory / "f.csv")
        assert done.returncode == 65
        assert f"there is no member {owner}" in (other.directory / "f.csv.rejects").read_text()


def test_formulas_are_defused_only_for_spreadsheets(site, org, owner):
    for name in ("=1+1", "+1", "-1", "@x", "x=1"):
        site.ctl("contact", "add", "--org", org, "--owner", owner, "--phone", "+49", "--", name)
    plain = list(csv.DictReader(io.StringIO(export(site).decode(), newline="")))
    safe = list(csv.DictReader(io.StringIO(export(site, "--for-spreadsheets").decode(), newline="")))
    assert [row["contact_name"] for row in plain] == ["=1+1", "+1", "-1", "@x", "x=1"]
    assert [row["contact_name"] for row in safe] == ["'=1+1", "'+1", "'-1", "'@x", "x=1"]
    assert {row["primary_phone"] for row in safe} == {"'+49"}


def test_an_unknown_organization(operator):
    operator.fails(65, "contact", "export", "--org", unknown_id(), says="there is no organization")


def test_a_reader_that_has_seen_enough_is_no_error(site, org, owner):
    import_bytes(site, as_csv(random_rows(random.Random(3), [owner], 2000)), "--org", org)
    command = f"'{site.ctl_program}' --config '{site.config}' contact export; echo $? >&2"
    done = subprocess.run(["bash", "-c", f"({command}) | head -n 1"], capture_output=True, text=True, check=True, env=site.environment())
    assert done.stdout.startswith("org_id,") and done.stderr == "0\n"


@memory.of_crmnotesctl
def test_memory_does_not_grow_with_the_contacts(site, org, owner):
    lines = (f"Contact number {n},c{n}@x.example" for n in range(200000))
    file = site.directory / "f.csv"
    file.write_text("contact_name,primary_email\n" + "\n".join(lines) + "\n")
    ctl = f"'{site.ctl_program}' --config '{site.config}' contact"
    for mib, words in ((400, f"import '{file}' --org {org} --owner {owner}"), (100, "export")):
        command = f"ulimit -v {mib * 1024} && {ctl} {words} >/dev/null"
        subprocess.run(["bash", "-c", command], check=True, env=site.environment(), timeout=300)
    assert export(site).count(b"\n") == 200001


def test_a_service_goes_on_beside_an_import(site):
    world = site.world()
    rows = "".join(f"C{n},c{n}@x.example\n" for n in range(8000))
    file = site.directory / "f.csv"
    file.write_text("contact_name,primary_email\n" + rows)
    command = [site.ctl_program, "--config", site.config, "contact", "import", file, "--org", world.org, "--owner", world.member]
    with Service(site) as service, Load(service, world, kept=4, fresh=0) as load:
        imports = 0
        while True:  # killed at random moments, later and later
            with subprocess.Popen(command, env=site.environment(), stdout=subprocess.DEVNULL) as process:
                before = len(load.answers)
                try:
                    assert process.wait(random.uniform(0.1, 0.2) * 2**imports) == 0
                    assert len(load.answers) > before
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    imports += 1
        load.stop.set()
    assert not load.failures and imports > 0
    load.assert_stored()
    names = [row["contact_name"] for row in csv.DictReader(io.StringIO(export(site, "--org", world.org).decode()))]
    assert sorted(names) == sorted([*(f"C{n}" for n in range(8000)), "World contact", "World second contact"])
