/*
 * What tools send *to* PagerDuty (Events API v2), pointed at us instead.  The page:
 * developer.pagerduty.com, "Send an Event".
 *
 * The routing key is a credential and read by nobody.
 */
#include "alert/source.h"

#include "base/json.h"

static const struct word severities[] = {
    { "critical", 0 }, { "error", 1 }, { "warning", 2 }, { "info", 3 }, { NULL, NOT_STATED },
};

static const struct word states[] = {
    { "trigger", ALERT_FIRED },
    { "resolve", ALERT_RESOLVED },
    { "acknowledge", ALERT_OTHER },
    { NULL, ALERT_OTHER },
};

/* A resolve may hold nothing but the key. */
static const struct field fields[] = {
    { "payload.summary", LINE_AT(name) },
    { "dedup_key", LINE_AT(name) },
    { "payload.severity", WORD_AT(severity), .words = severities },
    { "payload.source", LINE_AT(resource) },
    { "payload.component", LINE_AT(resource) },
    { "payload.timestamp", TIME_AT(fired_time) },
    { "dedup_key", LINE_AT(alert_id) },
    { "dedup_key", LINE_AT(problem) },
    { "payload.summary", LINE_AT(problem) },
    { "event_action", STATE_AT(state), .words = states },
};

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "event_action")) == JSON_TEXT
           && (json_kind(json_at(body, "routing_key")) == JSON_TEXT
               || json_kind(json_at(body, "payload.summary")) == JSON_TEXT);
}

/* Nothing but its words tells an event without a key apart from another machine's. */
static bool keep_source(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    return source_line_at(body, "dedup_key", mem).len > 0
           || source_dimension(out, "source", json_at(body, "payload.source"), mem);
}

static bool keep_links(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    const struct cJSON *link = json_first(json_at(body, "links"));
    for (; link != NULL; link = json_next(link))
        if (!source_link(out, "Link", json_at(link, "href"), mem))
            return false;
    return source_link(out, "Client", json_at(body, "client_url"), mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *details = json_at(body, "payload.custom_details");
    return (keep_source(body, mem, out)
            && source_custom(out, VIEW("component"), json_at(body, "payload.component"), mem)
            && source_custom(out, VIEW("group"), json_at(body, "payload.group"), mem)
            && source_custom(out, VIEW("class"), json_at(body, "payload.class"), mem)
            && source_custom(out, VIEW("client"), json_at(body, "client"), mem)
            && (json_kind(details) == JSON_OBJECT
                    ? source_custom_all(out, details, mem)
                    : source_custom(out, VIEW("details"), details, mem))
            && keep_links(body, mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left for the event");
}

const struct source source_pagerduty_events = {
    .name = "pagerduty",
    .identity = BY_PROBLEM | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
