/* Bytes to alert: what is no alert at all, bounded pairs, and memory that runs out on the way. */
#include "alert/alert.h"

#include "alert/source.h"
#include "base/arena.h"
#include "support/process.h"
#include "unit/check.h"
#include "unit/reading.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

#define E_ACUTE "\xC3\xA9"
#define EURO    "\xE2\x82\xAC"
#define EMOJI   "\xF0\x9F\x98\x80"

enum { PLENTY = 16 * 1024 * 1024 };

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct view body;
    enum failure_kind kind;
} refused[] = {
    { "nothing", BYTES_OF(""), FAIL_NOT_JSON },
    { "absent", { 0 }, FAIL_NOT_JSON },
    { "white space", BYTES_OF(" \r\n\t"), FAIL_NOT_JSON },
    { "list", BYTES_OF("[]"), FAIL_NOT_JSON },
    { "list of an alert", BYTES_OF("[{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}]"),
      FAIL_NOT_JSON },
    { "string", BYTES_OF("\"alert\""), FAIL_NOT_JSON },
    { "number", BYTES_OF("1"), FAIL_NOT_JSON },
    { "true", BYTES_OF("true"), FAIL_NOT_JSON },
    { "null", BYTES_OF("null"), FAIL_NOT_JSON },
    { "prose", BYTES_OF("the site is down"), FAIL_NOT_JSON },
    { "form", BYTES_OF("alertName=a&severity=1&description=d"), FAIL_NOT_JSON },
    { "text after the value",
      BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"} x"), FAIL_NOT_JSON },
    { "two objects", BYTES_OF("{}{}"), FAIL_NOT_JSON },
    { "cut off", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"descr"), FAIL_NOT_JSON },
    { "NUL behind", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}\0"),
      FAIL_NOT_JSON },
    { "gzip", BYTES_OF("\x1F\x8B\x08\x00\x00\x00"), FAIL_COMPRESSED },
    { "the first two bytes of gzip", BYTES_OF("\x1F\x8B"), FAIL_COMPRESSED },
    { "the first byte of gzip", BYTES_OF("\x1F"), FAIL_NOT_JSON },
    { "empty object", BYTES_OF("{}"), FAIL_FIELD_MISSING },
};

/* What is not UTF-8 or a NUL becomes U+FFFD and is noted; nothing else is. */
static const struct {
    const char *name;
    struct view body;
    const char *description;
    bool is_repaired;
} texts[] = {
    { "sound", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"b" E_ACUTE "\"}"),
      "b" E_ACUTE, false },
    { "escaped", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"b\\u00e9\"}"),
      "b" E_ACUTE, false },
    { "\\u0000", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"b\\u0000c\"}"),
      "b\xEF\xBF\xBD"
      "c",
      true },
    { "Latin-1", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"b\xE9\"}"),
      "b\xEF\xBF\xBD", true },
    { "half a pair", BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"\\ud83d!\"}"),
      "\xEF\xBF\xBD!", true },
};

/* A key and the bytes that are kept of it, MAX_KEY_BYTES being in the middle of `last`. */
static const struct {
    size_t letters; /* before `last` */
    const char *last;
    size_t kept;
} keys[] = {
    { MAX_KEY_BYTES - 1, "a", MAX_KEY_BYTES },
    { MAX_KEY_BYTES, "a", MAX_KEY_BYTES },
    { MAX_KEY_BYTES - 1, E_ACUTE, MAX_KEY_BYTES - 1 },
    { MAX_KEY_BYTES - 2, E_ACUTE, 128 },
    { MAX_KEY_BYTES - 1, EURO, MAX_KEY_BYTES - 1 },
    { MAX_KEY_BYTES - 2, EURO, 126 },
    { MAX_KEY_BYTES - 3, EURO, MAX_KEY_BYTES },
    { MAX_KEY_BYTES - 1, EMOJI, 127 },
    { MAX_KEY_BYTES - 3, EMOJI, 125 },
    { MAX_KEY_BYTES - 4, EMOJI, 128 },
};

/* Payloads that are read with too little memory. */
static const char *const payloads[] = {
    "tests/cases/samples/generic/minimal-three-fields.json",
    "tests/cases/samples/generic/full-contract.json",
    "tests/cases/samples/azure-monitor/common-metric-static-fired-test-group.json",
    "tests/cases/samples/azure-monitor/common-metric-multi-resource-two-criteria-fired.json",
    "tests/cases/samples/azure-monitor/common-metric-dynamic-fired-test-group.json",
    "tests/cases/samples/azure-monitor/common-log-v2-embedded-search-results-fired.json",
    "tests/cases/samples/azure-monitor/common-log-v2-exceptions-sev1-fired.json",
    "tests/cases/samples/cloudwatch/alarm-bucket-size.json",
    "tests/cases/samples/gcp-monitoring/cpu-critical-open.json",
    "tests/cases/samples/sentry/plugin-culprit-with-file-and-line.json",
    "tests/cases/samples/new-relic/legacy-incident-open.json",
    "tests/cases/samples/dynatrace/problem-open-response-time.json",
    "tests/cases/samples/splunk/search-name-null.json",
    "tests/cases/samples/uptime-kuma/http-down.json",
    "tests/cases/samples/honeycomb/triggered-result-groups.json",
    "tests/cases/samples/pingdom/http-down-503.json",
    "tests/cases/samples/graylog/stream-message-count.json",
    "tests/cases/samples/azure-monitor/cloudevents-vm-availability-unavailable.json",
};

/* What the payloads above lack: values that need memory to become text, and notes. */
static const struct view odd_payloads[] = {
    BYTES_OF("{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\\u0000\","
             "\"affectedResource\":17,\"firedTime\":1707220800,\"line\":\"x\",\"source\":true,"
             "\"alertId\":4.25,\"logs\":[1,2,3],\"dimensions\":{\"n\":12.5,\"o\":{\"a\":[1]},"
             "\"t\":true},\"attempts\":3,\"share\":0.25,\"is_peak\":false}"),
    BYTES_OF("{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{"
             "\"alertRule\":\"r\",\"severity\":\"Sev9\",\"monitorCondition\":\"Odd\","
             "\"alertId\":7,\"description\":5,\"configurationItems\":[99]},\"alertContext\":{"
             "\"properties\":{\"a\":1,\"b\":[2]},\"condition\":{\"windowSize\":\"PT1H30M\","
             "\"allOf\":[{\"metricName\":\"m\",\"operator\":\"LessThan\",\"threshold\":1.5,"
             "\"metricValue\":0.125,\"dimensions\":[{\"name\":1,\"value\":2}],"
             "\"failingPeriods\":{\"minFailingPeriodsToAlert\":2,"
             "\"numberOfEvaluationPeriods\":3}}]},\"SearchResults\":{\"tables\":[{\"columns\":"
             "[{\"name\":\"c\"}],\"rows\":[[1.5,true],[\"x\"]]}]}}}}"),
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;
static struct arena scarce; /* static, so that a failing test does not leak it */

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
    arena_drop(&scarce);
    return 0;
}

static void check_pairs(const char *row, const struct pairs *got, const struct pairs *wanted)
{
    CHECK(row, got->count == wanted->count);
    CHECK(row, got->left_out == wanted->left_out);
    for (size_t i = 0; i < got->count; i++) {
        CHECK_VIEW(row, got->at[i].key, wanted->at[i].key);
        CHECK_VIEW(row, got->at[i].value, wanted->at[i].value);
    }
}

static void check_alert(const char *row, const struct alert *got, const struct alert *wanted)
{
    CHECK(row, got->from == wanted->from);
    CHECK(row, got->state == wanted->state);
    CHECK(row, got->has_severity == wanted->has_severity);
    CHECK(row, got->severity == wanted->severity);
    CHECK(row, got->line == wanted->line);
    CHECK_VIEW(row, got->name, wanted->name);
    CHECK_VIEW(row, got->description, wanted->description);
    CHECK_VIEW(row, got->resource, wanted->resource);
    CHECK_VIEW(row, got->signal_type, wanted->signal_type);
    CHECK_VIEW(row, got->fired_time, wanted->fired_time);
    CHECK_VIEW(row, got->source, wanted->source);
    CHECK_VIEW(row, got->alert_id, wanted->alert_id);
    CHECK_VIEW(row, got->file, wanted->file);
    CHECK_VIEW(row, got->logs, wanted->logs);
    CHECK_VIEW(row, got->query, wanted->query);
    check_pairs(row, &got->conditions, &wanted->conditions);
    check_pairs(row, &got->dimensions, &wanted->dimensions);
    check_pairs(row, &got->links, &wanted->links);
    check_pairs(row, &got->custom, &wanted->custom);
    check_pairs(row, &got->notes, &wanted->notes);
}

/* With each ceiling the payload is read as with plenty of memory, or cleanly not at all. */
static void read_with_little_memory(const char *row, struct view body)
{
    struct failure why = { 0 };
    struct alert full = { 0 };
    size_t before = mem.used;
    CHECK(row, read_first(body, &mem, &full, &why));
    size_t enough = mem.used - before;
    bool was_read = false;
    for (size_t ceiling = 0; ceiling <= enough; ceiling += ARENA_ALIGN) {
        struct alert alert = { .line = -7 };
        struct failure reason = { 0 };
        arena_init(&scarce, ceiling);
        was_read = read_first(body, &scarce, &alert, &reason);
        if (was_read)
            check_alert(row, &alert, &full);
        else
            CHECK(row, reason.kind == FAIL_INTERNAL && alert.line == -7);
        arena_drop(&scarce);
    }
    CHECK(row, was_read);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void what_is_no_alert_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct failure why = { 0 };
        struct alert alert = { .severity = 77 };
        CHECK(refused[i].name, !read_first(refused[i].body, &mem, &alert, &why));
        CHECK(refused[i].name, why.kind == refused[i].kind);
        CHECK(refused[i].name, alert.severity == 77);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct text body = text_in(&mem, PLENTY);
    struct failure why = { 0 };
    struct alert alert = { 0 };
    text_add_string(&body, "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\",\"x\":");
    text_add_repeated(&body, '[', 100000);
    text_add_repeated(&body, ']', 100000);
    text_add_char(&body, '}');
    assert_false(read_first(text_view(&body), &mem, &alert, &why));
    assert_int_equal(why.kind, FAIL_NOT_JSON);
}

static void repairs_are_noted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct failure why = { 0 };
        struct alert alert;
        CHECK(texts[i].name, read_first(texts[i].body, &mem, &alert, &why));
        CHECK_VIEW(texts[i].name, alert.description, view_of(texts[i].description));
        const struct pair *note = pairs_find(&alert.notes, VIEW("body"));
        CHECK(texts[i].name, (note != NULL) == texts[i].is_repaired);
        CHECK(texts[i].name, note == NULL || view_contains(note->value, VIEW("repaired")));
        CHECK(texts[i].name, alert.notes.count == (texts[i].is_repaired ? 1 : 0));
    }
}

static void an_alert_outlives_its_body(void **state)
{
    (void)state;
    char body[] = "{\"alertName\":\"name\",\"severity\":1,\"description\":\"text\",\"team\":\"t\"}";
    struct failure why = { 0 };
    struct alert alert = { 0 };
    assert_true(read_first((struct view){ body, sizeof body - 1 }, &mem, &alert, &why));
    memset(body, 'x', sizeof body);
    CHECK_VIEW("name", alert.name, VIEW("name"));
    CHECK_VIEW("description", alert.description, VIEW("text"));
    CHECK_VIEW("custom", alert.custom.at[0].key, VIEW("team"));
    CHECK_VIEW("custom", alert.custom.at[0].value, VIEW("t"));
}

static void pairs_keep_order_and_count_the_rest(void **state)
{
    (void)state;
    static const char *const letters[] = { "a", "b", "c", "d", "e" };
    struct pairs pairs = { 0 };
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        assert_true(pairs_add(&pairs, 3, view_of(letters[i]), view_of(letters[i]), 9, &mem));
    assert_int_equal(pairs.count, 3);
    assert_int_equal(pairs.left_out, 2);
    for (size_t i = 0; i < 3; i++)
        CHECK_VIEW(letters[i], pairs.at[i].key, view_of(letters[i]));
    assert_ptr_equal(pairs_find(&pairs, VIEW("b")), &pairs.at[1]);
    assert_null(pairs_find(&pairs, VIEW("d")));
    assert_null(pairs_find(&pairs, VIEW("B")));
    assert_null(pairs_find(&(struct pairs){ 0 }, VIEW("a")));
}

static void keys_and_values_end_with_a_whole_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct text long_text = text_in(&mem, PLENTY);
        struct pairs pairs = { 0 };
        text_add_repeated(&long_text, 'k', keys[i].letters);
        text_add_string(&long_text, keys[i].last);
        struct view whole = text_view(&long_text);
        struct view kept = { whole.at, keys[i].kept };
        assert_true(pairs_add(&pairs, 4, whole, whole, MAX_KEY_BYTES, &mem));
        assert_true(pairs_add(&pairs, 4, whole, whole, MAX_VALUE_BYTES, &mem));
        CHECK_VIEW(keys[i].last, pairs.at[0].key, kept);
        CHECK_VIEW(keys[i].last, pairs.at[0].value, kept);
        CHECK_VIEW(keys[i].last, pairs.at[1].value, whole);
    }
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        struct view body = process_read_file(payloads[i], &mem);
        CHECK(payloads[i], body.len > 0);
        read_with_little_memory(payloads[i], body);
    }
    for (size_t i = 0; i < COUNT_OF(odd_payloads); i++)
        read_with_little_memory(odd_payloads[i].at, odd_payloads[i]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_alert_is_refused),
        TEST(deep_nesting_is_refused),
        TEST(repairs_are_noted),
        TEST(an_alert_outlives_its_body),
        TEST(pairs_keep_order_and_count_the_rest),
        TEST(keys_and_values_end_with_a_whole_character),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
