/*
 * Envelopes: what carries another system's body through a topic or a bus.  SNS, Google Pub/Sub,
 * CloudEvents and Event Grid are opened here; what is inside is then read as if it had come alone.
 *
 * Owns:     a tree that was parsed from a string, until envelope_close().
 * Units:    none.
 * Fails:    with a 400 when the envelope says that it holds JSON and does not; then there is nothing
 *           to close.
 * Threads:  an envelope belongs to its request.
 *
 * Nothing is ever fetched: a URL that wants to be opened is for a person.
 */
#ifndef ALERT_ENVELOPE_H
#define ALERT_ENVELOPE_H

#include "base/failure.h"
#include "base/json.h"
#include "base/text.h"

struct arena;
struct source;

/* A body with more envelopes than this one inside the other is refused. */
enum { MAX_ENVELOPES = 3, MAX_CHALLENGE_BYTES = 512 };

struct envelope {
    const struct cJSON *inside; /* the body it carries; NULL: it carries none */
    struct json tree;           /* of `inside`, when that came as a string */
    const char *reason;         /* why there is nothing to do when it carries none, a literal */
    struct view challenge;      /* what must be echoed; empty: nothing */
    struct view id, time;       /* of this delivery, for alerts that state none */
};

/* An event of a bus: what may also come as a list of such. */
bool envelope_is_event(const struct cJSON *body);

/* `is_envelope` false: the body is none and `out` is untouched. */
bool envelope_open(const struct cJSON *body, struct arena *mem, bool *is_envelope,
                   struct envelope *out, struct failure *why) MUST_CHECK;
void envelope_close(struct envelope *envelope);

#endif
