#!/bin/sh
# The service under spawn-fcgi: for a trial, or where there is no systemd.
#
# spawn-fcgi makes the socket and hands it over as descriptor 0. crmnotes starts its workers
# itself, so do not use -F of spawn-fcgi. Nothing restarts the service when its master ends.
# Standard error is the null device here, so log = stderr means syslog.
#
# To end it: kill "$(cat /run/crmnotes/crmnotes.pid)". The socket stays
# behind, and the next start replaces it.
set -eu

program=${PROGRAM:-/usr/lib/crmnotes/crmnotes.fcgi}
config=${CONFIG:-/etc/crmnotes/crmnotes.conf}
run=${RUN:-/run/crmnotes}

# spawn-fcgi hides why a program does not start, so the configuration is checked before. The
# socket is handed over, whatever the file says of listen.
check() {
    CRMNOTES_LISTEN='' "$@" "$program" --config "$config" --check-config >/dev/null
}

# As root: the user of the service, and the group of the web server's workers.
if [ "$(id -u)" -eq 0 ]; then
    check runuser -u "${SERVICE_USER:-crmnotes}" --
    set -- -u "${SERVICE_USER:-crmnotes}" -g "${SERVICE_USER:-crmnotes}" -G "${WEB_GROUP:-www-data}"
else
    check
fi

mkdir -p "$run"
exec spawn-fcgi -s "$run/crmnotes.sock" -M 0660 -b 1024 -P "$run/crmnotes.pid" "$@" \
    -- "$program" --config "$config"
