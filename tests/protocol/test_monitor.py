"""The monitor: what it tells of a service, and that it tells it whatever happens to the others."""

import contextlib
import fcntl
import json
import os
import signal
import time

import pytest

from support import fastcgi
from support.family import half_sent, reload_all, run, send, writers_held_up
from support.monitor import Monitored, monitored
from support.site import encode
from support.wait import wait_for

WORKERS = 2


@pytest.fixture
def fresh():
    with monitored(workers=WORKERS) as made:
        yield made


@pytest.fixture(scope="module")
def shared():
    with monitored(workers=WORKERS) as made:
        made.world = made.service.site.world()
        yield made


# What it answers


@pytest.mark.parametrize("prefix", ["", "/crmnotes"])
def test_live_and_ready(shared, prefix):
    assert shared.get(f"{prefix}/live").status == 200
    assert shared.json(f"{prefix}/ready") == {"ready": True}


def test_the_answer_may_be_in_path_info(shared):
    params = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/monitor.fcgi", "PATH_INFO": "/live"}
    assert shared.ask(params=params).status == 200


def test_what_is_not_there_and_wrong_methods(shared):
    assert shared.get("/").status == 404
    assert shared.get("/livex").status == 404
    response = shared.get("/status", method="POST")
    assert (response.status, response.header("Allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/metrics", "/status", "/live", "/ready"])
def test_head_has_the_header_alone(shared, path):
    response = shared.get(path, method="HEAD")
    assert (response.status, response.body) == (200, b"")
    assert int(response.header("Content-Length")) > 0
    assert response.header("Cache-Control") == "no-store"


def test_status_is_json_for_programs_and_a_page_for_browsers(shared):
    assert shared.get("/status").header("Content-Type") == "application/json"
    assert shared.get("/status", accept="*/*").header("Content-Type") == "application/json"
    page = shared.get("/status", accept="text/html,application/xhtml+xml")
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.header("Content-Security-Policy")
    assert page.body.startswith(b"<!DOCTYPE html>") and b"crmnotes is ready" in page.body
    assert shared.get("/status.json", accept="text/html").header("Content-Type") == "application/json"


def test_the_calls_are_not_served_there(shared):
    response = shared.ask(body=b"{}", method="POST")
    assert response.status == 404


def test_the_monitor_is_not_reached_through_the_socket_of_the_calls(shared):
    for path in ("/metrics", "/status", "/live", "/ready"):
        response = shared.service.request(method="GET", path=path)
        assert (response.status, response.header("X-Error-Code")) == (404, "UNKNOWN_ENDPOINT")


def test_without_a_socket_there_is_no_monitor(start):
    assert Monitored(start({"workers": WORKERS})).pids("monitor") == []


# What is counted


def changes(monitored, action):
    """What has grown, {(name, labels): by how much}."""
    before = monitored.metrics()
    action()
    after = monitored.metrics()
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


def grown(found, name, **labels):
    return found.get((name, frozenset(labels.items())), 0)


def test_requests_and_notes_are_counted(shared):
    service, world = shared.service, shared.world

    def act():
        note = json.loads(service.call(world.body()).body)["data"]["note_id"]
        service.call(world.body(note_id=note, note="other"))
        service.call(world.body(api_key="zak_wrong"))
        service.request(b"{", method="POST")
        service.request(method="GET", path="/elsewhere")

    found = changes(shared, act)
    assert grown(found, "requests_total", call="addNotestoContact", code="OK") == 2
    assert grown(found, "requests_total", call="addNotestoContact", code="INVALID_API_KEY") == 1
    assert grown(found, "requests_total", call="addNotestoContact", code="INVALID_JSON") == 1
    assert grown(found, "requests_total", call="none", code="UNKNOWN_ENDPOINT") == 1
    assert grown(found, "request_duration_seconds_count", call="addNotestoContact") == 4
    assert 0 < grown(found, "request_duration_seconds_sum", call="addNotestoContact") < 4
    assert grown(found, "request_duration_seconds_bucket", call="addNotestoContact", le="+Inf") == 4
    assert grown(found, "notes_committed_total", action="created") == 1
    assert grown(found, "notes_committed_total", action="updated") == 1
    assert grown(found, "commit_group_size_sum") == 2
    assert 1 <= grown(found, "commit_duration_seconds_count") <= 2
    assert shared.metric("requests_in_flight") == 0
    codes = shared.json("/status")["requests"]["codes"]
    assert codes["OK"] >= 2 and codes["INVALID_API_KEY"] >= 1


def test_histograms_are_cumulative(shared):
    shared.service.call(shared.world.body())
    rows = [(labels, value) for (name, labels), value in shared.metrics().items()
            if name == "request_duration_seconds_bucket" and ("call", "addNotestoContact") in labels]  # fmt: skip
    values = [value for _, value in rows]
    assert len(rows) == 12 and values == sorted(values) and values[-1] > 0


def test_limits_and_former_secrets_are_counted():
    with monitored(workers=WORKERS, rate_limit="2/1h", credential_failures="2/1h", contact_failures="2/1h") as it:
        service, world = it.service, it.service.site.world()
        for _ in range(3):
            service.call(world.body(contact_id="nothing"))
        for _ in range(3):
            service.call(world.body())
        rotated = service.site.ctl_one("devkey", "rotate", world.devkey_id, "--grace", "1h")
        assert rotated["developer_secret"]
        service.call(world.body())
        for _ in range(3):
            service.call(world.body(api_key="zak_wrong"))
        assert it.metric("throttled_total", limit="rate_limit") >= 1
        assert it.metric("throttled_total", limit="contact_failures") >= 1
        assert it.metric("throttled_total", limit="credential_failures") == 1
        assert it.metric("former_secret_uses_total", kind="developer_key") == 1
        assert it.metric("former_secret_uses_total", kind="api_key") == 0


def test_keys_that_expire_are_counted(fresh):
    site = fresh.service.site
    org = site.add_org()["org_id"]
    site.issue_devkey(org, "127.0.0.1", expires="3d")
    site.issue_devkey(org, "127.0.0.1", expires="20d")
    site.issue_devkey(org, "127.0.0.1", expires="60d")
    site.issue_devkey(org, "127.0.0.1")
    fresh.get("/ready")  # reads the database anew
    assert fresh.metric("keys_expiring", kind="developer_key", within="7d") == 1
    assert fresh.metric("keys_expiring", kind="developer_key", within="30d") == 2


def test_backups_and_reloads_have_their_times(fresh):
    assert fresh.metric("backup_time_seconds") is None
    began = time.time()
    site = fresh.service.site
    site.ctl("db", "backup", str(site.directory / "copy.db"))
    wait_for(lambda: fresh.metric("backup_time_seconds"), "the time of the backup")
    assert began - 1 < fresh.metric("backup_time_seconds") < time.time() + 1
    former = fresh.metric("reload_time_seconds")
    reload_all(fresh.service)
    wait_for(lambda: fresh.metric("reload_time_seconds") > former, "the time of the reload")
    assert fresh.metric("start_time_seconds") <= former
    site.configure(workers="many")
    fresh.service.signal(signal.SIGHUP)
    wait_for(lambda: fresh.metric("reload_failures_total") == 1, "a reload that was refused")


def test_labels_come_from_closed_sets(shared):
    """No id, key, address or name of anybody is in them."""
    service, world = shared.service, shared.world
    service.call(world.body())
    text = shared.get("/metrics").body.decode() + shared.get("/status").body.decode()
    text += shared.get("/status", accept="text/html").body.decode()
    for secret in (world.org, world.member, world.contact, world.api_key, world.developer_secret, world.devkey_id, "127.0.0.1"):
        assert secret not in text


# Deaths and reloads


def test_no_total_falls_when_processes_die(fresh):
    service, world = fresh.service, fresh.service.site.world()
    for _ in range(5):
        service.call(world.body())
    totals = lambda: (fresh.metric("requests_total", call="addNotestoContact", code="OK"),  # noqa: E731
                      fresh.metric("notes_committed_total", action="created"))  # fmt: skip
    assert totals() == (5, 5)
    for pid in fresh.pids("worker"):
        os.kill(pid, signal.SIGKILL)
    os.kill(fresh.pid("writer"), signal.SIGKILL)
    wait_for(lambda: fresh.metric("process_ends_total", role="worker", cause="died") == WORKERS, "all deaths")
    wait_for(lambda: fresh.metric("process_ends_total", role="writer", cause="died") == 1, "that of the writer")
    wait_for(lambda: fresh.json("/ready")["ready"], "readiness")
    assert totals() == (5, 5)
    reload_all(service)
    service.call(world.body())
    assert totals() == (6, 6)
    service.events()  # the deaths are in the log, and meant


def test_a_worker_that_dies_takes_its_requests_along(fresh):
    service, world = fresh.service, fresh.service.site.world()
    with writers_held_up(service.site), service.connect() as connection:
        send(connection, encode(world.body()))
        wait_for(lambda: fresh.metric("requests_in_flight") == 1, "the request in hand")
        for pid in fresh.pids("worker"):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: fresh.metric("process_ends_total", role="worker", cause="died") == WORKERS, "the deaths")
        assert fresh.metric("requests_in_flight") == 0


def test_the_monitor_itself_is_replaced(fresh):
    former = fresh.pid("monitor")
    os.kill(former, signal.SIGKILL)
    wait_for(lambda: fresh.metric("process_ends_total", role="monitor", cause="died") == 1, "another monitor", 30)
    assert fresh.pid("monitor") != former


# When it is not ready


def test_it_answers_while_the_writer_is_stopped(fresh):
    writer = fresh.pid("writer")
    os.kill(writer, signal.SIGSTOP)
    try:
        began = time.monotonic()
        response = fresh.get("/ready")
        assert time.monotonic() - began < 4
        assert response.status == 503 and int(response.header("Retry-After")) > 0
        assert json.loads(response.body) == {"ready": False, "reason": "The writer does not answer."}
        assert fresh.get("/live").status == 200
        assert fresh.metric("ready") == 0
        page = fresh.get("/status", accept="text/html").body
        assert b"crmnotes is not ready" in page and b"The writer does not answer." in page
    finally:
        os.kill(writer, signal.SIGCONT)
    wait_for(lambda: fresh.json("/ready")["ready"], "readiness")
    assert fresh.metric("ready") == 1


def test_it_answers_while_all_workers_are_busy(fresh):
    for pid in fresh.pids("worker"):
        os.kill(pid, signal.SIGSTOP)
    try:
        assert fresh.get("/live").status == 200
        assert fresh.get("/metrics").status == 200
    finally:
        for pid in fresh.pids("worker"):
            os.kill(pid, signal.SIGCONT)


def test_it_says_that_the_database_is_gone(fresh):
    site = fresh.service.site
    away = site.database.with_suffix(".away")
    site.database.rename(away)
    wait_for(lambda: fresh.get("/ready").status == 503, "unreadiness")
    assert "The database cannot be" in fresh.json("/status")["reason"]
    away.rename(site.database)
    wait_for(lambda: fresh.json("/ready")["ready"], "readiness", 30)


def test_it_says_that_another_program_holds_the_lock(fresh):
    lock = open(f"{fresh.service.site.database}.lock")  # noqa: SIM115
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        answer = fresh.get("/ready")
        assert (answer.status, json.loads(answer.body)["reason"]) == (503, "Another program holds the database's lock.")
    finally:
        lock.close()
    wait_for(lambda: fresh.json("/ready")["ready"], "readiness", 30)


def test_a_service_that_stops_is_not_ready(fresh):
    connection, _ = half_sent(fresh.service, b"{}")
    with connection:
        fresh.service.signal(signal.SIGTERM)
        wait_for(lambda: fresh.get("/ready").status == 503, "unreadiness")
        assert fresh.json("/status")["reason"] == "No worker takes requests."


def test_a_slow_peer_does_not_keep_the_next_monitor_waiting(fresh):
    with fastcgi.connect(fresh.socket) as peer:
        peer.sendall(b"\1\1\0\1\0\10\0\0\0\1")
        former = fresh.pid("monitor")
        fresh.service.signal(signal.SIGHUP)
        wait_for(lambda: fresh.pids("monitor") not in ([], [former]), "the next monitor", 8)
    assert fresh.get("/live").status == 200


def test_a_peer_that_says_nothing_keeps_no_other_waiting(fresh):
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(fastcgi.connect(fresh.socket))
        began = time.monotonic()
        assert fresh.get("/live").status == 200
        assert time.monotonic() - began < 2


# Where its socket comes from


def test_the_socket_file_has_the_mode_of_the_other_one(fresh):
    assert fresh.socket.stat().st_mode & 0o777 == 0o660
    fresh.service.stop()
    assert not fresh.socket.exists()


def test_a_change_of_its_socket_needs_a_restart(fresh):
    fresh.service.site.configure(status_listen=f"unix:{fresh.service.site.directory}/other.sock")
    fresh.service.signal(signal.SIGHUP)
    fresh.service.wait_for_event("reload_failed", says="status_listen: to change it, restart")


def test_check_config_looks_at_it(fresh):
    site = fresh.service.site
    site.configure(status_listen="unix:/nowhere/status.sock")
    done = run(site, "--check-config")
    assert done.returncode == 73 and "/nowhere" in done.stderr
