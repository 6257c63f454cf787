"""Limits on guessing and on load: 429, what it depends on, and that counts survive."""

import contextlib
import os
import re
import signal
import stat
import threading

import pytest

from support.answers import assert_error, assert_success, error_body
from support.family import reload_all, writers_held_up
from support.raw import code, send
from support.service import Service
from support.site import ABSENT, Site
from support.wait import wait_for

FEW = 5
FEW_AN_HOUR = f"{FEW}/1h"
QUOTA_HEADERS = {"ratelimit-policy", "ratelimit"}
UNKNOWN_ID = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"


@pytest.fixture
def limited(start):
    """limited(options) answers a service with an organization, and small budgets."""

    def starter(service=None, **options):
        budgets = {"credential_failures": FEW_AN_HOUR, "contact_failures": FEW_AN_HOUR}
        running = start({"workers": 3, **budgets, **options}, **(service or {}))
        running.world = running.site.world()
        return running

    return starter


def codes(service, body, count, **http):
    return [code(service, body, **http) for _ in range(count)]


def assert_limited(answer, at_most, also=()):
    """The whole 429. Answers how many seconds to wait."""
    also = {"retry-after", *also}
    assert_error(answer, "RATE_LIMITED", "Too many requests", status=429, also=also)
    seconds = int(answer.header("Retry-After"))
    assert 0 < seconds <= at_most
    return seconds


def use_up(service, remote_addr="127.0.0.1"):
    bad = service.world.body(api_key="wrong")
    assert codes(service, bad, FEW, remote_addr=remote_addr) == ["INVALID_API_KEY"] * FEW


def test_the_answer_is_this_to_the_byte(limited):
    service = limited()
    use_up(service)
    answer = service.call(service.world.body(api_key="wrong"), headers={"X-Request-Id": "x"})
    seconds = re.search(rb"Retry-After: (\d+)", answer.stdout)[1]
    assert 3600 // FEW - 30 <= int(seconds) <= 3600 // FEW
    assert answer.stdout == (
        b"Status: 429 Too Many Requests\r\nContent-Type: application/json\r\n"
        b"Content-Length: 47\r\nCache-Control: no-store\r\n"
        b"X-Content-Type-Options: nosniff\r\nX-Request-Id: x\r\n"
        b"X-Error-Code: RATE_LIMITED\r\nRetry-After: " + seconds + b"\r\n\r\n"
    ) + error_body("Too many requests")
    line = service.wait_for_event("request", request_id="x")
    assert (line["code"], line["instead_of"]) == ("RATE_LIMITED", "INVALID_API_KEY")


def test_every_failed_credential_counts_and_is_hidden_when_too_many_have(limited):
    service = limited()
    world, elsewhere = service.world, service.site.world("Elsewhere", allow=["10.0.0.0/8"])
    far = service.site.issue_devkey(world.org, "10.0.0.0/8", name="Far")
    bodies = {
        "INVALID_API_KEY": world.body(api_key="wrong"),
        "IP_NOT_WHITELISTED": elsewhere.body(),
        "INVALID_DEVELOPER_SECRET": world.body(developer_secret="wrong"),
    }
    wrong_key = world.body(developer_secret=far["developer_secret"])
    free = {
        "MISSING_API_KEY": world.body(api_key=ABSENT),
        "MISSING_DEVELOPER_SECRET": world.body(developer_secret=ABSENT),
        "MISSING_FIELDS": world.body(note=ABSENT),
    }
    for expected, body in free.items():  # costs nothing
        assert codes(service, body, 2 * FEW) == [expected] * 2 * FEW
    for expected, body in bodies.items():
        assert code(service, body) == expected
    assert codes(service, wrong_key, 2) == ["IP_NOT_WHITELISTED"] * 2
    for body in [*bodies.values(), wrong_key]:
        assert_limited(send(service, body), 3600 // FEW)
    # this one would tell that the API key is right; the others tell nothing
    assert_limited(send(service, free.pop("MISSING_DEVELOPER_SECRET")), 3600 // FEW)
    for expected, body in free.items():
        assert code(service, body) == expected


def test_good_clients_of_the_same_address_are_never_refused(limited):
    service = limited()
    world = service.world
    use_up(service)
    for n in range(3 * FEW):
        assert code(service, world.body(api_key="wrong")) == "RATE_LIMITED"
        fresh = service.site.issue_apikey(world.member)["api_key"] if n == FEW else world.api_key
        answer = send(service, world.body(note=f"{n}", api_key=fresh))
        assert_success(answer, world.contact, f'"{n}"', visibility=1)


def test_networks_count_for_themselves(limited):
    service = limited()
    bad = service.world.body(api_key="wrong")
    same = [
        ["192.0.2.1", "::ffff:192.0.2.1"],
        ["192.0.2.2"],
        ["2001:db8:0:100::1", "2001:db8:0:1ff:ffff::"],
        ["2001:db8:0:200::1"],
        ["unix:", "", "nonsense"],  # no address is one network, too
    ]
    for network in same:
        for n in range(FEW):
            assert code(service, bad, remote_addr=network[n % len(network)]) == "INVALID_API_KEY"
        for address in network:
            assert code(service, bad, remote_addr=address) == "RATE_LIMITED"


def test_failed_checks_of_contacts_count_for_their_developer_key(limited):
    service = limited()
    world, foreign = service.world, service.site.world("Foreign")
    second = service.site.issue_devkey(world.org, "127.0.0.0/8", name="Second")
    bad = {
        "NOT_FOUND": world.body(contact_id=UNKNOWN_ID),
        "WRONG_ORG": world.body(contact_id=foreign.contact),
        "NOT_OWNER": world.body(contact_id=world.second_contact),
    }
    note_unknown = world.body(note_id=UNKNOWN_ID)
    assert codes(service, note_unknown, 2 * FEW) == ["NOTE_NOT_FOUND"] * 2 * FEW  # is free
    assert [code(service, body) for body in bad.values()] == list(bad)
    # those that the writer refuses count as well as those that a worker refuses
    assert code(service, world.body()) is None
    assert code(service, bad["NOT_OWNER"]) == "NOT_OWNER"
    assert code(service, bad["NOT_OWNER"]) == "NOT_OWNER"
    for body in bad.values():
        assert_limited(send(service, body), 3600 // FEW)
        assert code(service, world.body()) is None
        assert_limited(send(service, body), 3600 // FEW)
    other = dict(bad["NOT_FOUND"], developer_secret=second["developer_secret"])
    assert code(service, other) == "NOT_FOUND"


def test_a_budget_comes_back_with_time(limited):
    service = limited(credential_failures="2/2s")
    bad = service.world.body(api_key="wrong")
    assert codes(service, bad, 3) == ["INVALID_API_KEY"] * 2 + ["RATE_LIMITED"]
    wait_for(lambda: code(service, bad) == "INVALID_API_KEY", "a further try")


@pytest.mark.parametrize("option", ["credential_failures", "contact_failures"])
def test_budgets_can_be_switched_off(limited, option):
    service = limited(**{option: "off"})
    bad = {"credential_failures": {"api_key": "wrong"}, "contact_failures": {"contact_id": "?"}}
    assert "RATE_LIMITED" not in codes(service, service.world.body(**bad[option]), 4 * FEW)


def test_budgets_are_on_unless_something_else_is_said(start):
    service = start()
    world = service.site.world()
    bad = world.body(api_key="wrong")
    assert codes(service, bad, 100) == ["INVALID_API_KEY"] * 100
    assert code(service, bad) == "RATE_LIMITED"
    bad = world.body(contact_id=UNKNOWN_ID)
    assert codes(service, bad, 1000) == ["NOT_FOUND"] * 1000
    assert "RATE_LIMITED" in codes(service, bad, 100)  # one comes back every 0.6 s
    answer = send(service, world.body(note="x"))
    assert_success(answer, world.contact, '"x"', visibility=1)  # without RateLimit headers


# Counts survive


def test_counts_survive_the_death_of_all_workers(limited):
    service = limited()
    use_up(service)
    before = set(service.workers())
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    def renewed():
        return len(set(service.workers()) - before) == len(before)

    wait_for(renewed, "new workers", 30)
    assert code(service, service.world.body(api_key="wrong")) == "RATE_LIMITED"


def test_counts_survive_a_reload_and_new_limits_hold(limited):
    service = limited()
    bad = service.world.body(api_key="wrong")
    use_up(service)

    service.site.configure(credential_failures=FEW_AN_HOUR)
    reload_all(service)
    assert code(service, bad) == "RATE_LIMITED"
    service.site.configure(credential_failures="off")
    reload_all(service)
    assert codes(service, bad, 2 * FEW) == ["INVALID_API_KEY"] * 2 * FEW


# Quotas


def left(answer):
    """What the headers say is left, and in how many seconds all is there again."""
    assert answer.header("RateLimit-Policy") == f'"default";q={FEW};w=3600'
    found = re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.header("RateLimit"))
    assert 0 <= int(found[2]) <= 3600
    return int(found[1])


def test_a_quota_is_told_and_used_up_by_notes_alone(limited):
    service = limited(rate_limit=FEW_AN_HOUR)
    world = service.world
    free = {
        "MISSING_FIELDS": world.body(note=ABSENT),
        "INVALID_FIELDS": world.body(note_editable=7),
        "NOT_FOUND": world.body(contact_id=UNKNOWN_ID),
        "NOTE_NOT_FOUND": world.body(note_id=UNKNOWN_ID),
    }
    for expected in range(FEW, 0, -1):
        for error, body in free.items() if expected in (FEW, 2) else ():
            answer = send(service, body)
            assert answer.code == error
            assert left(answer) == expected
        answer = send(service, world.body())
        assert answer.code is None
        assert left(answer) == expected - 1
    assert_limited(send(service, world.body()), 3600 // FEW, QUOTA_HEADERS)
    # it is judged before check 7, and after checks 1 to 6
    answer = send(service, free["MISSING_FIELDS"])
    assert_limited(answer, 3600 // FEW, QUOTA_HEADERS)
    assert left(answer) == 0
    assert code(service, world.body(developer_secret=ABSENT)) == "MISSING_DEVELOPER_SECRET"
    assert code(service, world.body(developer_secret="wrong")) == "INVALID_DEVELOPER_SECRET"
    second = service.site.issue_devkey(world.org, "127.0.0.0/8", name="Second")
    answer = send(service, world.body(developer_secret=second["developer_secret"]))
    assert (answer.code, left(answer)) == (None, FEW - 1)
    assert len(service.site.notes(world.contact)) == FEW + 1


def test_only_callers_that_were_identified_are_told(limited):
    service = limited(rate_limit=FEW_AN_HOUR)
    world = service.world
    assert left(send(service, world.body())) == FEW - 1
    service.site.ctl("apikey", "revoke", world.apikey_id)  # but it is remembered
    for body in (world.body(), world.body(developer_secret="x"), {}, b"nonsense"):
        answer = send(service, body)
        assert answer.code in ("INVALID_API_KEY", "MISSING_API_KEY", "INVALID_JSON")
        assert answer.header("RateLimit") is answer.header("RateLimit-Policy") is None


def test_a_caller_of_the_past_is_told_nothing_while_nothing_can_be_checked(limited):
    service = limited(rate_limit=FEW_AN_HOUR, request_timeout=6)
    world = service.world
    assert left(send(service, world.body())) == FEW - 1
    service.site.ctl("apikey", "revoke", world.apikey_id)  # but it is remembered
    with writers_held_up(service.site):
        answer = send(service, world.body())
    assert answer.code == "UNAVAILABLE"
    assert answer.header("RateLimit") is answer.header("RateLimit-Policy") is None
    assert code(service, world.body()) == "INVALID_API_KEY"


def test_repeated_requests_cost_nothing(limited):
    service = limited(rate_limit=FEW_AN_HOUR)
    key = {"Idempotency-Key": "once"}
    first = send(service, service.world.body(), headers=key)
    assert left(first) == FEW - 1
    for _ in range(2 * FEW):
        again = send(service, service.world.body(), headers=key)
        assert again.body == first.body
        assert again.header("Idempotency-Replayed") == "true"
        assert left(again) == FEW - 1
    mismatch = send(service, service.world.body(note="other"), headers=key)
    assert (mismatch.code, left(mismatch)) == ("IDEMPOTENCY_MISMATCH", FEW - 1)


def test_a_lost_answer_is_given_again_though_the_quota_is_used_up(limited):
    service = limited(rate_limit=FEW_AN_HOUR)
    world, key = service.world, {"Idempotency-Key": "once"}
    first = send(service, world.body(), headers=key)
    assert codes(service, world.body(), FEW - 1) == [None] * (FEW - 1)
    again = send(service, world.body(), headers=key)
    assert (again.code, again.body, left(again)) == (None, first.body, 0)
    assert again.header("Idempotency-Replayed") == "true"
    for body, name in ((world.body(note="other"), "once"), (world.body(), "new")):
        assert code(service, body, headers={"Idempotency-Key": name}) == "RATE_LIMITED"
    assert code(service, world.body(note=ABSENT), headers=key) == "RATE_LIMITED"
    assert len(service.site.notes(world.contact)) == FEW


def test_processes_that_race_store_as_many_as_the_quota_has(limited):
    service = limited(rate_limit="40/1h")
    seen = []

    def work():
        for _ in range(20):
            seen.append(code(service, service.world.body()))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, seen)) == ["None"] * 40 + ["RATE_LIMITED"] * 80
    assert len(service.site.notes(service.world.contact)) == 40


# Without a master: through the file


@pytest.fixture
def lone_site():
    with Site(options={"credential_failures": FEW_AN_HOUR}) as site:
        site.limits = site.data / "crmnotes.db.limits"
        yield site


def lone(site, stack, name):
    service = Service(site, listen="inherited", single=True)
    service.log = site.directory / f"{name}.log"
    service = stack.enter_context(service)
    os.rename(service.address, f"{service.address}.{name}")  # for the next one's
    service.address = f"{service.address}.{name}"
    service.world = site.lone_world
    return service


def test_lone_processes_count_together(lone_site):
    lone_site.lone_world = lone_site.world()
    bad = lone_site.lone_world.body(api_key="wrong")
    with contextlib.ExitStack() as stack:
        one, two = (lone(lone_site, stack, name) for name in "ab")
        assert stat.S_IMODE(lone_site.limits.stat().st_mode) == 0o600
        seen = [code(service, bad) for _ in range(FEW) for service in (one, two)]
        assert seen == ["INVALID_API_KEY"] * FEW + ["RATE_LIMITED"] * FEW
        assert code(one, lone_site.lone_world.body()) is None
    with contextlib.ExitStack() as stack:  # the next ones begin with what these have left
        assert code(lone(lone_site, stack, "c"), bad) == "RATE_LIMITED"


def spoil_by_text(path):
    path.write_text("no counts")


def spoil_by_directory(path):
    path.mkdir()


@pytest.mark.parametrize("spoil", [spoil_by_text, spoil_by_directory])
def test_a_file_that_cannot_be_used_costs_a_warning_only(lone_site, spoil):
    lone_site.lone_world = lone_site.world()
    spoil(lone_site.limits)
    lone_site.give_to_owner()
    with contextlib.ExitStack() as stack:
        for name in "ab":
            service = lone(lone_site, stack, name)
            line = service.wait_for_event("limits_not_shared")
            assert line["level"] == "warning" and str(lone_site.limits) in line["message"]
            assert code(service, lone_site.lone_world.body()) is None
            use_up(service)
            assert code(service, lone_site.lone_world.body(api_key="wrong")) == "RATE_LIMITED"


def test_a_file_that_is_cut_off_later_fails_no_request(lone_site):
    lone_site.lone_world = lone_site.world()
    with contextlib.ExitStack() as stack:
        service = lone(lone_site, stack, "a")
        use_up(service)
        os.truncate(lone_site.limits, 0)
        use_up(service)
        assert code(service, lone_site.lone_world.body(api_key="wrong")) == "RATE_LIMITED"
        assert code(service, lone_site.lone_world.body()) is None


def test_a_pool_has_no_such_file(limited):
    service = limited()
    use_up(service)
    assert not (service.site.data / "crmnotes.db.limits").exists()
