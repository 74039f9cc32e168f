/*
 * Azure Monitor's common alert schema.  What is read goes by the context's content, not by the
 * monitoring service: pages file log alerts under Platform, and services appear that nobody knows
 * yet.  Microsoft's pages: "Common alert schema" (alerts-common-schema.md) and "Sample alert
 * payloads" (alerts-payload-samples.md).
 *
 * Times of the evaluation window are not kept: they add nothing to firedDateTime.
 */
#include "alert/azure.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_RESOURCES = 20 };

/* Budgets state no rule, and relays lose it. */
static const struct field fields[] = {
    { "data.essentials.alertRule", LINE_AT(name) },
    { "data.alertContext.AlertData.BudgetName", LINE_AT(name) },
    { "data.alertContext.labels.alertname", LINE_AT(name) },
    { "data.essentials.severity", SEV_AT(severity), .words = azure_severities },
    { "data.essentials.description", TEXT_AT(description) },
    { "data.alertContext.annotations.description", TEXT_AT(description) },
    { "data.alertContext.annotations.summary", TEXT_AT(description) },
    { "data.essentials.firedDateTime", TIME_AT(fired_time) },
    { "data.essentials.alertId", LINE_AT(alert_id) },
    { "data.essentials.alertRuleID", LINE_AT(problem) },
    { "data.essentials.alertRuleId", LINE_AT(problem) },
};

/* schemaId gets lost in relays; essentials with an alertId do not. */
static bool recognises(const struct cJSON *body)
{
    return view_equal_fold(json_text(json_at(body, "schemaId")),
                           VIEW("azureMonitorCommonAlertSchema"))
           || json_kind(json_at(body, "data.essentials.alertId")) == JSON_TEXT;
}

static bool is_of_service(const struct cJSON *essentials, struct view service)
{
    return view_equal_fold(view_trim(json_text(json_at(essentials, "monitoringService"))), service);
}

/* --- essentials ------------------------------------------------------------------------------- */

/*
 * Only the word Resolved ends a problem: an unknown word costs a session, a lost alert costs more.
 * News of an incident in Azure itself are always Fired, the last one too, and tell their stage
 * apart.  News of a maintenance do not end anything: what the maintenance broke stays broken.
 */
static bool keep_state(const struct cJSON *essentials, const struct cJSON *context,
                       struct arena *mem, struct alert *out)
{
    struct view state = source_line(json_at(essentials, "monitorCondition"), mem);
    struct view stage = source_line(json_at(context, "properties.stage"), mem);
    struct view operation = source_line(json_at(context, "operationName"), mem);
    bool is_incident = is_of_service(essentials, VIEW("ServiceHealth"))
                       && view_starts_fold(operation, VIEW("Microsoft.ServiceHealth/incident"));
    if (view_equal_fold(state, VIEW("Resolved"))
        || (is_incident && view_equal_fold(stage, VIEW("Resolved"))))
        out->state = ALERT_RESOLVED;
    else if (state.len > 0 && !view_equal_fold(state, VIEW("Fired")))
        return source_note(out, "data.essentials.monitorCondition", "unknown, taken as Fired", mem);
    return true;
}

/* A rule filed under another signal is still a log rule when it carries a search. */
static bool keep_signal(const struct cJSON *essentials, const struct cJSON *context,
                        struct arena *mem, struct alert *out)
{
    struct view signal = azure_signal(source_line(json_at(essentials, "signalType"), mem));
    bool is_event = source_line(json_at(context, "operationName"), mem).len > 0;
    if (out->query.len > 0)
        signal = VIEW("log");
    else if (signal.len == 0 && is_event)
        signal = VIEW("activity");
    out->signal_type = view_keep(signal, mem);
    return out->signal_type.at != NULL;
}

/* A relay may keep the rule's id and lose its name. */
static bool keep_name(const struct cJSON *context, struct arena *mem, struct alert *out)
{
    struct view name = out->name;
    if (name.len == 0)
        name = source_last_segment(out->problem);
    if (name.len == 0)
        name = source_line(json_at(context, "SmartDetectorName"), mem);
    out->name = view_keep(name, mem);
    return out->name.at != NULL;
}

/* --- resources -------------------------------------------------------------------------------- */

static const struct cJSON *targets_of(const struct cJSON *essentials)
{
    const struct cJSON *targets = json_at(essentials, "alertTargetIDs");
    return targets != NULL ? targets : json_at(essentials, "alertTargetIds");
}

/*
 * The name a person would use, without the path before it.  For a log alert the target is the
 * workspace, for Prometheus too: what failed stands elsewhere.
 */
static struct view resource_of(const struct cJSON *essentials, const struct cJSON *context,
                               struct arena *mem)
{
    const struct cJSON *const places[] = {
        json_at(context, "AlertData.BudgetName"),
        azure_first(json_at(essentials, "configurationItems")),
        azure_first(json_at(context, "AffectedConfigurationItems")),
        json_at(context, "labels.cluster"),
        azure_first(targets_of(essentials)),
        json_at(context, "resourceId"),
        json_at(context, "authorization.scope"),
        json_at(context, "linkedResourceName"),
        json_at(context, "BackupItemName"),
    };
    struct view name = azure_service_of(context, mem);
    for (size_t i = 0; i < COUNT_OF(places) && name.len == 0; i++)
        name = azure_short_name(source_line(places[i], mem));
    return name;
}

static bool keep_ids(const char *key, const struct cJSON *ids, struct arena *mem, struct alert *out)
{
    const struct cJSON *id = azure_first(ids);
    for (size_t i = 0; id != NULL && i < MAX_RESOURCES; i++, id = azure_next(id, ids))
        if (!source_dimension(out, key, id, mem))
            return false;
    return true;
}

/*
 * Full ids stay visible as dimensions.  They tell one problem from another whatever their order,
 * which the resource, the first of several, does not; names stand in where there are no ids.
 */
static bool keep_resource(const struct cJSON *essentials, const struct cJSON *context,
                          struct arena *mem, struct alert *out)
{
    const struct cJSON *items = json_at(essentials, "configurationItems");
    bool is_one = json_kind(items) != JSON_LIST || json_next(json_first(items)) == NULL;
    size_t before = out->dimensions.count;
    out->resource = view_keep(resource_of(essentials, context, mem), mem);
    if (out->resource.at == NULL || !keep_ids("resourceId", targets_of(essentials), mem, out)
        || !source_dimension(out, "BudgetId", json_at(context, "AlertData.BudgetId"), mem))
        return false;
    bool has_ids = out->dimensions.count > before;
    if ((!has_ids || !is_one) && !keep_ids("configurationItem", items, mem, out))
        return false;
    return out->dimensions.count > before || out->resource.len == 0
           || pairs_add(&out->dimensions, MAX_DIMENSIONS, VIEW("resource"), out->resource,
                        MAX_VALUE_BYTES, mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *essentials = json_at(body, "data.essentials");
    const struct cJSON *context = json_at(body, "data.alertContext");
    return (keep_name(context, mem, out) && keep_state(essentials, context, mem, out)
            && azure_keep_condition(json_at(context, "condition"), mem, out)
            && azure_keep_search(context, mem, out) && keep_signal(essentials, context, mem, out)
            && azure_keep_expression(context, mem, out) && azure_keep_detection(context, mem, out)
            && azure_keep_budget(json_at(context, "AlertData"), mem, out)
            && azure_keep_event(context, mem, out) && keep_resource(essentials, context, mem, out)
            && azure_keep_link(out, "Investigation", json_at(essentials, "investigationLink"), mem)
            && azure_keep_typed(json_at(body, "data.customProperties"), mem, out)
            && source_custom(out, VIEW("message"), json_at(body, "data.message"), mem)
            && azure_keep_members(context, mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left to read the alert's context");
}

const struct source source_azure_common = {
    .name = "azure-monitor",
    .is_azure = true,
    .has_schema = true,
    .identity = BY_PROBLEM | BY_NAME | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
