/*
 * What requests of one process share: small values that stay true for a while, whose turn it is for a
 * key, and how often Devin may be called.
 *
 * Owns:     shared_start() gives what shared_stop() ends; values handed out live in the caller's arena.
 * Units:    milliseconds; calls a minute.
 * Fails:    without memory a value is not remembered, and everybody leads; a result of 8 KiB and more
 *           counts as none.
 * Threads:  any number; start and stop from one, with nobody inside.
 */
#ifndef EDGE_SHARED_H
#define EDGE_SHARED_H

#include "triage.h"

struct shared;

/* `calls_a_minute` 0: as many as come. */
struct shared *shared_start(long long calls_a_minute);
void shared_stop(struct shared *shared);

/* As struct wire has them in triage.h. */
bool shared_recall(struct shared *shared, struct view key, struct arena *mem, struct view *value);
void shared_remember(struct shared *shared, struct view key, struct view value, long long ttl_ms);
enum turn shared_enter(struct shared *shared, struct arrival *arrival, struct arena *mem);
void shared_leave(struct shared *shared, struct view key, struct view result);

/*
 * Waits for the next call's place in the pace, in the order of arrival; false at once when it lies
 * beyond `patience_ms`.
 */
bool shared_pace(struct shared *shared, long long patience_ms);

#endif
