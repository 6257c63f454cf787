"""Fixtures for all suites, and how their tests are divided among processes."""

import signal
from pathlib import Path

import pytest

from support import fastcgi, openapi, webservers
from support.service import Service
from support.site import Site


def pytest_configure():
    """
    Lets a TERM end the run as Ctrl-C does: all processes that were started are stopped. And lets
    every answer be compared with docs/openapi.json.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    fastcgi.Connection.look = staticmethod(openapi.look)
    webservers.Front.look = staticmethod(openapi.look)


# These take longest, so they begin first. They wait most of the time.
LONGEST = [
    "faults/test_failing_io.py",
    "faults/test_power_cut.py",
    "faults/test_storm.py",
    "faults",
    "e2e",
]


def pytest_collection_modifyitems(config, items):
    """
    For --dist loadgroup: tests that share a server run in one process, on one such server.

    Tests of faults share nothing, and run in any process.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = group_of(item)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=rank)


def file_of(item):
    return item.path.relative_to(Path(__file__).parent).as_posix()


def group_of(item):
    file = file_of(item)
    if file.startswith("faults/"):
        return None
    web_server = item.callspec.params.get("front") if hasattr(item, "callspec") else None
    return web_server or file


def rank(item):
    """The index in LONGEST; all other files come after those, in the order they were found in."""
    file = file_of(item)
    return next((i for i, start in enumerate(LONGEST) if file.startswith(start)), len(LONGEST))


@pytest.fixture
def site(request):
    """A fresh installation for one test, with SITE_OPTIONS where its file has them."""
    with Site(options=getattr(request.module, "SITE_OPTIONS", None)) as made:
        yield made


@pytest.fixture
def service(site):
    """The pool on a fresh installation, by its Unix socket."""
    with Service(site) as running:
        yield running
