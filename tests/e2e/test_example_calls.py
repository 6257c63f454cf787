"""
Calls that were added for this test alone, in tests/example: a row, a handler, store functions
and a table that names them. All else follows: finding them, 404, 405 and Allow, credentials,
fields, help, errors, Idempotency-Key, HEAD and the log.
"""

import json
import subprocess
import time

import pytest

from support import webservers
from support.answers import assert_error, error_body
from support.paths import BUILD
from support.service import Service
from support.site import ABSENT, Site

PROGRAM = "tests/example/crmnotes.fcgi"
BASE = "/apis/v2/public/example"
COUNT, PHONE, TEXT = f"{BASE}/countNotes", f"{BASE}/setPhone", f"{BASE}/program"

# One process makes the program and starts it.
pytestmark = pytest.mark.xdist_group("example calls")


@pytest.fixture(scope="module")
def program():
    subprocess.run(["make", "-s", "-C", BUILD, PROGRAM], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def front(program):
    with Site(service=BUILD / PROGRAM) as site, webservers.front("nginx", site) as running:
        yield running


@pytest.fixture(scope="module")
def world(front):
    return front.site.world()


def body(world, **fields):
    members = {"api_key": world.api_key, "developer_secret": world.developer_secret}
    members.update(fields)
    return {name: value for name, value in members.items() if value is not ABSENT}


def data_of(answer):
    assert answer.status == 200, answer.body
    members = json.loads(answer.body)
    assert members["status"] == "success", answer.body
    return members["data"]


def request_line(front, answer):
    """What the log says of a request."""
    service_log = front.site.directory / "service.log"
    wanted = answer.header("X-Request-Id")
    lines = map(json.loads, service_log.read_text().splitlines())
    found = [line for line in lines if line.get("request_id") == wanted and line["event"] == "request"]
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def noted(front, world):
    """A fresh contact with three notes; its id and theirs, the newest first."""
    contact = front.site.add_contact(world.org, world.member)["contact_id"]
    notes = []
    for n in range(3):
        notes.append(data_of(front.send(world.body(contact_id=contact, note=f"note {n}")))["note_id"])
        time.sleep(0.002)  # notes of one millisecond have no order in this example
    return contact, notes[::-1]


def test_a_reader_answers_from_its_answer_fields(front, world, noted):
    contact, notes = noted
    answer = front.send(body(world, contact_id=contact), path=COUNT)
    listed = ",".join(f'{{"note_id":"{note}"}}' for note in notes[:2])
    assert answer.body.decode() == (
        f'{{"data":{{"contact_id":"{contact}","count":3,"whose":"all","newest_id":"{notes[0]}",'
        f'"newest":[{listed}]}},"status":"success"}}'
    )
    assert request_line(front, answer)["code"] == "OK"


def test_the_ids_of_fields_and_answer_are_logged(front, world, noted):
    contact, notes = noted
    line = request_line(front, front.send(body(world, contact_id=contact), path=COUNT))
    assert (line["contact_id"], line["newest_id"]) == (contact, notes[0])
    line = request_line(front, front.send(body(world, contact_id=contact, newest=4), path=COUNT))
    assert (line["contact_id"], line["reason"]) == (contact, "newest_out_of_range")
    assert "newest_id" not in line


def test_words_and_integers_have_defaults_and_are_taken_over(front, world, noted):
    contact, notes = noted
    fields = {"contact_id": contact, "whose": "mine", "newest": 1}
    data = data_of(front.send(body(world, **fields), path=COUNT))
    assert (data["whose"], data["newest"]) == ("mine", [{"note_id": notes[0]}])
    data = data_of(front.send(body(world, contact_id=contact, whose=None, newest=""), path=COUNT))
    assert (data["whose"], len(data["newest"])) == ("all", 2)


def test_what_is_not_known_is_null_and_a_list_may_be_empty(front, world):
    contact = front.site.add_contact(world.org, world.member)["contact_id"]
    data = data_of(front.send(body(world, contact_id=contact), path=COUNT))
    assert (data["count"], data["newest_id"], data["newest"]) == (0, None, [])


@pytest.mark.parametrize(
    "fields, code, message",
    [
        ({"contact_id": ABSENT}, "MISSING_FIELDS", "Missing contact ID"),
        ({"contact_id": 7}, "INVALID_FIELDS", "Invalid contact ID"),
        ({"whose": "yours"}, "INVALID_FIELDS", "Invalid whose"),
        ({"whose": 1}, "INVALID_FIELDS", "Invalid whose"),
        ({"newest": 4}, "INVALID_FIELDS", "Invalid newest"),
        ({"newest": -1}, "INVALID_FIELDS", "Invalid newest"),
        ({"newest": "2"}, "INVALID_FIELDS", "Invalid newest"),
        ({"contact_id": "no id"}, "NOT_FOUND", "There is no such contact to count notes of"),
        ({"api_key": ""}, "MISSING_API_KEY", "Missing service instance"),
        ({"api_key": "zak_wrong"}, "INVALID_API_KEY", "Invalid API Key"),
        ({"developer_secret": None}, "MISSING_DEVELOPER_SECRET", "Missing developer_secret"),
    ],
)
def test_a_reader_refuses_in_the_words_of_its_row(front, world, fields, code, message):
    answer = front.send(body(world, **{"contact_id": world.contact, **fields}), path=COUNT)
    assert_error(answer, code, message)
    assert request_line(front, answer)["code"] == code


def test_contacts_of_other_organizations_are_not_read(front, world):
    other = front.site.world("Other")
    answer = front.send(body(world, contact_id=other.contact), path=COUNT)
    assert_error(answer, "NOT_FOUND", "There is no such contact to count notes of")


def test_a_caller_who_was_revoked_reads_nothing_more(front):
    """A command of a cached caller is checked in the transaction; a reader has only this check."""
    world = front.site.world("Revoked")
    assert data_of(front.send(world.body()))  # now the cache knows the caller
    assert data_of(front.send(body(world, contact_id=world.contact), path=COUNT))
    front.site.ctl("apikey", "revoke", world.apikey_id)
    answer = front.send(body(world, contact_id=world.contact), path=COUNT)
    assert_error(answer, "INVALID_API_KEY", "Invalid API Key")


def test_a_second_kind_of_command_is_written(front, world, noted):
    contact, _ = noted
    fields = {"contact_id": contact, "phone": "030 12", "remark": "ä"}
    answer = front.send(body(world, **fields), path=PHONE)
    assert answer.body.decode() == (
        f'{{"data":{{"contact_id":"{contact}","phone":"030 12","remark":"ä"}},"status":"success"}}'
    )
    assert front.site.ctl_one("contact", "show", contact)["contact_phone"] == "030 12"
    answer = front.send(body(world, contact_id=contact, phone="1"), path=PHONE)
    assert data_of(answer) == {"contact_id": contact, "phone": "1", "remark": None}


def test_both_kinds_of_commands_share_a_batch(front, world, noted):
    """Many at once, of both kinds, each gets its own result."""
    import concurrent.futures

    contact, _ = noted

    def send(n):
        if n % 2:
            return data_of(front.send(world.body(contact_id=contact, note=f"n{n}")))["note_content"] == f"n{n}"
        fields = body(world, contact_id=contact, phone=str(n))
        return data_of(front.send(fields, path=PHONE))["phone"] == str(n)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(send, range(200)))


def test_an_idempotency_key_works_for_any_command_and_belongs_to_one(front, world, noted):
    contact, _ = noted
    key = {"Idempotency-Key": "example-1"}
    fields = body(world, contact_id=contact, phone="2")
    first = front.send(fields, path=PHONE, headers=key)
    again = front.send(fields, path=PHONE, headers=key)
    assert (again.body, again.header("Idempotency-Replayed")) == (first.body, "true")
    message = "Idempotency-Key was already used with a different request"
    other = front.send(body(world, contact_id=contact, phone="3"), path=PHONE, headers=key)
    assert_error(other, "IDEMPOTENCY_MISMATCH", message, status=422)
    note = front.send(world.body(contact_id=contact), headers=key)
    assert_error(note, "IDEMPOTENCY_MISMATCH", message, status=422)


@pytest.mark.parametrize(
    "fields, code, message",
    [
        ({"phone": ABSENT}, "MISSING_FIELDS", "Missing phone"),
        ({"phone": "1" * 21}, "INVALID_FIELDS", "Invalid phone"),
        ({"contact_id": "no id"}, "NOT_FOUND", "Contact does not exist"),
    ],
)
def test_a_command_refuses_in_the_words_of_its_row(front, world, fields, code, message):
    members = {"contact_id": world.contact, "phone": "1", **fields}
    assert_error(front.send(body(world, **members), path=PHONE), code, message)


def test_each_call_has_its_help(front):
    for path in COUNT, PHONE:
        data = data_of(front.send({"help": True}, path=path))
        assert (data["method"], data["path"]) == ("POST", path)
    parameters = {p["name"]: p for p in data_of(front.send({"help": True}, path=COUNT))["parameters"]}
    assert parameters["whose"]["values"] == ["all", "mine"]
    assert (parameters["newest"]["maximum"], parameters["newest"]["default"]) == (3, 2)


def test_head_has_no_body_on_the_wire(program):
    with Site(service=BUILD / PROGRAM) as site, Service(site) as service:
        answer = service.request(method="HEAD", path=TEXT)
        assert answer.body == b"" and answer.header("Content-Length") == "9"
        refused = service.request(method="HEAD")
        assert (refused.body, refused.header("Allow")) == (b"", "POST")
        length = int(refused.header("Content-Length"))
        assert length == len(error_body("Method not allowed"))
