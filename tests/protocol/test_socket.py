"""The listening socket: made, inherited, never taken from another program, and removed."""

import os
import stat

import pytest

from support import processes
from support.answers import assert_success
from support.family import CANTCREAT, CONFIG, assert_fails, reload, run, serves
from support.fastcgi import Connection, http_params
from support.service import Listening, Service, listening_socket
from support.site import Site
from support.wait import free_port


# Fewer processes than by default, to be started and ended quickly.
SITE_OPTIONS = {"workers": 2}


@pytest.fixture(scope="module")
def ready():
    """A site with a database, for a service that does not come up."""
    with Site() as made:
        yield made


# Places


@pytest.mark.parametrize("more", [[], ["--single"]], ids=["pool", "single"])
def test_no_socket(more):
    with Site() as site:
        site.configure(listen=None)
        assert_fails(run(site, *more), CONFIG, "no socket to serve", "--listen")


@pytest.mark.parametrize(
    "where",
    ["0.0.0.0:0", "0.0.0.0:9000", "[::]:9000", ":::9000", "192.0.2.1:9000", "[2001:db8::1]:9000", "[::ffff:192.0.2.1]:9000"],
)
def test_tcp_on_loopback_only(ready, where):
    assert_fails(run(ready, "--listen", where), CONFIG, where, "loopback")


@pytest.mark.parametrize(
    "where",
    ["", "9000", ":9000", "localhost:9000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "unix:", "unix:x.sock"],
)
def test_places_that_are_none(ready, where):
    ready.configure(listen=None)
    done = run(ready, "--listen", where)
    assert done.returncode == CONFIG and done.stderr.count("\n") == 1


def test_a_path_that_is_too_long(ready):
    assert_fails(run(ready, "--listen", f"unix:/{'x' * 108}"), CONFIG, "shorter")


def test_a_directory_that_is_not_there(ready):
    assert_fails(run(ready, "--listen", "unix:/no/such/x.sock"), CANTCREAT, "/no/such/x.sock")


def test_a_group_that_is_not_there():
    with Site(options={"socket_group": "no-such-group"}) as site:
        assert_fails(run(site), CONFIG, "no-such-group")
        assert not site.socket.exists()


# Sockets that are there already


def test_what_is_no_socket_is_not_replaced(site):
    site.socket.write_text("precious")
    assert_fails(run(site), CANTCREAT, site.socket, "is no socket")
    assert site.socket.read_text() == "precious"


def test_a_socket_that_is_served_is_not_replaced(site):
    with Service(site) as service:
        assert_fails(run(site), CANTCREAT, site.socket, "another program is serving")
        assert serves(service)


def test_a_port_that_is_served_is_not_replaced(site):
    with Service(site, listen="tcp") as service:
        where = f"127.0.0.1:{service.address[1]}"
        assert_fails(run(site, "--listen", where), CANTCREAT, where)
        assert serves(service)


def test_a_socket_that_was_left_is_replaced_and_removed_at_the_end(site):
    listening_socket(site.socket).close()
    assert site.socket.exists()
    with Service(site) as service:
        assert serves(service)
    assert not site.socket.exists()


def test_a_socket_is_left_by_a_kill_and_replaced(site):
    service = Service(site).start()
    processes.kill_session(service.process.pid)
    service.process.wait(20)
    processes.assert_session_is_gone(service.process.pid)
    assert site.socket.exists()
    with Service(site) as service:
        assert serves(service)


# Sockets of every origin


@pytest.mark.parametrize("mode", ["0600", "0660", "0666", "0777", "0"])
def test_the_mode_of_the_socket(site, mode):
    site.configure(socket_mode=mode)
    site.program()  # makes a copy, for all to read
    before = os.umask(0o077)
    try:
        with Service(site, single=True):
            assert stat.S_IMODE(site.socket.stat().st_mode) == int(mode, 8)
    finally:
        os.umask(before)


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
@pytest.mark.parametrize("host,where", [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("127.0.0.2", "127.0.0.2")])
def test_tcp(site, host, where, single):
    port = free_port(host)
    service = Service(site, args=["--listen", f"{where}:{port}"], single=single)
    with Listening(service, (host, port)):
        assert serves(service)
    assert not site.socket.exists()


def test_listen_wins_over_a_socket_that_is_handed_over(site):
    path = site.directory / "wanted.sock"
    service = Service(site, listen="inherited", args=["--listen", f"unix:{path}"])
    with Listening(service, path):
        assert serves(service)
        with Connection(site.socket, timeout=0.2) as unserved:
            with pytest.raises(TimeoutError):
                unserved.request(http_params(b"{"), b"{")


@pytest.mark.parametrize("env", [{"LISTEN_FDS": 1, "LISTEN_PID": 1}, {"LISTEN_FDS": 1}, {"LISTEN_FDS": 0, "LISTEN_PID": "x"}])
def test_descriptors_for_somebody_else_are_not_taken(site, env):
    with Service(site, env=env) as service:
        assert serves(service)


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
@pytest.mark.parametrize("listen", ["inherited", "listen_fds"])
def test_a_socket_that_is_handed_over_is_served(listen, single):
    with Site(options={"workers": 1}) as site, Service(site, listen=listen, single=single) as service:
        world = site.world()
        assert_success(service.call(world.body(note="x")), world.contact, '"x"', visibility=1)
        assert len(service.workers()) == (0 if single else 2)


@pytest.mark.parametrize("listen", ["tcp", "inherited", "listen_fds"])
def test_a_reload_keeps_the_socket_and_the_end_leaves_it_to_who_made_it(listen, site):
    with Service(site, listen=listen) as service:
        reload(service)
        assert serves(service)
    assert site.socket.exists() == (listen != "tcp")
