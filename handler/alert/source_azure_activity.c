/*
 * Activity log alerts of Azure Monitor without the common schema; service health, resource health,
 * security and recommendations are events of the same log.  The rule is not named: the event's own
 * title is the nearest thing to a name.  The event's status ("Started", "Succeeded") describes the
 * operation, not the alert.
 */
#include "alert/azure.h"

#include "base/arena.h"
#include "base/json.h"

#define LOG "data.context.activityLog."

/* Service health writes numbers, which count from 1. */
static const struct word levels[] = {
    { "Critical", 0 },    { "Error", 1 },   { "Warning", 2 }, { "Informational", 3 },
    { "Information", 3 }, { "Verbose", 4 }, { "1", 0 },       { "2", 1 },
    { "3", 2 },           { "4", 3 },       { "5", 4 },       { NULL, 0 },
};

/* What a person set on the rule goes before what the service says. */
static const struct field fields[] = {
    { "data.properties.alertName", LINE_AT(name) },
    { LOG "properties.title", LINE_AT(name) },
    { LOG "properties.recommendationName", LINE_AT(name) },
    { LOG "description", LINE_AT(name) },
    { LOG "operationName", LINE_AT(name) },
    { LOG "authorization.action", LINE_AT(name) },
    { "data.properties.severity", SEV_AT(severity), .words = azure_severities },
    { LOG "level", WORD_AT(severity), .words = levels },
    { LOG "description", PROSE_AT(description) },
    { LOG "properties.details", PROSE_AT(description) },
    { LOG "eventTimestamp", TIME_AT(fired_time) },
    { LOG "eventDataId", LINE_AT(alert_id) },
};

static bool recognises(const struct cJSON *body)
{
    return view_equal_fold(view_trim(json_text(json_at(body, "schemaId"))),
                           VIEW("Microsoft.Insights/activityLogs"));
}

static bool keep_state(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct view status = source_line(json_at(body, "data.status"), mem);
    if (view_equal_fold(status, VIEW("Deactivated")) || view_equal_fold(status, VIEW("Resolved")))
        out->state = ALERT_RESOLVED;
    else if (status.len > 0 && !view_equal_fold(status, VIEW("Activated")))
        return source_note(out, "data.status", "unknown, taken as Activated", mem);
    return true;
}

static bool keep_resource(const struct cJSON *event, struct arena *mem, struct alert *out)
{
    const struct cJSON *const places[] = {
        json_at(event, "resourceId"),
        json_at(event, "resourceUri"),
        json_at(event, "properties.compromisedEntity"),
        json_at(event, "authorization.scope"),
        json_at(event, "subscriptionId"),
    };
    struct view name = azure_service_of(event, mem);
    for (size_t i = 0; i < COUNT_OF(places) && name.len == 0; i++)
        name = azure_short_name(source_line(places[i], mem));
    out->resource = view_keep(name, mem);
    return out->resource.at != NULL
           && source_dimension(out, "resourceId", json_at(event, "resourceId"), mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *event = json_at(body, "data.context.activityLog");
    out->signal_type = VIEW("activity");
    return (keep_state(body, mem, out) && azure_keep_event(event, mem, out)
            && keep_resource(event, mem, out)
            && azure_keep_link(out, "Recommendation",
                               json_at(event, "properties.recommendationResourceLink"), mem)
            && azure_keep_typed(json_at(body, "data.properties"), mem, out)
            && azure_keep_members(event, mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left to read the event");
}

const struct source source_azure_activity = {
    .name = "azure-monitor",
    .is_azure = true,
    .has_schema = true,
    .identity = BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
