/*
 * PagerDuty's retired webhooks, versions 1 and 2: a list of messages, each about one incident.  What
 * version 1 keeps in "data.incident" stands in "incident" in version 2, its "type" in "event".
 */
#include "alert/source.h"

#include "base/json.h"

static const struct word urgencies[] = { { "high", 1 }, { "low", 3 }, { NULL, NOT_STATED } };

static const struct word states[] = {
    { "incident.trigger", ALERT_FIRED },
    { "incident.resolve", ALERT_RESOLVED },
    { "incident.acknowledge", ALERT_OTHER },
    { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "incident.title", LINE_AT(name) },
    { "incident.summary", LINE_AT(name) },
    { "incident.trigger_summary_data.subject", LINE_AT(name) },
    { "data.incident.trigger_summary_data.subject", LINE_AT(name) },
    { "data.incident.trigger_summary_data.description", LINE_AT(name) },
    { "data.incident.incident_key", LINE_AT(name) },
    { "incident.priority.summary", WORD_AT(severity), .words = source_priorities },
    { "incident.priority.name", WORD_AT(severity), .words = source_priorities },
    { "incident.urgency", WORD_AT(severity), .words = urgencies },
    { "data.incident.urgency", WORD_AT(severity), .words = urgencies },
    { "incident.service.summary", LINE_AT(resource) },
    { "incident.service.name", LINE_AT(resource) },
    { "data.incident.service.name", LINE_AT(resource) },
    { "incident.created_at", TIME_AT(fired_time) },
    { "data.incident.created_on", TIME_AT(fired_time) },
    { "created_on", TIME_AT(fired_time) },
    { "incident.id", LINE_AT(alert_id) },
    { "data.incident.id", LINE_AT(alert_id) },
    { "event", STATE_AT(state), .words = states },
    { "type", STATE_AT(state), .words = states },
};

static bool recognises(const struct cJSON *body)
{
    const struct cJSON *message = json_first(json_at(body, "messages"));
    struct view mark = VIEW("incident.");
    return view_starts(json_text(json_at(message, "type")), mark)
           || view_starts(json_text(json_at(message, "event")), mark);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    return (source_link(out, "Incident", json_at(item, "incident.html_url"), mem)
            && source_link(out, "Incident", json_at(item, "data.incident.html_url"), mem)
            && source_link(out, "Trigger", json_at(item, "data.incident.trigger_details_html_url"),
                           mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the incident");
}

const struct source source_pagerduty_old = {
    .name = "pagerduty",
    .identity = BY_NAME | BY_RESOURCE,
    .recognises = recognises,
    .items = "messages",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
