/*
 * The queue trigger of the Functions host stand-in: takes messages as the storage extension does,
 * in batches, hidden for ten minutes, and settles each by what the handler answered.
 *
 * Owns:     a thread for the queue and one for each message, until host_queue_stop().
 * Units:    milliseconds, but for what struct storage_message holds.
 * Fails:    host_queue_start() with a sentence; a queue that cannot be read later is tried again.
 * Threads:  start and stop from one; `deliver` is called from many.
 */
#ifndef SUPPORT_HOST_QUEUE_H
#define SUPPORT_HOST_QUEUE_H

#include "support/host_app.h"
#include "support/storage.h"

#include <pthread.h>
#include <stdatomic.h>

struct host_queue_plan {
    const struct host_function *function;
    const struct host_queues *queues;
    int hide_s; /* a message in hand; 0: ten minutes, as the real host */
    void *user;
    /* True: the invocation succeeded. */
    bool (*deliver)(void *user, const struct host_function *function,
                    const struct storage_message *message, struct arena *mem);
};

struct host_queue {
    struct host_queue_plan plan;
    struct storage storage;
    atomic_int in_flight;
    atomic_bool is_ending;
    pthread_t poller;
};

bool host_queue_start(struct host_queue *queue, const struct host_queue_plan *plan,
                      struct text *why);

/* Takes no more.  What is in flight ends when `deliver` returns. */
void host_queue_end(struct host_queue *queue);

/* Waits for all of it. */
void host_queue_stop(struct host_queue *queue);

#endif
