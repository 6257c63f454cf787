"""
A crowd of contacts in one organization, to look one up among them: their rows, and those of the
index in which the service finds them (migrations/0006_contacts.sql, app/rules/contact_words.c).
All texts are ASCII in lower case, so that they are folded already.
"""

import csv
import hashlib
import random
import struct

SYLLABLES = (
    "an ba ka le mi ro ta su ne do gri hel lo mar tin er is ol ver wen za fe gu hi jo ke lu mo na pe qui ra se to"
    " ul vi wa xe yo zi"
).split()
RANGE = 1 << 40
EMAIL, PHONE, NAME = range(3)  # enum contact_match
COLUMNS = (
    "contact_id, org_id, owner_id, name, first_name, last_name, role_label, primary_email, primary_phone,"
    " created_at, updated_at, place"
)


def _word(dice, low, high):
    return "".join(dice.choice(SYLLABLES) for _ in range(dice.randint(low, high)))


class Person:
    """The contact with that number in the crowd."""

    def __init__(self, number):
        dice = random.Random(number)
        self.number = number
        self.first, self.last = _word(dice, 2, 3), _word(dice, 2, 4)
        self.name = f"{self.first} {self.last}"
        self.role = dice.choice(("head of sales", "engineer", "buyer", "account manager", "assistant"))
        self.email = f"{self.first}.{self.last}{dice.randint(1, 99)}@{_word(dice, 2, 3)}.example"
        self.digits = f"{dice.randrange(10**10):010}"
        self.phone = f"+{self.digits[:2]} ({self.digits[2:5]}) {self.digits[5:]}"

    def words(self):
        texts = (self.name, self.first, self.last, self.role, self.email, "", "")
        return "\1" + "".join(f"{text}\1" for text in texts) + f"\2{self.digits}\2\2"

    def keys(self, org):
        for kind, text in ((NAME, self.name), (EMAIL, self.email), (PHONE, self.digits)):
            tail = org + bytes([kind]) + text.encode()
            hashed = hashlib.blake2b(b"contact key\0" + tail, digest_size=32).digest()
            yield struct.unpack(">q", hashed[:8])[0]


def people(count):
    return map(Person, range(count))


def add(db, count):
    """Adds the crowd to the first organization and its first member; the caller commits."""
    if count == 0:
        return
    org, member = db.execute("SELECT org_id, member_id FROM members ORDER BY rowid LIMIT 1").fetchone()
    first = db.execute("SELECT max(number) + 1 FROM contacts").fetchone()[0]
    db.execute("INSERT INTO contact_ranges VALUES (?, 1)", (org,))
    db.executemany(
        f"INSERT INTO contacts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, ?)",
        (
            (hashlib.blake2b(b"crowd %d" % p.number, digest_size=16).digest(), org, member, p.name, p.first,
             p.last, p.role, p.email, p.phone, RANGE + 1 + p.number)
            for p in people(count)
        ),
    )  # fmt: skip
    db.executemany(
        "INSERT INTO contact_words VALUES (?, ?, ?)",
        ((RANGE + 1 + p.number, first + p.number, p.words()) for p in people(count)),
    )
    # a row of the index is the place with these bits inverted
    inverted = RANGE - (1 << 10)
    db.execute(
        "INSERT INTO contact_index (rowid, words)"
        " SELECT (place | ?1) - (place & ?1) AS row, words FROM contact_words ORDER BY row",
        (inverted,),
    )
    keys = sorted((key, RANGE + 1 + p.number) for p in people(count) for key in p.keys(org))
    db.executemany("INSERT INTO contact_keys VALUES (?, ?) ON CONFLICT DO NOTHING", keys)


def write_csv(path, count):
    """The crowd as a file for `contact import`; its addresses differ."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("contact_name", "first_name", "last_name", "role_label", "primary_email", "primary_phone"))
        rows.writerows(
            (p.name, p.first, p.last, p.role, f"{p.number}.{p.email}", p.phone) for p in people(count)
        )
    return path


def by_email(dice, person):
    return dice.choice((str, str.upper))(person.email)


def by_phone(dice, person):
    return dice.choice((person.digits, person.phone))


def by_name(dice, person):
    return person.name.title()


def by_part(dice, person):
    """Three to eight characters of a name or an address, or six digits."""
    text = dice.choice((person.name, person.email, person.digits))
    length = dice.randint(3, 8)
    begin = dice.randrange(max(1, len(text) - length))
    return text[begin : begin + length]


# How people and programs look contacts up: mostly by an address that they have in hand.
KINDS = {"e-mail address": by_email, "telephone number": by_phone, "name": by_name, "part": by_part}
MIX = (by_email,) * 6 + (by_phone,) * 2 + (by_name, by_part)


def texts(count, crowd, kinds):
    """count texts that are looked for, each of one of kinds."""
    dice = random.Random(11)
    for _ in range(count):
        yield dice.choice(kinds)(dice, Person(dice.randrange(crowd)))
