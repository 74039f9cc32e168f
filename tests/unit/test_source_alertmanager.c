/* Alertmanager: labels, annotations, groups, and what relays leave of them. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts alerts[] = {
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"instance\":\"i\","
              "\"pod\":\"p\",\"severity\":\"Critical\"},"
              "\"annotations\":{\"description\":\"d\",\"summary\":\"s\"},"
              "\"startsAt\":\"2024-02-06T12:00:00Z\",\"fingerprint\":\"f1\"}]}",
      .name = "A",
      .description = "d",
      .resource = "i",
      .signal = "metric",
      .time = "2024-02-06T12:00:00Z",
      .alert_id = "f1",
      .problem = "f1 A",
      .severity = "0",
      .shows = "summary: s",
      .shows_too = "pod: p",
      .hides = "alertname" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"startsAt\":\"0001-01-01T00:00:00Z\",\"annotations\":null,"
              "\"fingerprint\":\"\"}]}",
      .name = "A",
      .time = "",
      .description = "",
      .resource = "",
      .severity = "",
      .alert_id = "",
      .problem = "A" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"status\":\"resolved\",\"labels\":{\"alertname\":\"A\"}}]}",
      .state = ALERT_RESOLVED },
    { .body = "{\"receiver\":\"r\",\"status\":\"resolved\","
              "\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\"}}]}" },
    { .body = "{\"receiver\":\"r\",\"status\":\"resolved\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"}}]}",
      .state = ALERT_RESOLVED },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"alerts\":[{\"status\":\"muted\","
              "\"labels\":{\"alertname\":\"A\"}}]}",
      .state = ALERT_OTHER },
    { .body = "{\"receiver\":\"r\",\"status\":\"\","
              "\"alerts\":[{\"status\":{\"state\":\"active\",\"inhibitedBy\":[]},"
              "\"labels\":{\"alertname\":\"A\"}}]}" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"status\":{\"state\":\"suppressed\"},"
              "\"labels\":{\"alertname\":\"A\"}}]}",
      .state = ALERT_OTHER },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"severity\":\"slack\"}}]}",
      .severity = "" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"severity\":\"page\"}}]}",
      .severity = "0" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"severity\":\"major\"}}]}",
      .severity = "1" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"severity\":\"none\"}}]}",
      .severity = "4" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"annotations\":{\"severity\":\"critical\"}}]}",
      .severity = "",
      .shows = "severity: critical" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"}}],"
              "\"commonLabels\":{\"severity\":\"warning\",\"alertname\":\"B\","
              "\"instance\":\"c\"},\"commonAnnotations\":{\"description\":\"cd\","
              "\"runbook_url\":\"https://run/book\"}}",
      .name = "A",
      .severity = "2",
      .resource = "c",
      .description = "cd",
      .shows = "Runbook: https://run/book",
      .hides = "alertname" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"instance\":\"i\"},"
              "\"annotations\":{\"summary\":\"s\",\"description\":\"d\"}}],"
              "\"groupLabels\":{\"alertname\":\"G\"}}",
      .name = "G",
      .problem = "G" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"instance\":\"i\"},"
              "\"annotations\":{\"summary\":\"s\"}}]}",
      .name = "s",
      .problem = "s" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\",\"alerts\":[{\"labels\":{},"
              "\"annotations\":{\"message\":\"m\"}}]}",
      .name = "m",
      .description = "m" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"job\":\"j\","
              "\"namespace\":\"n\"}}]}",
      .resource = "j" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"team\":\"t\","
              "\"site_uuid\":\"u-1\"}}]}",
      .resource = "u-1" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"team\":\"t\"}}]}",
      .resource = "" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\",\"n\":7,\"b\":true}}]}",
      .shows = "n: 7",
      .shows_too = "b: true" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"annotations\":{\"details\":\"dt\",\"value\":\"122\"}}]}",
      .description = "dt",
      .shows = "value: 122" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"generatorURL\":\"http://p:9090/graph?g0.tab=1&g0.expr=up+%3D%3D+0\"}]}",
      .shows = "**Query**: up == 0",
      .shows_too = "Rule: http://p:9090/graph" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"generatorURL\":\"/graph?g0.expr=up%3d1\"}],"
              "\"externalURL\":\"http://:9093\"}",
      .shows = "**Query**: up=1",
      .hides = "**Links**" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"annotations\":{\"runbook\":\"see wiki\"}}]}",
      .shows = "runbook: see wiki" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"},"
              "\"annotations\":{\"description\":\"{{ $labels.x }}\"}}]}",
      .description = "" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"}}],\"truncatedAlerts\":3}",
      .shows = "truncatedAlerts: 3 more alerts" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"}}],\"truncatedAlerts\":1}",
      .shows = "truncatedAlerts: 1 more alert of" },
    { .body = "{\"receiver\":\"r\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"}}],\"truncatedAlerts\":0.0}",
      .hides = "truncatedAlerts" },
    { .body = "{\"groupKey\":18446744073709551999,\"version\":\"3\",\"status\":\"firing\","
              "\"alerts\":[{\"labels\":{\"alertname\":\"A\"}}]}",
      .name = "A" },
    { .body = "{\"receiver\":\"r\",\"alerts\":{\"labels\":{\"alertname\":\"A\"}}}", .name = "A" },
    { .body = "{\"alerts\":[null,7,\"x\",{\"labels\":{\"alertname\":\"A\"},"
              "\"generatorURL\":\"\"}]}",
      .name = "A" },
    { .body = "{\"labels\":{\"alertname\":\"A\",\"instance\":\"i\"},"
              "\"annotations\":{\"message\":\"m\"},\"startsAt\":\"2019-12-13T08:57:35Z\","
              "\"status\":\"firing\"}",
      .name = "A",
      .resource = "i",
      .description = "m" },
    { .body = "{\"labels\":{\"alertname\":\"A\"},\"annotations\":{},"
              "\"startsAt\":\"2019-12-13T08:57:35Z\",\"status\":\"resolved\"}",
      .state = ALERT_RESOLVED },
};

static const struct {
    const char *body, *field;
} refused[] = {
    { "{\"receiver\":\"r\",\"status\":\"firing\","
      "\"alerts\":[{\"labels\":{\"instance\":\"i\"}}]}",
      "labels.alertname" },
    { "{\"receiver\":\"r\",\"status\":\"firing\",\"alerts\":[{}]}", "labels.alertname" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void alerts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(alerts); i++)
        check_facts(&alerts[i], &source_alertmanager);
}

static void what_has_no_name_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        check_refused(refused[i].body, refused[i].field);
}

static struct payload read_payload(const char *body, struct arena *mem)
{
    struct payload payload = { 0 };
    struct failure why = { 0 };
    arena_init(mem, (size_t)16 * 1024 * 1024);
    CHECK(body, payload_read(view_of(body), mem, &payload, &why));
    return payload;
}

/* Two alerts: how many problems they are. */
static const struct {
    const char *alerts;
    size_t problems;
} pairs_of_alerts[] = {
    { "{\"labels\":{\"alertname\":\"A\",\"x\":\"1\"}},{\"labels\":{\"alertname\":\"A\",\"x\":\"2\"}"
      "}",
      2 },
    { "{\"labels\":{\"alertname\":\"A\",\"x\":\"1\"}},{\"labels\":{\"alertname\":\"B\",\"x\":\"1\"}"
      "}",
      2 },
    { "{\"labels\":{\"alertname\":\"A\",\"x\":\"1\"}},{\"labels\":{\"x\":\"1\",\"alertname\":\"a\"}"
      "}",
      1 },
    { "{\"fingerprint\":\"f\",\"labels\":{\"alertname\":\"A\",\"x\":\"1\"}},"
      "{\"fingerprint\":\"f\",\"labels\":{\"alertname\":\"A\",\"x\":\"2\"}}",
      2 },
    { "{\"fingerprint\":\"f\",\"labels\":{\"alertname\":\"A\",\"x\":\"1\"}},"
      "{\"fingerprint\":\"f\",\"labels\":{\"alertname\":\"B\",\"x\":\"1\"}}",
      2 },
    { "{\"fingerprint\":\"f\",\"labels\":{\"x\":\"1\"},\"annotations\":{\"summary\":\"at 97%\"}},"
      "{\"fingerprint\":\"f\",\"labels\":{\"x\":\"1\"},\"annotations\":{\"summary\":\"at 98%\"}}",
      1 },
    { "{\"labels\":{\"x\":\"1\"},\"annotations\":{\"summary\":\"s\"}},"
      "{\"labels\":{\"x\":\"1\"},\"annotations\":{\"summary\":\"t\"}}",
      2 },
    { "{\"labels\":{\"alertname\":\"A\"},\"startsAt\":\"2024-02-06T12:00:00Z\"},"
      "{\"labels\":{\"alertname\":\"A\"},\"startsAt\":\"2024-02-07T12:00:00Z\"}",
      1 },
};

static void labels_tell_problems_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs_of_alerts); i++) {
        struct arena mem;
        struct problems problems;
        struct arena body_mem;
        arena_init(&body_mem, 4096);
        struct text body = text_in(&body_mem, 4096);
        text_add_string(&body, "{\"receiver\":\"r\",\"alerts\":[");
        text_add_string(&body, pairs_of_alerts[i].alerts);
        text_add_string(&body, "]}");
        struct payload payload = read_payload(text_view(&body).at, &mem);
        assert_int_equal(payload.count, 2);
        assert_true(problems_of(&payload, ALERT_FIRED, 5, &mem, &problems));
        CHECK(pairs_of_alerts[i].alerts, problems.count == pairs_of_alerts[i].problems);
        arena_drop(&mem);
        arena_drop(&body_mem);
    }
}

static void empty_lists_are_nothing_to_do(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"receiver\":\"r\",\"alerts\":[]}",
        "{\"receiver\":\"r\",\"alerts\":null}",
        "{\"groupKey\":\"g\",\"alerts\":[1,null,\"x\"]}",
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct arena mem;
        struct payload payload = read_payload(bodies[i], &mem);
        CHECK(bodies[i], payload.count == 0 && payload.from == &source_alertmanager);
        arena_drop(&mem);
    }
}

/* One that cannot be read is left out and noted; it does not take the other with it. */
static void a_nameless_alert_hides_no_other(void **state)
{
    (void)state;
    struct arena mem;
    struct payload payload =
        read_payload("{\"receiver\":\"r\",\"alerts\":[{\"labels\":{\"instance\":\"i\"}},"
                     "{\"labels\":{\"alertname\":\"A\"}}]}",
                     &mem);
    assert_int_equal(payload.count, 1);
    CHECK_VIEW("name", payload.alerts[0].name, VIEW("A"));
    assert_non_null(pairs_find(&payload.alerts[0].notes, VIEW("labels.alertname")));
    arena_drop(&mem);
}

/* A body that fills the documented contract is native, whatever else is in it. */
static void the_contract_comes_first(void **state)
{
    (void)state;
    struct arena mem;
    struct payload payload = read_payload("{\"alertName\":\"a\",\"severity\":1,\"description\":"
                                          "\"d\",\"receiver\":\"r\",\"alerts\":[]}",
                                          &mem);
    assert_true(payload.from == &source_native);
    arena_drop(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_are_read),
        cmocka_unit_test(what_has_no_name_is_refused),
        cmocka_unit_test(labels_tell_problems_apart),
        cmocka_unit_test(empty_lists_are_nothing_to_do),
        cmocka_unit_test(a_nameless_alert_hides_no_other),
        cmocka_unit_test(the_contract_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
