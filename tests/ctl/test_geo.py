"""geo test: what the databases say of an address, and how old they are."""

import os

import pytest

from support import geo

BUILT_S = {"country": 1700000000, "city": 1700604800, "asn": 1701209600}
BUILT = {
    "country": "2023-11-14T22:13:20.000Z",
    "city": "2023-11-21T22:13:20.000Z",
    "asn": "2023-11-28T22:13:20.000Z",
}
NOTHING = {"file": None, "built_at": None}


@pytest.fixture
def databases(site):
    """Databases that the site's configuration names, by their kind."""
    site.directory.chmod(0o755)
    paths = {kind: geo.make(kind, site.directory / f"geo/{kind}.mmdb", s) for kind, s in BUILT_S.items()}
    site.configure(**{f"geoip_{kind}": path for kind, path in paths.items()})
    return {kind: str(path) for kind, path in paths.items()}


def test_each_tag_comes_with_its_database(site, databases):
    assert site.ctl_one("geo", "test", geo.ADDRESS) == {
        "address": geo.ADDRESS,
        "country": "NL",
        "country_from": databases["country"],
        "city": "Amsterdam",
        "city_from": databases["city"],
        "network": "AS64500 Example Networks",
        "network_from": databases["asn"],
        **{f"geoip_{k}": {"file": databases[k], "built_at": BUILT[k]} for k in BUILT},
    }


def test_the_city_database_tells_the_country_only_without_another(site, databases):
    site.configure(geoip_country=None)
    found = site.ctl_one("geo", "test", "203.0.113.1")
    assert (found["country"], found["country_from"]) == ("SE", databases["city"])
    assert (found["city"], found["city_from"]) == (None, None)
    assert found["geoip_country"] == NOTHING
    site.configure(geoip_country=databases["country"])
    found = site.ctl_one("geo", "test", "203.0.113.1")
    assert (found["country"], found["country_from"]) == (None, None)


def test_an_unknown_address_is_no_failure(site, databases):
    done = site.ctl_raw("--json", "geo", "test", "::1")
    assert done.returncode == 0 and '"country":null' in done.stdout
    assert done.stderr == "crmnotesctl: no database knows this address\n"


def test_people_see_a_record(site, databases):
    lines = site.ctl("geo", "test", geo.ADDRESS, json=False).splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        *("ADDRESS", "COUNTRY", "COUNTRY FROM", "CITY", "CITY FROM", "NETWORK", "NETWORK FROM"),
        *("GEOIP_COUNTRY", "BUILT", "GEOIP_CITY", "BUILT", "GEOIP_ASN", "BUILT"),
    ]
    assert lines[5].endswith(" AS64500 Example Networks") and lines[-1].endswith(BUILT["asn"])


def test_no_database_of_notes_is_needed(empty_operator):
    site = empty_operator.site
    site.directory.chmod(0o755)
    site.configure(geoip_country=geo.make("country", site.directory / "geo/country.mmdb"))
    assert site.ctl_one("geo", "test", geo.ADDRESS)["country"] == "NL"
    assert not site.database.exists()


def test_what_is_no_address_is_refused(operator, databases):
    operator.fails(65, "geo", "test", "example.org", says="'example.org' is no IP address")
    operator.fails(64, "geo", "test", says="ADDRESS is missing")


def test_a_database_that_cannot_be_used_is_named(operator, databases):
    missing = operator.site.directory / "geo/none.mmdb"
    operator.site.configure(geoip_asn=missing)
    operator.fails(78, "geo", "test", geo.ADDRESS, says=f"{missing}: cannot use it: No such file")
    missing.write_bytes(b"damaged")
    missing.chmod(0o644)
    operator.fails(78, "geo", "test", geo.ADDRESS, says=f"{missing}: cannot use it: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another user")
def test_root_opens_them_as_the_services_user(operator, databases):
    """Otherwise the test would find what the service cannot read."""
    operator.site.give_to_owner()
    os.chmod(databases["city"], 0o600)
    operator.fails(78, "geo", "test", geo.ADDRESS, says=f"{databases['city']}: cannot use it: ")


def test_without_a_configured_database_it_says_which_options_to_set(operator):
    operator.fails(78, "geo", "test", geo.ADDRESS, says="set geoip_country, geoip_city or geoip_asn")
