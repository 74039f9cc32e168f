// Made from `bin/handler settings` by `make deploy-settings`; deploy-check compares.
// Every value comes from the environment variable of its name, so secrets stand neither on a command
// line nor in a file.  deploy.sh fills the environment; azd brings its own.  SSL_CERT_FILE is that of
// whoever deploys: the app's is APP_SSL_CERT_FILE.
using 'main.bicep'

var unset = '<unset>'

var given = {
  TARGET_REPO: readEnvironmentVariable('TARGET_REPO', unset)
  JIRA_PROJECT: readEnvironmentVariable('JIRA_PROJECT', unset)
  SLACK_CHANNEL: readEnvironmentVariable('SLACK_CHANNEL', unset)
  DEVIN_PLAYBOOK_ID: readEnvironmentVariable('DEVIN_PLAYBOOK_ID', unset)
  PLAYBOOK_ROUTES: readEnvironmentVariable('PLAYBOOK_ROUTES', unset)
  DEVIN_API_URL: readEnvironmentVariable('DEVIN_API_URL', unset)
  SSL_CERT_FILE: readEnvironmentVariable('APP_SSL_CERT_FILE', unset)
  DEVIN_TIMEOUT_MS: readEnvironmentVariable('DEVIN_TIMEOUT_MS', unset)
  MAX_SESSIONS_PER_REQUEST: readEnvironmentVariable('MAX_SESSIONS_PER_REQUEST', unset)
  DEVIN_RETRIES: readEnvironmentVariable('DEVIN_RETRIES', unset)
  DEVIN_RETRY_MS: readEnvironmentVariable('DEVIN_RETRY_MS', unset)
  DEVIN_PLAN: readEnvironmentVariable('DEVIN_PLAN', unset)
  DEVIN_ORG_ID: readEnvironmentVariable('DEVIN_ORG_ID', unset)
  DEVIN_TAGS: readEnvironmentVariable('DEVIN_TAGS', unset)
  DEVIN_MAX_ACU: readEnvironmentVariable('DEVIN_MAX_ACU', unset)
  DEVIN_SECRET_IDS: readEnvironmentVariable('DEVIN_SECRET_IDS', unset)
  DEVIN_KNOWLEDGE_IDS: readEnvironmentVariable('DEVIN_KNOWLEDGE_IDS', unset)
  DEVIN_SNAPSHOT_ID: readEnvironmentVariable('DEVIN_SNAPSHOT_ID', unset)
  DEVIN_UNLISTED: readEnvironmentVariable('DEVIN_UNLISTED', unset)
  DEVIN_SESSION_SECRETS: readEnvironmentVariable('DEVIN_SESSION_SECRETS', unset)
  DEVIN_STRUCTURED_OUTPUT: readEnvironmentVariable('DEVIN_STRUCTURED_OUTPUT', unset)
  ON_REFIRE: readEnvironmentVariable('ON_REFIRE', unset)
  ON_RESOLVED: readEnvironmentVariable('ON_RESOLVED', unset)
  MAX_MESSAGES_PER_SESSION: readEnvironmentVariable('MAX_MESSAGES_PER_SESSION', unset)
  MAX_SEVERITY: readEnvironmentVariable('MAX_SEVERITY', unset)
  REDACT: readEnvironmentVariable('REDACT', unset)
  DRY_RUN: readEnvironmentVariable('DRY_RUN', unset)
  PROMPT_TEMPLATE: readEnvironmentVariable('PROMPT_TEMPLATE', unset)
  MAX_PROMPT_BYTES: readEnvironmentVariable('MAX_PROMPT_BYTES', unset)
  MAX_BODY_BYTES: readEnvironmentVariable('MAX_BODY_BYTES', unset)
  QUEUE: readEnvironmentVariable('QUEUE', unset)
  QUEUE_HIDE_S: readEnvironmentVariable('QUEUE_HIDE_S', unset)
  QUEUE_MAX_AGE_H: readEnvironmentVariable('QUEUE_MAX_AGE_H', unset)
}

// An empty value is one (DEVIN_SECRET_IDS: no secrets at all).
param settings = toObject(filter(items(given), row => row.value != unset), row => row.key, row => row.value)

param devinApiKey = readEnvironmentVariable('DEVIN_API_KEY', '')
param webhookSecret = readEnvironmentVariable('WEBHOOK_SECRET', '')
param webhookSecretPrevious = readEnvironmentVariable('WEBHOOK_SECRET_PREVIOUS', '')

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
