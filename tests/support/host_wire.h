/*
 * What the Functions host makes of a client's request, in each of its three protocols: byte for
 * byte as seen on host 4.1037.
 *
 * Owns:     nothing; everything lives in the arena.
 * Units:    none.
 * Fails:    with false when the real host answers 500 without calling the handler.
 * Threads:  any; there is no shared state.
 */
#ifndef SUPPORT_HOST_WIRE_H
#define SUPPORT_HOST_WIRE_H

#include "support/host_app.h"
#include "support/host_pool.h"

struct arena;

#define HOST_VERSION "4.1037.0.0"

struct host_header {
    struct view name;
    struct view value;
};

/* A client's request. */
struct host_call {
    struct view method;
    struct view path;  /* as it came */
    struct view query; /* as it came, without the question mark */
    bool has_query;    /* there is a question mark */
    const struct host_header *headers;
    size_t header_count;
    struct view body;
    bool is_chunked;
    struct view client; /* its address */
    const char *invocation;
    const struct host_function *function;
    int handler_port;
};

/* A queue's message as its trigger hands it on. */
struct host_delivery {
    struct view text, id, pop;
    struct view inserted, expires, visible; /* as the queue told them: "Fri, 26 Jun 2015 ... GMT" */
    long long dequeues;
};

/* The first header of that name; empty when there is none. */
struct view host_call_header(const struct host_call *call, const char *name);

/* The path after the percent signs are taken off once, as the host compares it with its routes. */
struct view host_path(const struct host_call *call, struct arena *mem);

/* The first query value of that name, decoded. */
struct view host_query_value(const struct host_call *call, const char *name, struct arena *mem);

bool host_forward(const struct host_call *call, struct arena *mem, struct host_message *out);
bool host_proxy(const struct host_call *call, struct arena *mem, struct host_message *out);
bool host_envelope(const struct host_call *call, bool is_chunked, struct arena *mem,
                   struct host_message *out);

/* Of `call` only function, invocation and port count. */
bool host_envelope_delivery(const struct host_call *call, const struct host_delivery *delivery,
                            bool is_chunked, struct arena *mem, struct host_message *out);

#endif
