// The bridge and all it stands on: the function app, its identity, storage with the queue, vault and
// telemetry.  Nothing here knows a storage key; the three secrets enter as secure parameters and live
// in the vault alone.  Once its code is there, alerts.bicep makes the alerts call it.
targetScope = 'resourceGroup'

import { appSettings } from 'settings.bicep'

// --- what one gives ----------------------------------------------------------------------------

@description('Name of the function app, unique in all of Azure; empty: triage- and a hash of the resource group.')
@maxLength(58)
param appName string = ''

@description('Region; the resource group\'s unless stated.')
param location string = resourceGroup().location

@description('flex: Flex Consumption, scales from none. premium: Elastic Premium, one instance always warm.')
@allowed(['flex', 'premium'])
param plan string = 'flex'

@description('App settings without secrets: one property for each row of `bin/handler settings`.')
param settings appSettings

@description('DEVIN_API_KEY. Empty: only together with keptSecrets.')
@secure()
param devinApiKey string

@description('WEBHOOK_SECRET; empty: the function key alone protects the endpoint.')
@secure()
param webhookSecret string = ''

@description('WEBHOOK_SECRET_PREVIOUS, accepted too while the secret is being rotated.')
@secure()
param webhookSecretPrevious string = ''

@description('Values of the settings that DEVIN_SESSION_SECRETS names.')
@secure()
param sessionSecrets { *: string } = {}

@description('Settings whose secret an earlier deployment has put into the vault and which keep it.')
param keptSecrets string[] = []

@description('Memory of a Flex instance: 512, 2048 or 4096.')
param instanceMemoryMB int = 512

@description('Most instances at once.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Flex instances that are always ready to answer; costs money all month, saves the cold start.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('Whether only Azure Monitor (service tag ActionGroup) and allowedAddresses may reach the app.')
param onlyActionGroups bool = false

@description('Address ranges (CIDR) that may reach the app as well, when onlyActionGroups is set.')
param allowedAddresses string[] = []

@description('Client id of an Entra app registration: the app then answers Azure Monitor\'s secure webhook alone.')
param secureWebhookClientId string = ''

@description('Object id of who deploys; needed by plan premium alone, whose package is uploaded by that person.')
param deployerId string = ''

@description('How long telemetry is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int = 30

@description('Whether a deleted vault can never be purged early. Cannot be undone.')
param purgeProtection bool = false

@description('Changes with each deployment, so that references to the vault are read anew.')
param deployedAt string = utcNow()

@description('Tags of every resource.')
param tags { *: string } = {}

// --- names, roles ------------------------------------------------------------------------------

var appNameInUse = empty(appName) ? 'triage-${uniqueString(resourceGroup().id)}' : appName
var unique = uniqueString(resourceGroup().id, appNameInUse)
var isFlex = plan == 'flex'
var packages = 'app-package'
var packageName = 'triage.zip'
var queues = ['triage', 'triage-poison']

var roles = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
}

// Azure Monitor's own application, which calls secure webhooks: the same in every tenant.
var actionGroupCaller = '461e8683-5575-4561-ac7f-899cc907d62a'

// --- identity ----------------------------------------------------------------------------------

// The app's own would not exist before it; this one has its roles when the app first starts.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${appNameInUse}-identity'
  location: location
  tags: tags
}

// --- storage: host keys, package, queue --------------------------------------------------------

resource storage 'Microsoft.Storage/storageAccounts@2026-06-01' = {
  name: 'st${unique}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-06-01' = {
  parent: storage
  name: 'default'
}

resource packageContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' = {
  parent: blobs
  name: packages
  properties: { publicAccess: 'None' }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-06-01' = {
  parent: storage
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-06-01' = [
  for name in queues: {
    parent: queueService
    name: name
  }
]

// The host keeps locks, leases and function keys in blobs, and asks for no less than this.
resource hostRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, identity.id, roles.blobDataOwner)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataOwner)
  }
}

resource queueRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in queues: {
    scope: queue[i]
    name: guid(storage.id, name, identity.id, roles.queueDataContributor)
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueDataContributor)
    }
  }
]

// Only Flex takes a package by itself; to Premium a person brings it.
resource deployerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!isFlex && !empty(deployerId)) {
  scope: packageContainer
  name: guid(storage.id, packages, deployerId, roles.blobDataContributor)
  properties: {
    principalId: deployerId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
  }
}

// --- secrets -----------------------------------------------------------------------------------

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: 'kv-${unique}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: purgeProtection ? true : null
  }
}

// A secret's name has no underscores, a setting's no hyphens.
resource devinApiKeySecret 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = if (!empty(devinApiKey)) {
  parent: vault
  name: 'DEVIN-API-KEY'
  properties: { value: devinApiKey }
}

resource webhookSecretSecret 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = if (!empty(webhookSecret)) {
  parent: vault
  name: 'WEBHOOK-SECRET'
  properties: { value: webhookSecret }
}

resource webhookSecretPreviousSecret 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = if (!empty(webhookSecretPrevious)) {
  parent: vault
  name: 'WEBHOOK-SECRET-PREVIOUS'
  properties: { value: webhookSecretPrevious }
}

var sessionSecretNames = filter(map(split(settings.?DEVIN_SESSION_SECRETS ?? '', ','), name => trim(name)), name => !empty(name))

resource sessionSecret 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = [
  for name in sessionSecretNames: if (contains(sessionSecrets, name)) {
    parent: vault
    name: replace(name, '_', '-')
    properties: { value: sessionSecrets[name] }
  }
]

resource secretsRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, identity.id, roles.secretsUser)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

// --- telemetry ---------------------------------------------------------------------------------

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: '${appNameInUse}-logs'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${appNameInUse}-insights'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource telemetryRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, roles.metricsPublisher)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.metricsPublisher)
  }
}

// --- the app -----------------------------------------------------------------------------------

resource farm 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: '${appNameInUse}-plan'
  location: location
  tags: tags
  kind: isFlex ? 'functionapp' : 'elastic'
  sku: isFlex ? { name: 'FC1', tier: 'FlexConsumption' } : { name: 'EP1', tier: 'ElasticPremium' }
  properties: isFlex ? { reserved: true } : { reserved: true, maximumElasticWorkerCount: min(maximumInstances, 20) }
}

var actionGroupRule = {
  name: 'azure-monitor'
  priority: 100
  action: 'Allow'
  tag: 'ServiceTag'
  ipAddress: 'ActionGroup'
}

var addressRules = [
  for (address, i) in allowedAddresses: {
    name: 'allowed-${i}'
    priority: 200 + i
    action: 'Allow'
    ipAddress: address
  }
]

// The scm site stays open, for the package has to get in; it asks for an Entra token (see below).
var restriction = onlyActionGroups
  ? {
      ipSecurityRestrictions: concat([actionGroupRule], addressRules)
      ipSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictionsUseMain: false
    }
  : {}

var site = {
  alwaysOn: false
  ftpsState: 'Disabled'
  http20Enabled: true
  minTlsVersion: '1.2'
  scmMinTlsVersion: '1.2'
  remoteDebuggingEnabled: false
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: appNameInUse
  location: location
  tags: union(tags, { 'azd-service-name': 'triage' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: farm.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    siteConfig: union(site, restriction, isFlex ? {} : { linuxFxVersion: '' })
    functionAppConfig: isFlex
      ? {
          runtime: { name: 'custom', version: '1.0' }
          scaleAndConcurrency: {
            instanceMemoryMB: instanceMemoryMB
            maximumInstanceCount: maximumInstances
            // What host.json allows: an alert waits for Devin, it does not compute.
            triggers: { http: { perInstanceConcurrency: 100 } }
            alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
          }
          deployment: {
            storage: {
              type: 'blobContainer'
              value: '${blobUri}${packages}'
              authentication: {
                type: 'UserAssignedIdentity'
                userAssignedIdentityResourceId: identity.id
              }
            }
          }
        }
      : null
  }
  dependsOn: [hostRole, queueRole, secretsRole, telemetryRole, packageContainer]
}

// Deployments bring Entra tokens; user names with passwords open neither FTP nor the scm site.
resource ftpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

// Known beforehand, unlike storage.properties.primaryEndpoints, and so shown by what-if.
var blobUri = 'https://${storage.name}.blob.${environment().suffixes.storage}/'
var queueUri = 'https://${storage.name}.queue.${environment().suffixes.storage}/'

var hostSettings = {
  AzureWebJobsStorage__accountName: storage.name
  AzureWebJobsStorage__blobServiceUri: blobUri
  AzureWebJobsStorage__queueServiceUri: queueUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  DEPLOYED_AT: deployedAt
}

// Flex refuses these, for it knows them itself.
var premiumSettings = {
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'custom'
  WEBSITE_RUN_FROM_PACKAGE: '${blobUri}${packages}/${packageName}'
  WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identity.id
}

// What is not given reads as empty, and to the handler empty means unset.
func vaultReference(vaultName string, setting string) string =>
  '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${replace(setting, '_', '-')})'

var secretSettings = {
  DEVIN_API_KEY: vaultReference(vault.name, 'DEVIN_API_KEY')
  WEBHOOK_SECRET: empty(webhookSecret) && !contains(keptSecrets, 'WEBHOOK_SECRET')
    ? ''
    : vaultReference(vault.name, 'WEBHOOK_SECRET')
  WEBHOOK_SECRET_PREVIOUS: empty(webhookSecretPrevious) && !contains(keptSecrets, 'WEBHOOK_SECRET_PREVIOUS')
    ? ''
    : vaultReference(vault.name, 'WEBHOOK_SECRET_PREVIOUS')
}

var sessionSecretSettings = toObject(sessionSecretNames, name => name, name => vaultReference(vault.name, name))

resource appConfiguration 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  // From the weakest to the strongest: nothing that is given for sessions overrides what the app needs.
  properties: union(
    sessionSecretSettings,
    { QUEUE: 'on' },
    settings,
    secretSettings,
    isFlex ? {} : premiumSettings,
    hostSettings
  )
  dependsOn: [devinApiKeySecret, webhookSecretSecret, webhookSecretPreviousSecret, sessionSecret]
}

// With this, senders that bring a secret of their own as `Authorization: Bearer` are refused by Azure.
resource signIn 'Microsoft.Web/sites/config@2025-03-01' = if (!empty(secureWebhookClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: secureWebhookClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [secureWebhookClientId, 'api://${secureWebhookClientId}']
          defaultAuthorizationPolicy: { allowedApplications: [actionGroupCaller] }
        }
      }
    }
  }
}

// --- what the second phase and azd go on with: names, no secrets -----------------------------------

output appName string = app.name
output functionHost string = app.properties.defaultHostName
output storageName string = storage.name
output packageContainer string = packages
output packageName string = packageName
output vaultName string = vault.name
output workspaceId string = workspace.id
