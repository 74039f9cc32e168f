#!/bin/sh
# Static analysis of the handler and of what plays against it (unit tests and fuzz targets are left to the
# sanitizers): gcc -fanalyzer (handler only: it takes long), clang-tidy with clang's own analyser
# (.clang-tidy), cppcheck (tests/cppcheck.supp).  Any finding is a failure.
#   analyse.sh [FILE.c...]
set -eu

cd "$(dirname "$0")/.."
includes="-D_POSIX_C_SOURCE=200809L -Ihandler -Itests"
flags="-std=c11 $includes"
jobs=$(nproc 2>/dev/null || echo 2)
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(find handler tests/support tests/standin tests/e2e -name '*.c' | sort)

# each COMMAND...: the command for each file named on stdin, several at once.
each() {
    xargs -r -n 1 -P "$jobs" "$@"
}

# part NAME COMMAND...: says which part it was that found something.
failed=0
part() {
    name=$1
    shift
    if "$@"; then
        echo "$name: no finding"
    else
        echo "$name: FAILED"
        failed=1
    fi
}

gcc_analyser() {
    # shellcheck disable=SC2086
    printf '%s\n' "$@" | grep '^handler/' | each gcc $flags -O2 -fanalyzer -Werror -c -o /dev/null
}

clang_tidy() {
    # shellcheck disable=SC2016
    printf '%s\n' "$@" | FLAGS=$flags each sh -c 'clang-tidy --quiet "$1" -- $FLAGS 2>/dev/null' tidy
}

cppcheck_all() {
    # shellcheck disable=SC2086
    cppcheck --std=c11 $includes --enable=warning,style,performance,portability --inline-suppr --quiet -j "$jobs" \
        --suppressions-list=tests/cppcheck.supp --error-exitcode=1 "$@"
}

part "gcc -fanalyzer" gcc_analyser "$@"
part "clang-tidy" clang_tidy "$@"
part "cppcheck" cppcheck_all "$@"
exit "$failed"
