/*
 * The handler between a test and a Devin stand-in of its own: what tests share that send what no
 * sane client sends, or many things at once.
 *
 * Owns:     duo_up() starts two processes that duo_down() ends.
 * Units:    milliseconds; ports on 127.0.0.1.
 * Fails:    with false and an explanation in the test's `why`; nothing is left running then.
 * Threads:  up and down from one; is_well() and is_at_end() any.
 */
#ifndef SUPPORT_DUO_H
#define SUPPORT_DUO_H

#include "support/e2e.h"
#include "support/http.h"

enum { DUO_PATIENCE_MS = 20000 };

struct duo {
    struct program devin, handler;
};

/* `settings` are further NAME=value lines, or NULL. */
bool duo_up(struct e2e *e2e, const char *settings, struct duo *out);

/* The handler ends as in duo_down() and a new one starts; Devin stays. */
bool duo_restart(struct e2e *e2e, const char *settings, struct duo *duo);

/* One more handler before the same Devin, which duo_leave() ends as duo_down() would. */
bool duo_join(struct e2e *e2e, const char *settings, const struct duo *first, struct duo *out);
bool duo_leave(struct e2e *e2e, struct duo *duo);

/* SIGTERM.  False unless the handler ends with 0, said nothing on stderr and JSON lines elsewhere. */
bool duo_down(struct e2e *e2e, struct duo *duo);

/* The process that was started is still there and answers a new connection. */
bool duo_is_well(struct e2e *e2e, struct duo *duo);

/* How often Devin was asked for a session; -1 when the stand-in does not say. */
int duo_count_creates(struct e2e *e2e, const struct duo *duo);

/* GET /, as the Functions host asks. */
extern const struct view duo_ping;

/* Whether nothing but the end of the connection comes. */
bool duo_is_at_end(int fd);

#endif
