/* PagerDuty: V3 webhooks, Events v2 and the retired webhooks. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts incidents[] = {
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"urgency\":\"high\",\"priority\":null,"
              "\"created_at\":\"2025-01-24T07:10:05Z\",\"html_url\":\"https://p/i\","
              "\"assignees\":[{\"summary\":\"Jane\"}],"
              "\"escalation_policy\":{\"summary\":\"ep\"},\"number\":7}}}",
      .name = "t",
      .severity = "1",
      .resource = "s",
      .time = "2025-01-24T07:10:05Z",
      .alert_id = "P1",
      .shows = "Incident: https://p/i",
      .shows_too = "incident: 7",
      .hides = "Jane" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"urgency\":\"low\"}}}",
      .severity = "3" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"urgency\":\"high\",\"priority\":{\"id\":\"x\","
              "\"summary\":\"P3\"}}}}",
      .severity = "2" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"priority\":{\"name\":\"P5\"}}}}",
      .severity = "4" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"priority\":\"P2\"}}}",
      .severity = "1" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"priority\":{\"summary\":\"urgent\"}}}}",
      .severity = "" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\"t\",\"service\":{\"name\":\"n\"}},"
              "\"occurred_at\":\"2024-01-15T10:30:00Z\"}}",
      .resource = "n",
      .time = "2024-01-15T10:30:00Z" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.reopened\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"}}}}" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.resolved\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"}}}}",
      .state = ALERT_RESOLVED },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.priority_updated\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"},\"status\":\"triggered\"}}}",
      .state = ALERT_OTHER },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.workflow.started\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"}}}}",
      .state = ALERT_OTHER },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"pagey.ping\","
              "\"data\":{\"message\":\"Hello\"}}}",
      .state = ALERT_OTHER,
      .name = "" },
    { .body = "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
              "\"data\":{\"id\":\"P1\",\"title\":\" t \",\"service\":{\"summary\":\"s\","
              "\"id\":\"S1\"}},\"client\":{\"name\":\"c\","
              "\"url\":\"https://m/h?a=1&log=level%3Derror+msg%3D%22x%22&bad=%zz%ff\"}}}",
      .shows = "log: level=error msg=\"x\"",
      .shows_too = "bad: %zz" },
};

static const struct facts events[] = {
    { .body = "{\"routing_key\":\"SECRETKEY\",\"event_action\":\"trigger\","
              "\"dedup_key\":\"k\",\"payload\":{\"summary\":\"s\",\"source\":\"h\","
              "\"severity\":\"warning\",\"timestamp\":\"2015-07-17T08:42:58.315+0000\","
              "\"custom_details\":{\"a\":1}},\"links\":[{\"href\":\"https://l/1\"}]}",
      .name = "s",
      .resource = "h",
      .severity = "2",
      .alert_id = "k",
      .problem = "k",
      .time = "2015-07-17T08:42:58.315+0000",
      .shows = "a: 1",
      .shows_too = "https://l/1",
      .hides = "SECRETKEY" },
    { .body = "{\"routing_key\":\"r\",\"event_action\":\"resolve\",\"dedup_key\":\"k\"}",
      .name = "k",
      .problem = "k",
      .state = ALERT_RESOLVED },
    { .body = "{\"routing_key\":\"r\",\"event_action\":\"acknowledge\",\"dedup_key\":\"k\"}",
      .state = ALERT_OTHER },
    { .body = "{\"routing_key\":\"r\",\"event_action\":\"trigger\","
              "\"payload\":{\"summary\":\"s\",\"severity\":\"critical\","
              "\"custom_details\":\"plain\"}}",
      .problem = "s",
      .severity = "0",
      .shows = "plain" },
    { .body = "{\"routing_key\":\"r\",\"event_action\":\"trigger\","
              "\"payload\":{\"summary\":\"s\",\"source\":\"db-1\",\"severity\":\"error\"}}",
      .problem = "s",
      .resource = "db-1" },
    { .body = "{\"routing_key\":\"r\",\"event_action\":\"trigger\",\"dedup_key\":\"k\","
              "\"payload\":{\"summary\":\"s\",\"source\":\"db-1\",\"severity\":\"error\"}}",
      .problem = "k",
      .resource = "db-1" },
};

static const struct facts messages[] = {
    { .body = "{\"messages\":[{\"id\":\"m\",\"type\":\"incident.trigger\","
              "\"created_on\":\"2013-07-09T20:25:44Z\","
              "\"data\":{\"incident\":{\"id\":\"P\",\"incident_key\":\"k\","
              "\"service\":{\"name\":\"s\"},\"trigger_summary_data\":{\"subject\":\"t\"},"
              "\"assigned_to_user\":\"null\"}}}]}",
      .name = "t",
      .resource = "s",
      .alert_id = "P",
      .time = "2013-07-09T20:25:44Z" },
    { .body = "{\"messages\":[{\"event\":\"incident.trigger\",\"incident\":{\"id\":\"P\","
              "\"title\":\"t\",\"urgency\":\"high\",\"service\":{\"summary\":\"s\"},"
              "\"created_at\":\"2017-09-26T15:14:36Z\",\"html_url\":\"https://p/i\"}}]}",
      .name = "t",
      .severity = "1",
      .resource = "s",
      .time = "2017-09-26T15:14:36Z",
      .shows = "https://p/i" },
    { .body = "{\"messages\":[{\"event\":\"incident.resolve\",\"incident\":{\"id\":\"P\","
              "\"title\":\"t\"}}]}",
      .state = ALERT_RESOLVED },
    { .body = "{\"messages\":[{\"event\":\"incident.assign\",\"incident\":{\"id\":\"P\"}}]}",
      .state = ALERT_OTHER },
};

static const struct {
    const char *body, *field;
} refused[] = {
    { "{\"event\":{\"id\":\"E\",\"event_type\":\"incident.triggered\","
      "\"data\":{\"id\":\"P1\"}}}",
      "event.data.title" },
    { "{\"routing_key\":\"r\",\"event_action\":\"trigger\",\"payload\":{}}", "payload.summary" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void incidents_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(incidents); i++)
        check_facts(&incidents[i], &source_pagerduty);
}

static void events_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(events); i++)
        check_facts(&events[i], &source_pagerduty_events);
}

static void messages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        check_facts(&messages[i], &source_pagerduty_old);
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
        cmocka_unit_test(incidents_are_read),
        cmocka_unit_test(events_are_read),
        cmocka_unit_test(messages_are_read),
        cmocka_unit_test(what_has_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
