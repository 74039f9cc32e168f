/*
 * The queues `triage` and `triage-poison` of a storage account: Azure's Queue service over REST.  A
 * queue that does not exist is created when something is put into it, and empty until then.
 *
 * Owns:     queue_start() gives what queue_stop() ends; what is read lives in the caller's arena.
 * Units:    seconds for hiding (0 to 7 days), milliseconds for patience.
 * Fails:    FAIL_STORE_DOWN with a sentence of ours (never the peer's) as its reason.
 * Threads:  any number may call at once; start and stop from one, the stop after wire_stop().
 *
 * Sources: learn.microsoft.com, rest/api/storageservices/queue-service-rest-api and the pages below.
 */
#ifndef EDGE_QUEUE_H
#define EDGE_QUEUE_H

#include "base/failure.h"
#include "base/text.h"
#include "edge/queue_answer.h"
#include "edge/storage.h"
#include "edge/wire.h"
#include "triage.h"

struct queue;

/* As the account and the Functions host call it. */
const char *queue_name(enum store_queue where);

/* Both stay the caller's. */
struct queue *queue_start(struct wire_loop *loop, const struct account *account);
void queue_stop(struct queue *queue);

/* What the story needs; valid until wire_stop(). */
struct store queue_store(struct queue *queue);

/* A message of at most 48 KiB; it never expires. */
bool queue_put(struct queue *queue, enum store_queue where, struct view message, long long hide_s,
               long long timeout_ms, struct arena *mem, struct receipt *out,
               struct failure *why) MUST_CHECK;
/* For good.  True also when it was no longer there. */
bool queue_delete(struct queue *queue, enum store_queue where, const struct receipt *receipt,
                  long long timeout_ms, struct arena *mem, struct failure *why) MUST_CHECK;
/* Hides a message for so long from now on; its contents stay. */
bool queue_hide(struct queue *queue, enum store_queue where, const struct receipt *receipt,
                long long hide_s, long long timeout_ms, struct arena *mem,
                struct failure *why) MUST_CHECK;
/* Up to MAX_MESSAGES from the front, those that are hidden left out; changes nothing. */
bool queue_peek(struct queue *queue, enum store_queue where, long long timeout_ms,
                struct arena *mem, struct queue_messages *out, struct failure *why) MUST_CHECK;
/* The same, but each is hidden for `hide_s` and has a receipt. */
bool queue_take(struct queue *queue, enum store_queue where, long long hide_s, long long timeout_ms,
                struct arena *mem, struct queue_messages *out, struct failure *why) MUST_CHECK;
/* About how many there are, hidden ones too. */
bool queue_count(struct queue *queue, enum store_queue where, long long timeout_ms,
                 struct arena *mem, long long *out, struct failure *why) MUST_CHECK;

#endif
