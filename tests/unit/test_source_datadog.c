/* Datadog: templates of several sites, their titles' marks and their bodies. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts templates[] = {
    { .body = "{\"alert_transition\":\"Triggered\","
              "\"title\":\"[P2] [Triggered on {host:i-1}] CPU on {host:i-1}\","
              "\"monitor_id\":\"12\",\"id\":\"99\",\"date\":\"1733930135000\","
              "\"event_type\":\"query_alert_monitor\","
              "\"body\":\"%%%\\ntext\\n\\n[![Metric "
              "Graph](https://p.dd/snap.png)](https://app.dd/x)\\n\\n- - -\\n\\n[[Monitor "
              "Status](https://app.dd/monitors/5)] · [[Edit Monitor](https://app.dd/e)]\\n%%%\","
              "\"alert_query\":\"avg(last_5m):avg:cpu{host:i-1} > 9\","
              "\"secret\":\"SWEARWORD\"}",
      .name = "CPU on {host:i-1}",
      .severity = "1",
      .resource = "host:i-1",
      .signal = "metric",
      .time = "2024-12-11T15:15:35Z",
      .alert_id = "99",
      .problem = "12",
      .description = "text",
      .shows = "Metric Graph: https://p.dd/snap.png",
      .shows_too = "  - Monitor Status: https://app.dd/monitors/5",
      .hides = "SWEARWORD" },
    { .body = "{\"alert_transition\":\"Triggered\","
              "\"title\":\"[Re-Triggered on {a:b}] [No Data] [X] n\",\"scopes\":\"env:p\"}",
      .name = "[X] n",
      .resource = "env:p" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"[Warn] [Weather] n\"}",
      .name = "[Weather] n" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"[P1]\"}", .name = "[P1]" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"[P2] n\","
              "\"alert_priority\":\"P4\"}",
      .severity = "3" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\",\"priority\":1}",
      .severity = "0" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\",\"priority\":\"normal\","
              "\"alert_type\":\"warning\"}",
      .severity = "2" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\",\"severity\":\"\","
              "\"alert\":{\"alert_type\":\"info\"}}",
      .severity = "3" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"alert_type\":\"success\"}",
      .severity = "" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"severity\":\"critical\"}",
      .severity = "0" },
    { .body = "{\"alert_transition\":\"Recovered\",\"title\":\"t\"}", .state = ALERT_RESOLVED },
    { .body = "{\"alert_transition\":\"recovered\",\"title\":\"[Triggered] n\"}",
      .state = ALERT_RESOLVED,
      .name = "n" },
    { .body = "{\"alert_transition\":\"Warn\",\"title\":\"[Recovered] n\"}" },
    { .body = "{\"alert_transition\":\"No Data\",\"title\":\"t\"}" },
    { .body = "{\"alert_transition\":\"Muted\",\"title\":\"t\"}", .state = ALERT_OTHER },
    { .body = "{\"title\":\"t\",\"org\":{\"id\":\"1\",\"name\":\"o\"},"
              "\"event_type\":\"metric_alert_monitor\",\"alert_type\":\"success\"}",
      .state = ALERT_RESOLVED },
    { .body = "{\"title\":\"[Recovered] t\",\"org\":{\"id\":\"1\"},"
              "\"event_type\":\"log_alert\"}",
      .signal = "log" },
    { .body = "{\"title\":\"t\",\"alert\":{\"alert_transition\":\"Triggered\","
              "\"alert_id\":\"5\",\"alert_scope\":\"s:1\",\"alert_query\":\"q{x} > 1\"},"
              "\"event\":{\"event_id\":\"ID\",\"aggreg_key\":\"agg\"}}",
      .problem = "5",
      .resource = "s:1",
      .alert_id = "",
      .shows = "q{x} > 1",
      .shows_too = "cycle: agg" },
    { .body = "{\"summary\":\"[P5] [Triggered] n\",\"status\":\"Triggered\","
              "\"tags\":[\"host:h\",\"service:s\"],"
              "\"received_at\":\"2023-11-08T21:56:54.000+00:00\",\"unique_key\":\"u\"}",
      .name = "n",
      .severity = "4",
      .resource = "s",
      .time = "2023-11-08T21:56:54.000+00:00",
      .alert_id = "u",
      .problem = "n",
      .shows = "tags: host:h, service:s" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\",\"tags\":\"env:p,"
              " host:web-1\",\"date\":1448435530}",
      .resource = "web-1",
      .time = "2015-11-25T07:12:10Z" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\",\"hostname\":\"h-1\","
              "\"tags\":\"service:s\"}",
      .resource = "h-1" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"alert_query\":\"avg:cpu{service:cart} > 1\"}",
      .resource = "service:cart" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"alert_query\":\"avg:cpu{*} > 1\"}",
      .resource = "" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"event_type\":\"synthetics_alert\",\"body\":\"Alert for www.example.org,"
              " again\"}",
      .resource = "www.example.org",
      .signal = "" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"event_type\":\"query_alert_monitor\","
              "\"body\":\"Alert for www.example.org\"}",
      .resource = "" },
    { .body = "{\"alert_transition\":\"Triggered\","
              "\"title\":\"[Triggered on {h:1}] other\",\"alert_name\":\"[P1] Name\"}",
      .name = "Name",
      .severity = "0",
      .resource = "h:1" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"link\":\"https://app.datadoghq.com/monitors/77?x=1\"}",
      .problem = "77",
      .shows = "monitors/77" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\","
              "\"body\":\"$TEXT_ONLY_MSG\",\"text_only_msg\":\"plain\"}",
      .description = "plain" },
    { .body = "{\"alert_transition\":\"Triggered\",\"title\":\"t\",\"id\":\"$ID\","
              "\"hostname\":\"$HOSTNAME\"}",
      .alert_id = "",
      .resource = "" },
};

static const struct {
    const char *body, *field;
} refused[] = {
    { "{\"title\":\"$EVENT_TITLE\",\"alert_transition\":\"$ALERT_TRANSITION\"}", "title" },
    { "{\"transition\":\"Triggered\"}", "title" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void templates_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(templates); i++)
        check_facts(&templates[i], &source_datadog);
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
        cmocka_unit_test(templates_are_read),
        cmocka_unit_test(what_has_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
