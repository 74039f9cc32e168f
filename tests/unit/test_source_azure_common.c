/* Azure's common alert schema: real payloads whole, and each odd corner by itself. */
#include "alert/alert.h"
#include "alert/source.h"
#include "base/arena.h"
#include "support/process.h"
#include "unit/check.h"
#include "unit/reading.h"

enum { PLENTY = 32 * 1024 * 1024 };

#define FOLDER "tests/cases/samples/azure-monitor/"

/* --- tables ----------------------------------------------------------------------------------- */

/* Real payloads.  Pairs are "key=value;", conditions and notes too. */
static const struct {
    const char *file;
    const char *name;
    int severity; /* -1: not stated */
    const char *description, *resource, *signal, *time, *conditions, *dimensions, *custom, *query;
    size_t links;
    enum alert_state state;
} payloads[] = {
    { .file = "common-metric-static-fired-test-group.json",
      .name = "test-metricAlertRule",
      .severity = 4,
      .description = "Alert rule description",
      .resource = "test-storageAccount",
      .signal = "metric",
      .time = "2024-12-18T22:31:30.972Z",
      .conditions = "=Total of Transactions greater than 0, measured 100, over 5 minutes;",
      .dimensions = "ApiName=GetBlob;resourceId=/subscriptions/11111111-1111-1111-1111-"
                    "111111111111/resourcegroups/test-RG/providers/microsoft.storage/"
                    "storageaccounts/test-storageAccount;",
      .custom = "customKey1=value1;customKey2=value2;",
      .query = "" },
    { .file = "common-metric-dynamic-fired-test-group.json",
      .name = "test-dynamicMetricAlertRule",
      .severity = 4,
      .description = "Alert rule description",
      .resource = "test-storageAccount",
      .signal = "metric",
      .time = "2024-12-18T21:31:58.613Z",
      .conditions = "=Average of Transactions greater than 0.3, measured 78.09, over 15 minutes, "
                    "sensitivity Low, in 3 of 3 periods;",
      .dimensions = "resourceId=/subscriptions/11111111-1111-1111-1111-111111111111/"
                    "resourcegroups/test-RG/providers/Microsoft.Storage/storageAccounts/"
                    "test-storageAccount;",
      .custom = "customKey1=value1;customKey2=value2;",
      .query = "" },
    { .file = "common-metric-multi-resource-two-criteria-fired.json",
      .name = "Too Many Frontdoor Exceptions",
      .severity = 2,
      .description = "Runbook: https://runbook.example.com/frontdoor",
      .resource = "stage-www-frontdoor",
      .signal = "metric",
      .time = "2026-07-18T08:01:01.000Z",
      .conditions = "=Total of Transactions greater than 0, measured 100, over 5 minutes;"
                    "=Average of Latency greater than 500, measured 900, over 5 minutes;",
      .dimensions = "ApiName=GetBlob;resourceId=/subscriptions/sub-1/resourceGroups/rg/providers/"
                    "Microsoft.Storage/storageAccounts/acct;",
      .custom = "runbook=https://runbook.example.com/frontdoor;",
      .query = "" },
    { .file = "common-metric-multi-resource-cpu-sev0-fired.json",
      .name = "CPU 5 Percent",
      .severity = 0,
      .description = "",
      .resource = "nudgebee-dev",
      .signal = "metric",
      .time = "2025-10-30T07:51:43.209438Z",
      .conditions = "=Total of Percentage CPU greater than 5, measured 587.24, over 5 minutes;",
      .dimensions = "resourceId=/subscriptions/19e207a9-769d-4afd-b261-10bbed2d43e8/"
                    "resourcegroups/aks-dev-rg/providers/microsoft.compute/virtualmachines/"
                    "nudgebee-dev;",
      .custom = "",
      .query = "",
      .links = 1 },
    { .file = "common-log-v2-fired-test-group.json",
      .name = "test-logAlertRule-v2",
      .severity = 3,
      .description = "Alert rule description",
      .resource = "test-computer",
      .signal = "log",
      .time = "2022-11-23T16:21:24.565Z",
      .conditions = "=Count of query results greater than 0, measured 3, over 1 hour;",
      .dimensions = "Computer=test-computer;resourceId=/subscriptions/11111111-1111-1111-1111-"
                    "111111111111/resourcegroups/test-RG/providers/microsoft.operationalinsights/"
                    "workspaces/test-logAnalyticsWorkspace;",
      .custom = "customKey1=value1;customKey2=value2;",
      .query = "Heartbeat",
      .links = 2 },
    { .file = "common-log-v2-exceptions-sev1-fired.json",
      .name = "ExceptionMonitoring",
      .severity = 1,
      .description = "",
      .resource = "ai-yyy-prod",
      .signal = "log",
      .time = "2021-10-26T09:35:13.5077592Z",
      .conditions = "=Count of query results greater than 0, measured 1, over 5 minutes;",
      .dimensions = "resourceId=/subscriptions/xxx/resourcegroups/rg-yyy-prod/providers/"
                    "microsoft.insights/components/ai-yyy-prod;",
      .custom = "",
      .query = "exceptions\n| where cloud_RoleName != \"\"\n| order by timestamp desc\n| project "
               "timestamp , problemId , outerMessage , innermostMessage , appType = cloud_RoleName "
               ", version = application_Version , operation_Id",
      .links = 1 },
    { .file = "common-metric-static-resolved.json",
      .name = "WCUS-R2-Gen2",
      .severity = 3,
      .description = "アラートの説明です",
      .resource = "wcus-r2-gen2",
      .signal = "metric",
      .time = "2019-03-22T13:58:24.3713213Z",
      .conditions = "=Average of Percentage CPU greater than 25, measured 7.727, over 5 minutes;",
      .dimensions = "ResourceId=3efad9dc-3d50-4eac-9c87-8b3fd6f97e4e;resourceId=/subscriptions/"
                    "<subscription ID>/resourcegroups/pipelinealertrg/providers/microsoft.compute/"
                    "virtualmachines/wcus-r2-gen2;",
      .custom = "",
      .query = "",
      .state = ALERT_RESOLVED },
    { .file = "common-metric-resolved-empty-criteria.json",
      .name = "High CPU on web vm",
      .severity = 2,
      .description = "CPU is above the configured threshold.",
      .resource = "web-vm-1",
      .signal = "metric",
      .time = "2026-05-27T10:00:00.000Z",
      .conditions = "",
      .dimensions = "configurationItem=web-vm-1;",
      .custom = "slack-channel=#prod-incidents;",
      .query = "",
      .state = ALERT_RESOLVED },
    { .file = "common-metric-no-alert-context-fired.json",
      .name = "Checkout API latency",
      .severity = 1,
      .description = "p95 latency exceeded 2 seconds",
      .resource = "checkout-api",
      .signal = "metric",
      .time = "",
      .conditions = "",
      .dimensions = "configurationItem=checkout-api;",
      .custom = "team=sre;service=checkout;environment=production;",
      .query = "" },
    { .file = "common-null-alert-context.json",
      .name = "x",
      .severity = -1,
      .description = "",
      .resource = "",
      .signal = "",
      .time = "",
      .conditions = "",
      .dimensions = "",
      .custom = "",
      .query = "" },
};

/* Which bodies are Azure's; the others fall to the native dialect. */
static const struct {
    const char *body;
    bool is_azure;
} claims[] = {
    { "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{\"alertRule\":"
      "\"r\"}}}",
      true },
    { "{\"schemaId\":\"AZUREMONITORCOMMONALERTSCHEMA\",\"data\":{\"essentials\":{\"alertRule\":"
      "\"r\"}}}",
      true },
    { "{\"data\":{\"essentials\":{\"alertRule\":\"r\",\"alertId\":\"i\"}}}", true },
    { "{\"schemaId\":null,\"data\":{\"essentials\":{\"alertRule\":\"r\",\"alertId\":\"i\"}}}",
      true },
    { "{\"schemaId\":\"azureMonitor\",\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}",
      false },
    { "{\"schemaId\":7,\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}", false },
    { "{\"data\":{\"essentials\":{\"alertId\":7}},\"alertName\":\"a\",\"severity\":1,"
      "\"description\":\"d\"}",
      false },
    { "{\"alertId\":\"i\",\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}", false },
    { "{\"data\":\"essentials\",\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}", false },
};

static const struct {
    const char *json;
    int severity; /* -1: not stated */
    bool is_noted;
} severities[] = {
    { "\"Sev0\"", 0, false },     { "\"Sev4\"", 4, false },
    { "\"sev2\"", 2, false },     { "\"SEV3\"", 3, false },
    { "\"sEv1\"", 1, false },     { "\" Sev1 \"", 1, false },
    { "\"1\"", 1, false },        { "1", 1, false },
    { "\"Sev5\"", -1, true },     { "\"Sev-1\"", -1, true },
    { "\"Sev\"", -1, true },      { "\"Sev11\"", -1, true },
    { "\"Critical\"", 0, false }, { "\"warning\"", 2, false },
    { "\"Fatal\"", -1, true },    { "7", -1, true },
    { "true", -1, true },         { "[]", -1, true },
    { "null", -1, false },        { "\"\"", -1, false },
};

static const struct {
    const char *json;
    enum alert_state state;
    bool is_noted;
} states[] = {
    { "\"Fired\"", ALERT_FIRED, false },
    { "\"fired\"", ALERT_FIRED, false },
    { "\"Resolved\"", ALERT_RESOLVED, false },
    { "\"resolved\"", ALERT_RESOLVED, false },
    { "\"RESOLVED \"", ALERT_RESOLVED, false },
    { "\"Acknowledged\"", ALERT_FIRED, true },
    { "\"Unresolved\"", ALERT_FIRED, true },
    { "null", ALERT_FIRED, false },
    { "\"\"", ALERT_FIRED, false },
    { "true", ALERT_FIRED, true },
};

/* Operator and threshold as they come. */
static const struct {
    const char *azure;
    const char *words;
} operators[] = {
    { "GreaterThan", "greater than" },
    { "GreaterThanOrEqual", "greater than or equal to" },
    { "GreaterOrLessThan", "greater or less than" },
    { "LessThan", "less than" },
    { "LessThanOrEqual", "less than or equal to" },
    { "Equals", "equal to" },
    { "Equal", "equal to" },
    { "greaterthan", "greater than" },
    { "Greater Than", "greater than" },
    { "LowerThan", "less than" },
    { "Greater", "Greater" },
    { "GreaterThanThat", "GreaterThanThat" },
    { "Near", "Near" },
};

static const struct {
    const char *azure;
    const char *words;
} durations[] = {
    { "PT5M", "5 minutes" },
    { "PT1M", "1 minute" },
    { "PT0M", "0 minutes" },
    { "PT1H", "1 hour" },
    { "PT6H", "6 hours" },
    { "PT1H30M", "1 hour 30 minutes" },
    { "PT30S", "30 seconds" },
    { "P1D", "1 day" },
    { "P2D", "2 days" },
    { "P1DT12H", "1 day 12 hours" },
    { "PT", "PT" },
    { "P", "P" },
    { "P1M", "P1M" },
    { "PT1D", "PT1D" },
    { "P5H", "P5H" },
    { "PT5", "PT5" },
    { "PTM", "PTM" },
    { "PT5M!", "PT5M!" },
    { "PT1.5H", "PT1.5H" },
    { "PT99999999999999999999M", "PT99999999999999999999M" },
    { "5 minutes", "5 minutes" },
    { "00:05:00", "00:05:00" },
    { "pt5m", "pt5m" },
    { "15", "15 minutes" },
    { "1", "1 minute" },
};

/* A condition object and its words: "=first;=second;". */
static const struct {
    const char *condition;
    const char *words;
} conditions[] = {
    { "{\"allOf\":[{\"metricName\":\"m\",\"timeAggregation\":\"Total\"}]}", "=Total of m;" },
    { "{\"allOf\":[{\"metricName\":\"m\"}]}", "=m;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"timeAggregation\":\"PT5M\"}]}", "=m;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"operator\":\"LessThan\",\"threshold\":1.5,"
      "\"metricValue\":0}]}",
      "=m less than 1.5, measured 0;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"threshold\":null,\"metricValue\":null}]}", "=m;" },
    { "{\"allOf\":[{\"metricName\":null,\"metricMeasureColumn\":\"CounterValue\","
      "\"searchQuery\":\"q\",\"timeAggregation\":\"Average\"}]}",
      "=Average of CounterValue;" },
    { "{\"allOf\":[{\"metricMeasureColumn\":\"\",\"searchQuery\":\"q\",\"timeAggregation\":"
      "\"Count\"}]}",
      "=Count of query results;" },
    { "{\"allOf\":[{\"metricMeasure\":\"Count\",\"searchQuery\":\"q\"}]}", "=Count;" },
    { "{\"allOf\":[{\"searchQuery\":\"q\",\"event\":[[]],\"operator\":null}]}",
      "=a row matched the query;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"webTestName\":\"ping\"}]}", "=m, web test ping;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"webTestName\":\"None\"}]}", "=m;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"failingPeriods\":{\"numberOfEvaluationPeriods\":4,"
      "\"minFailingPeriodsToAlert\":2}}]}",
      "=m, in 2 of 4 periods;" },
    { "{\"allOf\":[{\"metricName\":\"m\",\"failingPeriods\":{\"numberOfEvaluationPeriods\":1,"
      "\"minFailingPeriodsToAlert\":1}}]}",
      "=m;" },
    { "{\"windowSize\":\"PT5M\",\"allOf\":[{\"metricName\":\"a\"},{\"metricName\":\"b\"}]}",
      "=a, over 5 minutes;=b, over 5 minutes;" },
    { "{\"windowSize\":null,\"allOf\":[{\"metricName\":\"a\"}]}", "=a;" },
    { "{\"windowSize\":\"PT5M\",\"allOf\":[]}", "" },
    { "{\"windowSize\":\"PT5M\",\"allOf\":null}", "" },
    { "{\"windowSize\":\"PT5M\",\"allOf\":\"x\"}", "" },
    { "{\"windowSize\":\"PT5M\"}", "" },
    { "null", "" },
    { "[]", "" },
    { "\"text\"", "" },
};

/* What stands in an alert's allOf and says nothing: it must not look like a condition. */
static const char *const empty_criteria[] = {
    "{\"allOf\":[{}]}",
    "{\"allOf\":[null]}",
    "{\"windowSize\":\"PT5M\",\"allOf\":[{}]}",
    "{\"windowSize\":\"PT5M\",\"allOf\":[null,7,\"x\"]}",
};

/* SearchResults and what becomes "logs". */
static const struct {
    const char *results;
    const char *logs;
} rows[] = {
    { "{\"tables\":[{\"columns\":[{\"name\":\"T\"},{\"name\":\"L\"}],\"rows\":[[\"t1\",\"l1\"],"
      "[\"t2\",\"l2\"]]}]}",
      "T: t1 | L: l1\nT: t2 | L: l2\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"T\"},{\"name\":\"L\"}],\"rows\":[[\"t1\"]]}]}",
      "t1\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"T\"}],\"rows\":[{\"A\":1,\"B\":null,\"C\":\"c\"},"
      "\"x\",7,null]}]}",
      "A: 1 | C: c\nT: x\nT: 7\n\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"T\"}],\"rows\":[[\"t1\",\"extra\"]]}]}",
      "T: t1 | extra\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"A\"},{\"name\":\"B\"},{\"name\":\"C\"}],"
      "\"rows\":[[null,\"b\",\"\"]]}]}",
      "B: b\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"N\"},{\"name\":\"F\"},{\"name\":\"D\"}],"
      "\"rows\":[[12,false,{\"a\":1}]]}]}",
      "N: 12 | F: false | D: {\"a\":1}\n" },
    { "{\"tables\":[{\"rows\":[[\"x\",\"y\"]]}]}", "x | y\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"A\"}],\"rows\":[[\"1\"]]},"
      "{\"columns\":[{\"name\":\"B\"}],\"rows\":[[\"2\"]]}]}",
      "A: 1\nB: 2\n" },
    { "{\"tables\":[{\"columns\":[{\"name\":\"A\"}],\"rows\":[]}]}", "" },
    { "{\"tables\":[]}", "" },
    { "{\"tables\":null}", "" },
    { "{}", "" },
    { "null", "" },
    { "[]", "" },
};

/* Members of essentials that tell the resource. */
static const struct {
    const char *members;
    const char *resource;
    const char *dimensions;
} resources[] = {
    { "\"configurationItems\":[\"web-1\"],\"alertTargetIDs\":[\"/s/1/vm/other\"]", "web-1",
      "resourceId=/s/1/vm/other;" },
    { "\"configurationItems\":[\"/subscriptions/s/providers/Microsoft.Compute/vm/web-2\"]", "web-2",
      "configurationItem=/subscriptions/s/providers/Microsoft.Compute/vm/web-2;" },
    { "\"configurationItems\":[\"/s/vm/web-3/\"]", "web-3", "configurationItem=/s/vm/web-3/;" },
    { "\"configurationItems\":[\"web-4\",\"web-5\"]", "web-4",
      "configurationItem=web-4;configurationItem=web-5;" },
    { "\"configurationItems\":[\"a\",\"b\"],\"alertTargetIDs\":[\"/s/a\",\"/s/b\"]", "a",
      "resourceId=/s/a;resourceId=/s/b;configurationItem=a;configurationItem=b;" },
    { "\"configurationItems\":[\"https://host/path\"],\"alertTargetIds\":[\"/s/c\"]",
      "https://host/path", "resourceId=/s/c;" },
    { "\"configurationItems\":[],\"alertTargetIDs\":[\"/s/vm/web-6\"]", "web-6",
      "resourceId=/s/vm/web-6;" },
    { "\"configurationItems\":null,\"alertTargetIDs\":[\"/s/vm/web-7\",\"/s/vm/web-8\"]", "web-7",
      "resourceId=/s/vm/web-7;resourceId=/s/vm/web-8;" },
    { "\"alertTargetIDs\":[\"web-9\"]", "web-9", "resourceId=web-9;" },
    { "\"configurationItems\":[\"\"],\"alertTargetIDs\":[\"/s/vm/web-10\"]", "web-10",
      "resourceId=/s/vm/web-10;" },
    { "\"configurationItems\":[null],\"alertTargetIDs\":[\"/s/vm/web-11\"]", "web-11",
      "resourceId=/s/vm/web-11;" },
    { "\"alertTargetIDs\":[]", "", "" },
    { "\"alertTargetIDs\":[\"\"]", "", "" },
    { "\"alertTargetIDs\":[null]", "", "" },
    { "\"alertTargetIDs\":\"x\",\"configurationItems\":\"y\"", "y", "resourceId=x;" },
    { "\"alertTargetIDs\":{\"a\":\"x\",\"b\":\"y\"}", "x", "resourceId=x;resourceId=y;" },
    { "\"alertTargetIDs\":[\"/s/1\",\"/s/2\",\"/s/3\",\"/s/4\",\"/s/5\",\"/s/6\"]", "1",
      "resourceId=/s/1;resourceId=/s/2;resourceId=/s/3;resourceId=/s/4;resourceId=/s/5;"
      "resourceId=/s/6;" },
};

/* The two places of custom properties. */
static const struct {
    const char *custom, *context;
    const char *kept;
} properties[] = {
    { "{\"a\":\"1\"}", "null", "a=1;" },
    { "null", "{\"a\":\"1\"}", "a=1;" },
    { "{\"a\":\"1\",\"b\":\"2\"}", "{\"b\":\"2\",\"c\":\"3\"}", "a=1;b=2;c=3;" },
    { "{\"n\":1,\"t\":true,\"o\":{\"x\":1},\"z\":null,\"e\":\"\"}", "{}", "n=1;t=true;o.x=1;" },
    { "{\"version\":\"2\",\"for\":\"team-a\",\"token\":\"t\",\"claims\":\"c\",\"Secret\":\"s\"}",
      "null", "version=2;for=team-a;" },
    { "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}},\"l\":[1,2]}", "null",
      "a.b.c.d={\"e\":1};l=[1,2];" },
    { "[\"a\"]", "\"b\"", "properties=b;" },
    { "\"a\"", "[]", "" },
    { "null", "null", "" },
};

static const struct {
    const char *json;
    const char *signal;
} signals[] = {
    { "\"Metric\"", "metric" },
    { "\"Log\"", "log" },
    { "\"Activity Log\"", "activity" },
    { "\"ActivityLog\"", "activity" },
    { "\"metric\"", "metric" },
    { "\"Unknown\"", "" },
    { "null", "" },
    { "\"\"", "" },
};

/* Members of the context, and what becomes of them. */
static const struct {
    const char *context;
    const char *conditions, *query, *dimensions, *custom, *logs;
} contexts[] = {
    /* log search of the first API */
    { "\"SearchQuery\":\" Heartbeat \",\"ResultCount\":1,\"Threshold\":0,\"Operator\":\"Greater "
      "Than\",\"AlertType\":\"Number of results\",\"SearchIntervalInMinutes\":\"5\","
      "\"SearchResults\":{\"tables\":[{\"columns\":[{\"name\":\"A\"},{\"name\":\"B\"}],\"rows\":"
      "[[\"1\"]]}]},\"SeverityDescription\":\"Warning\",\"LinkToSearchResultsAPI\":\"https://a\","
      "\"IncludedSearchResults\":\"True\"",
      "=Number of results greater than 0, 1 row, over 5 minutes;", "Heartbeat", "",
      "SeverityDescription=Warning;", "1\n" },
    { "\"SearchQuery\":\"q\",\"SearchResult\":{\"tables\":[{\"rows\":[[\"x\",\"y\"],\"z\"]}]},"
      "\"AlertThresholdOperator\":\"Less Than\",\"AlertThresholdValue\":\"3\","
      "\"SearchIntervalInSeconds\":3600,\"Dimensions\":[{\"name\":\"IP\",\"value\":\"1.1.1.1\"}]",
      "=query results less than 3, over 60 minutes;", "q", "IP=1.1.1.1;", "", "x | y\nz\n" },
    { "\"SearchQuery\":null,\"SearchResults\":null,\"ResultCount\":null,\"Threshold\":null,"
      "\"AffectedConfigurationItems\":null",
      "", "", "", "", "" },
    /* simple log alerts carry their row */
    { "\"condition\":{\"allOf\":[{\"searchQuery\":\"q\",\"event\":[[{\"name\":\"A\",\"value\":1},"
      "{\"name\":\"B\",\"value\":null},{\"name\":\"C\",\"value\":\"x\"}],[{\"name\":\"A\","
      "\"value\":2}]]}]}",
      "=a row matched the query;", "q", "", "", "A: 1 | C: x\nA: 2" },
    { "\"condition\":{\"allOf\":[{\"event\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\","
      "\"value\":\"2\"}]}]}",
      "=a row matched the query;", "", "", "", "A: 1 | B: 2" },
    /* activity log: no claims, nothing about the caller's request */
    { "\"operationName\":\"Microsoft.Compute/x/delete\",\"status\":\"Failed\",\"claims\":\"{}\","
      "\"caller\":\"a@b\",\"httpRequest\":\"{}\",\"channels\":\"Operation\",\"authorization\":{"
      "\"action\":\"x\",\"scope\":\"y\"},\"properties\":{\"statusCode\":\"Conflict\",\"n\":{\"m\":"
      "1}},"
      "\"Activity Log Event Description\":\"gone\"",
      "", "", "operationName=Microsoft.Compute/x/delete;",
      "status=Failed;caller=a@b;statusCode=Conflict;n.m=1;Activity Log Event Description=gone;",
      "" },
    { "\"authorization\":{\"action\":\"Microsoft.X/write\"},\"level\":\"Error\"", "", "",
      "operationName=Microsoft.X/write;", "level=Error;", "" },
    /* service health */
    { "\"operationName\":\"Microsoft.ServiceHealth/incident/action\",\"level\":3,\"properties\":{"
      "\"trackingId\":\"T-1\",\"communication\":\"<p>Down &amp; "
      "out</p><br>Sorry\",\"impactedServices\":"
      "[{\"ServiceName\":\"S\"}],\"defaultLanguageContent\":\"<p>Down</p>\"}",
      "", "", "operationName=Microsoft.ServiceHealth/incident/action;trackingId=T-1;",
      "level=3;impactedServices=[{\"ServiceName\":\"S\"}];",
      "communication:\nDown & out\n\nSorry" },
    /* smart detection */
    { "\"DetectionSummary\":\"Slower\",\"DetectedValue\":\"0.45 sec\",\"NormalValue\":\"0.27 sec\","
      "\"SmartDetectorName\":\"D\"",
      "=Slower;=detected 0.45 sec, normally 0.27 sec;", "", "", "SmartDetectorName=D;", "" },
    /* Prometheus */
    { "\"expression\":\"up == "
      "0\",\"expressionValue\":\"12.7m\",\"for\":\"PT5M\",\"labels\":{\"pod\":"
      "\"p-1\"},\"annotations\":{\"summary\":\"s\",\"team\":\"t\"},\"ruleGroup\":\"/g\"",
      "=expression gave 12.7m, held for 5 minutes;", "up == 0", "pod=p-1;", "team=t;ruleGroup=/g;",
      "" },
    { "\"expression\":\"up == 0\",\"labels\":null,\"annotations\":[],\"for\":null", "", "up == 0",
      "", "", "" },
    /* budgets */
    { "\"AlertCategory\":\"budgets\",\"AlertData\":{\"ThresholdType\":\"Actual\","
      "\"BudgetThreshold\":"
      "\"$50.00\",\"NotificationThresholdAmount\":\"$25.00\",\"SpentAmount\":\"$11,111.00\","
      "\"Unit\":"
      "\"USD\"}",
      "=Actual spend $11,111.00, budget $50.00, threshold $25.00, in USD;", "", "",
      "AlertCategory=budgets;Unit=USD;", "" },
    { "\"AlertData\":{\"BudgetThreshold\":50}", "=budget 50;", "", "", "", "" },
    { "\"AlertData\":null", "", "", "", "", "" },
    /* a service that nobody knows */
    { "\"some\":\"value\",\"count\":42,\"nested\":{\"a\":1,\"version\":\"v\"},\"none\":null,"
      "\"condition\":\"bad\"",
      "", "", "", "some=value;count=42;nested.a=1;nested.version=v;condition=bad;", "" },
    { "\"long\":\"one\\ntwo\"", "", "", "", "", "long:\none\ntwo" },
};

/* Members of the context by which a resource is found where essentials name none. */
static const struct {
    const char *essentials, *context;
    const char *name, *resource;
} places[] = {
    { "\"alertTargetIDs\":[\"/s/workspace\"]",
      "\"AffectedConfigurationItems\":[\"FS01.local\"],\"SearchQuery\":\"q\"", "r", "FS01.local" },
    { "\"alertTargetIDs\":[\"/s/workspace\"]", "\"labels\":{\"cluster\":\"aks\"}", "r", "aks" },
    { "\"alertTargetIDs\":[\"/subscriptions/1\"]",
      "\"operationName\":\"microsoft.servicehealth/incident/"
      "action\",\"properties\":{\"service\":\"VMs\","
      "\"region\":\"East US\"}",
      "r", "VMs - East US" },
    { "\"alertTargetIDs\":[\"/subscriptions/1\"]",
      "\"properties\":{\"service\":\"VMs\",\"trackingId\":\"T\"}", "r", "VMs" },
    { "\"alertTargetIDs\":[\"/s/vm\"]", "\"properties\":{\"service\":\"checkout\"}", "r", "vm" },
    { "\"alertTargetIDs\":null", "\"resourceId\":\"/s/vm/a\"", "r", "a" },
    { "\"alertTargetIDs\":null", "\"authorization\":{\"scope\":\"/s/vm/b\"}", "r", "b" },
    { "\"alertTargetIDs\":[]", "\"BackupItemName\":\"vm-1\"", "r", "vm-1" },
    { "\"alertRule\":null,\"configurationItems\":[\"budgets\"]",
      "\"AlertData\":{\"BudgetName\":\"b-1\"}", "b-1", "b-1" },
    { "\"alertRule\":null,\"alertRuleID\":\"/s/rules/cpu high\"", "\"x\":1", "cpu high", "" },
    { "\"alertRule\":\"\",\"alertRuleId\":\"/s/rules/cpu\"", "\"labels\":{\"alertname\":\"N\"}",
      "N", "" },
};

/* Stages of Azure's own incidents and maintenances. */
static const struct {
    const char *operation, *stage;
    enum alert_state state;
} stages[] = {
    { "Microsoft.ServiceHealth/incident/action", "Resolved", ALERT_RESOLVED },
    { "microsoft.servicehealth/incident/action", "RESOLVED", ALERT_RESOLVED },
    { "Microsoft.ServiceHealth/incident/action", "Active", ALERT_FIRED },
    { "Microsoft.ServiceHealth/incident/action", "", ALERT_FIRED },
    { "Microsoft.ServiceHealth/maintenance/action", "Resolved", ALERT_FIRED },
    { "Microsoft.Compute/virtualMachines/write", "Resolved", ALERT_FIRED },
};

/* Essentials that are about the same problem, and such that are about another. */
static const struct {
    const char *essentials;
    bool is_same;
} twins[] = {
    { "\"alertTargetIDs\":[\"/S/B\",\"/S/"
      "a\"],\"alertId\":\"2\",\"firedDateTime\":\"2024-01-02T00:00:00Z\"",
      true },
    { "\"alertTargetIDs\":[\"/s/a\",\"/s/b\"],\"monitorCondition\":\"Resolved\"", true },
    { "\"alertTargetIDs\":[\"/s/a\",\"/s/b\"],\"description\":\"other words\"", true },
    { "\"alertTargetIDs\":[\"/s/a\"]", false },
    { "\"alertTargetIDs\":[\"/s/a\",\"/s/c\"]", false },
    { "\"alertTargetIDs\":[\"/s/a\",\"/s/b\"],\"alertRuleID\":\"/rule\"", false },
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    return 0;
}

static struct alert read_alert(const char *row, struct view body)
{
    struct failure why = { 0 };
    struct alert alert = { 0 };
    if (!read_first(body, &mem, &alert, &why))
        print_error("row \"%s\": %s %s %s\n", row, failure_row(why.kind)->name,
                    why.field == NULL ? "" : why.field, why.detail);
    CHECK(row, alert.from != NULL);
    return alert;
}

/* A fired alert with these further members of essentials, of the context and of data. */
static struct alert read_parts(const char *row, const char *essentials, const char *context,
                               const char *data)
{
    struct text text = text_in(&mem, PLENTY);
    text_add_string(&text, "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{"
                           "\"essentials\":{\"alertRule\":\"r\"");
    text_add_string(&text, essentials[0] == '\0' ? "" : ",");
    text_add_string(&text, essentials);
    text_add_string(&text, "},\"alertContext\":{");
    text_add_string(&text, context);
    text_add_string(&text, "}");
    text_add_string(&text, data[0] == '\0' ? "" : ",");
    text_add_string(&text, data);
    text_add_string(&text, "}}");
    return read_alert(row, text_view(&text));
}

/* "name":value */
static const char *member(const char *name, const char *json)
{
    struct text text = text_in(&mem, PLENTY);
    text_add_char(&text, '"');
    text_add_string(&text, name);
    text_add_string(&text, "\":");
    text_add_string(&text, json);
    return text_view(&text).at;
}

static struct view pairs_as_text(const struct pairs *pairs)
{
    struct text text = text_in(&mem, PLENTY);
    for (size_t i = 0; i < pairs->count; i++) {
        text_add(&text, pairs->at[i].key);
        text_add_char(&text, '=');
        text_add(&text, pairs->at[i].value);
        text_add_char(&text, ';');
    }
    return text_view(&text);
}

static struct view repeated(char c, size_t count)
{
    struct text text = text_in(&mem, PLENTY);
    text_add_repeated(&text, c, count);
    return text_view(&text);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void real_payloads_are_read_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        const char *row = payloads[i].file;
        struct text path = text_in(&mem, 1024);
        text_add_string(&path, FOLDER);
        text_add_string(&path, row);
        struct alert alert = read_alert(row, process_read_file(text_view(&path).at, &mem));
        CHECK(row, alert.from == &source_azure_common && alert.from->is_azure);
        CHECK_VIEW(row, alert.name, view_of(payloads[i].name));
        CHECK(row, alert.has_severity == (payloads[i].severity >= 0));
        CHECK(row, !alert.has_severity || alert.severity == payloads[i].severity);
        CHECK_VIEW(row, alert.description, view_of(payloads[i].description));
        CHECK_VIEW(row, alert.resource, view_of(payloads[i].resource));
        CHECK_VIEW(row, alert.signal_type, view_of(payloads[i].signal));
        CHECK_VIEW(row, alert.fired_time, view_of(payloads[i].time));
        CHECK_VIEW(row, alert.source, VIEW("azure-monitor"));
        CHECK_VIEW(row, pairs_as_text(&alert.conditions), view_of(payloads[i].conditions));
        CHECK_VIEW(row, pairs_as_text(&alert.dimensions), view_of(payloads[i].dimensions));
        CHECK_VIEW(row, pairs_as_text(&alert.custom), view_of(payloads[i].custom));
        CHECK_VIEW(row, alert.query, view_of(payloads[i].query));
        CHECK(row, alert.links.count == payloads[i].links);
        CHECK(row, alert.state == payloads[i].state);
        CHECK(row, alert.notes.count == 0);
    }
}

static void embedded_rows_become_logs(void **state)
{
    (void)state;
    struct alert alert = read_alert(
        "rows", process_read_file(FOLDER "common-log-v2-embedded-search-results-fired.json", &mem));
    CHECK_VIEW("logs", alert.logs,
               VIEW("TimeGenerated: 2024-02-06T11:58:23.456Z | LogEntry: Error: "
                    "TokenCredentialAuthenticationError...\n"
                    "TimeGenerated: 2024-02-06T11:59:01.234Z | LogEntry: Error: Request failed "
                    "with status 401...\n"));
    CHECK_VIEW("query", alert.query, VIEW("ContainerLog | where LogEntry contains 'Error'"));
    CHECK_VIEW("id", alert.alert_id,
               VIEW("/subscriptions/{subscription-id}/providers/Microsoft.AlertsManagement/alerts/"
                    "{alert-id}"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        alert = read_parts(rows[i].results, "", member("SearchResults", rows[i].results), "");
        CHECK_VIEW(rows[i].results, view_trim(alert.logs), view_trim(view_of(rows[i].logs)));
    }
}

static void azure_payloads_are_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        struct alert alert = read_alert(claims[i].body, view_of(claims[i].body));
        CHECK(claims[i].body, (alert.from == &source_azure_common) == claims[i].is_azure);
        CHECK(claims[i].body, (alert.from == &source_native) == !claims[i].is_azure);
    }
}

static void a_rule_without_a_name_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"schemaId\":\"azureMonitorCommonAlertSchema\"}",
        "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":null}",
        "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":[]}}",
        "{\"data\":{\"essentials\":{\"alertId\":\"i\",\"alertRule\":\" \"}}}",
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct failure why = { 0 };
        struct alert alert;
        CHECK(bodies[i], !read_first(view_of(bodies[i]), &mem, &alert, &why));
        CHECK(bodies[i], why.kind == FAIL_FIELD_MISSING);
        CHECK_VIEW(bodies[i], view_of(why.field), VIEW("data.essentials.alertRule"));
    }
}

static void severity_is_read_or_not_stated(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(severities); i++) {
        const char *row = severities[i].json;
        struct alert alert = read_parts(row, member("severity", row), "", "");
        CHECK(row, alert.has_severity == (severities[i].severity >= 0));
        CHECK(row, !alert.has_severity || alert.severity == severities[i].severity);
        CHECK(row, (pairs_find(&alert.notes, VIEW("data.essentials.severity")) != NULL)
                       == severities[i].is_noted);
    }
}

static void only_resolved_is_resolved(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        const char *row = states[i].json;
        struct alert alert = read_parts(row, member("monitorCondition", row), "", "");
        CHECK(row, alert.state == states[i].state);
        CHECK(row, (alert.notes.count == 1) == states[i].is_noted);
    }
}

static void operators_are_put_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(operators); i++) {
        const char *row = operators[i].azure;
        struct text condition = text_in(&mem, 1024);
        struct text words = text_in(&mem, 1024);
        text_add_string(&condition, "\"condition\":{\"allOf\":[{\"metricName\":\"m\",\"threshold\":"
                                    "\"5\",\"operator\":\"");
        text_add_string(&condition, row);
        text_add_string(&condition, "\"}]}");
        text_add_string(&words, "=m ");
        text_add_string(&words, operators[i].words);
        text_add_string(&words, " 5;");
        struct alert alert = read_parts(row, "", text_view(&condition).at, "");
        CHECK_VIEW(row, pairs_as_text(&alert.conditions), text_view(&words));
    }
}

static void durations_are_put_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(durations); i++) {
        const char *row = durations[i].azure;
        struct text condition = text_in(&mem, 1024);
        struct text words = text_in(&mem, 1024);
        text_add_string(&condition, "\"condition\":{\"allOf\":[{\"metricName\":\"m\"}],"
                                    "\"windowSize\":\"");
        text_add_string(&condition, row);
        text_add_string(&condition, "\"}");
        text_add_string(&words, "=m, over ");
        text_add_string(&words, durations[i].words);
        text_add_char(&words, ';');
        struct alert alert = read_parts(row, "", text_view(&condition).at, "");
        CHECK_VIEW(row, pairs_as_text(&alert.conditions), text_view(&words));
    }
}

static void conditions_are_put_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        const char *row = conditions[i].condition;
        struct alert alert = read_parts(row, "", member("condition", row), "");
        CHECK_VIEW(row, pairs_as_text(&alert.conditions), view_of(conditions[i].words));
    }
}

static void an_empty_criterion_is_no_condition(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(empty_criteria); i++) {
        const char *row = empty_criteria[i];
        struct alert alert = read_parts(row, "", member("condition", row), "");
        for (size_t n = 0; n < alert.conditions.count; n++)
            CHECK(row, !view_starts(view_trim(alert.conditions.at[n].value), VIEW(",")));
    }
}

static void resources_have_short_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(resources); i++) {
        const char *row = resources[i].members;
        struct alert alert = read_parts(row, row, "", "");
        CHECK_VIEW(row, alert.resource, view_of(resources[i].resource));
        CHECK_VIEW(row, pairs_as_text(&alert.dimensions), view_of(resources[i].dimensions));
    }
}

static void custom_properties_stand_in_either_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(properties); i++) {
        struct alert alert =
            read_parts(properties[i].custom, "", member("properties", properties[i].context),
                       member("customProperties", properties[i].custom));
        CHECK_VIEW(properties[i].custom, pairs_as_text(&alert.custom), view_of(properties[i].kept));
    }
}

static void signals_are_put_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct alert alert =
            read_parts(signals[i].json, member("signalType", signals[i].json), "", "");
        CHECK_VIEW(signals[i].json, alert.signal_type, view_of(signals[i].signal));
    }
    struct alert alert =
        read_parts("query", "\"signalType\":\"Metric\"",
                   "\"condition\":{\"allOf\":[{\"searchQuery\":\"Heartbeat\"}]}", "");
    CHECK_VIEW("a rule with a query", alert.signal_type, VIEW("log"));
}

static void queries_of_several_criteria_are_kept(void **state)
{
    (void)state;
    struct alert alert =
        read_parts("queries", "",
                   "\"condition\":{\"allOf\":[{\"searchQuery\":\" A\\n| B \"},{\"searchQuery\":"
                   "null},{\"searchQuery\":\"C\"}]}",
                   "");
    CHECK_VIEW("queries", alert.query, VIEW("A\n| B\n\nC"));
}

/* More criteria, rows and dimensions than anybody reads: bounded, and never a reason to refuse. */
static void too_much_is_bounded(void **state)
{
    (void)state;
    struct text context = text_in(&mem, PLENTY);
    text_add_string(&context, "\"condition\":{\"allOf\":[");
    for (int i = 0; i < 1000; i++)
        text_add_string(&context, "{\"metricName\":\"m\",\"searchQuery\":\"q\",\"dimensions\":[{"
                                  "\"name\":\"d\",\"value\":\"v\"}]},");
    text_add_string(&context, "{}]},\"SearchResults\":{\"tables\":[{\"columns\":[],\"rows\":[");
    for (int i = 0; i < 1000; i++)
        text_add_string(&context, "[\"x\"],");
    text_add_string(&context, "[]]}]}");
    struct alert alert = read_parts("much", "", text_view(&context).at, "");
    assert_int_equal(alert.conditions.count, MAX_CONDITIONS);
    assert_int_equal(alert.dimensions.count, MAX_CONDITIONS);
    assert_true(alert.logs.len >= 100 && alert.logs.len <= 1000);
    assert_true(alert.query.len > 0 && alert.query.len <= 1000);
}

/* 300 KiB of query: the alert matters more than its evidence. */
static void a_huge_query_does_not_refuse_the_alert(void **state)
{
    (void)state;
    struct text context = text_in(&mem, PLENTY);
    text_add_string(&context, "\"condition\":{\"allOf\":[{\"searchQuery\":\"");
    text_add(&context, repeated('q', 300 * 1024));
    text_add_string(&context, "\"}]}");
    struct alert alert = read_parts("huge query", "", text_view(&context).at, "");
    assert_true(alert.query.len > 0);
}

/* 300 KiB of rows: what fits is kept, and the log says that something was cut. */
static void huge_rows_are_cut_not_lost(void **state)
{
    (void)state;
    struct text context = text_in(&mem, PLENTY);
    text_add_string(&context, "\"SearchResults\":{\"tables\":[{\"columns\":[{\"name\":\"L\"}],"
                              "\"rows\":[[\"first\"]");
    for (int i = 0; i < 90; i++) {
        text_add_string(&context, ",[\"");
        text_add(&context, repeated('r', 4000));
        text_add_string(&context, "\"]");
    }
    text_add_string(&context, "]}]}");
    struct alert alert = read_parts("huge rows", "", text_view(&context).at, "");
    assert_non_null(pairs_find(&alert.notes, VIEW("SearchResults")));
    assert_true(view_starts(alert.logs, VIEW("L: first\n")));
    assert_true(alert.logs.len > 100 * 1024);
}

/* A link that was cut would lead astray. */
static void links_are_whole_or_left_out(void **state)
{
    (void)state;
    static const size_t lengths[] = { MAX_LINK_BYTES - 1, MAX_LINK_BYTES, MAX_LINK_BYTES + 1 };
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct text link = text_in(&mem, PLENTY);
        text_add_string(&link, "\"https://a/");
        text_add(&link, repeated('x', lengths[i] - 10));
        text_add_char(&link, '"');
        struct alert alert =
            read_parts("link", member("investigationLink", text_view(&link).at), "", "");
        assert_int_equal(alert.links.count, lengths[i] <= MAX_LINK_BYTES ? 1 : 0);
        if (alert.links.count == 1)
            assert_int_equal(alert.links.at[0].value.len, lengths[i]);
    }
}

static void contexts_are_read_by_their_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(contexts); i++) {
        const char *row = contexts[i].context;
        struct alert alert =
            read_parts(row, "\"alertTargetIDs\":[\"/t\"],\"description\":\"s\"", row, "");
        struct view dimensions = pairs_as_text(&alert.dimensions);
        CHECK(row, view_contains(dimensions, VIEW("resourceId=/t;")));
        dimensions.len -= VIEW("resourceId=/t;").len;
        CHECK_VIEW(row, dimensions, view_of(contexts[i].dimensions));
        CHECK_VIEW(row, pairs_as_text(&alert.conditions), view_of(contexts[i].conditions));
        CHECK_VIEW(row, alert.query, view_of(contexts[i].query));
        CHECK_VIEW(row, pairs_as_text(&alert.custom), view_of(contexts[i].custom));
        CHECK_VIEW(row, alert.logs, view_of(contexts[i].logs));
        CHECK(row, alert.links.count == 0 && alert.notes.count == 0);
    }
}

static void resources_and_names_stand_elsewhere_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const char *row = places[i].context;
        struct alert alert = read_parts(row, places[i].essentials, row, "");
        CHECK_VIEW(row, alert.name, view_of(places[i].name));
        CHECK_VIEW(row, alert.resource, view_of(places[i].resource));
    }
}

static void incidents_in_azure_end_by_their_stage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stages); i++) {
        struct text context = text_in(&mem, 1024);
        text_add_string(&context, "\"operationName\":\"");
        text_add_string(&context, stages[i].operation);
        text_add_string(&context, "\",\"properties\":{\"stage\":\"");
        text_add_string(&context, stages[i].stage);
        text_add_string(&context, "\"}");
        struct alert alert =
            read_parts(stages[i].operation,
                       "\"monitoringService\":\"ServiceHealth\",\"monitorCondition\":\"Fired\"",
                       text_view(&context).at, "");
        CHECK(stages[i].operation, alert.state == stages[i].state);
    }
}

static void problems_are_told_by_rule_and_targets(void **state)
{
    (void)state;
    struct identity first, other;
    struct alert alert = read_parts("first", "\"alertTargetIDs\":[\"/s/a\",\"/s/b\"]", "", "");
    assert_true(identity_of(&alert, &mem, &first));
    for (size_t i = 0; i < COUNT_OF(twins); i++) {
        const char *row = twins[i].essentials;
        alert = read_parts(row, row, "", "");
        CHECK(row, identity_of(&alert, &mem, &other));
        CHECK(row, view_equal(first.fingerprint, other.fingerprint) == twins[i].is_same);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(real_payloads_are_read_whole),
        TEST(embedded_rows_become_logs),
        TEST(azure_payloads_are_recognised),
        TEST(a_rule_without_a_name_is_refused),
        TEST(severity_is_read_or_not_stated),
        TEST(only_resolved_is_resolved),
        TEST(operators_are_put_in_words),
        TEST(durations_are_put_in_words),
        TEST(conditions_are_put_in_words),
        TEST(an_empty_criterion_is_no_condition),
        TEST(resources_have_short_names),
        TEST(custom_properties_stand_in_either_place),
        TEST(signals_are_put_in_words),
        TEST(queries_of_several_criteria_are_kept),
        TEST(too_much_is_bounded),
        TEST(a_huge_query_does_not_refuse_the_alert),
        TEST(huge_rows_are_cut_not_lost),
        TEST(links_are_whole_or_left_out),
        TEST(contexts_are_read_by_their_content),
        TEST(resources_and_names_stand_elsewhere_too),
        TEST(incidents_in_azure_end_by_their_stage),
        TEST(problems_are_told_by_rule_and_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
