#!/bin/sh
# Who may include whom in handler/:
#
#   main -> edge -> triage -> session -> alert -> base -> libc        (never the other way)
#
# Each third-party header has one home, each header of ours a guard and the four lines of its contract,
# and the environment is read in two files.
#   layers.sh [--self-test]
set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)

# Every rule about #include lines.
check_includes() {
    awk '
    function layer_of(path) { # of "base/text.h", "triage.h", "main.c"
        if (path ~ /^base\/[^\/]*$/) return 1
        if (path ~ /^alert\/[^\/]*$/) return 2
        if (path ~ /^session\/[^\/]*$/) return 3
        if (path ~ /^(triage|reply)\.[ch]$/) return 4
        if (path ~ /^edge\/[^\/]*$/) return 5
        if (path ~ /^main\.[ch]$/) return 6
        return 0
    }
    function home_of(header) {
        if (header ~ /civetweb/) return "handler/edge/server.c"
        if (header ~ /^curl\//) return "handler/edge/wire.c"
        if (header ~ /cjson|cJSON/) return "handler/base/json.c"
        if (header ~ /^openssl\//) return "handler/base/digest.c"
        return ""
    }
    function complain(sentence) { print FILENAME ":" FNR ": " sentence }

    FNR == 1 {
        mine = layer_of(substr(FILENAME, length("handler/") + 1))
        if (mine == 0) complain("this file is in no layer")
    }
    !/^[ \t]*#[ \t]*include/ { next }
    !/^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")/ { complain("an include that cannot be read"); next }
    {
        header = $0
        sub(/^[^<"]*[<"]/, "", header)
        sub(/[>"].*$/, "", header)
        is_ours = $0 ~ /include[ \t]*"/
        home = home_of(header)
        if (home != "") {
            if (FILENAME != home) complain(header " is included by " home " alone")
            else is_home[home] = 1
            next
        }
        its = layer_of(header)
        if (header ~ /^tests\// || header ~ /^support\// || header ~ /^unit\// || header ~ /\.\./)
            complain(header " lies outside the handler")
        else if (is_ours && its == 0)
            complain("\"" header "\" is in no layer: say folder and file, \"base/text.h\"")
        else if (!is_ours && its != 0)
            complain("<" header "> is ours: use quotes")
        else if (its > mine)
            complain("must not include " header ", which lies above it")
    }
    END {
        split("handler/edge/server.c handler/edge/wire.c handler/base/json.c handler/base/digest.c", homes, " ")
        for (i = 1; i <= 4; i++)
            if (!(homes[i] in is_home)) print homes[i] ":1: does not include the library whose home it is"
    }' "$@"
}

# Guard (from the path: base/text.h has BASE_TEXT_H) and contract of one header.
check_header() {
    guard=$(echo "${1#handler/}" | tr 'a-z/.' 'A-Z__')
    awk -v guard="$guard" '
    /^#/ && !first { first = FNR; ok = $0 == "#ifndef " guard; next }
    /^#/ && FNR == first + 1 { ok = ok && $0 == "#define " guard }
    NF { last = $0 }
    {
        if ($0 ~ /Owns:/) owns = 1
        if ($0 ~ /Units:/) units = 1
        if ($0 ~ /Fails:/) fails = 1
        if ($0 ~ /Threads:/) threads = 1
    }
    END {
        if (!ok || last !~ /^#endif/) print FILENAME ":1: has no include guard " guard
        if (!owns) print FILENAME ":1: does not say \"Owns:\""
        if (!units) print FILENAME ":1: does not say \"Units:\""
        if (!fails) print FILENAME ":1: does not say \"Fails:\""
        if (!threads) print FILENAME ":1: does not say \"Threads:\""
    }' "$1"
}

check_environment() {
    awk -f "$here/code.awk" "$@" |
        grep -E ':[0-9]+:(.*[^A-Za-z0-9_])?(getenv|secure_getenv|environ)([^A-Za-z0-9_]|$)' |
        grep -vE '^handler/(edge/settings|main)\.c:' |
        sed -E 's/^([^:]*:[0-9]+):.*/\1: only edge\/settings.c and main.c read the environment/' || true
}

# Violations below $1, one a line.
find_violations() {
    (
        cd "$1"
        sources=$(find handler -name '*.[ch]' | sort)
        # shellcheck disable=SC2086
        check_includes $sources
        # shellcheck disable=SC2086
        check_environment $sources
        for header in $(find handler -name '*.h' | sort); do
            check_header "$header"
        done
    )
}

# plant FILE LINE WANTED: adds a line to a copy; "yes": exactly there something must be found.
plant() {
    cp -R "$here/../handler" "$tree/handler"
    [ ! -f "$tree/$1" ] || [ "${1%.h}" = "$1" ] || sed -i '$d' "$tree/$1" # in front of the #endif
    printf '%s\n' "$2" >>"$tree/$1"
    [ "${1%.h}" = "$1" ] || echo '#endif' >>"$tree/$1"
    found=$(find_violations "$tree")
    rm -rf "$tree/handler"
    case "$3$found" in
    no | "yes$1:"*) planted=$((planted + 1)) ;;
    *)
        echo "layers.sh: self-test: wanted a violation: $3: $2 in $1"
        echo "found: $found"
        exit 1
        ;;
    esac
}

self_test() {
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    planted=0
    plant handler/base/text.c '#include "base/log.h"' no
    plant handler/edge/wire.c '#include "session/prompt.h"' no
    plant handler/main.c '#include "edge/server.h"' no
    plant handler/triage.c '#include "session/devin.h"' no
    plant handler/base/text.c '#include "alert/alert.h"' yes
    plant handler/alert/alert.c '#include "session/prompt.h"' yes
    plant handler/session/devin.c '#include "triage.h"' yes
    plant handler/session/devin.h '# include "edge/wire.h"' yes
    plant handler/triage.c '#include "edge/settings.h"' yes
    plant handler/triage.h '#include <edge/settings.h>' yes
    plant handler/reply.c '#include "edge/settings.h"' yes
    plant handler/session/devin.c '#include "reply.h"' yes
    plant handler/base/text.c '#include "arena.h"' yes
    plant handler/base/text.c '#include "../alert/alert.h"' yes
    plant handler/edge/server.c '#include "support/http.h"' yes
    plant handler/edge/server.c '#include "tests/support/http.h"' yes
    plant handler/edge/server.c '#include <curl/curl.h>' yes
    plant handler/edge/server.h '#include <civetweb.h>' yes
    plant handler/alert/alert.c '#include <cjson/cJSON.h>' yes
    plant handler/alert/alert.c '#include "cJSON.h"' yes
    plant handler/edge/wire.c '#include <openssl/evp.h>' yes
    plant handler/session/devin.c 'const char *x = getenv("X");' yes
    plant handler/session/devin.c '/* getenv("X") */' no
    plant handler/main.c 'const char *x = getenv("X");' no
    plant handler/other.c '#include "base/text.h"' yes
    plant handler/base/bare.h '/* Owns: Units: Fails: Threads: */' yes
    plant handler/base/guarded.h '#ifndef BASE_GUARDED_H
#define BASE_GUARDED_H
/* Owns: Units: Fails: Threads: */' no
    plant handler/base/quiet.h '#ifndef BASE_QUIET_H
#define BASE_QUIET_H
/* Owns: Units: Fails: */' yes
    plant handler/base/copied.h '#ifndef BASE_TEXT_H
#define BASE_TEXT_H
/* Owns: Units: Fails: Threads: */' yes
    echo "layers: self-test fine ($planted lines planted)"
}

if [ "${1-}" = --self-test ]; then
    self_test
    exit 0
fi
found=$(find_violations "$here/..")
if [ -n "$found" ]; then
    echo "$found"
    exit 1
fi
echo "layers: fine"
