"""The reference page in a real browser, from a real web server, for all tests of this suite."""

import contextlib
from dataclasses import dataclass

import pytest

from support import webservers
from support.browser import Browser
from support.site import Site

DOCS = "/apis/v2/public/docs/"


@pytest.fixture(scope="session")
def browser():
    with contextlib.closing(Browser()) as running:
        yield running


@pytest.fixture(scope="session", params=["nginx", "apache-proxy-fcgi"])
def front(request):
    with Site() as site, webservers.front(request.param, site) as running:
        yield running


@dataclass
class Page:
    """The page, opened anew with Page.open."""

    browser: Browser
    front: webservers.Front

    @property
    def url(self):
        return self.front.origin + DOCS

    def open(self, fragment="", **view):
        self.browser.view(**view)
        self.browser.open(self.url + fragment)
        return self.browser

    def calls(self):
        """The names of the calls that are described."""
        return [section.get_attribute("id") for section in self.browser.find_all("section.call")]


@pytest.fixture
def page(browser, front):
    return Page(browser, front)


@pytest.fixture(scope="session")
def world(front):
    return front.site.world()
