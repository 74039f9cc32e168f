/* Opsgenie: an alert and the action taken on it. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts alerts[] = {
    { .body = "{\"action\":\"Create\",\"integrationId\":\"i\","
              "\"alert\":{\"alertId\":\"a1\",\"message\":\" m \",\"alias\":\"al\","
              "\"entity\":\"e\",\"priority\":\"P2\",\"description\":\"d\","
              "\"createdAt\":1420452191104,\"updatedAt\":1420452193166002000,"
              "\"tags\":[\"t1\",\"t2\"],\"username\":\"jane@x\",\"details\":{\"k\":\"v\"}}}",
      .name = "m",
      .severity = "1",
      .resource = "e",
      .description = "d",
      .time = "2015-01-05T10:03:11.104Z",
      .alert_id = "a1",
      .problem = "al",
      .shows = "tags: t1, t2",
      .shows_too = "k: v",
      .hides = "jane@x" },
    { .body = "{\"action\":\"Create\",\"integrationId\":\"i\",\"integrationName\":\"n\","
              "\"alert\":{\"alertId\":\"a1\",\"message\":\"m\",\"alias\":\"al\","
              "\"entity\":\"\"}}",
      .resource = "al",
      .severity = "",
      .problem = "al" },
    { .body = "{\"action\":\"Create\",\"integrationId\":\"i\",\"integrationName\":\"n\","
              "\"alert\":{\"alertId\":\"a1\",\"message\":\"m\",\"alias\":\"a1\"}}",
      .resource = "",
      .problem = "m" },
    { .body = "{\"action\":\"Close\",\"integrationId\":\"i\",\"integrationName\":\"n\","
              "\"alert\":{\"alertId\":\"a1\",\"message\":\"m\"}}",
      .state = ALERT_RESOLVED },
    { .body = "{\"action\":\"Acknowledge\",\"integrationId\":\"i\","
              "\"integrationName\":\"n\",\"alert\":{\"alertId\":\"a1\",\"message\":\"m\"}}",
      .state = ALERT_OTHER },
    { .body = "{\"action\":\"create\",\"integrationId\":\"i\",\"integrationName\":\"n\","
              "\"alert\":{\"alertId\":\"a1\",\"message\":\"m\",\"priority\":\"P9\"}}",
      .severity = "" },
};

static const struct {
    const char *body, *field;
} refused[] = {
    { "{\"action\":\"Create\",\"integrationId\":\"i\",\"integrationName\":\"n\","
      "\"alert\":{\"alertId\":\"a1\"}}",
      "alert.message" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void alerts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(alerts); i++)
        check_facts(&alerts[i], &source_opsgenie);
}

static void what_has_no_name_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        check_refused(refused[i].body, refused[i].field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_are_read),
        cmocka_unit_test(what_has_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
