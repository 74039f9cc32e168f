/*
 * What the storage's queue service answers, read.  Foreign bytes: what cannot be read is left out,
 * and nothing of it becomes an address or a word of ours unchecked.
 *
 * Owns:     nothing; views point into the answer or the arena.
 * Units:    dates stay as the service writes them.
 * Fails:    queue_answer_read() when it is no list of messages, or without memory.
 * Threads:  any.
 *
 * Sources: learn.microsoft.com, rest/api/storageservices/get-messages, put-message and
 * status-and-error-codes2.
 */
#ifndef EDGE_QUEUE_ANSWER_H
#define EDGE_QUEUE_ANSWER_H

#include "base/failure.h"
#include "base/text.h"

struct arena;

enum { MAX_MESSAGES = 32 }; /* as many as one call gives */

struct queue_message {
    struct view id;       /* letters, digits and dashes; never empty */
    struct view pop;      /* empty: only looked at */
    struct view text;     /* decoded when it was base64, else as it came */
    struct view inserted; /* dates */
    struct view visible;
    long long dequeue_count;
};

struct queue_messages {
    struct queue_message items[MAX_MESSAGES];
    size_t count;
};

bool queue_answer_read(struct view xml, struct arena *mem, struct queue_messages *out) MUST_CHECK;

/* "QueueNotFound"; empty when it names none. */
struct view queue_answer_code(struct view xml);

/* Whether a message's id may be part of a path. */
bool queue_is_id(struct view id);

#endif
