/*
 * Budget alerts of Azure without the common schema.  BudgetStartDate is not the time of the alert:
 * none is stated.
 */
#include "alert/azure.h"

#include "base/json.h"

static const struct field fields[] = {
    { "data.BudgetName", LINE_AT(name) },
    { "data.BudgetName", LINE_AT(resource) },
};

static bool recognises(const struct cJSON *body)
{
    return view_equal_fold(view_trim(json_text(json_at(body, "schemaId"))),
                           VIEW("AIP Budget Notification"));
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *data = json_at(body, "data");
    return (azure_keep_budget(data, mem, out)
            && source_dimension(out, "SubscriptionId", json_at(data, "SubscriptionId"), mem)
            && source_dimension(out, "ResourceGroup", json_at(data, "ResourceGroup"), mem)
            && azure_keep_members(data, mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left to read the budget");
}

const struct source source_azure_budget = {
    .name = "azure-monitor",
    .is_azure = true,
    .has_schema = true,
    .identity = BY_NAME | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
