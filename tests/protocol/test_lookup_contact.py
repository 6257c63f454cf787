"""lookupContact: which contact is found by what, compared with a plain scan."""

import random
import re
import unicodedata

import pytest

from support.answers import assert_error
from support.calls import ADD, CONTACT, LOOKUP, add_body, data_of, lookup_body

NOT_FOUND = ("NOT_FOUND", "Contact does not exist")
WRONG_ORG = "You are trying to use a contact that does not belong to your organization"


@pytest.fixture
def world(pool):
    return pool.site.world("Lookups")


@pytest.fixture
def find(pool, world):
    def send(text, **fields):
        return pool.call(lookup_body(world, text, **fields), path=LOOKUP)

    return send


@pytest.fixture
def add(pool, world):
    def send(contact, **fields):
        return data_of(pool.call(add_body(world, contact, **fields), path=ADD))["contact_id"]

    return send


def found(answer):
    return data_of(answer)["contact"]["contact_id"]


def test_what_is_answered(pool, world, find, add):
    contact = add({"name": "Ada", "primaryEmail": "ada@x.example"}, entity={"name": "Engines"})
    for n in range(102):
        body = world.body(contact_id=contact, note=f"note {n}", note_visibility=int(n != 101))
        data_of(pool.call(body))
    data = data_of(find("ADA@x.example"))
    assert list(data) == ["notes", "contact", "entity", "profile", "signals"]
    assert [note["note_content"] for note in data["notes"]] == [f"note {100 - n}" for n in range(100)]
    assert list(data["contact"]) == CONTACT and data["contact"]["contact_id"] == contact
    assert data["entity"] == {"entity_name": "Engines", "website": None}
    assert (data["profile"], data["signals"]) == ({}, [])


def test_the_best_match_comes_first(find, add):
    part = add({"name": "x whole y", "roleLabel": "a@whole.example +49 30 123"})
    name = add({"name": "Whole"})
    phone = add({"name": "p", "secondaryPhone": "(030) 123"})
    email = add({"name": "e", "secondaryEmail": "A@Whole.example"})
    assert found(find("WHOLE")) == name
    assert found(find("030/123")) == phone
    assert found(find("a@whole.example")) == email
    assert found(find("whole y")) == part
    assert found(find(part.upper())) == part
    # a contact that is named like another one's id is found behind that one
    add({"name": part})
    assert found(find(part)) == part


def test_the_one_changed_last_comes_first(find, add):
    first, second = add({"name": "Same one"}), add({"name": "Same two"})
    assert found(find("same")) == second
    add({"contactId": first, "roleLabel": "x"}, lookup_by="contact_id")
    assert found(find("same")) == first


@pytest.mark.parametrize("text", ["x" * 257, "a\0b", 5])
def test_texts_that_are_wrong(find, text):
    assert_error(find(text), "INVALID_FIELDS", "Invalid search string")


@pytest.mark.parametrize("text", ["", None, "  "])
def test_a_text_is_needed(find, text):
    assert_error(find(text), "MISSING_FIELDS", "Missing search string")


def test_other_organizations_are_not_searched(pool, world, find):
    other = pool.site.world("Elsewhere")
    assert_error(find("Elsewhere"), *NOT_FOUND)
    assert_error(find(other.contact), *NOT_FOUND)
    assert_error(find("x", org_id=other.org), "WRONG_ORG", WRONG_ORG)


@pytest.mark.parametrize("text", ['"', '"""', "a AND b", "words:*", "NEAR(a b)", "%_%", "'; --", "\x01\x01\x01"])
def test_texts_that_mean_something_to_the_engine(find, text):
    assert_error(find(text), *NOT_FOUND)


# The plain scan


def folded(text):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def digits(text):
    return "".join(c for c in text if c in "0123456789")


class Scan:
    """What a scan of all contacts finds; the list has the one changed last at its end."""

    TEXTS = ("name", "firstName", "lastName", "roleLabel", "primaryEmail", "secondaryEmail", "company")
    PHONES = ("primaryPhone", "secondaryPhone")

    def __init__(self, contacts):
        self.contacts = contacts

    def rank(self, contact, text):
        """0: the id; 1: a whole e-mail address; 2: telephone number; 3: name; 4: a part."""
        if text.lower() == contact["id"]:
            return 0
        texts = [folded(contact.get(name) or "") for name in self.TEXTS]
        phones = [digits(contact.get(name) or "") for name in self.PHONES]
        part, whole = folded(text), folded(text).strip()
        number = digits(text) if re.fullmatch(r"[0-9+()./ -]*", text) else ""
        if whole in (texts[4], texts[5]):
            return 1
        if number and number in phones:
            return 2
        if whole == texts[0]:
            return 3
        is_part = len(text) >= 3 and len(part) >= 3 and any(part in text for text in texts)
        is_number = len(number) >= 3 and any(number in phone for phone in phones)
        return 4 if is_part or is_number or whole in texts else None

    def best(self, text):
        ranked = [(self.rank(contact, text), -place) for place, contact in enumerate(self.contacts)]
        fitting = [one for one in ranked if one[0] is not None]
        return self.contacts[-min(fitting)[1]]["id"] if fitting else None


ALPHABET = "aAbB zZéÉêıİiIßẞsSσςΣäÄåÅ'\"-.\u0301ﬃǆж日𐐀𐐨"


def a_word(dice, low, high):
    return "".join(dice.choice(ALPHABET) for _ in range(dice.randint(low, high))).strip() or "x"


def a_phone(dice):
    marks = ["", " ", "-", "/", ".", "(", ")", "+"]
    return "".join(dice.choice("0123456789") + dice.choice(marks) for _ in range(dice.randint(1, 12)))


def a_contact(dice):
    contact = {"firstName": a_word(dice, 1, 6), "lastName": a_word(dice, 1, 6), "name": a_word(dice, 1, 9)}
    if dice.random() < 0.5:
        contact["primaryEmail"] = f"{dice.choice('abß')}@{dice.choice('xyςσ')}"
        contact["secondaryEmail"] = f"{dice.choice('AB')}{dice.randint(0, 9)}@x"
    if dice.random() < 0.7:
        contact["primaryPhone"] = a_phone(dice)
        contact["secondaryPhone"] = a_phone(dice)
    return contact


def a_query(dice, contacts):
    kind = dice.random()
    if kind < 0.2:
        return a_word(dice, 1, 4)
    text = dice.choice([value for value in dice.choice(contacts).values() if value])
    if kind < 0.6:
        begin = dice.randrange(len(text))
        text = text[begin : begin + dice.randint(1, 6)]
    return dice.choice([str, str.upper, str.lower, str.title, folded])(text)


def test_as_a_plain_scan_finds_them(pool, world, find, add):
    dice = random.Random(20261126)
    contacts = []
    for _ in range(250):
        contact = a_contact(dice)
        company = dice.choice([None, "Straße & Söhne", "ΣΊΣΥΦΟΣ"])
        contact["id"] = add({**contact, "contactId": None}, lookup_by="contact_id", entity={"name": company})
        contact["company"] = company
        contacts.append(contact)
    fixed = [{"id": one, "name": f"Lookups {which}"} for one, which in
             ((world.contact, "contact"), (world.second_contact, "second contact"))]
    scan = Scan([*fixed, *contacts])
    differ = []
    for _ in range(1500):
        text = a_query(dice, contacts)
        if not text.strip() or len(text.encode()) > 256 or "\0" in text:
            continue
        answer = find(text)
        best = found(answer) if answer.header("X-Error-Code") is None else None
        if best != scan.best(text):
            differ.append((text, best, scan.best(text)))
    assert not differ, differ[:5]
