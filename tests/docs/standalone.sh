#!/bin/sh
# Does what docs/standalone.md says: runs its commands in their order, below a folder instead of /, with
# stand-ins for systemd and Devin; rotates the secret as SECURITY.md says; puts the page's nginx in front; and
# has systemd itself read the unit.
#   standalone.sh HANDLER STANDINS
set -eu
LC_ALL=C
PATH=$PATH:/usr/sbin
export LC_ALL PATH

[ $# = 2 ] || { echo "usage: standalone.sh HANDLER STANDINS" >&2; exit 2; }
handler=$(realpath "$1")
standins=$(realpath "$2")
cd "$(dirname "$0")/../.."
page=docs/standalone.md
rotation=SECURITY.md
secret=standalone-test-secret-0123456789

for tool in curl openssl nginx python3; do
    command -v "$tool" >/dev/null || tests/deps.sh curl openssl nginx-light python3
done

root=$(mktemp -d)
finish() {
    for file in "$root"/*.pid; do
        [ -s "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || true
        patience=100
        while readlink "/proc/$pid/exe" >/dev/null && [ "$patience" -gt 0 ]; do
            patience=$((patience - 1))
            sleep 0.1
        done
    done
    rm -rf "$root"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "standalone: $1"
    cat "$root/said" "$root/handler.log" 2>/dev/null || true
    exit 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

until_answers() {
    patience=300
    until curl -s -o /dev/null "$1"; do
        patience=$((patience - 1))
        [ "$patience" -gt 0 ] || fail "nothing answers at $1"
        sleep 0.1
    done
}

# blocks PAGE LANGUAGE: its blocks of that language, each line led by the number of the block.
blocks() {
    awk -v fence="\`\`\`$2" '$0 == fence { inside = 1; n++; next } /^```/ { inside = 0 } inside { print n "\t" $0 }' "$1"
}

# What the page says of /, for our folder.
moved() {
    sed -e "s|/opt/|$root/opt/|g; s|/etc/|$root/etc/|g; s|/var/log/nginx/|$root/|g" \
        -e "s|bin/release/handler|$handler|g; s|127\.0\.0\.1:3000|127.0.0.1:$port|g; s|--port 3000|--port $port|" \
        -e "s|listen 443|listen 127.0.0.1:$tls|"
}

stand_in() {
    cat >"$root/bin/$1"
    chmod 755 "$root/bin/$1"
}

port=$(free_port)
tls=$(free_port)
devin=$(free_port)
mkdir -p "$root/bin" "$root/etc/systemd/system" "$root/etc/ssl/certs" "$root/etc/ssl/private"

stand_in sudo <<'END'
#!/bin/sh
exec "$@"
END
stand_in make <<'END'
#!/bin/sh
[ "$*" = release ]
END
stand_in editor <<END
#!/bin/sh
sed -i -e 's/^DEVIN_API_KEY=.*/&apk_standalone/; s/^WEBHOOK_SECRET=.*/&$secret/' \\
    -e 's|^TARGET_REPO=.*|&https://github.com/org/repo\nDEVIN_API_URL=http://127.0.0.1:$devin|' "\$1"
END
stand_in journalctl <<END
#!/bin/sh
cat "$root/handler.log"
END
# What systemd does with the unit: its command, its folder, only the settings of its file.
stand_in systemctl <<END
#!/bin/sh
echo "\$*" >>"$root/systemctl.log"
case "\$*" in
"restart devin-triage")
    old=\$(cat "$root/handler.pid")
    kill "\$old"
    while readlink "/proc/\$old/exe" >/dev/null; do sleep 0.1; done
    ;;
"enable --now devin-triage") ;;
*) exit 0 ;;
esac
unit=$root/etc/systemd/system/devin-triage.service
value() { sed -n "s/^\$1=//p" "\$unit"; }
cd "\$(value WorkingDirectory | sed 's|^/|$root/|')"
start=\$(value ExecStart | sed 's|^/|$root/|; s|--port 3000|--port $port|')
# shellcheck disable=SC2046,SC2086
env -i \$(grep -v '^#' "\$(value EnvironmentFile | sed 's|^/|$root/|')") \$start >>"$root/handler.log" 2>&1 </dev/null &
echo "\$!" >"$root/handler.pid"
END

"$standins/devin" --port "$devin" >/dev/null 2>&1 &
echo "$!" >"$root/devin.pid"
until_answers "http://127.0.0.1:$devin/"

# --- the commands of the page, block by block ------------------------------------------------------

said_by() { # PAGE NUMBER: runs that block
    blocks "$1" sh | sed -n "s/^$2	//p" | moved >"$root/block"
    [ -s "$root/block" ] || fail "$1 has no block $2"
    PATH="$root/bin:$PATH" sh -eu "$root/block" >"$root/said" 2>&1 || fail "block $2 of $1 fails"
}

has() { grep -q -- "$1" "$root/said" || fail "block $2 does not say $1"; }

knows() { # PAGE COUNT
    count=$(blocks "$1" sh | cut -f1 | sort -un | wc -l)
    [ "$count" = "$2" ] || fail "$1 has $count blocks of commands, and this test knows $2"
}

answers() { # SECRET STATUS WHEN
    code=$(curl -s -o /dev/null -w '%{http_code}' -H "X-Webhook-Secret: $1" "http://127.0.0.1:$port/api/trigger-devin")
    [ "$code" = "$2" ] || fail "$3: the answer is $code"
}

knows "$page" 5
knows "$rotation" 2
said_by "$page" 1
[ "$(stat -c %a "$root/etc/devin-triage.env")" = 600 ] || fail "anyone can read the settings"
said_by "$page" 2
until_answers "http://127.0.0.1:$port/"
said_by "$page" 3
has '"status":"ready"' 3
said_by "$page" 4
has '"action":"created"' 4
said_by "$page" 5
until_answers "http://127.0.0.1:$port/"
has '"listening"' 5
grep -q '^restart devin-triage$' "$root/systemctl.log" || fail "nothing was restarted"
answers wrong 401 "with a wrong secret"

# --- the secret is rotated ---------------------------------------------------------------------------

said_by "$rotation" 1
until_answers "http://127.0.0.1:$port/"
newer=$(sed -n 's/^WEBHOOK_SECRET=//p' "$root/etc/devin-triage.env")
[ ${#newer} = 64 ] || fail "there is no new secret"
answers "$secret" 200 "with the old secret, half way"
answers "$newer" 200 "with the new secret, half way"
said_by "$rotation" 2
until_answers "http://127.0.0.1:$port/"
answers "$secret" 401 "with the old secret, at the end"
answers "$newer" 200 "with the new secret, at the end"
[ "$(stat -c %a "$root/etc/devin-triage.env")" = 600 ] || fail "anyone can read the settings"

# --- nginx -----------------------------------------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=triage.example.com \
    -addext subjectAltName=DNS:triage.example.com \
    -keyout "$root/etc/ssl/private/triage.key" -out "$root/etc/ssl/certs/triage.pem" 2>/dev/null
{
    echo "pid $root/nginx.pid; error_log $root/nginx.err; events {} http {"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $root/nginx.$kind;"; done
    blocks "$page" nginx | cut -f2- | moved
    echo "}"
} >"$root/nginx.conf"
nginx -q -e "$root/nginx.err" -c "$root/nginx.conf" >"$root/said" 2>&1 || fail "nginx refuses its configuration"

through() { # PATH [CURL'S WORDS]
    target=https://triage.example.com:$tls$1
    shift
    curl -sS --resolve "triage.example.com:$tls:127.0.0.1" --cacert "$root/etc/ssl/certs/triage.pem" "$@" "$target"
}

alert='{"alertName":"manual-test-alert","severity":1,"description":"Testing the webhook integration"}'
through "/api/trigger-devin?token=$newer" -d "$alert" >"$root/said"
grep -q '"success":true.*"sessionId"' "$root/said" || fail "no session through nginx"
[ "$(through /trigger-devin -o /dev/null -w '%{http_code}' -d '{}')" = 404 ] || fail "nginx passes on other paths"
! grep -q "$newer" "$root/triage.log" || fail "the secret is in nginx's log"
id=$(head -n 1 "$root/triage.log" | awk '{ print $NF }')
grep -q "$id" "$root/handler.log" || fail "nginx's id of the request is not in the handler's log"

! grep -qe "$secret" -e "$newer" "$root/handler.log" || fail "a secret is in the handler's log"

# --- the unit --------------------------------------------------------------------------------------

unit="checked by systemd"
if command -v systemd-analyze >/dev/null; then
    sed "s|/opt/devin-triage/bin/handler|$handler|" deploy/systemd/devin-triage.service >"$root/devin-triage.service"
    systemd-analyze verify "$root/devin-triage.service" >"$root/said" 2>&1 || fail "systemd refuses the unit"
    [ ! -s "$root/said" ] || fail "systemd has something to say of the unit"
else
    unit="not checked: there is no systemd-analyze here (Debian: apt-get install systemd)"
fi
echo "standalone: the pages' 7 blocks run, secret rotated, nginx in front; the unit: $unit"
