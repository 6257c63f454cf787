"""Fixtures that conftest.py of a host takes over: an organization on it, and requests to it."""

import pytest

from support.host import Requests


@pytest.fixture
def world(host):
    return host.world()


@pytest.fixture
def requests(host, world):
    with Requests(host, world) as running:
        yield running
