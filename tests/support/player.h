/*
 * Plays a case: a fresh handler between a client and the Devin stand-in, then looks at everything
 * that came of it: reply, calls, prompt, log, exit.
 *
 * Owns:     nothing after player_play(); the handler it started has ended.
 * Units:    none.
 * Fails:    with false and an explanation in `why`; it never hangs.
 * Threads:  one player per Devin stand-in.
 */
#ifndef SUPPORT_PLAYER_H
#define SUPPORT_PLAYER_H

#include "support/case.h"
#include "support/program.h"

enum protocol { PROTOCOL_FORWARD, PROTOCOL_CHUNKED_ENVELOPE, PROTOCOL_ENVELOPE, PROTOCOL_COUNT };

/* What the runner puts into X-Azure-Functions-InvocationId. */
#define PLAYER_INVOCATION "7a1f0c3e-6f0e-4c0b-9d4e-2f6f1a0b7c11"

const char *protocol_name(enum protocol protocol);

/* Whether the case wants to be played that way. */
bool player_wants(const struct e2e_case *test, enum protocol protocol);

/* `devin_port` is the stand-in's; it is reset first. */
bool player_play(const struct site *site, int devin_port, const struct e2e_case *test,
                 enum protocol protocol, struct text *why);

/* The settings that every case starts from: key, repository, Devin's address, short waits. */
void player_defaults(struct env *env, int devin_port);

/* Each line of a handler's stdout is one JSON object with time, level and event. */
bool player_log_is_sound(struct view out, struct arena *mem, struct text *why);

#endif
