/*
 * The endpoint of a managed identity as the Functions platform has it inside an instance: gives
 * tokens to whoever knows IDENTITY_HEADER.  Its tokens say who they are for and how long they last,
 * and are signed by nobody; Azurite takes them.
 *
 * Owns:     a server in the test's process, until identity_stop().
 * Units:    seconds.
 * Fails:    identity_start() with false.
 * Threads:  start and stop from one; the knobs any.
 */
#ifndef SUPPORT_IDENTITY_H
#define SUPPORT_IDENTITY_H

#include "support/listener.h"

#define IDENTITY_SECRET "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a"

struct identity {
    struct listener listener;
    atomic_int asked;    /* requests that had everything they must have */
    atomic_int refused;  /* and those that had not */
    atomic_int lasts_s;  /* of the tokens to come */
    atomic_int fails;    /* so many of the next requests get 500 */
    atomic_int delay_ms; /* before each answer */
    atomic_int at_once, most_at_once;
};

bool identity_start(struct identity *identity);
void identity_stop(struct identity *identity);

/* The value of IDENTITY_ENDPOINT. */
struct view identity_url(const struct identity *identity, struct arena *mem);

#endif
