/* Metric alerts of Azure without the common schema. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\" cpu "
              "\",\"severity\":\"3\",\"description\":\"d\",\"resourceName\":\"web\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"timestamp\":\"2021-11-15T09:35:12.9703687Z\",\"id\":\"/rules/"
              "cpu%20high\",\"portalLink\":\"https://portal.azure.com/#resource/"
              "x\",\"condition\":{\"windowSize\":\"PT5M\",\"allOf\":[{\"metricName\":\"CPU\","
              "\"operator\":\"GreaterThan\",\"threshold\":\"0\",\"timeAggregation\":\"Total\","
              "\"metricValue\":100,\"dimensions\":[{\"name\":\"Api\",\"value\":\"Get\"}]}]}},"
              "\"properties\":{\"team\":\"a\",\"nested\":{\"b\":1}}}}",
      .from = &source_azure_metric,
      .name = "cpu",
      .severity = 3,
      .description = "d",
      .resource = "web",
      .signal = "metric",
      .time = "2021-11-15T09:35:12.9703687Z",
      .alert_id = "",
      .problem = "/rules/cpu%20high",
      .conditions = "=Total of CPU greater than 0, measured 100, over 5 minutes;",
      .dimensions =
          "resourceId=/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web;Api=Get;",
      .custom = "team=a;nested.b=1;",
      .links = "Resource=https://portal.azure.com/#resource/x;",
      .notes = "" },
    /* nulls everywhere, and nothing besides the name */
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":null,\"context\":{"
              "\"name\":\"n\",\"severity\":null,\"description\":null,\"resourceName\":null,"
              "\"resourceId\":null,\"timestamp\":null,\"id\":null,\"condition\":null,"
              "\"portalLink\":null},\"properties\":null}}",
      .from = &source_azure_metric,
      .name = "n",
      .description = "",
      .resource = "",
      .time = "",
      .problem = "",
      .conditions = "",
      .dimensions = "",
      .custom = "",
      .links = "",
      .notes = "",
      .severity = -1 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\"}}}",
      .from = &source_azure_metric,
      .name = "n",
      .notes = "",
      .severity = -1 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\",\"condition\":{\"allOf\":[]},\"resourceId\":\"/"
              "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/api\"}}}",
      .name = "n",
      .resource = "api",
      .conditions = "",
      .severity = -1 },
    /* severity as number, digits, word; none of them */
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\",\"severity\":0}}}",
      .severity = 0 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\",\"severity\":\"Sev1\"}}}",
      .severity = 1 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\",\"severity\":\"Warning\"}}}",
      .severity = 2 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\",\"severity\":\"7\"}}}",
      .notes = "data.context.severity=left out;",
      .severity = -1 },
    /* states */
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Deactivated\","
              "\"context\":{\"name\":\"n\"}}}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"resolved\","
              "\"context\":{\"name\":\"n\"}}}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"ACTIVATED\","
              "\"context\":{\"name\":\"n\"}}}",
      .state = ALERT_FIRED,
      .severity = -1 },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Paused\","
              "\"context\":{\"name\":\"n\"}}}",
      .state = ALERT_OTHER,
      .notes = "data.status=left out;",
      .severity = -1 },
    /* custom properties at the top level too, and no credentials */
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\"}},\"properties\":{\"k\":\"v\",\"token\":\"t\"}}",
      .custom = "k=v;",
      .severity = -1 },
    /* the schema counts more than an alertName; a wrong one does not */
    { .body =
          "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
          "\"context\":{\"name\":\"n\"}},\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}",
      .from = &source_azure_metric,
      .name = "n",
      .severity = -1 },
    { .body = "{\"schemaId\":\"azuremonitormetricalert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"n\"}}}",
      .from = &source_azure_metric,
      .severity = -1 },
    /* without a name there is no alert */
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":null,\"severity\":\"3\"}}}",
      .refused = "data.context.name" },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\"}", .refused = "data.context.name" },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"context\":\"x\"}}",
      .refused = "data.context.name" },
    { .body = "{\"schemaId\":\"AzureMonitorMetricAlert\",\"data\":{\"status\":\"Activated\","
              "\"context\":{\"name\":\"{{rule.name}}\"}}}",
      .refused = "data.context.name" },
};

static void metric_alerts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(metric_alerts_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
