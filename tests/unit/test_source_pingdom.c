/* Pingdom: what the samples do not show. */
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"check_id\":\"5\",\"check_type\":\"TRANSACTION\",\"check_name\":\"n\",\"current_"
              "state\":\"FAILING\",\"importance_level\":"
              "\"LOW\",\"check_params\":{},\"state_changed_utc_time\":\"2017-06-30T22:25:43\","
              "\"description\":\"d\",\"tags\":[\"a\",\"b\"]}",
      .from = &source_pingdom,
      .resource = "",
      .description = "d",
      .time = "2017-06-30T22:25:43",
      .alert_id = "5",
      .problem = "5",
      .custom = "check type=TRANSACTION;error=d;tags=a, b;",
      .severity = 3 },
    { .body = "{\"check_id\":5,\"check_type\":\"PING\",\"check_name\":\"n\",\"current_state\":"
              "\"SUCCESS\"}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"check_id\":5,\"check_type\":\"PING\",\"check_name\":\"n\",\"current_state\":"
              "\"UNKNOWN\"}",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"check_id\":5,\"check_type\":\"PING\",\"current_state\":\"DOWN\"}",
      .refused = "check_name" },
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
    return cmocka_run_group_tests_name("source_pingdom", tests, NULL, NULL);
}
