"""The reference page in a real browser, from a real web server, for all tests of this suite."""

import contextlib

import pytest

from support import webservers
from support.browser import Browser, Page
from support.site import Site


@pytest.fixture(scope="session")
def browser():
    with contextlib.closing(Browser()) as running:
        yield running


@pytest.fixture(scope="session", params=["nginx", "apache-proxy-fcgi"])
def front(request):
    with Site() as site, webservers.front(request.param, site) as running:
        yield running


@pytest.fixture
def page(browser, front):
    return Page(browser, front)


@pytest.fixture(scope="session")
def world(front):
    return front.site.world()
