/*
 * Everything under one lock: what happens here takes microseconds, what is waited for takes seconds.
 * A flight is one key that somebody leads; it goes when the last who waits for it has left.
 */
#include "edge/shared.h"

#include "base/arena.h"
#include "edge/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MAX_RESULT_BYTES = 8192,
    MAX_OTHERS_BYTES = 2048,
    MAX_VALUES = 64,
    MAX_CALLS_A_MINUTE = 1000,
    MINUTE_MS = 60000
};

struct value {
    char *key;
    char *text;
    long long until_ms;
};

struct flight {
    struct flight *next;
    char *key;
    char result[MAX_RESULT_BYTES]; /* of the leader that left last; empty: it failed, or none has */
    struct arrival *waiters;
    bool is_led;
    int inside; /* leader and waiters */
    pthread_cond_t changed;
};

struct shared {
    pthread_mutex_t lock;
    struct value values[MAX_VALUES];
    struct flight *flights;
    long long calls_a_minute;
    long long places[MAX_CALLS_A_MINUTE]; /* when the last calls went, or will go: a ring */
    size_t next_place;
};

static struct timespec after_ms(long long ms)
{
    long long at = clock_now_ms() + (ms > 0 ? ms : 0);
    return (struct timespec){ at / 1000, (long)(at % 1000) * 1000000 };
}

static char *copy_of(struct view text)
{
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return copy;
}

/* --- values ---------------------------------------------------------------------------------- */

static void forget(struct value *value)
{
    free(value->key);
    free(value->text);
    value->key = NULL;
    value->text = NULL;
}

static struct value *find_value(struct shared *shared, struct view key)
{
    for (size_t i = 0; i < MAX_VALUES; i++)
        if (shared->values[i].key != NULL && view_equal(view_of(shared->values[i].key), key))
            return &shared->values[i];
    return NULL;
}

bool shared_recall(struct shared *shared, struct view key, struct arena *mem, struct view *value)
{
    pthread_mutex_lock(&shared->lock);
    const struct value *found = find_value(shared, key);
    bool is_known = found != NULL && clock_now_ms() < found->until_ms;
    if (is_known)
        *value = view_keep(view_of(found->text), mem);
    pthread_mutex_unlock(&shared->lock);
    return is_known && value->at != NULL;
}

/* A free place, or the one that would be forgotten first. */
static struct value *place_for(struct shared *shared)
{
    struct value *oldest = &shared->values[0];
    for (size_t i = 0; i < MAX_VALUES; i++) {
        if (shared->values[i].key == NULL)
            return &shared->values[i];
        if (shared->values[i].until_ms < oldest->until_ms)
            oldest = &shared->values[i];
    }
    return oldest;
}

void shared_remember(struct shared *shared, struct view key, struct view value, long long ttl_ms)
{
    char *name = copy_of(key);
    char *text = copy_of(value);
    if (name == NULL || text == NULL) {
        free(name);
        free(text);
        return;
    }
    pthread_mutex_lock(&shared->lock);
    struct value *place = find_value(shared, key);
    if (place == NULL)
        place = place_for(shared);
    forget(place);
    place->key = name;
    place->text = text;
    place->until_ms = clock_now_ms() + ttl_ms;
    pthread_mutex_unlock(&shared->lock);
}

/* --- turns ----------------------------------------------------------------------------------- */

static struct flight *find_flight(const struct shared *shared, struct view key)
{
    struct flight *flight = shared->flights;
    while (flight != NULL && !view_equal(view_of(flight->key), key))
        flight = flight->next;
    return flight;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct flight *begin_flight(struct shared *shared, struct view key)
{
    struct flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        return NULL;
    flight->key = copy_of(key);
    if (flight->key == NULL) {
        free(flight);
        return NULL;
    }
    init_condition(&flight->changed);
    flight->next = shared->flights;
    shared->flights = flight;
    return flight;
}

static void end_flight(struct shared *shared, struct flight *flight)
{
    struct flight **link = &shared->flights;
    if (flight->inside > 0)
        return;
    while (*link != flight)
        link = &(*link)->next;
    *link = flight->next;
    pthread_cond_destroy(&flight->changed);
    free(flight->key);
    free(flight);
}

static bool holds_word(struct view words, struct view wanted)
{
    while (words.len > 0) {
        struct view word;
        view_cut(words, ' ', &word, &words);
        if (view_equal(word, wanted))
            return true;
    }
    return false;
}

static void stop_waiting(struct flight *flight, const struct arrival *arrival)
{
    struct arrival **link = &flight->waiters;
    while (*link != arrival)
        link = &(*link)->next;
    *link = arrival->next;
}

/* As many as there is room for: the rest is there for the next who leads. */
static struct view brought_by_others(const struct flight *flight, struct arena *mem)
{
    struct text words = text_in(mem, MAX_OTHERS_BYTES);
    for (const struct arrival *other = flight->waiters; other != NULL; other = other->next) {
        if (other->brings.len == 0 || words.len + 1 + other->brings.len > MAX_OTHERS_BYTES)
            continue;
        text_add_string(&words, words.len > 0 ? " " : "");
        text_add(&words, other->brings);
    }
    return text_ok(&words) ? text_view(&words) : (struct view){ 0 };
}

/* Until it is answered by what somebody left, or nobody leads, or patience is over. */
static enum turn await_turn(struct flight *flight, struct shared *shared, struct arrival *arrival,
                            struct arena *mem)
{
    const struct timespec until = after_ms(arrival->patience_ms);
    bool is_late = arrival->patience_ms <= 0;
    bool is_told = holds_word(view_of(flight->result), arrival->word);
    arrival->next = flight->waiters;
    flight->waiters = arrival;
    while (flight->is_led && !is_told && !is_late) {
        is_late = pthread_cond_timedwait(&flight->changed, &shared->lock, &until) != 0;
        is_told = holds_word(view_of(flight->result), arrival->word);
    }
    stop_waiting(flight, arrival);
    if (flight->result[0] != '\0')
        arrival->result = view_keep(view_of(flight->result), mem);
    if (is_told)
        return arrival->result.at != NULL ? TURN_TOLD : TURN_LATE;
    if (flight->is_led)
        return TURN_LATE;
    if (arrival->result.len > 0)
        arrival->others = brought_by_others(flight, mem);
    return TURN_LEAD;
}

enum turn shared_enter(struct shared *shared, struct arrival *arrival, struct arena *mem)
{
    long long start_ms = clock_now_ms();
    enum turn turn = TURN_LEAD;
    pthread_mutex_lock(&shared->lock);
    struct flight *flight = find_flight(shared, arrival->key);
    if (flight == NULL)
        flight = begin_flight(shared, arrival->key);
    if (flight != NULL) {
        flight->inside++;
        turn = await_turn(flight, shared, arrival, mem);
        if (turn == TURN_LEAD)
            flight->is_led = true;
        else
            flight->inside--;
        end_flight(shared, flight);
    }
    pthread_mutex_unlock(&shared->lock);
    arrival->waited_ms = clock_now_ms() - start_ms;
    return turn;
}

void shared_leave(struct shared *shared, struct view key, struct view result)
{
    pthread_mutex_lock(&shared->lock);
    struct flight *flight = find_flight(shared, key);
    if (flight != NULL && flight->is_led) {
        flight->is_led = false;
        flight->inside--;
        struct text told = text_over(flight->result, sizeof flight->result);
        text_add(&told, result);
        pthread_cond_broadcast(&flight->changed);
        end_flight(shared, flight);
    }
    pthread_mutex_unlock(&shared->lock);
}

/* --- pace ------------------------------------------------------------------------------------ */

/* When the next call may go: a minute after the one that many places before it. */
static long long place_at(const struct shared *shared)
{
    long long now = clock_now_ms();
    long long before = shared->places[shared->next_place];
    return before == 0 || before + MINUTE_MS < now ? now : before + MINUTE_MS;
}

static void sleep_until(long long ms)
{
    const struct timespec until = { ms / 1000, (long)(ms % 1000) * 1000000 };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        continue;
}

bool shared_pace(struct shared *shared, long long patience_ms)
{
    if (shared->calls_a_minute == 0)
        return true;
    pthread_mutex_lock(&shared->lock);
    long long at = place_at(shared);
    bool is_in_time = at - clock_now_ms() <= patience_ms;
    if (is_in_time) {
        shared->places[shared->next_place] = at;
        shared->next_place = (shared->next_place + 1) % (size_t)shared->calls_a_minute;
    }
    pthread_mutex_unlock(&shared->lock);
    if (is_in_time)
        sleep_until(at);
    return is_in_time;
}

/* --- start and end ---------------------------------------------------------------------------- */

struct shared *shared_start(long long calls_a_minute)
{
    struct shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    pthread_mutex_init(&shared->lock, NULL);
    shared->calls_a_minute =
        calls_a_minute < MAX_CALLS_A_MINUTE ? calls_a_minute : MAX_CALLS_A_MINUTE;
    return shared;
}

void shared_stop(struct shared *shared)
{
    for (size_t i = 0; i < MAX_VALUES; i++)
        forget(&shared->values[i]);
    while (shared->flights != NULL) {
        shared->flights->inside = 0;
        end_flight(shared, shared->flights);
    }
    pthread_mutex_destroy(&shared->lock);
    free(shared);
}
