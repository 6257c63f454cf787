"""Fixtures for all suites."""

import signal

import pytest

from support.service import Service
from support.site import Site


def pytest_configure():
    """Lets a TERM end the run as Ctrl-C does: with what was started being stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture
def site():
    """A fresh installation for one test."""
    with Site() as made:
        yield made


@pytest.fixture
def service(site):
    """The pool on a fresh installation, by its Unix socket."""
    with Service(site) as running:
        yield running
