/*
 * Notifications of Azure's autoscale.  News rather than trouble: there is nothing to resolve, and
 * no severity.  They look like classic alerts without a condition.
 */
#include "alert/azure.h"

#include "base/json.h"

static const struct field fields[] = {
    { "context.name", LINE_AT(name) },
    { "context.details", TEXT_AT(description) },
    { "context.resourceName", LINE_AT(resource) },
    { "context.timestamp", TIME_AT(fired_time) },
    { "context.id", LINE_AT(problem) },
};

/* Failed operations have no capacity they led to. */
static bool recognises(const struct cJSON *body)
{
    const struct cJSON *context = json_at(body, "context");
    return json_kind(json_at(body, "operation")) == JSON_TEXT
           && json_kind(json_at(context, "conditionType")) == JSON_ABSENT
           && json_kind(json_at(context, "details")) == JSON_TEXT
           && (json_kind(json_at(context, "newCapacity")) != JSON_ABSENT
               || json_kind(json_at(context, "resourceId")) == JSON_TEXT);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *context = json_at(body, "context");
    return (azure_keep_resource(context, mem, out)
            && source_dimension(out, "operation", json_at(body, "operation"), mem)
            && azure_keep_typed(json_at(body, "properties"), mem, out)
            && source_custom(out, VIEW("oldCapacity"), json_at(context, "oldCapacity"), mem)
            && source_custom(out, VIEW("newCapacity"), json_at(context, "newCapacity"), mem)
            && source_custom(out, VIEW("resourceRegion"), json_at(context, "resourceRegion"), mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the alert's context");
}

const struct source source_azure_autoscale = {
    .name = "azure-monitor",
    .is_azure = true,
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
