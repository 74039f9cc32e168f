/* The log as its reader sees it: what arrives on the other side of descriptor 1. */
#include "base/log.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/redact.h"
#include "unit/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLENTY = 64 * 1024 * 1024, THREADS = 8, LINES = 1000, LONGEST_VALUE = 256 };

/* --- tables ----------------------------------------------------------------------------------- */

/* clang-format off */
#define BYTES(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

static const struct {
    const char *name;
    struct view value;
    const char *raw; /* as it stands in the line */
} values[] = {
    { "plain", BYTES("created"), "\"key\":\"created\"" },
    { "line feed", BYTES("a\nb"), "\"key\":\"a\\nb\"" },
    { "forged line", BYTES("x\"}\n{\"level\":\"info"),
      "\"key\":\"x\\\"}\\n{\\\"level\\\":\\\"info\"" },
    { "carriage return", BYTES("a\rb"), "\"key\":\"a\\rb\"" },
    { "escape sequence", BYTES("\x1B[31mred\x1B[0m"), "\"key\":\"\\u001b[31mred\\u001b[0m\"" },
    { "C1 escape",
      BYTES("\xC2\x9B"
            "31m"),
      "\"key\":\"\\u009b31m\"" },
    { "quotes", BYTES("\"\\\""), "\"key\":\"\\\"\\\\\\\"\"" },
    { "NUL", BYTES("a\0b"), "\"key\":\"a\\u0000b\"" },
    { "not UTF-8", BYTES("a\xFF"), "\"key\":\"a\xEF\xBF\xBD\"" },
    { "bidi", BYTES("\xE2\x80\xAE"), "\"key\":\"\\u202e\"" },
    { "line separator", BYTES("\xE2\x80\xA8"), "\"key\":\"\\u2028\"" },
    { "printf directives", BYTES("%s%n%d"), "\"key\":\"%s%n%d\"" },
};

static const struct {
    enum log_level level;
    const char *name;
} levels[] = { { LOG_INFO, "info" }, { LOG_WARN, "warn" }, { LOG_ERROR, "error" } };

/* --- catching --------------------------------------------------------------------------------- */

struct catcher {
    int saved, in;
    pthread_t reader;
    struct arena mem;
    struct text caught;
};

static void *catch_all(void *argument)
{
    struct catcher *catcher = argument;
    char buffer[4096];
    ssize_t got;
    while ((got = read(catcher->in, buffer, sizeof buffer)) > 0)
        text_add(&catcher->caught, (struct view){ buffer, (size_t)got });
    return NULL;
}

static void redirect(struct catcher *catcher, int out)
{
    fflush(stdout);
    catcher->saved = dup(STDOUT_FILENO);
    assert_true(catcher->saved >= 0);
    dup2(out, STDOUT_FILENO);
    close(out);
}

static void restore(struct catcher *catcher)
{
    dup2(catcher->saved, STDOUT_FILENO);
    close(catcher->saved);
}

/* From here on nobody may print or assert: it would land in the pipe. */
static void catch_begin(struct catcher *catcher)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    arena_init(&catcher->mem, PLENTY);
    catcher->caught = text_in(&catcher->mem, PLENTY);
    catcher->in = ends[0];
    redirect(catcher, ends[1]);
    pthread_create(&catcher->reader, NULL, catch_all, catcher);
}

static struct view catch_end(struct catcher *catcher)
{
    restore(catcher);
    pthread_join(catcher->reader, NULL);
    close(catcher->in);
    assert_true(text_ok(&catcher->caught));
    return text_view(&catcher->caught);
}

/* One whole line of JSON, without a byte that a terminal would obey. */
static struct json read_line(const char *name, struct view line, struct arena *mem)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    CHECK(name, line.len > 0 && line.at[line.len - 1] == '\n');
    CHECK(name, line.len <= 2048);
    for (size_t i = 0; i + 1 < line.len; i++)
        CHECK(name, (unsigned char)line.at[i] >= 0x20 && line.at[i] != 0x7F);
    CHECK(name, json_read(line, mem, &json, &why));
    CHECK(name, json_kind(json.root) == JSON_OBJECT);
    return json;
}

/* "2026-01-31T23:59:59.000Z" */
static bool is_time(struct view text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text.len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.at[i] >= '0' && text.at[i] <= '9';
        if (form[i] == 'd' ? !is_digit : text.at[i] != form[i])
            return false;
    }
    return true;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void a_line_says_time_level_event_and_who(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        struct catcher catcher;
        struct log_line line;
        catch_begin(&catcher);
        log_begin(&line, levels[i].level, "alert", VIEW("7a1f-0c3e"));
        log_text(&line, "status", VIEW("created"));
        log_text(&line, "nothing", (struct view){ 0 });
        log_number(&line, "tries", -3);
        log_number(&line, "ms", 0);
        log_end(&line);
        struct view caught = catch_end(&catcher);
        struct json json = read_line(levels[i].name, caught, &catcher.mem);
        assert_true(is_time(json_text(json_at(json.root, "time"))));
        CHECK_VIEW("level", json_text(json_at(json.root, "level")), view_of(levels[i].name));
        CHECK_VIEW("event", json_text(json_at(json.root, "event")), VIEW("alert"));
        CHECK_VIEW("who", json_text(json_at(json.root, "invocation")), VIEW("7a1f-0c3e"));
        CHECK_VIEW("text", json_text(json_at(json.root, "status")), VIEW("created"));
        CHECK("empty is left out", json_at(json.root, "nothing") == NULL);
        CHECK("not cut", json_at(json.root, "cut") == NULL);
        assert_int_equal((int)json_number(json_at(json.root, "tries")), -3);
        assert_int_equal(json_kind(json_at(json.root, "ms")), JSON_NUMBER);
        json_free(&json);
        arena_drop(&catcher.mem);
    }
}

static void without_invocation_there_is_none(void **state)
{
    (void)state;
    struct catcher catcher;
    struct log_line line;
    catch_begin(&catcher);
    log_begin(&line, LOG_INFO, "start", (struct view){ 0 });
    log_end(&line);
    struct json json = read_line("start", catch_end(&catcher), &catcher.mem);
    CHECK("left out", json_at(json.root, "invocation") == NULL);
    json_free(&json);
    arena_drop(&catcher.mem);
}

static void values_are_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct catcher catcher;
        struct log_line line;
        catch_begin(&catcher);
        log_begin(&line, LOG_INFO, "test", (struct view){ 0 });
        log_text(&line, "key", values[i].value);
        log_end(&line);
        struct view caught = catch_end(&catcher);
        struct json json = read_line(values[i].name, caught, &catcher.mem);
        CHECK(values[i].name, view_contains(caught, view_of(values[i].raw)));
        CHECK(values[i].name, json_at(json.root, "cut") == NULL);
        json_free(&json);
        arena_drop(&catcher.mem);
    }
}

/* Also where the cut falls into the secret, and where a label no longer fits. */
static void values_are_redacted(void **state)
{
    (void)state;
    static const struct view own = { "our own value", 13 };
    static const struct redact_settings on = { .secrets = &own, .secret_count = 1 };
    static const struct redact_settings off = { .is_off = true };
    for (size_t before = 0; before <= LONGEST_VALUE + 8; before += check_step()) {
        struct catcher catcher;
        struct log_line line;
        char buffer[1000];
        struct text value = text_over(buffer, sizeof buffer);
        text_add_repeated(&value, ' ', before);
        text_add_string(&value, "pwd=hunter2 our own value");
        catch_begin(&catcher);
        log_redact(before == 0 ? &off : &on);
        log_begin(&line, LOG_INFO, "test", (struct view){ 0 });
        log_text(&line, "key", text_view(&value));
        log_end(&line);
        struct json json = read_line("redacted", catch_end(&catcher), &catcher.mem);
        struct view got = json_text(json_at(json.root, "key"));
        bool is_all = view_contains(got, VIEW("pwd=[redacted:password] [redacted:own-secret]"));
        assert_int_equal(view_contains(got, VIEW("hunt")), before == 0);
        assert_int_equal(view_contains(got, VIEW("our")), before == 0);
        assert_int_equal(is_all, before > 0 && before + 45 <= LONGEST_VALUE);
        assert_int_equal(json_is_true(json_at(json.root, "cut")), before > 0 && !is_all);
        json_free(&json);
        arena_drop(&catcher.mem);
    }
    log_redact(NULL);
}

static void the_invocation_is_escaped_too(void **state)
{
    (void)state;
    struct catcher catcher;
    struct log_line line;
    catch_begin(&catcher);
    log_begin(&line, LOG_INFO, "test", VIEW("x\"}\n{"));
    log_end(&line);
    struct view caught = catch_end(&catcher);
    struct json json = read_line("invocation", caught, &catcher.mem);
    CHECK_VIEW("invocation", json_text(json_at(json.root, "invocation")), VIEW("x\"}\n{"));
    json_free(&json);
    arena_drop(&catcher.mem);
}

/* Two-byte characters behind one letter, so that the limit falls inside one. */
static void a_long_value_is_cut_and_marked(void **state)
{
    (void)state;
    for (size_t len = LONGEST_VALUE - 1; len <= LONGEST_VALUE + 601; len += 2 * check_step()) {
        struct catcher catcher;
        struct log_line line;
        char buffer[1000];
        struct text value = text_over(buffer, sizeof buffer);
        text_add_char(&value, 'a');
        while (value.len < len)
            text_add_string(&value, "\xC3\xA9");
        catch_begin(&catcher);
        log_begin(&line, LOG_INFO, "test", (struct view){ 0 });
        log_text(&line, "key", text_view(&value));
        log_end(&line);
        struct json json = read_line("long", catch_end(&catcher), &catcher.mem);
        struct view got = json_text(json_at(json.root, "key"));
        bool is_long = len > LONGEST_VALUE;
        assert_int_equal(got.len, is_long ? LONGEST_VALUE - 1 : len);
        assert_true(view_starts(text_view(&value), got));
        CHECK("marked as cut", json_is_true(json_at(json.root, "cut")) == is_long);
        json_free(&json);
        arena_drop(&catcher.mem);
    }
}

/* Values of all lengths, up to ones that are six times as long when escaped, until lines are full. */
static void a_full_line_stays_json_and_says_so(void **state)
{
    (void)state;
    char bytes[LONGEST_VALUE];
    memset(bytes, 0x1B, sizeof bytes);
    for (size_t len = 1; len <= sizeof bytes; len += check_step()) {
        struct catcher catcher;
        struct log_line line;
        catch_begin(&catcher);
        log_begin(&line, LOG_INFO, "test", (struct view){ 0 });
        for (int i = 0; i < 500; i++)
            log_text(&line, "key", (struct view){ bytes, len });
        log_number(&line, "n", 1);
        log_end(&line);
        struct view caught = catch_end(&catcher);
        struct json json = read_line("full", caught, &catcher.mem);
        CHECK("marked as cut", json_is_true(json_at(json.root, "cut")));
        /* The next pair would not have fitted, so not much is given away. */
        CHECK("well used", caught.len + 6 * len + sizeof ",\"key\":\"\"" + 20 > 2048);
        for (const struct cJSON *pair = json_first(json.root); pair != NULL; pair = json_next(pair))
            if (view_equal(json_key(pair), VIEW("key")))
                CHECK_VIEW("pairs are whole", json_text(pair), ((struct view){ bytes, len }));
        json_free(&json);
        arena_drop(&catcher.mem);
    }
}

/* A socket that keeps messages apart shows each write as one. */
static void a_line_is_one_write(void **state)
{
    (void)state;
    int ends[2];
    struct catcher catcher;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    redirect(&catcher, ends[1]);
    for (int i = 0; i < 3; i++) {
        struct log_line line;
        log_begin(&line, LOG_WARN, "test", VIEW("id"));
        for (int k = 0; k < 10 * i; k++)
            log_text(&line, "key", VIEW("some value of some length"));
        log_end(&line);
    }
    restore(&catcher);
    arena_init(&catcher.mem, PLENTY);
    for (int i = 0; i < 3; i++) {
        char buffer[8192];
        ssize_t got = recv(ends[0], buffer, sizeof buffer, 0);
        assert_true(got > 0);
        struct view line = { buffer, (size_t)got };
        struct json json = read_line("one write", line, &catcher.mem);
        json_free(&json);
    }
    char byte;
    assert_int_equal(recv(ends[0], &byte, 1, MSG_DONTWAIT), 0); /* the end, and no more writes */
    close(ends[0]);
    arena_drop(&catcher.mem);
}

static void *write_lines(void *argument)
{
    const int *id = argument;
    for (int i = 0; i < LINES; i++) {
        struct log_line line;
        log_begin(&line, LOG_INFO, "test", VIEW("7a1f0c3e-6f0e-4c0b-9d4e-2f6f1a0b7c11"));
        log_number(&line, "thread", *id);
        log_number(&line, "number", i);
        for (int k = 0; k < i % 7; k++)
            log_text(&line, "filler", VIEW("so that lines are of different length"));
        log_end(&line);
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    (void)state;
    struct catcher catcher;
    pthread_t threads[THREADS];
    int ids[THREADS];
    int next[THREADS] = { 0 };
    catch_begin(&catcher);
    for (int i = 0; i < THREADS; i++) {
        ids[i] = i;
        pthread_create(&threads[i], NULL, write_lines, &ids[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    struct view rest = catch_end(&catcher);
    while (rest.len > 0) {
        struct arena mem;
        struct view line, tail;
        arena_init(&mem, PLENTY);
        assert_true(view_cut(rest, '\n', &line, &tail));
        line.len++;
        struct json json = read_line("threads", line, &mem);
        int id = (int)json_number(json_at(json.root, "thread"));
        assert_in_range(id, 0, THREADS - 1);
        assert_int_equal((int)json_number(json_at(json.root, "number")), next[id]);
        next[id]++;
        json_free(&json);
        arena_drop(&mem);
        rest = tail;
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
    arena_drop(&catcher.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_time_level_event_and_who),
        cmocka_unit_test(without_invocation_there_is_none),
        cmocka_unit_test(values_are_escaped),
        cmocka_unit_test(values_are_redacted),
        cmocka_unit_test(the_invocation_is_escaped_too),
        cmocka_unit_test(a_long_value_is_cut_and_marked),
        cmocka_unit_test(a_full_line_stays_json_and_says_so),
        cmocka_unit_test(a_line_is_one_write),
        cmocka_unit_test(lines_of_many_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
