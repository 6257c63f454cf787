"""Fixtures for the tests of crmnotesctl."""

import sqlite3
import uuid

import pytest

from support.ids import unknown_id

FIRST_MS = 1_700_000_000_123
ADD_NOTE = """INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version,
    content, editable, visible, written_by, written_at, developer_key_id, request_id, address,
    country, city, network) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
ADD_REVISION = """INSERT INTO note_revisions (note_id, version, org_id, content, editable,
    visible, written_by, written_at, developer_key_id, request_id, address, country, city,
    network, former) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    (SELECT former FROM notes WHERE note_id = ?1))"""
# as the service does: the contact's notes, and the note's versions, are chains
CHAIN_NOTE = """UPDATE notes SET previous = ifnull((SELECT note FROM last_notes JOIN contacts AS c
    ON contact = c.number WHERE c.contact_id = notes.contact_id), 0) WHERE note_id = ?"""
END_CHAIN = """INSERT INTO last_notes SELECT c.number, n.number FROM notes AS n JOIN contacts AS c
    USING (contact_id) WHERE note_id = ? ON CONFLICT DO UPDATE SET note = excluded.note"""
CHAIN_REVISION = """UPDATE notes SET former = (SELECT max(number) FROM note_revisions)
    WHERE note_id = ?"""


def raw(text):
    return uuid.UUID(text).bytes


class Operator:
    """The command line of one site, and a look into its database."""

    def __init__(self, site):
        self.site = site

    def fails(self, status, *words, says=(), stdin="", env=None):
        """The command must end with this status, print nothing, and say one line."""
        done = self.site.ctl_raw(*words, stdin=stdin, env=env)
        assert done.returncode == status, f"{words}: {done.returncode}, {done.stderr}"
        assert done.stdout == ""
        assert done.stderr.startswith("crmnotesctl: ") and done.stderr.endswith("\n")
        assert done.stderr.count("\n") == 1, done.stderr
        for part in [says] if isinstance(says, str) else says:
            assert part in done.stderr, done.stderr
        return done.stderr

    def rows(self, sql, *values):
        """What a query finds in the database, as dicts."""
        connection = sqlite3.connect(f"file:{self.site.database}?mode=ro", uri=True)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, values)]
        finally:
            connection.close()

    def change(self, sql, *values):
        """Changes the database without the program."""
        connection = sqlite3.connect(self.site.database)
        try:
            with connection:
                connection.execute(sql, values)
        finally:
            connection.close()

    def add_members(self, org, count, first=0, name="M{}", email=None):
        """Adds members by SQL whose ids are numbers after the first; answers the ids."""
        ids = [uuid.UUID(int=first + n) for n in range(1, count + 1)]
        rows = ((i.bytes, uuid.UUID(org).bytes, name.format(n), email) for n, i in enumerate(ids))
        connection = sqlite3.connect(self.site.database)
        with connection:
            connection.executemany(
                "INSERT INTO members (member_id, org_id, name, email, active, created_at)"
                " VALUES (?, ?, ?, ?, 1, 1)", rows,
            )  # fmt: skip
        connection.close()
        return [str(i) for i in ids]

    def add_notes(self, world, count, content="note {}"):
        """Adds visible notes of the world's member to its contact by SQL; answers the ids."""
        ids = [uuid.uuid4() for _ in range(count)]
        org, contact, member, key = (
            uuid.UUID(i).bytes for i in (world.org, world.contact, world.member, world.devkey_id)
        )
        connection = sqlite3.connect(self.site.database)
        with connection:
            (place,) = connection.execute("SELECT number FROM contacts WHERE contact_id = ?", (contact,)).fetchone()
            (first,) = connection.execute("SELECT ifnull(max(number), 0) + 1 FROM notes").fetchone()
            last = connection.execute("SELECT note FROM last_notes WHERE contact = ?", (place,)).fetchone() or (0,)
            connection.executemany(
                "INSERT INTO notes (number, previous, note_id, content, org_id, contact_id, author_id,"
                " created_at, version, editable, visible, written_by, written_at, developer_key_id,"
                " request_id) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, 0, 1, ?, 1, ?, 'r')",
                (
                    (first + n, first + n - 1 if n else last[0], i.bytes, content.format(n),
                     org, contact, member, member, key)
                    for n, i in enumerate(ids)
                ),
            )  # fmt: skip
            connection.execute("REPLACE INTO last_notes VALUES (?, ?)", (place, first + count - 1))
        connection.close()
        return [str(i) for i in ids]

    def files(self):
        """All bytes of all files of the site's data, but not of the key file."""
        paths = [path for path in self.site.data.iterdir() if path != self.site.key_file]
        return b"".join(path.read_bytes() for path in paths)


@pytest.fixture
def operator(site):
    return Operator(site)


@pytest.fixture
def empty_operator():
    """An operator whose site has no database yet."""
    from support.site import Site

    with Site(migrate=False) as site:
        yield Operator(site)


@pytest.fixture
def world(site):
    return site.world()


@pytest.fixture
def add_note(operator, world):
    """Puts a note of the world's member as the service does into the database; answers its id."""

    def add(
        content,
        version=1,
        contact=None,
        address=bytes([192, 0, 2, 7]),
        tags=(None,) * 3,
        note=None,
        at_ms=FIRST_MS,
        author=None,
        visible=1,
    ):
        note = note or unknown_id()
        operator.change(
            ADD_NOTE,
            *(raw(note), raw(world.org), raw(contact or world.contact), raw(author or world.member)),
            *(at_ms, version, content, 0, visible, raw(world.second_member)),
            *(at_ms + 1000 * version, raw(world.devkey_id), f"request-{version}", address),
            *tags,
        )
        operator.change(CHAIN_NOTE, raw(note))
        operator.change(END_CHAIN, raw(note))
        for former in range(1, version):
            operator.change(
                ADD_REVISION,
                *(raw(note), former, raw(world.org), f"version {former}", 1, 0),
                *(raw(world.member), FIRST_MS + 1000 * former, raw(world.devkey_id)),
                *(f"request-{former}", bytes(15) + b"\1", "DE", "Berlin", "AS64500 Net"),
            )
            operator.change(CHAIN_REVISION, raw(note))
        return note

    return add
