/*
 * The Functions host's default protocol, from the host's side: an HTTP request wrapped in JSON, and
 * the answer taken out of Outputs.res again.
 *
 * Owns:     nothing; all views live in the arena.
 * Units:    none.
 * Fails:    with false and an explanation in `why`.
 * Threads:  any; there is no shared state.
 */
#ifndef SUPPORT_ENVELOPE_H
#define SUPPORT_ENVELOPE_H

#include "base/text.h"
#include "support/http.h"

struct arena;

struct envelope_request {
    struct view method;
    struct view target;  /* path and query as the client wrote them */
    struct view headers; /* "Name: value" lines */
    struct view body;
};

/* The JSON that the host posts to /<function>. */
struct view envelope_wrap(const struct envelope_request *request, struct arena *mem);

/* `bytes` as a chunked body, in the host's pieces of 1,024. */
struct view envelope_chunks(struct view bytes, struct arena *mem);

/* The answer that the host would give its client. */
bool envelope_unwrap(const struct http_answer *from, struct arena *mem, struct http_answer *out,
                     struct text *why);

#endif
