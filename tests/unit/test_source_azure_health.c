/* Azure's health events: what the samples do not show. */
#include "unit/wanted.h"

#define HEALTH(kind, properties)                                                                   \
    "{\"id\":\"i\",\"source\":\"/"                                                                 \
    "s\",\"specversion\":\"1.0\",\"type\":\"Microsoft.ResourceNotifications.HealthResources." kind \
    "\",\"subject\":\"/a/"                                                                         \
    "vm-1\",\"time\":\"2024-01-01T00:00:00Z\",\"data\":{\"resourceInfo\":{\"properties\":"         \
    "{" properties "}}}}"

static const struct wanted rows[] = {
    { .body = HEALTH("AvailabilityStatusChanged", "\"availabilityState\":\"Degraded\""),
      .from = &source_azure_health,
      .name = "AvailabilityStatusChanged",
      .resource = "vm-1",
      .time = "2024-01-01T00:00:00Z",
      .alert_id = "i",
      .conditions = "=Degraded;",
      .severity = -1 },
    { .body = HEALTH("AvailabilityStatusChanged", "\"availabilityState\":\"Unknown\""),
      .severity = -1 },
    { .body = HEALTH("AvailabilityStatusChanged", "\"availabilityState\":\"Odd\""),
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = HEALTH("AvailabilityStatusChanged", "\"availabilityState\":\"available\""),
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = HEALTH("ResourceAnnotated",
                     "\"annotationName\":\"VirtualMachineHostRebootedForRepair\",\"impactType\":"
                     "\"Informational\",\"summary\":\"<p>a &amp; b</p>\",\"reason\":\"Host\""),
      .name = "VirtualMachineHostRebootedForRepair",
      .description = "a & b",
      .custom = "reason=Host;impact=Informational;",
      .severity = 3 },
    { .body = "[" HEALTH("AvailabilityStatusChanged", "\"availabilityState\":\"Unavailable\"") "]",
      .from = &source_azure_health,
      .severity = -1 },
};

static void payloads_become_alerts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_become_alerts),
    };
    return cmocka_run_group_tests_name("source_azure_health", tests, NULL, NULL);
}
