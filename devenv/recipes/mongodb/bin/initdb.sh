#!/bin/bash
# Sources the scripts it is given, one after the other in one shell, with what upstream's entrypoint offers them.
set -Eeuo pipefail
export MONGO_INITDB_DATABASE="${MONGO_INITDB_DATABASE:-test}"
# The scripts use it.
# shellcheck disable=SC2034
mongo=(mongosh --host 127.0.0.1 --port 27017 --quiet)

# file_env NAME [DEFAULT]: takes NAME from the file in NAME_FILE.
file_env() {
    local name="$1" file="$1_FILE"
    local value="${!name:-${2:-}}"
    if [ -z "${!name:-}" ] && [ -n "${!file:-}" ]; then
        value="$(<"${!file}")"
    fi
    export "$name=$value"
    unset "$file"
}

for script in "$@"; do
    echo "running $script"
    # shellcheck disable=SC1090
    . "$script"
done
