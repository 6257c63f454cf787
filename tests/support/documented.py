"""Which test runs the commands of each section of docs/operating.md."""

OPERATING = "docs/operating.md"

RUN_BY = {
    "### The package": "tests/package/test_first_minutes.py",
    "### From the sources": "tests/support/host.py",
    "## Host": "tests/systemd/test_commands.py",
    "## Configure": "tests/systemd/test_commands.py",
    "### Use the files": "tests/systemd/test_operating.py",
    "## Provision": "tests/systemd/test_commands.py",
    "### Keys that expire": "tests/systemd/test_commands.py",
    "### Long lists": "tests/systemd/test_commands.py",
    "### Import and export": "tests/systemd/test_commands.py",
    "### Change a secret without downtime": "tests/systemd/test_commands.py",
    "### Help a caller": "tests/systemd/test_commands.py",
    "## People's data": "tests/systemd/test_commands.py",
    "### Erase": "tests/systemd/test_commands.py",
    "### In a container": "tests/container/test_image.py",
    "### Upgrade a container": "tests/container/test_image.py",
    "## Backup": "tests/systemd/test_commands.py",
    "### Every night": "tests/systemd/test_backup.py",
    "### Look after backups": "tests/systemd/test_backup.py",
    "### Away from the machine": "tests/systemd/test_disasters.py",
    "### Test a restore": "tests/systemd/test_disasters.py",
    "## Restore": "tests/systemd/test_operating.py",
    "## Upgrade": "tests/systemd/test_operating.py",
    "### The machine or its disk is lost": "tests/systemd/test_disasters.py",
    "### The key file is lost": "tests/systemd/test_disasters.py",
    "### The key file is lost, and there is no copy of it": "tests/systemd/test_disasters.py",
    "### The database is damaged": "tests/systemd/test_disasters.py",
    "### Notes from after the copy": "tests/systemd/test_disasters.py",
    "### The database file was removed": "tests/systemd/test_disasters.py",
    "### The disk is full": "tests/systemd/test_disasters.py",
    "### A backup was stolen": "tests/systemd/test_disasters.py",
    "### Key file of root": "tests/systemd/test_hardening.py",
    "## Monitoring": "tests/systemd/test_commands.py",
    "## Something does not work": "tests/systemd/test_commands.py",
    "### IP address not whitelisted": "tests/systemd/test_commands.py",
    "### A log file under systemd: Read-only file system": "tests/systemd/test_commands.py",
}

NOT_RUN = {
    "### Keep the files up to date": "geoipupdate needs a licence key of an account at MaxMind, and its servers",
}
