#!/bin/sh
# What deploy/release/fetch.sh does with mirrors that have what the lock names, have something else,
# have it no more, or do not answer.
set -eu
LC_ALL=C
export LC_ALL

cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

path=main/c/cjson/cjson_1.orig.tar.gz
cached=$folder/cache/azure-devin-triage/sources/cjson_1.orig.tar.gz
mkdir -p "$folder/pool/main/c/cjson" "$folder/empty"
echo "the source" >"$folder/pool/$path"
good=$(sha256sum <"$folder/pool/$path" | cut -d' ' -f1)
bad=$(echo "another source" | sha256sum | cut -d' ' -f1)
passed=0

# expect CODE SENTENCE SHA256 POOLS: what it says and how it ends.
expect() {
    echo "cjson 1-1 $path $3" >"$folder/lock"
    code=0
    RELEASE_LOCK=$folder/lock RELEASE_POOLS=$4 XDG_CACHE_HOME=$folder/cache \
        deploy/release/fetch.sh >"$folder/said" 2>&1 || code=$?
    if [ "$code" != "$1" ] || { [ -n "$2" ] && ! grep -qF "$2" "$folder/said"; }; then
        echo "release_lock.sh: wanted exit $1 and \"$2\", got $code and:"
        cat "$folder/said"
        exit 1
    fi
    passed=$((passed + 1))
}

cached_is_good() { [ "$(sha256sum <"$cached")" = "$good  -" ] || { echo "release_lock.sh: $1"; exit 1; }; }

expect 1 "gone from the mirrors" "$good" "$folder/empty"
expect 1 "make release-lock" "$good" "$folder/empty"
expect 1 "Try again when the network is up" "$good" "http://127.0.0.1:1/pool"
expect 1 "refused" "$bad" "$folder/pool"
[ ! -e "$cached" ] || { echo "release_lock.sh: a refused file is in the cache"; exit 1; }
expect 0 "" "$good" "$folder/empty $folder/pool"
cached_is_good "it is not in the cache"
expect 0 "" "$good" "$folder/empty"
echo "changed" >>"$cached"
expect 0 "" "$good" "$folder/pool"
cached_is_good "a changed file was taken from the cache"
echo "release lock: $passed passed"
