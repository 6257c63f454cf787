"""HUP: what a reload changes, what it refuses, and that it costs no request."""

import contextlib
import signal
import sqlite3

import pytest

from support.answers import assert_error, assert_success
from support.family import answers_at, half_sent, reload, running, serves
from support.fastcgi import http_params
from support.load import Load
from support.paths import CALL_PATH
from support.site import Site, encode
from support.wait import wait_for


# Fewer processes than by default, to be started and ended quickly.
SITE_OPTIONS = {"workers": 2}


# Without losing a request


@pytest.mark.parametrize("kept,fresh", [(6, 0), (0, 6), (6, 4)])
def test_reloads_under_load_cost_no_request(site, kept, fresh):
    world = site.world()
    with running(site) as service:
        with Load(service, world, kept=kept, fresh=fresh) as load:
            for _ in range(5):
                before = set(service.workers())
                reload(service)
                load.wait_for_answers(20)
                wait_for(lambda: not before & set(service.workers()), "the old processes' end")
        assert load.failures == []
        assert load.texts(None) == load.answers.keys()
        load.assert_stored()
        assert len(site.notes(world.contact)) == len(load.answers)
        assert service.events("worker_died") == []
        assert service.stop() == 0


def test_many_reloads_at_once(site):
    world = site.world()
    with running(site) as service:
        with Load(service, world, kept=3, fresh=2) as load:
            for _ in range(30):
                service.signal(signal.SIGHUP)
                load.wait_for_answers(3)
        assert load.failures == []
        assert load.texts(None) == load.answers.keys()
        load.assert_stored()
        wait_for(lambda: len(service.workers()) == 3, "two workers and a writer")
        assert service.stop() == 0


def test_idle_and_half_sent_connections_are_kept(site):
    world = site.world()
    with running(site) as service, contextlib.ExitStack() as stack:
        connection, rest = half_sent(service, encode(world.body(note="whole")))
        stack.enter_context(connection)
        idle = [stack.enter_context(service.connect()) for _ in range(10)]
        for one in idle:
            assert one.request(http_params(b"{"), b"{", keep=True).status == 400
        old = set(service.workers())
        reload(service)
        wait_for(lambda: not old & set(service.workers()), "the end of the old ones", 30)
        connection.stdin(rest)
        assert_success(connection.read_response(), world.contact, '"whole"', visibility=1)
        for one in idle:
            assert one.request(http_params(b"{"), b"{", keep=True).status == 400
        stack.close()
        assert service.stop() == 0


def test_a_single_process_finishes_what_has_begun(site):
    world = site.world()
    with running(site, single=True) as service:
        connection, rest = half_sent(service, encode(world.body(note="x" * 8)))
        with connection:
            assert serves(service)  # the half has arrived
            site.configure(max_note_bytes=5)
            service.signal(signal.SIGHUP)
            connection.stdin(rest)
            assert_success(connection.read_response(), world.contact, '"xxxxxxxx"', visibility=1)
        assert service.stop() == 0


# What changes


def test_changed_settings_take_effect(site, single):
    with running(site, single=single) as service:
        assert service.request(b"x" * 2000).status == 400
        site.configure(workers=4, base_path="/new", max_body_bytes=1024, max_note_bytes=100)
        site.configure(trusted_proxies="10.0.0.0/8")
        service.signal(signal.SIGHUP)
        wait_for(lambda: answers_at(service, "/new"), "the new path")
        if not single:
            service.wait_for_event("reloaded", workers=4)
            wait_for(lambda: len(service.workers()) == 5, "four workers and a writer")
        wait_for(lambda: not answers_at(service, ""), "the end of the old workers")
        answer = service.request(b"x" * 1025, path="/new" + CALL_PATH)
        assert_error(answer, "BODY_TOO_LARGE", "Request body is too large", status=413)
        answer = service.call(
            site.world().body(),
            path="/new" + CALL_PATH,
            remote_addr="10.1.1.1",
            headers={"X-Forwarded-For": "127.0.0.1"},
        )
        assert answer.header("X-Error-Code") is None
        answer = service.call(site.world().body(note="x" * 101), path="/new" + CALL_PATH)
        assert answer.header("X-Error-Code") == "INVALID_FIELDS"
        if not single:
            site.configure(workers=1)
            service.signal(signal.SIGHUP)
            service.wait_for_event("reloaded", workers=1)
            wait_for(lambda: len(service.workers()) == 2, "one worker and a writer")
        assert service.stop() == 0


def test_what_the_command_line_says_outlives_a_reload(site):
    with running(site, args=["--workers", "1"], env={"CRMNOTES_BASE_PATH": "/env"}) as service:
        site.configure(workers=4, base_path="/file")
        reload(service)
        assert answers_at(service, "/env") and not answers_at(service, "/file")
        wait_for(lambda: len(service.workers()) == 2, "one worker and a writer")
        assert service.stop() == 0


# What is refused


def test_a_mistake_in_the_configuration_changes_nothing(site, single):
    site.configure(base_path="/old")
    with running(site, single=single) as service, service.connect() as kept:

        def found(path):
            return kept.request(http_params(b"{", path=path), b"{", keep=True).status == 400

        assert found("/old" + CALL_PATH)
        before = set(service.workers())
        site.configure(base_path="/new")
        site.config.write_text(site.config.read_text() + "workers = many\n")
        line = site.config.read_text().count("\n")
        service.signal(signal.SIGHUP)
        event = service.wait_for_event("reload_failed")
        assert event["level"] == "error" and f"{site.config}:{line}" in event["message"]
        if single:
            kept.close()
            kept.socket = service.connect().socket
        assert found("/old" + CALL_PATH) and not found("/new" + CALL_PATH)
        # a child of the master that has tried the database may still be ending
        wait_for(lambda: set(service.workers()) == before, "the former processes alone")
        site.configure()
        service.signal(signal.SIGHUP)
        wait_for(lambda: answers_at(service, "/new"), "the new path")
        assert service.stop() == 0


@pytest.mark.parametrize("missing", ["key", "log directory"])
def test_what_a_reload_does_not_find_changes_nothing(site, missing):
    with running(site) as service:
        before = set(service.workers())
        if missing == "key":
            site.configure(secret_key_file="/no/such.key", base_path="/new")
        else:
            site.configure(log="/no/such/x.log", base_path="/new")
        service.signal(signal.SIGHUP)
        event = service.wait_for_event("reload_failed")
        assert "/no/such" in event["message"]
        assert serves(service) and not answers_at(service, "/new")
        wait_for(lambda: set(service.workers()) == before, "the former processes alone")
        assert service.stop() == 0


def set_version(site, change):
    """Adds to the number of the schema, in place, as a migration does."""
    with contextlib.closing(sqlite3.connect(site.database)) as connection:
        before = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version={before + change}")


@contextlib.contextmanager
def unusable_database(site, how):
    """What the complaint about it holds."""
    if how == "missing":
        away = site.directory / "away"
        away.mkdir()
        moved = [path.rename(away / path.name) for path in site.data.iterdir() if path != site.key_file]
        yield "run 'crmnotesctl db migrate'"
        for path in moved:
            path.rename(site.data / path.name)
    elif how == "of a newer program":
        set_version(site, +1)
        yield "newer"
        set_version(site, -1)
    else:
        key = site.key_file.read_bytes()
        site.key_file.write_bytes(bytes(32))
        yield "is not the one"
        site.key_file.write_bytes(key)


@pytest.mark.parametrize("how", ["missing", "of a newer program", "of another key"])
def test_a_database_that_the_new_workers_could_not_use_changes_nothing(site, single, how):
    """Measured: after db migrate of a newer program, one reload broke every worker."""
    site.world()  # whose keys mark the database with the key file
    site.give_to_owner()
    with running(site, single=single) as service:
        assert serves(service)
        before = set(service.workers())
        with unusable_database(site, how) as complaint:
            site.configure(base_path="/new")
            service.signal(signal.SIGHUP)
            event = service.wait_for_event("reload_failed", level="error")
            assert complaint in event["message"]
            assert serves(service) and not answers_at(service, "/new")
            wait_for(lambda: set(service.workers()) == before, "the former processes alone")
            assert service.events("reloading") == service.events("reloaded") == []
        service.signal(signal.SIGHUP)
        wait_for(lambda: answers_at(service, "/new"), "the new path")
        assert service.stop() == 0


@pytest.mark.parametrize("option,value", [("max_note_bytes", 1 << 20), ("workers", 1000)])
def test_what_needs_a_restart_is_refused(site, option, value):
    with running(site) as service:
        site.configure(**{option: value})
        service.signal(signal.SIGHUP)
        event = service.wait_for_event("reload_failed")
        assert option in event["message"] and "restart" in event["message"]
        assert serves(service)
        assert service.stop() == 0


def test_another_database_needs_a_restart(site):
    """Otherwise new workers would check one database, and the writer write to the other."""
    with Site() as other, running(site) as service:
        world = site.world()
        site.configure(database=other.database, secret_key_file=site.key_file)
        service.signal(signal.SIGHUP)
        event = service.wait_for_event("reload_failed")
        assert event["message"] == "database: to change it, restart"
        answer = service.call(world.body(note="x"))
        assert_success(answer, world.contact, '"x"', visibility=1)
        assert service.stop() == 0
        site.configure(database=site.database)


@pytest.mark.parametrize("option,value", [("listen", "unix:{}/other.sock"), ("socket_mode", "0600"), ("socket_group", "games")])
def test_another_socket_needs_a_restart(site, option, value):
    """What stands at the new place is not ours."""
    other = site.directory / "other.sock"
    other.write_text("precious")
    with running(site) as service:
        site.configure(**{option: value.format(site.directory)})
        service.signal(signal.SIGHUP)
        event = service.wait_for_event("reload_failed")
        assert event["message"] == f"{option}: to change it, restart"
        assert serves(service)
        assert service.stop() == 0
    assert other.read_text() == "precious"
    assert not site.socket.exists()


def test_a_socket_that_was_handed_over_is_nothing_that_could_change(site):
    with running(site, listen="inherited") as service:
        site.configure(listen="unix:/no/such.sock", socket_mode="0600")
        reload(service)
        assert serves(service)
        assert service.stop() == 0
