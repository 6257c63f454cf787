"""Ways of hosting that need a server of their own: prefixes, load balancers, restarts."""

import json
import signal
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import processes, webservers
from support.answers import assert_error, assert_success
from support.family import reload, send, writers_held_up
from support.paths import CALL_PATH
from support.service import Service
from support.site import Site, encode
from support.wait import wait_for

PREFIX = "/cgi-bin/crmnotes.fcgi"

DOCUMENTS = {
    "docs": "text/html; charset=utf-8",  # leads to docs/
    "docs/": "text/html; charset=utf-8",
    "docs/reference.css": "text/css; charset=utf-8",
    "docs/reference.js": "text/javascript; charset=utf-8",
    "openapi.json": "application/json",
}

# The shipped files with the path changed as a reader would do it.
UNDER_PREFIX = {
    "nginx": {"location /apis/ {": f"location {PREFIX}/apis/ {{"},
    "apache-proxy-fcgi": {
        'ProxyPass "/apis/"': f'ProxyPass "{PREFIX}/apis/"',
        'fcgi://localhost/apis/"': 'fcgi://localhost/"',
        '<Location "/apis/">': f'<Location "{PREFIX}/apis/">',
    },
    "apache-fcgid": {
        'Alias "/apis"': f'Alias "{PREFIX}"',
        '<Location "/apis">': f'<Location "{PREFIX}">',
    },
}


@pytest.mark.parametrize("kind", UNDER_PREFIX)
def test_base_path_is_taken_off(kind):
    options = {"base_path": PREFIX}
    with Site(options=options) as site, webservers.front(kind, site, UNDER_PREFIX[kind]) as front:
        world = site.world()
        answer = front.send(world.body(note="x"), path=PREFIX + CALL_PATH)
        assert_success(answer, world.contact, '"x"', visibility=1)
        answer = front.send(world.body(), path=PREFIX + "/apis/v2/x")
        assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)


def follow(front, path):
    """GET, and of a redirect the document that it leads to, as a browser does."""
    answer = front.send(None, method="GET", path=path)
    if answer.status == 308:
        return follow(front, urllib.parse.urljoin(path, answer.header("Location")))
    return answer


def assert_documents(front, prefix):
    for path, kind in DOCUMENTS.items():
        answer = follow(front, f"{prefix}/apis/v2/public/{path}")
        assert (answer.status, answer.header("Content-Type")) == (200, kind), path
        assert len(answer.body) == int(answer.header("Content-Length"))
        assert answer.header("ETag")
    told = json.loads(follow(front, f"{prefix}/apis/v2/public/openapi.json").body)
    assert told["servers"][0]["url"] == (prefix or "/")


@pytest.mark.parametrize("kind", webservers.KINDS)
def test_documents_reach_the_client(kind):
    with Site() as site, webservers.front(kind, site) as front:
        assert_documents(front, "")


@pytest.mark.parametrize("kind", UNDER_PREFIX)
def test_documents_reach_the_client_under_a_prefix(kind):
    options = {"base_path": PREFIX}
    with Site(options=options) as site, webservers.front(kind, site, UNDER_PREFIX[kind]) as front:
        assert_documents(front, PREFIX)


@pytest.mark.parametrize("kind", webservers.KINDS)
def test_trusted_proxies_name_the_client(kind):
    options = {"trusted_proxies": "10.9.0.0/16, 127.0.0.0/8"}
    with Site(options=options) as site, webservers.front(kind, site) as front:
        world = site.world(allow=["192.0.2.0/24", "2001:db8::/32"])
        for forwarded, accepted in [
            ("192.0.2.7", True),
            ("198.51.100.1, 192.0.2.7", True),
            ("198.51.100.1,192.0.2.7", True),
            ("2001:db8::5", True),
            ("::ffff:192.0.2.7", True),
            ("192.0.2.7, 198.51.100.1", False),
            ("127.0.0.1", False),
            ("192.0.2.7:1234", True),
            ("[2001:db8::5]:443", True),
            ("192.0.2.7:x", False),
            ("192.0.2.7,", False),
            ("unknown", False),
            ("", False),
            (None, False),
        ]:
            headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
            answer = front.send(world.body(note="x"), headers=headers)
            code = answer.header("X-Error-Code")
            assert code == (None if accepted else "IP_NOT_WHITELISTED"), forwarded


@pytest.mark.parametrize("listen", ["tcp", "inherited", "listen_fds"])
def test_the_pool_takes_its_socket_from(listen):
    with Site() as site, Service(site, listen=listen) as service:
        assert service.request(method="GET").status == 405


def test_single_process_on_an_inherited_socket():
    with Site() as site, Service(site, listen="inherited", single=True) as service:
        assert service.request(method="GET").status == 405
        assert service.workers() == []


def test_fcgid_processes_end_when_apache_ends():
    with Site() as site:
        with webservers.front("apache-fcgid", site) as front:
            assert front.send(site.world().body()).status == 200
            assert processes.mentioning(site.program())
        wait_for(lambda: not processes.mentioning(site.program()), "the end of the service", 10)


def test_spawn_fcgi_starts_again_on_the_socket_that_was_left():
    with Site() as site:
        for _ in range(2):
            with webservers.front("spawn-fcgi", site) as front:
                assert front.send({}).status == 200
            assert site.socket.exists()


# Web servers that keep connections open between requests, as their shipped files say.
KEEPING = [webservers.Nginx, webservers.ApacheProxyFcgi]
CLIENTS = 16


def statuses(web, world, requests):
    """The statuses of so many requests by CLIENTS clients side by side."""
    front = webservers.Front("", web.site, web.port)
    with ThreadPoolExecutor(CLIENTS) as clients:
        return {answer.status for answer in clients.map(front.send, [world.body(note="x")] * requests)}


@pytest.mark.parametrize("server", KEEPING)
def test_reloads_behind_a_web_server_cost_no_request(server):
    with Site() as site, Service(site) as service, server(site) as web, ThreadPoolExecutor(1) as beside:
        world = site.world()
        sent = beside.submit(statuses, web, world, 3000)
        reloads = 0
        while not sent.done():
            reload(service)
            reloads += 1
        assert sent.result() == {200}
        assert reloads >= 5
        assert len(site.notes(world.contact)) == 3000


@pytest.mark.parametrize("server", KEEPING)
def test_kept_connections_do_not_outlive_a_restart(server):
    with Site() as site, Service(site) as service, server(site) as web:
        world = site.world()
        for _ in range(3):
            assert statuses(web, world, 4 * CLIENTS) == {200}
            assert service.stop() == 0
            service.start()
        assert statuses(web, world, 4 * CLIENTS) == {200}


def test_a_request_in_hand_is_finished_on_term(site):
    body = encode(site.world().body(note="x"))
    with Service(site) as service, service.connect() as connection:
        with writers_held_up(site):
            send(connection, body)
            wait_for(lambda: set(service.workers()) & set(processes.waiting_for_lock()), "a process at the write lock")
            before = len(service.workers())
            service.signal(signal.SIGTERM)
            wait_for(lambda: len(service.workers()) < before, "the end of an idle worker")
        assert connection.read_response().body.startswith(b'{"data":{"note_id"')
        assert service.process.wait(20) == 0
