/*
 * Splunk's webhook action.  It sends the first row of a search's result; the rest is behind the
 * link.  A scheduled search may have no name: its job's id must serve then, as in Splunk's own example.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

/* clang-format off */
static const struct field fields[] = {
    { "search_name", LINE_AT(name) },
    { "sid", LINE_AT(name) },
    { "result.host", LINE_AT(resource) },
    { "result.source", LINE_AT(resource) },
    { "result._time", TIME_AT(fired_time) },
    { "sid", LINE_AT(alert_id) },
    { "search_name", LINE_AT(problem) },
    { "result._raw", TEXT_AT(logs) },
    { "app", DIMENSION_AS("app") },
    { "results_link", LINK_AS("Results") },
};
/* clang-format on */

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "result")) == JSON_OBJECT
           && (json_at(body, "search_name") != NULL
               || (json_at(body, "sid") != NULL && json_at(body, "results_link") != NULL));
}

/* "scheduler_admin_search_W2_at_14232356_132": what stands before the time is the saved search. */
static struct view search_in_sid(struct view sid)
{
    for (size_t i = 0; i < sid.len; i++)
        if (view_starts(view_skip(sid, i), VIEW("_at_")))
            return (struct view){ sid.at, i };
    return sid;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    out->signal_type = VIEW("log");
    if (out->problem.len == 0)
        out->problem = search_in_sid(out->alert_id);
    const struct cJSON *cell = json_first(json_at(item, "result"));
    for (; cell != NULL; cell = json_next(cell))
        if (!view_equal(json_key(cell), VIEW("_raw"))
            && !source_custom(out, json_key(cell), cell, mem))
            return fail(why, FAIL_INTERNAL, "no memory left to read the result");
    return true;
}

const struct source source_splunk = {
    .name = "splunk",
    .identity = BY_PROBLEM | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
