#!/bin/sh
# The release by itself: its shape, its libraries, and that it serves where nothing else is.
#   release.sh BINARY
set -eu
LC_ALL=C
export LC_ALL

cd "$(dirname "$0")/.."
binary=$1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/azure-devin-triage
MAX_BYTES=5000000
folder=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || as_root kill -KILL "$pid" 2>/dev/null || true
    as_root rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() { echo "release.sh: $*"; exit 1; }
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
as_root() { if [ "$(id -u)" != 0 ] && can_be_root; then sudo -n "$@"; else "$@"; fi; }

# --- shape ---------------------------------------------------------------------------------------

check_shape() {
    tests/hardening.sh --static "$binary"
    bytes=$(wc -c <"$binary")
    [ "$bytes" -le $MAX_BYTES ] || fail "$bytes bytes are more than $MAX_BYTES"
    echo "release: $bytes bytes of $MAX_BYTES"
}

# Instructions that not every x86-64 has may stand in OpenSSL's assembler alone, which asks first.
check_instructions() {
    built=$(deploy/release/build.sh)
    mkdir "$folder/objects"
    find build/release/handler -name '*.o' >"$folder/list"
    (
        cd "$folder/objects"
        for library in "$built"/*/lib/*.a; do
            ar x "$library" # names that repeat are seen once: enough of them remain
        done
        rm -f ./*x86_64*.o ./*avx*.o
        find "$folder/objects" -name '*.o'
    ) >>"$folder/list"
    [ "$(wc -l <"$folder/list")" -gt 500 ] || fail "too few objects to look at"
    xargs objdump -d --no-show-raw-insn <"$folder/list" |
        awk '/file format/ { file = $1 } /%[yz]mm|%xmm1[6-9]|\tv(mov|padd|pxor|aes)|\t(popcnt|tzcnt|lzcnt|pshufb|crc32|movbe|andn|mulx|shlx) / { print file; print }' \
            >"$folder/found"
    [ ! -s "$folder/found" ] || { head -20 "$folder/found"; fail "needs more than a plain x86-64"; }
    echo "release: plain x86-64 in $(wc -l <"$folder/list") objects"
}

# The lock's revisions without epoch, Debian's revision and "+dfsg", in the words of version --full.
check_versions() {
    "$binary" version --full >"$folder/versions"
    awk '!/^#/ { print $1, $2 }' deploy/release/lock | sort -u |
        sed -e 's/[-+].*//' -e 's/^curl/libcurl/' -e 's/^openssl/OpenSSL/' -e 's/^cjson/cJSON/' >"$folder/locked"
    while read -r line; do
        grep -qx "$line" "$folder/versions" || fail "version --full does not say \"$line\": $(cat "$folder/versions")"
    done <"$folder/locked"
    [ "$(wc -l <"$folder/locked")" = 4 ] || fail "four libraries are wanted in the lock"
    echo "release: $(tail -n +2 "$folder/versions" | paste -sd, | sed 's/,/, /g')"
}

# --- in a folder that is all there is --------------------------------------------------------------

# exec_inside ROOT WORDS...: becomes the handler there, with the two settings that must be.
exec_inside() {
    root=$1
    shift
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    # shellcheck disable=SC2086 # no word, or two
    exec $as_root env -i PATH=/usr/sbin:/usr/bin DEVIN_API_KEY=apk_user_x TARGET_REPO=https://github.com/org/repo \
        DRY_RUN=true chroot "$root" /handler "$@"
}

inside() { (exec_inside "$@"); }

# Answers the host's first question and an alert.
serve_in() { # ROOT
    port=$((20000 + $$ % 10000))
    tries=0
    until exec_inside "$1" --port $port >"$folder/log" 2>"$folder/err" & pid=$!; await_port; do
        tries=$((tries + 1))
        [ $tries -lt 5 ] || { cat "$folder/log" "$folder/err"; fail "does not serve in $1"; }
        port=$((port + 37))
    done
    curl -sS -m 20 "http://127.0.0.1:$port/" | grep -q '"success":true' || fail "GET / in $1"
    curl -sS -m 20 "http://127.0.0.1:$port/api/trigger-devin" \
        -d '{"alertName":"a","severity":1,"description":"d"}' >"$folder/reply"
    grep -q '"action":"dry-run"' "$folder/reply" || { cat "$folder/reply"; fail "no dry run in $1"; }
    as_root kill -TERM "$pid"
    wait "$pid" || fail "does not end well in $1"
    pid=
    grep -q '"caFile":"/etc/ssl/certs/ca-certificates.crt"' "$folder/log" || fail "the log does not name the bundle in $1"
    [ ! -s "$folder/err" ] || { cat "$folder/err"; fail "complains in $1"; }
}

# Until our own handler says that it listens; false when it has ended before.
await_port() {
    for _ in $(seq 200); do
        grep -q '"event":"listening"' "$folder/log" && return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    as_root kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    pid=
    return 1
}

check_empty() {
    root=$folder/empty
    mkdir -p "$root/etc/ssl/certs"
    cp "$binary" "$root/handler"
    code=0
    inside "$root" check >"$folder/said" 2>&1 || code=$?
    if [ $code != 1 ] || ! grep -q 'this system has no bundle.*install ca-certificates' "$folder/said"; then
        cat "$folder/said"
        fail "check does not miss the bundle of authorities"
    fi
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    inside "$root" check >"$folder/said" 2>&1 || { cat "$folder/said"; fail "check complains where only the bundle is"; }
    serve_in "$root"
    echo "release: serves in a folder that holds nothing but it and the bundle of authorities"
}

# The oldest image of Azure Functions.  Made once, then kept.
make_debian_11() {
    [ ! -d "$cache/debian-11" ] || return 0
    tests/deps.sh debootstrap
    # shellcheck disable=SC2016 # apt's placeholders
    mirrors=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' | awk '$1 == "Debian" { print $2 }' | sort -u)
    for mirror in $mirrors http://deb.debian.org/debian http://archive.debian.org/debian; do
        if as_root debootstrap --variant=minbase --include=ca-certificates bullseye "$cache/debian-11.part" "$mirror" \
            >"$folder/debootstrap" 2>&1; then
            as_root mv "$cache/debian-11.part" "$cache/debian-11"
            return 0
        fi
        tail -n 3 "$folder/debootstrap" | sed "s|^|release: debootstrap from $mirror: |"
        as_root rm -rf "$cache/debian-11.part"
    done
    return 1
}

check_debian_11() {
    if ! make_debian_11; then
        echo "release: SKIPPED: no mirror makes a Debian 11 (bullseye) any more; see above for what each said"
        return 0
    fi
    as_root cp "$binary" "$cache/debian-11/handler"
    inside "$cache/debian-11" check >"$folder/said" 2>&1 || { cat "$folder/said"; fail "check in Debian 11"; }
    serve_in "$cache/debian-11"
    echo "release: serves in Debian $(cat "$cache/debian-11/etc/debian_version")"
}

check_shape
check_instructions
check_versions
if can_be_root; then
    check_empty
    check_debian_11
else
    echo "release: SKIPPED: only root may chroot; run it as root, or with a sudo that does not ask"
fi
