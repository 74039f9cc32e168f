/* One request and the steps around it: no sockets, no clock, every answer in a table. */
#include "session/devin.h"

#include "base/arena.h"
#include "unit/check.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

#define HEX   "0123456789abcdefABCDEF0123456789"
#define PAGE  "https://app.devin.ai/sessions/"
#define TEN   "aaaaaaaaaa"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG  FIFTY FIFTY FIFTY FIFTY FIFTY /* 250 bytes */

enum { PLENTY = 8 * 1024 * 1024 };

static const struct devin_settings usual = { .tries = 3, .retry_ms = 1000 };

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    struct devin_request request;
    const char *body;
} requests[] = {
    { { BYTES_OF("p"), BYTES_OF("t"), BYTES_OF("b") },
      "{\"prompt\":\"p\",\"idempotent\":true,\"title\":\"t\",\"playbook_id\":\"b\"}" },
    { { BYTES_OF("p"), BYTES_OF("t"), { 0 } },
      "{\"prompt\":\"p\",\"idempotent\":true,\"title\":\"t\"}" },
    { { BYTES_OF("say \"no\"\n\tto\\x"), BYTES_OF("\xC3\xA9"), BYTES_OF("") },
      "{\"prompt\":\"say \\\"no\\\"\\n\\tto\\\\x\",\"idempotent\":true,\"title\":\"\xC3\xA9\"}" },
    { { BYTES_OF("a\xE2\x80\xAE\xFF"), BYTES_OF("t"), BYTES_OF("playbook-1") },
      "{\"prompt\":\"a\\u202e\xEF\xBF\xBD\",\"idempotent\":true,\"title\":\"t\","
      "\"playbook_id\":\"playbook-1\"}" },
};

/* Sending: tries made so far and time left in, time-out out. */
static const struct {
    const char *name;
    long long tries, retry_ms;
    int made;
    long long left_ms, timeout_ms;
} sends[] = {
    { "first of three: half", 3, 1000, 0, 30000, 15000 },
    { "second of three: half", 3, 1000, 1, 14000, 7000 },
    { "last of three: all", 3, 1000, 2, 14000, 14000 },
    { "only one try: all", 1, 1000, 0, 30000, 30000 },
    { "Azure's deadline", 3, 1000, 0, 8000, 4000 },
    { "odd number", 3, 1000, 0, 8001, 4000 },
    { "room for wait and try, just", 3, 1000, 0, 4000, 2000 },
    { "no room for wait and try", 3, 1000, 0, 3999, 3999 },
    { "second wait is longer", 3, 1000, 1, 6000, 3000 },
    { "second wait is too long", 3, 1000, 1, 5999, 5999 },
    { "short waits", 3, 1, 0, 2002, 1001 },
    { "a very long wait", 3, 60000, 0, 30000, 30000 },
    { "hardly any time", 3, 1000, 0, 1, 1 },
    { "many tries", 10, 60000, 8, 110000, 110000 },
};

/* An answer: tries made (this one included), time left, and what comes of it. */
static const struct {
    const char *name;
    struct answer answer;
    long long tries;
    int made;
    long long left_ms;
    enum devin_move move;
    long long ms;           /* of a wait */
    enum failure_kind kind; /* of a failure */
} steps[] = {
    /* what passes is tried again, 1 s and 2 s later */
    { "429 first", { .status = 429 }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "429 second", { .status = 429 }, 3, 2, 29000, DEVIN_WAIT, 2000, 0 },
    { "429 third", { .status = 429 }, 3, 3, 27000, DEVIN_FAILED, 0, FAIL_DEVIN_BUSY },
    { "429 third of four", { .status = 429 }, 4, 3, 27000, DEVIN_WAIT, 4000, 0 },
    { "429 of one", { .status = 429 }, 1, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_BUSY },
    { "500", { .status = 500 }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "500 last", { .status = 500 }, 3, 3, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_OUTAGE },
    { "502", { .status = 502 }, 3, 2, 30000, DEVIN_WAIT, 2000, 0 },
    { "503", { .status = 503 }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "503 last", { .status = 503 }, 3, 3, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_OUTAGE },
    { "504", { .status = 504 }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "408", { .status = 408 }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "599", { .status = 599 }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "time-out", { .kind = ANSWER_TIMEOUT }, 3, 1, 15000, DEVIN_WAIT, 1000, 0 },
    { "time-out last",
      { .kind = ANSWER_TIMEOUT },
      3,
      3,
      9,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_UNREACHABLE },
    { "not connected", { .kind = ANSWER_NOT_CONNECTED }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "not connected last",
      { .kind = ANSWER_NOT_CONNECTED },
      3,
      3,
      30000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_UNREACHABLE },
    { "broken", { .kind = ANSWER_BROKEN }, 3, 1, 30000, DEVIN_WAIT, 1000, 0 },
    { "broken last",
      { .kind = ANSWER_BROKEN },
      3,
      3,
      30000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_UNREACHABLE },
    { "broken behind a good status",
      { .kind = ANSWER_BROKEN, .status = 200, .body = BYTES_OF("{\"session_id\":\"s\"}") },
      3,
      1,
      30000,
      DEVIN_WAIT,
      1000,
      0 },

    /* what does not pass is not */
    { "400", { .status = 400 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_REJECTED },
    { "401", { .status = 401 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_KEY },
    { "402", { .status = 402 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_REJECTED },
    { "403", { .status = 403 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_KEY },
    { "404", { .status = 404 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_WRONG_URL },
    { "409", { .status = 409 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_REJECTED },
    { "418", { .status = 418 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_REJECTED },
    { "422", { .status = 422 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_REJECTED },
    { "301", { .status = 301 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_WRONG_URL },
    { "302", { .status = 302 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_WRONG_URL },
    { "307", { .status = 307 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_WRONG_URL },
    { "308", { .status = 308 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_WRONG_URL },
    { "302 with a session",
      { .status = 302, .body = BYTES_OF("{\"session_id\":\"s\"}") },
      3,
      1,
      30000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_WRONG_URL },
    { "401 with Retry-After",
      { .status = 401, .retry_after_ms = 1000 },
      3,
      1,
      30000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_KEY },
    { "200 without a session",
      { .status = 200 },
      3,
      1,
      30000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_UNCLEAR },
    { "204", { .status = 204 }, 3, 1, 30000, DEVIN_FAILED, 0, FAIL_DEVIN_UNCLEAR },

    /* Retry-After */
    { "shorter than our wait",
      { .status = 429, .retry_after_ms = 400 },
      3,
      1,
      30000,
      DEVIN_WAIT,
      1000,
      0 },
    { "longer than our wait",
      { .status = 429, .retry_after_ms = 7000 },
      3,
      1,
      30000,
      DEVIN_WAIT,
      7000,
      0 },
    { "of a 503", { .status = 503, .retry_after_ms = 7000 }, 3, 1, 30000, DEVIN_WAIT, 7000, 0 },
    { "a try just fits",
      { .status = 429, .retry_after_ms = 29000 },
      3,
      1,
      30000,
      DEVIN_WAIT,
      29000,
      0 },
    { "a try does not fit",
      { .status = 429, .retry_after_ms = 29001 },
      3,
      1,
      30000,
      DEVIN_WAIT,
      29000,
      0 },
    { "far beyond", { .status = 429, .retry_after_ms = 3600000 }, 3, 1, 8000, DEVIN_WAIT, 7000, 0 },
    { "on the last try",
      { .status = 429, .retry_after_ms = 5000 },
      3,
      3,
      30000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_BUSY },
    { "without time",
      { .status = 429, .retry_after_ms = 5000 },
      3,
      1,
      1000,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_BUSY },

    /* the deadline */
    { "wait and try just fit", { .status = 429 }, 3, 1, 2000, DEVIN_WAIT, 1000, 0 },
    { "wait and try do not", { .status = 429 }, 3, 1, 1999, DEVIN_FAILED, 0, FAIL_DEVIN_BUSY },
    { "no time left",
      { .kind = ANSWER_TIMEOUT },
      3,
      1,
      0,
      DEVIN_FAILED,
      0,
      FAIL_DEVIN_UNREACHABLE },
    { "less than none", { .status = 503 }, 3, 1, -50, DEVIN_FAILED, 0, FAIL_DEVIN_OUTAGE },
};

/* Bodies of a 200: id and URL, or NULL where there is no usable session. */
static const struct {
    struct view body;
    const char *id, *url;
    bool is_new;
} sessions[] = {
    { BYTES_OF("{\"session_id\":\"devin-1\",\"url\":\"https://app.devin.ai/sessions/1\"}"),
      "devin-1", "https://app.devin.ai/sessions/1", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":true}"), "a",
      "https://x/y", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":false}"), "a",
      "https://x/y", false },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":null}"), "a",
      "https://x/y", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":\"false\"}"), "a",
      "https://x/y", true },
    { BYTES_OF("{\"session_id\":\"session_1707228000000\",\"status\":\"running\"}"),
      "session_1707228000000", PAGE "session_1707228000000", true },
    /* built URLs */
    { BYTES_OF("{\"session_id\":\"" HEX "\"}"), HEX, PAGE HEX, true },
    { BYTES_OF("{\"session_id\":\"devin-" HEX "\"}"), "devin-" HEX, PAGE HEX, true },
    { BYTES_OF("{\"session_id\":\"session_123\"}"), "session_123", PAGE "session_123", true },
    { BYTES_OF("{\"session_id\":\"devin-123\"}"), "devin-123", PAGE "devin-123", true },
    { BYTES_OF("{\"session_id\":\"devin-" HEX "0\"}"), "devin-" HEX "0", PAGE "devin-" HEX "0",
      true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":null}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":7}"), "a", PAGE "a", true },
    /* URLs that nobody should click on */
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"javascript:alert(1)\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/a b\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/\\n\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"//x/y\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\" https://x/y\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"ftp://x/y\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/\xE2\x80\xAE\"}"), "a", PAGE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/" LONG LONG LONG LONG LONG "\"}"), "a",
      PAGE "a", true },
    /* the longest id, and one that is longer */
    { BYTES_OF("{\"session_id\":\"" LONG "123456\"}"), LONG "123456", PAGE LONG "123456", true },
    { BYTES_OF("{\"session_id\":\"" LONG "1234567\"}"), NULL, NULL, false },
    /* no session at all */
    { BYTES_OF(""), NULL, NULL, false },
    { BYTES_OF("<html>gateway</html>"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\""), NULL, NULL, false },
    { BYTES_OF("{}"), NULL, NULL, false },
    { BYTES_OF("[]"), NULL, NULL, false },
    { BYTES_OF("null"), NULL, NULL, false },
    { BYTES_OF("\"a\""), NULL, NULL, false },
    { BYTES_OF("[{\"session_id\":\"a\"}]"), NULL, NULL, false },
    { BYTES_OF("{\"session\":{\"session_id\":\"a\"}}"), NULL, NULL, false },
    { BYTES_OF("{\"Session_Id\":\"a\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":null}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":7}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":[\"a\"]}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a b\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\" a\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\n\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\u0000b\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\u007f\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"\xC3\xA9\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\u202e\"}"), NULL, NULL, false },
    { BYTES_OF("\xFF\xFE\x00"), NULL, NULL, false },
};

/* A refusal's body and the field names that may be quoted of it: our own, in our order. */
static const struct {
    struct view body;
    const char *reason;
} refusals[] = {
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"too long\"}]}"), ": prompt" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"title\"]},{\"loc\":[\"body\",\"prompt\"]}]}"),
      ": prompt, title" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"playbook_id\"]},{\"loc\":[\"body\","
               "\"idempotent\"]},{\"loc\":[\"title\"]},{\"loc\":[\"prompt\",0]}]}"),
      ": prompt, idempotent, title, playbook_id" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"prompt\"]},{\"loc\":[\"prompt\"]}]}"), ": prompt" },
    { BYTES_OF("{\"errors\":[{\"loc\":[\"body\",\"title\"]}]}"), ": title" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"apk_user_secret\"],\"msg\":\"apk_user_secret "
               "is not prompt\",\"input\":\"apk_user_secret\"}]}"),
      "" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"prompt apk_user_secret\"]}]}"), "" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"Prompt\"]}]}"), "" },
    { BYTES_OF("{\"detail\":[{\"msg\":\"prompt\"}]}"), "" },
    { BYTES_OF("{\"detail\":\"apk_user_secret is no good prompt\"}"), "" },
    { BYTES_OF("{\"detail\":{\"loc\":[\"prompt\"]}}"), "" },
    { BYTES_OF("{\"error\":\"apk_user_secret\"}"), "" },
    { BYTES_OF("{\"detail\":[{\"loc\":\"prompt\"}]}"), "" },
    { BYTES_OF("{\"detail\":[null,7,[],{\"loc\":[null,7,[\"title\"],\"title\"]}]}"), ": title" },
    { BYTES_OF("apk_user_secret"), "" },
    { BYTES_OF(""), "" },
};

/* Whole conversations: the statuses in order (0: time-out), and every move with its time. */
static const struct {
    const char *name;
    int statuses[6];
    long long elapsed_ms; /* of each send; a time-out takes all it was given */
    long long left_ms;
    const char *moves;
    enum failure_kind kind;
} stories[] = {
    { "at once", { 200 }, 100, 30000, "send 15000 done", 0 },
    { "twice busy",
      { 429, 429, 200 },
      0,
      30000,
      "send 15000 wait 1000 send 14500 wait 2000 send 27000 done",
      0 },
    { "always busy",
      { 429, 429, 429, 200 },
      0,
      30000,
      "send 15000 wait 1000 send 14500 wait 2000 send 27000 failed",
      FAIL_DEVIN_BUSY },
    { "mixed, the last counts",
      { 429, 503, 500 },
      0,
      30000,
      "send 15000 wait 1000 send 14500 wait 2000 send 27000 failed",
      FAIL_DEVIN_OUTAGE },
    { "busy, then refused",
      { 429, 401, 200 },
      0,
      30000,
      "send 15000 wait 1000 send 14500 failed",
      FAIL_DEVIN_KEY },
    { "refused at once", { 403, 200 }, 0, 30000, "send 15000 failed", FAIL_DEVIN_KEY },
    { "silent once", { 0, 200 }, 0, 30000, "send 15000 wait 1000 send 7000 done", 0 },
    { "always silent",
      { 0, 0, 0 },
      0,
      30000,
      "send 15000 wait 1000 send 7000 wait 2000 send 5000 failed",
      FAIL_DEVIN_UNREACHABLE },
    { "silent, Azure's deadline",
      { 0, 0, 0 },
      0,
      8000,
      "send 4000 wait 1000 send 3000 failed",
      FAIL_DEVIN_UNREACHABLE },
    { "slow and busy, Azure's deadline",
      { 429, 429, 200 },
      2500,
      8000,
      "send 4000 wait 1000 send 4500 failed",
      FAIL_DEVIN_BUSY },
    { "no time at all", { 200 }, 0, 0, "failed", FAIL_DEVIN_UNREACHABLE },
    { "late already", { 200 }, 0, -1, "failed", FAIL_DEVIN_UNREACHABLE },
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

static struct devin begin(const struct devin_settings *settings)
{
    struct devin_request request = { VIEW("p"), VIEW("t"), VIEW("b") };
    struct failure why = { 0 };
    struct devin devin;
    assert_true(devin_begin(&devin, settings, &request, &mem, &why));
    return devin;
}

/* Plays a story: gives the moves as text, checks that each try has the same bytes. */
static struct view play(const int *statuses, long long elapsed_ms, long long left_ms,
                        struct failure *why)
{
    static const char *const words[] = { "send ", "wait ", "done", "failed" };
    struct text moves = text_in(&mem, 1024);
    struct devin devin = begin(&usual);
    struct view bytes = view_keep(devin.call.body, &mem);
    struct answer answer;
    const struct answer *last = NULL;
    for (int steps_made = 0; steps_made < 20; steps_made++) {
        struct devin_next next = devin_step(&devin, last, left_ms, &mem, why);
        text_add_string(&moves, moves.len == 0 ? "" : " ");
        text_add_string(&moves, words[next.move]);
        if (next.move == DEVIN_DONE || next.move == DEVIN_FAILED)
            return text_view(&moves);
        text_add_number(&moves, next.ms);
        assert_true(next.ms > 0 && next.ms <= left_ms);
        CHECK_VIEW("same bytes", devin.call.body, bytes);
        last = NULL;
        if (next.move == DEVIN_SEND) {
            answer = (struct answer){ .kind = *statuses == 0 ? ANSWER_TIMEOUT : ANSWER_HTTP,
                                      .status = *statuses,
                                      .body = VIEW("{\"session_id\":\"s\"}") };
            statuses++;
            last = &answer;
            left_ms -= answer.kind == ANSWER_TIMEOUT ? next.ms : elapsed_ms;
        } else {
            left_ms -= next.ms;
        }
    }
    return VIEW("endless");
}

/* --- tests ------------------------------------------------------------------------------------ */

static void requests_are_these_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct failure why = { 0 };
        struct devin devin;
        memset(&devin, 'x', sizeof devin);
        CHECK(requests[i].body, devin_begin(&devin, &usual, &requests[i].request, &mem, &why));
        CHECK_VIEW(requests[i].body, devin.call.body, view_of(requests[i].body));
        assert_string_equal(devin.call.method, "POST");
        assert_string_equal(devin.call.path, "/v1/sessions");
        assert_int_equal(devin.tries, 0);
    }
}

static void time_is_shared_among_tries(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sends); i++) {
        struct devin_settings settings = { sends[i].tries, sends[i].retry_ms };
        struct devin devin = begin(&settings);
        struct failure why = { 0 };
        devin.tries = sends[i].made;
        struct devin_next next = devin_step(&devin, NULL, sends[i].left_ms, &mem, &why);
        CHECK(sends[i].name, next.move == DEVIN_SEND);
        CHECK(sends[i].name, next.ms == sends[i].timeout_ms);
        CHECK(sends[i].name, devin.tries == sends[i].made + 1);
    }
}

static void each_answer_has_its_consequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct devin_settings settings = { steps[i].tries, 1000 };
        struct devin devin = begin(&settings);
        struct failure why = { .kind = FAIL_TOO_SLOW };
        devin.tries = steps[i].made;
        struct devin_next next = devin_step(&devin, &steps[i].answer, steps[i].left_ms, &mem, &why);
        CHECK(steps[i].name, next.move == steps[i].move);
        CHECK(steps[i].name, next.move != DEVIN_WAIT || next.ms == steps[i].ms);
        CHECK(steps[i].name,
              why.kind == (next.move == DEVIN_FAILED ? steps[i].kind : FAIL_TOO_SLOW));
        CHECK(steps[i].name, devin.tries == steps[i].made);
    }
}

/* 1 ms doubled ten thousand times must not overflow; no wait is longer than the time left. */
static void waits_double_without_end(void **state)
{
    (void)state;
    struct devin_settings settings = { 100000, 1 };
    struct devin devin = begin(&settings);
    struct answer answer = { .status = 429 };
    long long wanted = 1;
    for (int made = 1; made <= 10000; made++, wanted = wanted < 100000 ? wanted * 2 : wanted) {
        struct failure why = { 0 };
        devin.tries = made;
        struct devin_next next = devin_step(&devin, &answer, 110000, &mem, &why);
        if (wanted <= 109000)
            assert_true(next.move == DEVIN_WAIT && next.ms == wanted);
        else
            assert_int_equal(next.move, DEVIN_FAILED);
    }
}

static void sessions_are_read_and_never_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        const char *row = sessions[i].body.at;
        struct devin devin = begin(&usual);
        struct failure why = { 0 };
        struct answer answer = { .status = i % 2 == 0 ? 200 : 201, .body = sessions[i].body };
        devin.tries = 1;
        struct devin_next next = devin_step(&devin, &answer, 30000, &mem, &why);
        CHECK(row, next.move == (sessions[i].id == NULL ? DEVIN_FAILED : DEVIN_DONE));
        if (sessions[i].id == NULL) {
            CHECK(row, why.kind == FAIL_DEVIN_UNCLEAR);
            continue;
        }
        CHECK_VIEW(row, devin.session.id, view_of(sessions[i].id));
        CHECK_VIEW(row, devin.session.url, view_of(sessions[i].url));
        CHECK(row, devin.session.is_new == sessions[i].is_new);
    }
}

static void a_session_outlives_its_answer(void **state)
{
    (void)state;
    char body[] = "{\"session_id\":\"s-1\",\"url\":\"https://x/y\"}";
    struct devin devin = begin(&usual);
    struct failure why = { 0 };
    struct answer answer = { .status = 200, .body = { body, sizeof body - 1 } };
    assert_int_equal(devin_step(&devin, &answer, 9, &mem, &why).move, DEVIN_DONE);
    memset(body, 'x', sizeof body);
    CHECK_VIEW("id", devin.session.id, VIEW("s-1"));
    CHECK_VIEW("url", devin.session.url, VIEW("https://x/y"));
}

static void refusals_quote_our_own_fields_only(void **state)
{
    (void)state;
    static const int statuses[] = { 400, 422 };
    for (size_t i = 0; i < COUNT_OF(refusals) * 2; i++) {
        const char *row = refusals[i / 2].body.at;
        struct devin devin = begin(&usual);
        struct failure why = { 0 };
        struct text wanted = text_in(&mem, 1024);
        struct answer answer = { .status = statuses[i % 2], .body = refusals[i / 2].body };
        text_add_string(&wanted, "Devin API rejected the request");
        text_add_string(&wanted, refusals[i / 2].reason);
        CHECK(row, devin_step(&devin, &answer, 30000, &mem, &why).move == DEVIN_FAILED);
        CHECK(row, why.kind == FAIL_DEVIN_REJECTED);
        struct view details =
            view_of(why.reason[0] != '\0' ? why.reason : failure_row(why.kind)->details);
        CHECK_VIEW(row, details, text_view(&wanted));
        CHECK(row, !view_contains(view_of(why.detail), VIEW("secret")));
    }
}

/* A peer that reflects the key back must not find it in our answer, whatever the status. */
static void no_failure_quotes_the_peer(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        struct devin devin = begin(&usual);
        struct failure why = { 0 };
        struct answer answer = { .status = status,
                                 .body = VIEW("{\"detail\":\"apk_user_secret\"}") };
        devin.tries = 3;
        assert_int_equal(devin_step(&devin, &answer, 30000, &mem, &why).move, DEVIN_FAILED);
        assert_false(view_contains(view_of(why.reason), VIEW("secret")));
        assert_false(view_contains(view_of(why.detail), VIEW("secret")));
        assert_null(why.field);
    }
}

static void stories_take_their_course(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        struct failure why = { 0 };
        struct view moves =
            play(stories[i].statuses, stories[i].elapsed_ms, stories[i].left_ms, &why);
        CHECK_VIEW(stories[i].name, moves, view_of(stories[i].moves));
        CHECK(stories[i].name, why.kind == stories[i].kind);
    }
}

static void beginning_with_little_memory_fails_cleanly(void **state)
{
    (void)state;
    struct devin_request request = { VIEW("line\nline\nline"), VIEW("t"), VIEW("b") };
    struct failure why = { 0 };
    struct devin whole;
    assert_true(devin_begin(&whole, &usual, &request, &mem, &why));
    bool has_begun = false;
    for (size_t ceiling = 0; !has_begun && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
        struct devin devin;
        why = (struct failure){ 0 };
        arena_init(&scarce, ceiling);
        has_begun = devin_begin(&devin, &usual, &request, &scarce, &why);
        assert_true(has_begun || why.kind == FAIL_INTERNAL);
        if (has_begun)
            CHECK_VIEW("request", devin.call.body, whole.call.body);
        arena_drop(&scarce);
    }
    assert_true(has_begun);
}

/* A session that is told is told whole; what cannot be read without memory is no second session. */
static void answers_with_little_memory_are_whole_or_failed(void **state)
{
    (void)state;
    static const struct view bodies[] = {
        BYTES_OF("{\"session_id\":\"s-1\",\"url\":\"https://x/y\"}"),
        BYTES_OF("{\"session_id\":\"devin-" HEX "\"}"),
        BYTES_OF("{\"session_id\":\"" LONG "\"}"),
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct devin whole = begin(&usual);
        struct failure why = { 0 };
        struct answer answer = { .status = 200, .body = bodies[i] };
        assert_int_equal(devin_step(&whole, &answer, 9, &mem, &why).move, DEVIN_DONE);
        bool is_done = false;
        for (size_t ceiling = 0; !is_done && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
            struct devin devin = begin(&usual);
            arena_init(&scarce, ceiling);
            devin.tries = 1;
            struct devin_next next = devin_step(&devin, &answer, 30000, &scarce, &why);
            is_done = next.move == DEVIN_DONE;
            CHECK(bodies[i].at, is_done || next.move == DEVIN_FAILED);
            if (is_done) {
                CHECK_VIEW(bodies[i].at, devin.session.id, whole.session.id);
                CHECK_VIEW(bodies[i].at, devin.session.url, whole.session.url);
            }
            arena_drop(&scarce);
        }
        CHECK(bodies[i].at, is_done);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_these_bytes),
        TEST(time_is_shared_among_tries),
        TEST(each_answer_has_its_consequence),
        TEST(waits_double_without_end),
        TEST(sessions_are_read_and_never_trusted),
        TEST(a_session_outlives_its_answer),
        TEST(refusals_quote_our_own_fields_only),
        TEST(no_failure_quotes_the_peer),
        TEST(stories_take_their_course),
        TEST(beginning_with_little_memory_fails_cleanly),
        TEST(answers_with_little_memory_are_whole_or_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
