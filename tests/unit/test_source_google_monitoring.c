/* Google Cloud Monitoring: what the samples do not show. */
#include "unit/wanted.h"

#define INCIDENT(rest) \
    "{\"version\":\"1.2\",\"incident\":{\"incident_id\":\"0.x\",\"policy_name\":\"p\"," rest "}}"

static const struct wanted rows[] = {
    { .body =
          "{\"incident\":{\"incident_id\":\"f2e0\",\"resource_id\":\"7\",\"resource_name\":\"www\","
          "\"state\":\"open\",\"started_at\":1385085727,\"ended_at\":1385085728,\"policy_name\":"
          "\"Webserver\","
          "\"condition_name\":\"CPU\",\"url\":\"https://c/"
          "i\",\"summary\":\"s\"},\"version\":\"1.1\"}",
      .from = &source_google_monitoring,
      .name = "Webserver",
      .description = "s",
      .resource = "www",
      .signal = "",
      .time = "2013-11-22T02:02:07Z",
      .alert_id = "f2e0",
      .links = "Incident=https://c/i;",
      .severity = -1 },
    { .body =
          INCIDENT("\"severity\":\"No Severity\",\"state\":\"CLOSED\",\"summary\":\"is above\""),
      .state = ALERT_RESOLVED,
      .notes = "",
      .severity = -1 },
    { .body = INCIDENT("\"severity\":\"warning\",\"state\":\"acknowledged\""),
      .state = ALERT_OTHER,
      .severity = 2 },
    { .body = INCIDENT("\"severity\":\"ERROR\",\"state\":\"half\""),
      .state = ALERT_OTHER,
      .severity = 1 },
    { .body = INCIDENT("\"severity\":\"Odd\""),
      .notes = "incident.severity=left out;",
      .severity = -1 },
    { .body = INCIDENT("\"started_at\":\"1577840461\",\"summary\":\"\",\"documentation\":{"
                       "\"content\":\"how to\"}"),
      .time = "2020-01-01T01:01:01Z",
      .description = "how to",
      .custom = "",
      .severity = -1 },
    { .body = INCIDENT(
          "\"threshold_value\":\"5\",\"condition\":{\"conditionThreshold\":{\"duration\":\"0s\"}}"),
      .conditions = "=5;",
      .severity = -1 },
    { .body = INCIDENT("\"documentation\":\"plain\""), .description = "plain", .severity = -1 },
    { .body = INCIDENT("\"condition\":{\"conditionMatchedLog\":{\"filter\":\"severity>=ERROR\"}}"),
      .signal = "log",
      .query = "severity>=ERROR",
      .severity = -1 },
    { .body =
          INCIDENT("\"condition\":{\"name\":\"projects/c\",\"conditionThreshold\":{\"comparison\":"
                   "\"COMPARISON_LT\",\"thresholdValue\":0.5,\"duration\":\"60s\"}},\"observed_"
                   "value\":\"0.1\","
                   "\"documentation\":{\"links\":[{\"displayName\":\"Book\",\"url\":\"https://b\"},"
                   "{\"displayName\":\"Bad\",\"url\":\"https://"
                   "b?n=${resource.name}\"},{\"url\":\"https://c\"}]}"),
      .signal = "metric",
      .problem = "projects/c",
      .conditions = "=less than 0.5, measured 0.1, for 60s;",
      .links = "Book=https://b;Documentation=https://c;",
      .severity = -1 },
    { .body = "{\"incident\":{\"incident_id\":7,\"policy_name\":null,\"condition_name\":\"c\"}}",
      .name = "c",
      .alert_id = "7",
      .severity = -1 },
    { .body = "{\"incident\":{\"incident_id\":\"i\",\"policy_name\":\"\"}}",
      .refused = "incident.policy_name" },
    { .body = "{\"message\":{\"messageId\":\"m\",\"data\":"
              "\"eyJpbmNpZGVudCI6eyJpbmNpZGVudF9pZCI6ImkiLCJwb2xpY3lfbmFtZSI6InAiLCJzdGF0ZSI6ImNsb3"
              "NlZCJ9fQ==\"}}",
      .from = &source_google_monitoring,
      .name = "p",
      .alert_id = "i",
      .state = ALERT_RESOLVED,
      .severity = -1 },
};

/* Single fields and whole objects fill the same list. */
static void custom_fields_have_one_limit(void **state)
{
    (void)state;
    struct arena mem;
    struct payload payload = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, (size_t)1024 * 1024);
    struct text body = text_in(&mem, 64 * 1024);
    text_add_string(&body,
                    "{\"incident\":{\"incident_id\":\"i\",\"policy_name\":\"p\",\"documentation\":"
                    "{\"subject\":\"s\"},\"policy_user_labels\":{\"first\":1");
    for (int i = 0; i < 2 * MAX_CUSTOM_FIELDS; i++) {
        text_add_string(&body, ",\"l");
        text_add_number(&body, i);
        text_add_string(&body, "\":\"v\"");
    }
    text_add_string(&body, "}}}");
    assert_true(payload_read(text_view(&body), &mem, &payload, &why));
    assert_int_equal(payload.alerts[0].custom.count, MAX_CUSTOM_FIELDS);
    assert_int_equal(payload.alerts[0].custom.left_out, MAX_CUSTOM_FIELDS + 2);
    arena_drop(&mem);
}

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
        cmocka_unit_test(custom_fields_have_one_limit),
    };
    return cmocka_run_group_tests_name("source_google_monitoring", tests, NULL, NULL);
}
