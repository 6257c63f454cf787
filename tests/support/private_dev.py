"""A /dev with little more than a socket for syslog, for one process and its children."""

import subprocess

# For bash -c; its first argument is the directory of syslog.sock, the others are the command.
PRIVATE_DEV = """
set -e
mkdir "$1/dev"
mount -t tmpfs none "$1/dev"
for name in null zero random urandom; do
    touch "$1/dev/$name"
    mount --bind "/dev/$name" "$1/dev/$name"
done
ln -s "$1/syslog.sock" "$1/dev/log"
mount --rbind "$1/dev" /dev
shift
exec "$@"
"""


def can_have_a_private_dev():
    try:
        return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
