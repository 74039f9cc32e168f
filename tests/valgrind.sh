#!/bin/sh
# Starts a program under memcheck: an error or lost memory is said on stderr and makes the exit code 99.
#   valgrind.sh PROGRAM [ARGUMENT...]
set -eu

exec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
    --fair-sched=yes --num-callers=30 "$@"
