/*
 * For tests of dialects whose payload is one alert, and for problems made of one.
 *
 * Owns:     nothing; everything lives in the arena.
 * Units:    none.
 * Fails:    as payload_read() does.
 * Threads:  any.
 */
#ifndef UNIT_READING_H
#define UNIT_READING_H

#include "alert/payload.h"
#include "alert/problem.h"

/* The payload's first alert; a zeroed one where it holds none. */
static inline bool read_first(struct view body, struct arena *mem, struct alert *out,
                              struct failure *why)
{
    struct payload whole = { 0 };
    if (!payload_read(body, mem, &whole, why))
        return false;
    *out = whole.count > 0 ? whole.alerts[0] : (struct alert){ 0 };
    return true;
}

#endif
