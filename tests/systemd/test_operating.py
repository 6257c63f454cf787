"""The numbered commands of the documents, run as they stand there, while requests arrive."""

import base64
import re

from support import geo
from support.host import commands
from support.paths import SOURCE

OPERATING = "docs/operating.md"


def starts(host):
    """How often systemd has started the service."""
    return host.machine.journal().count("Started crmnotes.service")


def test_it_is_hosted_from_the_sources(host, world):
    host.assert_serves(world)
    assert host.machine.shell("systemctl is-enabled crmnotes.socket crmnotes.service") == "enabled\nenabled\n"
    assert host.status_text().startswith("serving, ")


def test_an_upgrade(host, world, requests):
    former = host.master()
    before = starts(host)
    version = host.ctl_one("db", "status")["schema_version"]
    host.install("newer")
    host.do(commands(OPERATING, "## Upgrade"))
    assert host.active() == ("active", "active")
    requests.wait_for("200")
    assert host.ctl_one("db", "status")["schema_version"] == version + 1
    assert host.master() != former
    assert starts(host) == before + 1, "no request has started it in between"
    assert {status for status, _ in requests.answers()} <= {"200", "502", "503UNAVAILABLE"}
    requests.assert_stored()
    assert host.machine.shell("ls /var/backups").count("crmnotes-") == 1


def test_a_restore(host, world, requests):
    assert host.add_note(world, "in the copy") == (200, None)
    host.machine.shell("crmnotesctl db backup /var/backups/copy.db")
    assert host.add_note(world, "after the copy") == (200, None)
    former = host.master()
    before = starts(host)
    host.do(commands(OPERATING, "## Restore").replace("FILE", "/var/backups/copy.db"))
    assert host.active() == ("active", "active")
    requests.wait_for("200")
    assert host.master() != former
    assert starts(host) == before + 1, "no request has started it in between"
    texts = host.texts(world)
    assert "in the copy" in texts and "after the copy" not in texts


def test_an_older_copy_is_restored_by_newer_programs(host, world, requests):
    assert host.add_note(world, "in the copy") == (200, None)
    host.machine.shell("crmnotesctl db backup /var/backups/copy.db")
    host.install("newer")
    host.do(commands(OPERATING, "## Upgrade"))
    host.do(commands(OPERATING, "## Restore").replace("FILE", "/var/backups/copy.db"))
    requests.wait_for("200")
    assert "in the copy" in host.texts(world)


def put_geo_file(host, kind, path, directory):
    """Puts a MaxMind DB file on the machine, by rename as GeoIP Update does."""
    text = base64.b64encode(geo.make(kind, directory / "made.mmdb").read_bytes()).decode()
    host.machine.shell(f"mkdir -p $(dirname {path}); echo {text} | base64 -d >{path}.new; mv {path}.new {path}")


def test_geo_files(host, world, tmp_path):
    section = (SOURCE / OPERATING).read_text().partition("\n### Use the files\n")[2]
    lines = re.search(r"^```\n(.*?)^```", section, re.M | re.S)[1].splitlines()
    city, asn = (line.partition(" = ")[2] for line in lines)
    put_geo_file(host, "city", city, tmp_path)
    put_geo_file(host, "asn", asn, tmp_path)
    host.configure(*lines)
    host.do(commands(OPERATING, "### Use the files"))
    found = host.ctl_one("geo", "test", geo.ADDRESS)
    assert (found["city"], found["network"]) == ("Amsterdam", "AS64500 Example Networks")
    put_geo_file(host, "loopback", city, tmp_path)
    host.assert_serves(world)
    origin = host.notes(world.contact)[0]["origin"]
    assert (origin["country"], origin["city"], origin["network"]) == ("DE", "Hier", None)
    assert "geoip_unusable" not in host.machine.journal()
