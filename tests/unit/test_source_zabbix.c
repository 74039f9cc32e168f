/* Zabbix: objects, flat members, and OnCall's script. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts media_types[] = {
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\","
              "\"recovery_id\":\"{EVENT.RECOVERY.ID}\",\"date\":\"2021.08.27\","
              "\"time\":\"12:51:50\"},\"trigger\":{\"id\":\"9\",\"name\":\"n\","
              "\"severity\":\"Average\"},\"host\":{\"name\":\"h\"},\"item\":{\"key\":\"k[a,"
              "b]\",\"value\":\"1.5\"},\"message\":\"m\\r\\n\"}",
      .name = "n",
      .severity = "2",
      .resource = "h",
      .description = "m",
      .alert_id = "7",
      .problem = "9",
      .time = "2021-08-27T12:51:50",
      .signal = "metric",
      .shows = "k[a,b] = 1.5",
      .hides = "EVENT.RECOVERY" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"Disaster\"},\"host\":{\"name\":\"h\"}}",
      .severity = "0" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"High\"},\"host\":{\"name\":\"h\"}}",
      .severity = "1" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"information\"},\"host\":{\"name\":\"h\"}}",
      .severity = "3" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"Not classified\"},\"host\":{\"name\":\"h\"}}",
      .severity = "4" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"{TRIGGER.SEVERITY}\",\"nseverity\":\"5\"},"
              "\"host\":{\"name\":\"h\"}}",
      .severity = "0" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"RESOLVED\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"Average\"},\"host\":{\"name\":\"h\"}}",
      .state = ALERT_RESOLVED },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"{EVENT.STATUS}\"},"
              "\"trigger\":{\"id\":\"9\",\"name\":\"n\",\"severity\":\"Average\","
              "\"status\":\"OK\"},\"host\":{\"name\":\"h\"}}",
      .state = ALERT_RESOLVED },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"unknown\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"Average\"},\"host\":{\"name\":\"h\"}}",
      .state = ALERT_OTHER },
    { .body = "{\"event\":{\"id\":7,\"status\":\"PROBLEM\",\"date\":\"{EVENT.DATE}\","
              "\"time\":\"{EVENT.TIME}\"},\"trigger\":{\"id\":\"9\",\"name\":\"n\","
              "\"severity\":\"Average\"},\"host\":{\"name\":\"h\"}}",
      .alert_id = "7",
      .time = "" },
    { .body = "{\"event\":{\"id\":\"7\",\"status\":\"PROBLEM\"},\"trigger\":{\"id\":\"9\","
              "\"name\":\"n\",\"severity\":\"Average\"},\"host\":{\"name\":\"{HOST.NAME}\","
              "\"ip\":\"10.0.0.1\"}}",
      .resource = "10.0.0.1" },
    { .body = "{\"event_id\":\"7\",\"trigger_name\":\"n\",\"trigger_id\":\"9\","
              "\"host_name\":\"h\",\"event_nseverity\":\"4\",\"event_value\":\"1\","
              "\"item_name\":\"CPU\",\"item_value\":\"97\",\"trigger_url\":\"https://z/t\"}",
      .name = "n",
      .resource = "h",
      .severity = "1",
      .alert_id = "7",
      .problem = "9",
      .shows = "CPU = 97",
      .shows_too = "https://z/t" },
    { .body = "{\"event_id\":\"7\",\"trigger_name\":\"n\",\"host\":\"h\","
              "\"severity\":\"Warning\",\"status\":\"OK\"}",
      .state = ALERT_RESOLVED,
      .resource = "h",
      .severity = "2",
      .problem = "n" },
};

static const struct facts scripts[] = {
    { .body = "{\"alert_uid\":\"u\",\"title\":\"t\",\"state\":\"PROBLEM\","
              "\"message\":\"m\",\"tags\":{\"trigger\":\"tr\",\"host\":\"h\","
              "\"ip\":\"1.2.3.4\",\"severity\":\"High\",\"key\":\"k\",\"value\":\"9 %\","
              "\"trigger_id\":\"3\"}}",
      .name = "tr",
      .resource = "h",
      .severity = "1",
      .alert_id = "u",
      .problem = "3",
      .description = "m",
      .signal = "metric",
      .shows = "k = 9 %" },
    { .body = "{\"alert_uid\":5,\"title\":\"t\",\"state\":\"ok\"}",
      .name = "t",
      .alert_id = "5",
      .state = ALERT_RESOLVED,
      .signal = "",
      .hides = "value =" },
    { .body = "{\"alert_uid\":\"u\",\"title\":\"t\",\"state\":\"alerting\","
              "\"link_to_upstream_details\":\"https://u/1\"}",
      .shows = "https://u/1",
      .severity = "",
      .resource = "" },
    { .body = "{\"alert_uid\":\"u\",\"title\":\"t\",\"state\":\"silenced\"}",
      .state = ALERT_OTHER },
};

static const struct {
    const char *body, *field;
} refused[] = {
    { "{\"event\":{\"name\":\"{EVENT.NAME}\"},"
      "\"trigger\":{\"name\":\"{TRIGGER.NAME}\"},\"host\":{}}",
      "trigger.name" },
    { "{\"alert_uid\":\"u\",\"title\":\"\",\"state\":\"alerting\"}", "tags.trigger" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void media_types_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(media_types); i++)
        check_facts(&media_types[i], &source_zabbix);
}

static void scripts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scripts); i++)
        check_facts(&scripts[i], &source_oncall);
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
        cmocka_unit_test(media_types_are_read),
        cmocka_unit_test(scripts_are_read),
        cmocka_unit_test(what_has_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
