/*
 * The handler's process as the Functions host keeps it: started with the host's variables, pinged
 * until it answers, started again when it dies, given up after the third error.
 *
 * Owns:     the process, its pipes and a thread, until host_worker_stop().
 * Units:    milliseconds.
 * Fails:    host_worker_start() with a sentence; what happens later is said on stderr and in
 *           host_worker_state().
 * Threads:  any; start and stop from one.
 */
#ifndef SUPPORT_HOST_WORKER_H
#define SUPPORT_HOST_WORKER_H

#include "support/host_app.h"
#include "support/host_pool.h"
#include "support/process.h"

#include <pthread.h>
#include <stdatomic.h>

enum host_worker_state {
    HOST_WORKER_STARTING,
    HOST_WORKER_READY,
    HOST_WORKER_GONE,   /* it exited with 0: never started again, the host stays */
    HOST_WORKER_FAILED, /* too many errors, or never ready: the host ends */
};

struct host_worker_plan {
    const struct host_app *app;
    struct host_pool *pool; /* its port is the handler's */
    bool is_core_tools;
    bool is_inherited; /* what the handler says goes to our stdout and stderr as it is */
};

struct host_worker {
    struct host_worker_plan plan;
    struct process process; /* the keeping thread's own, as are the errors */
    int errors;
    long long last_error_ms;
    int out, err; /* writing ends of the pipes; -1: ours */
    atomic_int relays;
    atomic_bool is_ending;
    atomic_int overrun; /* the life to be ended for being too slow; 0: none */
    pthread_t keeper;
    pthread_mutex_t lock; /* guards state and life */
    pthread_cond_t change;
    enum host_worker_state state;
    int life; /* counts the processes that got ready */
};

/* Before anybody waits for it. */
void host_worker_prepare(struct host_worker *worker, const struct host_worker_plan *plan);

bool host_worker_start(struct host_worker *worker, struct text *why);

/* Waits while it starts.  The number of the process that is ready; 0: there will be none. */
int host_worker_await(struct host_worker *worker);

/* Whether that process still serves; just after a connection broke. */
bool host_worker_is_alive(struct host_worker *worker, int life);

/* A call took longer than functionTimeout: the process is killed and started again. */
void host_worker_kill(struct host_worker *worker, int life);

enum host_worker_state host_worker_state(struct host_worker *worker);

/* SIGKILL, as the real host. */
void host_worker_stop(struct host_worker *worker);

/* A random GUID and a NUL, for invocations too. */
enum { HOST_GUID_SIZE = 37 };
void host_guid(char guid[HOST_GUID_SIZE]);

#endif
