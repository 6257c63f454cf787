"""crmnotesctl contact import."""

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess

import pytest

from support.ids import unknown_id
from support.wait import wait_for


@pytest.fixture
def org(site):
    return site.add_org()["org_id"]


@pytest.fixture
def owner(site, org):
    return site.add_member(org, "Ada", "--email", "Ada@example.org")["member_id"]


def rows_of(*rows, names="contact_name,primary_email"):
    return "\r\n".join([names, *rows]) + "\r\n"


def run(site, org, text, *words, json_output=True):
    """The summary of an import of this text, whatever its exit status."""
    file = site.directory / "file.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    done = site.ctl_raw(*(["--json"] if json_output else []), "contact", "import", file, "--org", org, *words)
    assert done.returncode in (0, 65), done.stderr
    return json.loads(done.stdout)


def counts(summary):
    return tuple(summary[name] for name in ("added", "updated", "unchanged", "refused"))


def exported(site, org):
    text = site.ctl("contact", "export", "--org", org, json=False)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rejects(site, name="file.csv.rejects"):
    return list(csv.DictReader(io.StringIO((site.directory / name).read_text(), newline="")))


def test_every_column_is_imported(site, org, owner):
    identity = unknown_id()
    row = {
        "contact_id": identity,
        "contact_owner": owner,
        "contact_name": 'Ada "the first", Countess',
        "first_name": "Ada",
        "last_name": "Löwe",
        "role_label": "=Head",
        "primary_email": "ada@example.com",
        "secondary_email": "a@example.com",
        "primary_phone": "+44 1",
        "secondary_phone": "2",
        "entity_name": "Engines, Ltd",
        "entity_website": "https://engines.example",
        "created_at": "1999-12-31T23:59:59.999Z",
        "updated_at": "2001-02-03T04:05:06.007Z",
    }
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, row)
    writer.writeheader()
    writer.writerow(row)
    assert counts(run(site, org, "\ufeff" + out.getvalue())) == (1, 0, 0, 0)
    assert exported(site, org) == [row]
    assert counts(run(site, org, out.getvalue().replace("\r\n", "\n"))) == (0, 0, 1, 0)


def test_a_second_import_changes_nothing(site, operator, org, owner):
    text = rows_of("Ada,ada@example.org", "Nobody,", "Bo,bo@example.org", "Nobody,")
    assert counts(run(site, org, text, "--owner", owner)) == (3, 0, 1, 0)
    before = operator.rows("SELECT * FROM contacts")
    assert counts(run(site, org, text, "--owner", owner)) == (0, 0, 4, 0)
    assert operator.rows("SELECT * FROM contacts") == before


def test_contacts_are_found_by_email_or_id(operator, org, owner):
    site = operator.site
    ids = [site.add_contact(org, owner, n, "--email", f"{n}@x.example")["contact_id"] for n in "ab"]
    text = rows_of("New,A@X.example")
    assert counts(run(site, org, text)) == (0, 1, 0, 0)
    assert site.ctl_one("contact", "show", ids[0])["contact_name"] == "New"
    by_id = rows_of(f"{ids[1]},Other,a@x.example", names="contact_id,contact_name,primary_email")
    assert counts(run(site, org, by_id, "--match", "email")) == (0, 1, 0, 0)
    assert site.ctl_one("contact", "show", ids[0])["contact_name"] == "Other"
    assert counts(run(site, org, by_id)) == (0, 1, 0, 0)
    assert site.ctl_one("contact", "show", ids[1])["contact_email"] == "a@x.example"
    summary = run(site, org, text)
    assert counts(summary) == (0, 0, 0, 1)
    assert "more than one contact" in rejects(site)[0]["reject_reason"]
    assert counts(run(site, org, text, "--match", "contact_id", "--owner", owner)) == (1, 0, 0, 0)


def test_an_empty_cell_leaves_the_field(site, org, owner):
    names = "contact_id,contact_name,role_label,primary_phone,entity_name"
    contact = unknown_id()
    run(site, org, rows_of(f"{contact},Ada,Head,12,Engines", names=names), "--owner", owner)
    before = exported(site, org)
    assert counts(run(site, org, rows_of(f"{contact},, ,,", names=names))) == (0, 0, 1, 0)
    assert counts(run(site, org, rows_of(f"{contact},,,13,ENGINES", names=names))) == (0, 1, 0, 0)
    (after,) = exported(site, org)
    assert after == {**before[0], "primary_phone": "13", "updated_at": after["updated_at"]}


def test_owner_by_id_email_or_option(site, org, owner):
    second = site.add_member(org, "Bo", "--email", "bo@example.org")["member_id"]
    names = "contact_name,contact_owner"
    text = rows_of(f"A,{second}", "B,BO@example.org", "C,", names=names)
    assert counts(run(site, org, text, "--owner", "ada@EXAMPLE.org")) == (3, 0, 0, 0)
    assert [row["contact_owner"] for row in exported(site, org)] == [second, second, owner]


def test_columns_are_mapped(operator, org, owner):
    site = operator.site
    text = rows_of("Ada,x,a@x.example", names="Name,Other,E-Mail")
    summary = run(site, org, text, "--owner", owner, "--map", "Name=contact_name,E-Mail=primary_email")
    assert counts(summary) == (1, 0, 0, 0)
    assert exported(site, org)[0]["primary_email"] == "a@x.example"
    words = ("contact", "import", site.directory / "file.csv", "--org", org)
    operator.fails(65, *words, "--map", "Nme=contact_name", says="with a column of the file")
    operator.fails(65, *words, "--map", "Name=contact_nme", says="no such name")
    operator.fails(65, *words, "--map", "Name", says="COLUMN=NAME")
    operator.fails(65, *words, "--map", "Name=contact_name", "--map", "Other=contact_name", says="two columns")
    operator.fails(65, *words, says="names of the columns")


def test_columns_without_meaning_are_named(site, org, owner):
    (site.directory / "f.csv").write_text(rows_of("Ada,x", names="contact_name,Shoe size"))
    done = site.ctl_raw("contact", "import", site.directory / "f.csv", "--org", org, "--owner", owner)
    assert "the column Shoe size is ignored" in done.stderr


BAD = [
    ("contact_name", "\x07", "contact_name: must not hold control characters"),
    ("contact_name", "x" * 201, "contact_name: must have at most 200 bytes, not 201"),
    ("primary_email", "nobody", "primary_email: must look like name@example.com"),
    ("secondary_phone", "1" * 65, "secondary_phone: must have at most 64 bytes, not 65"),
    ("contact_id", "12", "contact_id: 12 is no id"),
    ("created_at", "yesterday", "created_at: must be a date and time"),
    ("contact_owner", "c1b8b7ee-0000-4000-8000-000000000000",
     "contact_owner: there is no member c1b8b7ee-0000-4000-8000-000000000000"),
    ("contact_owner", "who@example.org", "contact_owner: no member of the organization has the e-mail address"),
    ("entity_website", "https://x.example", "entity_website: there is no entity_name"),
]  # fmt: skip


@pytest.mark.parametrize("column, cell, reason", BAD, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(BAD)])
def test_refused_rows_are_mended_and_imported(site, org, owner, column, cell, reason):
    names = ["contact_name", *({column} - {"contact_name"})]
    bad = [cell if name == column else "Bad" for name in names]
    text = rows_of("Good" + "," * (len(names) - 1), ",".join(bad), names=",".join(names))
    summary = run(site, org, text, "--owner", owner)
    assert counts(summary) == (1, 0, 0, 1)
    assert summary["rejects"] == str(site.directory / "file.csv.rejects")
    (refused,) = rejects(site)
    assert refused["reject_line"] == "3" and refused["reject_reason"].startswith(reason), refused
    assert list(refused)[2:] == names and refused[column] == cell
    mended = ["Mended" if name == "contact_name" else "" for name in names]
    text = rows_of(",".join(["3", "mended", *mended]), names=",".join(refused))
    summary = run(site, org, text, "--owner", owner)
    assert counts(summary) == (1, 0, 0, 0)
    assert [row["contact_name"] for row in exported(site, org)] == ["Good", "Mended"]


def test_refused_again_keeps_the_columns(site, org, owner):
    run(site, org, rows_of(",nobody", ",\xe9,x"), "--owner", owner)
    first = (site.directory / "file.csv.rejects").read_text()
    assert "has 3 cells, but the first row has 2" in first
    done = site.ctl_raw("contact", "import", site.directory / "file.csv.rejects", "--org", org, "--owner", owner)
    assert done.returncode == 65 and "2 of 2 rows were refused" in done.stderr
    again = (site.directory / "file.csv.rejects.rejects").read_text()
    assert again.splitlines()[0] == first.splitlines()[0]
    assert again.splitlines()[1].endswith(",,nobody")


def test_bytes_that_are_no_utf8_are_refused_in_their_row(site, org, owner):
    summary = run(site, org, b"contact_name\r\nL\xf6we\r\nAda\r\n", "--owner", owner)
    assert counts(summary) == (1, 0, 0, 1)
    assert b"must be UTF-8,L\xf6we" in (site.directory / "file.csv.rejects").read_bytes()


@pytest.mark.parametrize(
    "text, says",
    [
        ('contact_name\r\nA\r\nB"C"\r\n', "line 3: a quote stands in a cell"),
        ('contact_name\r\nA\r\n"B', "line 3: a cell in quotes does not end"),
        ("contact_name\rA\r", "line 1: a carriage return without a line feed"),
        ("", "the file is empty"),
        ("contact_name;primary_email\nA;b\n", "not semicolons"),
        (b"\xff\xfea", "line 1: is UTF-16"),
    ],
)
def test_what_is_no_csv_is_an_error_with_its_line(operator, org, owner, text, says):
    file = operator.site.directory / "file.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    words = ("contact", "import", file, "--org", org, "--owner", owner)
    operator.fails(65, *words, says=says)
    assert [row["contact_name"] for row in exported(operator.site, org)] == (["A"] if "line 3" in says else [])


def test_mistakes_of_the_command_line(operator, org, owner):
    file = operator.site.directory / "file.csv"
    file.write_bytes(rows_of("Ada,").encode())
    words = ("contact", "import", file)
    operator.fails(65, *words, says="--org ID is missing")
    operator.fails(65, *words, "--org", unknown_id(), says="there is no organization")
    operator.fails(65, *words, "--org", org, "--owner", unknown_id(), says="--owner: there is no member")
    operator.fails(65, *words, "--org", org, "--match", "phone", says="email or contact_id")
    operator.fails(65, *words, "--org", org, "--rejects", file, says="is the file that is imported")
    operator.fails(65, "contact", "import", "/nowhere", "--org", org, says="cannot open /nowhere")
    assert file.read_bytes().decode() == rows_of("Ada,")


def test_standard_input(site, org, owner):
    done = site.ctl_raw("--json", "contact", "import", "-", "--org", org, "--owner", owner, stdin=rows_of("Ada,", ",x"))
    assert json.loads(done.stdout)["added"] == 1
    assert len(rejects(site, "import.rejects")) == 1


def test_a_dry_run_changes_nothing(operator, org, owner):
    site = operator.site
    contact = site.add_contact(org, owner, "Ada", "--email", "a@x.example")
    before = operator.rows("SELECT * FROM contacts"), operator.rows("SELECT * FROM audit")
    text = rows_of("Ada,a@x.example", "New,a@x.example", "Bo,", ",bad")
    summary = run(site, org, text, "--owner", owner, "--dry-run")
    assert counts(summary) == (1, 1, 1, 1) and summary["dry_run"] is True
    assert (operator.rows("SELECT * FROM contacts"), operator.rows("SELECT * FROM audit")) == before
    assert site.ctl_one("contact", "show", contact["contact_id"])["contact_name"] == "Ada"


def test_contacts_of_another_organization_stay(site, org, owner):
    other = site.add_org()["org_id"]
    stranger = site.add_contact(other, site.add_member(other)["member_id"], "Eve", "--email", "eve@x.example")
    text = rows_of(f"{stranger['contact_id']},Changed", names="contact_id,contact_name")
    assert counts(run(site, org, text, "--owner", owner)) == (0, 0, 0, 1)
    assert "another organization" in rejects(site)[0]["reject_reason"]
    assert counts(run(site, org, rows_of("New,eve@x.example"), "--owner", owner)) == (1, 0, 0, 0)
    assert site.ctl_one("contact", "show", stranger["contact_id"]) == stranger


def test_the_audit_has_the_figures(operator, org, owner):
    run(operator.site, org, rows_of("Ada,a@x.example", "Bo,", ",bad"), "--owner", owner)
    begin, end = operator.rows("SELECT action, detail FROM audit WHERE action LIKE '%import' ORDER BY audit_id")
    assert begin["action"] == end["action"] == "contact import"
    assert "figures" not in json.loads(begin["detail"])
    figures = json.loads(end["detail"])["figures"]
    assert figures == {"added": 2, "updated": 0, "unchanged": 0, "refused": 1}
    assert "a@x.example" not in begin["detail"] + end["detail"]


def test_imported_contacts_are_found(site, operator, org, owner):
    run(site, org, rows_of("Ada,a@x.example"), "--owner", owner)
    (row,) = operator.rows("SELECT c.place AS place, w.place AS wp FROM contacts AS c JOIN contact_words AS w ON number = contact")
    assert row["place"] == row["wp"]
    (keys,) = operator.rows("SELECT count(*) AS n FROM contact_keys")
    assert keys["n"] == 2
    site.ctl("db", "check")


def many(count):
    return rows_of(
        *(f"C{n},{'' if n % 3 == 0 else f'c{n}@x.example'},E{n % 50}" for n in range(count)),
        names="contact_name,primary_email,entity_name",
    )


def fed(site, org, owner, text):
    """An import that has got a part of its standard input, and waits for more."""
    words = ("contact", "import", "-", "--org", org, "--owner", owner)
    process = subprocess.Popen(
        [site.ctl_program, "--config", site.config, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=site.environment(),
    )  # fmt: skip
    process.stdin.write(text)
    process.stdin.flush()
    return process


def count_contacts(operator):
    return operator.rows("SELECT count(*) AS n FROM contacts")[0]["n"]


def test_after_kills_at_any_moment_nothing_is_doubled_or_lost(operator, org, owner):
    """Killed when further rows are there, again and again; then to the end."""
    site = operator.site
    text = many(12000).encode()  # rows of a pipe are taken by the 4096
    for share in (0.4, 0.8):
        before = count_contacts(operator)
        process = fed(site, org, owner, text[: int(len(text) * share)])
        wait_for(lambda before=before: count_contacts(operator) > before, "further contacts")
        process.kill()
        process.communicate()
    summary = run(site, org, text, "--owner", owner)
    assert summary["refused"] == 0 and summary["unchanged"] > 0
    names = [row["name"] for row in operator.rows("SELECT name FROM contacts ORDER BY name")]
    assert names == sorted(f"C{n}" for n in range(12000))
    site.ctl("db", "check")


def test_interrupted_it_says_how_to_go_on(operator, org, owner):
    process = fed(operator.site, org, owner, many(5000).encode())
    wait_for(lambda: count_contacts(operator) > 0, "contacts")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 75
    assert b"run the same command again" in said
    rows = operator.rows("SELECT detail FROM audit WHERE action = 'contact import'")
    assert json.loads(rows[-1]["detail"])["figures"]["added"] == count_contacts(operator)


def test_a_bar_on_a_terminal(operator, org, owner):
    """As often as rows are taken, at most five times a second; nothing of it is left."""
    site = operator.site
    terminal, other_end = pty.openpty()
    words = ("contact", "import", "-", "--org", org, "--owner", owner)
    process = subprocess.Popen(
        [site.ctl_program, "--config", site.config, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=other_end, env=site.environment(),
    )  # fmt: skip
    os.close(other_end)
    head, *rows = many(300000).encode().splitlines(keepends=True)
    process.stdin.write(head)

    def feed():
        for _ in range(4200):
            process.stdin.write(rows.pop())
        process.stdin.flush()

    seen = b""
    while b"\r" not in seen:
        feed()
        if select.select([terminal], [], [], 0.05)[0]:
            seen += os.read(terminal, 1000)
    assert b" rows, " in seen and b"/s" in seen
    process.stdin.close()
    assert process.wait(60) == 0
    while not seen.endswith(b"\r\x1b[K"):
        seen += os.read(terminal, 1000)
    os.close(terminal)
