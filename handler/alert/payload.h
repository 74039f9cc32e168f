/*
 * The payload: one body as a sender posts it, and the alerts it holds.
 *
 * Owns:     nothing; everything lives in the arena given to payload_read().
 * Units:    counts.
 * Fails:    payload_read() with a 400 that names the field; then nothing of it must be read.
 * Threads:  a payload belongs to its request.
 */
#ifndef ALERT_PAYLOAD_H
#define ALERT_PAYLOAD_H

#include "alert/alert.h"

/* More alerts than this in one body are counted, not read. */
enum { MAX_ALERTS = 200 };

struct payload {
    const struct source *from; /* the dialect of the first alert; never NULL after payload_read() */
    struct alert *alerts;
    size_t count; /* 0: there is nothing to do */
    size_t left_out;
    const char *reason;    /* when count is 0: why there is nothing to do, a literal */
    struct view challenge; /* what the sender wants echoed before it sends alerts; empty: nothing */
    bool is_repaired;      /* the body was no JSON until small template mistakes were mended */
};

/* Reads one body of any sender. */
bool payload_read(struct view body, struct arena *mem, struct payload *out,
                  struct failure *why) MUST_CHECK;

#endif
