#!/bin/sh
# Like upstream's: `docker run IMAGE server /data` runs `minio server /data`; credentials may be in files.
set -eu

from_file() {
    eval "file=\${$1_FILE:-}"
    [ -n "$file" ] || return 0
    # Upstream also looks among the Compose secrets when the path is relative.
    [ -r "$file" ] || file="/run/secrets/$file"
    [ -r "$file" ] || { echo "$1_FILE: cannot read $file" >&2; exit 1; }
    value="$(cat "$file")"
    export "$1=$value"
}

from_file MINIO_ROOT_USER
from_file MINIO_ROOT_PASSWORD
from_file MINIO_ACCESS_KEY
from_file MINIO_SECRET_KEY

if [ "${1:-}" = "minio" ] || { [ -n "${1:-}" ] && command -v "$1" >/dev/null 2>&1; }; then
    exec "$@"
fi
exec minio "$@"
