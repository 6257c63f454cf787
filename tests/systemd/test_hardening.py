"""What conf/crmnotes.service keeps from the service, and what it hands over to it."""

from support.host import commands
from support.wait import wait_for


def test_exposure_is_at_most_one(host):
    said = host.machine.shell("systemd-analyze security --no-pager --threshold=10 crmnotes.service")
    assert "SAFE" in said.splitlines()[-1]


def test_the_key_file_as_a_credential(host, world):
    """It belongs to root, where the service cannot read it; both programs find it."""
    host.do(commands("docs/operating.md", "### Key file of root"))
    host.assert_serves(world)
    assert host.machine.status("runuser -u crmnotes -- cat /etc/crmnotes/secret.key") != 0
    assert host.ctl_one("db", "status")["secret_key"] == "right"
    host.issue_apikey(world.member)
    host.machine.shell("echo 'workers = 3' >>/etc/crmnotes/crmnotes.conf && systemctl reload crmnotes")
    wait_for(lambda: host.status_text() == "serving, 3 workers", "the new workers")
    host.assert_serves(world)
    host.machine.shell("echo 'workers = many' >>/etc/crmnotes/crmnotes.conf && systemctl reload crmnotes")
    wait_for(lambda: "reload refused" in host.status_text(), "the refusal")
    assert host.add_note(world, "by the workers that stayed") == (200, None)


def test_the_journal_knows_priorities(host, world):
    """A warning and information: the second is not among the warnings."""
    host.assert_serves(world)
    host.machine.write("/etc/systemd/system/crmnotes.service.d/loose.conf", "[Service]\nEnvironment=CRMNOTES_SANDBOX=no")
    host.machine.shell("systemctl daemon-reload && systemctl restart crmnotes")
    everything = host.machine.shell("journalctl -u crmnotes -o cat")
    assert '"event":"started"' in everything and '"event":"request"' in everything
    lines = host.machine.shell("journalctl -u crmnotes -p warning -o cat").splitlines()
    ours = [line for line in lines if line.startswith("{")]
    assert any('"event":"sandbox_off"' in line for line in ours)
    assert all('"level":"info"' not in line for line in ours)
