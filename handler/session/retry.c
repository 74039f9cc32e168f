/* No clock and no random numbers: time left and spread are inputs like any other. */
#include "session/retry.h"

enum { LONGEST_WAIT_MS = 600000, MOST_SPREAD = 400 };

/* 1, 2, 4, ... times the first wait; doubling stops where it could no longer matter. */
static long long backoff_ms(const struct retry_settings *settings, int tries)
{
    long long wait = settings->first_ms;
    for (int i = 1; i < tries && wait < LONGEST_WAIT_MS; i++)
        wait *= 2;
    return wait;
}

/* From four fifths to six fifths. */
static long long spread_ms(long long wait_ms, unsigned spread)
{
    return wait_ms * (800 + spread % (MOST_SPREAD + 1)) / 1000;
}

static bool may_repeat(enum repeat repeat, enum trouble trouble)
{
    if (trouble == TROUBLE_LASTING || repeat == REPEAT_NEVER)
        return false;
    return repeat == REPEAT_FREELY || trouble != TROUBLE_UNCLEAR;
}

long long retry_wait_ms(const struct retry_settings *settings, enum repeat repeat, int tries,
                        enum trouble trouble, long long retry_after_ms, long long left_ms,
                        unsigned spread)
{
    long long room_ms = left_ms - SHORTEST_TRY_MS;
    long long wait_ms = spread_ms(backoff_ms(settings, tries), spread);
    if (retry_after_ms > wait_ms)
        wait_ms = retry_after_ms < room_ms ? retry_after_ms : room_ms;
    if (!may_repeat(repeat, trouble) || tries >= settings->tries || wait_ms > room_ms
        || room_ms <= 0)
        return NO_RETRY;
    return wait_ms;
}

long long retry_timeout_ms(const struct retry_settings *settings, enum repeat repeat, int tries,
                           long long left_ms)
{
    long long longest_wait_ms = spread_ms(backoff_ms(settings, tries), MOST_SPREAD);
    bool is_last = repeat == REPEAT_NEVER || tries >= settings->tries
                   || left_ms / 2 - longest_wait_ms < SHORTEST_TRY_MS;
    return is_last ? left_ms : left_ms / 2;
}
