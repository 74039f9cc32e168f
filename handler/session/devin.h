/*
 * One Devin session for one problem: decides after each answer which call comes next, until there is
 * a session.  Pure: somebody else sends, waits and looks at the clock (struct wire in triage.h).
 *
 *   organization ─► playbook ─► look-up ─┬─► create ─► check ─┐
 *   (v3, unknown)   (a name)   (by tag)  ├─► count ─► message ├─► tag ─► done
 *        └──────────► told ──────────────┴────────────────────┘
 *             (another request's session)
 *
 * Owns:     nothing; calls and sessions live in the arena.
 * Units:    milliseconds.
 * Fails:    devin_begin() without memory; devin_step() says DEVIN_FAILED and fills `why`.
 * Threads:  a struct devin belongs to its request.
 *
 * Only the organization, the create and a message that was asked for can fail; a list, a count or a
 * tag that fails is noted and never stops an alert, unless that is kept and can wait for the list.
 */
#ifndef SESSION_DEVIN_H
#define SESSION_DEVIN_H

#include "alert/problem.h"
#include "base/failure.h"
#include "session/api.h"
#include "session/playbook.h"
#include "session/retry.h"

/* What a problem that fires while its session is active asks for. */
enum on_refire { REFIRE_JOIN, REFIRE_MESSAGE, REFIRE_CREATE };

struct devin_settings {
    struct retry_settings retry;
    struct api api; /* v3 without an organization asks for it */
    struct session_options options;
    long long on_refire;    /* enum on_refire */
    long long max_messages; /* we send at most so many to one session */
};

/* What one request learns and others need not ask again. */
struct devin_known {
    struct view org;
    struct playbook_known playbook; /* of this request's playbook */
};

enum devin_goal {
    GOAL_OPEN,   /* a session for a firing alert */
    GOAL_RESOLVE /* tell the open session, if there is one, that it is over */
};

/* A session that another request has just opened or joined for the same problem; no list need know it. */
struct devin_told {
    struct view id; /* empty: nobody has */
    struct view url;
    struct view tags; /* of firings and problems it stands for, joined by spaces */
};

struct devin_request {
    enum devin_goal goal;
    struct view prompt;
    struct view title;
    struct view playbook;    /* as configured: an id, a title or a !macro; empty: none */
    struct view playbook_id; /* what that stands for; empty: to be found out */
    struct view message; /* for a session that is open already; begins with DEVIN_MESSAGE_MARK */
    const struct problem *problem;
    bool has_identity; /* its sender tells problems apart: look for an open session first */
    bool is_repeated;  /* it was asked for before: look first whether that has made a session */
    long long since_s; /* of one that is repeated: when it was asked for first, since 1970 */
    bool is_stored;    /* it will be asked for again: not knowing is a reason to wait for that */
    struct devin_told told; /* joined as if the look-up had found it, unless it has ended */
};

/* Tells our messages from a person's. */
#define DEVIN_MESSAGE_MARK "Alert bridge: "

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

enum devin_move { DEVIN_SEND, DEVIN_WAIT, DEVIN_DONE, DEVIN_FAILED };

struct devin_next {
    enum devin_move move;
    long long ms; /* time-out of the send, or length of the wait */
};

enum devin_result { RESULT_CREATED, RESULT_EXISTING, RESULT_MESSAGED, RESULT_NOTHING };

enum devin_stage {
    STAGE_ORG,
    STAGE_PLAYBOOK,
    STAGE_TOLD,   /* another request's session: is it open, and which tags has it? */
    STAGE_LOOKUP, /* an open session of this problem, or any of this firing */
    STAGE_CREATE,
    STAGE_CONFIRM, /* a create whose fate is unclear: did it make a session? */
    STAGE_CHECK,   /* an old session came back for an alert without a firing: is it still open? */
    STAGE_COUNT,
    STAGE_MESSAGE,
    STAGE_TAG
};

struct devin {
    const struct devin_settings *settings;
    const struct devin_request *request;
    struct devin_known known;
    struct api api;
    enum devin_stage stage;
    struct call call;
    int tries; /* of this stage's call */
    int sends; /* of all calls */
    int asks;  /* of them, tries to create a session or to tell it something */

    enum devin_result result; /* once DEVIN_DONE, with `session` unless it is RESULT_NOTHING */
    struct session session;
    bool is_told;  /* `session` is that of `request->told` */
    bool is_plain; /* create without `idempotent` */
    bool is_without_playbook;
    int creates;
    struct failure create_failure; /* while it is being confirmed */
    bool may_create_again;         /* should it turn out that there is no session */
    struct view cursor;
    size_t seen; /* items on the pages before */
    bool has_found;
    struct session found; /* the best so far */
    struct pairs notes;   /* for the log: what failed and did not matter */
};

/* `request` and `settings` are borrowed until the end; `known` is what was learned before. */
bool devin_begin(struct devin *devin, const struct devin_settings *settings,
                 const struct devin_request *request, const struct devin_known *known,
                 struct arena *mem, struct failure *why) MUST_CHECK;

/* The create that would be sent if nobody had to be asked first: a playbook's name stands for its id. */
bool devin_create_call(const struct devin_request *request, const struct devin_settings *settings,
                       struct arena *mem, struct call *out) MUST_CHECK;

/*
 * What to do now, given the answer to the last send (NULL at first and after a wait) and the time
 * left until the deadline.
 */
struct devin_next devin_step(struct devin *devin, const struct answer *last, long long left_ms,
                             struct arena *mem, struct failure *why);

/* What a try that did not succeed met. */
enum trouble devin_trouble(const struct answer *answer);

/* Why a call that met this answer failed, in the words of our list; false always. */
bool devin_fail(const struct answer *answer, const struct cJSON *body, struct arena *mem,
                struct failure *why);

#endif
