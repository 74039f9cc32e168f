/*
 * Opsgenie's outgoing webhook: an alert and the action taken on it.  The page: Opsgenie, "Webhook
 * integration", alert action data.
 *
 * Users and recipients are people and are left out; updatedAt is in nanoseconds and not needed.
 */
#include "alert/source.h"

#include "base/json.h"

static const struct word states[] = {
    { "Create", ALERT_FIRED },
    { "Close", ALERT_RESOLVED },
    { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "alert.message", LINE_AT(name) },
    { "alert.priority", WORD_AT(severity), .words = source_priorities },
    { "alert.description", LINE_AT(description) },
    { "alert.entity", LINE_AT(resource) },
    { "alert.createdAt", TIME_AT(fired_time) },
    { "alert.alertId", LINE_AT(alert_id) },
    { "alert.alias", LINE_AT(problem) },
    { "action", STATE_AT(state), .words = states },
};

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "action")) == JSON_TEXT
           && json_kind(json_at(body, "alert.alertId")) == JSON_TEXT
           && (json_kind(json_at(body, "integrationId")) == JSON_TEXT
               || json_kind(json_at(body, "integrationName")) == JSON_TEXT
               || json_kind(json_at(body, "alert.alias")) == JSON_TEXT);
}

/* The alias says which alerts are one problem; where nobody set one it is the alert's own id. */
static void keep_problem(struct alert *out)
{
    bool has_alias = out->problem.len > 0 && !view_equal(out->problem, out->alert_id);
    if (!has_alias)
        out->problem = out->name;
    else if (out->resource.len == 0)
        out->resource = out->problem;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *alert = json_at(body, "alert");
    keep_problem(out);
    if (out->state == ALERT_OTHER)
        out->reason = "The action neither creates nor closes an alert: no session needed";
    return (source_custom_all(out, json_at(alert, "details"), mem)
            && source_custom(out, VIEW("alias"), json_at(alert, "alias"), mem)
            && source_custom(out, VIEW("tinyId"), json_at(alert, "tinyId"), mem)
            && source_custom(out, VIEW("source"), json_at(alert, "source"), mem)
            && source_custom(out, VIEW("tags"), json_at(alert, "tags"), mem)
            && source_custom(out, VIEW("teams"), json_at(alert, "teams"), mem)
            && source_custom(out, VIEW("integration"), json_at(body, "integrationName"), mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the alert's details");
}

const struct source source_opsgenie = {
    .name = "opsgenie",
    .identity = BY_PROBLEM | BY_RESOURCE,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
