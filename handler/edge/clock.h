/*
 * The clock of the edge: nothing further inside asks for the time.
 *
 * Owns:     nothing.
 * Units:    milliseconds since some moment before the process began, never going back; and seconds since
 *           1970, which may.
 * Fails:    never.
 * Threads:  any.
 */
#ifndef EDGE_CLOCK_H
#define EDGE_CLOCK_H

#include <time.h>

static inline long long clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline long long clock_since_1970_s(void)
{
    return (long long)time(NULL);
}

#endif
