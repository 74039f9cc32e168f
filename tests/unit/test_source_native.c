/* The documented contract: every field, what refuses an alert, and what never does. */
#include "alert/alert.h"
#include "alert/source.h"
#include "base/arena.h"
#include "support/process.h"
#include "unit/check.h"
#include "unit/reading.h"

#define E_ACUTE     "\xC3\xA9"

#define NO_SEVERITY "Invalid field: severity must be a number from 0 to 4"

enum { PLENTY = 16 * 1024 * 1024 };

/* --- tables ----------------------------------------------------------------------------------- */

/* The value of "severity": what is read of it, or the public sentence that refuses it. */
static const struct {
    const char *json;
    int severity;
    const char *error;
} severities[] = {
    { "0", 0, NULL },
    { "1", 1, NULL },
    { "2", 2, NULL },
    { "3", 3, NULL },
    { "4", 4, NULL },
    { "1.0", 1, NULL },
    { "-0", 0, NULL },
    { "4e0", 4, NULL },
    { "\"0\"", 0, NULL },
    { "\"1\"", 1, NULL },
    { "\"4\"", 4, NULL },
    { "\" 2 \"", 2, NULL },
    { "5", 0, NO_SEVERITY },
    { "-1", 0, NO_SEVERITY },
    { "1.5", 0, NO_SEVERITY },
    { "4.0001", 0, NO_SEVERITY },
    { "-0.1", 0, NO_SEVERITY },
    { "1e999", 0, NO_SEVERITY },
    { "4294967297", 0, NO_SEVERITY },
    { "\"5\"", 0, NO_SEVERITY },
    { "\"-1\"", 0, NO_SEVERITY },
    { "\"1.5\"", 0, NO_SEVERITY },
    { "\"high\"", 0, NO_SEVERITY },
    { "\"Sev1\"", 0, NO_SEVERITY },
    { "\"1 2\"", 0, NO_SEVERITY },
    { "\"0x1\"", 0, NO_SEVERITY },
    { "\"18446744073709551617\"", 0, NO_SEVERITY },
    { "true", 0, NO_SEVERITY },
    { "false", 0, NO_SEVERITY },
    { "[]", 0, NO_SEVERITY },
    { "[1]", 0, NO_SEVERITY },
    { "{}", 0, NO_SEVERITY },
    { "null", 0, "Missing required field: severity" },
    { "\"\"", 0, "Missing required field: severity" },
    { "\"  \"", 0, "Missing required field: severity" },
};

/* Whole bodies that a required field refuses; the first that is missing is named. */
static const struct {
    const char *body;
    const char *error;
} refused[] = {
    { "{}", "Missing required field: alertName" },
    { "{\"severity\":1,\"description\":\"d\"}", "Missing required field: alertName" },
    { "{\"alertname\":\"a\",\"severity\":1,\"description\":\"d\"}",
      "Missing required field: alertName" },
    { "{\"alertName\":null,\"severity\":1,\"description\":\"d\"}",
      "Missing required field: alertName" },
    { "{\"alertName\":\"\",\"severity\":1,\"description\":\"d\"}",
      "Missing required field: alertName" },
    { "{\"alertName\":\" \\t\\n\",\"severity\":1,\"description\":\"d\"}",
      "Missing required field: alertName" },
    { "{\"alertName\":\"a\",\"alertName\":null,\"severity\":1,\"description\":\"d\"}",
      "Missing required field: alertName" },
    { "{\"alertName\":7,\"severity\":1,\"description\":\"d\"}",
      "Invalid field: alertName must be a string" },
    { "{\"alertName\":true,\"severity\":1,\"description\":\"d\"}",
      "Invalid field: alertName must be a string" },
    { "{\"alertName\":[],\"severity\":1,\"description\":\"d\"}",
      "Invalid field: alertName must be a string" },
    { "{\"alertName\":{},\"severity\":1,\"description\":\"d\"}",
      "Invalid field: alertName must be a string" },
    { "{\"alertName\":\"a\",\"description\":\"d\"}", "Missing required field: severity" },
    { "{\"alertName\":\"a\"}", "Missing required field: severity" },
    { "{\"alertName\":\"a\",\"severity\":1}", "Missing required field: description" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":null}",
      "Missing required field: description" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":\"\"}",
      "Missing required field: description" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":\"\\r\\n \"}",
      "Missing required field: description" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":3}",
      "Invalid field: description must be a string" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":false}",
      "Invalid field: description must be a string" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":[\"d\"]}",
      "Invalid field: description must be a string" },
    { "{\"alertName\":\"a\",\"severity\":1,\"description\":{\"d\":1}}",
      "Invalid field: description must be a string" },
};

/* One optional member; `kept` is what the alert has of it, `is_noted` whether it was left out. */
struct optional {
    const char *member; /* of the payload */
    const char *json;
    const char *kept;
    bool is_noted;
};

static const struct optional lines[] = {
    { "affectedResource", "\" aks-1 \"", "aks-1", false },
    { "affectedResource", "17", "17", false },
    { "affectedResource", "1.5", "1.5", false },
    { "affectedResource", "true", "true", false },
    { "affectedResource", "null", "", false },
    { "affectedResource", "\"\"", "", false },
    { "affectedResource", "\"  \"", "", false },
    { "affectedResource", "\"null\"", "", false },
    { "affectedResource", "\"None\"", "", false },
    { "affectedResource", "[\"a\",\"b\"]", "a", false },
    { "affectedResource", "[[1,2]]", "[1,2]", false },
    { "affectedResource", "\"{{context.group}}\"", "", false },
    { "affectedResource", "\"{{{context.group}}}\"", "", false },
    { "affectedResource", "\"{{#context}}{{.}}{{/context}}\"", "", false },
    { "affectedResource", "\"{{#a}}x{{/b}}\"", "{{#a}}x{{/b}}", false },
    { "affectedResource", "\"{{a}} and {{b}}\"", "{{a}} and {{b}}", false },
    { "affectedResource", "\"${resource.name}\"", "", false },
    { "affectedResource", "\"$HOSTNAME\"", "", false },
    { "affectedResource", "\"$EVENT_2\"", "", false },
    { "affectedResource", "\"$Hostname\"", "$Hostname", false },
    { "affectedResource", "\"$5\"", "$5", false },
    { "affectedResource", "\"$A\"", "$A", false },
    { "affectedResource", "\"{HOST.NAME}\"", "", false },
    { "affectedResource", "\"{ProblemTitle}\"", "", false },
    { "affectedResource", "\"{$MACRO}\"", "", false },
    { "affectedResource", "\"{}\"", "{}", false },
    { "affectedResource", "\"{host:i-1}\"", "{host:i-1}", false },
    { "affectedResource", "\"{job=\\\"x\\\"}\"", "{job=\"x\"}", false },
    { "affectedResource", "\"/s/{id}\"", "/s/{id}", false },
    { "signalType", "\"log\"", "log", false },
    { "source", "\"datadog\"", "datadog", false },
    { "source", "\"\"", "native", false },
    { "source", "null", "native", false },
    { "file", "\"src/a.ts\"", "src/a.ts", false },
    { "alertId", "\"42\"", "42", false },
    { "alertId", "42", "42", false },
    { "alertId", "9007199254740991", "9007199254740991", false },
    { "logs", "\"  indented\\nnext\\n\"", "  indented\nnext\n", false },
    { "logs", "\" \\n \"", "", false },
    { "logs", "[\"a\",\"b\"]", "[\"a\",\"b\"]", false },
    { "logs", "{\"a\":1}", "{\"a\":1}", false },
};

static const struct optional times[] = {
    { "firedTime", "\"2024-02-06T12:00:00Z\"", "2024-02-06T12:00:00Z", false },
    { "firedTime", "\"2024-02-06T12:00:00.0000000+01:00\"", "2024-02-06T12:00:00.0000000+01:00",
      false },
    { "firedTime", "\"2024-02-06 12:00:00\"", "2024-02-06 12:00:00", false },
    { "firedTime", "\" 2024-02-06T12:00Z \"", "2024-02-06T12:00Z", false },
    { "firedTime", "1707220800", "2024-02-06T12:00:00Z", false },
    { "firedTime", "\"1707220800\"", "2024-02-06T12:00:00Z", false },
    { "firedTime", "1707220800123", "2024-02-06T12:00:00.123Z", false },
    { "firedTime", "\"1707220800007\"", "2024-02-06T12:00:00.007Z", false },
    { "firedTime", "1707220800000", "2024-02-06T12:00:00Z", false },
    { "firedTime", "1", "1970-01-01T00:00:01Z", false },
    { "firedTime", "99999999999", "5138-11-16T09:46:39Z", false },
    { "firedTime", "100000000000", "1973-03-03T09:46:40Z", false },
    { "firedTime", "99999999999999", "5138-11-16T09:46:39.999Z", false },
    { "firedTime", "100000000000000", "1973-03-03T09:46:40Z", false },
    { "firedTime", "1707220800123456", "2024-02-06T12:00:00.123Z", false },
    { "firedTime", "1707220800123456789", "2024-02-06T12:00:00.123Z", false },
    { "firedTime", "\"1707220800123456789\"", "2024-02-06T12:00:00.123Z", false },
    { "firedTime", "1e20", "", true },
    { "firedTime", "1709991285.873", "2024-03-09T13:34:45.873Z", false },
    { "firedTime", "\"1709991285.873\"", "2024-03-09T13:34:45.873Z", false },
    { "firedTime", "\"1709991285.0\"", "2024-03-09T13:34:45Z", false },
    { "firedTime", "\"1709991285.9999999999\"", "2024-03-09T13:34:46Z", false },
    { "firedTime", "\"1709991285.\"", "", true },
    { "firedTime", "\"1709991285.x\"", "", true },
    { "firedTime", "\"1.2.3\"", "", true },
    { "firedTime", "0", "", false },
    { "firedTime", "\"0\"", "", false },
    { "firedTime", "0.0", "", false },
    { "firedTime", "\"1970-01-01T00:00:00Z\"", "", false },
    { "firedTime", "\"1970-01-01T00:00:00.000+0000\"", "", false },
    { "firedTime", "\"1970-01-02T00:00:00Z\"", "1970-01-02T00:00:00Z", false },
    { "firedTime", "\"2019-02-15T23:53:45.093+0000\"", "2019-02-15T23:53:45.093+0000", false },
    { "firedTime", "\"2018-08-03T09:52:26.739266876+02:00\"", "2018-08-03T09:52:26.739266876+02:00",
      false },
    { "firedTime", "-1707220800", "", true },
    { "firedTime", "\"-5\"", "", true },
    { "firedTime", "1e300", "", true },
    { "firedTime", "\"yesterday\"", "", true },
    { "firedTime", "\"{{date}}\"", "", false },
    { "firedTime", "\"2024-02-06\"", "", true },
    { "firedTime", "\"2024-02-06T12:00:00Z and then some more words of prose\"", "", true },
    { "firedTime", "true", "", true },
    { "firedTime", "[]", "", true },
    { "firedTime", "{}", "", true },
    { "firedTime", "null", "", false },
    { "firedTime", "\"\"", "", false },
    { "firedTime", "\"0001-01-01T00:00:00Z\"", "", false },
    { "firedTime", "[1707220800,5]", "2024-02-06T12:00:00Z", false },
};

static const struct {
    const char *json;
    long long line;
    bool is_noted;
} line_numbers[] = {
    { "14", 14, false },   { "\"14\"", 14, false }, { "\" 14 \"", 14, false },
    { "14.0", 14, false }, { "1", 1, false },       { "0", 0, true },
    { "-3", 0, true },     { "1.5", 0, true },      { "\"1.5\"", 0, true },
    { "\"x\"", 0, true },  { "1e10", 0, true },     { "true", 0, true },
    { "[14]", 0, true },   { "{}", 0, true },       { "null", 0, false },
    { "\"\"", 0, false },
};

/* The value of "dimensions" as "key=value;" */
static const struct {
    const char *json;
    const char *kept;
    bool is_noted;
} dimensions[] = {
    { "{\"b\":\"1\",\"a\":\"2\"}", "b=1;a=2;", false },
    { "{\"n\":12,\"f\":0.5,\"t\":true,\"o\":{\"x\":[1]}}", "n=12;f=0.5;t=true;o={\"x\":[1]};",
      false },
    { "{\"a\":null,\"b\":\"\",\"c\":\" \",\"d\":\"v\"}", "d=v;", false },
    { "{\"a\":\"first\",\"b\":\"2\",\"a\":\"last\"}", "b=2;a=last;", false },
    { "{}", "", false },
    { "null", "", false },
    { "\"\"", "", false },
    { "[\"a\"]", "", true },
    { "\"a=1\"", "", true },
    { "7", "", true },
};

/* What else a payload carries, as "key=value;" */
static const struct {
    const char *members;
    const char *kept;
} customs[] = {
    { "\"team\":\"t\",\"runbook\":\"r\",\"priority\":\"P1\"", "team=t;runbook=r;priority=P1;" },
    { "\"z\":1,\"a\":true,\"m\":0.25,\"f\":false", "z=1;a=true;m=0.25;f=false;" },
    { "\"a\":null,\"b\":\"\",\"c\":\" \",\"d\":\"null\",\"e\":\"None\"", "" },
    { "\"a\":{\"b\":1},\"c\":[1],\"d\":\"d\"", "d=d;" },
    { "\"a\":\"first\",\"b\":\"b\",\"a\":\"last\"", "b=b;a=last;" },
    { "\"a\":\"first\",\"a\":null,\"b\":\"b\"", "b=b;" },
    { "\"a\":1,\"A\":2", "a=1;A=2;" },
    { "\"Severity\":9,\"ALERTNAME\":\"x\"", "Severity=9;ALERTNAME=x;" },
    { "\"a.b\":\"dots\"", "a.b=dots;" },
    { "\"logs\":\"l\",\"file\":\"f\",\"line\":1,\"alertId\":\"i\"", "" },
    { "\"k\":\" trimmed \"", "k=trimmed;" },
};

static const struct {
    const char *members;
    enum alert_state state;
} states[] = {
    { "\"state\":\"resolved\"", ALERT_RESOLVED },
    { "\"state\":\"Resolved\"", ALERT_RESOLVED },
    { "\"state\":\" RECOVERED \"", ALERT_RESOLVED },
    { "\"state\":\"ok\"", ALERT_RESOLVED },
    { "\"status\":\"OK\"", ALERT_RESOLVED },
    { "\"status\":\"resolved\"", ALERT_RESOLVED },
    { "\"status\":\"recovered\"", ALERT_RESOLVED },
    { "\"status\":\"firing\"", ALERT_FIRED },
    { "\"state\":\"unresolved\"", ALERT_FIRED },
    { "\"state\":\"not ok\"", ALERT_FIRED },
    { "\"state\":\"okay\"", ALERT_FIRED },
    { "\"state\":\"\"", ALERT_FIRED },
    { "\"state\":true", ALERT_FIRED },
    { "\"State\":\"resolved\"", ALERT_FIRED },
    { "\"condition\":\"resolved\"", ALERT_FIRED },
    { "\"description\":\"resolved\"", ALERT_FIRED },
    { "\"state\":\"resolved\",\"state\":\"firing\"", ALERT_FIRED },
};

/* The longest value that is kept has 1,024 bytes; `last` begins after `letters` of them. */
static const struct {
    size_t letters;
    const char *last;
    size_t kept;
} long_values[] = {
    { 1023, "a", 1024 },     { 1024, "a", 1024 },     { 2000, "", 1024 },
    { 1022, E_ACUTE, 1024 }, { 1023, E_ACUTE, 1023 }, { 1023, "\xF0\x9F\x98\x80", 1023 },
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    return 0;
}

/* The three required fields and whatever follows. */
static struct view payload(const char *members)
{
    struct text text = text_in(&mem, PLENTY);
    text_add_string(&text, "{\"alertName\":\"a\",\"severity\":2,\"description\":\"d\"");
    text_add_string(&text, members[0] == '\0' ? "" : ",");
    text_add_string(&text, members);
    text_add_char(&text, '}');
    return text_view(&text);
}

static struct view member(const char *name, const char *json)
{
    struct text text = text_in(&mem, PLENTY);
    text_add_char(&text, '"');
    text_add_string(&text, name);
    text_add_string(&text, "\":");
    text_add_string(&text, json);
    return payload(text_view(&text).at);
}

static struct alert read_alert(const char *row, struct view body)
{
    struct failure why = { 0 };
    struct alert alert = { 0 };
    CHECK(row, read_first(body, &mem, &alert, &why));
    CHECK(row, alert.from == &source_native);
    return alert;
}

/* What a caller would read as "error". */
static struct view error_of(const struct failure *why)
{
    struct text text = text_in(&mem, PLENTY);
    text_add_string(&text, failure_row(why->kind)->error);
    text_add_string(&text, why->field);
    text_add_string(&text, why->rule == NULL ? "" : " ");
    text_add_string(&text, why->rule);
    return text_view(&text);
}

static struct view pairs_as_text(const struct pairs *pairs)
{
    struct text text = text_in(&mem, PLENTY);
    for (size_t i = 0; i < pairs->count; i++) {
        text_add(&text, pairs->at[i].key);
        text_add_char(&text, '=');
        text_add(&text, pairs->at[i].value);
        text_add_char(&text, ';');
    }
    return text_view(&text);
}

static struct view kept_of(const struct alert *alert, const char *name)
{
    const struct {
        const char *name;
        struct view value;
    } members[] = {
        { "affectedResource", alert->resource },
        { "signalType", alert->signal_type },
        { "firedTime", alert->fired_time },
        { "source", alert->source },
        { "file", alert->file },
        { "alertId", alert->alert_id },
        { "logs", alert->logs },
    };
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (view_equal(view_of(members[i].name), view_of(name)))
            return members[i].value;
    return VIEW("no such member");
}

static void check_note(const char *row, const struct alert *alert, const char *path, bool is_noted)
{
    const struct pair *note = pairs_find(&alert->notes, view_of(path));
    CHECK(row, (note != NULL) == is_noted);
    CHECK(row, note == NULL || view_equal(note->value, VIEW("left out")));
    CHECK(row, alert->notes.count == (is_noted ? 1 : 0));
}

static void check_optional(const struct optional *row)
{
    struct alert alert = read_alert(row->json, member(row->member, row->json));
    CHECK_VIEW(row->json, kept_of(&alert, row->member), view_of(row->kept));
    check_note(row->json, &alert, row->member, row->is_noted);
    CHECK(row->json, alert.custom.count == 0);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void every_documented_field_is_read(void **state)
{
    (void)state;
    struct view body = process_read_file("tests/cases/samples/generic/full-contract.json", &mem);
    struct alert alert = read_alert("full contract", body);
    CHECK_VIEW("name", alert.name, VIEW("mcp-token-expiration"));
    assert_true(alert.has_severity);
    assert_int_equal(alert.severity, 1);
    CHECK_VIEW("description", alert.description, VIEW("Azure AD access token has expired"));
    CHECK_VIEW("resource", alert.resource, VIEW("aks-mcp-server-prod"));
    CHECK_VIEW("signal", alert.signal_type, VIEW("log"));
    CHECK_VIEW("time", alert.fired_time, VIEW("2024-02-06T12:00:00Z"));
    CHECK_VIEW("source", alert.source, VIEW("azure-monitor"));
    CHECK_VIEW("logs", alert.logs,
               VIEW("Error: TokenCredentialAuthenticationError...\n    at auth.ts:14"));
    CHECK_VIEW("file", alert.file, VIEW("src/tools/auth.ts"));
    assert_int_equal(alert.line, 14);
    CHECK_VIEW("dimensions", pairs_as_text(&alert.dimensions),
               VIEW("cluster=aks-mcp-server-prod;namespace=mcp-system;"
                    "pod=mcp-server-7d4f8b9c6-x2j4k;"));
    assert_int_equal(alert.custom.count, 0);
    assert_int_equal(alert.notes.count, 0);
    assert_int_equal(alert.state, ALERT_FIRED);
    assert_false(source_native.is_azure);
}

static void three_fields_are_enough(void **state)
{
    (void)state;
    struct alert alert = read_alert("minimal", payload(""));
    CHECK_VIEW("name", alert.name, VIEW("a"));
    CHECK_VIEW("description", alert.description, VIEW("d"));
    assert_int_equal(alert.severity, 2);
    CHECK_VIEW("source", alert.source, VIEW("native"));
    assert_int_equal(alert.resource.len + alert.signal_type.len + alert.fired_time.len, 0);
    assert_int_equal(alert.alert_id.len + alert.file.len + alert.logs.len + alert.query.len, 0);
    assert_int_equal(alert.line, 0);
    assert_int_equal(alert.dimensions.count + alert.custom.count + alert.links.count, 0);
}

static void required_text_is_taken_at_its_word(void **state)
{
    (void)state;
    struct alert alert = read_alert("None", VIEW("{\"alertName\":\" None \",\"severity\":0,"
                                                 "\"description\":\"  null\\n \"}"));
    CHECK_VIEW("trimmed", alert.name, VIEW("None"));
    CHECK_VIEW("not trimmed", alert.description, VIEW("  null\n "));
}

static void severity_is_a_number_from_0_to_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(severities); i++) {
        const char *row = severities[i].json;
        struct text body = text_in(&mem, PLENTY);
        struct failure why = { 0 };
        struct alert alert = { 0 };
        text_add_string(&body, "{\"alertName\":\"a\",\"description\":\"d\",\"severity\":");
        text_add_string(&body, row);
        text_add_char(&body, '}');
        bool is_read = read_first(text_view(&body), &mem, &alert, &why);
        CHECK(row, is_read == (severities[i].error == NULL));
        if (is_read)
            CHECK(row, alert.has_severity && alert.severity == severities[i].severity);
        else
            CHECK_VIEW(row, error_of(&why), view_of(severities[i].error));
    }
}

static void required_fields_are_required(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct failure why = { 0 };
        struct alert alert = { 0 };
        CHECK(refused[i].body, !read_first(view_of(refused[i].body), &mem, &alert, &why));
        CHECK_VIEW(refused[i].body, error_of(&why), view_of(refused[i].error));
        CHECK(refused[i].body, failure_row(why.kind)->status == 400);
    }
}

static void optional_fields_never_refuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        check_optional(&lines[i]);
    for (size_t i = 0; i < COUNT_OF(times); i++)
        check_optional(&times[i]);
}

static void line_numbers_are_whole_and_positive(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(line_numbers); i++) {
        struct alert alert = read_alert(line_numbers[i].json, member("line", line_numbers[i].json));
        CHECK(line_numbers[i].json, alert.line == line_numbers[i].line);
        check_note(line_numbers[i].json, &alert, "line", line_numbers[i].is_noted);
    }
}

static void dimensions_are_an_object(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dimensions); i++) {
        struct alert alert =
            read_alert(dimensions[i].json, member("dimensions", dimensions[i].json));
        CHECK_VIEW(dimensions[i].json, pairs_as_text(&alert.dimensions),
                   view_of(dimensions[i].kept));
        check_note(dimensions[i].json, &alert, "dimensions", dimensions[i].is_noted);
    }
}

static void everything_that_is_wrong_is_noted(void **state)
{
    (void)state;
    struct alert alert = read_alert("three notes", payload("\"line\":\"x\",\"firedTime\":\"y\","
                                                           "\"dimensions\":7"));
    CHECK_VIEW("notes", pairs_as_text(&alert.notes),
               VIEW("firedTime=left out;line=left out;dimensions=left out;"));
}

static void custom_fields_keep_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(customs); i++) {
        struct alert alert = read_alert(customs[i].members, payload(customs[i].members));
        CHECK_VIEW(customs[i].members, pairs_as_text(&alert.custom), view_of(customs[i].kept));
        CHECK(customs[i].members, alert.custom.left_out == 0);
    }
}

/* 31, 32, 33 and 50 of them: 32 are kept, the others counted. */
static void at_most_32_custom_fields_are_kept(void **state)
{
    (void)state;
    static const size_t counts[] = { 31, 32, 33, 50 };
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct text members = text_in(&mem, PLENTY);
        for (size_t n = 0; n < counts[i]; n++) {
            text_add_string(&members, n == 0 ? "\"k" : ",\"k");
            text_add_number(&members, (long long)n);
            text_add_string(&members, "\":");
            text_add_number(&members, (long long)n);
        }
        struct alert alert = read_alert("many", payload(text_view(&members).at));
        size_t kept = counts[i] < 32 ? counts[i] : 32;
        assert_int_equal(alert.custom.count, kept);
        assert_int_equal(alert.custom.left_out, counts[i] - kept);
        for (size_t n = 0; n < kept; n++) {
            long long value = -1;
            assert_true(view_to_number(alert.custom.at[n].value, 0, 99, &value));
            assert_int_equal(value, n);
        }
    }
}

/* A payload of a great many members is read in a moment, and still counted. */
static void very_many_members_do_not_matter(void **state)
{
    (void)state;
    struct text members = text_in(&mem, PLENTY);
    for (int n = 0; n < 90000; n++) {
        text_add_string(&members, n == 0 ? "\"k" : ",\"k");
        text_add_number(&members, n);
        text_add_string(&members, "\":1");
    }
    long long start = process_now_ms();
    struct alert alert = read_alert("very many", payload(text_view(&members).at));
    assert_true(process_now_ms() - start < 20000);
    assert_int_equal(alert.custom.count, 32);
    assert_true(alert.custom.left_out > 0);
}

static void long_values_end_with_a_whole_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(long_values); i++) {
        struct text value = text_in(&mem, PLENTY);
        struct text json = text_in(&mem, PLENTY);
        text_add_repeated(&value, 'v', long_values[i].letters);
        text_add_string(&value, long_values[i].last);
        text_add_char(&json, '"');
        text_add(&json, text_view(&value));
        text_add_char(&json, '"');
        struct view kept = { value.bytes, long_values[i].kept };
        struct alert alert = read_alert("custom", member("k", text_view(&json).at));
        CHECK_VIEW("custom", alert.custom.at[0].value, kept);
    }
}

static void one_word_says_that_it_is_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        struct alert alert = read_alert(states[i].members, payload(states[i].members));
        CHECK(states[i].members, alert.state == states[i].state);
    }
}

/* Whatever its source says, a native payload is not Azure's own. */
static void a_source_does_not_make_a_dialect(void **state)
{
    (void)state;
    struct alert alert = read_alert("azure", payload("\"source\":\"azure-monitor\""));
    CHECK_VIEW("source", alert.source, VIEW("azure-monitor"));
    assert_false(alert.from->is_azure);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_documented_field_is_read),         TEST(three_fields_are_enough),
        TEST(required_text_is_taken_at_its_word),     TEST(severity_is_a_number_from_0_to_4),
        TEST(required_fields_are_required),           TEST(optional_fields_never_refuse),
        TEST(line_numbers_are_whole_and_positive),    TEST(dimensions_are_an_object),
        TEST(everything_that_is_wrong_is_noted),      TEST(custom_fields_keep_their_order),
        TEST(at_most_32_custom_fields_are_kept),      TEST(very_many_members_do_not_matter),
        TEST(long_values_end_with_a_whole_character), TEST(one_word_says_that_it_is_over),
        TEST(a_source_does_not_make_a_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
