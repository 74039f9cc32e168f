/*
 * The Devin stand-in's control endpoint: scripting faults, asking what it was called with.
 *
 * Owns:     control_calls() fills a struct json that json_free() releases.
 * Units:    ports on 127.0.0.1.
 * Fails:    with false when the stand-in does not answer 2xx.
 * Threads:  any.
 */
#ifndef SUPPORT_CONTROL_H
#define SUPPORT_CONTROL_H

#include "base/json.h"
#include "base/text.h"

struct arena;

bool control_reset(int port);

/* JSON objects as the top of standin/devin.c tells; `id` may be "newest". */
bool control_options(int port, struct view options);
bool control_session(int port, struct view id, struct view state);

/* Which payload a session came from or was told by; `action` may be empty. */
bool control_payload(int port, struct view id, struct view payload, struct view action);

/*
 * `lines` holds one JSON object a line; each next call of Devin's API that it is about consumes one.
 * One without "on" is about v1's creates.
 */
bool control_faults(int port, struct view lines);

/* A list of {method, path, query, bearer, authorized, content_type, body, status}, oldest first. */
bool control_calls(int port, struct arena *mem, struct json *out);

/* {count, sessions}, oldest first. */
bool control_sessions(int port, struct arena *mem, struct json *out);

/* Of the calls the ones that create a session, on v1 or v3; NULL after the last.  Start with json_first(). */
const struct cJSON *control_next_create(const struct cJSON *call);

#endif
