/*
 * The real wire: libcurl behind struct wire.  One thread runs every transfer, so that connections
 * and the parsed CA store are shared; callers sleep until theirs is done.
 *
 * Owns:     wire_start() gives a loop that wire_stop() ends; answers live in the caller's arena.
 * Units:    milliseconds.
 * Fails:    wire_start() with NULL; a send never fails, its answer says what happened.
 * Threads:  any number may send at once; start and stop from one thread.
 *
 * Only this module knows the API key.  Redirects are not followed, TLS is verified.
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
void wire_stop(struct wire_loop *loop); /* no send may be under way */

/* What triage needs; valid until wire_stop(). */
struct wire wire_of(struct wire_loop *loop);

/* NULL when that is a URL we would send a key to, else what it must be. */
const char *wire_url_problem(struct view url);

/* NULL when that file (a NUL stands behind the name) can be read, else what it must be. */
const char *wire_ca_problem(struct view path);

/*
 * The bundle of certificate authorities that is trusted: `wanted` if it says one, else the first of
 * the places where distributions keep theirs; NULL when there is none.
 */
const char *wire_ca_file(struct view wanted);

/* libcurl's version. */
const char *wire_library(void);

#endif
