/* Notifications of Azure's autoscale. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body =
          "{\"version\":\"1.0\",\"status\":\"Activated\",\"operation\":\"Scale "
          "Out\",\"context\":{\"name\":\"setting\",\"details\":\"from '1' to "
          "'2'\",\"newCapacity\":\"2\",\"timestamp\":\"2023-06-22T07:01:47.8926726Z\",\"id\":\"/"
          "autoscaleSettings/setting\",\"resourceName\":\"plan\",\"resourceId\":\"/subscriptions/s/"
          "resourceGroups/g/providers/Microsoft.Web/sites/plan\",\"resourceRegion\":\"West "
          "US\",\"oldCapacity\":\"1\",\"portalLink\":\"https://portal.azure.com/#resource/"
          "x\"},\"properties\":{\"k\":\"v\"}}",
      .from = &source_azure_autoscale,
      .name = "setting",
      .description = "from '1' to '2'",
      .resource = "plan",
      .signal = "",
      .time = "2023-06-22T07:01:47.8926726Z",
      .alert_id = "",
      .problem = "/autoscaleSettings/setting",
      .conditions = "",
      .dimensions = "resourceId=/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/"
                    "plan;operation=Scale Out;",
      .custom = "k=v;oldCapacity=1;newCapacity=2;resourceRegion=West US;",
      .links = "Resource=https://portal.azure.com/#resource/x;",
      .state = ALERT_FIRED,
      .severity = -1 },
    { .body = "{\"version\":\"1.0\",\"status\":\"Activated\",\"operation\":\"Scale "
              "Out\",\"context\":{\"name\":\"setting\",\"details\":\"from '1' to "
              "'2'\",\"newCapacity\":3,\"oldCapacity\":null},\"properties\":null}",
      .from = &source_azure_autoscale,
      .custom = "newCapacity=3;",
      .severity = -1 },
    { .body = "{\"version\":\"1.0\",\"status\":\"Activated\",\"operation\":\"Scale "
              "Out\",\"context\":{\"name\":\"setting\",\"details\":\"from '1' to "
              "'2'\",\"newCapacity\":\"2\"},\"properties\":{\"secret\":\"x\"}}",
      .custom = "newCapacity=2;",
      .severity = -1 },
    /* a failed operation may lead to no capacity */
    { .body = "{\"operation\":\"Scale In "
              "Failed\",\"context\":{\"name\":\"s\",\"details\":\"d\",\"resourceId\":\"/r\"}}",
      .from = &source_azure_autoscale,
      .resource = "r",
      .severity = -1 },
    { .body = "{\"version\":\"1.0\",\"status\":\"Resolved\",\"operation\":\"Scale "
              "Out\",\"context\":{\"name\":\"setting\",\"details\":\"from '1' to "
              "'2'\",\"newCapacity\":\"2\"}}",
      .state = ALERT_FIRED,
      .severity = -1 },
    { .body =
          "{\"version\":\"1.0\",\"status\":\"Activated\",\"operation\":\"Scale "
          "Out\",\"context\":{\"name\":\"setting\",\"details\":\"from '1' to "
          "'2'\",\"newCapacity\":\"2\"},\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}",
      .from = &source_native,
      .severity = 1 },
    { .body = "{\"version\":\"1.0\",\"status\":\"Activated\",\"operation\":\"Scale "
              "Out\",\"context\":{\"name\":null,\"details\":\"from '1' to "
              "'2'\",\"newCapacity\":\"2\"}}",
      .refused = "context.name" },
    { .body = "{\"version\":\"1.0\",\"status\":\"Activated\",\"operation\":\"Scale "
              "Out\",\"context\":{\"name\":\"setting\",\"details\":null,\"newCapacity\":\"2\"}}",
      .refused = "alertName" },
};

static void autoscale_notifications_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(autoscale_notifications_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
