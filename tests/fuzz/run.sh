#!/bin/sh
# Runs fuzz targets, two at a time, each from the cases' seeds and from what it has found before.
#   run.sh SECONDS TARGET...
# SECONDS of work are shared by all.  Corpora, crashes and logs lie below build/fuzz/; a crash is reproduced by
# bin/fuzz/fuzz_TARGET FILE.
set -eu

cd "$(dirname "$0")/../.."
[ $# -ge 2 ] || { echo "usage: run.sh SECONDS TARGET..." >&2; exit 2; }
seconds=$(($1 / ($# - 1)))
shift
[ "$seconds" -gt 0 ] || seconds=1
home=build/fuzz/work
mkdir -p "$home/seeds"
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

bin/fuzz/fuzz_seeds "$home/seeds" tests/cases

# fuzz TARGET: its log, and one line of what came of it.
fuzz() {
    target=$1
    mkdir -p "$home/corpus/$target" "$home/crashes/$target"
    # shellcheck disable=SC2012
    [ "$(ls "$home/seeds/$target" | wc -l)" -gt 0 ] || { echo "$target: no seeds"; return 1; }
    if "bin/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$home/crashes/$target/" -print_final_stats=1 \
        "$home/corpus/$target" "$home/seeds/$target" >"$home/$target.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$home/$target.log")
        cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$home/$target.log" | tail -n 1)
        printf '%-10s %9s runs, %5s edges, no complaint\n' "$target" "$runs" "$cover"
    else
        grep -v '^#' "$home/$target.log" | head -n 60
        printf '%-10s FAILED: see %s\n' "$target" "$home/$target.log"
        return 1
    fi
}

failed=0
while [ $# -gt 0 ]; do
    fuzz "$1" &
    first=$!
    second=
    [ $# -lt 2 ] || { fuzz "$2" & second=$!; shift; }
    shift
    wait "$first" || failed=1
    [ -z "$second" ] || wait "$second" || failed=1
done
exit "$failed"
