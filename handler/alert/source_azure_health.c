/*
 * Azure Resource Notifications: health events of resources, as Event Grid sends them in its own
 * schema or as CloudEvents.  Event Grid is no action group: it repeats a 500 as well as a 503.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

#define HEALTH     "Microsoft.ResourceNotifications.HealthResources."
#define PROPERTIES "data.resourceInfo.properties."

static const struct word states[] = {
    { "Unavailable", ALERT_FIRED },
    { "Degraded", ALERT_FIRED },
    { "Unknown", ALERT_FIRED },
    { "Available", ALERT_RESOLVED },
    { NULL, 0 },
};

static const struct word impacts[] = {
    { "Informational", 3 },
    { NULL, 0 },
};

static const struct field fields[] = {
    { PROPERTIES "annotationName", LINE_AT(name) },
    { "type", LINE_AT(name) },
    { "eventType", LINE_AT(name) },
    { PROPERTIES "availabilityState", STATE_AT(state), .words = states },
    { PROPERTIES "summary", PROSE_AT(description) },
    { PROPERTIES "reason", TEXT_AT(description) },
    { PROPERTIES "occurredTime", TIME_AT(fired_time) },
    { "time", TIME_AT(fired_time) },
    { "eventTime", TIME_AT(fired_time) },
    { "id", LINE_AT(alert_id) },
    { PROPERTIES "targetResourceId", DIMENSION_AS("resourceId") },
    { PROPERTIES "targetResourceType", DIMENSION_AS("resource type") },
    { PROPERTIES "previousAvailabilityState", CUSTOM_AS("previous state") },
    { PROPERTIES "reason", CUSTOM_AS("reason") },
    { PROPERTIES "context", CUSTOM_AS("context") },
    { PROPERTIES "category", CUSTOM_AS("category") },
    { PROPERTIES "impactType", CUSTOM_AS("impact") },
};

static struct view type_of(const struct cJSON *body)
{
    struct view type = json_text(json_at(body, "eventType"));
    return type.len > 0 ? type : json_text(json_at(body, "type"));
}

static bool recognises(const struct cJSON *body)
{
    return view_starts_fold(type_of(body), VIEW(HEALTH));
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    struct text change = text_in(mem, MAX_VALUE_BYTES);
    struct view id = source_line_at(item, "subject", mem);
    if (id.len == 0)
        id = source_line_at(item, PROPERTIES "targetResourceId", mem);
    source_add_part(&change, "", source_line_at(item, PROPERTIES "previousAvailabilityState", mem),
                    " before, now ");
    source_add_part(&change, "", source_line_at(item, PROPERTIES "availabilityState", mem), "");
    struct view impact = source_line_at(item, PROPERTIES "impactType", mem);
    out->has_severity = source_word(impact, impacts, &out->severity);
    out->signal_type = VIEW("activity");
    out->resource = view_keep(source_last_segment(id), mem);
    if (view_starts_fold(out->name, VIEW(HEALTH)))
        out->name = view_skip(out->name, VIEW(HEALTH).len);
    return (source_condition(out, text_view(&change), mem) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the health event");
}

const struct source source_azure_health = {
    .name = "azure-health",
    .identity = BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
