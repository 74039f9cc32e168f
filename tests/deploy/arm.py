#!/usr/bin/env python3
"""What deploy/*.bicep becomes, checked without a subscription.

Bicep itself says what a deployment would make (`bicep snapshot`), for several sets of parameters.  Each
rule below looks at that, or at the compiled template, and yields what is wrong.  A rule that cannot fail
is worth nothing: the self-test breaks the templates in the ways listed beside each rule, and every
break must be noticed by that very rule.

    arm.py BICEP HANDLER QUERIES      QUERIES: where the alert rules' queries are written, for queries.js
"""

import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
OWN_WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/bridge-logs"
OTHER_WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.OperationalInsights/workspaces/shop"
)

# What the platform reads; all else that the app is given must be a row of our own table.
PLATFORM_SETTINGS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "DEPLOYED_AT",
}
PREMIUM_SETTINGS = {
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
}
# Given to the app whether or not this handler already knows it.
OWN_SETTINGS = {"QUEUE"}

# Microsoft's own list of what must not be carried to Flex Consumption.
NOT_ON_FLEX = re.compile(
    r"FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT|"
    r"WEBSITE_MOUNT_ENABLED|WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT|WEBSITE_VNET_ROUTE_ALL|"
    r"SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|FUNCTIONS_MAX_HTTP_CONCURRENCY"
)

BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
ACTION_GROUP_CALLER = "461e8683-5575-4561-ac7f-899cc907d62a"

SECRETS = {
    "DEVIN_API_KEY": "apk_probe-api-key",
    "WEBHOOK_SECRET": "probe webhook&secret",
    "WEBHOOK_SECRET_PREVIOUS": "probe-previous",
    "SESSION_SECRETS": "NPM_TOKEN=probe-npm=token\nQUEUE=probe-queue",
}
PLAIN = {"TARGET_REPO": "https://github.com/org/repo", "DEVIN_API_KEY": SECRETS["DEVIN_API_KEY"]}

# Name: template, environment of its parameter file.
SCENARIOS = {
    "flex": ("main", PLAIN),
    "full": (
        "main",
        PLAIN
        | SECRETS
        | {
            "APP_NAME": "bridge",
            "DEVIN_SESSION_SECRETS": "NPM_TOKEN, QUEUE",
            "ONLY_ACTION_GROUPS": "true",
            "ALLOWED_ADDRESSES": "192.0.2.0/24",
            "SECURE_WEBHOOK_CLIENT_ID": "33333333-3333-3333-3333-333333333333",
            "ALWAYS_READY_INSTANCES": "1",
        },
    ),
    "premium": ("main", PLAIN | {"HOSTING_PLAN": "premium", "DEPLOYER_ID": "44444444-4444-4444-4444-444444444444"}),
    "kept": ("main", PLAIN | {"DEVIN_API_KEY": "", "KEPT_SECRETS": "DEVIN_API_KEY WEBHOOK_SECRET", "QUEUE": "off"}),
    "alerts": ("alerts", {"APP_NAME": "bridge", "WORKSPACE_ID": OWN_WORKSPACE, "MAIL_TO": "ops@example.com"}),
    "alerts-full": (
        "alerts",
        {
            "APP_NAME": "bridge",
            "WORKSPACE_ID": OWN_WORKSPACE,
            "MAIL_TO": "ops@example.com,dev@example.com",
            "KEY_NAME": "action-group",
            "WEBHOOK_SECRET": SECRETS["WEBHOOK_SECRET"],
            "WATCHED_WORKSPACE_ID": OTHER_WORKSPACE,
            "SECURE_WEBHOOK_OBJECT_ID": "55555555-5555-5555-5555-555555555555",
            "SECURE_WEBHOOK_AUDIENCE": "api://bridge",
            "SECURE_WEBHOOK_TENANT_ID": TENANT,
        },
    ),
    "alerts-itself": (
        "alerts",
        {
            "APP_NAME": "bridge",
            "WORKSPACE_ID": OWN_WORKSPACE,
            "MAIL_TO": "ops@example.com",
            "WATCHED_WORKSPACE_ID": OWN_WORKSPACE.upper(),
        },
    ),
}
MAIN = [name for name, (template, _) in SCENARIOS.items() if template == "main"]
ALERTS = [name for name, (template, _) in SCENARIOS.items() if template == "alerts"]


# --- gathering ------------------------------------------------------------------------------------


def run(*command, env=None, cwd=None):
    # Variables of whoever runs this must not become parameters.
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    base["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"
    done = subprocess.run(command, env=base | (env or {}), cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr.strip():
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def snapshot(bicep, folder, template, env):
    run(
        bicep,
        "snapshot",
        folder / f"{template}.bicepparam",
        "--mode",
        "overwrite",
        "--subscription-id",
        SUBSCRIPTION,
        "--tenant-id",
        TENANT,
        "--resource-group",
        "rg",
        "--location",
        "westeurope",
        env=env,
    )
    return json.loads((folder / f"{template}.snapshot.json").read_text())


def table_of(handler):
    """Rows of `handler settings` that are ours alone: (name, is_secret, is_required)."""
    said = subprocess.run([handler, "settings"], env={}, capture_output=True, text=True, check=True).stdout
    lines = said.splitlines()
    return [
        (line.split()[0], line.split()[1] == "unset", lines[i + 1].strip().startswith("required;"))
        for i, line in enumerate(lines)
        if re.match(r"(?!AzureWebJobs)[A-Z]", line)
    ]


def camel(name):
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def gather(bicep, handler):
    with tempfile.TemporaryDirectory() as made:
        bare = pathlib.Path(made)
        # Without @secure() Bicep also shows where the secrets would go.
        for file in DEPLOY.glob("*.bicep*"):
            (bare / file.name).write_text(re.sub(r"^ *@secure\(\)\n", "", file.read_text(), flags=re.M))
        shutil.copy(DEPLOY / "bicepconfig.json", bare)
        (bare / "bicepconfig.json").write_text('{"analyzers":{"core":{"enabled":false}}}')
        world = {
            "table": table_of(handler),
            "example": json.loads((ROOT / "local.settings.json.example").read_text())["Values"],
            "templates": {
                name: json.loads(run(bicep, "build", DEPLOY / f"{name}.bicep", "--stdout"))
                for name in ("main", "alerts")
            },
        }
        rows = [name for name, is_secret, _ in world["table"] if not is_secret]
        env = {("APP_" + name if name == "SSL_CERT_FILE" else name): f"value of {name}" for name in rows}
        said = json.loads(run(bicep, "build-params", bare / "main.bicepparam", "--stdout", env=env))
        world["all settings"] = json.loads(said["parametersJson"])["parameters"]["settings"]["value"]
        for name, (template, env) in SCENARIOS.items():
            world[name] = snapshot(bicep, bare, template, env)
    return world


# --- looking --------------------------------------------------------------------------------------


def resources(made, kind):
    """Resources of one type that would be made: those whose condition is not known to be false."""
    return [
        r for r in made["predictedResources"] if r["type"].lower() == kind.lower() and r.get("condition") is not False
    ]


def only(made, kind):
    found = resources(made, kind)
    assert len(found) == 1, f"{kind}: {len(found)} of them"
    return found[0]


def settings_of(made):
    return next(
        r["properties"] for r in resources(made, "Microsoft.Web/sites/config") if r["name"].endswith("/appsettings")
    )


def member(thing, *path):
    for step in path:
        thing = thing.get(step) if isinstance(thing, dict) else None
    return thing


def strings(thing, path=""):
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from strings(value, f"{path}.{key}")
    elif isinstance(thing, list):
        for value in thing:
            yield from strings(value, path)
    elif isinstance(thing, str):
        yield path, thing


def wants(thing, *path, value, where):
    found = member(thing, *path)
    if found != value:
        yield f"{where}: {'.'.join(path)} is {found!r}, wanted {value!r}"


# --- rules: yield what is wrong.  Beside each, how to break it. ---------------------------------------

RULES = []


def rule(*breaks):
    """Each break is a function that spoils a world."""

    def keep(function):
        RULES.append((function, breaks))
        return function

    return keep


def setter(scenario, kind, *path, to):
    def spoil(world):
        thing = resources(world[scenario], kind)[0]
        for step in path[:-1]:
            thing = thing[step]
        thing[path[-1]] = to

    return spoil


def app_setting(scenario, name, value):
    def spoil(world):
        settings_of(world[scenario])[name] = value

    return spoil


STORAGE = "Microsoft.Storage/storageAccounts"
SITE = "Microsoft.Web/sites"
VAULT = "Microsoft.KeyVault/vaults"
INSIGHTS = "Microsoft.Insights/components"
ROLE = "Microsoft.Authorization/roleAssignments"
GROUPS = "Microsoft.Insights/actionGroups"
QUERY = "Microsoft.Insights/scheduledQueryRules"


@rule(
    setter("flex", SITE, "properties", "httpsOnly", to=False),
    setter("premium", STORAGE, "properties", "supportsHttpsTrafficOnly", to=False),
)
def https_only(world):
    for name in MAIN:
        yield from wants(only(world[name], SITE), "properties", "httpsOnly", value=True, where=name)
        yield from wants(only(world[name], STORAGE), "properties", "supportsHttpsTrafficOnly", value=True, where=name)


@rule(
    setter("flex", SITE, "properties", "siteConfig", "minTlsVersion", to="1.0"),
    setter("full", SITE, "properties", "siteConfig", "scmMinTlsVersion", to="1.1"),
    setter("kept", STORAGE, "properties", "minimumTlsVersion", to="TLS1_0"),
)
def tls_floor(world):
    for name in MAIN:
        for setting in ("minTlsVersion", "scmMinTlsVersion"):
            if member(only(world[name], SITE), "properties", "siteConfig", setting) not in ("1.2", "1.3"):
                yield f"{name}: {setting} is below 1.2"
        if member(only(world[name], STORAGE), "properties", "minimumTlsVersion") not in ("TLS1_2", "TLS1_3"):
            yield f"{name}: storage takes TLS below 1.2"


@rule(
    setter("flex", SITE, "properties", "siteConfig", "ftpsState", to="FtpsOnly"),
    setter("flex", f"{SITE}/basicPublishingCredentialsPolicies", "properties", "allow", to=True),
    lambda world: world["full"]["predictedResources"].remove(
        resources(world["full"], f"{SITE}/basicPublishingCredentialsPolicies")[1]
    ),
    setter("flex", SITE, "properties", "siteConfig", "remoteDebuggingEnabled", to=True),
)
def no_ftp_and_no_passwords(world):
    for name in MAIN:
        site = only(world[name], SITE)
        yield from wants(site, "properties", "siteConfig", "ftpsState", value="Disabled", where=name)
        yield from wants(site, "properties", "siteConfig", "remoteDebuggingEnabled", value=False, where=name)
        policies = resources(world[name], f"{SITE}/basicPublishingCredentialsPolicies")
        closed = {r["name"].split("/")[-1] for r in policies if member(r, "properties", "allow") is False}
        if closed != {"ftp", "scm"}:
            yield f"{name}: passwords are refused by {sorted(closed)} alone"


@rule(
    setter("flex", STORAGE, "properties", "allowSharedKeyAccess", to=True),
    setter("premium", STORAGE, "properties", "allowBlobPublicAccess", to=True),
    setter("flex", f"{STORAGE}/blobServices/containers", "properties", "publicAccess", to="Blob"),
    app_setting("flex", "AzureWebJobsStorage", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b"),
    app_setting("premium", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "x"),
    app_setting("full", "AzureWebJobsStorage__credential", "key"),
    app_setting("full", "AzureWebJobsStorage__accountName", "other"),
    lambda world: settings_of(world["kept"]).pop("AzureWebJobsStorage__clientId"),
)
def storage_by_identity(world):
    for name in MAIN:
        account = only(world[name], STORAGE)
        yield from wants(account, "properties", "allowSharedKeyAccess", value=False, where=name)
        yield from wants(account, "properties", "allowBlobPublicAccess", value=False, where=name)
        container = only(world[name], f"{STORAGE}/blobServices/containers")
        yield from wants(container, "properties", "publicAccess", value="None", where=name)
        given = settings_of(world[name])
        yield from wants(given, "AzureWebJobsStorage__accountName", value=account["name"], where=name)
        yield from wants(given, "AzureWebJobsStorage__credential", value="managedidentity", where=name)
        for setting in ("clientId", "blobServiceUri", "queueServiceUri"):
            if not given.get(f"AzureWebJobsStorage__{setting}"):
                yield f"{name}: AzureWebJobsStorage__{setting} is missing"
        if "clientId" not in given.get("AzureWebJobsStorage__clientId", ""):
            yield f"{name}: AzureWebJobsStorage__clientId is not the identity's"
        for setting in given:
            if setting == "AzureWebJobsStorage" or setting.startswith("WEBSITE_CONTENT"):
                yield f"{name}: {setting} is a connection string with a key"


@rule(
    setter("flex", SITE, "identity", "type", to="SystemAssigned"),
    setter("flex", SITE, "properties", "keyVaultReferenceIdentity", to="SystemAssigned"),
    setter(
        "full",
        SITE,
        "properties",
        "functionAppConfig",
        "deployment",
        "storage",
        "authentication",
        "type",
        to="StorageAccountConnectionString",
    ),
)
def one_identity(world):
    for name in MAIN:
        identity = only(world[name], "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
        site = only(world[name], SITE)
        yield from wants(site, "identity", "type", value="UserAssigned", where=name)
        yield from wants(site, "identity", "userAssignedIdentities", value={identity: {}}, where=name)
        yield from wants(site, "properties", "keyVaultReferenceIdentity", value=identity, where=name)
        if name != "premium":
            path = ("properties", "functionAppConfig", "deployment", "storage", "authentication")
            yield from wants(site, *path, "type", value="UserAssignedIdentity", where=name)
            yield from wants(site, *path, "userAssignedIdentityResourceId", value=identity, where=name)


def add_role(world):
    extra = copy.deepcopy(resources(world["flex"], ROLE)[0])
    extra["properties"]["roleDefinitionId"] = "x/17d1049b-9a84-46fb-8f53-869881c3d3ab"
    world["flex"]["predictedResources"].append(extra)


def widen_role(world):
    for role in resources(world["full"], ROLE):
        role["id"] = re.sub(r"/queueServices/default/queues/[a-z-]+(/providers/)", r"\1", role["id"])


@rule(
    add_role,
    widen_role,
    lambda world: world["kept"]["predictedResources"].remove(resources(world["kept"], ROLE)[0]),
    setter("premium", ROLE, "properties", "principalId", to="somebody"),
)
def least_roles(world):
    for name in MAIN:
        account = only(world[name], STORAGE)["id"]
        wanted = {
            (account, BLOB_OWNER),
            (f"{account}/queueServices/default/queues/triage", QUEUE_CONTRIBUTOR),
            (f"{account}/queueServices/default/queues/triage-poison", QUEUE_CONTRIBUTOR),
            (only(world[name], VAULT)["id"], SECRETS_USER),
            (only(world[name], INSIGHTS)["id"], METRICS_PUBLISHER),
        }
        if name == "premium":
            wanted.add((f"{account}/blobServices/default/containers/app-package", BLOB_CONTRIBUTOR))
        found = set()
        for role in resources(world[name], ROLE):
            scope = role["id"].split("/providers/Microsoft.Authorization/")[0]
            which = role["properties"]["roleDefinitionId"].split("/")[-1]
            found.add((scope, which))
            who = role["properties"]["principalId"]
            if which != BLOB_CONTRIBUTOR and "userAssignedIdentities" not in who:
                yield f"{name}: {which} goes to {who}"
        for scope, which in found ^ wanted:
            yield f"{name}: role {which} on {scope}: {'too much' if (scope, which) in found else 'missing'}"


@rule(
    setter("flex", VAULT, "properties", "enableRbacAuthorization", to=False),
    setter("full", VAULT, "properties", "enableSoftDelete", to=False),
    setter("full", VAULT, "properties", "accessPolicies", to=[{}]),
)
def vault_by_role(world):
    for name in MAIN:
        vault = only(world[name], VAULT)
        yield from wants(vault, "properties", "enableRbacAuthorization", value=True, where=name)
        yield from wants(vault, "properties", "enableSoftDelete", value=True, where=name)
        if member(vault, "properties", "accessPolicies"):
            yield f"{name}: the vault has access policies"


@rule(
    app_setting("full", "WEBHOOK_SECRET", SECRETS["WEBHOOK_SECRET"]),
    app_setting("flex", "DEVIN_API_KEY", ""),
    app_setting("kept", "WEBHOOK_SECRET", ""),
    app_setting("flex", "WEBHOOK_SECRET", "@Microsoft.KeyVault(VaultName=x;SecretName=WEBHOOK-SECRET)"),
    app_setting("full", "NPM_TOKEN", "probe"),
    lambda world: world["full"]["predictedResources"].remove(resources(world["full"], f"{VAULT}/secrets")[1]),
)
def secrets_are_references(world):
    wanted = {
        "flex": {"DEVIN_API_KEY"},
        "premium": {"DEVIN_API_KEY"},
        "kept": {"DEVIN_API_KEY", "WEBHOOK_SECRET"},
        "full": {"DEVIN_API_KEY", "WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS", "NPM_TOKEN"},
    }
    for name in MAIN:
        given = settings_of(world[name])
        vault = only(world[name], VAULT)["name"]
        kept = {r["name"].split("/")[-1] for r in resources(world[name], f"{VAULT}/secrets")}
        for setting in {s for s, is_secret, _ in world["table"] if is_secret} | {"NPM_TOKEN"}:
            reference = f"@Microsoft.KeyVault(VaultName={vault};SecretName={setting.replace('_', '-')})"
            value = given.get(setting, "")
            if value != (reference if setting in wanted[name] else ""):
                yield f"{name}: {setting} is {value!r}"
            if setting in wanted[name] and name != "kept" and setting.replace("_", "-") not in kept:
                yield f"{name}: {setting} is not in the vault"


@rule(
    app_setting("full", "APPLICATIONINSIGHTS_CONNECTION_STRING", "see " + SECRETS["DEVIN_API_KEY"]),
    setter("full", SITE, "tags", "note", to=SECRETS["WEBHOOK_SECRET"]),
    lambda world: world["full"]["outputs"].update(KEY="probe-npm=token"),
)
def secrets_only_in_the_vault(world):
    probes = [SECRETS["DEVIN_API_KEY"], SECRETS["WEBHOOK_SECRET"], "probe-previous", "probe-npm=token"]
    for name in MAIN:
        for made in world[name]["predictedResources"] + [{"type": "output", **world[name]["outputs"]}]:
            for path, text in strings(made):
                is_home = made["type"] == f"{VAULT}/secrets" and path == ".properties.value"
                if not is_home and any(probe in text for probe in probes):
                    yield f"{name}: a secret in {made['type']}{path}"


@rule(
    lambda world: world["templates"]["main"]["parameters"]["devinApiKey"].update(type="string"),
    lambda world: world["templates"]["main"]["parameters"]["sessionSecrets"].update(type="object"),
    lambda world: world["templates"]["alerts"]["parameters"]["webhookSecret"].update(type="string"),
    lambda world: world["templates"]["main"]["parameters"]["webhookSecret"].update(defaultValue="changeme"),
    lambda world: world["table"].append(("NEW_SECRET", True, False)),
)
def secrets_enter_secure(world):
    secure = {
        "main": [camel(s) for s, is_secret, _ in world["table"] if is_secret] + ["sessionSecrets"],
        "alerts": ["webhookSecret"],
    }
    for name, wanted in secure.items():
        for parameter in wanted:
            found = world["templates"][name]["parameters"].get(parameter, {})
            if found.get("type", "").lower() not in ("securestring", "secureobject"):
                yield f"{name}: parameter {parameter} is {found.get('type', 'missing')}, not secure"
            if found.get("defaultValue"):
                yield f"{name}: parameter {parameter} has a default"


@rule(
    lambda world: world["templates"]["main"]["outputs"].update(
        KEY={"type": "string", "value": "[listKeys('x', '1').key1]"}
    ),
    lambda world: world["templates"]["main"]["outputs"].update(
        KEY={"type": "string", "value": "[parameters('devinApiKey')]"}
    ),
    lambda world: world["templates"]["alerts"]["outputs"].update(
        KEY={"type": "string", "value": "[parameters('webhookSecret')]"}
    ),
    lambda world: world["templates"]["main"]["resources"]["app"]["properties"].update(x="[listKeys('x', '1').key1]"),
    lambda world: world["templates"]["alerts"]["resources"]["mailGroup"]["properties"].update(
        x="[listKeys('x', '1').a]"
    ),
)
def keys_stay_inside(world):
    for name, template in world["templates"].items():
        for path, text in strings(template["outputs"]):
            if re.search(r"list[A-Z]\w*\(|parameters\('\w*(secret|apikey)\w*'\)", text, re.I):
                yield f"{name}: output{path} holds a secret"
        for resource, made in template["resources"].items():
            for path, text in strings(made):
                is_url = resource == "triageGroup" and path == ".properties.webhookReceivers"
                if re.search(r"\blist[A-Z]\w*\(", text) and not is_url:
                    yield f"{name}: {resource}{path} reads a key"


@rule(
    setter("flex", INSIGHTS, "properties", "DisableLocalAuth", to=False),
    setter("full", INSIGHTS, "properties", "WorkspaceResourceId", to=None),
    app_setting("premium", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", ""),
)
def telemetry_by_entra(world):
    for name in MAIN:
        insights = only(world[name], INSIGHTS)
        workspace = only(world[name], "Microsoft.OperationalInsights/workspaces")["id"]
        yield from wants(insights, "properties", "DisableLocalAuth", value=True, where=name)
        yield from wants(insights, "properties", "WorkspaceResourceId", value=workspace, where=name)
        said = settings_of(world[name]).get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "")
        if "Authorization=AAD" not in said or "clientId" not in said:
            yield f"{name}: telemetry is sent without Entra"


@rule(
    setter("flex", SITE, "properties", "functionAppConfig", "runtime", "name", to="go"),
    setter("flex", "Microsoft.Web/serverfarms", "sku", "name", to="Y1"),
    app_setting("flex", "FUNCTIONS_WORKER_RUNTIME", "custom"),
    app_setting("full", "WEBSITE_RUN_FROM_PACKAGE", "1"),
)
def flex_as_flex_wants_it(world):
    for name in MAIN:
        if name == "premium":
            continue
        yield from wants(only(world[name], "Microsoft.Web/serverfarms"), "sku", "name", value="FC1", where=name)
        config = member(only(world[name], SITE), "properties", "functionAppConfig")
        yield from wants(config, "runtime", value={"name": "custom", "version": "1.0"}, where=name)
        for setting in settings_of(world[name]):
            if NOT_ON_FLEX.match(setting):
                yield f"{name}: {setting} must not be set on Flex"


@rule(
    setter("premium", "Microsoft.Web/serverfarms", "sku", "tier", to="Dynamic"),
    app_setting("premium", "FUNCTIONS_WORKER_RUNTIME", "node"),
    app_setting("premium", "WEBSITE_RUN_FROM_PACKAGE", "1"),
    lambda world: settings_of(world["premium"]).pop("WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID"),
    setter("premium", SITE, "properties", "functionAppConfig", to={}),
    setter("premium", SITE, "properties", "siteConfig", "linuxFxVersion", to="NODE|22"),
)
def premium_as_premium_wants_it(world):
    made = world["premium"]
    given = settings_of(made)
    yield from wants(
        only(made, "Microsoft.Web/serverfarms"), "sku", value={"name": "EP1", "tier": "ElasticPremium"}, where="premium"
    )
    yield from wants(given, "FUNCTIONS_WORKER_RUNTIME", value="custom", where="premium")
    yield from wants(given, "FUNCTIONS_EXTENSION_VERSION", value="~4", where="premium")
    identity = only(made, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    yield from wants(given, "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID", value=identity, where="premium")
    yield from wants(only(made, SITE), "properties", "functionAppConfig", value=None, where="premium")
    # Empty means: what is in the package, no image and no language of theirs.
    yield from wants(only(made, SITE), "properties", "siteConfig", "linuxFxVersion", value="", where="premium")
    if "app-package" not in given["WEBSITE_RUN_FROM_PACKAGE"]:
        yield "premium: the package is not the one in our container: another needs a storage key"


@rule(
    app_setting("flex", "QUEUE", "off"),
    app_setting("kept", "QUEUE", "perhaps"),
    app_setting("full", "QUEUE", "@Microsoft.KeyVault(VaultName=x;SecretName=QUEUE)"),
    lambda world: world["flex"]["predictedResources"].remove(
        resources(world["flex"], f"{STORAGE}/queueServices/queues")[0]
    ),
)
def queue_is_on(world):
    for name in MAIN:
        # "kept" turns it off; in "full" a session's secret of that name must not.
        value = "off" if name == "kept" and "QUEUE" in dict.fromkeys(row[0] for row in world["table"]) else "on"
        yield from wants(settings_of(world[name]), "QUEUE", value=value, where=name)
        queues = {r["name"].split("/")[-1] for r in resources(world[name], f"{STORAGE}/queueServices/queues")}
        if queues != {"triage", "triage-poison"}:
            yield f"{name}: queues are {sorted(queues)}"


@rule(
    setter("full", SITE, "properties", "siteConfig", "ipSecurityRestrictionsDefaultAction", to="Allow"),
    setter("full", SITE, "properties", "siteConfig", "ipSecurityRestrictions", to=[]),
    setter("full", SITE, "properties", "siteConfig", "scmIpSecurityRestrictionsUseMain", to=True),
    setter("flex", SITE, "properties", "siteConfig", "ipSecurityRestrictionsDefaultAction", to="Deny"),
)
def restriction_when_asked_for(world):
    config = member(only(world["full"], SITE), "properties", "siteConfig")
    yield from wants(config, "ipSecurityRestrictionsDefaultAction", value="Deny", where="full")
    yield from wants(config, "scmIpSecurityRestrictionsUseMain", value=False, where="full")
    allowed = [(r.get("tag"), r["ipAddress"]) for r in config["ipSecurityRestrictions"] if r["action"] == "Allow"]
    if allowed != [("ServiceTag", "ActionGroup"), (None, "192.0.2.0/24")]:
        yield f"full: allowed are {allowed}"
    for setting in member(only(world["flex"], SITE), "properties", "siteConfig"):
        if setting.startswith("ipSecurity"):
            yield f"flex: {setting} is set unasked"


def sign_in(world, name):
    return [r for r in resources(world[name], f"{SITE}/config") if r["name"].endswith("/authsettingsV2")]


@rule(
    lambda world: sign_in(world, "full")[0]["properties"]["globalValidation"].update(
        unauthenticatedClientAction="AllowAnonymous"
    ),
    lambda world: member(
        sign_in(world, "full")[0], "properties", "identityProviders", "azureActiveDirectory", "validation"
    ).update(defaultAuthorizationPolicy={}),
    lambda world: world["flex"]["predictedResources"].append(sign_in(world, "full")[0]),
)
def sign_in_when_asked_for(world):
    if sign_in(world, "flex"):
        yield "flex: asks for Entra tokens unasked"
    made = sign_in(world, "full")[0]
    yield from wants(made, "properties", "globalValidation", "requireAuthentication", value=True, where="full")
    yield from wants(
        made, "properties", "globalValidation", "unauthenticatedClientAction", value="Return401", where="full"
    )
    path = (
        "properties",
        "identityProviders",
        "azureActiveDirectory",
        "validation",
        "defaultAuthorizationPolicy",
        "allowedApplications",
    )
    yield from wants(made, *path, value=[ACTION_GROUP_CALLER], where="full")


@rule(
    lambda world: world["templates"]["main"]["resources"]["app"]["dependsOn"].remove("hostRole"),
    lambda world: world["templates"]["main"]["resources"]["app"]["dependsOn"].remove("secretsRole"),
    lambda world: world["templates"]["main"]["resources"]["appConfiguration"]["dependsOn"].remove("devinApiKeySecret"),
)
def roles_and_secrets_come_first(world):
    made = world["templates"]["main"]["resources"]
    for late, early in (
        ("app", {"hostRole", "queueRole", "secretsRole", "telemetryRole", "packageContainer"}),
        (
            "appConfiguration",
            {"devinApiKeySecret", "webhookSecretSecret", "webhookSecretPreviousSecret", "sessionSecret"},
        ),
    ):
        for missing in early - set(made[late]["dependsOn"]):
            yield f"main: {late} does not wait for {missing}"


@rule(
    lambda world: world["templates"]["main"]["resources"].update(x={"type": "Microsoft.Resources/deployments"}),
    lambda world: world["templates"]["alerts"]["resources"].update(x={"type": "Microsoft.Resources/deploymentScripts"}),
)
def raw_resources(world):
    for name, template in world["templates"].items():
        for resource, made in template["resources"].items():
            if made["type"].startswith("Microsoft.Resources/"):
                yield f"{name}: {resource} is {made['type']}: needs a registry or more rights"


# --- the table of settings ------------------------------------------------------------------------


@rule(
    lambda world: world["table"].append(("NEW_SETTING", False, False)),
    lambda world: world["table"].remove(("MAX_SEVERITY", False, False)),
    lambda world: member(world, "templates", "main", "definitions", "appSettings").update(additionalProperties=True),
    lambda world: member(world, "templates", "main", "definitions", "appSettings", "properties", "TARGET_REPO").update(
        nullable=True
    ),
    lambda world: world["all settings"].pop("MAX_SEVERITY"),
    lambda world: world["all settings"].update(MAX_SEVERITY="value of SSL_CERT_FILE"),
)
def every_setting_can_be_given(world):
    rows = {name: is_required for name, is_secret, is_required in world["table"] if not is_secret}
    kind = member(world, "templates", "main", "definitions", "appSettings")
    yield from wants(kind, "additionalProperties", value=False, where="appSettings")
    for name in set(rows) ^ set(kind["properties"]):
        yield f"{name}: {'not in deploy/settings.bicep' if name in rows else 'no row'}; run `make deploy-settings`"
    for name, made in kind["properties"].items():
        if rows.get(name) == made.get("nullable", False):
            yield f"{name}: whether it is required differs; run `make deploy-settings`"
    wanted = {name: f"value of {name}" for name in rows}
    for name in wanted:
        if world["all settings"].get(name) != wanted[name]:
            yield f"{name}: main.bicepparam makes {world['all settings'].get(name)!r} of it"


@rule(
    app_setting("flex", "MAX_SEVERITTY", "1"),
    app_setting("premium", "WEBSITE_NODE_DEFAULT_VERSION", "~4"),
    lambda world: world["example"].update(NOT_A_SETTING="x"),
)
def no_setting_unknown(world):
    rows = {name for name, _, _ in world["table"]}
    for name in MAIN:
        known = rows | PLATFORM_SETTINGS | OWN_SETTINGS | (PREMIUM_SETTINGS if name == "premium" else set())
        for setting in set(settings_of(world[name])) - known - {"NPM_TOKEN"}:
            yield f"{name}: {setting} is no row of the table and none of the platform's"
    for setting in set(world["example"]) - rows - {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}:
        yield f"local.settings.json.example: {setting} is no row of the table"


# --- the second phase -----------------------------------------------------------------------------

GROUP_IDS = {kind: f"{GROUP}/providers/{GROUPS}/bridge-{kind}" for kind in ("triage", "mail")}


def group_of(world, name, kind):
    return next(g for g in resources(world[name], GROUPS) if g["name"].endswith(kind))


@rule(
    lambda world: group_of(world, "alerts", "triage")["properties"]["webhookReceivers"][0].pop("useCommonAlertSchema"),
    lambda world: group_of(world, "alerts-full", "mail")["properties"]["emailReceivers"][1].update(
        useCommonAlertSchema=False
    ),
)
def common_alert_schema(world):
    for name in ALERTS:
        for group in resources(world[name], GROUPS):
            receivers = [r for key, value in group["properties"].items() if key.endswith("Receivers") for r in value]
            if not receivers:
                yield f"{name}: {group['name']} calls nobody"
            for receiver in receivers:
                if receiver.get("useCommonAlertSchema") is not True:
                    yield f"{name}: {group['name']}: {receiver['name']} does not use the common alert schema"


def url_of(world, name):
    return group_of(world, name, "triage")["properties"]["webhookReceivers"][0]["serviceUri"]


def change_url(name, old, new):
    def spoil(world):
        receiver = group_of(world, name, "triage")["properties"]["webhookReceivers"][0]
        assert old in receiver["serviceUri"], receiver["serviceUri"]
        receiver["serviceUri"] = receiver["serviceUri"].replace(old, new)

    return spoil


@rule(
    change_url("alerts", "https://", "http://"),
    change_url("alerts", "/api/trigger-devin?code=", "/api/retry-devin?code="),
    change_url("alerts-full", "uriComponent(list", "(list"),
    change_url("alerts-full", "probe%20webhook%26secret", SECRETS["WEBHOOK_SECRET"]),
    change_url("alerts-full", "['action-group']", "['default']"),
)
def action_group_calls_the_function(world):
    for name in ALERTS:
        url = url_of(world, name)
        if "https://{0}/api/trigger-devin?code={1}" not in url or "uriComponent(listKeys(" not in url:
            yield f"{name}: the URL is {url}"
    if "&token=probe%20webhook%26secret" not in url_of(world, "alerts-full"):
        yield "alerts-full: the second secret is not in the URL, or not escaped"
    if "token" in url_of(world, "alerts"):
        yield "alerts: a token without a secret"
    if ")['action-group']" not in url_of(world, "alerts-full") and "), 'action-group')" not in url_of(
        world, "alerts-full"
    ):
        yield "alerts-full: not the key that was named"


@rule(
    lambda world: group_of(world, "alerts-full", "triage")["properties"]["webhookReceivers"][0].pop("useAadAuth"),
    lambda world: group_of(world, "alerts", "triage")["properties"]["webhookReceivers"][0].update(useAadAuth=True),
)
def secure_webhook_when_asked_for(world):
    receiver = group_of(world, "alerts-full", "triage")["properties"]["webhookReceivers"][0]
    yield from wants(receiver, "useAadAuth", value=True, where="alerts-full")
    yield from wants(receiver, "identifierUri", value="api://bridge", where="alerts-full")
    yield from wants(receiver, "tenantId", value=TENANT, where="alerts-full")
    receiver = group_of(world, "alerts", "triage")["properties"]["webhookReceivers"][0]
    yield from wants(receiver, "useAadAuth", value=None, where="alerts")


def query(world, name, part):
    return next(r for r in resources(world[name], QUERY) if part in r["name"])


def retarget(name, part, group):
    def spoil(world):
        query(world, name, part)["properties"]["actions"]["actionGroups"] = [GROUP_IDS[group]]

    return spoil


@rule(
    retarget("alerts", "failures", "triage"),
    retarget("alerts-full", "poisoned", "triage"),
    retarget("alerts-itself", "restarts", "triage"),
    lambda world: query(world, "alerts-full", "example")["properties"].update(scopes=[OWN_WORKSPACE.upper()]),
    lambda world: group_of(world, "alerts", "mail")["properties"].update(
        webhookReceivers=[{"name": "x", "useCommonAlertSchema": True}]
    ),
    lambda world: world["alerts-itself"]["predictedResources"].append(query(world, "alerts-full", "example")),
)
def never_to_itself(world):
    for name in ALERTS:
        for made in resources(world[name], QUERY):
            is_about_us = OWN_WORKSPACE.lower() in map(str.lower, made["properties"]["scopes"])
            called = made["properties"]["actions"]["actionGroups"]
            if called != [GROUP_IDS["mail" if is_about_us else "triage"]]:
                yield f"{name}: {made['name']} calls {called}"
        others = set(group_of(world, name, "mail")["properties"]) - {"emailReceivers", "groupShortName", "enabled"}
        if others:
            yield f"{name}: the mail group also has {others}"
    if any("example" in r["name"] for r in resources(world["alerts-itself"], QUERY)):
        yield "alerts-itself: the bridge watches itself"


ABOUT = {"failures", "no-success", "restarts", "settings", "poisoned"}


@rule(
    lambda world: world["alerts"]["predictedResources"].remove(query(world, "alerts", "poisoned")),
    lambda world: query(world, "alerts", "failures")["properties"].update(enabled=False),
    lambda world: query(world, "alerts", "failures")["properties"]["criteria"]["allOf"][0].update(query="AppTraces"),
    lambda world: query(world, "alerts", "poisoned")["properties"]["criteria"]["allOf"][0].update(query="AppTraces"),
)
def rules_about_the_bridge(world):
    words = {
        "failures": ["status >= 500", "line.not_stored"],
        "no-success": ["fine == 0", '"deferred"'],
        "restarts": ['"listening"'],
        "settings": ['"handler: "'],
        "poisoned": ['"triage-poison"', '"poisoned"', '"not_poisoned"'],
    }
    for name in ALERTS:
        found = {r["name"].removeprefix("bridge-"): r for r in resources(world[name], QUERY)}
        for missing in ABOUT - set(found):
            yield f"{name}: no rule {missing}"
        for part in ABOUT & set(found):
            yield from wants(found[part], "properties", "enabled", value=True, where=f"{name}: {part}")
            for word in words[part]:
                if word not in found[part]["properties"]["criteria"]["allOf"][0]["query"]:
                    yield f"{name}: {part} does not ask for {word}"


@rule(
    lambda world: query(world, "alerts-full", "example")["properties"]["criteria"]["allOf"][0].pop("dimensions"),
    lambda world: query(world, "alerts-full", "example")["properties"]["criteria"]["allOf"][0]["dimensions"].pop(0),
)
def example_carries_dimensions(world):
    condition = query(world, "alerts-full", "example")["properties"]["criteria"]["allOf"][0]
    found = {d["name"] for d in condition.get("dimensions", [])}
    for missing in {"ExceptionType", "ProblemId", "OperationName", "AppRoleName"} - found:
        yield f"alerts-full: the example has no dimension {missing}"


# --- the whole ------------------------------------------------------------------------------------


def complaints(function, world):
    try:
        return list(function(world))
    except (AssertionError, IndexError, KeyError, StopIteration, TypeError, AttributeError, RuntimeError) as problem:
        return [f"cannot be judged: {problem!r}"]


def self_test(world):
    count = 0
    for function, breaks in RULES:
        assert breaks, function.__name__
        for number, spoil in enumerate(breaks, 1):
            broken = copy.deepcopy(world)
            spoil(broken)
            if not complaints(function, broken):
                sys.exit(f"arm.py: self-test: {function.__name__} does not notice break {number}")
            count += 1
    print(f"arm: self-test fine ({len(RULES)} rules, {count} breaks noticed)")


def main():
    bicep, handler, queries = sys.argv[1:]
    world = gather(bicep, handler)
    wrong = [f"{function.__name__}: {text}" for function, _ in RULES for text in complaints(function, world)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"arm: fine ({len(RULES)} rules over {len(SCENARIOS)} deployments)")
    self_test(world)
    asked = {
        r["name"]: r["properties"]["criteria"]["allOf"][0]["query"] for r in resources(world["alerts-full"], QUERY)
    }
    pathlib.Path(queries).write_text(json.dumps(asked))


if __name__ == "__main__":
    main()
