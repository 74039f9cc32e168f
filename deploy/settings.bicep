// Made from `bin/handler settings` by `make deploy-settings`; deploy-check compares.

@export()
@sealed()
@description('App settings without secrets; what is left out has its default.')
type appSettings = {
  @description('repository that Devin analyses, e.g. https://github.com/org/repo')
  TARGET_REPO: string

  @description('JIRA project key; adds the task to create a ticket')
  JIRA_PROJECT: string?

  @description('Slack channel; adds the task to post there')
  SLACK_CHANNEL: string?

  @description('playbook of a session when no route matches: an id, a title or a !macro (default: devin-triage-workflow)')
  DEVIN_PLAYBOOK_ID: string?

  @description('pattern=playbook,pattern=playbook: the first pattern found in the alert\'s name wins')
  PLAYBOOK_ROUTES: string?

  @description('where Devin\'s API is; http:// is allowed to this machine only (default: https://api.devin.ai)')
  DEVIN_API_URL: string?

  @description('file of trusted certificate authorities (PEM); unset: the system\'s bundle, from its usual places')
  SSL_CERT_FILE: string?

  @description('deadline of an alert in milliseconds, tries and waits included; Azure Monitor\'s have 8000 at most (default: 30000)')
  DEVIN_TIMEOUT_MS: string?

  @description('how many sessions one request may open; further problems are named in the last one (default: 5)')
  MAX_SESSIONS_PER_REQUEST: string?

  @description('how often a request is sent to Devin at most (default: 3)')
  DEVIN_RETRIES: string?

  @description('wait before the second try in milliseconds, give or take a fifth; doubles for each further one (default: 1000)')
  DEVIN_RETRY_MS: string?

  @description('starter, team or enterprise: this instance calls Devin at most 10, 60 or 300 times a minute')
  DEVIN_PLAN: string?

  @description('organization (org-...) for API v3; unset: the key\'s own')
  DEVIN_ORG_ID: string?

  @description('tags for each session, joined by commas: 20 at most')
  DEVIN_TAGS: string?

  @description('limit of a session in ACUs')
  DEVIN_MAX_ACU: string?

  @description('ids of the secrets a session may use, joined by commas; empty: none; unset: all')
  DEVIN_SECRET_IDS: string?

  @description('ids of the knowledge a session may use, joined by commas; empty: none; unset: all')
  DEVIN_KNOWLEDGE_IDS: string?

  @description('machine snapshot a session starts from (API v1)')
  DEVIN_SNAPSHOT_ID: string?

  @description('true: sessions do not show up in the list (API v1)')
  DEVIN_UNLISTED: string?

  @description('names of app settings whose values each session gets as secrets, joined by commas')
  DEVIN_SESSION_SECRETS: string?

  @description('file with the JSON schema of a session\'s structured output')
  DEVIN_STRUCTURED_OUTPUT: string?

  @description('a problem that fires again while its session is open: join it, message it, or create another (default: join)')
  ON_REFIRE: string?

  @description('a resolved alert: ignore it, or message its open session (default: ignore)')
  ON_RESOLVED: string?

  @description('we send at most so many messages to one session (default: 5)')
  MAX_MESSAGES_PER_SESSION: string?

  @description('less urgent alerts are ignored: 1 lets critical and error pass, 4 all (default: 4)')
  MAX_SEVERITY: string?

  @description('on: secrets in alerts are replaced by labels before they reach Devin or the log; off: they are not (default: on)')
  REDACT: string?

  @description('true: answer with what would be sent to Devin, and send nothing')
  DRY_RUN: string?

  @description('file with a template for the prompt, absolute or below the app\'s root; unset: the built-in one')
  PROMPT_TEMPLATE: string?

  @description('largest prompt in bytes; long logs keep their head and tail (default: 65536)')
  MAX_PROMPT_BYTES: string?

  @description('largest request body in bytes; more is answered 413 (default: 1048576)')
  MAX_BODY_BYTES: string?

  @description('on: each alert is stored in an Azure Storage queue before Devin is called, and tried again until it is settled (default: off)')
  QUEUE: string?

  @description('seconds after which a stored alert that is not settled is tried again; never before its deadline (default: 60)')
  QUEUE_HIDE_S: string?

  @description('hours after which a stored alert is given up and kept as poisoned; for more than 24 raise maxDequeueCount in host.json (default: 24)')
  QUEUE_MAX_AGE_H: string?
}
