/* Uptime Kuma: what the samples do not show. */
#include "unit/wanted.h"

#define BEAT(beat, monitor) \
    "{\"heartbeat\":{" beat "},\"monitor\":{\"id\":1,\"name\":\"m\"" monitor "},\"msg\":\"x\"}"

static const struct wanted rows[] = {
    { .body = "{\"heartbeat\":null,\"monitor\":null,\"msg\":\"My Notification Testing\"}",
      .from = &source_uptime_kuma,
      .name = "",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = BEAT("\"status\":2", ""), .state = ALERT_OTHER, .severity = -1 },
    { .body = BEAT("\"status\":3", ""), .state = ALERT_OTHER, .severity = -1 },
    { .body = BEAT("\"status\":\"1\"", ""), .state = ALERT_RESOLVED, .severity = -1 },
    { .body = BEAT("\"status\":0,\"time\":\"2024-01-01 00:00:00\"",
                   ",\"url\":\"https://\",\"hostname\":\"h\",\"port\":null"),
      .resource = "h",
      .time = "2024-01-01T00:00:00Z",
      .description = "x",
      .problem = "1",
      .links = "",
      .severity = -1 },
    { .body = BEAT("\"status\":0,\"time\":\"2024-01-01 00:00:00+02:00\"",
                   ",\"url\":\"https://u/"
                   "h\",\"hostname\":\"h\",\"tags\":[{\"name\":\"Severity\",\"value\":\"WARNING\"},"
                   "{\"name\":\"t\",\"value\":null},7]"),
      .resource = "https://u/h",
      .time = "2024-01-01 00:00:00+02:00",
      .custom = "",
      .severity = 2 },
    { .body = BEAT("\"status\":0", ",\"tags\":[{\"name\":\"severity\",\"value\":\"odd\"}]"),
      .resource = "m",
      .custom = "severity=odd;",
      .severity = -1 },
    { .body = "{\"heartbeat\":{\"status\":0},\"monitor\":null,\"msg\":\"x\"}",
      .refused = "monitor.name" },
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
    return cmocka_run_group_tests_name("source_uptime_kuma", tests, NULL, NULL);
}
