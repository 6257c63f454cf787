"""When and from where keys were used last, as the lists show it."""

import pytest

from support.answers import assert_error, assert_success
from support.service import Service
from support.site import Site


@pytest.fixture(params=[False, True], ids=["pool", "single"])
def service(request):
    with Site(options={"workers": 2}) as site, Service(site, single=request.param) as running:
        yield running


def listed(site, world):
    (apikey,) = site.ctl("apikey", "list", "--org", world.org)
    (devkey,) = site.ctl("devkey", "list", "--org", world.org)
    return apikey, devkey


def test_the_lists_show_the_last_use(service):
    site = service.site
    world = site.world(allow=("10.0.0.0/8", "2001:db8::/32"))
    for key in listed(site, world):
        assert (key["last_used_at"], key["last_used_from"]) == (None, None)
    answer = service.call(world.body(note="x"), remote_addr="2001:db8::7")
    assert_success(answer, world.contact, '"x"', visibility=1)
    used = listed(site, world)
    for key in used:
        assert key["last_used_at"] >= key["created_at"]
        assert key["last_used_from"] == "2001:db8::7"
    # at most once a minute, and not by what is refused
    assert_success(service.call(world.body(note="x"), remote_addr="10.0.0.1"), world.contact, '"x"', visibility=1)
    answer = service.call(world.body(), remote_addr="192.0.2.1")
    assert_error(answer, "IP_NOT_WHITELISTED", "IP address not whitelisted")
    assert listed(site, world) == used
    table = site.ctl("devkey", "list", "--org", world.org, json=False)
    assert "LAST USED FROM" in table and "2001:db8::7" in table
