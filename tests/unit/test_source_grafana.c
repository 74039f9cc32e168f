/* Grafana: unified alerting, and the one before version 8. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts unified[] = {
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[FIRING:1] T (x)\",\"state\":\"alerting\","
              "\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\","
              "\"grafana_folder\":\"f\",\"severity\":\"high\"},"
              "\"annotations\":{\"summary\":\"s\"},\"fingerprint\":\"f1\","
              "\"values\":{\"B\":44.5,\"C\":1},\"valueString\":\"[ var='B' ]\","
              "\"startsAt\":\"2021-10-12T09:51:03.157076+02:00\","
              "\"dashboardURL\":\"https://g/d/1\",\"panelURL\":\"\","
              "\"silenceURL\":\"https://g/s\"}]}",
      .name = "A",
      .severity = "1",
      .description = "s",
      .alert_id = "f1",
      .problem = "f1 A",
      .signal = "metric",
      .time = "2021-10-12T09:51:03.157076+02:00",
      .shows = "values B = 44.5, C = 1",
      .shows_too = "[ var='B' ]" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[FIRING:1] T (x)\",\"state\":\"alerting\","
              "\"alerts\":[{\"labels\":{\"instance\":\"i\"}}]}",
      .name = "T (x)",
      .problem = "T (x)",
      .resource = "i" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[RESOLVED] T\",\"state\":\"alerting\","
              "\"alerts\":[{\"labels\":{}}]}",
      .name = "T" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[FIRING:2]  \",\"state\":\"alerting\","
              "\"alerts\":[{\"labels\":{},\"annotations\":{\"summary\":\"s\"}}]}",
      .name = "[FIRING:2]" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,\"title\":null,"
              "\"state\":\"alerting\",\"alerts\":[{\"labels\":{},"
              "\"annotations\":{\"summary\":\"s\"}}]}",
      .name = "s" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[FIRING:1] T (x)\",\"state\":\"alerting\","
              "\"alerts\":[{\"status\":\"resolved\",\"labels\":{\"alertname\":\"A\"}}]}",
      .state = ALERT_RESOLVED },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[FIRING:1] T (x)\",\"state\":\"alerting\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},\"values\":null,"
              "\"valueString\":\"\",\"endsAt\":null}]}",
      .hides = "**Condition**" },
    { .body = "{\"alerts\":[{\"labels\":{\"alertname\":\"A\"},\"silenceURL\":\"\"}]}",
      .name = "A" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,"
              "\"title\":\"[FIRING:1] T (x)\",\"state\":\"alerting\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"annotations\":{\"__orgId__\":\"1\",\"__dashboardUid__\":\"u\","
              "\"note\":\"n\"}}]}",
      .shows = "note: n",
      .hides = "__orgId__" },
};

static const struct facts legacy[] = {
    { .body = "{\"ruleName\":\"R\",\"ruleId\":93.0,\"state\":\"alerting\","
              "\"message\":\"m\",\"title\":\"[Alerting] t\","
              "\"evalMatches\":[{\"metric\":\"Count\",\"value\":24.0,"
              "\"tags\":{\"host\":\"h\",\"x\":\"y\"}}],\"tags\":{\"severity\":\"warning\","
              "\"team\":\"a\"},\"ruleUrl\":\"https://g/r\"}",
      .name = "R",
      .alert_id = "93",
      .problem = "93",
      .severity = "2",
      .resource = "h",
      .description = "m",
      .signal = "metric",
      .time = "",
      .shows = "Count = 24 (host: h, x: y)",
      .shows_too = "team: a" },
    { .body = "{\"ruleName\":\"R\",\"state\":\"ok\",\"evalMatches\":null}",
      .state = ALERT_RESOLVED },
    { .body = "{\"ruleName\":\"R\",\"state\":\"no_data\"}", .state = ALERT_OTHER },
    { .body = "{\"ruleName\":\"R\",\"state\":\"paused\"}", .state = ALERT_OTHER },
    { .body = "{\"ruleName\":\"R\",\"state\":\"what\"}", .state = ALERT_OTHER },
    { .body = "{\"ruleName\":\"R\",\"state\":\"alert\",\"evalMatches\":[{\"metric\":\"{}\","
              "\"value\":null,\"tags\":null},{\"value\":\"7\"}],\"ruleUrl\":\"dontcare\"}",
      .shows = "**Condition**: {}",
      .shows_too = "value = 7",
      .hides = "**Links**" },
    { .body = "{\"ruleName\":\"\",\"title\":\"t\",\"state\":\"alerting\"}", .name = "t" },
};

static const struct {
    const char *body, *field;
} refused[] = {
    { "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,\"title\":\"\","
      "\"state\":\"alerting\",\"alerts\":[{\"labels\":{}}]}",
      "labels.alertname" },
    { "{\"ruleName\":\"\",\"state\":\"alerting\"}", "ruleName" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void unified_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(unified); i++)
        check_facts(&unified[i], &source_grafana);
}

static void legacy_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(legacy); i++)
        check_facts(&legacy[i], &source_grafana_legacy);
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
        cmocka_unit_test(unified_are_read),
        cmocka_unit_test(legacy_are_read),
        cmocka_unit_test(what_has_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
