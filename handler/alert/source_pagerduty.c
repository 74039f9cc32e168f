/*
 * PagerDuty's V3 webhook: an incident and what happened to it.  The page: developer.pagerduty.com,
 * "Webhooks Overview".
 *
 * The incident's key is not what makes a problem: it is random where the integration set none.
 * Assignees are people and are left out.
 */
#include "alert/source.h"

#include "alert/url.h"
#include "base/arena.h"
#include "base/json.h"

enum { MAX_LOG_BYTES = 16 * 1024 };

static const struct word urgencies[] = { { "high", 1 }, { "low", 3 }, { NULL, NOT_STATED } };

/* What else happens to an incident (acknowledged, escalated, annotated) is no news of a problem. */
static const struct word states[] = {
    { "incident.triggered", ALERT_FIRED },
    { "incident.reopened", ALERT_FIRED },
    { "incident.resolved", ALERT_RESOLVED },
    { "incident.acknowledged", ALERT_OTHER },
    { "incident.unacknowledged", ALERT_OTHER },
    { "incident.escalated", ALERT_OTHER },
    { "incident.reassigned", ALERT_OTHER },
    { "incident.delegated", ALERT_OTHER },
    { "incident.annotated", ALERT_OTHER },
    { "incident.priority_updated", ALERT_OTHER },
    { "pagey.ping", ALERT_OTHER },
    { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "event.data.title", LINE_AT(name) },
    { "event.data.summary", LINE_AT(name) },
    { "event.data.priority.summary", WORD_AT(severity), .words = source_priorities },
    { "event.data.priority.name", WORD_AT(severity), .words = source_priorities },
    { "event.data.priority", WORD_AT(severity), .words = source_priorities },
    { "event.data.urgency", WORD_AT(severity), .words = urgencies },
    { "event.data.description", LINE_AT(description) },
    { "event.data.body.details", LINE_AT(description) },
    { "event.data.service.summary", LINE_AT(resource) },
    { "event.data.service.name", LINE_AT(resource) },
    { "event.data.service.id", LINE_AT(resource) },
    { "event.data.created_at", TIME_AT(fired_time) },
    { "event.occurred_at", TIME_AT(fired_time) },
    { "event.data.id", LINE_AT(alert_id) },
    { "event.event_type", STATE_AT(state), .words = states },
};

/* The test of a new subscription, "pagey.ping", is no incident and has no id. */
static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "event.event_type")) == JSON_TEXT
           && json_kind(json_at(body, "event.data")) == JSON_OBJECT;
}

/* A monitor may put the error itself nowhere but into the link back to it. */
static bool keep_link_as_evidence(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct text lines = text_in(mem, MAX_LOG_BYTES);
    struct view query = url_query(json_text(json_at(body, "event.client.url")));
    struct view name;
    struct view value;
    while (url_next(&query, &name, &value)) {
        (void)text_add_some(&lines, url_decode(name, mem));
        (void)text_add_some(&lines, VIEW(": "));
        (void)text_add_some(&lines, url_decode(value, mem));
        (void)text_add_some(&lines, VIEW("\n"));
    }
    out->logs = text_view(&lines);
    return arena_ok(mem);
}

static bool keep_custom(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    const struct cJSON *data = json_at(body, "event.data");
    return source_custom(out, VIEW("incident"), json_at(data, "number"), mem)
           && source_custom(out, VIEW("incidentKey"), json_at(data, "incident_key"), mem)
           && source_custom(out, VIEW("urgency"), json_at(data, "urgency"), mem)
           && source_custom(out, VIEW("client"), json_at(body, "event.client.name"), mem)
           && source_custom(out, VIEW("escalationPolicy"),
                            json_at(data, "escalation_policy.summary"), mem)
           && source_custom(out, VIEW("escalationPolicy"), json_at(data, "escalation_policy.name"),
                            mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    if (out->state == ALERT_OTHER)
        out->reason = "The incident is neither triggered nor resolved: no session needed";
    return (keep_custom(body, mem, out)
            && source_link(out, "Incident", json_at(body, "event.data.html_url"), mem)
            && source_link(out, "Service", json_at(body, "event.data.service.html_url"), mem)
            && source_link(out, "Client", json_at(body, "event.client.url"), mem)
            && keep_link_as_evidence(body, mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left for the incident");
}

const struct source source_pagerduty = {
    .name = "pagerduty",
    .identity = BY_NAME | BY_RESOURCE,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
