/*
 * Azurite, a Devin stand-in and the handler between them, behind a Functions host stand-in whose app
 * has both functions or by itself: what the tests of the queue share.
 *
 * Owns:     queue_stage_up() starts processes that queue_stage_down() ends; it may be called always.
 * Units:    seconds and milliseconds as named; ports on 127.0.0.1.
 * Fails:    with false and an explanation in the test's `why`.
 * Threads:  one owner at a time, but for queue_stage_post().
 */
#ifndef SUPPORT_QUEUE_STAGE_H
#define SUPPORT_QUEUE_STAGE_H

#include "support/azurite.h"
#include "support/http.h"

enum { QUEUE_PATIENCE_MS = 90000 };

#define QUEUE_WAITING  "triage"
#define QUEUE_POISONED "triage-poison"

struct queue_plan {
    const char *settings;  /* further NAME=value lines, "-NAME" takes one away; NULL: none */
    bool is_hosted;        /* behind the host, which retries after a second */
    bool is_secure;        /* Azurite in https, which the settings then have to name */
    int hide_s;            /* of a message in the host's hands; 0: as long as the real one */
    int max_dequeue_count; /* of the host; 0: as good as never */
    const struct queue_stage *beside; /* shares its Azurite and its Devin; NULL: has its own */
};

struct queue_stage {
    struct azurite azurite;
    struct program devin, app; /* `app` is the host, or the handler by itself */
    const char *root;          /* of the host */
    bool is_hosted, is_guest;
    struct env env;
};

bool queue_stage_up(struct e2e *e2e, const struct queue_plan *plan, struct queue_stage *out);

/* Also false when the handler by itself said something on stderr that does not hold `allowed`. */
bool queue_stage_down(struct e2e *e2e, struct queue_stage *stage, const char *allowed);

/* SIGKILL for the handler, without a word; the host starts the next one. */
bool queue_stage_kill(struct e2e *e2e, struct queue_stage *stage);

/* Posts an alert of that name, each time the same firing; false without an answer. */
bool queue_stage_post(const struct queue_stage *stage, const char *name, struct arena *mem,
                      struct http_answer *out);

/* As above and the answer must have that status and hold these words. */
bool queue_stage_is(struct e2e *e2e, const struct queue_stage *stage, const char *name, int status,
                    const char *words);

/* Waits for the number to come; false with both numbers in `why`. */
bool queue_stage_holds(struct e2e *e2e, const struct queue_stage *stage, const char *queue,
                       int count);
bool queue_stage_has_sessions(struct e2e *e2e, const struct queue_stage *stage, int count);
bool queue_stage_has_said(struct e2e *e2e, const struct queue_stage *stage, const char *words,
                          int count);

/* Of Devin: how many sessions there are, how often one was asked for, -1: it does not say. */
int queue_stage_sessions(struct e2e *e2e, const struct queue_stage *stage);
int queue_stage_creates(struct e2e *e2e, const struct queue_stage *stage);

/* Lines of what was said so far, by handler and host, that hold `words`. */
int queue_stage_lines(struct e2e *e2e, const struct queue_stage *stage, const char *words);

bool queue_stage_devin_goes(struct e2e *e2e, const struct queue_stage *stage, bool is_gone);

/* Takes the messages out as soon as they can be seen, until there are `count`. */
bool queue_stage_take(struct e2e *e2e, const struct queue_stage *stage, const char *queue,
                      size_t count, struct storage_batch *out);

#endif
