#!/bin/sh
# Builds what the release links: the libraries that the lock names, static, against musl, with only
# what the handler uses in them.  Prints the folder that holds <library>/{include,lib} and licences/.
# It lies in the cache and is named by the lock, this script and the compiler: what is there stays.
set -eu
LC_ALL=C
TZ=UTC
# Stands in the libraries instead of the time they were built at (OpenSSL takes 0 for "none").
SOURCE_DATE_EPOCH=315532800
export LC_ALL TZ SOURCE_DATE_EPOCH
# A variable of ours or of the caller's is none of theirs: OpenSSL's makefile has a VERSION too.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CFLAGS CPPFLAGS LDFLAGS LIBS CONFIG_SITE CROSS_COMPILE

here=$(cd "$(dirname "$0")" && pwd)
[ "$(uname -m)" = x86_64 ] || { echo "release: it is built on x86-64 alone" >&2; exit 1; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/azure-devin-triage
jobs=${JOBS:-$(nproc)}
key=$({ grep -v '^#' "$here/lock"; cat "$0"; musl-gcc --version; ld --version; cat /usr/lib/*/musl-gcc.specs; } |
    sha256sum | cut -c1-16)
built=$cache/libraries/$key
mkdir -p "$built/licences"

# One build at a time for each cache.
exec 9>"$cache/lock"
flock 9

# unpack PACKAGE FOLDER: its source with Debian's patches, every file of the same age, so that no
# makefile takes a patched file for a reason to call autoconf.
unpack() {
    mkdir -p "$2"
    awk -v package="$1" '$1 == package { print $3 }' "$here/lock" | while read -r file; do
        case "$file" in
        *.orig.tar.*) tar -xf "$cache/sources/${file##*/}" -C "$2" --strip-components=1 ;;
        *) tar -xf "$cache/sources/${file##*/}" -C "$2" ;;
        esac
    done
    sed -e 's/[ \t]*#.*//' -e '/^$/d' "$2/debian/patches/series" | while read -r patch _; do
        patch -d "$2" -p1 -s -F0 --no-backup-if-mismatch -i "$2/debian/patches/$patch"
    done
    find "$2" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# The compiler as all four see it.  Its options are in here and not in CFLAGS, for OpenSSL keeps
# those as text, and a folder in them would differ from build to build.
make_compiler() {
    mkdir -p "$work/bin"
    cat >"$work/bin/release-cc" <<WRAPPER
#!/bin/sh
exec musl-gcc -fPIE -fstack-protector-strong -fstack-clash-protection \\
    -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \\
    -ffile-prefix-map="$work"=. "\$@"
WRAPPER
    chmod +x "$work/bin/release-cc"
    PATH=$work/bin:$PATH
    export PATH CC=release-cc
}

# TLS 1.2 and 1.3 as a client, SHA-256, HMAC and base64.  The assembler asks the processor what it can.
build_openssl() {
    unpack openssl "$work/openssl"
    (
        cd "$work/openssl"
        # shellcheck disable=SC2046 # a list of words
        CFLAGS=-Os perl Configure linux-x86_64 --prefix=/usr --openssldir=/etc/ssl --libdir=lib \
            no-shared no-pic no-tests no-apps no-docs no-makedepend no-module no-dso no-engine no-legacy \
            no-autoload-config no-ktls no-secure-memory no-afalgeng no-async no-ui-console no-comp no-zlib \
            no-dtls no-quic no-sctp no-srp no-srtp no-ssl3 no-ssl-trace no-tls1 no-tls1_1 no-nextprotoneg \
            no-cmp no-cms no-ct no-gost no-ts no-rfc3779 no-http no-ocsp no-multiblock \
            $(printf 'no-%s ' aria bf blake2 camellia cast des dsa ec2m idea md4 mdc2 ml-dsa \
                rc2 rc4 rc5 rmd160 scrypt seed siv slh-dsa sm2 sm3 sm4 whirlpool)
        make -s -j"$jobs" build_generated
        make -s -j"$jobs" libcrypto.a libssl.a
        mkdir -p "$work/out/include" "$work/out/lib"
        cp -R include/openssl "$work/out/include/"
        cp libcrypto.a libssl.a "$work/out/lib/"
        cp LICENSE.txt "$built/licences/openssl.txt"
    )
}

# HTTP and HTTPS by 1.1 as a client, through a proxy where the environment names one.
build_curl() {
    unpack curl "$work/curl"
    (
        cd "$work/curl"
        # shellcheck disable=SC2046 # a list of words
        ./configure -q --disable-shared --enable-static --disable-debug \
            --with-openssl="$built/openssl" --without-ca-bundle --without-ca-path \
            $(printf -- '--without-%s ' zlib brotli zstd libpsl libidn2 nghttp2 libssh2 librtmp gssapi) \
            $(printf -- '--disable-%s ' dict file ftp gopher imap ipfs ldap ldaps mqtt pop3 rtsp smb smtp \
                telnet tftp websockets manual docs libcurl-option aws ntlm tls-srp unix-sockets cookies \
                digest-auth bearer-auth kerberos-auth negotiate-auth hsts alt-svc doh mime form-api netrc \
                progress-meter headers-api verbose get-easy-options openssl-auto-load-config ares sspi) \
            --enable-threaded-resolver --enable-ipv6 --enable-proxy --enable-symbol-hiding \
            CFLAGS=-Os CPPFLAGS="-I$built/openssl/include" LDFLAGS=-static
        make -s -j"$jobs" -C lib libcurl.la
        mkdir -p "$work/out/include/curl" "$work/out/lib"
        cp include/curl/*.h "$work/out/include/curl/"
        cp lib/.libs/libcurl.a "$work/out/lib/"
        cp COPYING "$built/licences/curl.txt"
    )
}

build_cjson() {
    unpack cjson "$work/cjson"
    mkdir -p "$work/out/include/cjson" "$work/out/lib"
    (cd "$work/cjson" && release-cc -O2 -c -o cJSON.o cJSON.c)
    ar rcsD "$work/out/lib/libcjson.a" "$work/cjson/cJSON.o"
    cp "$work/cjson/cJSON.h" "$work/out/include/cjson/"
    cp "$work/cjson/LICENSE" "$built/licences/cjson.txt"
}

# A server of handlers alone: no files, no CGI, no TLS, no WebSocket, no scripts.
build_civetweb() {
    unpack civetweb "$work/civetweb"
    mkdir -p "$work/out/include" "$work/out/lib"
    (cd "$work/civetweb" && release-cc -O2 -c -Iinclude -DNDEBUG \
        -DNO_SSL -DNO_CGI -DNO_FILES -DNO_CACHING -DNO_NONCE_CHECK -o civetweb.o src/civetweb.c)
    ar rcsD "$work/out/lib/libcivetweb.a" "$work/civetweb/civetweb.o"
    cp "$work/civetweb/include/civetweb.h" "$work/out/include/"
    cp "$work/civetweb/LICENSE.md" "$built/licences/civetweb.txt"
}

work=
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for library in openssl curl cjson civetweb; do
    [ ! -d "$built/$library" ] || continue
    "$here/fetch.sh" >&2
    echo "release: building $library ..." >&2
    work=$(mktemp -d "$cache/build.XXXXXX")
    make_compiler
    set +e # in a condition the shell would go on behind a command that fails
    (set -e; "build_$library") >"$work/log" 2>&1
    code=$?
    set -e
    if [ "$code" != 0 ]; then
        tail -n 40 "$work/log" >&2
        cp "$work/log" "$cache/build.log"
        echo "release: $library could not be built; the whole log is $cache/build.log" >&2
        exit 1
    fi
    mv "$work/out" "$built/$library"
    rm -rf "$work"
done
cp /usr/share/doc/musl-dev/copyright "$built/licences/musl.txt" || {
    echo "release: the package musl-dev is installed without its licence: install it again with /usr/share/doc" >&2
    exit 1
}
echo "$built"
