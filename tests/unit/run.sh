#!/bin/sh
# Runs cmocka programs, adds up what they say, and leaves "passed failed" in a file for tests/tally.sh.
#   run.sh TALLYFILE TESTER...
# UNDER, when set, is a program that each tester is started by.  As many run at once as there are cores.
# A tester that passes takes one line, any other shows what it said of its failures.  One that crashes,
# hangs, leaks or runs no test counts as a failure even where its own sums say otherwise, and shows all.
set -u

PATIENCE=600 # seconds a tester may take

[ $# -ge 1 ] || { echo "usage: run.sh TALLYFILE TESTER..." >&2; exit 2; }
tally=$1
shift
mkdir -p "$(dirname "$tally")" || exit 2
said=$(mktemp -d) || exit 2
UNDER=${UNDER-}
trap 'rm -rf "$said"' EXIT
trap 'exit 130' INT TERM

# cmocka closes each group with "[  PASSED  ] 3 test(s)." and "[  FAILED  ] 1 test(s), listed below:".
sum_of() {
    sed -n "s/.*\[  $1  \] \([0-9][0-9]*\) test(s).*/\1/p" "$out" "$err" | awk '{ sum += $1 } END { print sum + 0 }'
}

unset CMOCKA_MESSAGE_OUTPUT CMOCKA_XML_FILE CMOCKA_TEST_ABORT
export PATIENCE UNDER said
# shellcheck disable=SC2016
run_one='timeout "$PATIENCE" $UNDER "$1" >"$said/${1##*/}.out" 2>"$said/${1##*/}.err" </dev/null
    echo $? >"$said/${1##*/}.code"'
# Those that take long are late in the alphabet: from its end, so that none of them is left over.
printf '%s\n' "$@" | sort -r | xargs -r -n 1 -P "$(nproc 2>/dev/null || echo 2)" sh -c "$run_one" run

all_passed=0
all_failed=0
for tester in "$@"; do
    out=$said/${tester##*/}.out
    err=$said/${tester##*/}.err
    code=$(cat "$said/${tester##*/}.code" || echo 127)
    passed=$(sum_of PASSED)
    failed=$(sum_of FAILED)
    trouble=
    if [ "$code" = 124 ]; then
        trouble="did not end within $PATIENCE s"
    elif [ "$code" -ge 126 ]; then
        trouble="did not run to its end (exit code $code)"
    elif [ "$code" != 0 ] && [ "$failed" = 0 ]; then
        trouble="ended with exit code $code"
    elif [ $((passed + failed)) = 0 ]; then
        trouble="ran no test"
    fi
    [ -z "$trouble" ] || failed=$((failed + 1))
    if [ "$failed" = 0 ]; then
        printf '%-24s %4d passed\n' "${tester##*/}" "$passed"
    else
        cat "$out" "$err" | if [ -n "$trouble" ]; then cat; else grep -v '^\[ RUN \|^\[ *OK '; fi
        printf '%-24s %4d passed, %d FAILED%s\n' "${tester##*/}" "$passed" "$failed" "${trouble:+: $trouble}"
    fi
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
done

if [ $# = 0 ]; then
    echo "no unit tests to run"
    all_failed=1
fi
echo "$all_passed $all_failed" >"$tally" || exit 2
[ "$all_failed" = 0 ]
