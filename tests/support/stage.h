/*
 * Both stand-ins up, with the handler behind the Functions host: what demo and the tests through
 * the host need.
 *
 * Owns:     a stage that is up must be taken down with stage_down().
 * Units:    ports on 127.0.0.1.
 * Fails:    with false and an explanation in `why`; nothing is left running then.
 * Threads:  one owner at a time.
 */
#ifndef SUPPORT_STAGE_H
#define SUPPORT_STAGE_H

#include "support/program.h"

struct stage_plan {
    const struct site *site;
    const char *root;   /* app root with host.json and bin/handler; NULL: a temporary one is made */
    const char *mode;   /* "azure" or "core-tools" */
    const char *proxy;  /* "old" or "new" host: whether it knows enableProxyingHttpRequest */
    bool is_enveloped;  /* temporary root: host.json sets none of the two HTTP switches */
    const char *secret; /* WEBHOOK_SECRET; NULL: none */
    int host_port, devin_port; /* 0: free ones */
    bool is_shown;             /* what the host says goes where our own words go */
};

struct stage {
    struct program devin, host;
    const char *root;
    bool is_root_ours; /* temporary: removed by stage_down() */
};

bool stage_up(const struct stage_plan *plan, struct arena *mem, struct stage *out,
              struct text *why);

/* Ends the host first, so that the handler is gone before Devin is. */
bool stage_down(struct stage *stage, struct arena *mem, struct text *why);

#endif
