/* Dynatrace: what the sample does not show. */
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body =
          "{\"ProblemID\":\"P-1\",\"PID\":\"-99_1V2\",\"State\":\"RESOLVED\",\"ProblemTitle\":"
          "\"t\",\"ProblemSeverity\":"
          "\"AVAILABILITY\",\"ProblemDetailsText\":\"OPEN "
          "Problem\\nline\",\"ProblemDetailsHTML\":\"<b>x</b>\","
          "\"ImpactedEntities\":[{\"name\":\"s1\",\"entity\":\"E1\"},{\"name\":\"s2\",\"entity\":"
          "\"E2\"}],\"Tags\":\"\","
          "\"ProblemURL\":\"https://d/1\",\"ProblemDetailsJSON\":{\"startTime\":1772444887531}}",
      .from = &source_dynatrace,
      .name = "t",
      .description = "OPEN Problem\nline",
      .resource = "s1",
      .time = "2026-03-02T09:48:07.531Z",
      .alert_id = "-99_1V2",
      .dimensions = "entity=E1;entity=E2;",
      .custom = "problem=P-1;problem severity=AVAILABILITY;",
      .links = "Problem=https://d/1;",
      .state = ALERT_RESOLVED,
      .severity = 0 },
    { .body = "{\"ProblemID\":\"1\",\"State\":\"MERGED\",\"ProblemTitle\":\"t\","
              "\"ProblemSeverity\":\"ERROR\"}",
      .alert_id = "1",
      .state = ALERT_OTHER,
      .severity = 1 },
    { .body = "{\"PID\":\"1\",\"ProblemTitle\":\"t\",\"ProblemSeverity\":\"RESOURCE_CONTENTION\","
              "\"ImpactedEntity\":\"host\","
              "\"ProblemDetailsHTML\":\"<p>a &amp; b</p>\"}",
      .resource = "host",
      .description = "a & b",
      .severity = 2 },
    { .body = "{\"ProblemID\":\"1\",\"State\":\"OPEN\",\"ProblemTitle\":\"t\",\"ProblemSeverity\":"
              "\"CUSTOM_ALERT\","
              "\"ImpactedEntities\":\"{ImpactedEntities}\"}",
      .resource = "",
      .severity = 3 },
    { .body = "{\"event.kind\":\"DAVIS_EVENT\",\"event.name\":\"CPU\",\"event.status\":\"ACTIVE\","
              "\"event.start\":"
              "\"2026-03-02T09:48:07.531000000Z\",\"event.category\":\"SLOWDOWN\",\"event."
              "severity\":5,\"event.id\":\"e\","
              "\"event.description\":\"d\",\"affected_entity_ids\":[\"HOST-1\",\"HOST-2\"],\"dt."
              "entity.host\":\"HOST-1\"}",
      .from = &source_dynatrace,
      .name = "CPU",
      .description = "d",
      .resource = "HOST-1",
      .time = "2026-03-02T09:48:07.531000000Z",
      .alert_id = "e",
      .custom = "category=SLOWDOWN;dt.entity.host=HOST-1;",
      .severity = 2 },
    { .body = "{\"event\":{\"kind\":\"DAVIS_PROBLEM\",\"name\":\"n\",\"status\":\"CLOSED\"},"
              "\"display_id\":\"P-5\"}",
      .name = "n",
      .alert_id = "P-5",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"ProblemID\":\"{ProblemID}\",\"State\":\"{State}\",\"ProblemTitle\":\"{"
              "ProblemTitle}\"}",
      .refused = "ProblemTitle" },
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
    return cmocka_run_group_tests_name("source_dynatrace", tests, NULL, NULL);
}
