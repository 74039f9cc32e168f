/*
 * A little server inside the test itself: calls a function for each connection, in a thread of its
 * own.  For the endpoint of a managed identity, and for a service that accepts and never answers.
 *
 * Owns:     a socket and its threads, until listener_stop().
 * Units:    ports on 127.0.0.1.
 * Fails:    listener_start() with false.
 * Threads:  start and stop from one; `serve` runs in many.
 */
#ifndef SUPPORT_LISTENER_H
#define SUPPORT_LISTENER_H

#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>

struct listener {
    void (*serve)(void *user, int fd); /* the descriptor is closed afterwards */
    void *user;
    int fd, port;
    atomic_int open; /* connections being served */
    atomic_int accepted;
    atomic_bool is_ending;
    pthread_t thread;
};

bool listener_start(struct listener *listener, void (*serve)(void *user, int fd), void *user);
void listener_stop(struct listener *listener);

/* Reads up to the empty line; false when the peer closes before. */
bool listener_read_head(int fd, struct arena *mem, struct view *out);

/* Reads and says nothing, until the peer has closed or the listener ends. */
void listener_stall(void *listener, int fd);

#endif
