"""The service without a web server; a pool is started once for each file of tests."""

import contextlib

import pytest

from support.few import few_workers
from support.service import Service
from support.site import Site


@pytest.fixture(scope="module")
def pool():
    """A pool that tests neither stop nor configure anew."""
    # hundreds of requests are refused here on purpose; test_limits.py is about the limits
    options = {"workers": 3, "credential_failures": "off", "contact_failures": "off"}
    with Site(options=options) as site, Service(site) as running:
        yield running


@pytest.fixture(scope="module")
def shared(pool):
    """An organization for tests that add notes or are refused, and change nothing else."""
    return pool.site.world("Shared")


@pytest.fixture
def contact(pool, shared):
    """A fresh contact of the shared organization, owned by its first member."""
    return pool.site.add_contact(shared.org, shared.member)["contact_id"]


@pytest.fixture(params=[False, True], ids=["pool", "single"])
def single(request):
    """For tests of what both do alike."""
    return request.param


@pytest.fixture(scope="module")
def few():
    """A pool of two workers; see support/few.py."""
    with few_workers() as running:
        yield running


@pytest.fixture(scope="module")
def few_world(few):
    return few.site.world()


@pytest.fixture
def few_contact(few, few_world):
    """A fresh contact of that organization."""
    return few.site.add_contact(few_world.org, few_world.member)["contact_id"]


@pytest.fixture
def start():
    """start(options, Service's arguments...) answers a service on a site of its own."""
    with contextlib.ExitStack() as stack:

        def starter(options=None, **more):
            site = stack.enter_context(Site(options=options))
            return stack.enter_context(Service(site, **more))

        yield starter
