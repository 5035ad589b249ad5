#!/bin/sh
# Like upstream's: options alone, or a configuration file alone, mean redis-server.
set -eu
case "${1:-redis-server}" in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1##*/}" = redis-server ] || [ "${1##*/}" = valkey-server ]; then
    umask 0077
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis:redis '{}' + 2>/dev/null || true
        exec setpriv --reuid=999 --regid=999 --clear-groups -- "$@"
    fi
fi
exec "$@"
