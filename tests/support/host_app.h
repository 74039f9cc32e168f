/*
 * A Function App as its files describe it: host.json, one function.json a folder, and
 * local.settings.json (or its .example).  For the Functions host stand-in, which plays functions
 * with an HTTP or a queue trigger.
 *
 * Owns:     nothing; everything lives in the arena given to host_app_read().
 * Units:    milliseconds.
 * Fails:    host_app_read() with one line in `why`.
 * Threads:  constant once read.
 */
#ifndef SUPPORT_HOST_APP_H
#define SUPPORT_HOST_APP_H

#include "base/text.h"

struct arena;

struct host_function {
    const char *name;  /* of its folder, with its case */
    struct view route; /* behind the prefix, without slashes around it */
    struct view *methods;
    size_t method_count; /* 0: all */
    struct view trigger; /* the bindings' names */
    struct view result;
    bool is_plain; /* one httpTrigger in, one http out, nothing else: may be forwarded or proxied */
    bool wants_key;
    const char *queue;      /* of a queue trigger; NULL: it has an HTTP trigger */
    const char *connection; /* the variable with the queue's connection string */
};

/* extensions.queues of host.json. */
struct host_queues {
    int batch_size, new_batch_threshold, max_dequeue_count;
    long long visibility_ms; /* a message that failed comes again after so long */
    long long max_polling_ms;
    bool is_base64; /* messageEncoding */
};

/* A value of local.settings.json. */
struct host_value {
    const char *name;
    const char *value;
};

struct host_app {
    const char *root;                /* absolute */
    const char *const *argv;         /* of the handler; argv[0] is absolute; ends in NULL */
    struct view prefix;              /* without slashes around it */
    bool is_forwarding, is_proxying; /* what host.json says */
    int max_concurrent;              /* 0: no limit */
    long long call_ms, start_ms;     /* functionTimeout, initializationTimeout */
    struct host_queues queues;
    struct host_function *functions;
    size_t function_count;
    struct host_value *values;
    size_t value_count;
    int port; /* LocalHttpPort, or Core Tools' 7071 */
};

/* `root` is an absolute path that stays there. */
bool host_app_read(const char *root, struct arena *mem, struct host_app *out, struct text *why);

#endif
