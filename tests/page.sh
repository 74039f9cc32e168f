#!/bin/sh
# Runs PROGRAM with Chromium's path and a new empty profile, or says that there is no Chromium.
#   page.sh PROGRAM [PICTURE]
set -eu

program=$1
shift
for name in chromium chromium-browser google-chrome; do
    chromium=$(command -v "$name") && break
done || true
if [ -z "${chromium:-}" ]; then
    echo "page: skipped, there is no Chromium (Debian: apt-get install chromium)"
    exit 0
fi
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
trap 'exit 130' INT TERM
"$program" "$chromium" "$profile" "$@"
