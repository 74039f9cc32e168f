/* Activity log alerts of Azure without the common schema. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"authorization\":{\"action\":\"x\",\"scope\":\"y\"},\"claims\":\"{\\\"aud\\\":"
              "\\\"z\\\"}\",\"caller\":\"a@b\",\"httpRequest\":\"{}\",\"correlationId\":\"c\","
              "\"description\":\"\",\"eventSource\":\"Administrative\",\"eventTimestamp\":\"2021-"
              "11-16T08:27:36.1836909+00:00\",\"eventDataId\":\"e\",\"level\":\"Warning\","
              "\"operationName\":\"Microsoft.Compute/"
              "restart\",\"properties\":{\"message\":\"m\",\"hierarchy\":\"h\"},\"resourceId\":\"/"
              "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "vm\",\"status\":\"Started\",\"subStatus\":\"\"}},\"properties\":{\"k\":\"v\"}}}",
      .from = &source_azure_activity,
      .name = "Microsoft.Compute/restart",
      .severity = 2,
      .description = "",
      .resource = "vm",
      .signal = "activity",
      .time = "2021-11-16T08:27:36.1836909+00:00",
      .alert_id = "e",
      .problem = "",
      .dimensions = "operationName=Microsoft.Compute/restart;resourceId=/subscriptions/s/"
                    "resourceGroups/g/providers/Microsoft.Web/sites/vm;",
      .custom = "k=v;caller=a@b;correlationId=c;eventSource=Administrative;level=Warning;message=m;"
                "status=Started;",
      .notes = "",
      .state = ALERT_FIRED },
    /* names, from the nearest to a person to the farthest */
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"properties\":{\"title\":\"t\"},\"description\":\"d\",\"operationName\":\"o\"}},"
              "\"properties\":{\"alertName\":\"mine\"}}}",
      .name = "mine",
      .description = "d",
      .severity = -1 },
    { .body =
          "{\"schemaId\":\"Microsoft.Insights/"
          "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
          "\"properties\":{\"title\":\"t\",\"recommendationName\":\"r\"},\"description\":\"d\"}}}}",
      .name = "t",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"properties\":{\"recommendationName\":\"r\"},\"description\":\"d\"}}}}",
      .name = "r",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"description\":\"d\",\"operationName\":\"o\"}}}}",
      .name = "d",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"description\":null,\"operationName\":\"o\"}}}}",
      .name = "o",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"authorization\":{\"action\":\"a\",\"scope\":\"/s/vm\"}}}}}",
      .name = "a",
      .resource = "vm",
      .dimensions = "operationName=a;",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"level\":\"Error\"}}}}",
      .refused = "data.properties.alertName" },
    { .body = "{\"schemaId\":\"Microsoft.Insights/activityLogs\",\"data\":{}}",
      .refused = "data.properties.alertName" },
    /* severity: the rule's own before the event's level, which may be a number that counts from 1 */
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"level\":\"Error\"}},\"properties\":{\"severity\":\"0\"}}}",
      .severity = 0 },
    { .body =
          "{\"schemaId\":\"Microsoft.Insights/"
          "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
          "\"operationName\":\"o\",\"level\":\"Error\"}},\"properties\":{\"severity\":\"Sev4\"}}}",
      .severity = 4 },
    { .body =
          "{\"schemaId\":\"Microsoft.Insights/"
          "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
          "\"operationName\":\"o\",\"level\":\"Error\"}},\"properties\":{\"severity\":\"high\"}}}",
      .severity = 1,
      .notes = "data.properties.severity=left out;" },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"level\":1}}}}",
      .severity = 0 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"level\":\"4\"}}}}",
      .severity = 3 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"level\":\"Loud\"}}}}",
      .notes = "data.context.activityLog.level=left out;",
      .severity = -1 },
    /* resources */
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"properties\":{\"compromisedEntity\":\"testVM\"},"
              "\"subscriptionId\":\"s\"}}}}",
      .resource = "testVM",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"subscriptionId\":\"s\"}}}}",
      .resource = "s",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"Microsoft.ServiceHealth/incident/"
              "action\",\"eventSource\":\"ServiceHealth\",\"subscriptionId\":\"s\",\"properties\":{"
              "\"title\":\"t\",\"service\":\"VMs\",\"region\":\"East\",\"trackingId\":\"T\","
              "\"communication\":\"<b>stopped &quot;now&quot;</b>\",\"stage\":\"Resolved\"}}}}}",
      .resource = "VMs - East",
      .dimensions = "operationName=Microsoft.ServiceHealth/incident/action;trackingId=T;",
      .logs = "communication:\nstopped \"now\"",
      .state = ALERT_FIRED,
      .severity = -1 },
    /* states, and HTML in a description */
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Deactivated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\"}}}}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Odd\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\"}}}}",
      .state = ALERT_FIRED,
      .notes = "data.status=unknown, taken as Activated;",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"properties\":{\"details\":\"<p>a&nbsp;b</p>\"}}}}}",
      .description = "a b",
      .severity = -1 },
    /* lists and text where objects belong */
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "activityLogs\",\"data\":{\"status\":\"Activated\",\"context\":{\"activityLog\":{"
              "\"operationName\":\"o\",\"properties\":\"x\",\"authorization\":[],\"resourceId\":7}}"
              ",\"properties\":[]}}",
      .name = "o",
      .resource = "7",
      .severity = -1 },
};

static void activity_log_alerts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(activity_log_alerts_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
