"""The package from its installation to its purge, on a Debian that is booted."""

from support.package import PACKAGES, PackagedHost
from support.paths import SOURCE

DATA = "/var/lib/crmnotes"
BACKUPS = "/var/backups/crmnotes"


def owner_and_mode(host, path):
    return host.machine.shell(f"stat -c '%U:%G %a' {path}").strip()


def enabled(host, unit):
    return host.machine.raw("systemctl", "is-enabled", unit).stdout.strip()


# Installation


def test_readme_hosts_it(host, world):
    host.assert_serves(world)
    assert enabled(host, "crmnotes.socket") == enabled(host, "crmnotes.service") == "enabled"
    assert owner_and_mode(host, "/etc/crmnotes/crmnotes.conf") == "root:crmnotes 640"
    assert owner_and_mode(host, DATA) == owner_and_mode(host, BACKUPS) == "crmnotes:crmnotes 750"
    assert owner_and_mode(host, f"{DATA}/crmnotes.db.key") == "crmnotes:crmnotes 600"
    assert owner_and_mode(host, "/etc/apparmor.d/usr.lib.crmnotes.crmnotes.fcgi") == "root:root 644"


def test_the_test_for_autopkgtest(host):
    host.machine.write("/root/store-a-note", (SOURCE / "debian/tests/store-a-note").read_text())
    host.machine.shell("rm /etc/nginx/sites-enabled/crmnotes && sh /root/store-a-note")


def test_apache_in_front(host, world):
    host.machine.shell("""
        systemctl stop nginx
        a2enmod -q proxy_fcgi
        a2enconf -q crmnotes
        systemctl start apache2
    """)
    host.assert_serves(world)
    assert "Apache" in host.machine.shell("curl -sI http://127.0.0.1/ | grep ^Server:")


def test_after_a_reboot_it_serves(boot):
    with boot() as machine:
        host = PackagedHost(machine)
        host.set_up()
        world = host.world()
        host.assert_serves(world)
        before = host.texts(world)
    with boot() as machine:
        again = PackagedHost(machine)
        again.wait_until_active()
        assert again.texts(world) == before
        assert again.add_note(world, "after the reboot") == (200, None)


def test_logrotate_moves_the_log_aside_and_the_service_writes_a_new_one(host, world):
    host.machine.shell("""
        echo 'log = /var/log/crmnotes/crmnotes.log' >>/etc/crmnotes/crmnotes.conf
        systemctl restart crmnotes
    """)
    host.assert_serves(world)
    host.machine.shell("logrotate --force /etc/logrotate.d/crmnotes")
    host.assert_serves(world)
    assert '"code":"OK"' in host.machine.shell("cat /var/log/crmnotes/crmnotes.log")
    assert '"code":"OK"' in host.machine.shell("cat /var/log/crmnotes/crmnotes.log.1")
    assert owner_and_mode(host, "/var/log/crmnotes/crmnotes.log") == "crmnotes:crmnotes 640"


# Upgrades


def test_an_upgrade_without_a_new_schema_costs_no_request(host, world, requests):
    former = host.master()
    host.install("next")
    assert host.master() != former
    requests.wait_for("200")
    assert {status for status, _ in requests.answers()} == {"200"}
    requests.assert_stored()
    assert host.machine.shell(f"ls {BACKUPS}") == ""


def test_an_upgrade_backs_up_and_migrates(host, world, requests):
    version = host.schema()
    host.install("newer")
    assert host.active() == ("active", "active")
    requests.wait_for("200")
    assert host.schema() == version + 1
    assert {status for status, _ in requests.answers()} <= {"200", "502", "503UNAVAILABLE"}
    requests.assert_stored()
    (backup,) = host.machine.shell(f"ls {BACKUPS}").split()
    assert backup.startswith("before-upgrade-") and backup.endswith(f"-schema-{version}.db")
    assert host.ctl_one("--database", f"{BACKUPS}/{backup}", "db", "status")["schema_version"] == version
    assert owner_and_mode(host, f"{BACKUPS}/{backup}") == "crmnotes:crmnotes 600"


def assert_refused(host, which, says):
    """The installation fails and says why, and neither service nor socket is left running."""
    status, text = host.apt_install(which)
    assert status != 0 and says in text and "dpkg --configure -a" in text, text
    assert host.active() == ("inactive", "inactive"), host.machine.journal()


def test_without_a_backup_there_is_no_upgrade(host, world):
    host.assert_serves(world)
    version, texts = host.schema(), host.texts(world)
    host.machine.shell(f"rmdir {BACKUPS} && touch {BACKUPS}")
    assert_refused(host, "newer", "the database was not changed, because there is no backup of it")
    assert host.schema() == version
    host.machine.shell(f"rm {BACKUPS} && dpkg --configure -a")
    assert host.schema() == version + 1
    assert host.texts(world) == texts
    host.wait_until_active()
    host.assert_serves(world)


def test_a_migration_that_fails_leaves_the_database_as_it_was(host, world):
    host.assert_serves(world)
    version = host.schema()
    assert_refused(host, "failing", "the database was not migrated")
    assert host.schema() == version
    host.install("newer")
    assert host.schema() == version + 1
    host.wait_until_active()
    host.assert_serves(world)


def test_a_package_that_is_too_old_for_the_database_says_so(host, world):
    host.install("newer")
    version = host.schema()
    assert_refused(host, "next", "these programs know only")
    host.install("newer")
    assert host.schema() == version
    host.wait_until_active()
    host.assert_serves(world)


def test_an_upgrade_makes_no_database_where_the_disk_is_missing(host):
    host.machine.shell(f"systemctl stop crmnotes.socket crmnotes.service && mv {DATA} /root/away")
    status, text = host.apt_install("next")
    assert status == 0 and "there is no database yet" in text, text
    assert host.machine.shell(f"ls {DATA}") == ""
    host.machine.shell(f"rmdir {DATA} && mv /root/away {DATA}")
    host.wait_until_active()


# The end


def test_remove_and_purge_leave_the_data(host, world):
    host.assert_serves(world)
    texts = host.texts(world)
    host.machine.shell("apt-get remove -y crmnotes </dev/null")
    assert host.active() == ("inactive", "inactive")
    host.machine.shell("test -e /etc/crmnotes/crmnotes.conf")
    done = host.machine.raw("bash", "-c", "apt-get purge -y crmnotes </dev/null")
    assert done.returncode == 0 and f"{DATA} is kept; to remove it: rm -r {DATA}" in done.stdout, done.stdout
    host.machine.shell("test ! -e /etc/crmnotes && test ! -e /var/log/crmnotes && nginx -t")
    assert {"crmnotes.db", "crmnotes.db.key"} <= set(host.machine.shell(f"ls {DATA}").split())
    assert enabled(host, "crmnotes.service") not in ("enabled", "masked")
    host.install("this")
    host.wait_until_active()
    assert host.texts(world) == texts
    host.machine.shell("ln -s ../sites-available/crmnotes /etc/nginx/sites-enabled/ && systemctl reload nginx")
    host.assert_serves(world)
