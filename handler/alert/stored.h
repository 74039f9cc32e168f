/*
 * The stored form of a problem: what is kept of it until its fate is settled, and what each try to
 * open its session is made from.  Normalised, without secrets, and never too long for the queue.
 *
 * Owns:     nothing; everything lives in the arena.
 * Units:    bytes of JSON; seconds since 1970.
 * Fails:    stored_write() only without memory; stored_read() with FAIL_STORED_BROKEN, or without memory.
 * Threads:  any.
 *
 * What is read back and written again gives the same bytes, with or without a reason: so a session is
 * asked for with the same words however often it is tried.  Left out is what no later try needs: what
 * the fingerprint was made of, the notes for the log, and of alerts that are only named all but that.
 *
 * No member at the top has one of the names that the Functions host gives a message (Id, DequeueCount,
 * PopReceipt, ...): it would take their places in the invocation's metadata.
 */
#ifndef ALERT_STORED_H
#define ALERT_STORED_H

#include "alert/problem.h"

enum {
    /* A queue's message has 64 KiB of base64. */
    MAX_STORED_BYTES = 48 * 1024,
    /* So many of the alerts that were folded into a problem are named: as many as a prompt names. */
    MAX_STORED_NAMES = 50
};

struct stored {
    struct problem problem;
    struct view playbook;    /* as configured when it was stored; empty: none */
    struct view playbook_id; /* what that stands for; empty: nobody knew */
    long long first_seen_s;
    struct view reason; /* why it was given up; empty: it was not */
};

/* At most MAX_STORED_BYTES: what is too long is cut where a reader sees it, the logs first. */
bool stored_write(const struct stored *stored, struct arena *mem, struct view *out,
                  struct failure *why) MUST_CHECK;

bool stored_read(struct view message, struct arena *mem, struct stored *out,
                 struct failure *why) MUST_CHECK;

#endif
