#!/bin/sh
# Like upstream's: options alone mean mongod, and root hands the data to the server's user and becomes it.
set -eu
case "${1:-}" in
    "" | -*) set -- mongod "$@" ;;
esac
if [ "${1##*/}" = mongod ] && [ "$(id -u)" = 0 ]; then
    find /data/db /data/configdb \! -user mongodb -exec chown mongodb:mongodb '{}' + 2>/dev/null || true
    exec setpriv --reuid=999 --regid=999 --clear-groups -- "$@"
fi
exec "$@"
