/*
 * The alert: what every sender's payload becomes, before anything is decided about it.
 *
 * Owns:     nothing; all views live in the arena given to payload_read().
 * Units:    severity 0 (critical) to 4 (verbose); line counts from 1; times are ISO 8601 as sent.
 * Fails:    pairs only without memory.
 * Threads:  an alert belongs to its request.
 *
 * An empty view means "not stated".  Views hold foreign text: valid UTF-8, otherwise anything.
 */
#ifndef ALERT_ALERT_H
#define ALERT_ALERT_H

#include "base/failure.h"
#include "base/text.h"

struct arena;
struct redactor;
struct source;

enum {
    MAX_CUSTOM_FIELDS = 32,
    MAX_DIMENSIONS = 64,
    MAX_LINKS = 8,
    MAX_CONDITIONS = 8,
    MAX_NOTES = 16,
    MAX_KEY_BYTES = 128,
    MAX_VALUE_BYTES = 1024,
    MAX_LINK_BYTES = 4096
};

struct pair {
    struct view key;
    struct view value;
};

/* Pairs in the order they came.  What went over the limit is counted, not kept. */
struct pairs {
    struct pair *at;
    size_t count;
    size_t left_out;
};

/* "Other" is neither a problem nor its end: an acknowledgement, a handshake, too little data. */
enum alert_state { ALERT_FIRED, ALERT_RESOLVED, ALERT_OTHER };

struct alert {
    const struct source *from; /* the dialect that claimed the payload */
    enum alert_state state;
    bool has_state;     /* the payload states it; else it counts as fired */
    const char *reason; /* why an alert that is "other" needs no session: a literal, or NULL */
    struct view name;
    bool has_severity;
    int severity;
    struct view description;
    struct view resource;
    struct view signal_type;
    struct view fired_time;
    struct view source;   /* a label: the sender's own word, else the dialect's name */
    struct view alert_id; /* as the sender gave it; need not tell one firing from the next */
    struct view problem;  /* the sender's own id of it: of rule and series, of the monitor */
    struct view file;
    long long line; /* 0: not stated */
    struct view logs;
    struct view query;
    struct pairs conditions; /* in words; keys are empty */
    struct pairs dimensions; /* what tells series apart: nothing that changes with each firing */
    struct pairs links;      /* label and URL; shown, never fetched */
    struct pairs custom;     /* what else a payload carries */
    struct pairs notes;      /* for the log: field name, what became of it */
};

/* Adds copies, capped at MAX_KEY_BYTES and `max_value`; false only without memory. */
bool pairs_add(struct pairs *pairs, size_t limit, struct view key, struct view value,
               size_t max_value, struct arena *mem) MUST_CHECK;

/* As pairs_add(), but of equal keys the last counts; an empty value only takes the key away. */
bool pairs_put(struct pairs *pairs, size_t limit, struct view key, struct view value,
               size_t max_value, struct arena *mem) MUST_CHECK;

/* NULL when no pair has that key. */
const struct pair *pairs_find(const struct pairs *pairs, struct view key);

/* The same pairs, or alert, without secrets, in the order a prompt shows them; false only without memory. */
bool pairs_redact(const struct pairs *pairs, struct redactor *redactor, struct arena *mem,
                  struct pairs *out) MUST_CHECK;
bool alert_redact(const struct alert *alert, struct redactor *redactor, struct arena *mem,
                  struct alert *out) MUST_CHECK;

#endif
