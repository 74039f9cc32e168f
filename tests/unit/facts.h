/*
 * Tables of payload and alert: what a dialect makes of a body, row by row.
 *
 * Owns:     nothing; an arena lives as long as one row.
 * Units:    none.
 * Fails:    by ending the running cmocka test.
 * Threads:  the one that runs the test.
 */
#ifndef UNIT_FACTS_H
#define UNIT_FACTS_H

#include "alert/payload.h"
#include "alert/problem.h"
#include "alert/source.h"
#include "base/arena.h"
#include "session/prompt.h"
#include "unit/check.h"

/* What is NULL is not looked at, "" wants nothing there. */
struct facts {
    const char *body;
    const char *name, *description, *resource, *signal, *time, *alert_id, *problem;
    const char *severity; /* "0" to "4", or "" */
    enum alert_state state;
    const char *shows, *shows_too; /* are in the prompt */
    const char *hides;             /* is not in it */
};

static inline void check_fact(const char *row, struct view got, const char *wanted)
{
    if (wanted != NULL)
        CHECK_VIEW(row, got, view_of(wanted));
}

static inline void check_prompt(const struct facts *row, const struct alert *alert,
                                struct arena *mem)
{
    static const struct prompt_settings settings = { .target_repo = { "https://x/repo", 14 } };
    struct problem problem = { .alert = alert };
    struct view prompt;
    struct failure why;
    CHECK(row->body, identity_of(alert, mem, &problem.identity));
    CHECK(row->body, prompt_render(&problem, &settings, mem, &prompt, &why));
    if (row->shows != NULL)
        CHECK(row->shows, view_contains(prompt, view_of(row->shows)));
    if (row->shows_too != NULL)
        CHECK(row->shows_too, view_contains(prompt, view_of(row->shows_too)));
    if (row->hides != NULL)
        CHECK(row->hides, !view_contains(prompt, view_of(row->hides)));
}

/* The first alert of a row's body, read by the dialect it belongs to. */
static inline void check_facts(const struct facts *row, const struct source *from)
{
    struct arena mem;
    struct payload payload = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, (size_t)16 * 1024 * 1024);
    CHECK(row->body, payload_read(view_of(row->body), &mem, &payload, &why));
    CHECK(row->body, payload.from == from && payload.count > 0);
    const struct alert *alert = &payload.alerts[0];
    char digit[2] = { alert->has_severity ? (char)('0' + alert->severity) : '\0', '\0' };
    check_fact(row->body, alert->name, row->name);
    check_fact(row->body, alert->description, row->description);
    check_fact(row->body, alert->resource, row->resource);
    check_fact(row->body, alert->signal_type, row->signal);
    check_fact(row->body, alert->fired_time, row->time);
    check_fact(row->body, alert->alert_id, row->alert_id);
    check_fact(row->body, alert->problem, row->problem);
    check_fact(row->body, view_of(digit), row->severity);
    CHECK(row->body, alert->state == row->state);
    check_prompt(row, alert, &mem);
    arena_drop(&mem);
}

/* A body that is refused with a 400 naming that field. */
static inline void check_refused(const char *body, const char *field)
{
    struct arena mem;
    struct payload payload = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, (size_t)16 * 1024 * 1024);
    CHECK(body, !payload_read(view_of(body), &mem, &payload, &why));
    CHECK(body, failure_row(why.kind)->status == 400);
    CHECK_VIEW(body, view_of(why.field), view_of(field));
    arena_drop(&mem);
}

#endif
