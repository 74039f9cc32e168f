/*
 * The triage prompt: what Devin reads.  A template says it, the built-in one in the documented
 * headings and sentences; the values behind its names, and their limits, are at home here.
 *
 * Owns:     nothing; the prompt lives in the arena.
 * Units:    bytes of UTF-8.
 * Fails:    only without memory.
 * Threads:  any; settings are read only.
 *
 * The same alert and settings give the same bytes: no clock, no random.  All that comes from the
 * alert is data: one-line fields stay on their line, longer text stands in a fence longer than any
 * run of backticks inside it, and nothing is scanned again once it is in.  What is too long is cut
 * where a reader sees it; what the template itself says always stays.  A template too long for any
 * value beside it gives way to the built-in one.
 */
#ifndef SESSION_PROMPT_H
#define SESSION_PROMPT_H

#include "alert/problem.h"

struct template;

struct prompt_settings {
    struct view target_repo;
    struct view jira_project;        /* empty: no such task */
    struct view slack_channel;       /* empty: no such task */
    long long max_bytes;             /* of the whole prompt; 0: the usual 65536 */
    const struct template *template; /* NULL: the built-in one, read each time */
};

/* Whether a template's name is one of ours; any other can only be a custom field's. */
bool prompt_knows(struct view name);

bool prompt_render(const struct problem *problem, const struct prompt_settings *settings,
                   struct arena *mem, struct view *out, struct failure *why) MUST_CHECK;

/* "[Sev1] name on resource", on one line and at most 200 bytes. */
bool prompt_title(const struct alert *alert, struct arena *mem, struct view *out,
                  struct failure *why) MUST_CHECK;

#endif
