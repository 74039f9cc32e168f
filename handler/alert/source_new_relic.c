/*
 * New Relic: workflow notifications about issues, in the default template and in those that people
 * write with other spellings, and the older channels that send one incident.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word severities[] = {
    { "CRITICAL", 0 }, { "HIGH", 1 }, { "MEDIUM", 2 }, { "WARNING", 2 },
    { "LOW", 3 },      { "INFO", 3 }, { NULL, 0 },
};

static const struct word states[] = {
    { "ACTIVATED", ALERT_FIRED },      { "CREATED", ALERT_FIRED },
    { "OPEN", ALERT_FIRED },           { "OPENED", ALERT_FIRED },
    { "ACTIVE", ALERT_FIRED },         { "CLOSED", ALERT_RESOLVED },
    { "CLOSE", ALERT_RESOLVED },       { "RESOLVED", ALERT_RESOLVED },
    { "DEACTIVATED", ALERT_RESOLVED }, { "ACKNOWLEDGED", ALERT_OTHER },
    { "TEST", ALERT_OTHER },           { NULL, 0 },
};

static const struct field fields[] = {
    { "title", LINE_AT(name) },
    { "issueTitle", LINE_AT(name) },
    { "issue_title", LINE_AT(name) },
    { "annotations.title", LINE_AT(name) },
    { "condition_name", LINE_AT(name) },
    { "conditionName", LINE_AT(name) },
    { "alertConditionNames", LINE_AT(name) },
    { "priority", WORD_AT(severity), .words = severities },
    { "severity", WORD_AT(severity), .words = severities },
    { "state", STATE_AT(state), .words = states },
    { "current_state", STATE_AT(state), .words = states },
    { "currentState", STATE_AT(state), .words = states },
    { "status", STATE_AT(state), .words = states },
    { "details", TEXT_AT(description) },
    { "description", TEXT_AT(description) },
    { "annotations.description", LINE_AT(description) },
    { "condition_description", TEXT_AT(description) },
    { "impactedEntities", LINE_AT(resource) },
    { "impacted_entities", LINE_AT(resource) },
    { "entity_name", LINE_AT(resource) },
    { "entityName", LINE_AT(resource) },
    { "entitiesData.names", LINE_AT(resource) },
    { "createdAt", TIME_AT(fired_time) },
    { "created_at", TIME_AT(fired_time) },
    { "activatedAt", TIME_AT(fired_time) },
    { "activated_at", TIME_AT(fired_time) },
    { "timestamp", TIME_AT(fired_time) },
    { "timestamp_utc_string", TIME_AT(fired_time) },
    { "id", LINE_AT(alert_id) },
    { "issueId", LINE_AT(alert_id) },
    { "issue_id", LINE_AT(alert_id) },
    { "incident_id", LINE_AT(alert_id) },
    { "incidentId", LINE_AT(alert_id) },
    { "condition_id", LINE_AT(problem) },
    { "conditionFamilyId", LINE_AT(problem) },
    { "nrqlQuery", TEXT_AT(query) },
    { "nrql_query", TEXT_AT(query) },
    { "accumulations.nrqlQuery", LINE_AT(query) },
    { "condition_name", CUSTOM_AS("condition") },
    { "alertConditionNames", CUSTOM_AS("condition") },
    { "alertConditionDescriptions", CUSTOM_AS("condition description") },
    { "policy_name", CUSTOM_AS("policy") },
    { "alertPolicyNames", CUSTOM_AS("policy") },
    { "workflowName", CUSTOM_AS("workflow") },
    { "workflow_name", CUSTOM_AS("workflow") },
    { "account_name", CUSTOM_AS("account") },
    { "trigger", CUSTOM_AS("trigger") },
    { "totalIncidents", CUSTOM_AS("incidents") },
    { "duration", CUSTOM_AS("duration") },
    { "labels", PAIRS_AT(custom) },
    { "issueUrl", LINK_AS("Issue") },
    { "issue_url", LINK_AS("Issue") },
    { "issuePageUrl", LINK_AS("Issue page") },
    { "incident_url", LINK_AS("Incident") },
    { "violationChartUrl", LINK_AS("Chart") },
    { "violation_chart_url", LINK_AS("Chart") },
    { "runbook_url", LINK_AS("Runbook") },
    { "runbookUrl", LINK_AS("Runbook") },
    { "policy_url", LINK_AS("Policy") },
};

static bool has(const struct cJSON *body, const char *member)
{
    enum json_kind kind = json_kind(json_at(body, member));
    return kind == JSON_TEXT || kind == JSON_NUMBER;
}

static bool recognises(const struct cJSON *body)
{
    bool is_issue = has(body, "issueUrl") || has(body, "issuePageUrl") || has(body, "issueId")
                    || has(body, "issue_url") || has(body, "issue_id");
    return (is_issue && (has(body, "state") || has(body, "current_state")))
           || (has(body, "condition_name") && has(body, "current_state"));
}

/* The same entity may stand there once for each incident. */
static bool keep_entities(const struct cJSON *list, struct alert *out, struct arena *mem)
{
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        struct view name = source_line(item, mem);
        bool is_known = view_equal(name, out->resource) || name.len == 0;
        for (size_t i = 0; i < out->custom.count; i++)
            is_known = is_known || view_equal(out->custom.at[i].value, name);
        if (!is_known
            && !pairs_add(&out->custom, MAX_CUSTOM_FIELDS, VIEW("also impacted"), name,
                          MAX_VALUE_BYTES, mem))
            return false;
    }
    return true;
}

static bool keep_target(const struct cJSON *target, struct alert *out, struct arena *mem)
{
    if (out->resource.len == 0)
        out->resource = view_keep(source_line_at(target, "name", mem), mem);
    return source_custom_tree(out, "", json_at(target, "labels"), mem)
           && source_custom(out, VIEW("target"), json_at(target, "id"), mem)
           && source_custom(out, VIEW("product"), json_at(target, "product"), mem)
           && source_link(out, "Target", json_at(target, "link"), mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    if (out->state == ALERT_OTHER && out->reason == NULL)
        out->reason = "The issue is acknowledged or a test: no session needed";
    return (keep_entities(json_at(item, "impactedEntities"), out, mem)
            && keep_entities(json_at(item, "entitiesData.names"), out, mem)
            && keep_target(source_one(json_at(item, "targets")), out, mem) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the issue");
}

const struct source source_new_relic = {
    .name = "new-relic",
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
