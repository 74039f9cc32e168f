/*
 * Cases: one file tells what a sender posts, how Devin answers, and what must come of it.  The
 * sections a file may have are the members of struct e2e_case, in words; tests/cases/README.md
 * tells how to write one.
 *
 * Owns:     nothing; all views live in the arena given to case_read().
 * Units:    status is an HTTP status code.
 * Fails:    case_read() with a sentence in `why`.
 * Threads:  any; there is no shared state.
 */
#ifndef SUPPORT_CASE_H
#define SUPPORT_CASE_H

#include "base/text.h"

struct arena;

struct e2e_case {
    const char *path;
    struct view title;
    struct view settings;  /* NAME=value, NAME= or -NAME lines */
    struct view protocols; /* words; empty: both */

    struct view request; /* the section as it stands in the file */
    struct view method, target, headers, body;
    long long repeat;    /* how often the request is sent; the last answer is looked at */
    struct view devin;   /* scripted faults, one JSON object a line */
    struct view options; /* of the Devin stand-in, a JSON object */

    struct view reply;
    int status;
    struct view reply_headers, reply_body;
    bool is_exact; /* the reply has no members beyond the wanted ones */

    struct view calls;
    bool has_calls, same_bytes;
    bool is_call_exact; /* the last create has no members beyond the wanted ones */
    long long call_count;
    struct view call_body;
    struct view asked; /* all calls of Devin's API in their order: "METHOD path?query" lines */

    bool has_prompt;
    struct view prompt, prompt_has, prompt_lacks;
    struct view log_has, log_lacks, stderr_has;

    /* A command line of the handler instead of a request. */
    struct view command;
    long long exit_code;
    struct view out_has, out_lacks;

    long long least_ms, most_ms; /* how long all requests together may take; 0: no matter */

    struct view repeat_text, exit_text, least_text, most_text;
};

bool case_read(const char *path, struct arena *mem, struct e2e_case *out, struct text *why);

/* The next line of `rest` without its line feed; false at the end. */
bool lines_next(struct view *rest, struct view *line);

/* Cuts "name<mark>value" and trims both; false without the mark. */
bool lines_pair(struct view line, char mark, struct view *name, struct view *value);

#endif
