/*
 * Connections from the Functions host stand-in to the handler, as .NET's HttpClient keeps them: one
 * a call at a time, idle ones for a minute, the most recent taken first; and sending one request
 * over them, again where .NET would.
 *
 * Owns:     its idle connections, until host_pool_close().
 * Units:    milliseconds; ports on 127.0.0.1.
 * Fails:    host_pool_send() says how in enum host_fate.
 * Threads:  any.
 */
#ifndef SUPPORT_HOST_POOL_H
#define SUPPORT_HOST_POOL_H

#include "base/text.h"
#include "support/http.h"

#include <pthread.h>

struct arena;

enum { HOST_POOL_ROOM = 512 };

struct host_idle {
    int fd;
    long long since_ms;
};

struct host_pool {
    int port;
    pthread_mutex_t lock; /* guards what follows */
    struct host_idle idle[HOST_POOL_ROOM];
    size_t count;
};

/* A request as it goes out.  The parts leave in packets of their own. */
struct host_message {
    struct view head;  /* with the empty line */
    struct view body;  /* framed */
    struct view end;   /* the last chunk */
    bool is_head;      /* HEAD: no body comes back */
    bool is_expecting; /* the body waits for "100 Continue", a second at most */
};

enum host_fate {
    HOST_ANSWERED,
    HOST_CLOSED,  /* before a byte of an answer came */
    HOST_REFUSED, /* no connection: nothing was sent */
    HOST_BROKEN,  /* a reset, half an answer */
    HOST_OVERRUN, /* no answer in time */
};

void host_pool_open(struct host_pool *pool, int port);
void host_pool_close(struct host_pool *pool);

/* An idle connection that the peer has not closed, else a new one; -1: refused. */
int host_pool_take(struct host_pool *pool);
void host_pool_give(struct host_pool *pool, int fd);

/* Closes what has been idle for a minute; all when `is_all`. */
void host_pool_expire(struct host_pool *pool, bool is_all);

/* Sends once. */
enum host_fate host_pool_send(struct host_pool *pool, const struct host_message *message,
                              int timeout_ms, struct arena *mem, struct http_answer *out);

#endif
