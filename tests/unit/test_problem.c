/* Fingerprints, firings and the grouping of a payload's alerts. */
#include "alert/problem.h"

#include "alert/source.h"
#include "base/arena.h"

#include "unit/check.h"
#include "unit/reading.h"

enum { PLENTY = 4 * 1024 * 1024 };

/* Who tells problems apart. */
static const struct {
    const char *name;
    const struct source *from;
    const char *source, *alert_id;
    bool is_real;
} senders[] = {
    { "native, nothing stated", &source_native, "native", "", false },
    { "native, any source", &source_native, "cron", "", false },
    { "native, a source that only ends so", &source_native, "my-kibana", "", false },
    { "native, half a name", &source_native, "elasti", "", false },
    { "native, no source", &source_native, "", "", false },
    { "native with an id", &source_native, "native", "7", true },
    { "native, kibana", &source_native, "kibana", "", true },
    { "native, Kibana by case", &source_native, "Kibana", "", true },
    { "native, elastic", &source_native, "elastic", "", true },
    { "native, elasticsearch", &source_native, "elasticsearch-prod", "", true },
    { "native, watcher", &source_native, "WATCHER", "", true },
    { "native, kibana and an id", &source_native, "kibana", "7", true },
    { "Azure", &source_azure_common, "azure-monitor", "", true },
    { "Azure with an id", &source_azure_common, "azure-monitor", "7", true },
    { "Azure, no source", &source_azure_common, "", "", true },
};

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

static struct alert alert_of(const char *name, const char *resource)
{
    return (struct alert){
        .from = &source_native,
        .source = VIEW("native"),
        .name = view_of(name),
        .resource = view_of(resource),
    };
}

static struct identity identify(const struct alert *alert)
{
    struct identity identity;
    assert_true(identity_of(alert, &mem, &identity));
    return identity;
}

static struct pairs pairs_of(const char *const keys_and_values[], size_t count)
{
    struct pairs pairs = { 0 };
    for (size_t i = 0; i < count; i++)
        assert_true(pairs_add(&pairs, MAX_DIMENSIONS, view_of(keys_and_values[2 * i]),
                              view_of(keys_and_values[2 * i + 1]), MAX_VALUE_BYTES, &mem));
    return pairs;
}

/* The very bytes: a change here makes every open session unknown to its repeats. */
static void tags_are_what_they_were(void **state)
{
    (void)state;
    struct alert alert = alert_of("checkout-errors", "web-1");
    struct identity identity = identify(&alert);
    CHECK_VIEW("fingerprint", identity.fingerprint, VIEW("fp-4d56c27baf94fbef"));
    CHECK_VIEW("firing", identity.firing, VIEW("alert-ade57e70c35891cd"));
    assert_false(identity.has_firing);
    assert_int_equal(identity.fields.count, 3);
    CHECK_VIEW("source", identity.fields.at[0].value, VIEW("native"));
    CHECK_VIEW("name", identity.fields.at[1].value, VIEW("checkout-errors"));
    CHECK_VIEW("resource", identity.fields.at[2].value, VIEW("web-1"));
}

static void what_changes_with_each_firing_changes_only_the_firing(void **state)
{
    (void)state;
    struct alert plain = alert_of("a", "r");
    struct alert timed = plain;
    struct alert named = plain;
    timed.fired_time = VIEW("2024-02-06T12:00:00Z");
    named.alert_id = VIEW("7");
    timed.description = named.description = VIEW("other words");
    struct identity one = identify(&plain);
    struct identity two = identify(&timed);
    struct identity three = identify(&named);
    CHECK_VIEW("time", two.fingerprint, one.fingerprint);
    CHECK_VIEW("id", three.fingerprint, one.fingerprint);
    assert_false(view_equal(two.firing, one.firing));
    assert_false(view_equal(three.firing, one.firing));
    assert_false(view_equal(three.firing, two.firing));
    assert_true(two.has_firing && three.has_firing);
}

static void what_tells_problems_apart_changes_the_fingerprint(void **state)
{
    (void)state;
    static const char *const pods[] = { "pod", "a" };
    struct alert base = alert_of("a", "r");
    struct alert others[] = { alert_of("b", "r"), alert_of("a", "s"), base, base, base };
    others[2].source = VIEW("kibana");
    others[3].dimensions = pairs_of(pods, 1);
    others[4].name = VIEW("ar"); /* not the same letters shifted from one part to the next */
    others[4].resource = VIEW("");
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(view_equal(identify(&others[i]).fingerprint, identify(&base).fingerprint));
}

static void case_and_order_do_not_matter(void **state)
{
    (void)state;
    static const char *const one[] = { "pod", "a", "node", "n", "zone", "1" };
    static const char *const two[] = { "ZONE", "1", "pod", "A", "node", "N" };
    static const char *const three[] = { "zone", "1", "pod", "a", "node", "n" };
    struct alert a = alert_of("Rule", "Web-1");
    struct alert b = alert_of("rule", "WEB-1");
    a.dimensions = pairs_of(one, 3);
    b.dimensions = pairs_of(three, 3);
    CHECK_VIEW("order", identify(&b).fingerprint, identify(&a).fingerprint);
    b.dimensions = pairs_of(two, 3);
    CHECK_VIEW("case", identify(&b).fingerprint, identify(&a).fingerprint);
}

static struct problems group(struct alert *alerts, size_t count, size_t max)
{
    struct payload payload = { .from = &source_native, .alerts = alerts, .count = count };
    struct problems problems;
    assert_true(problems_of(&payload, ALERT_FIRED, max, &mem, &problems));
    return problems;
}

static void alerts_of_one_fingerprint_are_one_problem(void **state)
{
    (void)state;
    struct alert alerts[] = { alert_of("a", "r"), alert_of("b", "r"), alert_of("a", "r") };
    struct problems problems = group(alerts, 3, 5);
    assert_int_equal(problems.count, 2);
    assert_ptr_equal(problems.at[0].alert, &alerts[0]);
    assert_int_equal(problems.at[0].also_count, 1);
    assert_ptr_equal(problems.at[0].also[0], &alerts[2]);
    assert_int_equal(problems.at[0].also_fingerprint_count, 0);
    assert_ptr_equal(problems.at[1].alert, &alerts[1]);
}

static void too_many_problems_are_folded_into_the_last(void **state)
{
    (void)state;
    struct alert alerts[] = { alert_of("a", "r"), alert_of("b", "r"), alert_of("c", "r"),
                              alert_of("d", "r"), alert_of("c", "r"), alert_of("a", "r") };
    struct problems problems = group(alerts, COUNT_OF(alerts), 2);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.at[0].also_count, 1);
    assert_int_equal(problems.at[1].also_count, 3);
    assert_int_equal(problems.at[1].also_fingerprint_count, 2);
    CHECK_VIEW("c", problems.at[1].also_fingerprints[0], identify(&alerts[2]).fingerprint);
    CHECK_VIEW("d", problems.at[1].also_fingerprints[1], identify(&alerts[3]).fingerprint);
}

static void only_firing_alerts_are_problems(void **state)
{
    (void)state;
    struct alert alerts[] = { alert_of("a", "r"), alert_of("b", "r"), alert_of("c", "r") };
    alerts[0].state = ALERT_RESOLVED;
    alerts[2].state = ALERT_OTHER;
    struct problems problems = group(alerts, 3, 5);
    assert_int_equal(problems.count, 1);
    assert_ptr_equal(problems.at[0].alert, &alerts[1]);
    assert_int_equal(group(alerts, 1, 5).count, 0);
    assert_int_equal(group(alerts, 0, 5).count, 0);
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    struct alert alerts[] = { alert_of("a", "r"), alert_of("b", "r"), alert_of("c", "r") };
    struct payload payload = { .from = &source_native, .alerts = alerts, .count = 3 };
    struct problems problems;
    bool is_grouped = false;
    for (size_t ceiling = 0; !is_grouped && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
        struct arena scarce;
        arena_init(&scarce, ceiling);
        is_grouped = problems_of(&payload, ALERT_FIRED, 2, &scarce, &problems);
        if (is_grouped)
            CHECK_VIEW("folded", problems.at[1].also_fingerprints[0],
                       identify(&alerts[2]).fingerprint);
        arena_drop(&scarce);
    }
    assert_true(is_grouped);
}

static void senders_with_an_identity_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        struct alert alert = {
            .from = senders[i].from,
            .name = VIEW("n"),
            .source = view_of(senders[i].source),
            .alert_id = view_of(senders[i].alert_id),
        };
        CHECK(senders[i].name, identity_is_real(&alert) == senders[i].is_real);
        alert.fired_time = VIEW("2024-02-06T12:00:00Z"); /* a time is no identity */
        CHECK(senders[i].name, identity_is_real(&alert) == senders[i].is_real);
    }
}

static struct view fingerprint_of_health(const char *stage)
{
    struct text body = text_in(&mem, 4096);
    struct alert alert;
    struct failure why;
    text_add_string(
        &body, "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{"
               "\"alertId\":\"/a/1\",\"alertRule\":\"health\","
               "\"monitoringService\":\"Resource Health\",\"alertTargetIDs\":[\"/s/vm/web-1\"]},"
               "\"alertContext\":{\"operationName\":\"Microsoft.Resourcehealth/healthevent/");
    text_add_string(&body, stage);
    text_add_string(&body, "/action\"}}}");
    assert_true(read_first(text_view(&body), &mem, &alert, &why));
    return identify(&alert).fingerprint;
}

/* Azure tells each stage of an outage as an operation of its own. */
static void stages_of_an_outage_are_one_problem(void **state)
{
    (void)state;
    struct view activated = fingerprint_of_health("Activated");
    CHECK_VIEW("updated", fingerprint_of_health("Updated"), activated);
    CHECK_VIEW("resolved", fingerprint_of_health("Resolved"), activated);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* --- one thing where a list is expected ------------------------------------------------------- */

/* What each sender lists, with its one item in a list and bare: the same problem and evidence. */
static const struct {
    const char *before, *item, *after;
} lists_of_one[] = {
    { "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{\"alertRule\":"
      "\"r\"},"
      "\"alertContext\":{\"condition\":{\"allOf\":",
      "{\"metricName\":\"m\",\"dimensions\":[{\"name\":\"d\",\"value\":\"v\"}]}", "}}}}" },
    { "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{\"alertRule\":"
      "\"r\"},"
      "\"alertContext\":{\"condition\":{\"allOf\":[{\"metricName\":\"m\",\"dimensions\":",
      "{\"name\":\"d\",\"value\":\"v\"}", "}]}}}}" },
    { "{\"AlarmName\":\"a\",\"NewStateValue\":\"ALARM\",\"Trigger\":{\"MetricName\":\"m\","
      "\"Dimensions\":",
      "{\"name\":\"InstanceId\",\"value\":\"i-1\"}", "}}" },
    { "{\"ProblemID\":\"1\",\"State\":\"OPEN\",\"ProblemTitle\":\"t\",\"ImpactedEntities\":",
      "{\"name\":\"n\",\"entity\":\"HOST-1\"}", "}" },
    { "{\"ruleName\":\"r\",\"state\":\"alerting\",\"evalMatches\":",
      "{\"metric\":\"m\",\"value\":1,\"tags\":{\"instance\":\"i\"}}", "}" },
};

/* As read from the item within `open` and `close`. */
static struct alert read_one(size_t row, const char *open, const char *close)
{
    struct payload payload;
    struct failure why = { 0 };
    struct text body = text_in(&mem, 2048);
    text_add_string(&body, lists_of_one[row].before);
    text_add_string(&body, open);
    text_add_string(&body, lists_of_one[row].item);
    text_add_string(&body, close);
    text_add_string(&body, lists_of_one[row].after);
    CHECK(lists_of_one[row].before, payload_read(text_view(&body), &mem, &payload, &why));
    assert_int_equal(payload.count, 1);
    return payload.alerts[0];
}

static void one_thing_is_a_list_of_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists_of_one); i++) {
        const char *row = lists_of_one[i].before;
        struct alert listed = read_one(i, "[", "]");
        struct alert bare = read_one(i, "", "");
        CHECK_VIEW(row, identify(&bare).fingerprint, identify(&listed).fingerprint);
        CHECK_VIEW(row, bare.resource, listed.resource);
        assert_int_equal(bare.conditions.count, listed.conditions.count);
        CHECK(row, listed.conditions.count + listed.dimensions.count > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tags_are_what_they_were),
        TEST(stages_of_an_outage_are_one_problem),
        TEST(what_changes_with_each_firing_changes_only_the_firing),
        TEST(what_tells_problems_apart_changes_the_fingerprint),
        TEST(case_and_order_do_not_matter),
        TEST(alerts_of_one_fingerprint_are_one_problem),
        TEST(too_many_problems_are_folded_into_the_last),
        TEST(only_firing_alerts_are_problems),
        TEST(senders_with_an_identity_are_known),
        TEST(too_little_memory_is_a_clean_failure),
        TEST(one_thing_is_a_list_of_one),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
