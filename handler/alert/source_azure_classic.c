/*
 * Classic alerts of Azure Monitor, retired but still sent by relays and other clouds: no schemaId,
 * one condition, the context at the top level.
 */
#include "alert/azure.h"

#include "base/json.h"

static const struct word states[] = {
    { "Activated", ALERT_FIRED },
    { "Resolved", ALERT_RESOLVED },
    { "Deactivated", ALERT_RESOLVED },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "context.name", LINE_AT(name) },
    { "context.severity", SEV_AT(severity), .words = azure_severities },
    { "context.description", TEXT_AT(description) },
    { "context.resourceName", LINE_AT(resource) },
    { "context.timestamp", TIME_AT(fired_time) },
    { "status", STATE_AT(state), .words = states },
    { "context.id", LINE_AT(problem) },
};

static bool recognises(const struct cJSON *body)
{
    const struct cJSON *context = json_at(body, "context");
    return json_kind(json_at(body, "status")) != JSON_ABSENT
           && json_kind(json_at(context, "conditionType")) == JSON_TEXT
           && json_kind(json_at(context, "resourceId")) != JSON_ABSENT;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *context = json_at(body, "context");
    const struct cJSON *condition = json_at(context, "condition");
    bool is_event =
        view_equal_fold(view_trim(json_text(json_at(context, "conditionType"))), VIEW("Event"));
    out->signal_type = is_event ? VIEW("activity") : VIEW("metric");
    return (azure_keep_resource(context, mem, out)
            && azure_keep_criterion(condition, source_line(json_at(condition, "windowSize"), mem),
                                    mem, out)
            && azure_keep_condition(condition, mem, out) && azure_keep_event(condition, mem, out)
            && azure_keep_typed(json_at(body, "properties"), mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left to read the alert's context");
}

const struct source source_azure_classic = {
    .name = "azure-monitor",
    .is_azure = true,
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
