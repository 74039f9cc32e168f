/* Sentry: what the samples do not show. */
#include "unit/wanted.h"

#define FRAME(file, line, more) \
    "{\"filename\":\"" file "\",\"lineno\":" line ",\"function\":\"f\"" more "}"
#define EVENT(rest) "{\"action\":\"triggered\",\"data\":{\"event\":{\"title\":\"T\"," rest "}}}"

static const struct wanted rows[] = {
    { .body = "{\"action\":\"resolved\",\"installation\":{\"uuid\":\"u\"},\"data\":{\"issue\":{"
              "\"id\":\"1\","
              "\"title\":\"t\",\"level\":\"warning\",\"project\":{\"slug\":\"web\"},\"permalink\":"
              "\"https://s/1\"}}}",
      .from = &source_sentry,
      .name = "t",
      .resource = "web",
      .alert_id = "1",
      .problem = "1",
      .links = "Issue=https://s/1;",
      .state = ALERT_RESOLVED,
      .severity = 2 },
    { .body = "{\"action\":\"assigned\",\"data\":{\"issue\":{\"id\":\"1\",\"title\":\"t\","
              "\"level\":\"fatal\"}}}",
      .state = ALERT_OTHER,
      .severity = 0 },
    { .body = "{\"action\":\"unresolved\",\"data\":{\"issue\":{\"id\":1,\"title\":\"t\",\"level\":"
              "\"debug\"}}}",
      .alert_id = "1",
      .severity = 4 },
    { .body = "{\"action\":\"created\",\"installation\":{\"uuid\":\"u\"},\"data\":{\"comment\":"
              "\"c\",\"issue_id\":1}}",
      .from = &source_sentry,
      .name = "",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"action\":\"created\",\"installation\":{\"uuid\":\"u\"},\"data\":{"
              "\"installation\":{\"code\":\"secret\"}}}",
      .custom = "",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"action\":\"created\",\"data\":{\"error\":{\"title\":\"E\",\"issue_id\":\"9\","
              "\"event_id\":\"e\","
              "\"level\":\"error\",\"datetime\":\"2024-01-01T00:00:00.5Z\",\"web_url\":\"https://s/"
              "e\"}}}",
      .name = "E",
      .alert_id = "9",
      .time = "2024-01-01T00:00:00.5Z",
      .links = "Event=https://s/e;",
      .severity = 1 },
    { .body =
          "{\"action\":\"critical\",\"data\":{\"metric_alert\":{\"id\":\"5\",\"alert_rule\":{"
          "\"id\":\"7\",\"name\":"
          "\"High\",\"projects\":[\"a\",\"b\"],\"query\":\"level:error\",\"aggregate\":\"count()\"}"
          ",\"date_started\":"
          "\"2024-01-01T00:00:00Z\",\"date_closed\":\"2024-01-01T01:00:00Z\",\"status\":2},"
          "\"description_text\":"
          "\"100 events\",\"description_title\":\"Critical: High\",\"web_url\":\"https://s/m\"}}",
      .name = "High",
      .description = "100 events",
      .resource = "a",
      .signal = "metric",
      .time = "2024-01-01T00:00:00Z",
      .alert_id = "5",
      .problem = "7",
      .query = "level:error",
      .custom = "aggregate=count();",
      .links = "Metric alert=https://s/m;",
      .severity = 0 },
    { .body = "{\"action\":\"resolved\",\"data\":{\"metric_alert\":{\"id\":\"5\",\"alert_rule\":{"
              "\"name\":\"n\"}}}}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = EVENT("\"message\":\"\",\"timestamp\":1566248777.677,\"user\":{\"email\":\"a@b\"},"
                    "\"tags\":[{\"key\":"
                    "\"server\",\"value\":\"web-1\"},[\"user.email\",\"a@b\"],[\"lonely\"],\"odd\"]"
                    ",\"request\":"
                    "{\"cookies\":\"secret\"}"),
      .time = "2019-08-19T21:06:17.677Z",
      .description = "",
      .custom = "server=web-1;",
      .problem = "T",
      .severity = -1 },
    { .body = "{\"action\":\"triggered\",\"data\":{\"event\":{}}}", .refused = "data.issue.title" },
    { .body = "{\"project_slug\":\"p\",\"level\":\"error\",\"event\":{},\"culprit\":\"\","
              "\"message\":\"\"}",
      .refused = "data.issue.title" },
};

/* File and line of the crash, and the stack in words. */
static const struct {
    const char *body, *file, *logs;
    long long line;
} stacks[] = {
    { EVENT("\"exception\":{\"values\":[{\"type\":\"E\",\"value\":\"v\",\"stacktrace\":{\"frames\":"
            "[" FRAME("old.py", "1", "") "," FRAME(
                "app.py", "2",
                ",\"in_app\":true,\"context_line\":\"  x = 1\"") "," FRAME("lib.py", "3",
                                                                           ",\"in_app\":false,"
                                                                           "\"vars\":{\"password\":"
                                                                           "\"secret\"}") "]}}]}"),
      "app.py", "E: v\n  old.py:1 in f\n  app.py:2 in f (in app)\n    x = 1\n  lib.py:3 in f", 2 },
    { EVENT("\"exception\":{\"values\":[{\"type\":\"Cause\",\"stacktrace\":{\"frames\":[" FRAME(
          "c.py", "1",
          "") "]}},{\"type\":\"Raised\",\"stacktrace\":{\"frames\":[" FRAME("r.py", "\"2\"",
                                                                            "") "]}},{\"type\":"
                                                                                "\"N\"}]}"),
      "r.py", "Cause\nRaised\nN\n  r.py:2 in f", 2 },
    { EVENT("\"stacktrace\":{\"frames\":[{\"module\":\"m\",\"lineno\":null}]}"), "m", "\n  m", 0 },
    { EVENT("\"entries\":[{\"type\":\"message\"},{\"type\":\"exception\",\"data\":{\"values\":[{"
            "\"stacktrace\":"
            "{\"frames\":[{\"absPath\":\"/a.js\",\"lineNo\":5,\"inApp\":true}]}}]}}]"),
      "/a.js", "\n  /a.js:5 (in app)", 5 },
    { EVENT("\"exception\":{\"values\":[{\"stacktrace\":null},7]}"), "", "", 0 },
    { EVENT("\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"lineno\":5}]}}]}"), "", "",
      0 },
};

static void the_crash_is_the_last_frame_of_the_application(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stacks); i++) {
        struct arena mem;
        struct payload payload = { 0 };
        struct failure why = { 0 };
        arena_init(&mem, (size_t)1024 * 1024);
        CHECK(stacks[i].body, payload_read(view_of(stacks[i].body), &mem, &payload, &why));
        CHECK_VIEW(stacks[i].body, payload.alerts[0].file, view_of(stacks[i].file));
        CHECK_VIEW(stacks[i].body, payload.alerts[0].logs, view_of(stacks[i].logs));
        CHECK(stacks[i].body, payload.alerts[0].line == stacks[i].line);
        arena_drop(&mem);
    }
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
        cmocka_unit_test(the_crash_is_the_last_frame_of_the_application),
    };
    return cmocka_run_group_tests_name("source_sentry", tests, NULL, NULL);
}
