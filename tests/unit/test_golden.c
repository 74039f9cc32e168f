/*
 * The prompt of every sample, byte for byte: tests/golden/<sender>/<file>.txt.  A change of the prompt
 * shows in review as a change of these files; GOLDEN_WRITE=1 writes them anew.  Everything is done
 * under odd locales and time zones, which must not matter.
 */
#include "alert/payload.h"
#include "alert/problem.h"
#include "base/arena.h"
#include "base/json.h"
#include "session/prompt.h"
#include "support/process.h"

#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define SAMPLES "tests/cases/samples/"
#define GOLDEN  "tests/golden/"

enum { MAX_SESSIONS = 5 };
static const size_t PLENTY = (size_t)64 * 1024 * 1024;

static const struct prompt_settings settings = { .target_repo = { "https://github.com/org/repo",
                                                                  27 } };

static const char *path_of(const char *folder, struct view file, const char *end, struct arena *mem)
{
    struct text path = text_in(mem, 1024);
    text_add_string(&path, folder);
    text_add(&path, file);
    text_add_string(&path, end);
    return text_view(&path).at;
}

/* All prompts of a payload; empty where it opens no session. */
static struct view prompts_of(struct view file, struct arena *mem)
{
    struct text all = text_in(mem, PLENTY);
    struct payload payload;
    struct problems problems;
    struct failure why;
    struct view body = process_read_file(path_of(SAMPLES, file, "", mem), mem);
    CHECK(file.at, body.len > 0);
    if (!payload_read(body, mem, &payload, &why))
        return (struct view){ 0 };
    assert_true(problems_of(&payload, ALERT_FIRED, MAX_SESSIONS, mem, &problems));
    for (size_t i = 0; i < problems.count; i++) {
        struct view prompt;
        assert_true(prompt_render(&problems.at[i], &settings, mem, &prompt, &why));
        text_add(&all, prompt);
    }
    assert_true(text_ok(&all));
    return text_view(&all);
}

static void write_golden(struct view file, struct view prompts, struct arena *mem)
{
    struct view sender;
    struct view rest;
    view_cut(file, '/', &sender, &rest);
    (void)mkdir(GOLDEN, 0755);
    (void)mkdir(path_of(GOLDEN, sender, "", mem), 0755);
    FILE *golden = fopen(path_of(GOLDEN, file, ".txt", mem), "we");
    assert_non_null(golden);
    assert_int_equal(fwrite(prompts.at, 1, prompts.len, golden), prompts.len);
    assert_int_equal(fclose(golden), 0);
}

static void check_all(bool is_written)
{
    struct arena mem;
    struct json key;
    struct failure why;
    arena_init(&mem, PLENTY);
    assert_true(json_read(process_read_file(SAMPLES "expected.json", &mem), &mem, &key, &why));
    const struct cJSON *entry = json_first(json_at(key.root, "files"));
    assert_non_null(entry);
    for (; entry != NULL; entry = json_next(entry)) {
        struct arena own;
        struct view file = json_text(json_at(entry, "file"));
        arena_init(&own, PLENTY);
        struct view prompts = prompts_of(file, &own);
        if (is_written && prompts.len > 0)
            write_golden(file, prompts, &own);
        CHECK_VIEW(file.at, prompts, process_read_file(path_of(GOLDEN, file, ".txt", &own), &own));
        arena_drop(&own);
    }
    json_free(&key);
    arena_drop(&mem);
}

static void each_sample_has_its_prompt(void **state)
{
    (void)state;
    check_all(getenv("GOLDEN_WRITE") != NULL);
}

static void place_and_time_do_not_matter(void **state)
{
    static const char *const places[][2] = { { "tr_TR.UTF-8", "Asia/Kathmandu" },
                                             { "de_DE.UTF-8", "America/St_Johns" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        assert_int_equal(setenv("LC_ALL", places[i][0], 1), 0);
        assert_int_equal(setenv("TZ", places[i][1], 1), 0);
        tzset();
        check_all(false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_sample_has_its_prompt),
                                        cmocka_unit_test(place_and_time_do_not_matter) };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
