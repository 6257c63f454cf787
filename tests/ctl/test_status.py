"""crmnotesctl status and metrics: what the service tells of itself, on a terminal and to programs."""

import os
import signal
import socket
import subprocess

import pytest

from support.monitor import monitored
from support.paths import CTL
from support.service import Service
from support.site import Site
from support.wait import free_port, wait_for

UNAVAILABLE = 69


@pytest.fixture(scope="module")
def it():
    with monitored(workers=2) as made:
        made.site = made.service.site
        made.service.call(made.site.world().body())
        yield made


def lines(text):
    """{label: value}; those that stand below another one have its label in front."""
    found, above = {}, ""
    for line in text.splitlines():
        label, value = line[:22].rstrip(), line[24:]
        above = label if label[0] != " " else above
        found[label if label == above else f"{above} {label.strip()}"] = value
    return found


def test_people_see_how_the_service_is(it):
    shown = lines(it.site.ctl("status", json=False))
    assert shown["READY"] == "yes" and "BECAUSE" not in shown
    assert int(shown["REQUESTS"]) >= 1 and "1 OK" in shown["ANSWERS"]
    assert shown["NOTES CREATED"] == "1" and shown["WRITER RUNS"] == "yes"
    assert shown["WORKERS IDLE"] == "2"
    assert shown["DATABASE"].endswith(" bytes")


def test_programs_get_what_the_monitor_tells(it):
    told, shown = it.json("/status.json"), it.site.ctl_one("status")
    assert shown.keys() == told.keys()
    assert (shown["notes"]["created"], shown["version"]) == (1, told["version"])


def test_metrics_are_those_of_the_monitor(it):
    printed = it.site.ctl("metrics", json=False)
    assert 'crmnotes_notes_committed_total{action="created"} 1\n' in printed
    assert printed.count("# TYPE ") == it.get("/metrics").body.decode().count("# TYPE ")


def test_watching_shows_it_again_and_again(it):
    command = [CTL, "--config", it.site.config, "status", "--watch"]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=it.site.environment())
    try:
        for _ in range(2):
            assert next(line for line in watching.stdout if line.startswith("READY"))
    finally:
        watching.kill()
        watching.communicate()


def test_ready_says_nothing_where_all_is_well(it):
    done = it.site.ctl_raw("status", "--ready")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ready_says_why_not():
    with monitored(workers=1) as made:
        writer = made.pid("writer")
        os.kill(writer, signal.SIGSTOP)
        try:
            done = made.service.site.ctl_raw("status", "--ready")
            assert (done.returncode, done.stdout) == (UNAVAILABLE, "")
            assert done.stderr == "crmnotesctl: not ready: The writer does not answer.\n"
            shown = lines(made.service.site.ctl("status", json=False))
            assert (shown["READY"], shown["BECAUSE"]) == ("no", "The writer does not answer.")
        finally:
            os.kill(writer, signal.SIGCONT)
        wait_for(lambda: made.service.site.ctl_raw("status", "--ready").returncode == 0, "readiness")


@pytest.mark.parametrize("words", [["status"], ["status", "--ready"], ["metrics"]])
def test_without_a_service_it_says_what_is_missing(site, words):
    site.configure(status_listen=f"unix:{site.directory}/status.sock")
    done = site.ctl_raw(*words)
    assert (done.returncode, done.stdout) == (UNAVAILABLE, "")
    assert f"{site.directory}/status.sock: No such file" in done.stderr
    assert f"there is no {site.database}.metrics" in done.stderr and "systemctl status crmnotes" in done.stderr


def test_another_program_at_the_socket_is_recognized(site):
    path = site.directory / "status.sock"
    site.configure(status_listen=f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        path.chmod(0o666)
        other.listen()
        asking = subprocess.Popen(
            [CTL, "--config", site.config, "status"], stderr=subprocess.PIPE, text=True, env=site.environment()
        )
        peer, _ = other.accept()
        with peer:
            peer.recv(10000)
            peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        _, said = asking.communicate(timeout=30)
    assert asking.returncode == UNAVAILABLE
    assert f"{path}" in said


# Under mod_fcgid there is no monitor, and each process counts in one file.


@pytest.fixture(scope="module")
def fcgid():
    with Site() as site:
        with Service(site, single=True) as service:
            world = site.world()
            for _ in range(3):
                service.call(world.body())
            yield service


def test_processes_without_a_pool_count_in_a_file(fcgid):
    site = fcgid.site
    assert (site.data / "crmnotes.db.metrics").stat().st_mode & 0o777 == 0o600
    printed = site.ctl("metrics", json=False)
    assert 'crmnotes_requests_total{call="addNotestoContact",code="OK"} 3\n' in printed
    assert 'crmnotes_notes_committed_total{action="created"} 3\n' in printed
    assert "crmnotes_workers" not in printed and "crmnotes_commit_queue_length" not in printed
    shown = lines(site.ctl("status", json=False))
    assert shown["NOTES CREATED"] == "3" and "READY" not in shown
    assert "a service without a monitor" in site.ctl_raw("status", "--ready").stderr


def test_the_next_process_goes_on_counting(fcgid):
    site = fcgid.site
    began = site.ctl_one("status")["started_at"]
    with Service(site, single=True, listen="tcp") as second:
        assert second.request(method="GET", path="/elsewhere").status == 404
    codes = site.ctl_one("status")["requests"]["codes"]
    assert codes["OK"] == 3 and codes["UNKNOWN_ENDPOINT"] >= 1
    assert site.ctl_one("status")["started_at"] == began


def test_what_a_killed_process_had_in_hand_is_not_told(fcgid):
    assert "crmnotes_requests_in_flight" not in fcgid.site.ctl("metrics", json=False)
    assert fcgid.site.ctl_one("status")["requests"]["in_flight"] is None


def test_the_figures_of_another_version_are_left_alone(site):
    path = site.data / "crmnotes.db.metrics"
    path.write_bytes(b"of another version")
    site.give_to_owner()
    site.configure(status_listen=f"unix:{site.directory}/status.sock")
    done = site.ctl_raw("metrics")
    assert done.returncode == UNAVAILABLE and "another version" in done.stderr
    assert path.read_bytes() == b"of another version"


# A monitor on TCP.


def test_a_monitor_on_a_port_is_asked(start_monitor_on_port):
    assert lines(start_monitor_on_port.ctl("status", json=False))["READY"] == "yes"


@pytest.fixture(params=["127.0.0.1", "[::1]"])
def start_monitor_on_port(request):
    with Site(options={"workers": 1, "status_listen": f"{request.param}:{free_port()}"}) as site, Service(site):
        yield site
