/*
 * Problems: which alerts are about the same thing.  A fingerprint names the problem, a firing one
 * occurrence of it; both are made from the alert alone, so that every instance and every restart
 * makes the same.
 *
 * Owns:     nothing; everything lives in the arena.
 * Units:    tags are "fp-" and "alert-" with 16 hex digits, the front of a SHA-256.
 * Fails:    only without memory.
 * Threads:  any.
 */
#ifndef ALERT_PROBLEM_H
#define ALERT_PROBLEM_H

#include "alert/payload.h"

struct identity {
    struct view fingerprint; /* "fp-…": source and what the dialect's `identity` names */
    struct view firing;      /* "alert-…": fingerprint, the sender's id and the fired time */
    bool has_firing;         /* the alert states an id or a time of its own */
    struct pairs fields;     /* what the fingerprint was made of */
};

/*
 * Whether its sender tells one problem from another: all but native do; native does where it states
 * an alertId or names one of the systems whose rules it carries (kibana, elastic, watcher).
 */
bool identity_is_real(const struct alert *alert);

bool identity_of(const struct alert *alert, struct arena *mem, struct identity *out) MUST_CHECK;

/* One session's worth: the alert it is about, and those that are only named in it. */
struct problem {
    const struct alert *alert;
    struct identity identity;
    const struct alert **also;
    size_t also_count;
    struct view *also_fingerprints; /* other problems that were folded into this one */
    size_t also_fingerprint_count;
};

struct problems {
    struct problem *at;
    size_t count;
};

/*
 * The alerts of a payload in that state by fingerprint, in the order they came.  More than `max` problems
 * are folded into the last one: no alert is lost, and later repeats find that session.
 */
bool problems_of(const struct payload *payload, enum alert_state state, size_t max,
                 struct arena *mem, struct problems *out) MUST_CHECK;

/* The same problem, its alerts without secrets; what it is called stays. */
bool problem_redact(const struct problem *problem, struct redactor *redactor, struct arena *mem,
                    struct problem *out) MUST_CHECK;

#endif
