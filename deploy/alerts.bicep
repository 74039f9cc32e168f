// The second phase, once the app runs: what calls the bridge, and what watches it.  Before its code is
// there the app has no function key.
//
//   action group "triage"  ──► the function's URL          (alerts of other systems)
//   action group "mail"    ──► people                      (alerts about the bridge: never to itself)
targetScope = 'resourceGroup'

@description('Name of the function app.')
param appName string

@description('Workspace with the bridge\'s own telemetry: output WORKSPACE_ID of main.bicep.')
param workspaceId string

@description('Who is told when the bridge itself is in trouble.')
@minLength(1)
param mailTo string[]

@description('Name of the function key in the URL. A key of its own can be changed alone.')
param keyName string = 'default'

@description('WEBHOOK_SECRET, when there is one: an action group cannot send headers, so it goes into the URL.')
@secure()
param webhookSecret string = ''

@description('Secure webhook (Entra): see deploy/README.md. Left out: the function key alone.')
param secureWebhook {
  @description('Object id of the app registration.')
  objectId: string
  @description('Its application id URI or client id: the audience of the token.')
  identifierUri: string
  tenantId: string
}?

@description('Workspace whose exceptions become alerts: of your application, not of the bridge. Empty: no such rule.')
param watchedWorkspaceId string = ''

@description('What each of those alerts brings along, such as a runbook or a team.')
param watchedProperties { *: string } = {}

@description('Hours with alerts and without one success after which people are told.')
@allowed([1, 2, 3, 4, 5, 6, 24])
param silentHours int = 6

param location string = resourceGroup().location

@description('Tags of every resource.')
param tags { *: string } = {}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName

  resource trigger 'functions' existing = {
    name: 'trigger-devin'
  }
}

// --- who is called -----------------------------------------------------------------------------

var token = empty(webhookSecret) ? '' : '&token=${uriComponent(webhookSecret)}'

// A webhook, not a function receiver: its URL is called as it stands, second secret included.
resource triageGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${appName}-triage'
  location: 'Global'
  tags: tags
  properties: {
    groupShortName: 'triage'
    enabled: true
    webhookReceivers: [
      union(
        {
          name: 'trigger-devin'
          serviceUri: 'https://${app.properties.defaultHostName}/api/trigger-devin?code=${uriComponent(app::trigger.listKeys()[keyName])}${token}'
          useCommonAlertSchema: true
        },
        secureWebhook == null
          ? {}
          : {
              useAadAuth: true
              objectId: secureWebhook!.objectId
              identifierUri: secureWebhook!.identifierUri
              tenantId: secureWebhook!.tenantId
            }
      )
    ]
  }
}

resource mailGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${appName}-mail'
  location: 'Global'
  tags: tags
  properties: {
    groupShortName: 'triage-mail'
    enabled: true
    emailReceivers: [
      for (address, i) in mailTo: {
        name: 'mail-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

// --- an example of what to watch ---------------------------------------------------------------

// Result rows never travel with an alert, dimensions do: so they carry what triage needs to know.
resource exceptions 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = if (!empty(watchedWorkspaceId) && toLower(watchedWorkspaceId) != toLower(workspaceId)) {
  name: '${appName}-example-exceptions'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Exceptions'
    description: 'An exception that was not there in the five minutes before.'
    enabled: true
    severity: 1
    scopes: [watchedWorkspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'AppExceptions | where SeverityLevel >= 3 or isnull(SeverityLevel)'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            for dimension in ['ExceptionType', 'ProblemId', 'OperationName', 'AppRoleName', 'AppVersion']: {
              name: dimension
              operator: 'Include'
              values: ['*']
            }
          ]
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: {
      actionGroups: [triageGroup.id]
      customProperties: watchedProperties
    }
  }
}

// --- the bridge itself -------------------------------------------------------------------------

// The handler writes one JSON object a line; the host makes each line a trace.
var lines = 'AppTraces | where Message startswith "{" | extend line = parse_json(Message) | extend event = tostring(line.event), status = toint(line.status)'

var about = [
  {
    name: 'failures'
    severity: 1
    description: 'Alerts were answered 5xx, or could not be stored: they may be lost. The log line tells why (failure, reason).'
    query: '${lines} | where event == "alert" and (status >= 500 or toint(line.not_stored) > 0)'
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'no-success'
    severity: 0
    description: 'Alerts came for ${silentHours} h, and Devin took not one of them.'
    query: '${lines} | where event in ("alert", "retry") | summarize alerts = count(), fine = countif(status < 300 and tostring(line.action) !in ("deferred", "poisoned", "dry-run")) | where alerts > 0 and fine == 0'
    every: 'PT1H'
    window: silentHours == 24 ? 'P1D' : 'PT${silentHours}H'
  }
  {
    name: 'restarts'
    severity: 2
    description: 'The handler was started more than three times in half an hour on one instance.'
    query: '${lines} | where event == "listening" | summarize starts = count() by AppRoleInstance | where starts > 3'
    every: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'settings'
    severity: 2
    description: 'The handler complains about a setting; the trace names it.'
    query: 'AppTraces | where Message startswith "handler: "'
    every: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'poisoned'
    severity: 1
    description: 'An alert was given up and lies in the queue triage-poison: see `deploy/stored.py <storage account> list`, and `replay` when the cause is mended.'
    // The handler's own line, or the host's when it gives up by itself.
    query: '${lines} | where event in ("poisoned", "not_poisoned") | union (AppTraces | where Message has "triage-poison")'
    every: 'PT5M'
    window: 'PT15M'
  }
]

resource aboutTheBridge 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in about: {
    name: '${appName}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Bridge to Devin: ${rule.name}'
      description: rule.description
      enabled: true
      severity: rule.severity
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: true
      // The tables come with the first telemetry.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [mailGroup.id] }
    }
  }
]

output ACTION_GROUP_ID string = triageGroup.id
