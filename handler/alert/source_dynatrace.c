/*
 * Dynatrace: problem notifications, whose template everybody writes anew from the same placeholders,
 * and Davis events as a workflow sends them, with literal dots in their names.
 *
 * A Davis event's own `event.severity` is a number of another scale and is left alone.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word severities[] = {
    { "AVAILABILITY", 0 },
    { "ERROR", 1 },
    { "PERFORMANCE", 2 },
    { "SLOWDOWN", 2 },
    { "RESOURCE_CONTENTION", 2 },
    { "RESOURCE", 2 },
    { "AVAILABILITY_EVENT", 0 },
    { "ERROR_EVENT", 1 },
    { "PERFORMANCE_EVENT", 2 },
    { "RESOURCE_CONTENTION_EVENT", 2 },
    { "CUSTOM_ALERT", 3 },
    { "INFO", 3 },
    { "MONITORING_UNAVAILABLE", NOT_STATED },
    { NULL, 0 },
};

static const struct word states[] = {
    { "OPEN", ALERT_FIRED },
    { "REOPENED", ALERT_FIRED },
    { "ACTIVE", ALERT_FIRED },
    { "RESOLVED", ALERT_RESOLVED },
    { "CLOSED", ALERT_RESOLVED },
    { "MERGED", ALERT_OTHER },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "ProblemTitle", LINE_AT(name) },
    { "ProblemDetailsJSON.title", LINE_AT(name) },
    { "event.name", LINE_AT(name) },
    { "ProblemSeverity", WORD_AT(severity), .words = severities },
    { "ProblemDetailsJSON.severityLevel", WORD_AT(severity), .words = severities },
    { "event.category", WORD_AT(severity), .words = severities },
    { "event.type", WORD_AT(severity), .words = severities },
    { "State", STATE_AT(state), .words = states },
    { "ProblemDetailsJSON.status", STATE_AT(state), .words = states },
    { "event.status", STATE_AT(state), .words = states },
    { "ProblemDetailsText", TEXT_AT(description) },
    { "ProblemDetailsHTML", PROSE_AT(description) },
    { "ProblemDetailsMarkdown", TEXT_AT(description) },
    { "event.description", TEXT_AT(description) },
    { "ImpactedEntityNames", LINE_AT(resource) },
    { "NamesOfImpactedEntities", LINE_AT(resource) },
    { "ProblemStartTime", TIME_AT(fired_time) },
    { "ProblemDetailsJSON.startTime", TIME_AT(fired_time) },
    { "event.start", TIME_AT(fired_time) },
    { "timestamp", TIME_AT(fired_time) },
    { "PID", LINE_AT(alert_id) },
    { "ProblemID", LINE_AT(alert_id) },
    { "display_id", LINE_AT(alert_id) },
    { "event.id", LINE_AT(alert_id) },
    { "ProblemID", CUSTOM_AS("problem") },
    { "ProblemImpact", CUSTOM_AS("impact") },
    { "ProblemSeverity", CUSTOM_AS("problem severity") },
    { "Tags", CUSTOM_AS("tags") },
    { "event.category", CUSTOM_AS("category") },
    { "event.type", CUSTOM_AS("type") },
    { "root_cause_entity_name", CUSTOM_AS("root cause") },
    { "ProblemURL", LINK_AS("Problem") },
    { "Problem URL", LINK_AS("Problem") },
};

/* A Davis event's members may also be nested, as other tools rewrite them. */
static bool is_davis(const struct cJSON *body)
{
    struct view literal = json_text(json_member(body, VIEW("event.kind")));
    struct view kind = literal.len > 0 ? literal : json_text(json_at(body, "event.kind"));
    return view_starts(kind, VIEW("DAVIS_"));
}

static bool recognises(const struct cJSON *body)
{
    bool has_id = json_at(body, "ProblemID") != NULL || json_at(body, "PID") != NULL;
    return is_davis(body)
           || (has_id && (json_at(body, "State") != NULL || json_at(body, "ProblemTitle") != NULL));
}

/* What a person calls it, else its id; the others stay visible. */
static bool keep_entities(const struct cJSON *item, struct alert *out, struct arena *mem)
{
    static const char *const ids[] = { "affected_entity_names", "affected_entity_ids",
                                       "dt.source_entity",      "dt.entity.service",
                                       "dt.entity.host",        "ImpactedEntity" };
    const struct cJSON *list = json_at(item, "ImpactedEntities");
    const struct cJSON *entity = source_items(list);
    for (; entity != NULL; entity = source_next(entity, list)) {
        struct view name = source_line_at(entity, "name", mem);
        if (out->resource.len == 0)
            out->resource = view_keep(name, mem);
        if (!source_dimension(out, "entity", json_at(entity, "entity"), mem))
            return false;
    }
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        const struct cJSON *node = json_member(item, view_of(ids[i]));
        if (out->resource.len == 0)
            out->resource = view_keep(source_line(source_one(node), mem), mem);
        else if (!source_custom(out, view_of(ids[i]), node, mem))
            return false;
    }
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    if (out->state == ALERT_OTHER && out->reason == NULL)
        out->reason = "The problem was merged into another: no session needed";
    return (keep_entities(item, out, mem) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the problem");
}

const struct source source_dynatrace = {
    .name = "dynatrace",
    .identity = BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
