"""One suite, four web servers: each is started once and answers all tests."""

import pytest

from support import webservers
from support.site import Site


@pytest.fixture(scope="session", params=webservers.KINDS)
def front(request):
    """The service behind a real web server."""
    # hundreds of requests are refused here on purpose; test_limits.py tests the limits
    unlimited = {"credential_failures": "off", "contact_failures": "off"}
    with Site(options=unlimited) as site, webservers.front(request.param, site) as running:
        yield running


@pytest.fixture(scope="session")
def shared(front):
    """An organization for tests that add notes or are refused, and change nothing else."""
    return front.site.world("Shared")


@pytest.fixture(scope="session")
def other(front):
    """Another organization on the same site, for the same use."""
    return front.site.world("Other")


@pytest.fixture
def world(front):
    """A fresh organization, for tests that change its keys, members or contacts."""
    return front.site.world()


@pytest.fixture
def contact(front, shared):
    """A fresh contact of the shared organization, owned by its first member."""
    return front.site.add_contact(shared.org, shared.member)["contact_id"]
