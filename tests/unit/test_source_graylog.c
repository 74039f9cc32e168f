/* Graylog: what the sample does not show. */
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"event_definition_id\":\"d-1\",\"event_definition_title\":\"Too "
              "many\",\"event_definition_description\":\"text\","
              "\"event\":{\"id\":\"01\",\"timestamp\":\"2024-01-01T00:00:00.000Z\",\"message\":"
              "\"m\",\"source\":\"srv\",\"key\":\"k\","
              "\"priority\":3,\"fields\":{\"user\":\"u\"}},\"backlog\":[{\"timestamp\":\"t\","
              "\"source\":\"s\",\"message\":\"boom\"}]}",
      .from = &source_graylog,
      .name = "Too many",
      .description = "m",
      .resource = "srv",
      .signal = "log",
      .time = "2024-01-01T00:00:00.000Z",
      .alert_id = "01",
      .problem = "d-1",
      .logs = "t s boom\n",
      .dimensions = "key=k;",
      .custom = "user=u;",
      .severity = 1 },
    { .body = "{\"check_result\":{\"triggered\":false,\"triggered_condition\":{\"id\":\"c\"}},"
              "\"stream\":{\"title\":\"t\"}}",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"check_result\":{\"triggered\":true,\"triggered_condition\":{\"id\":\"c\"},"
              "\"matching_messages\":null},"
              "\"stream\":{\"title\":\"t\"}}",
      .logs = "",
      .alert_id = "c",
      .severity = -1 },
    { .body = "{\"check_result\":{\"triggered_condition\":{}},\"stream\":{}}",
      .refused = "event_definition_title" },
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
    return cmocka_run_group_tests_name("source_graylog", tests, NULL, NULL);
}
