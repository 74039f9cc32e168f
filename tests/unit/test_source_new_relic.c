/* New Relic: what the samples do not show. */
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"issueId\":\"i\",\"issuePageUrl\":\"https://o/"
              "p\",\"issueTitle\":[\"first\",\"second\"],\"state\":"
              "\"CLOSED\",\"priority\":\"HIGH\",\"createdAt\":\"1772444887531\","
              "\"impactedEntities\":[\"a\",\"b\",\"a\","
              "\"b\",null],\"alertConditionNames\":[\"c1\",\"c2\"],\"isCorrelated\":\"false\"}",
      .from = &source_new_relic,
      .name = "first",
      .resource = "a",
      .time = "2026-03-02T09:48:07.531Z",
      .alert_id = "i",
      .custom = "condition=c1, c2;also impacted=b;",
      .links = "Issue page=https://o/p;",
      .state = ALERT_RESOLVED,
      .severity = 1 },
    { .body =
          "{\"issue_id\":\"i\",\"title\":\"t\",\"state\":\"ACKNOWLEDGED\",\"priority\":\"MEDIUM\"}",
      .state = ALERT_OTHER,
      .severity = 2 },
    { .body = "{\"id\":\"i\",\"issueUrl\":\"u\",\"title\":\"t\",\"state\":\"ACTIVATED\","
              "\"priority\":\"LOW\","
              "\"timestamp\":1772444887,\"impactedEntities\":\"one\"}",
      .time = "2026-03-02T09:48:07Z",
      .resource = "one",
      .links = "",
      .severity = 3 },
    { .body = "{\"condition_name\":\"c\",\"current_state\":\"closed\",\"incident_id\":5,"
              "\"severity\":\"WARNING\","
              "\"targets\":[],\"timestamp\":0,\"condition_id\":9}",
      .name = "c",
      .alert_id = "5",
      .problem = "9",
      .resource = "",
      .time = "",
      .state = ALERT_RESOLVED,
      .severity = 2 },
    { .body = "{\"condition_name\":\"c\",\"current_state\":\"test\",\"targets\":{\"name\":\"x\"}}",
      .resource = "x",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"issueId\":\"i\",\"state\":\"ACTIVATED\",\"title\":\"{{issueTitle}}\","
              "\"priority\":\"{{priority}}\"}",
      .refused = "title" },
    { .body = "{\"issueId\":\"i\",\"state\":\"ACTIVATED\",\"title\":\"t\",\"priority\":\"P9\"}",
      .notes = "priority=left out;",
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
    return cmocka_run_group_tests_name("source_new_relic", tests, NULL, NULL);
}
