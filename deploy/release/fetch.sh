#!/bin/sh
# Fetches the source packages of the release's libraries by apt's means, into a cache outside the tree.
#   fetch.sh            what the lock names: each file has the SHA-256 it has there, or is refused
#   fetch.sh --newest   writes the lock anew: of each package the newest revision that really downloads
# A mirror drops superseded revisions, and its index can be ahead of its pool: both are told from a
# network that fails.  RELEASE_LOCK and RELEASE_POOLS (folders or URLs) are there for tests.
set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
lock=${RELEASE_LOCK:-$here/lock}
sources=${XDG_CACHE_HOME:-$HOME/.cache}/azure-devin-triage/sources
suite=trixie
packages="curl openssl cjson civetweb"
mkdir -p "$sources"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The mirror that this machine's apt uses for what has the label $1, then Debian's own.
mirrors_of() {
    {
        # shellcheck disable=SC2016 # these are apt's placeholders
        apt-get indextargets --format '$(LABEL) $(REPO_URI)' 2>/dev/null |
            awk -v label="$1" '$1 == label { print $2 }'
        echo "$2"
    } | sed 's:/*$::' | awk '!seen[$0]++'
}

find_mirrors() {
    main_mirrors=$(mirrors_of Debian http://deb.debian.org/debian)
    security_mirrors=$(mirrors_of Debian-Security http://deb.debian.org/debian-security)
}

find_pools() {
    [ -z "${pools-}" ] || return 0
    pools=${RELEASE_POOLS-}
    [ -z "$pools" ] || return 0
    find_mirrors
    for mirror in $main_mirrors; do pools="$pools $mirror/pool"; done
    for mirror in $security_mirrors; do pools="$pools $mirror/pool/updates"; done
}

has_sum() { [ "$(sha256sum <"$1")" = "$2  -" ]; }

# fetch_file PATH SHA256: 0 when the cache has it; 1 when every pool says it is gone, 2 otherwise.
# What went wrong is in $scratch/why.
fetch_file() {
    file=$sources/${1##*/}
    : >"$scratch/why"
    if [ -f "$file" ] && has_sum "$file" "$2"; then return 0; fi
    rm -f "$file"
    find_pools
    gone=1
    for pool in $pools; do
        case "$pool" in /*) pool=copy:$pool ;; esac
        rm -f "$scratch/file"
        if /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=2 \
            download-file "$pool/$1" "$scratch/file" >"$scratch/log" 2>&1; then
            if has_sum "$scratch/file" "$2"; then
                mv "$scratch/file" "$file.$$" # the cache may be another file system
                mv "$file.$$" "$file"
                return 0
            fi
            echo "$pool/$1 does not have the SHA-256 $2: refused" >>"$scratch/why"
            gone=2
        else
            grep -Eq '404 |410 |No such file' "$scratch/log" || gone=2
            grep '^E: Failed' "$scratch/log" >>"$scratch/why" || cat "$scratch/log" >>"$scratch/why"
        fi
    done
    return $gone
}

fetch_locked() {
    grep -v '^#' "$lock" >"$scratch/lock"
    while read -r package version path sum; do
        code=0
        fetch_file "$path" "$sum" || code=$?
        [ "$code" != 0 ] || continue
        cat "$scratch/why" >&2
        if [ "$code" = 1 ]; then
            echo "release: ${path##*/} of $package $version is gone from the mirrors: Debian has a newer revision." >&2
            echo "Run \`make release-lock\`, look at what it changes in deploy/release/lock, and commit that." >&2
        else
            echo "release: cannot fetch ${path##*/} of $package $version as the lock names it." >&2
            echo "Try again when the network is up; if the SHA-256 differs, trust neither the mirror nor the file." >&2
        fi
        exit 1
    done <"$scratch/lock"
}

# An apt of our own that knows nothing but the sources of $suite.
apt() {
    program=$1
    shift
    "$program" -o Dir::State="$scratch/state" -o Dir::Cache="$scratch/cache" \
        -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=- \
        -o APT::Sandbox::User=root "$@"
}

read_index() {
    find_mirrors
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mkdir -p "$scratch/state/lists/partial" "$scratch/cache/archives/partial"
    {
        for mirror in $main_mirrors; do
            echo "deb-src [signed-by=$keyring] $mirror $suite main"
            echo "deb-src [signed-by=$keyring] $mirror $suite-updates main"
        done
        for mirror in $security_mirrors; do
            echo "deb-src [signed-by=$keyring] $mirror $suite-security main"
        done
    } >"$scratch/sources.list"
    apt apt-get update -qq
}

# "version path sha256", one a line, for each tarball of each revision of package $1.
list_files() {
    apt apt-cache showsrc --only-source "$1" | awk '
        /^[A-Z]/ { is_sums = $1 == "Checksums-Sha256:" }
        $1 == "Version:" { version = $2 }
        $1 == "Directory:" { folder = $2; sub(/^pool\/(updates\/)?/, "", folder) }
        is_sums && $3 ~ /\.(orig|debian)\.tar\.[a-z0-9]+$/ { files[++count] = $3 " " $1 }
        NF == 0 { flush() }
        END { flush() }
        function flush(   i, part) {
            for (i = 1; i <= count; i++) {
                split(files[i], part, " ")
                print version, folder "/" part[1], part[2]
            }
            count = 0
        }' | sort -u
}

# Appends the newest revision of package $1 that downloads to $scratch/new.
take_newest() {
    list_files "$1" >"$scratch/files"
    cut -d' ' -f1 "$scratch/files" | sort -rVu >"$scratch/versions"
    while read -r version; do
        grep -F "$version " "$scratch/files" | sort -rk2 >"$scratch/revision"
        code=0
        while read -r _ path sum; do
            fetch_file "$path" "$sum" || { code=$?; break; }
        done <"$scratch/revision"
        case $code in
        0)
            echo "$1 $version"
            sed "s/^/$1 /" "$scratch/revision" >>"$scratch/new"
            return 0
            ;;
        1) echo "$1 $version is in the index but does not download: trying an older one" ;;
        *) break ;;
        esac
    done <"$scratch/versions"
    cat "$scratch/why" >&2
    echo "release: no revision of $1 can be fetched; the lock stays as it was.  Is the network up?" >&2
    return 1
}

newest_lock() {
    read_index
    {
        echo "# The libraries inside the release, as Debian $suite has their sources: \`make release-lock\` writes this."
        echo "# package, revision, file in Debian's pool, SHA-256"
    } >"$scratch/new"
    for package in $packages; do
        take_newest "$package"
    done
    cp "$scratch/new" "$lock"
}

case "${1-}" in
'') fetch_locked ;;
--newest) newest_lock ;;
*) echo "usage: fetch.sh [--newest]" >&2; exit 2 ;;
esac
