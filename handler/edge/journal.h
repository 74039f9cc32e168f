/*
 * What is said about a request: its lines in the log, and one for the invocation's own log.
 *
 * Owns:     nothing.
 * Units:    milliseconds.
 * Fails:    never; what does not fit is left out.
 * Threads:  any; an entry belongs to its request.
 */
#ifndef EDGE_JOURNAL_H
#define EDGE_JOURNAL_H

#include "triage.h"

struct journal_entry {
    const struct request *request;
    const struct reply *reply;   /* the one the sender gets */
    const struct failure *why;   /* NULL: nothing failed */
    const struct report *report; /* NULL: the story was not told */
    bool is_enveloped;
    long long ms; /* since the head arrived */
    struct arena *mem;
};

/* One line a request: who, what was decided, how long, how many tries; and one a problem, if several. */
void journal_write(const struct journal_entry *entry);

/* What came of alerts after the reply: a line for each that was given up.  The entry needs no reply. */
void journal_settled(const struct journal_entry *entry);

/* A request's line for the invocation's own log in envelope mode: short, for a person. */
struct view journal_line(const struct journal_entry *entry);

#endif
