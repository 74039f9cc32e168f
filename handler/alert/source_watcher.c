/*
 * Elasticsearch Watcher with its whole context as the body, under "payload" or on its own:
 * {"payload":{"ctx":…}}.  A watch that fills the documented contract is native and not read here.
 * The resource is the first hit's, another one at the next tick, so the watch alone is the problem.
 */
#include "alert/source.h"

#include "alert/hits.h"
#include "base/arena.h"
#include "base/json.h"

enum { MAX_LOG_BYTES = 256 * 1024 };

static const struct word severities[] = {
    { "critical", 0 }, { "error", 1 },       { "high", 1 },          { "warning", 2 },
    { "medium", 2 },   { "info", 3 },        { "informational", 3 }, { "low", 3 },
    { "debug", 4 },    { NULL, NOT_STATED },
};

static const struct field fields[] = {
    { "ctx.metadata.name", LINE_AT(name) },
    { "ctx.watch_id", LINE_AT(name) },
    { "ctx.metadata.severity", LEVEL_AT(severity), .words = severities },
    { "ctx.metadata.description", LINE_AT(description) },
    { "ctx.execution_time", TIME_AT(fired_time) },
    { "ctx.trigger.triggered_time", TIME_AT(fired_time) },
    { "ctx.id", LINE_AT(alert_id) },
    { "ctx.watch_id", LINE_AT(problem) },
};

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "payload.ctx.watch_id")) == JSON_TEXT
           || json_kind(json_at(body, "ctx.watch_id")) == JSON_TEXT;
}

/* Documents name things with literal dots or in objects: "service.name", {"service":{"name":…}}. */
static struct view resource_of(const struct cJSON *document, struct arena *mem)
{
    static const char *const names[] = { "service.name", "host.name", "kubernetes.pod.name",
                                         "container.name", "agent.name" };
    struct view value = { 0 };
    for (size_t i = 0; value.len == 0 && i < COUNT_OF(names); i++) {
        value = source_line(json_member(document, view_of(names[i])), mem);
        if (value.len == 0)
            value = source_line(json_at(document, names[i]), mem);
    }
    return value;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    struct text logs = text_in(mem, MAX_LOG_BYTES);
    const struct cJSON *document;
    hits_add_messages(&logs, json_at(item, "ctx.payload"), &document);
    out->logs = text_view(&logs);
    out->resource = view_keep(resource_of(document, mem), mem);
    if (out->logs.len > 0)
        out->signal_type = VIEW("log");
    (void)body;
    return (out->resource.at != NULL
            && source_custom(out, VIEW("watch"), json_at(item, "ctx.watch_id"), mem)
            && source_custom(out, VIEW("hits"), json_at(item, "ctx.payload.hits.total.value"), mem)
            && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the watch's context");
}

const struct source source_watcher = {
    .name = "watcher",
    .identity = BY_PROBLEM,
    .recognises = recognises,
    .items = "payload",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
