/*
 * The body of Grafana OnCall's formatted webhook, which scripts of other systems imitate; Zabbix' one
 * puts host, trigger and severity into "tags".
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

/* Zabbix' scale, and the words of those that are not Zabbix. */
static const struct word severities[] = {
    { "Disaster", 0 },       { "High", 1 },        { "Average", 2 }, { "Information", 3 },
    { "critical", 0 },       { "error", 1 },       { "warning", 2 }, { "info", 3 },
    { "Not classified", 4 }, { NULL, NOT_STATED },
};

static const struct word states[] = {
    { "PROBLEM", ALERT_FIRED }, { "alerting", ALERT_FIRED },    { "firing", ALERT_FIRED },
    { "OK", ALERT_RESOLVED },   { "RESOLVED", ALERT_RESOLVED }, { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "tags.trigger", LINE_AT(name) },
    { "title", LINE_AT(name) },
    { "tags.severity", WORD_AT(severity), .words = severities },
    { "message", LINE_AT(description) },
    { "tags.host", LINE_AT(resource) },
    { "tags.ip", LINE_AT(resource) },
    { "alert_uid", LINE_AT(alert_id) },
    { "tags.trigger_id", LINE_AT(problem) },
    { "tags.trigger", LINE_AT(problem) },
    { "title", LINE_AT(problem) },
    { "state", STATE_AT(state), .words = states },
};

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "alert_uid")) != JSON_ABSENT
           && json_kind(json_at(body, "title")) == JSON_TEXT
           && json_kind(json_at(body, "state")) == JSON_TEXT;
}

static bool keep_item(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct text words = text_in(mem, MAX_VALUE_BYTES * 2);
    struct view key = source_line(json_at(body, "tags.key"), mem);
    (void)text_add_some(&words, key.len > 0 ? key : VIEW("value"));
    (void)text_add_some(&words, VIEW(" = "));
    (void)text_add_some(&words, source_line(json_at(body, "tags.value"), mem));
    return json_kind(json_at(body, "tags.value")) == JSON_ABSENT
           || source_condition(out, text_view(&words), mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    if (json_kind(json_at(body, "tags.trigger")) != JSON_ABSENT)
        out->signal_type = VIEW("metric");
    return (keep_item(body, mem, out)
            && source_custom(out, VIEW("address"), json_at(body, "tags.ip"), mem)
            && source_custom(out, VIEW("title"), json_at(body, "title"), mem)
            && source_link(out, "Upstream", json_at(body, "link_to_upstream_details"), mem)
            && source_link(out, "Image", json_at(body, "image_url"), mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the tags");
}

const struct source source_oncall = {
    .name = "grafana-oncall",
    .identity = BY_PROBLEM | BY_RESOURCE,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
