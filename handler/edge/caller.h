/*
 * Who may call: the webhook secret, in whichever way the caller can present it.
 *
 * Owns:     nothing.
 * Units:    none.
 * Fails:    with FAIL_UNAUTHORIZED, whatever was wrong, so that nothing can be learned from it, or
 *           with FAIL_INTERNAL without memory.
 * Threads:  any.
 *
 * In Azure the Functions host has already checked the function key (?code=); this is asked for as
 * well.  Azure Monitor's plain webhooks cannot send Authorization, so the query parameter `token`
 * counts too.  Secrets are compared in constant time.
 */
#ifndef EDGE_CALLER_H
#define EDGE_CALLER_H

#include "triage.h"

struct caller_settings {
    struct view secret;   /* empty: anybody may call */
    struct view previous; /* accepted too while the secret is rotated */
};

/* Whether the query says `dryRun=1` (or true). */
bool caller_wants_dry_run(const struct request *request, struct arena *mem);

bool caller_check(const struct caller_settings *settings, const struct request *request,
                  struct arena *mem, struct failure *why) MUST_CHECK;

#endif
