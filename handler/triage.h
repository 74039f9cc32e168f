/*
 * The story: from the request that arrived to the reply that leaves, whichever protocol brought it.
 *
 * Owns:     nothing; what is made on the way lives in the request's arena.
 * Units:    milliseconds.
 * Fails:    triage_run() names the failure; triage_reply_failure() turns any failure into a reply.
 * Threads:  struct triage is constant after start and shared; all else belongs to one request.
 */
#ifndef TRIAGE_H
#define TRIAGE_H

#include "alert/stored.h"
#include "base/failure.h"
#include "base/redact.h"
#include "base/text.h"
#include "session/devin.h"
#include "session/playbook.h"
#include "session/prompt.h"

struct arena;

struct header {
    struct view name;
    struct view value;
};

/* A request as its sender made it, the same for both protocols. */
struct request {
    struct view method;
    struct view path;  /* as sent, without the query */
    struct view query; /* as sent, without the question mark; never logged */
    const struct header *headers;
    size_t header_count;
    struct view body;
    bool is_dry_run;        /* its sender only wants to see what would be done */
    struct view invocation; /* the Functions host's id of this invocation; empty outside it */
    long long spent_ms;     /* from the head's arrival until now */
    long long received_s;   /* when it came, since 1970 */
    bool is_retry;          /* the body is a stored alert, back from the queue */
    int dequeue_count;      /* of a retry: how often it has come; 0: not stated */
};

/* The first header of that name, without regard to case; empty when there is none. */
struct view request_header(const struct request *request, const char *name);

struct reply {
    int status;
    struct view body;  /* JSON */
    const char *allow; /* the Allow header, or NULL */
    int retry_after_s; /* the Retry-After header; 0: none */
};

enum turn {
    TURN_LEAD, /* go on, and tell the others with leave() */
    TURN_TOLD, /* somebody else has just done it: here is what came of it */
    TURN_LATE  /* somebody else is still at it and patience is over */
};

/* Who enters for a key, and what it finds there.  A result is words with spaces between them. */
struct arrival {
    struct view key;
    struct view word;   /* a result that holds it is the answer */
    struct view brings; /* words that whoever leads may see to; empty: none but itself can */
    long long patience_ms;

    struct arrival *next; /* while it waits */
    long long waited_ms;
    struct view result; /* what the last leader left; empty: nothing so far */
    struct view others; /* of TURN_LEAD with a result: what those bring who wait now */
};

/* The world outside: real in edge/, scripted in tests. */
struct wire {
    void *state;
    /* Sends and waits for the answer, at most `timeout_ms`; fills `out` in any case. */
    void (*send)(void *state, const struct call *call, long long timeout_ms, struct arena *mem,
                 struct answer *out);
    void (*wait)(void *state, long long ms);
    /*
     * Waits, in the order of arrival, until Devin may be called once more; false at once when that is
     * not within `patience_ms`.
     */
    bool (*pace)(void *state, long long patience_ms, long long *waited_ms);

    /* What requests of this process share: small values that stay true for a while. */
    bool (*recall)(void *state, struct view key, struct arena *mem, struct view *value);
    void (*remember)(void *state, struct view key, struct view value, long long ttl_ms);

    /*
     * One at a time for each key.  TURN_LEAD must be followed by leave(); the next whom the result there
     * does not answer leads with it, and an empty one says that it failed.
     */
    enum turn (*enter)(void *state, struct arrival *arrival, struct arena *mem);
    void (*leave)(void *state, struct view key, struct view result);
};

enum store_queue {
    STORE_TRIAGE, /* alerts whose fate is open */
    STORE_POISON  /* those that a person must look at */
};

/* What takes a stored message out again; an empty id: not stored. */
struct receipt {
    struct view id;
    struct view pop;
};

/*
 * Where an alert is stored from before Devin is called until its fate is settled: a message that shows
 * itself again after a while unless it is taken out.  Real in edge/, scripted in tests.
 */
struct store {
    void *state;
    /*
     * Puts one message, hidden for `hide_s`, within `timeout_ms`; fills `out` (from the arena) on
     * true and `spent_ms` in any case.  NULL: there is no queue.
     */
    bool (*put)(void *state, enum store_queue queue, struct view message, long long hide_s,
                long long timeout_ms, struct arena *mem, struct receipt *out, long long *spent_ms,
                struct failure *why);
    /* Out of STORE_TRIAGE, soon, while nobody waits; copies what it needs. */
    void (*remove)(void *state, const struct receipt *receipt);
};

enum on_resolved { RESOLVED_IGNORE, RESOLVED_MESSAGE };

struct triage_settings {
    long long timeout_ms;   /* the deadline of a request from anyone but Azure Monitor */
    long long max_sessions; /* a request opens at most so many */
    long long max_severity; /* less urgent alerts are ignored; a severity not stated passes */
    long long on_resolved;  /* enum on_resolved */
    bool is_dry_run;        /* every request is one */
    /* A stored alert shows itself again after so long, and never while its first try may last. */
    long long queue_hide_s;
    long long queue_max_age_h; /* after that no retry is made any more */
};

struct triage {
    struct triage_settings settings;
    struct prompt_settings prompt;
    struct playbook_settings playbook;
    struct devin_settings devin;
    struct wire wire;
    struct store store;
    const struct redact_settings *redact; /* NULL: no secrets of our own */
    struct view refusal; /* names the settings without which no alert can be served; empty: none */
    bool
        trusts_nobody; /* a secret is asked for and cannot be read: nothing of anybody's is stored */
};

enum action {
    ACTION_CREATED,
    ACTION_EXISTING,
    ACTION_MESSAGED,
    ACTION_IGNORED,
    ACTION_DRY_RUN,
    ACTION_DEFERRED /* Devin did not take it in time: it is stored and will be tried again */
};

/* What became of one problem. */
struct outcome {
    const struct problem *problem;
    /* What Devin is told: the form that is stored, where there is a queue. */
    const struct stored *stored;
    enum action action;
    struct session session; /* once there is one */
    struct view prompt;     /* of a dry run */
    struct view preview;    /* of a dry run: JSON members that tell what would be sent */
    bool has_failed;
    struct failure why;     /* when it has, or is deferred */
    struct receipt receipt; /* while it is stored */
    bool is_unstored;       /* it could not be stored, or not be moved to where a person looks */
    struct failure why_unstored;
    bool is_poisoned;   /* it has failed for good and lies where a person looks */
    int tries;          /* to create a session or to tell it something */
    int calls;          /* of Devin's API, look-ups included */
    struct pairs notes; /* for the log: what failed and did not matter */
};

/* What became of a request's alerts.  Valid, as far as known, on failure too. */
struct report {
    struct payload payload;
    struct problems problems; /* of firing alerts */
    struct problems resolved; /* of resolved ones, where a session shall be told */
    struct outcome *outcomes; /* one a problem that was reached */
    size_t count;
    const char *reason; /* when there was no problem: why, a literal */
    bool is_azure;      /* its sender retries 503 and nothing else of ours */
    int tries, calls;
    size_t redacted;    /* secrets that were taken out of what the sessions are told */
    long long devin_ms; /* spent on calls and waits */
    long long store_ms; /* spent on storing what came */
};

/* "created", "existing", "messaged", "ignored", "dry-run", "deferred". */
const char *action_name(enum action action);

/*
 * A request's alerts, from its body to the sessions that were opened.  False when not every alert is
 * covered; `why` is then the first thing that failed.  `out` is filled as far as the story went even
 * then: the reply depends on who sent the alert, and tells what succeeded.
 *
 * With a queue every alert is stored before Devin is called for any of them, and one that Devin does not
 * take in time is covered: it comes again, as a retry.  A retry that is given up is poisoned, and that
 * covers it; false means that it shall come once more.
 */
bool triage_run(const struct triage *triage, const struct request *request, struct arena *mem,
                struct report *out, struct failure *why) MUST_CHECK;

/*
 * To be called once the reply has left: takes out of the store what is settled, and moves what will
 * never succeed to where a person looks.
 */
void triage_settle(const struct triage *triage, struct report *report, struct arena *mem);

struct reply triage_reply(const struct report *report, struct arena *mem);
/* `report` may be NULL when the payload was never read. */
struct reply triage_reply_failure(const struct failure *why, const struct report *report,
                                  struct arena *mem);

#endif
