/* Azure's classic alerts. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"name\":\"n\",\"timestamp\":\"2015-08-14T22:26:41.9975398Z\",\"id\":\"/"
              "alertrules/"
              "n\",\"description\":\"d\",\"resourceName\":\"web\",\"condition\":{\"metricName\":"
              "\"Requests\",\"metricUnit\":\"Count\",\"metricValue\":\"10\",\"threshold\":\"10\","
              "\"windowSize\":\"15\",\"timeAggregation\":\"Average\",\"operator\":"
              "\"GreaterThanOrEqual\"}},\"properties\":{\"k\":\"v\",\"deep\":{\"er\":[1]}}}",
      .from = &source_azure_classic,
      .name = "n",
      .description = "d",
      .resource = "web",
      .signal = "metric",
      .time = "2015-08-14T22:26:41.9975398Z",
      .alert_id = "",
      .problem = "/alertrules/n",
      .conditions =
          "=Average of Requests greater than or equal to 10, measured 10, over 15 minutes;",
      .dimensions =
          "resourceId=/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web;",
      .custom = "k=v;deep.er=[1];",
      .notes = "",
      .severity = -1 },
    { .body = "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"name\":\"n\",\"resourceName\":null,\"condition\":null},\"properties\":null}",
      .from = &source_azure_classic,
      .resource = "web",
      .conditions = "",
      .custom = "",
      .severity = -1 },
    { .body = "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"name\":\"n\",\"condition\":{\"windowSize\":\"PT5M\"}}}",
      .conditions = "",
      .severity = -1 },
    { .body = "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"name\":\"n\",\"condition\":{\"metricName\":\"m\",\"windowSize\":5}}}",
      .conditions = "=m, over 5 minutes;",
      .severity = -1 },
    { .body =
          "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Event\",\"resourceId\":\"/"
          "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web\",\"name\":\"n\"}}",
      .signal = "activity",
      .severity = -1 },
    /* states: an unknown word is neither a problem nor its end */
    { .body =
          "{\"status\":\"Resolved\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":\"/"
          "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web\",\"name\":\"n\"}}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body =
          "{\"status\":\"activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":\"/"
          "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web\",\"name\":\"n\"}}",
      .state = ALERT_FIRED,
      .severity = -1 },
    { .body =
          "{\"status\":\"Unknown\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":\"/"
          "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web\",\"name\":\"n\"}}",
      .state = ALERT_OTHER,
      .notes = "status=left out;",
      .severity = -1 },
    { .body =
          "{\"status\":null,\"context\":{\"conditionType\":\"Metric\",\"resourceId\":\"/"
          "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web\",\"name\":\"n\"}}",
      .state = ALERT_FIRED,
      .severity = -1 },
    /* a time in the order of the United States */
    { .body = "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"name\":\"n\",\"timestamp\":\"3/22/2019 1:36:31 PM\"}}",
      .time = "2019-03-22T13:36:31Z",
      .severity = -1 },
    /* not classic: our own contract, and a context of something else */
    { .body = "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":"
              "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
              "web\",\"name\":\"n\"},\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}",
      .from = &source_native,
      .name = "a",
      .severity = 1 },
    { .body = "{\"status\":\"x\",\"context\":{\"conditionType\":\"Metric\"}}",
      .refused = "alertName" },
    { .body = "{\"status\":\"x\",\"context\":\"conditionType\"}", .refused = "alertName" },
    { .body =
          "{\"status\":\"Activated\",\"context\":{\"conditionType\":\"Metric\",\"resourceId\":\"/"
          "subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/web\",\"name\":\"\"}}",
      .refused = "context.name" },
};

static void classic_alerts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(classic_alerts_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
