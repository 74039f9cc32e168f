#!/bin/sh
# Runs PROGRAM with the Azurite that package-lock.json here pins, put into a cache outside the tree by
# npm at first use, with a certificate and a folder for data that end with it.
#   run.sh PROGRAM [ARGUMENT...]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/azure-devin-triage/azurite-$(cksum <"$here/package-lock.json" | cut -d' ' -f1)

missing=
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
command -v openssl >/dev/null || missing="$missing openssl"
# shellcheck disable=SC2086
[ -z "$missing" ] || "$here/../deps.sh" $missing

# Two runs at once on a fresh machine each make their own; whoever is first puts it in its place.
if [ ! -d "$cache" ]; then
    echo "Installing Azurite into $cache"
    mkdir -p "$(dirname "$cache")"
    making=$(mktemp -d "$cache.XXXXXX")
    trap 'rm -rf "$making"' EXIT
    trap 'exit 130' INT TERM
    cp "$here/package.json" "$here/package-lock.json" "$making"
    if ! (cd "$making" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1); then
        tail -n 20 "$making/npm.log"
        echo "npm could not install Azurite: is registry.npmjs.org, or the registry npm is set to, within reach?"
        exit 1
    fi
    mv -T "$making" "$cache" 2>/dev/null || rm -rf "$making"
fi

TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
AZURITE_QUEUE=$cache/node_modules/.bin/azurite-queue
QUEUE_TEST_CERT=$TMPDIR/certificate.pem
QUEUE_TEST_KEY=$TMPDIR/key.pem
export AZURITE_QUEUE QUEUE_TEST_CERT QUEUE_TEST_KEY
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$QUEUE_TEST_KEY" -out "$QUEUE_TEST_CERT" 2>/dev/null
"$@"
