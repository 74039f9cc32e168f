#!/bin/sh
# Fails when tests/CHECKLIST.md misses one of its numbers, or names a test that does not exist.
#   checklist.sh [--self-test]
set -eu
LC_ALL=C
export LC_ALL

cd "$(dirname "$0")/.."
LAST=33

# "number<TAB>name" for each name in the last column; the number alone where nothing is named.
rows() {
    awk -F'|' '/^\| *[0-9]+ *\|/ {
        number = $2 + 0
        count = split($4, parts, "`")
        for (i = 2; i <= count; i += 2) print number "\t" parts[i]
        if (count < 3) print number "\t"
    }' "$1"
}

exists() {
    case "$1" in
    tests/*.sh) [ -x "$1" ] ;;
    *.case) [ -f "tests/cases/$1" ] ;;
    test_*/*) grep -qE "(TEST|unit_test)\\(${1#*/}\\)" "tests/unit/${1%%/*}.c" ;;
    *": "*) cat tests/support/e2e_*.c | grep -qF "{ \"$1\"," ;;
    *) false ;;
    esac
}

complaints() {
    tab=$(printf '\t')
    rows "$1" | while IFS="$tab" read -r number name; do
        exists "$name" 2>/dev/null || echo "item $number names no such test: $name"
    done
    for number in $(seq $LAST); do
        rows "$1" | grep -q "^$number$tab" || echo "item $number is missing"
    done
}

# plant SED: whether a table changed so is complained about exactly once.
plant() {
    sed "$1" tests/CHECKLIST.md >"$planted"
    [ "$(complaints "$planted" | grep -c .)" = 1 ] || { echo "checklist.sh: self-test: $1"; exit 1; }
}

if [ "${1-}" = --self-test ]; then
    planted=$(mktemp)
    trap 'rm -f "$planted"' EXIT
    plant '/^| 18 /d'
    plant 's/contract.gzip.case/contract\/gunzip.case/'
    plant 's/test_log.a_line_is_one_write/test_log\/a_line/'
    plant 's/load: 100 alerts/load: 101 alerts/'
    plant '/^| 12 /s/| `.*/| later |/'
    echo "checklist: self-test: fine"
fi

found=$(complaints tests/CHECKLIST.md)
[ -z "$found" ] || { echo "$found"; exit 1; }
echo "checklist: fine"
