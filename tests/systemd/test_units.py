"""conf/crmnotes.service and conf/crmnotes.socket: mistakes, mending, reloads and deaths."""

import pytest

from support.wait import wait_for

MISTAKE = "workers = many"


def impatient(host, count=10):
    """Connections that are given up at once, and wait in the socket for a service."""
    call = "curl -s -m 0.2 -o /dev/null -d '{}' http://127.0.0.1/apis/v2/public/crm/addNotestoContact"
    host.machine.shell(f"for i in $(seq {count}); do {call} || true; done")


def test_a_mistake_fails_a_restart_and_mending_it_is_enough(host, world, requests):
    host.configure(MISTAKE)
    assert host.machine.status("systemctl restart crmnotes") != 0
    impatient(host)
    wait_for(lambda: int(host.machine.show("crmnotes.service", "NRestarts")) >= 6, "vain starts", 60, 0.2)
    assert host.active() == ("activating", "active")
    assert MISTAKE.split()[0] in host.machine.journal()
    host.configure()
    requests.wait_for("200")
    host.wait_until_active()
    host.assert_serves(world)
    requests.assert_stored()


def test_a_mended_mistake_needs_no_wait_for_those_who_restart(host, world):
    host.configure(MISTAKE)
    for _ in range(8):
        assert host.machine.status("systemctl restart crmnotes") != 0
    host.configure()
    assert host.machine.status("systemctl restart crmnotes") == 0
    assert host.status_text().startswith("serving, ")
    host.assert_serves(world)


def test_a_database_that_is_away_for_a_while_costs_nothing_but_the_while(host, world, requests):
    """Measured: a request between rm and install of a restore closed the socket for good."""
    host.machine.shell("systemctl stop crmnotes.service; mv /var/lib/crmnotes/crmnotes.db* /root")
    impatient(host)
    wait_for(lambda: int(host.machine.show("crmnotes.service", "NRestarts")) >= 3, "vain starts", 60, 0.2)
    host.machine.shell("mv /root/crmnotes.db* /var/lib/crmnotes")
    requests.wait_for("200")
    host.wait_until_active()
    requests.assert_stored()


def test_a_restart_costs_no_request(host, world, requests):
    for _ in range(3):
        former = host.master()
        host.machine.shell("systemctl restart crmnotes")
        assert host.master() != former
        requests.wait_for("200")
    assert {status for status, _ in requests.answers()} == {"200"}
    requests.assert_stored()


def test_a_reload_costs_no_request(host, world, requests):
    host.configure("workers = 3")
    host.machine.shell("systemctl reload crmnotes")
    wait_for(lambda: host.status_text() == "serving, 3 workers", "the new workers")
    requests.wait_for("200")
    assert {status for status, _ in requests.answers()} == {"200"}


# Reloads that are refused


@pytest.fixture
def unchanged(host, world):
    """Nothing of the service may change in the test."""
    processes = host.machine.shell("pgrep crmnotes.fcgi")
    yield
    assert host.machine.shell("pgrep crmnotes.fcgi") == processes
    assert '"reloaded"' not in host.machine.journal()
    assert host.active() == ("active", "active")


def test_a_reload_with_a_mistake_is_refused(host, world, unchanged):
    host.configure(MISTAKE)
    assert host.machine.status("systemctl reload crmnotes") != 0
    host.machine.shell("systemctl kill --signal=HUP --kill-who=main crmnotes")
    wait_for(lambda: "reload refused: /etc/crmnotes/crmnotes.conf:" in host.status_text(), "the refusal")
    assert '"reload_failed"' in host.machine.journal()
    assert host.add_note(world, "by the workers that stayed") == (200, None)


def test_a_reload_with_a_database_of_another_schema_is_refused(host, world):
    workers = host.machine.shell("pgrep -f 'crmnotes.fcgi: worker'")
    newer = "/srv/programs/newer/usr/bin/crmnotesctl --database /root/copy.db db"
    host.machine.shell(f"""
        cp /var/lib/crmnotes/crmnotes.db.key /root/copy.db.key
        crmnotesctl db backup /root/copy.db
        {newer} migrate
        {newer} backup /root/newer.db
        chown crmnotes: /root/newer.db
        cd /var/lib/crmnotes
        mkdir away
        mv crmnotes.db crmnotes.db-* away
        mv /root/newer.db crmnotes.db
    """)
    assert host.machine.status("systemctl reload crmnotes") != 0
    host.machine.shell("systemctl kill --signal=HUP --kill-who=main crmnotes")
    wait_for(lambda: "newer" in host.status_text(), "the refusal")
    assert "reload refused" in host.status_text()
    assert '"reloaded"' not in host.machine.journal()
    assert host.machine.shell("pgrep -f 'crmnotes.fcgi: worker'") == workers
    host.machine.shell("cd /var/lib/crmnotes && rm -f crmnotes.db crmnotes.db-* && mv away/* .")
    host.assert_serves(world)


# Where the log goes


def test_a_log_in_the_directory_for_it(host, world):
    host.configure("log = /var/log/crmnotes/crmnotes.log")
    host.machine.shell("systemctl reload crmnotes")
    host.machine.shell("systemctl restart crmnotes")
    host.assert_serves(world)
    assert '"code":"OK"' in host.machine.shell("cat /var/log/crmnotes/crmnotes.log")


def test_a_log_that_the_unit_hides_is_a_mistake_before_it_is_an_outage(host, world, unchanged):
    """Measured: --check-config by hand accepted it, and the service then ended again and again."""
    host.machine.shell("install -d -o crmnotes /var/log/other")
    host.configure("log = /var/log/other/crmnotes.log")
    by_hand = "runuser -u crmnotes -- /usr/lib/crmnotes/crmnotes.fcgi --check-config"
    assert host.machine.status(by_hand) == 0
    assert host.machine.status("systemctl reload crmnotes") != 0
    assert "/var/log/other/crmnotes.log" in host.machine.journal()
    host.assert_serves(world)


# Deaths


def test_a_master_that_hangs_is_replaced(host, world, requests):
    host.machine.write("/etc/systemd/system/crmnotes.service.d/test.conf", "[Service]\nWatchdogSec=2")
    host.machine.shell("systemctl daemon-reload && systemctl restart crmnotes")
    former = host.master()
    host.machine.shell(f"kill -STOP {former}")
    wait_for(lambda: host.master() not in ("0", former), "another master", 60, 0.2)
    host.wait_until_active()
    assert "Watchdog timeout" in host.machine.journal()
    requests.wait_for("200")
    requests.assert_stored()


def test_a_master_that_is_killed_is_replaced(host, world, requests):
    former = host.master()
    host.machine.shell(f"kill -KILL {former}")
    wait_for(lambda: host.master() not in ("0", former), "another master", 60, 0.2)
    requests.wait_for("200")
    requests.assert_stored()
