#!/bin/sh
# Refuses what the handler does not call: unbounded copies, number readers that cannot fail, process-wide
# state and the shell.  Refuses also notes to oneself, there and in the tests.
#   banned.sh [--self-test]
set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
# Names that appear nowhere, and names that are common words and are refused as calls only.
NAMES='v?sprintf|strcpy|strcat|strncpy|strncat|atoi|atol|atoll|alloca|strtok|setlocale|localtime|strerror|asctime|ctime|cJSON_GetErrorPtr'
CALLS='gets|gmtime|rand|srand|system|popen'
NOTES='TO''DO|FIX''ME|XX''X|HA''CK'

# Violations below $1, one a line.
find_banned() {
    (
        cd "$1"
        find handler -name '*.[ch]' | sort | xargs awk -f "$here/code.awk" |
            grep -E ":[0-9]+:(.*[^A-Za-z0-9_])?(($NAMES)([^A-Za-z0-9_]|\$)|($CALLS)[ 	]*\()" |
            sed -E 's/^([^:]*:[0-9]+):[ 	]*(.*)/\1: calls what we do not use: \2/' || true
        find handler tests -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' | sort |
            xargs grep -nE "(^|[^A-Za-z0-9_])($NOTES)([^A-Za-z0-9_]|\$)" /dev/null |
            sed -E 's/^([^:]*:[0-9]+):[ 	]*(.*)/\1: a note to oneself: \2/' || true
    )
}

# plant FILE LINE WANTED: whether a source with that line is refused ("yes" or "no").
plant() {
    mkdir -p "$tree/handler/base" "$tree/tests"
    printf '/* A file. */\n%s\n' "$2" >"$tree/$1"
    found=no
    [ -z "$(find_banned "$tree")" ] || found=yes
    if [ "$found" != "$3" ]; then
        echo "banned.sh: self-test: refused: $found, wanted: $3: $2"
        exit 1
    fi
    rm "$tree/$1"
    planted=$((planted + 1))
}

self_test() {
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree/handler" "$tree/tests"
    echo >"$tree/handler/empty.c"
    planted=0
    for name in sprintf vsprintf strcpy strcat strncpy strncat atoi atol gets alloca strtok setlocale \
        localtime gmtime strerror asctime ctime rand system popen cJSON_GetErrorPtr; do
        plant handler/base/a.c "    x = $name(a);" yes
        plant handler/base/a.c "    x = $name (a);" yes
        plant handler/base/a.c "$name(a);" yes
        plant handler/base/a.c "    my_$name(a);" no
        plant handler/base/a.c "    ${name}_r(a);" no
        plant handler/base/a.c "    x = y; // $name(a)" no
        plant handler/base/a.c "    x = \"$name(a)\";" no
        plant handler/base/a.c "    /* $name(a) */" no
    done
    plant handler/base/a.c "    x = \"a\\\"b\"; strcpy(a, b);" yes
    plant handler/base/a.c "    x = '\"'; strcpy(a, b);" yes
    plant handler/base/a.c "    x = '\\''; strcpy(a, \"b\");" yes
    plant handler/base/a.c "    /* a */ strcpy(a, b); /* b */" yes
    plant handler/base/a.c "    x = \"/*\"; strcpy(a, b);" yes
    plant handler/base/a.c "    copy = strcpy;" yes
    plant handler/base/a.h "/* a
 * strcpy(a, b)
 */" no
    plant handler/base/a.c "    fgets(a, 1, b); snprintf(a, 1, b); is_system(a);" no
    plant handler/base/a.c "    int system;" no
    for note in $(echo "$NOTES" | tr '|' ' '); do
        plant handler/base/a.c "/* $note: later */" yes
        plant tests/a.c "// $note" yes
        plant tests/a.sh "# $note" yes
        plant tests/a.c "/* a${note}b */" no
    done
    plant tests/a.c 'char name[] = "/tmp/a.XX''XXXX";' no
    plant tests/a.c '    strcpy(a, b);' no
    echo "banned: self-test fine ($planted lines planted)"
}

if [ "${1-}" = --self-test ]; then
    self_test
    exit 0
fi
found=$(find_banned "$here/..")
if [ -n "$found" ]; then
    echo "$found"
    exit 1
fi
echo "banned: fine"
