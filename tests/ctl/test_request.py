"""crmnotesctl request: the note that a request wrote, found by the request's id."""

import json

import pytest

from support.answers import note_id_of
from support.ids import unknown_id
from support.service import Service
from support.site import Site


@pytest.fixture(scope="module")
def service():
    with Site(options={"workers": 1}) as site, Service(site) as running:
        yield running


@pytest.fixture(scope="module")
def world(service):
    return service.site.world()


def store(service, body, request_id=None, **headers):
    """Answers the ids of the note and of the request."""
    if request_id is not None:
        headers["X-Request-Id"] = request_id
    answer = service.call(body, headers=headers)
    return note_id_of(answer), answer.header("X-Request-Id")


def shown(service, *words):
    return service.site.ctl("request", "show", *words)


def test_a_note_is_found_by_the_id_that_the_service_made(service, world):
    note, request = store(service, world.body(note="mine"))
    store(service, world.body(note="another"))
    (found,) = shown(service, request)
    assert found == {**service.site.note(note), "version": 1, "written_by": world.member}
    assert found["origin"]["request_id"] == request
    assert found["note_content"] == "mine"


def test_a_note_is_found_by_an_id_that_the_caller_chose(service, world):
    note, _ = store(service, world.body(), "from.caller-1_A")
    (found,) = shown(service, "from.caller-1_A")
    assert found["note_id"] == note


def test_an_update_is_found_as_the_request_wrote_it(service, world):
    note, first = store(service, world.body(note="one"))
    _, second = store(service, world.body(note="two", note_id=note))
    _, third = store(service, world.body(note="three", note_id=note))
    for request, version, content in ((first, 1, "one"), (second, 2, "two"), (third, 3, "three")):
        (found,) = shown(service, request)
        assert (found["note_id"], found["version"], found["note_content"]) == (note, version, content)


def test_an_update_long_after_the_note_was_made_is_found(service, world):
    note, _ = store(service, world.body())
    late = f"{(1 << 48) - 1:012x}"  # the time in the id is that of the request
    request = f"{late[:8]}-{late[8:]}-7000-8000-000000000001"
    store(service, world.body(note_id=note), request)
    (found,) = shown(service, request)
    assert (found["note_id"], found["version"]) == (note, 2)


def test_all_shows_every_note_of_an_id_that_was_used_again(service, world):
    note, request = store(service, world.body())
    old = service.site.history(store(service, world.body())[0])[0]["note_id"]
    store(service, world.body(note_id=old), request)
    assert {found["note_id"] for found in shown(service, request, "--all")} == {note, old}
    lines = service.site.ctl("request", "show", request, "--all", json=False).splitlines()
    assert lines.count("") == 1 and sum(line.startswith("NOTE ID ") for line in lines) == 2


def test_people_get_the_whole_note_with_its_origin(service, world):
    note, request = store(service, world.body(note="word " * 50))
    text = service.site.ctl("request", "show", request, json=False)
    assert "word " * 49 in text and note in text and request in text


def test_what_wrote_no_note_is_told(service, world):
    refused = service.call(world.body(contact_id=unknown_id())).header("X-Request-Id")
    first, _ = store(service, world.body(), **{"Idempotency-Key": "k"})
    again, repeated = store(service, world.body(), **{"Idempotency-Key": "k"})
    assert first == again
    for request in (refused, repeated, unknown_id(), "never-seen"):
        for json_option in ([], ["--json"]):
            done = service.site.ctl_raw(*json_option, "request", "show", request)
            assert (done.returncode, done.stdout) == (65, "")
            assert f"no note was written by request {request}: " in done.stderr
            assert "refused" in done.stderr and "log" in done.stderr


@pytest.mark.parametrize("wrong", ["", "x" * 65, "a b", "ü", "a/b"])
def test_what_is_no_id_of_a_request_is_told(service, wrong):
    done = service.site.ctl_raw("request", "show", wrong)
    assert done.returncode == 65 and "REQUEST" in done.stderr


def test_a_secret_is_not_repeated(service, world):
    done = service.site.ctl_raw("request", "show", world.api_key)
    assert done.returncode == 64 and world.api_key not in done.stderr


def test_the_log_and_the_command_agree(service, world):
    note, request = store(service, world.body())
    line = service.wait_for_event("request", request_id=request)
    (found,) = shown(service, line["request_id"])
    assert json.dumps(found["origin"]["devkey_id"]) == json.dumps(line["devkey_id"])
    assert (found["note_id"], found["contact_id"]) == (line["note_id"], line["contact_id"])
