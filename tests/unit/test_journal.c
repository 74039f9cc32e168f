/* What the log says about a request that is answered. */
#include "edge/journal.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLENTY = 1024 * 1024, LOG_BYTES = 64 * 1024 };

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

/* What goes to the log meanwhile.  Nobody may print or assert before it is put back. */
static struct view logged(const struct journal_entry *entry)
{
    char *bytes = arena_get(&mem, LOG_BYTES);
    FILE *file = tmpfile();
    assert_true(bytes != NULL && file != NULL);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    journal_write(entry);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    size_t got = fread(bytes, 1, LOG_BYTES, file);
    fclose(file);
    return (struct view){ bytes, got };
}

/* A reader of JSON keeps one of several members of a name, and which one is not said. */
static void check_names(const char *name, struct view line)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    CHECK(name, json_read(line, &mem, &json, &why));
    for (const struct cJSON *a = json_first(json.root); a != NULL; a = json_next(a))
        for (const struct cJSON *b = json_next(a); b != NULL; b = json_next(b))
            if (view_equal(json_key(a), json_key(b)))
                CHECK_VIEW(name, json_key(b), VIEW("another name"));
    json_free(&json);
}

/* One waits for another try, one was not stored, one never will succeed. */
static void each_line_has_each_name_once(void **state)
{
    (void)state;
    static const struct alert alert = { .from = &source_native, .name = { "n", 1 } };
    static const struct problem problem = { .alert = &alert };
    static const struct request request = { .method = { "POST", 4 } };
    static const struct reply reply = { .status = 500 };
    struct outcome outcomes[3] = {
        { .problem = &problem, .action = ACTION_DEFERRED, .receipt = { { "m1", 2 }, { "p", 1 } } },
        { .problem = &problem, .has_failed = true, .is_unstored = true },
        { .problem = &problem, .has_failed = true, .receipt = { { "m3", 2 }, { "p", 1 } } },
    };
    const struct report report = { .outcomes = outcomes, .count = COUNT_OF(outcomes) };
    (fail)(&outcomes[0].why, FAIL_DEVIN_OUTAGE, "Devin answered 503");
    (fail)(&outcomes[1].why, FAIL_DEVIN_OUTAGE, "Devin answered 503");
    (fail)(&outcomes[1].why_unstored, FAIL_STORE_DOWN, "status 500");
    (fail)(&outcomes[2].why, FAIL_DEVIN_KEY, "Devin answered 401");
    const struct journal_entry entry = {
        .request = &request,
        .reply = &reply,
        .why = &outcomes[2].why,
        .report = &report,
        .mem = &mem,
    };
    struct view lines = logged(&entry);
    size_t count = 0;
    for (struct view line; lines.len > 0; count++) {
        view_cut(lines, '\n', &line, &lines);
        check_names("line", line);
        if (count == 0)
            CHECK("first line", view_contains(line, VIEW("\"failure\":\"DEVIN_KEY\""))
                                    && view_contains(line, VIEW("\"deferred\":1"))
                                    && view_contains(line, VIEW("\"not_stored\":1")));
    }
    assert_int_equal(count, 1 + COUNT_OF(outcomes));
}

/* The store's failure alone would not tell what is the matter with the alert. */
static void a_retry_that_nobody_takes_says_both(void **state)
{
    (void)state;
    static const struct alert alert = { .from = &source_native, .name = { "n", 1 } };
    static const struct problem problem = { .alert = &alert };
    static const struct request request = { .method = { "POST", 4 }, .is_retry = true };
    static const struct reply reply = { .status = 500 };
    struct outcome outcome = { .problem = &problem, .has_failed = true, .is_unstored = true };
    const struct report report = { .outcomes = &outcome, .count = 1 };
    (fail)(&outcome.why, FAIL_DEVIN_KEY, "Devin answered 401");
    (fail)(&outcome.why_unstored, FAIL_STORE_DOWN, "status 500");
    const struct journal_entry entry = {
        .request = &request,
        .reply = &reply,
        .why = &outcome.why_unstored,
        .report = &report,
        .mem = &mem,
    };
    struct view line = logged(&entry);
    check_names("line", line);
    CHECK("line", view_contains(line, VIEW("\"failure\":\"STORE_DOWN\"")));
    CHECK("line", view_contains(line, VIEW("\"given_up\":\"DEVIN_KEY\"")));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(each_line_has_each_name_once),
                                        TEST(a_retry_that_nobody_takes_says_both) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
