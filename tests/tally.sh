#!/bin/sh
# Adds up the files that test runs left in a folder ("passed failed" in each) and prints the sum as the
# last line: "N passed, N failed".
#   tally.sh DIR [NAME...]
# Each NAME must be there: a run that ended before it could count is a failure, not a silence.
set -u

[ $# -ge 1 ] && [ -n "$1" ] || { echo "usage: tally.sh DIR [NAME...]" >&2; exit 2; }
folder=$1
shift
passed=0
failed=0

for name in "$@"; do
    if [ ! -s "$folder/$name" ]; then
        echo "$name did not get as far as counting its tests"
        failed=$((failed + 1))
    fi
done

for file in "$folder"/*; do
    [ -s "$file" ] || continue
    read -r more_passed more_failed <"$file" || true
    case "$more_passed:$more_failed" in
    :* | *: | *[!0-9:]*)
        echo "$file is not a tally"
        failed=$((failed + 1))
        continue
        ;;
    esac
    passed=$((passed + more_passed))
    failed=$((failed + more_failed))
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
