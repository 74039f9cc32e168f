/*
 * Google Cloud Monitoring's incidents, in the webhook's versions 1.1 and 1.2 and before.
 * Google: "Manage notification channels", schema of the webhook payload.
 *
 * `ended_at` is no sign of an end: test messages set it on incidents that are open.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word states[] = {
    { "open", ALERT_FIRED },
    { "opened", ALERT_FIRED },
    { "closed", ALERT_RESOLVED },
    { "acknowledged", ALERT_OTHER },
    { NULL, 0 },
};

static const struct word severities[] = {
    { "Critical", 0 },
    { "Error", 1 },
    { "Warning", 2 },
    { "No Severity", NOT_STATED },
    { "SEVERITY_UNSPECIFIED", NOT_STATED },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "incident.policy_name", LINE_AT(name) },
    { "incident.condition_name", LINE_AT(name) },
    { "incident.condition.displayName", LINE_AT(name) },
    { "incident.severity", WORD_AT(severity), .words = severities },
    { "incident.state", STATE_AT(state), .words = states },
    { "incident.summary", TEXT_AT(description) },
    { "incident.documentation.content", TEXT_AT(description) },
    { "incident.documentation", TEXT_AT(description) },
    { "incident.resource_display_name", LINE_AT(resource) },
    { "incident.resource_name", LINE_AT(resource) },
    { "incident.resource.labels.instance_id", LINE_AT(resource) },
    { "incident.resource_id", LINE_AT(resource) },
    { "incident.started_at", TIME_AT(fired_time) },
    { "incident.incident_id", LINE_AT(alert_id) },
    { "incident.condition.name", LINE_AT(problem) },
    { "incident.condition_name", DIMENSION_AS("condition") },
    { "incident.scoping_project_id", DIMENSION_AS("project") },
    { "incident.resource_type_display_name", DIMENSION_AS("resource type") },
    { "incident.resource.labels", PAIRS_AT(dimensions) },
    { "incident.metric.labels", PAIRS_AT(dimensions) },
    { "incident.condition.conditionThreshold.filter", TEXT_AT(query) },
    { "incident.condition.conditionAbsent.filter", TEXT_AT(query) },
    { "incident.condition.conditionMatchedLog.filter", TEXT_AT(query) },
    { "incident.condition.conditionMonitoringQueryLanguage.query", TEXT_AT(query) },
    { "incident.condition.conditionPrometheusQueryLanguage.query", TEXT_AT(query) },
    { "incident.condition.conditionSql.query", TEXT_AT(query) },
    { "incident.documentation.subject", CUSTOM_AS("subject") },
    { "incident.documentation.content", CUSTOM_AS("documentation") },
    { "incident.policy_user_labels", PAIRS_AT(custom) },
    { "incident.metadata.user_labels", PAIRS_AT(custom) },
    { "incident.url", LINK_AS("Incident") },
};

static bool recognises(const struct cJSON *body)
{
    const struct cJSON *incident = json_at(body, "incident");
    return json_at(incident, "incident_id") != NULL
           && (json_at(incident, "policy_name") != NULL
               || json_at(incident, "condition_name") != NULL
               || json_at(incident, "condition") != NULL);
}

static struct view comparison_in_words(struct view word)
{
    static const struct {
        const char *google, *plain;
    } words[] = {
        { "COMPARISON_GT", "greater than" }, { "COMPARISON_GE", "at least" },
        { "COMPARISON_LT", "less than" },    { "COMPARISON_LE", "at most" },
        { "COMPARISON_EQ", "equal to" },     { "COMPARISON_NE", "other than" },
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_equal(word, view_of(words[i].google)))
            return view_of(words[i].plain);
    return word;
}

/* Both thresholds mean the same; the one of the condition is a number. */
static bool keep_condition(const struct cJSON *incident, struct alert *out, struct arena *mem)
{
    const struct cJSON *threshold = json_at(incident, "condition.conditionThreshold");
    struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
    struct view limit = source_line_at(incident, "threshold_value", mem);
    struct view duration = source_line_at(threshold, "duration", mem);
    if (limit.len == 0)
        limit = source_line_at(threshold, "thresholdValue", mem);
    source_add_part(&text, "", source_line_at(incident, "condition_name", mem), ": ");
    source_add_part(&text, "", source_line_at(incident, "metric.type", mem), "");
    source_add_part(&text, " ", comparison_in_words(source_line_at(threshold, "comparison", mem)),
                    "");
    source_add_part(&text, " ", limit, "");
    source_add_part(&text, ", measured ", source_line_at(incident, "observed_value", mem), "");
    if (!view_equal(duration, VIEW("0s")))
        source_add_part(&text, ", for ", duration, "");
    return source_condition(out, text_view(&text), mem);
}

/* Links of the author's own, in which Google may have left "${resource.name}". */
static bool keep_links(const struct cJSON *link, struct alert *out, struct arena *mem)
{
    for (; link != NULL; link = json_next(link)) {
        struct text label = text_in(mem, MAX_KEY_BYTES);
        source_add_part(&label, "", source_line_at(link, "displayName", mem), "");
        if (!view_contains(json_text(json_at(link, "url")), VIEW("${"))
            && !source_link(out, label.len == 0 ? "Documentation" : text_view(&label).at,
                            json_at(link, "url"), mem))
            return false;
    }
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    const struct cJSON *incident = json_at(item, "incident");
    bool is_log = json_at(incident, "condition.conditionMatchedLog") != NULL
                  || json_at(incident, "condition.conditionSql") != NULL;
    bool is_metric = json_at(incident, "metric") != NULL || json_at(incident, "condition") != NULL;
    out->signal_type = is_log ? VIEW("log") : is_metric ? VIEW("metric") : (struct view){ 0 };
    if (out->state == ALERT_OTHER && out->reason == NULL)
        out->reason = "The incident is acknowledged: no session needed";
    const struct pair *documentation = pairs_find(&out->custom, VIEW("documentation"));
    if (documentation != NULL
        && view_equal(documentation->value, view_cap(view_trim(out->description), MAX_VALUE_BYTES))
        && !pairs_put(&out->custom, MAX_CUSTOM_FIELDS, VIEW("documentation"), (struct view){ 0 },
                      MAX_VALUE_BYTES, mem))
        return fail(why, FAIL_INTERNAL, "no memory left to read the documentation");
    return (keep_condition(incident, out, mem)
            && keep_links(json_first(json_at(incident, "documentation.links")), out, mem)
            && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the incident");
}

const struct source source_google_monitoring = {
    .name = "google-cloud-monitoring",
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
