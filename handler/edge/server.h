/*
 * The HTTP side: civetweb on 127.0.0.1, one catch-all handler, one arena a request.  Knows both of
 * the host's protocols and none of the story.
 *
 * Owns:     server_start() gives a server that server_stop() ends.
 * Units:    bytes, milliseconds.
 * Fails:    server_start() with NULL and a sentence in `problem`.
 * Threads:  start and stop from one thread; requests run on threads of its own.
 */
#ifndef EDGE_SERVER_H
#define EDGE_SERVER_H

#include "edge/caller.h"
#include "triage.h"

struct server_settings {
    long long max_body_bytes;
};

/* All pointers are borrowed until server_stop(). */
struct server_plan {
    int port;
    const struct server_settings *settings;
    const struct caller_settings *caller;
    const struct triage *triage;
    bool takes_retries;     /* run by the Functions host, which alone can reach that path */
    struct view complaints; /* for the health answer; empty: ready */
    const char *version;
};

struct server;

struct server *server_start(const struct server_plan *plan, struct text *problem);

/* To be called a few times a second: ends the reading of bodies that take too long. */
void server_tick(struct server *server);

/* Refuses new connections, answers what is in hand (for at most `patience_ms`), then ends. */
void server_stop(struct server *server, long long patience_ms);

#endif
