"""The numbered commands of the documents, run as they stand there, while requests arrive."""

from support.host import commands

OPERATING = "docs/operating.md"


def starts(host):
    """How often systemd has started the service."""
    return host.machine.journal().count("Started crmnotes.service")


def test_readme_hosts_it(host, world):
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
