#!/bin/sh
# Like upstream's: a configuration file alone, or nothing, means `registry serve`.
set -eu
case "${1:-}" in
    "") set -- serve /etc/docker/registry/config.yml ;;
    *.yaml | *.yml) set -- serve "$@" ;;
    serve | garbage-collect | help | -*) ;;
    *) exec "$@" ;;
esac
exec registry "$@"
