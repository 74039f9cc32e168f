/* The policy of tries, waits and time-outs, as one table each. */
#include "session/retry.h"

#include "base/failure.h"
#include "unit/check.h"

enum { EVEN = 200, LONGEST = 400, TRIES = 3, FIRST_MS = 1000, LOTS = 60000 };

static const struct retry_settings usual = { .tries = TRIES, .first_ms = FIRST_MS };

/* --- tables ----------------------------------------------------------------------------------- */

/* What may be repeated at all: each trouble and each kind of call. */
static const struct {
    const char *name;
    enum repeat repeat;
    enum trouble trouble;
    bool is_repeated;
} kinds[] = {
    { "lasting, freely", REPEAT_FREELY, TROUBLE_LASTING, false },
    { "lasting, if not done", REPEAT_IF_NOT_DONE, TROUBLE_LASTING, false },
    { "lasting, never", REPEAT_NEVER, TROUBLE_LASTING, false },
    { "busy, freely", REPEAT_FREELY, TROUBLE_BUSY, true },
    { "busy, if not done", REPEAT_IF_NOT_DONE, TROUBLE_BUSY, true },
    { "busy, never", REPEAT_NEVER, TROUBLE_BUSY, false },
    { "unsent, freely", REPEAT_FREELY, TROUBLE_UNSENT, true },
    { "unsent, if not done", REPEAT_IF_NOT_DONE, TROUBLE_UNSENT, true },
    { "unsent, never", REPEAT_NEVER, TROUBLE_UNSENT, false },
    { "unclear, freely", REPEAT_FREELY, TROUBLE_UNCLEAR, true },
    { "unclear, if not done", REPEAT_IF_NOT_DONE, TROUBLE_UNCLEAR, false },
    { "unclear, never", REPEAT_NEVER, TROUBLE_UNCLEAR, false },
};

/* What a repeated call waits, without jitter: how often, asked to wait how long, with how much left. */
static const struct {
    const char *name;
    long long tries, first_ms;
    int made;
    long long retry_after_ms, left_ms;
    long long wait_ms;
} waits[] = {
    /* 1, 2, 4 s; the last try is the last */
    { "first of three", 3, 1000, 1, 0, 30000, 1000 },
    { "second of three", 3, 1000, 2, 0, 30000, 2000 },
    { "third of three", 3, 1000, 3, 0, 30000, NO_RETRY },
    { "more than three", 3, 1000, 4, 0, 30000, NO_RETRY },
    { "third of four", 4, 1000, 3, 0, 30000, 4000 },
    { "first of one", 1, 1000, 1, 0, 30000, NO_RETRY },
    { "ninth of ten", 10, 10, 9, 0, 30000, 2560 },
    { "a long first wait", 3, 60000, 1, 0, 110000, 60000 },

    /* Retry-After wins over a shorter wait of ours, and leaves room for a try */
    { "shorter than ours", 3, 1000, 1, 400, 30000, 1000 },
    { "as long as ours", 3, 1000, 1, 1000, 30000, 1000 },
    { "longer than ours", 3, 1000, 1, 7000, 30000, 7000 },
    { "longer than our second", 3, 1000, 2, 2001, 30000, 2001 },
    { "a try just fits", 3, 1000, 1, 29000, 30000, 29000 },
    { "a try does not fit", 3, 1000, 1, 29001, 30000, 29000 },
    { "an hour of eight seconds", 3, 1000, 1, 3600000, 8000, 7000 },
    { "an hour, but no more tries", 3, 1000, 3, 3600000, 30000, NO_RETRY },
    { "an hour of no time", 3, 1000, 1, 3600000, 1000, NO_RETRY },
    { "an hour of less than none", 3, 1000, 1, 3600000, -1, NO_RETRY },

    /* the deadline */
    { "wait and try just fit", 3, 1000, 1, 0, 2000, 1000 },
    { "wait and try do not", 3, 1000, 1, 0, 1999, NO_RETRY },
    { "no time left", 3, 1000, 1, 0, 0, NO_RETRY },
    { "less than none", 3, 1000, 1, 0, -50, NO_RETRY },
    { "a wait of nothing needs a try's time", 3, 0, 1, 0, 1000, NO_RETRY },
};

static const struct {
    const char *name;
    enum repeat repeat;
    long long tries, first_ms;
    int made; /* the one that is about to be sent is counted */
    long long left_ms, timeout_ms;
} timeouts[] = {
    { "first of three: half", REPEAT_FREELY, 3, 1000, 1, 30000, 15000 },
    { "second of three: half", REPEAT_FREELY, 3, 1000, 2, 14000, 7000 },
    { "last of three: all", REPEAT_FREELY, 3, 1000, 3, 14000, 14000 },
    { "only one try: all", REPEAT_FREELY, 1, 1000, 1, 30000, 30000 },
    { "perhaps once more: half", REPEAT_IF_NOT_DONE, 3, 1000, 1, 30000, 15000 },
    { "never again: all", REPEAT_NEVER, 3, 1000, 1, 30000, 30000 },
    { "Azure's deadline", REPEAT_FREELY, 3, 1000, 1, 8000, 4000 },
    { "odd number", REPEAT_FREELY, 3, 1000, 1, 8001, 4000 },
    /* half is worth it only where the longest wait and a try fit behind it */
    { "room for wait and try, just", REPEAT_FREELY, 3, 1000, 1, 4400, 2200 },
    { "no room for wait and try", REPEAT_FREELY, 3, 1000, 1, 4399, 4399 },
    { "second wait is longer", REPEAT_FREELY, 3, 1000, 2, 6800, 3400 },
    { "second wait is too long", REPEAT_FREELY, 3, 1000, 2, 6799, 6799 },
    { "short waits", REPEAT_FREELY, 3, 1, 1, 2002, 1001 },
    { "a very long wait", REPEAT_FREELY, 3, 60000, 1, 30000, 30000 },
    { "hardly any time", REPEAT_FREELY, 3, 1000, 1, 1, 1 },
    { "many tries", REPEAT_FREELY, 10, 60000, 9, 110000, 110000 },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void only_what_may_be_repeated_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        for (long long asked_ms = 0; asked_ms <= 5000; asked_ms += 5000) {
            long long wait_ms =
                retry_wait_ms(&usual, kinds[i].repeat, 1, kinds[i].trouble, asked_ms, LOTS, EVEN);
            CHECK(kinds[i].name, (wait_ms != NO_RETRY) == kinds[i].is_repeated);
            CHECK(kinds[i].name,
                  !kinds[i].is_repeated || wait_ms == (asked_ms > FIRST_MS ? asked_ms : FIRST_MS));
        }
}

/* Of what may be repeated, neither kind changes the wait. */
static void waits_are_these(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(waits); i++)
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            struct retry_settings settings = { waits[i].tries, waits[i].first_ms };
            long long wait_ms =
                retry_wait_ms(&settings, kinds[k].repeat, waits[i].made, kinds[k].trouble,
                              waits[i].retry_after_ms, waits[i].left_ms, EVEN);
            CHECK(waits[i].name, wait_ms == (kinds[k].is_repeated ? waits[i].wait_ms : NO_RETRY));
        }
}

static void waits_vary_by_a_fifth(void **state)
{
    (void)state;
    static const int nominal_ms[] = { 1000, 2000, 4000 };
    const struct retry_settings many = { .tries = 4, .first_ms = FIRST_MS };
    bool is_seen[2000] = { false };
    for (unsigned spread = 0; spread < 10000; spread++)
        for (int made = 1; made <= 3; made++) {
            long long usual_ms = nominal_ms[made - 1];
            long long wait_ms =
                retry_wait_ms(&many, REPEAT_FREELY, made, TROUBLE_BUSY, 0, LOTS, spread);
            assert_true(wait_ms >= usual_ms - usual_ms / 5 && wait_ms <= usual_ms + usual_ms / 5);
            if (made == 1)
                is_seen[wait_ms] = true;
        }
    for (int ms = 800; ms <= 1200; ms++)
        assert_true(is_seen[ms]);
}

/* The same spread gives the same wait, its neighbour another. */
static void spreads_decide(void **state)
{
    (void)state;
    static const unsigned spreads[] = { 0, 1, 399, 400, 401, 4000000000U };
    for (size_t i = 0; i < COUNT_OF(spreads); i++) {
        long long one = retry_wait_ms(&usual, REPEAT_FREELY, 1, TROUBLE_BUSY, 0, LOTS, spreads[i]);
        long long same = retry_wait_ms(&usual, REPEAT_FREELY, 1, TROUBLE_BUSY, 0, LOTS, spreads[i]);
        long long other =
            retry_wait_ms(&usual, REPEAT_FREELY, 1, TROUBLE_BUSY, 0, LOTS, spreads[i] + 1);
        assert_int_equal(one, same);
        assert_int_not_equal(one, other);
    }
}

/* What the server asks for is not varied: it knows what it says. */
static void what_the_server_asks_for_is_kept_to(void **state)
{
    (void)state;
    for (unsigned spread = 0; spread < 1000; spread++)
        assert_int_equal(retry_wait_ms(&usual, REPEAT_FREELY, 1, TROUBLE_BUSY, 5000, LOTS, spread),
                         5000);
}

/* 1 ms doubled ten thousand times must not overflow; no wait is longer than what is left. */
static void waits_double_without_end(void **state)
{
    (void)state;
    struct retry_settings settings = { .tries = 100000, .first_ms = 1 };
    long long wanted = 1;
    for (int made = 1; made <= 10000; made++, wanted = wanted < 100000 ? wanted * 2 : wanted) {
        long long wait_ms =
            retry_wait_ms(&settings, REPEAT_FREELY, made, TROUBLE_BUSY, 0, 110000, EVEN);
        assert_int_equal(wait_ms, wanted <= 109000 ? wanted : NO_RETRY);
    }
}

static void timeouts_are_these(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        struct retry_settings settings = { timeouts[i].tries, timeouts[i].first_ms };
        long long timeout_ms =
            retry_timeout_ms(&settings, timeouts[i].repeat, timeouts[i].made, timeouts[i].left_ms);
        CHECK(timeouts[i].name, timeout_ms == timeouts[i].timeout_ms);
    }
}

/* A server that stays silent for half of the time is always tried again in the other half. */
static void half_the_time_leaves_room_for_another_try(void **state)
{
    (void)state;
    for (long long left_ms = 1; left_ms < 40000; left_ms += 7)
        for (int made = 1; made <= TRIES; made++) {
            long long timeout_ms = retry_timeout_ms(&usual, REPEAT_FREELY, made, left_ms);
            long long wait_ms = retry_wait_ms(&usual, REPEAT_FREELY, made, TROUBLE_UNCLEAR, 0,
                                              left_ms - timeout_ms, LONGEST);
            assert_true(timeout_ms > 0 && timeout_ms <= left_ms);
            assert_true((timeout_ms == left_ms) == (wait_ms == NO_RETRY));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_may_be_repeated_is),
        cmocka_unit_test(waits_are_these),
        cmocka_unit_test(waits_vary_by_a_fifth),
        cmocka_unit_test(spreads_decide),
        cmocka_unit_test(what_the_server_asks_for_is_kept_to),
        cmocka_unit_test(waits_double_without_end),
        cmocka_unit_test(timeouts_are_these),
        cmocka_unit_test(half_the_time_leaves_room_for_another_try),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
