"""Geo databases that are replaced while the service runs, in its sandbox."""

import contextlib

import pytest

from support import geo
from support.answers import note_id_of
from support.service import Service
from support.site import Site
from support.wait import wait_for


def directory(site, name):
    """A directory below the site's that the service's user can read, apart from its data."""
    path = site.directory / name
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    return path


def replaced_by_rename(site):
    """The path of a database, and a function that replaces it."""
    path = geo.make("country", directory(site, "geo") / "country.mmdb")

    def replace():
        geo.make("other_country", path.with_name("new")).rename(path)

    return path, replace


def versions(site, *names):
    """A directory for each of two versions of the database."""
    first, second = (directory(site, name) for name in names)
    geo.make("country", first / "country.mmdb")
    geo.make("other_country", second / "country.mmdb")
    return first, second


def link_of_the_file(site):
    first, second = versions(site, "geo/2026-11-20", "geo/2026-11-27")
    path = site.directory / "geo/country.mmdb"
    geo.link(path, first / "country.mmdb")
    return path, lambda: geo.link(path, second / "country.mmdb")


def link_of_the_directory(site):
    first, second = versions(site, "geo/2026-11-20", "geo/2026-11-27")
    current = site.directory / "geo/current"
    geo.link(current, first.name)
    return current / "country.mmdb", lambda: geo.link(current, second.name)


def link_to_elsewhere(site):
    first, second = versions(site, "mirror-a/geo", "mirror-b/geo")
    current = directory(site, "geo") / "current"
    geo.link(current, first)
    return current / "country.mmdb", lambda: geo.link(current, second)


@contextlib.contextmanager
def running(way, single=False):
    """A service of one worker with a database that the way can replace."""
    with Site(options={"workers": 1}) as site:
        path, replace = way(site)
        site.configure(geoip_country=path)
        world = site.world(allow=[geo.ADDRESS])
        with Service(site, single=single) as service:
            yield service, world, replace


def country_of_new_note(service, world):
    answer = service.call(world.body(note="x"), remote_addr=geo.ADDRESS)
    assert answer.status == 200, answer
    return service.site.note(note_id_of(answer))["origin"]["country"]


# A process looks at its files with its first note, so the tests need not wait for the next look.

BELOW = [replaced_by_rename, link_of_the_file, link_of_the_directory]


@pytest.mark.parametrize("way", BELOW, ids=lambda way: way.__name__)
def test_the_database_that_took_the_place_is_used(way, single):
    with running(way, single) as (service, world, replace):
        replace()
        wait_for(lambda: country_of_new_note(service, world) == "BE", "the new database")
        assert service.events("geoip_unusable") == []
        assert service.events("worker_died") == []


def test_a_link_may_lead_where_the_worker_must_not_read():
    """It makes room for one that may; the former database serves meanwhile."""
    with running(link_to_elsewhere) as (service, world, replace):
        worker = set(service.workers())
        replace()
        assert country_of_new_note(service, world) == "NL"
        service.wait_for_event("geoip_moved")
        wait_for(lambda: country_of_new_note(service, world) == "BE", "the new database")
        assert len(worker & set(service.workers())) == 1  # the writer
        assert service.events("geoip_unusable") == []
        assert service.events("worker_died") == []
        assert len(service.events("geoip_moved")) == 1


def test_a_single_process_keeps_the_former_database_where_it_must_not_read():
    with running(link_to_elsewhere, single=True) as (service, world, replace):
        replace()
        assert country_of_new_note(service, world) == "NL"
        event = service.wait_for_event("geoip_unusable")
        assert event["message"].endswith("the file read before stays in use")


def test_a_worker_stays_where_a_database_is_damaged_or_missing():
    with running(link_of_the_directory) as (service, world, _):
        workers = set(service.workers())
        path = service.site.directory / "geo/2026-11-20/country.mmdb"
        path.with_name("new").write_bytes(b"damaged")
        path.with_name("new").rename(path)
        assert country_of_new_note(service, world) == "NL"
        service.wait_for_event("geoip_unusable")
        assert country_of_new_note(service, world) == "NL"
        assert set(service.workers()) == workers
