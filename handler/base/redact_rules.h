/*
 * Where a secret stands: the rules of base/redact, which say from where to where it goes and of what
 * kind it is.
 *
 * Owns:     nothing.
 * Units:    offsets into the text.
 * Fails:    never.
 * Threads:  tables are constant; a scan belongs to its redactor.
 */
#ifndef BASE_REDACT_RULES_H
#define BASE_REDACT_RULES_H

#include "base/redact.h"

struct redact_scan {
    struct redactor *redactor;
    struct view all;
    size_t jwt_dead_until;      /* no token begins before, for the same reason as the last one */
    size_t run_from, run_until; /* the last unquoted value: whoever starts inside ends there too */
};

struct redact_found {
    size_t from, until;
    enum redact_kind kind;
};

void redact_set_starts(struct redactor *redactor);

/* The next offset from `at` on where a rule may find something. */
size_t redact_next(struct redact_scan *scan, size_t at);

/* A secret that stands at or, for rules that begin at a mark in its middle, around `at`. */
bool redact_find(struct redact_scan *scan, size_t at, struct redact_found *out);

/* The same for what has a shape of its own and begins exactly there. */
bool redact_find_shaped(struct redact_scan *scan, size_t at, struct redact_found *out);

/* --- what the rules share --------------------------------------------------------------------- */

/* '+', '/' and '=' are BASE, '~' is MORE. */
enum { LOWER = 1, UPPER = 2, DIGIT = 4, UNDER = 8, DASH = 16, DOT = 32, BASE = 64, MORE = 128 };
enum {
    ALNUM = LOWER | UPPER | DIGIT,
    WORD = ALNUM | UNDER,
    URL64 = WORD | DASH,
    NAME = URL64 | DOT,
    BEARER = NAME | BASE | MORE
};

/* clang-format off */
#define WORD_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

bool redact_is_of(char c, int class);
bool redact_is_space(char c);
/* NUL behind the end. */
char redact_byte(const struct redact_scan *scan, size_t at);
/* How many bytes of that class stand from `at` on, as far as `max`. */
size_t redact_run(struct redact_scan *scan, size_t at, int class, size_t max);
/* Fills `out`; true always. */
bool redact_found_at(size_t from, size_t until, enum redact_kind kind, struct redact_found *out);

#endif
