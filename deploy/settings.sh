#!/bin/sh
# Writes what Bicep needs to know of the table of settings, from the table itself:
#   settings.sh HANDLER FOLDER   makes FOLDER/settings.bicep and FOLDER/main.bicepparam
set -eu

handler=$1
folder=$2
table=$(env -i "$handler" settings)

# "NAME kind help" a row; a secret is the one that says `unset`, a required one says so in its help.
rows=$(printf '%s\n' "$table" | awk '
    /^AzureWebJobs/ { name = ""; next } # what the platform reads too: main.bicep gives it
    /^[A-Z]/ { name = $1; is_secret = $2 == "unset"; next }
    name != "" {
      help = $0; sub(/^ */, "", help)
      is_required = sub(/^required; /, "", help)
      print name, is_secret ? "secret" : is_required ? "required" : "optional", help }')

# For a Bicep string.
escaped() { sed "s/\\\\/\\\\\\\\/g; s/'/\\\\'/g; s/\\\${/\\\\\${/g"; }

{
    echo "// Made from \`bin/handler settings\` by \`make deploy-settings\`; deploy-check compares."
    echo
    echo '@export()'
    echo '@sealed()'
    echo "@description('App settings without secrets; what is left out has its default.')"
    echo 'type appSettings = {'
    printf '%s\n' "$rows" | escaped | awk '
        $2 == "secret" { next }
        { name = $1; mark = $2 == "required" ? "" : "?"; sub(/^[^ ]+ [^ ]+ /, "")
          printf "%s  @description('\''%s'\'')\n  %s: string%s\n", between, $0, name, mark; between = "\n" }'
    echo '}'
} >"$folder/settings.bicep"

{
    cat <<'END'
// Made from `bin/handler settings` by `make deploy-settings`; deploy-check compares.
// Every value comes from the environment variable of its name, so secrets stand neither on a command
// line nor in a file.  deploy.sh fills the environment; azd brings its own.  SSL_CERT_FILE is that of
// whoever deploys: the app's is APP_SSL_CERT_FILE.
using 'main.bicep'

var unset = '<unset>'

var given = {
END
    printf '%s\n' "$rows" | awk '
        $2 != "secret" { printf "  %s: readEnvironmentVariable('\''%s%s'\'', unset)\n",
            $1, $1 == "SSL_CERT_FILE" ? "APP_" : "", $1 }'
    cat <<'END'
}

// An empty value is one (DEVIN_SECRET_IDS: no secrets at all).
param settings = toObject(filter(items(given), row => row.value != unset), row => row.key, row => row.value)

END
    printf '%s\n' "$rows" | awk '
        function camel(name,   words, i, made) {
            split(tolower(name), words, "_"); made = words[1]
            for (i = 2; i in words; i++) made = made toupper(substr(words[i], 1, 1)) substr(words[i], 2)
            return made }
        $2 == "secret" { printf "param %s = readEnvironmentVariable('\''%s'\'', '\'''\'')\n", camel($1), $1 }'
    cat <<'END'

// Lines of NAME=value.
param sessionSecrets = toObject(
  filter(split(readEnvironmentVariable('SESSION_SECRETS', ''), '\n'), line => contains(line, '=')),
  line => split(line, '=')[0],
  line => join(skip(split(line, '='), 1), '=')
)

param keptSecrets = filter(split(readEnvironmentVariable('KEPT_SECRETS', ''), ' '), name => !empty(name))

param appName = readEnvironmentVariable('APP_NAME', '')
param plan = readEnvironmentVariable('HOSTING_PLAN', 'flex')
param instanceMemoryMB = int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '512'))
param maximumInstances = int(readEnvironmentVariable('MAX_INSTANCES', '40'))
param alwaysReadyInstances = int(readEnvironmentVariable('ALWAYS_READY_INSTANCES', '0'))
param onlyActionGroups = toLower(readEnvironmentVariable('ONLY_ACTION_GROUPS', 'false')) == 'true'
param allowedAddresses = filter(split(readEnvironmentVariable('ALLOWED_ADDRESSES', ''), ','), range => !empty(range))
param secureWebhookClientId = readEnvironmentVariable('SECURE_WEBHOOK_CLIENT_ID', '')
param deployerId = readEnvironmentVariable('DEPLOYER_ID', '')
param retentionDays = int(readEnvironmentVariable('RETENTION_DAYS', '30'))
END
} >"$folder/main.bicepparam"
