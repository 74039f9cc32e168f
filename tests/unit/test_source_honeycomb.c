/* Honeycomb: what the samples do not show. */
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"version\":\"v0.2.0\",\"shared_secret\":\"s\",\"name\":\"n\",\"id\":\"\","
              "\"status\":\"ok\",\"result_url\":\"\"}",
      .from = &source_honeycomb,
      .alert_id = "",
      .custom = "",
      .links = "",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"version\":\"v0.1.0\",\"name\":\"n\",\"status\":\"Triggered\",\"operator\":\">\","
              "\"threshold\":2,\"summary\":\"s\","
              "\"result_groups\":[],\"result_groups_triggered\":[{\"Group\":{\"a\":\"x\",\"b\":1},"
              "\"Result\":5},"
              "{\"Group\":{},\"Result\":7}]}",
      .description = "s",
      .conditions = "=result > 2;=a=x, b=1 is 5;=result 7;",
      .severity = -1 },
    { .body = "{\"version\":\"v0.1.0\",\"name\":null,\"status\":\"TRIGGERED\",\"result_url\":\"\"}",
      .refused = "name" },
    { .body = "{\"version\":\"v1\",\"name\":\"n\",\"status\":\"TRIGGERED\",\"result_url\":\"\"}",
      .refused = "alertName" },
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
    return cmocka_run_group_tests_name("source_honeycomb", tests, NULL, NULL);
}
