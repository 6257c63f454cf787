"""
What the databases of a run hold before it begins, and the requests that fit to it.

100 organizations of 10 members; each member has an API key and owns 10 contacts, each
contact has a note; each organization has a developer key. All of it follows from numbers,
so requests fit to every database: only the hashes of keys differ with the key file.
"""

import contextlib
import hashlib
import json
import random
import sqlite3
import uuid
from dataclasses import dataclass

from harness import crowd as crowd_of_contacts

ORGS = 100
MEMBERS = 10  # of each organization
CONTACTS = 10  # of each member
CONTACT_COUNT = ORGS * MEMBERS * CONTACTS

BEGAN_MS = 1_700_000_000_000  # when all of this was made
WORDS = "call demo offer contract follow up next week asked price plan enterprise meeting sent".split()
NOTE_BYTES = 100  # of a note where nothing else is said
BODY_FILE_BYTES = 48 * 1024 * 1024


def _id(kind, number, ms=BEGAN_MS):
    """An UUIDv7 that kind and number determine."""
    tail = bytearray(hashlib.blake2b(f"{kind} {number}".encode(), digest_size=10).digest())
    tail[0] = tail[0] & 0x0F | 0x70
    tail[2] = tail[2] & 0x3F | 0x80
    return ms.to_bytes(6, "big") + bytes(tail)


def _secret(prefix, number):
    return prefix + hashlib.blake2b(f"{prefix}{number}".encode(), digest_size=32).hexdigest()[:43]


def _hash(key, domain, secret):
    """lib/secret.c and app/rules/credentials.c."""
    return hashlib.blake2b(f"{domain}\0{secret}".encode(), key=key, digest_size=32).digest()


@dataclass(frozen=True)
class Contact:
    """Everything that a request about the contact with that number needs."""

    number: int

    @property
    def member(self):
        return self.number // CONTACTS

    @property
    def org(self):
        return self.member // MEMBERS

    @property
    def id(self):
        return _id("contact", self.number)

    @property
    def member_id(self):
        return _id("member", self.member)

    @property
    def org_id(self):
        return _id("org", self.org)

    @property
    def developer_key_id(self):
        return _id("developer key", self.org)

    @property
    def note_id(self):
        """The note that the contact has from the beginning."""
        return _id("note", self.number)

    @property
    def of_another_member(self):
        """A contact in the same organization that the member does not own."""
        org_began = self.org * MEMBERS * CONTACTS
        return Contact(org_began + (self.number - org_began + CONTACTS) % (MEMBERS * CONTACTS))

    def body(self, note, update=False):
        members = {
            "api_key": _secret("zak_", self.member),
            "developer_secret": _secret("zdk_", self.org),
            "org_id": str(uuid.UUID(bytes=self.org_id)),
            "member_id": str(uuid.UUID(bytes=self.member_id)),
            "contact_id": str(uuid.UUID(bytes=self.id)),
            "note": note,
            "note_visibility": 1,
        }
        if update:
            members["note_id"] = str(uuid.UUID(bytes=self.note_id))
        return members

    def refused_body(self, note, code):
        """A good request but for what makes the service answer with that code."""
        changes = {
            "INVALID_API_KEY": {"api_key": _secret("zak_", self.member + ORGS * MEMBERS)},
            "NOT_OWNER": {"contact_id": self.of_another_member.body("")["contact_id"]},
        }
        return {**self.body(note), **changes[code]}


PROSE = " ".join(random.Random(1).choices(WORDS, k=30_000))


def note_text(size, chance):
    begin = chance.randrange(len(PROSE) - size)
    return PROSE[begin : begin + size].strip().ljust(size, ".")


FETCH = "/apis/v2/public/crm/fetchContact"
LOOKUP = "/apis/v2/public/crm/lookupContact"


def fetch_body(contact):
    """A contact with its last 20 notes."""
    members = contact.body("")
    del members["note"], members["note_visibility"]
    return {**members, "include_notes": 1, "notes_limit": 20}


def write_fetches(path):
    """Requests that fetch contacts, over all of them in random order."""
    numbers = random.Random(9).sample(range(CONTACT_COUNT), CONTACT_COUNT)
    return write_lines(path, (fetch_body(Contact(number)) for number in numbers))


def lookup_body(text):
    members = Contact(0).body("")
    return {name: members[name] for name in ("api_key", "developer_secret", "org_id")} | {"search_string": text}


def write_lines(path, bodies):
    with open(path, "w", encoding="utf-8") as file:
        for body in bodies:
            file.write(json.dumps(body, separators=(",", ":")) + "\n")
    path.chmod(0o644)
    return path


def write_bodies(path, *, update=False, note_bytes=NOTE_BYTES, code=""):
    """Bodies over all contacts in random order, fewer where notes are long. Answers path."""
    chance = random.Random(7)
    numbers = chance.sample(range(CONTACT_COUNT), min(CONTACT_COUNT, BODY_FILE_BYTES // note_bytes))

    def body_of(number):
        contact, note = Contact(number), note_text(note_bytes, chance)
        return contact.refused_body(note, code) if code else contact.body(note, update)

    return write_lines(path, map(body_of, numbers))


def connect(database, mode="rw"):
    return contextlib.closing(
        sqlite3.connect(f"file:{database}?mode={mode}", uri=True, isolation_level=None, timeout=60)
    )


def fill(site, *, blocks=1, notes=CONTACT_COUNT, note_bytes=NOTE_BYTES, crowd=0):
    """
    Fills a site's fresh database, before anything serves it, and waits for the disk. crowd: how
    many further contacts the first organization has, see harness/crowd.py.
    """
    key = site.key_file.read_bytes()
    with connect(site.database) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA cache_size=-262144")
        db.execute("BEGIN")
        _add_people(db, key)
        _add_networks(db, blocks)
        _add_notes(db, notes, note_bytes)
        crowd_of_contacts.add(db, crowd)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    site.give_to_owner()


def _add_people(db, key):
    members = range(ORGS * MEMBERS)
    db.executemany(
        "INSERT INTO orgs (org_id, name, created_at) VALUES (?, ?, ?)",
        ((_id("org", n), f"Org {n}", BEGAN_MS) for n in range(ORGS)),
    )
    db.executemany(
        "INSERT INTO members (member_id, org_id, name, created_at) VALUES (?, ?, ?, ?)",
        ((_id("member", n), _id("org", n // MEMBERS), f"Member {n}", BEGAN_MS) for n in members),
    )
    db.executemany(
        "INSERT INTO api_keys (api_key_id, org_id, member_id, hash, created_at) VALUES (?, ?, ?, ?, ?)",
        (
            (
                _id("api key", n),
                _id("org", n // MEMBERS),
                _id("member", n),
                _hash(key, "api key", _secret("zak_", n)),
                BEGAN_MS,
            )
            for n in members
        ),
    )
    db.executemany(
        "INSERT INTO developer_keys (developer_key_id, org_id, name, hash, created_at) VALUES (?, ?, ?, ?, ?)",
        (
            (
                _id("developer key", n),
                _id("org", n),
                f"Developer {n}",
                _hash(key, "developer secret", _secret("zdk_", n)),
                BEGAN_MS,
            )
            for n in range(ORGS)
        ),
    )
    db.executemany(
        "INSERT INTO contacts (contact_id, org_id, owner_id, name, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            (c.id, c.org_id, c.member_id, f"Contact {c.number}", BEGAN_MS, BEGAN_MS)
            for c in map(Contact, range(CONTACT_COUNT))
        ),
    )


def _networks(count):
    """127.0.0.1/32, from where the requests come, among others around it that do not nest."""
    chance = random.Random(3)
    numbers = chance.sample(range(1 << 24), count - 1)
    others = [(number << 8 | 0x80, 28) for number in numbers]  # a.b.c.128/28
    return sorted([(127 << 24 | 1, 32), *others])


def _add_networks(db, count):
    blocks = [(network.to_bytes(4, "big"), length) for network, length in _networks(count)]
    for org in range(ORGS):
        ids = _id("developer key", org), _id("org", org)
        db.executemany(
            "INSERT INTO developer_key_networks"
            " (developer_key_id, family, network, prefix_len, org_id, created_at)"
            " VALUES (?, 4, ?, ?, ?, ?)",
            ((ids[0], network, length, ids[1], BEGAN_MS) for network, length in blocks),
        )


NOTE = (
    "note_id, org_id, contact_id, author_id, created_at, version, content, editable, visible, written_by,"
    " written_at, developer_key_id, request_id, address"
)
NOTE_VALUES = "?1, ?2, ?3, ?4, ?5, 1, ?6, 0, 1, ?4, ?5, ?7, 'population', x'7f000001'"


def _add_notes(db, count, size):
    """The contacts' first notes, then others in the order of time over all contacts."""
    if _has_chains(db):
        _add_notes_in_chains(db, count, size)
    else:
        _add_notes_with_index(db, count, size)


def _has_chains(db):
    """Not the programs of an earlier commit: see --against."""
    return db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'last_notes'").fetchone()[0] > 0


def _add_notes_in_chains(db, count, size):
    last = {}  # the number of each contact's last note

    def numbered():
        for number, row in enumerate(_note_rows(count, size), 1):
            contact = row[2]
            yield *row, number, last.get(contact, 0)
            last[contact] = number

    db.executemany(
        f"INSERT INTO notes ({NOTE}, number, previous) VALUES ({NOTE_VALUES}, ?8, ?9)", numbered()
    )
    db.executemany(
        "INSERT INTO last_notes SELECT number, ?2 FROM contacts WHERE contact_id = ?1", last.items()
    )


def _add_notes_with_index(db, count, size):
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'notes' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    db.executemany(f"INSERT INTO notes ({NOTE}) VALUES ({NOTE_VALUES})", _note_rows(count, size))
    for _, sql in indexes:
        db.execute(sql)


def _note_rows(count, size):
    chance = random.Random(5)
    contacts = [
        (c.org_id, c.id, c.member_id, c.developer_key_id) for c in map(Contact, range(CONTACT_COUNT))
    ]
    texts = [note_text(size, chance) for _ in range(64)]
    for number in range(min(count, CONTACT_COUNT)):
        org, contact, member, key = contacts[number]
        yield Contact(number).note_id, org, contact, member, BEGAN_MS, texts[number % 64], key
    version, variant, mask = 7 << 76, 2 << 62, ~(15 << 76 | 3 << 62)
    for number in range(CONTACT_COUNT, count):
        org, contact, member, key = contacts[chance.randrange(CONTACT_COUNT)]
        ms = BEGAN_MS + number
        note_id = ms << 80 | chance.getrandbits(80) & mask | version | variant
        yield note_id.to_bytes(16, "big"), org, contact, member, ms, texts[number % 64], key


def stored(database):
    """How many notes were ever created, and how many updates were made."""
    with connect(database, "ro") as db:
        return _ever(db, "notes"), _ever(db, "note_revisions")


def _ever(db, table):
    try:
        # Nothing is ever deleted here, and ten million rows are not to be counted each time.
        return db.execute(f"SELECT ifnull(max(rowid), 0) FROM {table}").fetchone()[0]
    except sqlite3.OperationalError:  # a table without rowids
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
