/* Splunk: what the sample does not show. */
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"sid\":\"s\",\"search_name\":\" Errors "
              "\",\"app\":\"search\",\"results_link\":\"https://s/r\",\"result\":"
              "{\"_time\":\"1707220800.250\",\"host\":\"web\",\"_raw\":\"ERROR\\nat "
              "x\",\"count\":\"8\",\"mv\":[\"a\",\"b\"]}}",
      .from = &source_splunk,
      .name = "Errors",
      .resource = "web",
      .signal = "log",
      .time = "2024-02-06T12:00:00.250Z",
      .alert_id = "s",
      .problem = "Errors",
      .logs = "ERROR\nat x",
      .dimensions = "app=search;",
      .custom = "_time=1707220800.250;host=web;count=8;mv=a, b;",
      .links = "Results=https://s/r;",
      .severity = -1 },
    { .body = "{\"search_name\":\"short\",\"result\":{\"source\":\"/var/log\"}}",
      .name = "short",
      .resource = "/var/log",
      .severity = -1 },
    { .body = "{\"sid\":\"scheduler_admin_W2_at_14232356_132\",\"search_name\":null,\"results_"
              "link\":\"l\",\"result\":{}}",
      .name = "scheduler_admin_W2_at_14232356_132",
      .problem = "scheduler_admin_W2",
      .severity = -1 },
    { .body = "{\"search_name\":null,\"result\":{\"host\":\"h\"}}", .refused = "search_name" },
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
    return cmocka_run_group_tests_name("source_splunk", tests, NULL, NULL);
}
