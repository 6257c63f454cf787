"""Callers with the former and with the new secret of a key that was rotated."""

import fcntl
import itertools
import subprocess
import time
from datetime import datetime

import pytest

from support.answers import assert_error, assert_success
from support.fastcgi import http_params
from support.paths import CTL
from support.processes import waiting_for_lock
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for

KINDS = {
    "apikey": ("api_key", "INVALID_API_KEY", "Invalid API Key"),
    "devkey": ("developer_secret", "INVALID_DEVELOPER_SECRET", "Invalid developer_secret"),
}


@pytest.fixture(scope="module", params=[False, True], ids=["pool", "single"])
def service(request):
    # as often as one can in some tenths of a second, secrets are refused here on purpose
    options = {"workers": 2, "credential_failures": "off"}
    with Site(options=options) as site, Service(site, single=request.param) as running:
        yield running


class Key:
    """One key of a new organization, and requests with any secret of it."""

    numbers = itertools.count()

    def __init__(self, service, noun):
        self.service, self.site, self.noun = service, service.site, noun
        self.member, self.code, self.message = KINDS[noun]
        self.world = self.site.world()
        self.id = self.world.apikey_id if noun == "apikey" else self.world.devkey_id
        self.first = self.world.body()[self.member]
        if noun == "devkey":
            # lets the address in, so that a wrong secret is what is complained about
            self.site.issue_devkey(self.world.org, "127.0.0.1")

    def rotate(self, grace):
        """The new secret, and until when the former one works, in seconds since 1970."""
        rotated = self.site.ctl_one(self.noun, "rotate", self.id, "--grace", grace)
        until = rotated["former_secret_until"]
        return rotated[self.member], until and seconds(until)

    def call(self, secret, **changes):
        """The answer to a request with that secret, and the warnings that it left."""
        name = f"{self.noun}.{next(self.numbers)}"
        body = self.world.body(note="x", **{self.member: secret}, **changes)
        answer = self.service.request(encode(body), headers={"X-Request-Id": name})
        self.service.wait_for_event("request", request_id=name)
        events = self.service.events("former_secret_used")
        return answer, [event for event in events if event["request_id"] == name]

    def accepted(self, secret):
        answer, warnings = self.call(secret)
        assert_success(answer, self.world.contact, '"x"', visibility=1)
        return warnings

    def refused(self, secret):
        answer, warnings = self.call(secret)
        assert_error(answer, self.code, self.message)
        assert warnings == []


@pytest.fixture(params=list(KINDS))
def key(request, service):
    return Key(service, request.param)


def seconds(date):
    return datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()


def test_both_secrets_work_and_each_use_of_the_former_one_is_logged(key):
    assert key.accepted(key.first) == []
    new, until = key.rotate("1h")
    for _ in range(3):  # remembered by now, the first time since before the rotation
        assert key.accepted(new) == []
        (warning,) = key.accepted(key.first)
        assert seconds(warning.pop("until")) == until
        del warning["ts"], warning["pid"]
        assert warning.pop("request_id").startswith(key.noun)
        assert warning == {
            "level": "warning",
            "event": "former_secret_used",
            "remote_addr": "127.0.0.1",
            f"{key.noun}_id": key.id,
        }
    log = key.service.log_text()
    assert key.first not in log and new not in log


def test_a_use_that_is_refused_for_something_else_is_logged_too(key):
    key.rotate("1h")
    for changes, code in (({"contact_id": key.world.org}, "NOT_FOUND"), ({"note_id": 1}, "INVALID_FIELDS")):
        for _ in range(2):
            answer, warnings = key.call(key.first, **changes)
            assert answer.header("X-Error-Code") == code
            assert [warning[f"{key.noun}_id"] for warning in warnings] == [key.id]


def test_both_keys_of_a_request_may_be_former_ones(service):
    key = Key(service, "apikey")
    key.rotate("1h")
    service.site.ctl("devkey", "rotate", key.world.devkey_id)
    warnings = key.accepted(key.first)
    assert [sorted(set(warning) & {"apikey_id", "devkey_id"}) for warning in warnings] == [
        ["apikey_id"],
        ["devkey_id"],
    ]


ENOUGH = 6  # answers behind the end


def send_beyond(key, until):
    """Sends the former secret over and over; each answer with the time before and after."""
    answers, late = [], 0
    body = encode(key.world.body(note="x", **{key.member: key.first}))
    while late < ENOUGH:
        before = time.time()
        answer = key.service.request(body)
        answers.append((before, time.time(), answer))
        late += before >= until
    return answers


def test_the_grace_time_ends_to_the_millisecond_also_for_a_caller_who_is_remembered(key):
    assert key.accepted(key.first) == []
    new, until = key.rotate("3s")
    answers = send_beyond(key, until)
    good = [answer for before, after, answer in answers if after < until]
    late = [answer for before, after, answer in answers if before >= until]
    assert good and len(late) >= ENOUGH
    for answer in good:
        assert_success(answer, key.world.contact, '"x"', visibility=1)
    for answer in late:
        assert_error(answer, key.code, key.message)
    assert key.accepted(new) == []


def test_one_who_was_remembered_and_then_silent_is_refused_after_the_end(key):
    _, until = key.rotate("3s")
    assert len(key.accepted(key.first)) == 1
    wait_for(lambda: time.time() >= until, "the end of the grace time")
    key.refused(key.first)
    key.refused(key.first)


def test_without_grace_the_former_secret_is_refused_at_once(key):
    assert key.accepted(key.first) == []
    new, until = key.rotate("0")
    assert until is None
    key.refused(key.first)
    assert key.accepted(new) == []


def test_revoking_ends_both(key):
    new, _ = key.rotate("1h")
    assert key.accepted(new) == [] and len(key.accepted(key.first)) == 1
    key.site.ctl(key.noun, "revoke", key.id)
    key.refused(new)
    key.refused(key.first)


def test_one_more_rotation_shuts_nobody_out_who_was_promised_time(key):
    second, first_until = key.rotate("1h")
    third, second_until = key.rotate("2h")
    for secret, until in ((key.first, first_until), (second, second_until)):
        (warning,) = key.accepted(secret)
        assert seconds(warning["until"]) == until
    assert key.accepted(third) == []
    fourth, _ = key.rotate("0")
    for secret in (key.first, second, third):
        key.refused(secret)
    assert key.accepted(fourth) == []


def test_a_request_that_came_before_a_cut_is_refused_after_it(service):
    """It waits for the write lock behind the operator who ends the secret."""
    key = Key(service, "apikey")
    assert key.accepted(key.first) == []
    path = f"{service.site.database}.lock"
    body = encode(key.world.body())
    with open(path, "rb") as lock, service.connect() as connection:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = subprocess.Popen(
            [CTL, "--config", service.site.config, "apikey", "rotate", key.id, "--grace", "0"],
            env=service.site.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: len(waiting_for_lock(path)) == 1, "the operator in the queue")
        connection.begin()
        connection.params(http_params(body))
        connection.stdin(body)
        wait_for(lambda: len(waiting_for_lock(path)) == 2, "the request in the queue")
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert command.wait(30) == 0
        assert_error(connection.read_response(), key.code, key.message)
