#!/bin/sh
# Copies FerretDB's module into a directory, applies ferretdb.patch to it, and prints the file for `go build -modfile`.
set -eu
source="$(cd "$(dirname "$0")" && pwd)"
into="$1"
module="$(cd "$source" && go list -m -f '{{.Dir}}' github.com/FerretDB/FerretDB)"
rm -rf "$into"
mkdir -p "$into"
cp -R "$module" "$into/FerretDB"
chmod -R u+w "$into/FerretDB"
patch --quiet --strip=1 --fuzz=0 --directory="$into/FerretDB" <"$source/ferretdb.patch"
cp "$source/go.mod" "$source/go.sum" "$into/"
go mod edit -replace="github.com/FerretDB/FerretDB=$into/FerretDB" "$into/go.mod"
echo "$into/go.mod"
