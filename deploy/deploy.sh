#!/bin/sh
# Brings the bridge to Azure and leaves it running: resources, code, function key, alerts, one dry run.
#
#   deploy.sh                 all of it (`make deploy`); asks for what the environment does not say
#   deploy.sh --yes           the same without a question
#   deploy.sh --plan          shows what would change, and stops
#   deploy.sh --check         looks at the settings alone; needs no Azure
#   deploy.sh --second-phase  what comes after the code is there (azd calls this)
#   deploy.sh --undo          says how to remove it again
#
# Safe to run again: each step leaves alone what is as it should be, so a run that failed half way is
# finished by the next.  Settings that the environment does not name keep the value of the last run.
# Secrets go to az through the environment (main.bicepparam reads it) and to curl through stdin.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
package=${DEPLOY_PACKAGE:-$root/bin/package}
zip=${DEPLOY_ZIP:-$root/bin/triage.zip}
handler=${DEPLOY_HANDLER:-$package/bin/handler}
pause=${DEPLOY_PAUSE_S:-15} # seconds between tries of what takes Azure a while

MAIN=triage-main     # names of the two deployments, by which the next run finds this one's values
ALERTS=triage-alerts
FUNCTION=trigger-devin
KEY=action-group
OLDEST_AZ=60 # 2.60 knows Flex Consumption and .bicepparam

# Parameters of main.bicep that are no settings, and where they come from.
KNOBS='APP_NAME:appName HOSTING_PLAN:plan INSTANCE_MEMORY_MB:instanceMemoryMB MAX_INSTANCES:maximumInstances
    ALWAYS_READY_INSTANCES:alwaysReadyInstances ONLY_ACTION_GROUPS:onlyActionGroups
    SECURE_WEBHOOK_CLIENT_ID:secureWebhookClientId RETENTION_DAYS:retentionDays'

work=$(mktemp -d)
doing=
ended() {
    code=$?
    [ ! -t 0 ] || stty echo
    rm -rf "$work"
    [ "$code" = 0 ] || [ -z "$doing" ] ||
        printf '\nStopped at: %s.\nWhat is done stays as it is; run the same command again to go on from here.\n' "$doing" >&2
}
trap ended EXIT
trap 'exit 130' INT TERM

step() {
    doing=$1
    printf '\n== %s\n' "$doing"
}

die() {
    printf 'deploy.sh: %s\n' "$*" >&2
    exit 1
}

# --subscription for one call each: `az account set` would change it for whoever is logged in.
azure() { az "$@" ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"}; }

# Tries $1 times until the command succeeds; Azure's role assignments take minutes to be seen everywhere.
patiently() {
    left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        echo "not yet; again in $pause s ($left more)"
        sleep "$pause"
    done
}

is_given() { eval "[ -n \"\${$1+given}\" ]"; }
value_of() { eval "printf '%s' \"\${$1-}\""; }

# --- questions ---------------------------------------------------------------------------------

can_ask() { [ "$yes" = no ] && [ -t 0 ]; }

# ask NAME QUESTION [default|-]: fills the variable unless it is given; "-": may stay empty.
ask() {
    ! is_given "$1" || return 0
    answer=
    if can_ask; then
        case $1 in *KEY | *SECRET) stty -echo ;; esac
        case ${3-} in '' | -) printf '%s: ' "$2" ;; *) printf '%s [%s]: ' "$2" "$3" ;; esac
        IFS= read -r answer || true
        case $1 in *KEY | *SECRET) stty echo && echo ;; esac
    fi
    [ -n "$answer" ] || case ${3-} in '' | -) ;; *) answer=$3 ;; esac
    [ -n "$answer" ] || [ "${3-}" = - ] || die "$1 is not set: put it into the environment ($2)"
    export "$1=$answer"
}

agree() {
    [ "$yes" = no ] || return 0
    [ -t 0 ] || die "nobody is there to agree: look at the plan above, then run again with --yes"
    printf '%s [y/N] ' "$1"
    IFS= read -r answer || answer=
    case $answer in y | Y | yes) ;; *) doing= && echo "$2" && exit 0 ;; esac
}

# --- settings ----------------------------------------------------------------------------------

read_table() {
    [ -x "$handler" ] || die "$handler is not there: run \`make package\` first (\`make deploy\` does)"
    env -i "$handler" settings >"$work/table"
    # What the platform reads too comes from main.bicep.
    plain=$(awk '/^[A-Z]/ && !/^AzureWebJobs/ && $2 != "unset" { print $1 }' "$work/table")
    secret=$(awk '/^[A-Z]/ && !/^AzureWebJobs/ && $2 == "unset" { print $1 }' "$work/table")
}

# SSL_CERT_FILE belongs to this machine; the app's goes by another name.
variable_of() { [ "$1" = SSL_CERT_FILE ] && echo APP_SSL_CERT_FILE || echo "$1"; }

# Pairs the variables of $work/names with the lines of $work/last; what is given already wins.
take_over() {
    while IFS= read -r name <&3; do
        IFS= read -r value <&4 || break
        [ "$value" = None ] || is_given "$name" || export "$name=$value"
    done 3<"$work/names" 4<"$work/last"
}

is_at_rest() {
    state=$(azure deployment group list -g "$AZURE_RESOURCE_GROUP" --query "[?name=='$1'].properties.provisioningState" -o tsv) ||
        die "cannot read the deployments of $AZURE_RESOURCE_GROUP, and so not what was set last time"
    case $state in '' | Succeeded | Failed | Canceled) ;; *) echo "deployment $1 is still under way in Azure" && return 1 ;; esac
}

# Azure goes on with what an interrupted run has begun, and takes no second one of that name meanwhile.
has_deployment() {
    patiently 60 is_at_rest "$1" ||
        die "deployment $1 does not end: see the portal, or \`az deployment group cancel -g $AZURE_RESOURCE_GROUP -n $1\`, then run again"
    [ -n "$state" ]
}

recall() {
    if has_deployment "$ALERTS"; then
        printf '%s\n' MAIL_TO WATCHED_WORKSPACE_ID SECURE_WEBHOOK_OBJECT_ID SECURE_WEBHOOK_AUDIENCE SECURE_WEBHOOK_TENANT_ID >"$work/names"
        azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$ALERTS" -o tsv \
            --query "properties.parameters.[join(',', mailTo.value), watchedWorkspaceId.value, secureWebhook.value.objectId, secureWebhook.value.identifierUri, secureWebhook.value.tenantId]" >"$work/last"
        take_over
    fi
    has_deployment "$MAIN" || return 0
    echo "Values that the environment does not name are those of the last run."

    for name in $plain; do variable_of "$name"; done >"$work/names"
    azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$MAIN" -o tsv \
        --query "properties.parameters.settings.value.[$(echo "$plain" | paste -sd, -)]" >"$work/last"
    take_over

    : >"$work/names"
    query=
    for knob in $KNOBS; do
        echo "${knob%:*}" >>"$work/names"
        query=$query${query:+,}${knob#*:}.value
    done
    azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$MAIN" -o tsv \
        --query "properties.parameters.[$query]" >"$work/last"
    take_over

    if ! is_given ALLOWED_ADDRESSES; then
        ALLOWED_ADDRESSES=$(azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$MAIN" -o tsv \
            --query "join(',', properties.parameters.allowedAddresses.value || \`[]\`)")
        export ALLOWED_ADDRESSES
    fi
    recall_secrets
}

# Secrets can only be put into the vault, not read: which there are, the app's settings tell.
recall_secrets() {
    app=$(azure functionapp list -g "$AZURE_RESOURCE_GROUP" --query "[?tags.\"azd-service-name\"=='triage'].name" -o tsv)
    case $app in
    '') return 0 ;;
    *[!a-zA-Z0-9-]*) die "there are several bridges in $AZURE_RESOURCE_GROUP: give each a resource group of its own" ;;
    esac
    referenced=$(azure functionapp config appsettings list -g "$AZURE_RESOURCE_GROUP" -n "$app" \
        --query "[?starts_with(value, '@Microsoft.KeyVault(')].name" -o tsv)
    for name in $secret; do
        case " $(echo "$referenced" | tr '\n' ' ') " in *" $name "*) ;; *) continue ;; esac
        ! is_given "$name" || continue
        # Azure Monitor cannot send headers, so this one is needed for the action group's URL as well.
        if [ "$name" = WEBHOOK_SECRET ]; then
            ask WEBHOOK_SECRET "WEBHOOK_SECRET as it is now, or another one; to do without it run with WEBHOOK_SECRET= "
            continue
        fi
        KEPT_SECRETS="$KEPT_SECRETS${KEPT_SECRETS:+ }$name"
    done
    [ -z "$KEPT_SECRETS" ] || echo "Kept as they are in the vault: $KEPT_SECRETS"
}

is_kept() { case " $KEPT_SECRETS " in *" $1 "*) return 0 ;; *) return 1 ;; esac }

ask_for_settings() {
    ask TARGET_REPO "Repository that Devin analyses, such as https://github.com/org/repo"
    is_kept DEVIN_API_KEY || ask DEVIN_API_KEY "DEVIN_API_KEY (not shown)"
    ask WEBHOOK_SECRET "WEBHOOK_SECRET, asked of callers beside the function key (not shown; empty: none)" -
    session_secrets
    export KEPT_SECRETS
}

# Lines of NAME=value for main.bicepparam; those without a value here stay as they are in the vault.
session_secrets() {
    SESSION_SECRETS=
    for name in $(value_of DEVIN_SESSION_SECRETS | tr ',' ' '); do
        case $name in [!A-Za-z_]* | *[!A-Za-z0-9_]*) die "DEVIN_SESSION_SECRETS: \"$name\" is no name of a setting" ;; esac
        [ -n "$(value_of "$name")" ] || continue
        [ "$(value_of "$name" | wc -l)" -eq 0 ] ||
            die "$name has several lines: give it in one, in base64 for instance"
        SESSION_SECRETS="$SESSION_SECRETS$name=$(value_of "$name")
"
    done
    export SESSION_SECRETS
}

# The very values, judged by the very program, where its relative paths will lead.
check_settings() (
    if is_kept DEVIN_API_KEY; then
        # Which of the two APIs it is for is all that matters here.
        if [ -n "$(value_of DEVIN_ORG_ID)" ]; then DEVIN_API_KEY=cog_kept; else DEVIN_API_KEY=apk_kept; fi
        export DEVIN_API_KEY
    fi
    for name in $(value_of DEVIN_SESSION_SECRETS | tr ',' ' '); do
        case " $(echo "$referenced" | tr '\n' ' ') " in *" $name "*) [ -n "$(value_of "$name")" ] || export "$name=kept-in-the-vault" ;; esac
    done
    unset SSL_CERT_FILE AzureWebJobsStorage
    case $(value_of APP_SSL_CERT_FILE) in '' | /*) ;; *) export SSL_CERT_FILE="$APP_SSL_CERT_FILE" ;; esac
    export QUEUE="${QUEUE-on}" AzureWebJobsStorage__accountName=checked AzureWebJobsStorage__credential=managedidentity \
        AzureWebJobsStorage__clientId=checked AzureWebJobsStorage__queueServiceUri=https://checked.queue.core.windows.net/ \
        IDENTITY_ENDPOINT=http://127.0.0.1:1/ IDENTITY_HEADER=checked
    [ ! -d "$package" ] || cd "$package"
    "$handler" check
)

# --- before anything is changed ----------------------------------------------------------------

look_at_tools() {
    for tool in az curl; do
        command -v "$tool" >/dev/null 2>&1 || die "$tool is not installed: see https://aka.ms/azure-cli and https://curl.se"
    done
    version=$(az version --query '"azure-cli"' -o tsv)
    case $version in
    2.*) minor=${version#2.} ;;
    *) minor=$OLDEST_AZ ;; # of a generation to come
    esac
    [ "${minor%%.*}" -ge "$OLDEST_AZ" ] ||
        die "az $version is too old, 2.$OLDEST_AZ or newer is needed: run \`az upgrade\`"
    [ -f "$zip" ] || die "$zip is not there: run \`make package\` first (\`make deploy\` does)"
}

look_at_login() {
    account=$(azure account show --query "join(' as ', [name, user.name])" -o tsv) || die "not logged in: run \`az login\` first"
    echo "Subscription: $account"
}

# A group that exists has a region; for a new one, and for Flex in both, Azure is asked.
look_at_region() {
    has_group=no
    case $(azure group exists -n "$AZURE_RESOURCE_GROUP" -o tsv) in [Tt]rue) has_group=yes ;; esac
    if [ "$has_group" = yes ]; then
        AZURE_LOCATION=$(azure group show -n "$AZURE_RESOURCE_GROUP" --query location -o tsv)
    else
        ask AZURE_LOCATION "Region, such as westeurope"
        [ -n "$(azure account list-locations --query "[?name=='$AZURE_LOCATION'].name" -o tsv)" ] ||
            die "there is no region $AZURE_LOCATION: \`az account list-locations -o table\` lists them"
    fi
    echo "Resource group: $AZURE_RESOURCE_GROUP in $AZURE_LOCATION"
}

look_at_plan() {
    case ${HOSTING_PLAN:=flex} in
    flex)
        [ -n "$(azure functionapp list-flexconsumption-locations --query "[?name=='$AZURE_LOCATION'].name" -o tsv)" ] ||
            die "Flex Consumption is not in $AZURE_LOCATION: choose another AZURE_LOCATION (\`az functionapp list-flexconsumption-locations -o table\`) or HOSTING_PLAN=premium"
        ;;
    premium)
        [ -n "${DEPLOYER_ID-}" ] || DEPLOYER_ID=$(az ad signed-in-user show --query id -o tsv) ||
            die "Azure does not say who you are: set DEPLOYER_ID to the object id of who deploys"
        export DEPLOYER_ID
        ;;
    *) die "HOSTING_PLAN must be flex or premium" ;;
    esac
    export HOSTING_PLAN
}

# With one half alone the app would ask for tokens that Azure Monitor does not bring, and lose its alerts.
look_at_secure_webhook() {
    some='' missing=''
    for name in SECURE_WEBHOOK_CLIENT_ID SECURE_WEBHOOK_OBJECT_ID SECURE_WEBHOOK_AUDIENCE SECURE_WEBHOOK_TENANT_ID; do
        if [ -n "$(value_of "$name")" ]; then some=$name; else missing=$name; fi
    done
    [ -z "$some" ] || [ -z "$missing" ] || die "$missing is not set: the secure webhook needs all four that begin with SECURE_WEBHOOK_, or none"
}

# --- changing things ---------------------------------------------------------------------------

first_phase() {
    if [ "$has_group" = no ] && [ "$mode" = plan ]; then
        echo "There is no resource group $AZURE_RESOURCE_GROUP yet: it and all in deploy/main.bicep would be new."
        return 0
    elif [ "$has_group" = no ]; then
        agree "Make the resource group $AZURE_RESOURCE_GROUP in $AZURE_LOCATION? A plan can only be shown within one." \
            "Nothing was changed."
        step "making the resource group"
        azure group create -n "$AZURE_RESOURCE_GROUP" -l "$AZURE_LOCATION" -o none
    fi
    step "planning"
    azure deployment group what-if -g "$AZURE_RESOURCE_GROUP" -n "$MAIN" --parameters "$here/main.bicepparam"
    [ "$mode" != plan ] || return 0
    agree "Make it so?" "Nothing was changed, but that the resource group is there."
    step "making the resources (some minutes)"
    azure deployment group create -g "$AZURE_RESOURCE_GROUP" -n "$MAIN" --parameters "$here/main.bicepparam" -o none
}

read_outputs() {
    azure deployment group show -g "$AZURE_RESOURCE_GROUP" -n "$MAIN" -o tsv \
        --query "properties.outputs.[appName.value,functionHost.value,workspaceId.value,storageName.value,packageContainer.value,packageName.value,vaultName.value]" >"$work/outputs"
    {
        read -r APP_NAME && read -r host && read -r WORKSPACE_ID && read -r storage && read -r container && read -r blob && read -r vault
    } <"$work/outputs" || die "deployment $MAIN in $AZURE_RESOURCE_GROUP has no outputs: did it fail? Look at it in the portal under Deployments"
    export APP_NAME WORKSPACE_ID
}

publish() {
    step "bringing the code to $APP_NAME"
    if [ "$HOSTING_PLAN" = flex ]; then
        patiently 5 azure functionapp deployment source config-zip -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" --src "$zip" -o none
    else
        patiently 20 azure storage blob upload --auth-mode login --account-name "$storage" --container-name "$container" \
            --name "$blob" --file "$zip" --overwrite true -o none
        azure functionapp restart -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" -o none
        id=$(azure functionapp show -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" --query id -o tsv)
        az rest --method post --url "$id/syncfunctiontriggers?api-version=2025-03-01" -o none
    fi
}

has_function() {
    azure functionapp function show -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" --function-name "$FUNCTION" --query name -o tsv >"$work/function"
}

# A key of its own: changing it cuts off nobody else.
function_key() {
    step "waiting for the function"
    patiently 20 has_function
    step "making the function key $KEY"
    there=$(azure functionapp function keys list -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" --function-name "$FUNCTION" \
        --query "contains(keys(@), '$KEY')" -o tsv)
    case $there in [Tt]rue) return 0 ;; esac
    azure functionapp function keys set -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" \
        --function-name "$FUNCTION" --key-name "$KEY" -o none
}

alerts() {
    step "making the alerts call it"
    export KEY_NAME="$KEY"
    patiently 3 azure deployment group create -g "$AZURE_RESOURCE_GROUP" -n "$ALERTS" --parameters "$here/alerts.bicepparam" -o none
}

# For a value between double quotes of curl's configuration.
quoted() { sed 's/[\\"]/\\&/g'; }

dry_run_request() {
    printf 'url = "https://%s/api/%s?dryRun=1&code=%s"\n' "$host" "$FUNCTION" "$(printf '%s' "$code" | sed 's/+/%2B/g')"
    printf 'header = "Content-Type: application/json"\n'
    [ -z "${WEBHOOK_SECRET-}" ] || printf 'header = "X-Webhook-Secret: %s"\n' "$(printf '%s' "$WEBHOOK_SECRET" | quoted)"
    printf 'data = "%s"\n' "$(printf '%s' '{"alertName":"deployment check","severity":4,"description":"Sent by deploy.sh to see the way from end to end.","source":"deploy"}' | quoted)"
    printf 'silent\nshow-error\nmax-time = 60\noutput = "%s"\nwrite-out = "%%{http_code}"\n' "$work/reply"
}

was_dry_run() {
    status=$(dry_run_request | curl --config -) || status=000
    [ "$status" = 200 ] && grep -q '"action":"dry-run"' "$work/reply" && return 0
    echo "answered $status"
    return 1
}

dry_run() {
    step "sending one alert as a dry run"
    code=$(azure functionapp function keys list -g "$AZURE_RESOURCE_GROUP" -n "$APP_NAME" --function-name "$FUNCTION" \
        --query "\"$KEY\"" -o tsv)
    tries=12
    until was_dry_run; do
        case $status,${ONLY_ACTION_GROUPS-},${SECURE_WEBHOOK_CLIENT_ID-} in
        403,[Tt]rue,* | 401,*,?*)
            echo "As asked for, only Azure Monitor may reach it, so this machine cannot try it: use the action group's Test button."
            return 0
            ;;
        esac
        tries=$((tries - 1))
        case $status in 400 | 413) tries=0 ;; esac # another try will not change that; keys and secrets take a while
        if [ "$tries" -le 0 ]; then
            [ ! -s "$work/reply" ] || printf 'It says: %s\n' "$(head -c 600 "$work/reply")" >&2
            ! grep -qs 'Key Vault reference' "$work/reply" ||
                die "the app could not read the vault yet: run the same command again, which makes it look anew"
            die "the function does not answer as it should; what its log says: Application Insights of $APP_NAME, table traces"
        fi
        sleep "$pause"
    done
    echo "The way is open: the alert was understood, and nothing was sent to Devin."
}

second_phase() {
    function_key
    alerts
    dry_run
}

done_saying() {
    doing=
    cat <<END

It runs: https://$host/api/$FUNCTION
(callers add ?code=<function key>: portal > Function App $APP_NAME > Functions > $FUNCTION > Function keys)

What to click next:
  1. Each address in MAIL_TO has mail from Azure: confirm it, or alerts about the bridge reach nobody.
  2. Portal > Monitor > Alerts > Alert rules > yours > Edit > Actions: choose the action group $APP_NAME-triage.
  3. Portal > Monitor > Alerts > Action groups > $APP_NAME-triage > Test: a session opens in Devin.
  deploy/README.md, "Verify on the first deployment", has the rest.
END
    undo
}

undo() {
    cat <<END

To undo: az group delete -n ${AZURE_RESOURCE_GROUP:-<resource group>}      (with everything else in that group)
         az keyvault purge -n ${vault:-<vault>}      (its deleted vault would keep the secrets, and its name, for 90 days)
END
}

# --- which of it -------------------------------------------------------------------------------

yes=no
mode=all
for word in "$@"; do
    case $word in
    --yes | -y) yes=yes ;;
    --plan) mode=plan ;;
    --check) mode=check ;;
    --second-phase) mode=second ;;
    --undo) mode=undo ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0" && exit 2 ;;
    esac
done

KEPT_SECRETS=${KEPT_SECRETS-}
referenced=
has_group=yes

case $mode in
undo)
    undo
    exit 0
    ;;
check)
    read_table
    ask_for_settings
    check_settings || die "mend these settings, then run again"
    exit 0
    ;;
esac

step "looking at tools, login, region and settings"
look_at_tools
look_at_login
ask AZURE_RESOURCE_GROUP "Resource group" triage
read_table
look_at_region
[ "$has_group" = no ] || recall
if [ "$mode" = second ]; then
    # azd keeps its deployment under a name of its own and hands on the outputs as variables.
    host=$(value_of functionHost) APP_NAME=$(value_of appName) WORKSPACE_ID=$(value_of workspaceId)
    vault=$(value_of vaultName)
    [ -n "$host" ] || die "azd has not said functionHost: run \`azd provision\` first"
    recall_secrets
    export APP_NAME WORKSPACE_ID
    ask MAIL_TO "Mail addresses that are told when the bridge is in trouble, joined by commas"
    second_phase
    done_saying
    exit 0
fi
look_at_plan
look_at_secure_webhook
ask_for_settings
check_settings || die "mend these settings, then run again"
ask MAIL_TO "Mail addresses that are told when the bridge is in trouble, joined by commas"

first_phase
if [ "$mode" = plan ]; then
    doing=
    echo "That is the plan; nothing was changed."
    exit 0
fi
read_outputs
publish
second_phase
done_saying
