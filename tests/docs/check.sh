#!/bin/sh
# Demands of each command in README and docs that a test runs it (the list is tests/docs/commands), or that
# the page says what it needs: "# needs Azure" or "# needs Core Tools", behind a command or, on a line of its
# own, at the top of a block.  Commands are what stands in blocks marked "sh".
#   check.sh [--self-test]
set -eu
LC_ALL=C
export LC_ALL

cd "$(dirname "$0")/../.."
list=tests/docs/commands

# "line<TAB>command" for each command of page $1 that is not marked; blocks without a language are told of.
# A command goes on after a backslash, a pipe, and within quotes.
commands() {
    awk -v quote="'" '
        function is_open(text, i, c, by) {
            for (i = 1; i <= length(text); i++) {
                c = substr(text, i, 1)
                if (by == "" && (c == quote || c == "\"")) by = c
                else if (c == by) by = ""
            }
            return by != ""
        }
        /^```/ && !inside {
            inside = 1
            is_shell = $0 ~ /^```(sh|bash|shell|console)( |$)/
            if ($0 == "```") print FNR "\ta block without a language: say sh, text, ..."
            is_marked = 0
            whole = ""
            next
        }
        /^```/ { inside = 0; next }
        !inside || !is_shell { next }
        /^ *# needs (Azure|Core Tools)/ && whole == "" { is_marked = 1; next }
        {
            line = $0
            sub(/^ +/, "", line)
            if (whole == "") { from = FNR; if (line ~ /^#/ || line == "") next }
            goes_on = line ~ /[\\|]$/
            sub(/ *\\$/, "", line)
            whole = whole (whole == "" ? "" : " ") line
            if (goes_on || is_open(whole)) next
            needs = whole ~ /# needs (Azure|Core Tools)/
            sub(/ +# .*$/, "", whole)
            gsub(/ +/, " ", whole)
            if (!is_marked && !needs) print from "\t" whole
            whole = ""
        }' "$1"
}

rows() { grep -v '^#' "$list"; }

page_complaints() {
    commands "$1" | while IFS="$(printf '\t')" read -r line command; do
        rows | sed 's/ | [^|]* | [^|]*$//' | grep -qxFe "$command" -e "$1 *" || echo "$1:$line: no test runs: $command"
    done
}

# Rows that no page shows any more, and rows whose test is not there.
list_complaints() {
    shown=$(for each in "$@"; do commands "$each" | cut -f2; echo "$each *"; done)
    rows | while IFS= read -r row; do
        word=${row##* | }
        rest=${row% | *}
        file=${rest##* | }
        command=${rest% | *}
        echo "$shown" | grep -qxF -e "$command" || echo "$list: no page shows: $command"
        grep -qF -e "$word" "$file" 2>/dev/null || echo "$list: $file does not run: $command"
    done
}

# spoil NAME TEXT: a page with that block must be found out.
spoil() {
    printf '%s\n' "$2" >"$page"
    [ -n "$(page_complaints "$page")" ] || { echo "docs: self-test: not found out: $1"; exit 1; }
}

passes() {
    printf '%s\n' "$2" >"$page"
    [ -z "$(page_complaints "$page")" ] || { echo "docs: self-test: refused: $1"; exit 1; }
}

self_test() {
    page=$(mktemp)
    trap 'rm -f "$page"' EXIT
    fence='```'
    spoil "a command of its own" "${fence}sh
make test
make nothing
$fence"
    spoil "bash" "${fence}bash
make nothing
$fence"
    spoil "a block without a language" "$fence
make test
$fence"
    spoil "more behind a listed command" "${fence}sh
make test \\
  nothing
$fence"
    spoil "a second block behind a marked one" "${fence}sh
# needs Azure
az login
$fence
${fence}sh
make nothing
$fence"
    spoil "a marked command before another" "${fence}sh
az login # needs Azure
make nothing
$fence"
    passes "listed, marked, and other languages" "${fence}sh
make test   # and a word
az login # needs Azure
$fence
${fence}text
make nothing
$fence"
    echo "docs: self-test fine (6 spoiled)"
}

if [ "${1-}" = --self-test ]; then
    self_test
    exit 0
fi
set -- *.md docs/*.md
for page in deploy/*.md; do [ ! -f "$page" ] || set -- "$@" "$page"; done
found=$(for page in "$@"; do page_complaints "$page"; done; list_complaints "$@")
if [ -n "$found" ]; then
    echo "$found"
    exit 1
fi
echo "docs: each command of $# pages is run by a test or says what it needs"
