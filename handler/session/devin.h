/*
 * One Devin session for one alert: builds the request once, then decides after each answer what
 * comes next.  Pure: somebody else sends, waits and looks at the clock (struct wire in triage.h).
 *
 * Owns:     nothing; calls and sessions live in the arena.
 * Units:    milliseconds.
 * Fails:    devin_begin() without memory; devin_step() says DEVIN_FAILED and fills `why`.
 * Threads:  a struct devin belongs to its request.
 *
 * Devin's API v1: docs.devin.ai, /api-reference/v1/sessions/create-a-new-devin-session.
 */
#ifndef SESSION_DEVIN_H
#define SESSION_DEVIN_H

#include "base/failure.h"
#include "base/text.h"

struct arena;

struct devin_settings {
    long long tries;    /* how often one request is sent at most */
    long long retry_ms; /* the first wait; each further one is twice as long */
};

/* A prepared request; only the wire adds host and key. */
struct call {
    const char *method;
    const char *path;
    struct view body;
};

enum answer_kind {
    ANSWER_HTTP,          /* a status and a body */
    ANSWER_NOT_CONNECTED, /* the request surely did not reach the server */
    ANSWER_TIMEOUT,
    ANSWER_BROKEN /* the connection ended before the answer did */
};

struct answer {
    enum answer_kind kind;
    int status;
    struct view body;         /* capped by the wire; may be anything */
    long long retry_after_ms; /* what Retry-After asks for; 0: nothing */
    long long elapsed_ms;
    const char *error; /* for the log: a literal of the wire's, or NULL */
};

struct session {
    struct view id;
    struct view url;
    bool is_new; /* false: Devin gave back the session of an earlier, equal request */
};

enum devin_move { DEVIN_SEND, DEVIN_WAIT, DEVIN_DONE, DEVIN_FAILED };

struct devin_next {
    enum devin_move move;
    long long ms; /* time-out of the send, or length of the wait */
};

struct devin {
    const struct devin_settings *settings;
    struct call call;
    struct session session; /* once DEVIN_DONE */
    int tries;              /* made so far */
};

struct devin_request {
    struct view prompt;
    struct view title;
    struct view playbook_id; /* empty: left out */
};

/* Builds the request; each try sends the same bytes, so that `idempotent` can recognise them. */
bool devin_begin(struct devin *devin, const struct devin_settings *settings,
                 const struct devin_request *request, struct arena *mem,
                 struct failure *why) MUST_CHECK;

/*
 * What to do now, given the answer to the last send (NULL at first and after a wait) and the time
 * left until the deadline.
 */
struct devin_next devin_step(struct devin *devin, const struct answer *last, long long left_ms,
                             struct arena *mem, struct failure *why);

#endif
