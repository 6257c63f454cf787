"""The monitor behind the shipped files of web servers, and Prometheus's own judgement of its figures."""

import contextlib
import json
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

from support import webservers
from support.service import Service
from support.site import Site

PATHS = ("/metrics", "/status", "/status.json", "/live", "/ready")
SERVERS = {"nginx": webservers.Nginx, "apache": webservers.ApacheProxyFcgi}


@contextlib.contextmanager
def behind(server, replace=None):
    """(the site, the port of the web server)"""
    with Site(options={"workers": 2}) as site:
        site.open_to_owner()
        site.configure(status_listen=f"unix:{site.directory}/status.sock")
        with Service(site), SERVERS[server](site, replace) as running:
            yield site, running.port


@pytest.fixture(scope="module", params=SERVERS)
def port(request):
    with behind(request.param) as (_, port):
        yield port


def get(port, path, **headers):
    """(status, headers, body)"""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.mark.parametrize("path", PATHS)
def test_this_machine_may_ask(port, path):
    status, headers, body = get(port, path)
    assert status == 200
    assert int(headers["Content-Length"]) == len(body) > 0
    assert headers["Cache-Control"] == "no-store"


def test_a_browser_gets_the_page(port):
    _, headers, body = get(port, "/status", Accept="text/html")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'<meta http-equiv="refresh"' in body and b"<svg" in body and b"crmnotes is ready" in body


def test_no_other_path_reaches_the_monitor(port):
    for path in ("/statusx", "/x/metrics", "/status/", "/apis/v2/public/metrics"):
        assert get(port, path)[0] in (403, 404)  # of the web server, or of the calls


# Another address of this machine stands for another machine: the shipped rule for nginx lets
# 127.0.0.1 in, and no other one of 127.0.0.0/8. Apache's rule lets each of them in.
@pytest.mark.parametrize("path", PATHS)
def test_others_may_not_ask(path):
    with behind("nginx") as (_, port), socket.socket() as peer:
        peer.bind(("127.0.0.2", 0))
        peer.settimeout(20)
        peer.connect(("127.0.0.1", port))
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert peer.recv(100).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("path", PATHS)
def test_apache_lets_no_other_machine_ask(path):
    with behind_remote_ip() as port:
        assert get(port, path, **{"X-Test": "192.0.2.7"})[0] == 403
        assert get(port, path)[0] == 200


@contextlib.contextmanager
def behind_remote_ip():
    """Apache that believes a header, as behind a load balancer; its port."""

    class RemoteIp(webservers.ApacheProxyFcgi):
        modules = (*webservers.ApacheProxyFcgi.modules, "remoteip")

    with Site(options={"workers": 2}) as site:
        site.open_to_owner()
        site.configure(status_listen=f"unix:{site.directory}/status.sock")
        believe = {"# RemoteIPHeader X-Forwarded-For": "RemoteIPHeader X-Test\nRemoteIPInternalProxy 127.0.0.1"}
        with Service(site), RemoteIp(site, believe) as running:
            yield running.port


def test_prometheus_finds_nothing_wrong_with_the_metrics():
    with behind("nginx") as (site, port):
        world = site.world()
        call = json.dumps(world.body()).encode()
        url = f"http://127.0.0.1:{port}/apis/v2/public/crm/addNotestoContact"
        for body in (call, b"{}"):
            with urllib.request.urlopen(url, body, timeout=20) as answer:
                assert answer.status == 200
        site.ctl("db", "backup", str(site.directory / "copy.db"))
        _, headers, text = get(port, "/metrics")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
