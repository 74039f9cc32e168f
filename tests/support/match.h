/*
 * Comparing JSON with what a case wants of it, and saying readably where it differs.
 *
 * Owns:     nothing.
 * Units:    none.
 * Fails:    with false and a "wanted / got" explanation added to `why`.
 * Threads:  any; there is no shared state.
 *
 * A wanted string "*" stands for any string that is not empty.  Members that are not wanted may be
 * there, unless `is_exact`.
 */
#ifndef SUPPORT_MATCH_H
#define SUPPORT_MATCH_H

#include "base/text.h"

struct arena;

/* `what` says in the explanation what is compared: "reply". */
bool match_json(const char *what, struct view wanted, struct view got, bool is_exact,
                struct arena *mem, struct text *why);

/* Equal texts; a difference is explained by the first line that differs. */
bool match_text(const char *what, struct view wanted, struct view got, struct text *why);

/* Each line of `lines` occurs in `whole`, or none does. */
bool match_has(const char *what, struct view lines, struct view whole, struct text *why);
bool match_lacks(const char *what, struct view lines, struct view whole, struct text *why);

/* Adds "    <what>: wanted <wanted>, got <got>"; returns false. */
bool differs(struct text *why, const char *what, struct view wanted, struct view got);

/* Adds a sentence as a line of its own; returns false. */
bool complain(struct text *why, const char *sentence, struct view what);

#endif
