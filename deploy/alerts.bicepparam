// As main.bicepparam: from the environment, so that no secret stands on a command line or in a file.
using 'alerts.bicep'

param appName = readEnvironmentVariable('APP_NAME')
param workspaceId = readEnvironmentVariable('WORKSPACE_ID')
param keyName = readEnvironmentVariable('KEY_NAME', 'default')
param mailTo = filter(split(readEnvironmentVariable('MAIL_TO'), ','), address => !empty(address))
param webhookSecret = readEnvironmentVariable('WEBHOOK_SECRET', '')
param watchedWorkspaceId = readEnvironmentVariable('WATCHED_WORKSPACE_ID', '')

var objectId = readEnvironmentVariable('SECURE_WEBHOOK_OBJECT_ID', '')
param secureWebhook = empty(objectId)
  ? null
  : {
      objectId: objectId
      identifierUri: readEnvironmentVariable('SECURE_WEBHOOK_AUDIENCE', '')
      tenantId: readEnvironmentVariable('SECURE_WEBHOOK_TENANT_ID', '')
    }
