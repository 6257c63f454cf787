"""The header Idempotency-Key, in the pool and in a single process."""

import itertools
import threading

import pytest

from support.answers import assert_error, assert_headers, assert_success, note_id_of
from support.fastcgi import http_params
from support.service import Service
from support.site import ABSENT, Site, encode

MISMATCH = "Idempotency-Key was already used with a different request"
REPLAYED = "Idempotency-Replayed"

numbers = itertools.count()


@pytest.fixture(scope="module", params=["pool", "single"])
def service(request):
    options = {"workers": 3}
    with Site(options=options) as site, Service(site, single=request.param == "single") as running:
        yield running


@pytest.fixture(scope="module")
def shared(service):
    return service.site.world("Shared")


@pytest.fixture
def contact(service, shared):
    return service.site.add_contact(shared.org, shared.member)["contact_id"]


@pytest.fixture
def key():
    """A key that was not used before."""
    return f"key {next(numbers)}"


def send(service, body, key, **headers):
    """One request, given as what json.dumps takes or as bytes, with always the same id."""
    data = body if isinstance(body, bytes) else encode(body)
    headers = {"X-Request-Id": "same", "Idempotency-Key": key, **headers}
    return service.request(data, headers=headers)


def assert_replayed(answer, first):
    """The first answer to the byte, but for the header that says so."""
    assert_headers(answer, [REPLAYED.lower()])
    head, _, body = first.stdout.partition(b"\r\n\r\n")
    assert answer.stdout == head + b"\r\nIdempotency-Replayed: true\r\n\r\n" + body


def assert_fresh(answer, contact, content='"x"', **flags):
    """A success that is no repetition: the header that says so would be found."""
    return assert_success(answer, contact, content, **flags)


def note_count(service, contact):
    return len(service.site.notes(contact))


def assert_mismatch(answer):
    assert_error(answer, "IDEMPOTENCY_MISMATCH", MISMATCH, status=422)


def test_the_same_request_again_gets_the_same_answer_and_makes_no_note(service, shared, contact, key):
    body = shared.body(contact_id=contact, note='é "x"\n😀', note_editable=1)
    first = send(service, body, key)
    assert_fresh(first, contact, '"é \\"x\\"\\n😀"', editable=1, visibility=1)
    for _ in range(5):
        assert_replayed(send(service, body, key), first)
    assert note_count(service, contact) == 1
    assert len(service.site.history(note_id_of(first))) == 1


def test_without_a_key_every_request_makes_a_note(service, shared, contact):
    body = shared.body(contact_id=contact, note="x")
    ids = {assert_fresh(service.call(body), contact, visibility=1) for _ in range(3)}
    assert len(ids) == 3 == len(service.site.notes(contact))


def test_the_request_id_is_that_of_the_repetition(service, shared, contact, key):
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    again = send(service, body, key, **{"X-Request-Id": "again"})
    assert again.header("X-Request-Id") == "again"
    assert (again.body, again.header(REPLAYED)) == (first.body, "true")
    assert service.site.notes(contact)[0]["origin"]["request_id"] == "same"


SAME = {
    "order of members": lambda body: dict(reversed(body.items())),
    "white space": lambda body: b" \r\n\t" + encode(body).replace(b", ", b" ,\n").replace(b": ", b"\t:") + b"\n",
    "escapes": lambda body: encode(body).replace(b'"note"', rb'"\u006eote"').replace(b'"x"', rb'"\u0078"'),
    "unknown members": lambda body: {**body, "more": {"note": ["y"]}, "Note": "y"},
    "flag as a text": lambda body: {**body, "note_visibility": "1"},
    "flag as a truth": lambda body: {**body, "note_visibility": True},
    "flag that is off": lambda body: {**body, "note_editable": 0},
    "flag that is off as a text": lambda body: {**body, "note_editable": "0"},
    "flag that is false": lambda body: {**body, "note_editable": False},
    "flag that is null": lambda body: {**body, "note_editable": None},
    "flag that is empty": lambda body: {**body, "note_editable": ""},
    "note_id that is null": lambda body: {**body, "note_id": None},
    "note_id that is empty": lambda body: {**body, "note_id": ""},
    "case of UUIDs": lambda body: {
        name: value.upper() if name in ("org_id", "member_id", "contact_id") else value
        for name, value in body.items()
    },
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_fields_are_compared_and_not_bytes(service, shared, contact, key, change):
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    assert_fresh(first, contact, visibility=1)
    changed = change(body)
    assert (changed if isinstance(changed, bytes) else encode(changed)) != encode(body)
    assert_replayed(send(service, changed, key), first)
    assert note_count(service, contact) == 1


OTHER = {
    "note": {"note": "y"},
    "white space in the note": {"note": "x "},
    "case of the note": {"note": "X"},
    "note_visibility": {"note_visibility": 0},
    "note_visibility absent": {"note_visibility": ABSENT},
    "note_editable": {"note_editable": 1},
    "contact that does not exist": {"contact_id": "00000000-0000-4000-8000-000000000000"},
    "contact that is no UUID": {"contact_id": "x"},
    "member": {"member_id": "00000000-0000-4000-8000-000000000000"},
    "org": {"org_id": "00000000-0000-4000-8000-000000000000"},
    "update of a note": {"note_id": "00000000-0000-0000-0000-000000000000"},
    "update of what is no UUID": {"note_id": "x"},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
def test_other_fields_with_the_same_key_are_refused(service, shared, contact, key, changes):
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    assert_fresh(first, contact, visibility=1)
    other = shared.body(**{"contact_id": contact, "note": "x", **changes})
    for _ in range(2):
        assert_mismatch(send(service, other, key))
    assert_replayed(send(service, body, key), first)
    assert note_count(service, contact) == 1


def test_another_contact_with_the_same_key_is_refused(service, shared, contact, key):
    send(service, shared.body(contact_id=contact), key)
    assert_mismatch(send(service, shared.body(), key))
    before = service.site.notes(shared.contact)
    assert note_count(service, contact) == 1 and service.site.notes(shared.contact) == before


def test_checks_1_to_8_come_before_the_key(service, shared, contact, key):
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    for changes, code in [
        ({"api_key": ""}, "MISSING_API_KEY"),
        ({"api_key": "x" * 47}, "INVALID_API_KEY"),
        ({"developer_secret": ""}, "MISSING_DEVELOPER_SECRET"),
        ({"developer_secret": "x" * 47}, "INVALID_DEVELOPER_SECRET"),
        ({"note": " "}, "MISSING_FIELDS"),
        ({"note_editable": 2}, "INVALID_FIELDS"),
    ]:
        assert send(service, {**body, **changes}, key).header("X-Error-Code") == code
    answer = service.request(encode(body), remote_addr="192.0.2.1", headers={"Idempotency-Key": key})
    assert answer.header("X-Error-Code") == "IP_NOT_WHITELISTED"
    assert_replayed(send(service, body, key), first)


REFUSED = {
    "INVALID_FIELDS": {"note": 1},
    "NOT_FOUND": {"contact_id": "x"},
    "NOT_OWNER": {"member_id": "x"},
    "WRONG_ORG": {"org_id": "x"},
    "NOTE_NOT_FOUND": {"note_id": "x"},
    "MISSING_FIELDS": {"note": ""},
    "INVALID_DEVELOPER_SECRET": {"developer_secret": "x" * 47},
}


@pytest.mark.parametrize("code", REFUSED)
def test_refused_requests_keep_nothing(service, shared, contact, key, code):
    body = shared.body(contact_id=contact, note="x")
    for _ in range(2):
        answer = send(service, {**body, **REFUSED[code]}, key)
        assert answer.header("X-Error-Code") == code
    first = send(service, body, key)
    assert_fresh(first, contact, visibility=1)
    assert_replayed(send(service, body, key), first)


PRINTABLE = "".join(chr(c) for c in range(0x20, 0x7F))


@pytest.mark.parametrize(
    "key",
    ["a", "A", '"quoted"', PRINTABLE, "x" * 255, "x" * 254, "x" * 253 + " y", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ids=lambda key: f"{len(key)} {key[:8]}",
)
def test_valid_keys(service, shared, contact, key):
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    assert_fresh(first, contact, visibility=1)
    assert_replayed(send(service, body, key), first)
    alike = key[:-1] + chr(ord(key[-1]) ^ 2)
    assert_fresh(send(service, body, alike), contact, visibility=1)
    assert note_count(service, contact) == 2


@pytest.mark.parametrize(
    "key",
    ["", "x" * 256, "x" * 5000, "a\tb", "a\nb", "a\r\nb", "\x01", "a\x7f", "\x1f", b"\x80", b"\xff", "é", "a\u00a0b", "😀"],
    ids=lambda key: repr(key[:8]),
)
def test_invalid_keys(service, shared, contact, key):
    answer = send(service, shared.body(contact_id=contact), key)
    assert_error(answer, "INVALID_IDEMPOTENCY_KEY", "Invalid Idempotency-Key", status=400)
    assert note_count(service, contact) == 0


@pytest.mark.parametrize("keys", [("a", "a"), ("a", "b"), ("a", ""), ("", "a"), ("a", "a", "a")], ids=repr)
def test_several_keys_are_none(service, shared, contact, keys):
    body = encode(shared.body(contact_id=contact))
    params = list(http_params(body).items()) + [("HTTP_IDEMPOTENCY_KEY", key) for key in keys]
    with service.connect() as connection:
        answer = connection.request(params, body)
    assert_error(answer, "INVALID_IDEMPOTENCY_KEY", "Invalid Idempotency-Key", status=400)
    assert note_count(service, contact) == 0


def test_path_and_method_are_judged_before_the_key(service):
    headers = {"Idempotency-Key": ""}
    assert service.request(method="GET", headers=headers).status == 405
    assert service.request(path="/x", headers=headers).status == 404


def test_developer_keys_do_not_share_keys(service, shared, contact, key):
    more = service.site.issue_devkey(shared.org, "127.0.0.1")
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    others = {**body, "developer_secret": more["developer_secret"]}
    assert_fresh(send(service, {**others, "note": "y"}, key), contact, '"y"', visibility=1)
    assert_mismatch(send(service, others, key))
    assert_replayed(send(service, body, key), first)
    assert note_count(service, contact) == 2


def test_members_share_the_keys_of_their_developer(service, shared, contact, key):
    """The pair is the developer key and the key: another API key changes nothing."""
    apikey = service.site.issue_apikey(shared.second_member)["api_key"]
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    assert_replayed(send(service, {**body, "api_key": apikey}, key), first)
    assert note_count(service, contact) == 1


def test_organizations_do_not_share_keys(service, shared, contact, key):
    other = service.site.world("Other")
    first = send(service, shared.body(contact_id=contact, note="x"), key)
    answer = send(service, other.body(note="x"), key)
    assert assert_fresh(answer, other.contact, visibility=1) != note_id_of(first)


@pytest.mark.parametrize("kept", [False, True])
def test_many_at_the_same_moment_make_one_note(service, shared, contact, key, kept):
    def work():
        headers = {"X-Request-Id": "same", "Idempotency-Key": key}
        with service.connect(timeout=60) as connection:
            barrier.wait(60)
            for _ in range(3):
                answers.append(connection.request(http_params(body, headers=headers), body, keep=kept))
                if not kept:
                    break

    body = encode(shared.body(contact_id=contact, note="x"))
    answers = []
    barrier = threading.Barrier(16)
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == (48 if kept else 16)
    fresh = [answer for answer in answers if answer.header(REPLAYED) is None]
    assert len(fresh) == 1
    assert_fresh(fresh[0], contact, visibility=1)
    for answer in answers:
        if answer is not fresh[0]:
            assert_replayed(answer, fresh[0])
    assert note_count(service, contact) == 1


def test_other_fields_at_the_same_moment_make_one_note(service, shared, contact, key):
    def work(note):
        barrier.wait(60)
        answers[note] = send(service, shared.body(contact_id=contact, note=note), key)

    answers = {}
    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=work, args=[f"note {i}"]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    stored = [note["note_content"] for note in service.site.notes(contact)]
    assert len(stored) == 1
    for note, answer in answers.items():
        if [note] == stored:
            assert_fresh(answer, contact, f'"{note}"', visibility=1)
        else:
            assert_mismatch(answer)


def test_an_update_is_not_made_twice(service, shared, contact, key):
    made = note_id_of(send(service, shared.body(contact_id=contact, note="x", note_editable=1), f"made {key}"))
    update = shared.body(contact_id=contact, note="y", note_id=made, note_visibility=ABSENT)
    first = send(service, update, key)
    assert_fresh(first, contact, '"y"', editable=1, visibility=1, note_id=made)
    assert_replayed(send(service, {**update, "note_id": made.upper()}, key), first)
    assert len(service.site.history(made)) == 2
    # the update in between is neither undone nor shown
    later = {**update, "note": "z", "note_visibility": 0, "note_editable": 0}
    assert_fresh(send(service, later, f"later {key}"), contact, '"z"', note_id=made)
    assert_replayed(send(service, update, key), first)
    history = service.site.history(made)
    assert [version["note_content"] for version in history] == ["x", "y", "z"]


@pytest.mark.parametrize("flag", [0, 1])
def test_in_an_update_an_absent_flag_is_another_request_than_any(service, shared, contact, key, flag):
    made = note_id_of(send(service, shared.body(contact_id=contact), f"made {key}"))
    update = shared.body(contact_id=contact, note="y", note_id=made, note_visibility=ABSENT)
    send(service, update, key)
    assert_mismatch(send(service, {**update, "note_visibility": flag}, key))
    assert len(service.site.history(made)) == 2


def test_a_created_note_is_no_answer_to_its_update(service, shared, contact, key):
    body = shared.body(contact_id=contact, note="x")
    made = note_id_of(send(service, body, key))
    assert_mismatch(send(service, {**body, "note_id": made}, key))
    assert len(service.site.history(made)) == 1


def test_still_replayed_after_the_contact_has_moved_to_another_owner(service, shared, contact, key):
    body = shared.body(contact_id=contact, note="x")
    first = send(service, body, key)
    service.site.assign_contact(contact, shared.second_member)
    assert send(service, body, f"new {key}").header("X-Error-Code") == "NOT_OWNER"
    assert_replayed(send(service, body, key), first)
    assert note_count(service, contact) == 1


def test_not_replayed_to_those_who_may_not_call_any_more(service, key):
    world = service.site.world("Ends")
    body = world.body(note="x")
    first = send(service, body, key)
    assert_replayed(send(service, body, key), first)
    service.site.ctl("devkey", "revoke", world.devkey_id)
    answer = send(service, body, key)
    assert answer.header("X-Error-Code") == "IP_NOT_WHITELISTED"
    assert answer.header(REPLAYED) is None


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_keys_survive_a_restart(single, key):
    with Site(options={"workers": 1}) as site:
        world = site.world()
        body = world.body(note="x")
        with Service(site, single=single) as service:
            first = send(service, body, key)
            assert_fresh(first, world.contact, visibility=1)
        with Service(site, single=not single) as service:
            assert_replayed(send(service, body, key), first)
            assert_mismatch(send(service, {**body, "note": "y"}, key))
        assert len(site.notes(world.contact)) == 1
