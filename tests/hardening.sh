#!/bin/sh
# Whether a binary was built with what hardens it; says everything that is missing.
#   hardening.sh [--self-test | --static] BINARY
# A static one, stripped, has no names to look for: its stack protector is seen where it loads the guard,
# and musl has no fortified calls.
set -eu
LC_ALL=C
export LC_ALL

# Sentences about $1, none when all is well.
find_missing() {
    readelf -hW "$1" | grep -Eq 'Type: +DYN' || echo "not position independent (-fPIE, -pie)"
    readelf -lW "$1" | grep -q 'GNU_RELRO' || echo "no GNU_RELRO segment (-z relro)"
    readelf -dW "$1" | grep -Eq 'BIND_NOW|FLAGS_1.*NOW' || echo "symbols are bound late (-z now)"
    readelf -lW "$1" | grep 'GNU_STACK' | grep -vq 'RWE' || echo "the stack is executable (-z noexecstack)"
    readelf -lW "$1" | grep 'LOAD' | grep -q 'RWE' && echo "a segment is writable and executable"
    ! readelf -dW "$1" | grep -Eq 'RPATH|RUNPATH|TEXTREL' || echo "has RPATH, RUNPATH or TEXTREL"
}

find_missing_names() {
    nm -D "$1" | grep -q ' __stack_chk_fail' || echo "no stack protector (-fstack-protector-strong)"
    nm -D "$1" | grep -q ' __[a-z]*_chk\(@\|$\)' || echo "no fortified call (-D_FORTIFY_SOURCE, -O2)"
}

find_needed() {
    ! readelf -dW "$1" | grep -q 'NEEDED' || echo "needs shared libraries (-static)"
    ! readelf -lW "$1" | grep -q 'INTERP' || echo "needs a loader (--no-dynamic-linker)"
    [ "$(objdump -d --no-show-raw-insn "$1" | grep -c '%fs:0x28')" -gt 1000 ] ||
        echo "hardly any stack protector (-fstack-protector-strong)"
}

# A program built without any of it is found out.
self_test() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    echo 'int main(void) { return 0; }' >"$folder/soft.c"
    ${CC:-cc} -O0 -U_FORTIFY_SOURCE -fno-stack-protector -no-pie -fno-pie -z norelro -z lazy -z execstack \
        -Wl,-rpath,/nowhere -o "$folder/soft" "$folder/soft.c" 2>/dev/null
    {
        find_missing "$folder/soft"
        find_missing_names "$folder/soft"
        find_needed "$folder/soft"
    } >"$folder/found"
    [ "$(wc -l <"$folder/found")" = 10 ] || { echo "hardening.sh: self-test: 10 findings wanted, got:"; cat "$folder/found"; exit 1; }
    echo "hardening: self-test fine"
}

[ "${1-}" != --self-test ] || { self_test; exit 0; }
look=find_missing_names
[ "${1-}" != --static ] || { look=find_needed; shift; }
if [ $# != 1 ] || [ ! -x "$1" ]; then echo "usage: hardening.sh [--self-test | --static] BINARY" >&2; exit 2; fi
missing=$(find_missing "$1"; $look "$1")
if [ -n "$missing" ]; then
    echo "$missing"
    exit 1
fi
echo "hardening: fine"
