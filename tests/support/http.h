/*
 * A small HTTP/1.1 client on a plain socket, for tests and stand-ins: what is sent is exactly the
 * bytes given, what comes back is parsed strictly.
 *
 * Owns:     http_connect() gives a descriptor that the caller closes; views point into the arena.
 * Units:    milliseconds; ports in host order; all on 127.0.0.1.
 * Fails:    with false, or -1; nothing is kept.
 * Threads:  no shared state; a descriptor belongs to one thread.
 */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include "base/text.h"

struct arena;

struct http_answer {
    int status;
    struct view head; /* status line and header lines, without the empty line */
    struct view body; /* unchunked */
    bool is_last;     /* the peer closes: "Connection: close", HTTP/1.0 or read until the end */
};

/* A connected socket, or -1. */
int http_connect(int port, int timeout_ms);

/* Sends all of `bytes`. */
bool http_send(int fd, struct view bytes);

/*
 * Reads one whole answer; interim 1xx answers are passed over.  `has_no_body` for answers to HEAD.
 * False when the peer closes before the end, is silent for `timeout_ms`, or does not speak HTTP.
 */
bool http_receive(int fd, int timeout_ms, bool has_no_body, struct arena *mem,
                  struct http_answer *out);

/* The first header of that name, trimmed; empty when there is none. */
struct view http_header(const struct http_answer *answer, const char *name);

/* "METHOD target HTTP/1.1" with Host, Content-Length (when there is a body) and `extra` lines. */
struct view http_request(const char *method, struct view target, struct view extra,
                         struct view body, struct arena *mem);

/* Connect, send, receive, close. */
bool http_call(int port, struct view request, int timeout_ms, struct arena *mem,
               struct http_answer *out);

#endif
