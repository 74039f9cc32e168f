/*
 * The real wire: libcurl behind struct wire.  One thread runs every transfer, so that connections
 * and the parsed CA store are shared; callers sleep until theirs is done.
 *
 * Owns:     wire_start() gives a loop that wire_stop() ends; answers live in the caller's arena.
 * Units:    milliseconds.
 * Fails:    wire_start() with NULL; a send never fails, its answer says what happened.
 * Threads:  any number may send and fetch at once; start and stop from one thread.
 *
 * Only this module knows the API key, and it goes to Devin alone.  Redirects are not followed, TLS is verified.
 */
#ifndef EDGE_WIRE_H
#define EDGE_WIRE_H

#include "triage.h"

struct wire_settings {
    struct view api_url; /* slashes at its end do not count */
    struct view api_key;
    struct view ca_file;      /* empty: the usual places */
    long long calls_a_minute; /* 0: as many as come */
};

struct wire_loop;

struct wire_loop *wire_start(const struct wire_settings *settings);
/* No send and no fetch may be under way; what nobody waits for has two seconds to end. */
void wire_stop(struct wire_loop *loop);

/* What triage needs; valid until wire_stop(). */
struct wire wire_of(struct wire_loop *loop);

/* A request to anyone but Devin, on the same connections and the same thread. */
struct fetch {
    const char *method;
    struct view url; /* whole */
    const struct header *headers;
    size_t header_count;
    struct view body;
    const char *asks_for; /* a header of the answer that is wanted, or NULL */
};

struct fetched {
    struct answer answer;
    struct view header; /* what `asks_for` holds; empty: not there */
};

/* Sends and waits for the answer, at most `timeout_ms`; fills `out` in any case. */
void wire_fetch(struct wire_loop *loop, const struct fetch *fetch, long long timeout_ms,
                struct arena *mem, struct fetched *out);

/*
 * The same while nobody waits.  All of `fetch` is copied; `done` is told once, maybe before this
 * returns, mostly on the loop's thread, which it must not hold up; what it is given ends with it.
 */
void wire_fetch_later(struct wire_loop *loop, const struct fetch *fetch, long long timeout_ms,
                      void (*done)(void *state, const struct fetched *fetched), void *state);

/* NULL when that is a URL we would send a key to, else what it must be. */
const char *wire_url_problem(struct view url);

/* NULL when that file (a NUL stands behind the name) can be read, else what it must be. */
const char *wire_ca_problem(struct view path);

#endif
