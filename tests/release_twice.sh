#!/bin/sh
# Builds the release twice, in two folders with two caches: the same bytes each time.
#   release_twice.sh         cJSON, civetweb and the handler
#   release_twice.sh --all   OpenSSL and curl too: some minutes
set -eu
LC_ALL=C
export LC_ALL

cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL # one inside the other has no jobs to share
root=$(pwd -P)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cache=${XDG_CACHE_HOME:-$HOME/.cache}/azure-devin-triage
built=$(deploy/release/build.sh)
version=$(bin/release/handler version)

# build_in NAME SLOW_ONES: the tree as it is, without what was built, below $folder/NAME.
build_in() {
    tree=$folder/$1/tree
    new=$folder/$1/cache/azure-devin-triage
    mkdir -p "$tree" "$new/libraries/${built##*/}"
    git ls-files -z | xargs -0 cp --parents -t "$tree"
    ln -s "$cache/sources" "$new/sources"
    for library in $2; do
        cp -R "$built/$library" "$new/libraries/${built##*/}/"
    done
    cp -R "$built/licences" "$new/libraries/${built##*/}/"
    XDG_CACHE_HOME=$folder/$1/cache make --no-print-directory -C "$tree" VERSION="$version" release
    cmp "$tree/bin/release/handler" "$root/bin/release/handler"
}

slow="openssl curl"
[ "${1-}" != --all ] || slow=
build_in one "$slow"
build_in another-folder "$slow"
echo "release twice: the same $(wc -c <bin/release/handler) bytes, sha256 $(sha256sum <bin/release/handler | cut -c1-16)..."
