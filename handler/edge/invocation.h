/*
 * The Functions host's two protocols: what is routed where, and the JSON envelope of the default
 * mode (functions-host sources: HttpScriptInvocationContext.cs, HttpScriptInvocationResult.cs).
 *
 * Owns:     nothing; requests and answers live in the arena.
 * Units:    bytes.
 * Fails:    opening with FAIL_BAD_ENVELOPE.  Closing always gives JSON.
 * Threads:  any.
 */
#ifndef EDGE_INVOCATION_H
#define EDGE_INVOCATION_H

#include "triage.h"

enum route {
    ROUTE_PING,      /* GET /: the host asks whether we are ready */
    ROUTE_FORWARDED, /* the sender's own request on its own path */
    ROUTE_ENVELOPE,  /* POST /<FunctionName> with Data and Metadata */
    ROUTE_RETRY,     /* the same for the function that a queue triggers */
    ROUTE_NONE
};

/* ASP.NET routes without regard to case and to a slash at the end; so do we. */
enum route invocation_route(struct view method, struct view path);

/*
 * The host appends its id to whatever the client sent under that name: the last item is the host's.
 * Empty when it is not made of letters, digits and dashes.
 */
struct view invocation_id(struct view header);

/* The sender's request out of an envelope; `invocation` is taken from the outer request. */
bool invocation_open(struct view envelope, struct arena *mem, struct request *out,
                     struct failure *why) MUST_CHECK;

/*
 * A reply as the envelope's answer, with one line for the invocation's log.  Never empty: an empty
 * 2xx would hang the host until its time-out.
 */
struct view invocation_close(const struct reply *reply, struct view log_line, struct arena *mem);

/*
 * The message out of a queue trigger's envelope, however often it was encoded on the way: fills body,
 * is_retry and dequeue_count and leaves the rest of `out` alone.
 */
bool invocation_open_retry(struct view envelope, struct arena *mem, struct request *out,
                           struct failure *why) MUST_CHECK;

/*
 * The answer to a queue trigger, which has no output but its log.  The status beside it says whether the
 * message is done with.
 */
struct view invocation_close_retry(struct view log_line, struct arena *mem);

#endif
