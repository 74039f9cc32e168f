/*
 * The stored form: whatever a payload says, it fits into a message, and what is made from it is the same
 * at the first try and at every later one.
 */
#include "alert/stored.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "session/prompt.h"
#include "support/process.h"
#include "unit/check.h"

#include <limits.h>
#include <stdlib.h>

#define SAMPLES "tests/cases/samples/"

enum { MAX_SESSIONS = 5, HOSTILE = 150 };
static const size_t PLENTY = (size_t)64 * 1024 * 1024;

static const struct prompt_settings settings = { .target_repo = { "https://github.com/org/repo",
                                                                  27 } };

/* --- tables ----------------------------------------------------------------------------------- */

#define TAGS "\"fingerprint\":\"fp-0123456789abcdef\",\"firing\":\"alert-0123456789abcdef\""

/* What is no stored alert. */
static const char *const strangers[] = {
    "",
    "x",
    "null",
    "[]",
    "\"text\"",
    "{}",
    "{\"v\":2," TAGS ",\"alert\":{\"name\":\"n\"}}",
    "{\"v\":\"1\"," TAGS ",\"alert\":{\"name\":\"n\"}}",
    "{\"v\":1," TAGS "}",
    "{\"v\":1," TAGS ",\"alert\":{\"name\":\"\"}}",
    "{\"v\":1," TAGS ",\"alert\":{\"name\":7}}",
    "{\"v\":1," TAGS ",\"alert\":\"n\"}",
    "{\"v\":1,\"firing\":\"alert-0123456789abcdef\",\"alert\":{\"name\":\"n\"}}",
    "{\"v\":1,\"fingerprint\":\"fp-0123456789abcdef\",\"alert\":{\"name\":\"n\"}}",
    "{\"v\":1,\"fingerprint\":\"fp-0123456789ABCDEF\",\"firing\":\"alert-0123456789abcdef\","
    "\"alert\":{\"name\":\"n\"}}",
    "{\"v\":1,\"fingerprint\":\"fp-0123456789abcde&\",\"firing\":\"alert-0123456789abcdef\","
    "\"alert\":{\"name\":\"n\"}}",
    "{\"v\":1,\"fingerprint\":\"fp-0123456789abcdef0\",\"firing\":\"alert-0123456789abcdef\","
    "\"alert\":{\"name\":\"n\"}}",
    "{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\"}",
};

/* The Functions host spreads a message's top members over its own. */
static const char *const names_of_the_host[] = {
    "Id",         "DequeueCount",    "ExpirationTime", "InsertionTime",
    "PopReceipt", "NextVisibleTime", "QueueTrigger",   "RetryContext",
    "sys",        "Query",           "Headers",        "alertTrigger",
};

/* What fields are filled with when they are long; all of one kind at worst. */
static const char *const pieces[] = {
    "a",
    "word ",
    "\n",
    "\"",
    "\\",
    "\t",
    "\x01",
    "\xC3\xA9",
    "\xE2\x80\xAE",
    "\xE2\x80\xA8",
    "\xF0\x9F\x98\x80",
    "`",
    "```\n",
    "{\"a\":1}",
    "[... 5 bytes left out ...]\n",
    "\x7F",
    "</script>",
    "&lt;",
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

static struct stored stored_of(const struct problem *problem)
{
    return (struct stored){
        .problem = *problem,
        .playbook = VIEW("devin-triage-workflow"),
        .playbook_id = VIEW("playbook-0123"),
        .first_seen_s = 1772000000,
    };
}

static struct view written(const struct stored *stored)
{
    struct view message = { 0 };
    struct failure why = { 0 };
    assert_true(stored_write(stored, &mem, &message, &why));
    assert_true(message.len <= MAX_STORED_BYTES);
    return message;
}

static struct stored read_back(struct view message)
{
    struct stored stored;
    struct failure why = { 0 };
    if (!stored_read(message, &mem, &stored, &why))
        CHECK_VIEW(why.detail, message, VIEW("a stored alert"));
    return stored;
}

static struct view prompt_of(const struct problem *problem)
{
    struct view prompt;
    struct failure why = { 0 };
    assert_true(prompt_render(problem, &settings, &mem, &prompt, &why));
    return prompt;
}

static struct view title_of(const struct problem *problem)
{
    struct view title;
    struct failure why = { 0 };
    assert_true(prompt_title(problem->alert, &mem, &title, &why));
    return title;
}

/* All that tags and turns are made of. */
static void check_identity(const char *row, const struct problem *got, const struct problem *wanted)
{
    CHECK_VIEW(row, got->identity.fingerprint, wanted->identity.fingerprint);
    CHECK_VIEW(row, got->identity.firing, wanted->identity.firing);
    CHECK(row, got->identity.has_firing == wanted->identity.has_firing);
    CHECK(row, identity_is_real(got->alert) == identity_is_real(wanted->alert));
    CHECK(row, got->alert->from == wanted->alert->from);
    CHECK(row, got->also_count == wanted->also_count);
    CHECK(row, got->also_fingerprint_count == wanted->also_fingerprint_count);
    for (size_t i = 0; i < wanted->also_fingerprint_count; i++)
        CHECK_VIEW(row, got->also_fingerprints[i], wanted->also_fingerprints[i]);
}

/* The first try's prompt, which every later try must have again. */
static struct stored check_tries(const char *row, const struct problem *problem)
{
    struct stored stored = stored_of(problem);
    struct view message = written(&stored);
    struct stored first = read_back(message);
    struct view again = written(&first);
    CHECK_VIEW(row, again, message);
    check_identity(row, &first.problem, problem);
    CHECK_VIEW(row, first.playbook, stored.playbook);
    CHECK_VIEW(row, first.playbook_id, stored.playbook_id);
    CHECK(row, first.first_seen_s == stored.first_seen_s);
    CHECK(row, first.reason.len == 0);

    struct stored given_up = first;
    given_up.reason = VIEW("Devin API rejected the request: \"prompt\"");
    struct stored replayed = read_back(written(&given_up));
    CHECK_VIEW(row, replayed.reason, given_up.reason);
    CHECK_VIEW(row, prompt_of(&replayed.problem), prompt_of(&first.problem));
    replayed.reason = (struct view){ 0 };
    CHECK_VIEW(row, written(&replayed), message);
    return first;
}

/* --- tests ------------------------------------------------------------------------------------ */

static size_t check_sample(struct view file)
{
    struct payload payload;
    struct problems problems = { 0 };
    struct failure why;
    struct text path = text_in(&mem, 1024);
    text_add_string(&path, SAMPLES);
    text_add(&path, file);
    struct view body = process_read_file(text_view(&path).at, &mem);
    if (!payload_read(body, &mem, &payload, &why))
        return 0;
    assert_true(problems_of(&payload, ALERT_FIRED, MAX_SESSIONS, &mem, &problems));
    for (size_t i = 0; i < problems.count; i++) {
        struct stored first = check_tries(file.at, &problems.at[i]);
        CHECK_VIEW(file.at, prompt_of(&first.problem), prompt_of(&problems.at[i]));
        CHECK_VIEW(file.at, title_of(&first.problem), title_of(&problems.at[i]));
    }
    return problems.count;
}

static void every_sample_comes_back_as_it_was(void **state)
{
    (void)state;
    struct arena own;
    struct json key;
    struct failure why;
    size_t stored = 0;
    arena_init(&own, PLENTY);
    assert_true(json_read(process_read_file(SAMPLES "expected.json", &own), &own, &key, &why));
    const struct cJSON *entry = json_first(json_at(key.root, "files"));
    for (; entry != NULL; entry = json_next(entry)) {
        stored += check_sample(view_keep(json_text(json_at(entry, "file")), &mem));
        arena_drop(&mem);
    }
    print_message("%zu alerts of the samples\n", stored);
    assert_true(stored > 100);
    json_free(&key);
    arena_drop(&own);
}

static unsigned long long seed = 20260301;

/* xorshift64 */
static size_t random_below(size_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % limit);
}

/* Of a few pieces or of one; sometimes far longer than any message. */
static struct view hostile(size_t max_bytes)
{
    struct text text = text_in(&mem, max_bytes);
    const char *piece = pieces[random_below(COUNT_OF(pieces))];
    bool is_mixed = random_below(2) == 0;
    size_t wanted = random_below(4) == 0 ? random_below(max_bytes) : random_below(64);
    while (text.len < wanted && text_add_some(&text, view_of(piece)))
        piece = is_mixed ? pieces[random_below(COUNT_OF(pieces))] : piece;
    return view_cap(text_view(&text), max_bytes);
}

static struct pairs hostile_pairs(size_t limit)
{
    struct pairs pairs = { .left_out = random_below(3) };
    size_t count = random_below(limit + 1);
    for (size_t i = 0; i < count; i++)
        assert_true(pairs_add(&pairs, limit, hostile(MAX_KEY_BYTES), hostile(4096), 4096, &mem));
    return pairs;
}

static struct alert hostile_alert(void)
{
    return (struct alert){
        .from = random_below(2) == 0 ? &source_native : &source_azure_log,
        .name = hostile(200000).len > 0 ? hostile(200000) : VIEW("name"),
        .has_severity = random_below(2) == 0,
        .severity = (int)random_below(5),
        .description = hostile(200000),
        .resource = hostile(20000),
        .signal_type = hostile(20000),
        .fired_time = hostile(100),
        .source = hostile(20000),
        .alert_id = hostile(20000),
        .file = hostile(20000),
        .line = (long long)random_below(3) * (LLONG_MAX / 2),
        .logs = hostile(400000),
        .query = hostile(100000),
        .conditions = hostile_pairs(MAX_CONDITIONS),
        .dimensions = hostile_pairs(MAX_DIMENSIONS),
        .links = hostile_pairs(MAX_LINKS),
        .custom = hostile_pairs(MAX_CUSTOM_FIELDS),
    };
}

/* So many alerts with hostile names and resources, folded into one. */
static struct problem hostile_problem(size_t count)
{
    struct payload payload = { .count = count };
    struct problems problems;
    payload.alerts = arena_get_array(&mem, count, sizeof *payload.alerts);
    assert_non_null(payload.alerts);
    for (size_t i = 0; i < count; i++)
        payload.alerts[i] = hostile_alert();
    for (size_t i = 0; i < count; i++)
        if (payload.alerts[i].name.len == 0)
            payload.alerts[i].name = VIEW("name");
    assert_true(problems_of(&payload, ALERT_FIRED, 1, &mem, &problems));
    return problems.at[0];
}

static int rounds(void)
{
    const char *fewer = getenv("HOSTILE_PROMPTS");
    long wanted = fewer == NULL || fewer[0] == '\0' ? 0 : strtol(fewer, NULL, 10);
    return wanted > 0 && wanted < 100000 ? HOSTILE / 10 : HOSTILE;
}

static void hostile_text_fits_and_is_the_same_at_each_try(void **state)
{
    (void)state;
    size_t cut = 0;
    for (int i = 0; i < rounds(); i++) {
        struct problem problem = hostile_problem(1 + (i % 8 == 0 ? random_below(12) : 0));
        struct stored first = check_tries("hostile", &problem);
        cut += first.problem.alert->logs.len < problem.alert->logs.len;
        arena_drop(&mem);
    }
    print_message("%zu of %d had their logs cut\n", cut, rounds());
    assert_true(cut > 0 && cut < (size_t)rounds());
}

/* Each piece alone in every field, as much as there can be: the last level must hold the worst. */
static void the_worst_always_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct text text = text_in(&mem, 200000);
        while (text_add_some(&text, view_of(pieces[i])))
            continue;
        struct view all = text_view(&text);
        struct pair pair[MAX_DIMENSIONS];
        for (size_t k = 0; k < COUNT_OF(pair); k++)
            pair[k] = (struct pair){ view_cap(all, 128), view_cap(all, 4096) };
        const struct pairs many = { .at = pair, .count = MAX_DIMENSIONS };
        struct alert alerts[MAX_ALERTS];
        for (size_t k = 0; k < COUNT_OF(alerts); k++)
            alerts[k] = (struct alert){ .from = &source_azure_common,
                                        .name = all,
                                        .resource = all,
                                        .description = all,
                                        .signal_type = all,
                                        .fired_time = all,
                                        .source = all,
                                        .alert_id = all,
                                        .file = all,
                                        .logs = all,
                                        .query = all,
                                        .conditions = many,
                                        .dimensions = many,
                                        .links = many,
                                        .custom = many };
        const struct alert *also[MAX_ALERTS - 1];
        struct view tags[MAX_ALERTS - 1];
        for (size_t k = 0; k < COUNT_OF(also); k++) {
            also[k] = &alerts[k + 1];
            tags[k] = VIEW("fp-0123456789abcdef");
        }
        const struct problem problem = {
            .alert = &alerts[0],
            .identity = { .fingerprint = VIEW("fp-fedcba9876543210"),
                          .firing = VIEW("alert-fedcba9876543210") },
            .also = also,
            .also_count = COUNT_OF(also),
            .also_fingerprints = tags,
            .also_fingerprint_count = COUNT_OF(tags),
        };
        struct stored first = check_tries(pieces[i], &problem);
        CHECK(pieces[i], view_contains(first.problem.alert->name, VIEW(" bytes left out]")));
        arena_drop(&mem);
    }
}

/* Long logs leave what is short alone, keep their head and their tail, and fill the room there is. */
static void long_logs_are_cut_where_it_shows(void **state)
{
    (void)state;
    struct text logs = text_in(&mem, 300000);
    text_add_string(&logs, "first line\n");
    for (int i = 0; i < 3000; i++)
        text_add_string(&logs, "2026-03-01T10:00:00Z worker said \"nothing new\"\n");
    text_add_string(&logs, "last line");
    struct alert alert = { .from = &source_native,
                           .name = VIEW("name"),
                           .description = VIEW("what happened"),
                           .logs = text_view(&logs) };
    struct problem problem = { .alert = &alert };
    assert_true(identity_of(&alert, &mem, &problem.identity));
    struct stored first = check_tries("logs", &problem);
    struct view kept = first.problem.alert->logs;
    CHECK_VIEW("description", first.problem.alert->description, alert.description);
    assert_true(kept.len > 40 * 1024);
    assert_true(view_starts(kept, VIEW("first line\n")));
    assert_true(view_equal(view_skip(kept, kept.len - 9), VIEW("last line")));
    assert_true(view_contains(kept, VIEW("\n[... ")));
    assert_true(view_contains(kept, VIEW(" bytes left out ...]\n")));
    assert_true(view_contains(prompt_of(&first.problem), VIEW(" bytes left out ...]\n")));
}

/* Two hundred alerts in one: all are found again by their tags, and as many are named as before. */
static void folded_alerts_keep_their_tags_and_names(void **state)
{
    (void)state;
    struct alert alerts[MAX_ALERTS];
    struct payload payload = { .alerts = alerts, .count = COUNT_OF(alerts) };
    struct problems problems;
    for (size_t i = 0; i < COUNT_OF(alerts); i++) {
        struct text name = text_in(&mem, 64);
        text_add_string(&name, "alert ");
        text_add_number(&name, (long long)i);
        alerts[i] = (struct alert){ .from = &source_azure_common,
                                    .name = text_view(&name),
                                    .resource = VIEW("/subscriptions/x/vm"),
                                    .source = VIEW("azure-monitor") };
    }
    assert_true(problems_of(&payload, ALERT_FIRED, 1, &mem, &problems));
    assert_int_equal(problems.at[0].also_fingerprint_count, COUNT_OF(alerts) - 1);
    struct stored first = check_tries("folded", &problems.at[0]);
    CHECK_VIEW("folded", prompt_of(&first.problem), prompt_of(&problems.at[0]));
}

static void strangers_are_no_stored_alerts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        struct stored stored;
        struct failure why = { 0 };
        CHECK(strangers[i], !stored_read(view_of(strangers[i]), &mem, &stored, &why));
        CHECK(strangers[i], why.kind == FAIL_STORED_BROKEN);
    }
}

/* Strange members are not there; what is left is an alert all the same. */
static void strange_members_do_no_harm(void **state)
{
    (void)state;
    const struct view message =
        VIEW("{\"v\":1," TAGS ",\"firstSeen\":\"x\",\"hasFiring\":1,\"playbook\":[],\"later\":{},"
             "\"also\":{\"count\":1e9,\"fingerprints\":[1,\"fp-x\",\"fp-0000000000000000\"],"
             "\"named\":[[],7,[\"n\",{}]]},\"alert\":{\"from\":\"of-tomorrow\",\"name\":\"n\","
             "\"severity\":9,\"line\":\"-1\",\"description\":{},\"custom\":{\"at\":[1,[\"k\"],"
             "[\"k\",\"v\"]],\"leftOut\":-4},\"links\":\"x\"}}");
    struct stored stored = read_back(message);
    const struct alert *alert = stored.problem.alert;
    assert_ptr_equal(alert->from, &source_native);
    assert_int_equal(stored.first_seen_s, 0);
    assert_int_equal(stored.problem.also_count, 0);
    assert_false(alert->has_severity);
    assert_int_equal(alert->line, 0);
    assert_int_equal(alert->custom.count, 3);
    assert_int_equal(alert->custom.left_out, 0);
    CHECK_VIEW("value", alert->custom.at[2].value, VIEW("v"));
    assert_true(prompt_of(&stored.problem).len > 0);
}

static void no_name_is_one_of_the_hosts(void **state)
{
    (void)state;
    struct problem problem = hostile_problem(3);
    struct stored stored = stored_of(&problem);
    struct json json;
    struct failure why;
    stored.reason = VIEW("why");
    assert_true(json_read(written(&stored), &mem, &json, &why));
    for (const struct cJSON *member = json_first(json.root); member != NULL;
         member = json_next(member))
        for (size_t i = 0; i < COUNT_OF(names_of_the_host); i++)
            CHECK(names_of_the_host[i],
                  !view_equal_fold(json_key(member), view_of(names_of_the_host[i])));
    json_free(&json);
}

/* With each ceiling the same form, or a clean failure; and so it is read. */
static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    struct payload payload;
    struct problems problems;
    struct failure why = { 0 };
    struct view body = process_read_file(SAMPLES "generic/full-contract.json", &mem);
    assert_true(payload_read(body, &mem, &payload, &why));
    assert_true(problems_of(&payload, ALERT_FIRED, 1, &mem, &problems));
    struct stored stored = stored_of(&problems.at[0]);
    struct view whole = written(&stored);
    struct view prompt = prompt_of(&problems.at[0]);
    bool is_written = false;
    bool is_read = false;
    for (size_t ceiling = 0; !(is_written && is_read) && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
        struct arena scarce;
        struct view message;
        struct stored again;
        arena_init(&scarce, ceiling);
        is_written = stored_write(&stored, &scarce, &message, &why);
        assert_true(is_written || why.kind == FAIL_INTERNAL);
        if (is_written)
            CHECK_VIEW("written", message, whole);
        arena_drop(&scarce);
        is_read = stored_read(whole, &scarce, &again, &why);
        assert_true(is_read || why.kind == FAIL_INTERNAL);
        if (is_read)
            CHECK_VIEW("read", prompt_of(&again.problem), prompt);
        arena_drop(&scarce);
    }
    assert_true(is_written && is_read);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_sample_comes_back_as_it_was),
        TEST(hostile_text_fits_and_is_the_same_at_each_try),
        TEST(the_worst_always_fits),
        TEST(long_logs_are_cut_where_it_shows),
        TEST(folded_alerts_keep_their_tags_and_names),
        TEST(strangers_are_no_stored_alerts),
        TEST(strange_members_do_no_harm),
        TEST(no_name_is_one_of_the_hosts),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
