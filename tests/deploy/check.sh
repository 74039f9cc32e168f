#!/bin/sh
# Everything about deploy/ that can be checked without a subscription: `make deploy-check`.
set -eu

cd "$(dirname "$0")/../.."
handler=$1
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tests/deps.sh shellcheck python3
shellcheck deploy/*.sh tests/deploy/*.sh tests/deploy/standin/*
echo "deploy: the scripts are fine"

bicep=$(tests/deploy/bicep.sh)
for file in deploy/*.bicep; do
    # A warning alone ends with 0, and is not let pass either.
    if ! "$bicep" lint "$file" >"$work/said" 2>&1 || [ -s "$work/said" ]; then
        cat "$work/said"
        exit 1
    fi
done
echo "deploy: $("$bicep" --version) finds nothing in deploy/"

deploy/settings.sh "$handler" "$work"
for file in settings.bicep main.bicepparam; do
    diff -u "deploy/$file" "$work/$file" || {
        echo "deploy/$file does not follow from the table of settings: run \`make deploy-settings\`"
        exit 1
    }
done

python3 tests/deploy/arm.py "$bicep" "$handler" "$work/queries.json"

tools=build/deploy-check
if [ ! -f "$tools/complete" ]; then
    command -v npm >/dev/null 2>&1 || tests/deps.sh nodejs npm
    mkdir -p "$tools"
    npm install --prefix "$tools" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error \
        @kusto/language-service-next@12.4.1
    touch "$tools/complete"
fi
node tests/deploy/queries.js "$tools" "$work/queries.json"

python3 tests/deploy/azd.py
python3 tests/deploy/script.py "$bicep" "$handler"
