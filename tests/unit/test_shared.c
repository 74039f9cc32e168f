/* What requests share: values, turns and the pace.  Threads meet by order and count, not by the clock. */
#include "edge/shared.h"

#include "base/arena.h"
#include "unit/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { PLENTY = 1024 * 1024, LONG_MS = 60000, MANY = 16, ROUNDS = 20 };

static struct arena mem;
static struct shared *shared;

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    shared = shared_start(0);
    return shared == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    shared_stop(shared);
    arena_drop(&mem);
    return 0;
}

static void nap(void)
{
    const struct timespec ms = { 0, 1000000 };
    nanosleep(&ms, NULL);
}

/* --- values ----------------------------------------------------------------------------------- */

static struct view recalled(const char *key)
{
    struct view value = { 0 };
    return shared_recall(shared, view_of(key), &mem, &value) ? value : (struct view){ 0 };
}

static void values_are_kept_by_their_key(void **state)
{
    (void)state;
    struct view value = VIEW("untouched");
    assert_false(shared_recall(shared, VIEW("a"), &mem, &value));
    CHECK_VIEW("nothing", value, VIEW("untouched"));
    shared_remember(shared, VIEW("a"), VIEW("1"), LONG_MS);
    shared_remember(shared, VIEW("ab"), VIEW("2"), LONG_MS);
    CHECK_VIEW("a", recalled("a"), VIEW("1"));
    CHECK_VIEW("ab", recalled("ab"), VIEW("2"));
    assert_null(recalled("A").at);
    assert_null(recalled("").at);
}

static void a_value_is_replaced(void **state)
{
    (void)state;
    shared_remember(shared, VIEW("a"), VIEW("1"), LONG_MS);
    shared_remember(shared, VIEW("a"), VIEW("a longer one"), LONG_MS);
    CHECK_VIEW("replaced", recalled("a"), VIEW("a longer one"));
    shared_remember(shared, VIEW("a"), VIEW(""), LONG_MS);
    struct view value = recalled("a");
    assert_non_null(value.at); /* empty is a value */
    assert_int_equal(value.len, 0);
}

static void what_is_told_is_the_callers_own(void **state)
{
    (void)state;
    char key[] = "key";
    char text[] = "text";
    shared_remember(shared, view_of(key), view_of(text), LONG_MS);
    memset(key, 'x', sizeof key - 1);
    memset(text, 'x', sizeof text - 1);
    struct view value = recalled("key");
    shared_remember(shared, VIEW("key"), VIEW("other"), LONG_MS);
    CHECK_VIEW("kept", value, VIEW("text"));
}

static void values_go_stale(void **state)
{
    (void)state;
    shared_remember(shared, VIEW("gone"), VIEW("1"), 0);
    shared_remember(shared, VIEW("brief"), VIEW("1"), 1);
    shared_remember(shared, VIEW("kept"), VIEW("1"), LONG_MS);
    assert_null(recalled("gone").at);
    for (int i = 0; i < LONG_MS && recalled("brief").at != NULL; i++)
        nap();
    assert_null(recalled("brief").at);
    CHECK_VIEW("kept", recalled("kept"), VIEW("1"));
    shared_remember(shared, VIEW("brief"), VIEW("2"), LONG_MS);
    CHECK_VIEW("again", recalled("brief"), VIEW("2"));
}

/* There is a limit, and the last one always finds a place: that of what would go first. */
static void the_first_to_go_makes_room(void **state)
{
    (void)state;
    char key[32];
    size_t known = 0;
    shared_remember(shared, VIEW("first to go"), VIEW("1"), LONG_MS / 2);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %d", i);
        shared_remember(shared, view_of(key), view_of(key), LONG_MS + i * 1000L);
        CHECK_VIEW(key, recalled(key), view_of(key));
    }
    assert_null(recalled("first to go").at);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %d", i);
        bool is_known = recalled(key).at != NULL;
        assert_true(is_known || known == 0); /* the young ones */
        known += is_known;
    }
    assert_int_equal(known, 64);
}

static void a_value_needs_memory_of_the_caller(void **state)
{
    (void)state;
    struct arena nothing = { 0 };
    struct view value = { 0 };
    shared_remember(shared, VIEW("a"), VIEW("1"), LONG_MS);
    assert_false(shared_recall(shared, VIEW("a"), &nothing, &value));
    CHECK_VIEW("still there", recalled("a"), VIEW("1"));
}

/* --- turns ------------------------------------------------------------------------------------ */

/* One who enters, from a thread of its own. */
struct visitor {
    pthread_t thread;
    struct arena mem;
    const char *key;
    long long patience_ms;
    enum turn turn;
    struct view result;
    long long waited_ms;
    struct crowd *crowd;
};

/* The visitors of one key, and what their leaders do. */
struct crowd {
    struct visitor visitors[MANY];
    atomic_int leading; /* at this moment */
    atomic_int led;
    atomic_int inside;
    int failing; /* so many leaders fail */
    atomic_bool has_overlapped;
};

static void *visit(void *user)
{
    struct visitor *self = user;
    struct crowd *crowd = self->crowd;
    atomic_fetch_add(&crowd->inside, 1);
    struct arrival arrival = { .key = view_of(self->key),
                               .word = VIEW("done"),
                               .patience_ms = self->patience_ms };
    self->turn = shared_enter(shared, &arrival, &self->mem);
    self->result = arrival.result;
    self->waited_ms = arrival.waited_ms;
    if (self->turn != TURN_LEAD)
        return NULL;
    if (atomic_fetch_add(&crowd->leading, 1) != 0)
        atomic_store(&crowd->has_overlapped, true);
    int number = atomic_fetch_add(&crowd->led, 1);
    nap();
    atomic_fetch_sub(&crowd->leading, 1);
    shared_leave(shared, view_of(self->key), number < crowd->failing ? VIEW("") : VIEW("done"));
    return NULL;
}

static void let_in(struct crowd *crowd, const char *key)
{
    for (size_t i = 0; i < MANY; i++) {
        struct visitor *visitor = &crowd->visitors[i];
        visitor->key = key;
        visitor->patience_ms = LONG_MS;
        visitor->crowd = crowd;
        arena_init(&visitor->mem, PLENTY);
        assert_int_equal(pthread_create(&visitor->thread, NULL, visit, visitor), 0);
    }
}

static void see_off(struct crowd *crowd)
{
    for (size_t i = 0; i < MANY; i++)
        pthread_join(crowd->visitors[i].thread, NULL);
}

static size_t count_turns(const struct crowd *crowd, enum turn turn)
{
    size_t count = 0;
    for (size_t i = 0; i < MANY; i++)
        count += crowd->visitors[i].turn == turn;
    return count;
}

static void drop_crowd(struct crowd *crowd)
{
    for (size_t i = 0; i < MANY; i++) {
        const struct visitor *visitor = &crowd->visitors[i];
        if (visitor->turn == TURN_TOLD)
            CHECK_VIEW("told", visitor->result, VIEW("done"));
        assert_true(visitor->waited_ms >= 0);
        arena_drop(&crowd->visitors[i].mem);
    }
}

/* Enters for the test itself. */
static enum turn enter(const char *key, long long patience_ms, struct view *result)
{
    struct arrival arrival = {
        .key = view_of(key), .word = VIEW("done"), .patience_ms = patience_ms, .waited_ms = -1
    };
    enum turn turn = shared_enter(shared, &arrival, &mem);
    *result = arrival.result;
    assert_true(arrival.waited_ms >= 0);
    return turn;
}

static void who_is_alone_leads(void **state)
{
    (void)state;
    struct view result;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(enter("k", 0, &result), TURN_LEAD);
        shared_leave(shared, VIEW("k"), VIEW("done")); /* nobody waited: it is forgotten */
    }
}

static void patience_ends(void **state)
{
    (void)state;
    struct view result;
    assert_int_equal(enter("k", LONG_MS, &result), TURN_LEAD);
    assert_int_equal(enter("k", 0, &result), TURN_LATE);
    assert_int_equal(enter("k", -5, &result), TURN_LATE);
    assert_int_equal(enter("k", 3, &result), TURN_LATE);
    assert_int_equal(enter("other", 0, &result), TURN_LEAD);
    shared_leave(shared, VIEW("other"), VIEW(""));
    shared_leave(shared, VIEW("k"), VIEW("done"));
    assert_int_equal(enter("k", 0, &result), TURN_LEAD);
    shared_leave(shared, VIEW("k"), VIEW(""));
}

/* All are there before the first one has done it: one leads, the others are told. */
static void one_leads_and_the_others_are_told(void **state)
{
    (void)state;
    size_t told = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct crowd crowd = { 0 };
        struct view result;
        assert_int_equal(enter("k", LONG_MS, &result), TURN_LEAD);
        let_in(&crowd, "k");
        while (atomic_load(&crowd.inside) < MANY)
            nap();
        nap();
        shared_leave(shared, VIEW("k"), VIEW("done"));
        see_off(&crowd);
        /* whoever came in after the last one had left leads again */
        assert_false(atomic_load(&crowd.has_overlapped));
        assert_int_equal(count_turns(&crowd, TURN_LATE), 0);
        assert_int_equal(count_turns(&crowd, TURN_TOLD) + (size_t)atomic_load(&crowd.led), MANY);
        told += count_turns(&crowd, TURN_TOLD);
        drop_crowd(&crowd);
    }
    assert_true(told >= MANY);
}

static void when_a_leader_fails_the_next_one_leads(void **state)
{
    (void)state;
    for (int failing = 0; failing <= MANY; failing += 4) {
        struct crowd crowd = { .failing = failing };
        struct view result;
        assert_int_equal(enter("k", LONG_MS, &result), TURN_LEAD);
        let_in(&crowd, "k");
        while (atomic_load(&crowd.inside) < MANY)
            nap();
        shared_leave(shared, VIEW("k"), VIEW(""));
        see_off(&crowd);
        assert_false(atomic_load(&crowd.has_overlapped));
        assert_int_equal(count_turns(&crowd, TURN_LATE), 0);
        assert_true(atomic_load(&crowd.led) > (failing == MANY ? MANY - 1 : failing));
        assert_int_equal(count_turns(&crowd, TURN_LEAD) + count_turns(&crowd, TURN_TOLD), MANY);
        drop_crowd(&crowd);
    }
}

static void keys_do_not_wait_for_each_other(void **state)
{
    (void)state;
    static struct crowd crowds[3];
    static const char *const keys[] = { "a", "b", "c" };
    struct view result;
    memset(crowds, 0, sizeof crowds);
    assert_int_equal(enter("held", LONG_MS, &result), TURN_LEAD);
    for (size_t i = 0; i < COUNT_OF(crowds); i++)
        let_in(&crowds[i], keys[i]);
    for (size_t i = 0; i < COUNT_OF(crowds); i++) {
        see_off(&crowds[i]);
        assert_true(atomic_load(&crowds[i].led) > 0);
        assert_false(atomic_load(&crowds[i].has_overlapped));
        drop_crowd(&crowds[i]);
    }
    shared_leave(shared, VIEW("held"), VIEW(""));
}

/* Each has a word of its own, which the last result need not hold. */
struct joiner {
    pthread_t thread;
    struct arena mem;
    char word[32];
    bool brings;
    int *led;     /* under the turn: nobody else leads */
    size_t given; /* words of others */
    enum turn turn;
    struct view result;
};

static size_t count_words(struct view words)
{
    size_t count = 0;
    for (struct view word; words.len > 0; count++)
        view_cut(words, ' ', &word, &words);
    return count;
}

static void *join_in(void *user)
{
    struct joiner *self = user;
    struct view word = view_of(self->word);
    struct arrival arrival = { .key = VIEW("k"),
                               .word = word,
                               .brings = self->brings ? word : VIEW(""),
                               .patience_ms = LONG_MS };
    self->turn = shared_enter(shared, &arrival, &self->mem);
    self->result = arrival.result;
    if (self->turn != TURN_LEAD)
        return NULL;
    ++*self->led;
    struct text left = text_in(&self->mem, PLENTY);
    text_add(&left, arrival.result);
    text_add_char(&left, ' ');
    text_add(&left, word);
    text_add_string(&left, arrival.others.len > 0 ? " " : "");
    text_add(&left, arrival.others);
    self->given = count_words(arrival.others);
    shared_leave(shared, VIEW("k"), text_view(&left));
    return NULL;
}

/* How often somebody led after the first one, with everybody else waiting for it. */
static int join_all(bool brings, size_t *most_given)
{
    static struct joiner joiners[MANY];
    struct view result;
    int led = 0;
    *most_given = 0;
    assert_int_equal(enter("k", LONG_MS, &result), TURN_LEAD);
    for (size_t i = 0; i < MANY; i++) {
        joiners[i] = (struct joiner){ .brings = brings, .led = &led };
        arena_init(&joiners[i].mem, PLENTY);
        snprintf(joiners[i].word, sizeof joiners[i].word, "word-%zu", i);
        assert_int_equal(pthread_create(&joiners[i].thread, NULL, join_in, &joiners[i]), 0);
    }
    for (int i = 0; i < 100; i++)
        nap(); /* whoever comes later leads, too, which the counts allow */
    shared_leave(shared, VIEW("k"), VIEW("s"));
    for (size_t i = 0; i < MANY; i++) {
        struct joiner *joiner = &joiners[i];
        pthread_join(joiner->thread, NULL);
        assert_int_not_equal(joiner->turn, TURN_LATE);
        if (joiner->turn == TURN_TOLD)
            assert_true(view_contains(joiner->result, view_of(joiner->word)));
        if (joiner->given > *most_given)
            *most_given = joiner->given;
        arena_drop(&joiner->mem);
    }
    return led;
}

static void a_result_that_is_no_answer_is_led_on(void **state)
{
    (void)state;
    size_t most_given;
    assert_int_equal(join_all(false, &most_given), MANY); /* one after the other */
    assert_int_equal(most_given, 0);
    assert_int_equal(enter("k", 0, &(struct view){ 0 }), TURN_LEAD);
    shared_leave(shared, VIEW("k"), VIEW(""));
}

static void whoever_leads_is_given_what_the_others_bring(void **state)
{
    (void)state;
    size_t most_given = 0;
    for (int round = 0; round < ROUNDS && most_given == 0; round++) {
        int led = join_all(true, &most_given);
        assert_true(led >= 1);
        if (led == 1)
            assert_int_equal(most_given, MANY - 1);
    }
    assert_true(most_given > 0);
}

/* Patience ends, but what somebody left before is there. */
static void who_is_late_knows_what_was_left(void **state)
{
    (void)state;
    static struct joiner waiting;
    int led = 0;
    struct arrival arrival = { .key = VIEW("k"), .word = VIEW("mine"), .patience_ms = LONG_MS };
    struct arrival late = { .key = VIEW("k"), .word = VIEW("other") };
    struct arrival answered = { .key = VIEW("k"), .word = VIEW("s") };
    struct view result;
    assert_int_equal(enter("k", LONG_MS, &result), TURN_LEAD);
    waiting = (struct joiner){ .brings = true, .led = &led, .word = "w" };
    arena_init(&waiting.mem, PLENTY);
    assert_int_equal(shared_enter(shared, &late, &mem), TURN_LATE);
    assert_int_equal(late.result.len, 0);
    assert_int_equal(pthread_create(&waiting.thread, NULL, join_in, &waiting), 0);
    shared_leave(shared, VIEW("k"), VIEW("s"));
    assert_int_equal(shared_enter(shared, &arrival, &mem), TURN_LEAD);
    bool is_still_there =
        arrival.result.len > 0; /* the other one may not have come yet, or be gone */
    assert_int_equal(shared_enter(shared, &late, &mem), TURN_LATE);
    CHECK_VIEW("late", late.result, arrival.result);
    assert_int_equal(shared_enter(shared, &answered, &mem), is_still_there ? TURN_TOLD : TURN_LATE);
    shared_leave(shared, VIEW("k"), VIEW(""));
    pthread_join(waiting.thread, NULL);
    arena_drop(&waiting.mem);
}

/* --- pace ------------------------------------------------------------------------------------- */

static void without_a_plan_nothing_waits(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_true(shared_pace(shared, 0));
}

/* As many as the plan allows pass at once, the next one lies a minute away. */
static void a_plan_lets_so_many_pass(void **state)
{
    (void)state;
    static const int plans[] = { 1, 10, 60, 300 };
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct shared *paced = shared_start(plans[i]);
        assert_non_null(paced);
        for (int call = 0; call < plans[i]; call++)
            assert_true(shared_pace(paced, 0));
        assert_false(shared_pace(paced, 0));
        assert_false(shared_pace(paced, -1));
        assert_false(shared_pace(paced, 100)); /* what is refused takes no place and no time */
        assert_false(shared_pace(paced, 100));
        shared_stop(paced);
    }
}

static void more_than_the_most_is_the_most(void **state)
{
    (void)state;
    struct shared *paced = shared_start(1000000);
    int passed = 0;
    assert_non_null(paced);
    while (passed < 5000 && shared_pace(paced, 0))
        passed++;
    assert_int_equal(passed, 1000);
    shared_stop(paced);
}

struct hasty {
    pthread_t thread;
    struct shared *paced;
    int passed;
};

static void *hurry(void *user)
{
    struct hasty *self = user;
    for (int i = 0; i < 60; i++)
        self->passed += shared_pace(self->paced, 0);
    return NULL;
}

static void threads_share_one_pace(void **state)
{
    (void)state;
    struct hasty hasty[8] = { 0 };
    struct shared *paced = shared_start(60);
    int passed = 0;
    assert_non_null(paced);
    for (size_t i = 0; i < COUNT_OF(hasty); i++) {
        hasty[i].paced = paced;
        assert_int_equal(pthread_create(&hasty[i].thread, NULL, hurry, &hasty[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(hasty); i++) {
        pthread_join(hasty[i].thread, NULL);
        passed += hasty[i].passed;
    }
    assert_int_equal(passed, 60);
    shared_stop(paced);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_kept_by_their_key),
        TEST(a_value_is_replaced),
        TEST(what_is_told_is_the_callers_own),
        TEST(values_go_stale),
        TEST(the_first_to_go_makes_room),
        TEST(a_value_needs_memory_of_the_caller),
        TEST(who_is_alone_leads),
        TEST(patience_ends),
        TEST(one_leads_and_the_others_are_told),
        TEST(when_a_leader_fails_the_next_one_leads),
        TEST(keys_do_not_wait_for_each_other),
        TEST(a_result_that_is_no_answer_is_led_on),
        TEST(whoever_leads_is_given_what_the_others_bring),
        TEST(who_is_late_knows_what_was_left),
        TEST(without_a_plan_nothing_waits),
        TEST(a_plan_lets_so_many_pass),
        TEST(more_than_the_most_is_the_most),
        TEST(threads_share_one_pace),
    };
    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
