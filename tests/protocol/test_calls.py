"""
The calls beside Add Notes to Contact, in a pool and in a process alone: what the log says of
them, and that nothing personal is in it.
"""

import json

import pytest

from support.calls import ADD, FETCH, IDENTIFIERS, LOOKUP, add_body, data_of, fetch_body, lookup_body
from support.service import Service
from support.site import Site

ALONE = {"listen": "inherited", "single": True}
PERSON = {
    "firstName": "Persephone",
    "lastName": "Quackenbush",
    "name": "Dr. Quackenbush",
    "roleLabel": "Undertaker",
    "primaryEmail": "persephone@private.example",
    "secondaryEmail": "quackenbush@home.example",
    "primaryPhone": "+44 20 7946 0018",
    "secondaryPhone": "+44 20 7946 0019",
}
COMPANY = {"name": "Styx Ferries", "website": "https://styx.example"}
NOTE = "Afraid of pomegranates"
PERSONAL = [*PERSON.values(), *COMPANY.values(), NOTE, "7946", "ephone@", "Ferr"]


@pytest.fixture(scope="module", params=[{}, ALONE], ids=["pool", "single"])
def service(request):
    with Site() as site, Service(site, **request.param) as running:
        running.world = site.world("Log")
        yield running


@pytest.fixture
def contact(service):
    person = {**PERSON, "owner": service.world.member}
    body = add_body(service.world, person, entity=COMPANY)
    contact = data_of(service.call(body, path=ADD))["contact_id"]
    data_of(service.call(service.world.body(contact_id=contact, note=NOTE)))
    return contact


def line_of(service, answer):
    return service.wait_for_event("request", request_id=answer.header("X-Request-Id"))


def test_what_is_written_is_read(service, contact):
    body = fetch_body(service.world, contact_id=contact, include_notes=1, include_entity=1)
    fetched = data_of(service.call(body, path=FETCH))
    assert fetched["contact"]["contact_name"] == PERSON["name"]
    assert fetched["entity"]["website"] == COMPANY["website"]
    assert [note["note_content"] for note in fetched["notes"]][0] == NOTE
    found = data_of(service.call(lookup_body(service.world, "STYX ferries"), path=LOOKUP))
    assert found["contact"] == fetched["contact"] and found["notes"] == fetched["notes"]


def test_the_log_names_ids(service, contact):
    world = service.world
    keys = {"org_id": world.org, "apikey_id": world.apikey_id, "devkey_id": world.devkey_id}
    ids = {"member_id": world.member, "contact_id": contact}
    line = line_of(service, service.call(fetch_body(world, contact_id=contact), path=FETCH))
    assert {**keys, **ids}.items() <= line.items() and line["http_status"] == 200
    body = add_body(world, {"contactId": contact, "owner": world.second_member}, lookup_by="contact_id")
    line = line_of(service, service.call(body, path=ADD))
    assert {**keys, **ids, "owner": world.second_member}.items() <= line.items()
    line = line_of(service, service.call(lookup_body(world, PERSON["primaryEmail"]), path=LOOKUP))
    assert {**keys, "contact_id": contact}.items() <= line.items()
    identifiers = {"developer_secret": world.developer_secret}
    line = line_of(service, service.call(identifiers, path=IDENTIFIERS))
    assert (line["org_id"], line["devkey_id"]) == (world.org, world.devkey_id)
    assert "apikey_id" not in line


def bad_requests(world, contact):
    """Refused, each with something personal."""
    return [
        (ADD, add_body(world, {**PERSON, "primaryEmail": PERSON["name"]})),
        (ADD, add_body(world, PERSON, mode="insert")),
        (ADD, add_body(world, PERSON, mode=PERSON["name"])),
        (ADD, add_body(world, PERSON, entity={**COMPANY, "name": COMPANY["name"] + "\x01"})),
        (ADD, add_body(world, {**PERSON, "owner": PERSON["name"]})),
        (ADD, add_body(world, PERSON["name"])),
        (LOOKUP, lookup_body(world, PERSON["primaryEmail"] + " and more")),
        (LOOKUP, lookup_body(world, PERSON["name"] * 100)),
        (LOOKUP, {**lookup_body(world, PERSON["name"]), "org_id": PERSON["lastName"]}),
        (FETCH, fetch_body(world, contact_id=PERSON["name"])),
        (FETCH, fetch_body(world, contact_id=contact, include_notes=1, notes_after=NOTE)),
        (FETCH, fetch_body(world, member_id=PERSON["name"])),
        (IDENTIFIERS, {"developer_secret": PERSON["name"]}),
    ]


def test_nothing_personal_is_in_the_log(service, contact):
    world = service.world
    for text in PERSON.values():
        data_of(service.call(lookup_body(world, text), path=LOOKUP))
    data_of(service.call(fetch_body(world, contact_id=contact, include_notes=1), path=FETCH))
    for path, body in bad_requests(world, contact):
        line = line_of(service, service.call(body, path=path))
        assert line["http_status"] == 200 and line["code"] != "OK"
    log = service.log_text()
    assert contact in log
    assert not [text for text in PERSONAL if text in log or json.dumps(text)[1:-1] in log]
