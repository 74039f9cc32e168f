/*
 * Metric alerts of Azure Monitor without the common schema (schemaId AzureMonitorMetricAlert).  `id`
 * is the rule's, percent-encoded in places; nothing names the firing.
 */
#include "alert/azure.h"

#include "base/json.h"

static const struct word states[] = {
    { "Activated", ALERT_FIRED },
    { "Fired", ALERT_FIRED },
    { "Deactivated", ALERT_RESOLVED },
    { "Resolved", ALERT_RESOLVED },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "data.context.name", LINE_AT(name) },
    { "data.context.severity", SEV_AT(severity), .words = azure_severities },
    { "data.context.description", TEXT_AT(description) },
    { "data.context.resourceName", LINE_AT(resource) },
    { "data.context.timestamp", TIME_AT(fired_time) },
    { "data.status", STATE_AT(state), .words = states },
    { "data.context.id", LINE_AT(problem) },
};

static bool recognises(const struct cJSON *body)
{
    return view_equal_fold(json_text(json_at(body, "schemaId")), VIEW("AzureMonitorMetricAlert"));
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *context = json_at(body, "data.context");
    out->signal_type = VIEW("metric");
    return (azure_keep_resource(context, mem, out)
            && azure_keep_condition(json_at(context, "condition"), mem, out)
            && azure_keep_typed(json_at(body, "data.properties"), mem, out)
            && azure_keep_typed(json_at(body, "properties"), mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left to read the alert's context");
}

const struct source source_azure_metric = {
    .name = "azure-monitor",
    .is_azure = true,
    .has_schema = true,
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
