/*
 * Holds every payload in tests/cases/samples against its answer key, expected.json (its member
 * "about" says how to compare), and prints a line for each sender.
 */
#include "alert/payload.h"
#include "alert/problem.h"
#include "base/arena.h"
#include "base/json.h"
#include "session/prompt.h"
#include "support/process.h"

#include "unit/check.h"

#include <stdio.h>

#define SAMPLES "tests/cases/samples/"

enum { MOST_SENDERS = 40, MAX_SESSIONS = 5 };
static const size_t PLENTY = (size_t)64 * 1024 * 1024;

struct sender {
    struct view name;
    int files, right, refused;
};

/* One entry of the key and what we made of its file. */
struct entry {
    const struct cJSON *key;
    struct view file;
    struct arena mem;
    struct payload payload;
    bool is_refused;
    struct failure why;
    bool is_wrong;
};

static const struct prompt_settings settings = { .target_repo = { "https://x/repo", 14 } };

/* --- comparing -------------------------------------------------------------------------------- */

/* White space as one blank, as the key wants texts compared. */
static struct view collapsed(struct view text, struct arena *mem)
{
    struct text out = text_in(mem, text.len + 1);
    bool owes_blank = false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_blank = text.at[i] == ' ' || (text.at[i] >= '\t' && text.at[i] <= '\r');
        if (!is_blank && owes_blank && out.len > 0)
            text_add_char(&out, ' ');
        if (!is_blank)
            text_add_char(&out, text.at[i]);
        owes_blank = is_blank;
    }
    return text_view(&out);
}

static long long digits_at(struct view text, size_t at, size_t count)
{
    long long number = -1;
    (void)view_to_number((struct view){ text.at + at, count }, 0, 9999, &number);
    return number;
}

/* Days since 1970 in the proleptic Gregorian calendar; years begin in March, so that the leap day is last. */
static long long days_of(long long year, long long month, long long day)
{
    long long from_march = (month + 9) % 12;
    year -= month < 3;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day
           - 719469;
}

struct instant {
    long long seconds, nanos;
};

/* "2024-02-06T12:00:00.123+02:00" as seconds since 1970 and nanoseconds; false for what is no such time. */
static bool instant_of(struct view text, struct instant *out)
{
    if (text.len < 19 || text.at[4] != '-')
        return false;
    long long days = days_of(digits_at(text, 0, 4), digits_at(text, 5, 2), digits_at(text, 8, 2));
    long long seconds = days * 86400 + digits_at(text, 11, 2) * 3600 + digits_at(text, 14, 2) * 60
                        + digits_at(text, 17, 2);
    long long nanos = 0;
    long long unit = 100000000;
    size_t at = 19;
    if (at < text.len && text.at[at] == '.')
        for (at++; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++, unit /= 10)
            nanos += (text.at[at] - '0') * unit;
    if (at + 5 <= text.len && (text.at[at] == '+' || text.at[at] == '-')) {
        size_t colon = text.at[at + 3] == ':';
        long long offset =
            digits_at(text, at + 1, 2) * 3600 + digits_at(text, at + 3 + colon, 2) * 60;
        seconds += text.at[at] == '+' ? -offset : offset;
    }
    *out = (struct instant){ seconds, nanos };
    return true;
}

/* A wanted null is "not stated"; texts by white space, times as instants. */
static bool is_same(struct view got, const struct cJSON *wanted, struct arena *mem)
{
    struct instant a;
    struct instant b;
    struct view text = json_as_text(wanted, mem);
    if (json_kind(wanted) == JSON_NULL)
        return got.len == 0;
    if (instant_of(got, &a) && instant_of(text, &b) && a.seconds == b.seconds && a.nanos == b.nanos)
        return true;
    return view_equal(collapsed(got, mem), collapsed(text, mem));
}

static bool is_in(struct view got, const struct cJSON *list, struct arena *mem)
{
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        if (is_same(got, item, mem))
            return true;
    return false;
}

static void complain(struct entry *entry, const char *field, struct view got,
                     const struct cJSON *wanted)
{
    struct view text = json_as_text(wanted, &entry->mem);
    print_error("%.*s: %s: got \"%.*s\", wanted %.*s\n", (int)entry->file.len, entry->file.at,
                field, (int)got.len, got.len == 0 ? "" : got.at, text.len == 0 ? 4 : (int)text.len,
                text.len == 0 ? "null" : text.at);
    entry->is_wrong = true;
}

/* `wanted` may be a list of which any is right; an empty one wants nothing. */
static void compare(struct entry *entry, const struct cJSON *expect, const char *field,
                    struct view got)
{
    const struct cJSON *wanted = json_at(expect, field);
    const struct cJSON *accept = json_at(json_at(entry->key, "accept"), field);
    bool is_list = json_kind(wanted) == JSON_LIST;
    if (json_kind(wanted) == JSON_ABSENT || is_in(got, accept, &entry->mem)
        || (is_list
            && (is_in(got, wanted, &entry->mem) || (json_first(wanted) == NULL && got.len == 0)))
        || (!is_list && is_same(got, wanted, &entry->mem)))
        return;
    complain(entry, field, got, wanted);
}

static struct view number_text(long long number, struct arena *mem)
{
    struct text text = text_in(mem, 32);
    text_add_number(&text, number);
    return text_view(&text);
}

static struct view state_word(enum alert_state state)
{
    static const char *const words[] = { "fired", "resolved", "other" };
    return view_of(words[state]);
}

/* Where a list of alerts states no name, an alert is still called something. */
static void compare_name(struct entry *entry, const struct cJSON *expect, struct view name)
{
    if (expect == json_at(entry->key, "expect")
        || json_kind(json_at(expect, "alertName")) != JSON_NULL)
        compare(entry, expect, "alertName", name);
    else if (name.len == 0)
        complain(entry, "alertName", name, json_at(expect, "alertName"));
}

/* The key says itself where a description may be worded otherwise; it must be there all the same. */
static void compare_description(struct entry *entry, const struct cJSON *expect, struct view got)
{
    struct view remark = json_text(json_at(entry->key, "remarks.description"));
    if (view_contains(remark, VIEW("not compared exactly")) && got.len > 0)
        return;
    compare(entry, expect, "description", got);
}

static void compare_alert(struct entry *entry, const struct cJSON *expect,
                          const struct alert *alert)
{
    struct view severity = { 0 };
    struct view line = { 0 };
    if (alert->has_severity)
        severity = number_text(alert->severity, &entry->mem);
    if (alert->line > 0)
        line = number_text(alert->line, &entry->mem);
    compare_name(entry, expect, alert->name);
    compare(entry, expect, "severity", severity);
    compare_description(entry, expect, alert->description);
    compare(entry, expect, "affectedResource", alert->resource);
    compare(entry, expect, "signalType", alert->signal_type);
    compare(entry, expect, "firedTime", alert->fired_time);
    compare(entry, expect, "alertId", alert->alert_id);
    compare(entry, expect, "state", state_word(alert->state));
    compare(entry, expect, "file", alert->file);
    compare(entry, expect, "line", line);
}

/* --- prompts ---------------------------------------------------------------------------------- */

static struct view prompts_of(struct entry *entry)
{
    struct problems problems;
    struct text all = text_in(&entry->mem, PLENTY);
    assert_true(problems_of(&entry->payload, ALERT_FIRED, MAX_SESSIONS, &entry->mem, &problems));
    for (size_t i = 0; i < problems.count; i++) {
        struct view prompt;
        struct failure why;
        assert_true(prompt_render(&problems.at[i], &settings, &entry->mem, &prompt, &why));
        text_add(&all, prompt);
    }
    return collapsed(text_view(&all), &entry->mem);
}

static void compare_prompt(struct entry *entry)
{
    struct view prompts = prompts_of(entry);
    const struct cJSON *wanted = json_first(json_at(entry->key, "must_mention"));
    for (; wanted != NULL && prompts.len > 0; wanted = json_next(wanted))
        if (!view_contains(prompts, collapsed(json_text(wanted), &entry->mem)))
            complain(entry, "prompt", VIEW("(not in it)"), wanted);
}

/* --- entries ---------------------------------------------------------------------------------- */

static void compare_all(struct entry *entry)
{
    static const struct alert nothing = { .state = ALERT_OTHER };
    const struct payload *payload = &entry->payload;
    const struct cJSON *expect = json_at(entry->key, "expect");
    compare(entry, expect, "alerts", number_text((long long)payload->count, &entry->mem));
    compare_alert(entry, expect, payload->count > 0 ? &payload->alerts[0] : &nothing);
    compare(entry, entry->key, "state",
            state_word(payload->count > 0 ? payload->alerts[0].state : ALERT_OTHER));
    const struct cJSON *each = json_first(json_at(entry->key, "all"));
    for (size_t i = 0; each != NULL && i < payload->count; i++, each = json_next(each))
        compare_alert(entry, each, &payload->alerts[i]);
    compare_prompt(entry);
}

static bool may_refuse(const struct entry *entry)
{
    return json_is_true(json_at(entry->key, "may_refuse"))
           || view_equal(json_text(json_at(entry->key, "state")), VIEW("other"));
}

static void check_entry(struct entry *entry)
{
    struct text path = text_in(&entry->mem, 1024);
    text_add_string(&path, SAMPLES);
    text_add(&path, entry->file);
    struct view body = process_read_file(text_view(&path).at, &entry->mem);
    CHECK(path.bytes, body.len > 0);
    entry->is_refused = !payload_read(body, &entry->mem, &entry->payload, &entry->why);
    if (!entry->is_refused)
        compare_all(entry);
    else if (!may_refuse(entry) || failure_row(entry->why.kind)->status != 400)
        complain(entry, "refused", view_of(entry->why.field), json_at(entry->key, "state"));
}

static struct sender *sender_of(struct sender *senders, struct view name)
{
    struct sender *sender = senders;
    while (sender->name.len > 0 && !view_equal(sender->name, name))
        sender++;
    sender->name = name;
    return sender;
}

static void every_payload_is_read_as_the_key_says(void **state)
{
    (void)state;
    static struct sender senders[MOST_SENDERS];
    struct arena mem;
    struct json key;
    struct failure why;
    int wrong = 0;
    arena_init(&mem, PLENTY);
    assert_true(json_read(process_read_file(SAMPLES "expected.json", &mem), &mem, &key, &why));
    const struct cJSON *files = json_first(json_at(key.root, "files"));
    assert_non_null(files);
    for (; files != NULL; files = json_next(files)) {
        struct entry entry = { .key = files, .file = json_text(json_at(files, "file")) };
        arena_init(&entry.mem, PLENTY);
        check_entry(&entry);
        struct sender *sender = sender_of(senders, json_text(json_at(files, "source")));
        sender->files++;
        sender->right += !entry.is_wrong;
        sender->refused += entry.is_refused;
        wrong += entry.is_wrong;
        arena_drop(&entry.mem);
    }
    for (const struct sender *s = senders; s->name.len > 0; s++)
        printf("  %-16.*s %3d files, %3d right, %2d refused\n", (int)s->name.len, s->name.at,
               s->files, s->right, s->refused);
    json_free(&key);
    arena_drop(&mem);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_payload_is_read_as_the_key_says) };
    return cmocka_run_group_tests_name("answer_key", tests, NULL, NULL);
}
