"""What crmnotesctl changes counts at once."""

import pytest

from support.raw import send


@pytest.fixture
def service(start):
    running = start({"workers": 3})
    running.world = running.site.world()
    return running


def stored(service):
    return [note["note_content"] for note in service.site.notes(service.world.contact)]


def assert_stored(service, text):
    assert send(service, service.world.body(note=text)).code is None


def test_keys_that_are_revoked_count_at_once(service):
    assert_stored(service, "one")
    service.site.ctl("apikey", "revoke", service.world.apikey_id)
    for _ in range(10):
        assert send(service, service.world.body(note="two")).code == "INVALID_API_KEY"
    assert stored(service) == ["one"]


def test_contacts_that_change_their_owner_do_so_at_once(service):
    assert_stored(service, "one")
    service.site.assign_contact(service.world.contact, service.world.second_member)
    for _ in range(10):
        assert send(service, service.world.body(note="two")).code == "NOT_OWNER"
    body = service.world.body(note="two", member_id=service.world.second_member)
    assert send(service, body).code is None
