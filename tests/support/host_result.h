/*
 * What the Functions host makes of the answer to an envelope: its logs are printed, its http output
 * becomes the client's answer.
 *
 * Owns:     nothing; everything lives in the arena.
 * Units:    status is an HTTP status code.
 * Fails:    with false and a sentence in `why` where the real invocation fails, so that the client
 *           gets an empty 500.
 * Threads:  any.
 */
#ifndef SUPPORT_HOST_RESULT_H
#define SUPPORT_HOST_RESULT_H

#include "support/host_app.h"
#include "support/host_wire.h"
#include "support/http.h"

struct arena;

struct host_result {
    int status;
    struct host_header *headers;
    size_t header_count;
    struct view body;
    bool is_hanging; /* on false: the real host would wait until functionTimeout */
};

bool host_result_read(const struct http_answer *from, const struct host_function *function,
                      struct arena *mem, struct host_result *out, struct text *why);

#endif
