/*
 * Amazon EventBridge: events of AWS services, of CloudWatch alarms among them, as a rule sends them
 * to SNS or to an API destination.  An event is news: only an alarm's state can say that it is over.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word states[] = {
    { "ALARM", ALERT_FIRED },
    { "OK", ALERT_RESOLVED },
    { "INSUFFICIENT_DATA", ALERT_OTHER },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "detail.alarmName", LINE_AT(name) },
    { "detail-type", LINE_AT(name) },
    { "detail.state.value", STATE_AT(state), .words = states },
    { "detail.configuration.description", TEXT_AT(description) },
    { "detail.description", TEXT_AT(description) },
    { "detail.message", TEXT_AT(description) },
    { "detail.title", TEXT_AT(description) },
    { "time", TIME_AT(fired_time) },
    { "id", LINE_AT(alert_id) },
    { "detail.eventArn", LINE_AT(problem) },
    { "detail.eventTypeCode", LINE_AT(problem) },
    { "detail.type", LINE_AT(problem) },
    { "account", DIMENSION_AS("account") },
    { "region", DIMENSION_AS("region") },
    { "source", CUSTOM_AS("event source") },
    { "resources", CUSTOM_AS("resources") },
};

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "detail-type")) == JSON_TEXT
           && json_kind(json_at(body, "detail")) == JSON_OBJECT;
}

/* The alarm's metrics name what is measured; the event's resources are then only the alarm. */
static bool keep_metrics(const struct cJSON *metric, struct alert *out, struct arena *mem)
{
    for (; metric != NULL; metric = json_next(metric)) {
        const struct cJSON *inner = json_at(metric, "metricStat.metric");
        const struct cJSON *dimension = json_first(json_at(inner, "dimensions"));
        struct text text = text_in(mem, MAX_VALUE_BYTES);
        source_add_part(&text, "", source_line_at(metric, "metricStat.stat", mem), " of ");
        source_add_part(&text, "", source_line_at(inner, "namespace", mem), " ");
        source_add_part(&text, "", source_line_at(inner, "name", mem), "");
        source_add_part(&text, "", source_line_at(metric, "expression", mem), "");
        if (!source_condition(out, text_view(&text), mem))
            return false;
        for (; dimension != NULL; dimension = json_next(dimension)) {
            struct view value = source_line(dimension, mem);
            if (out->resource.len == 0)
                out->resource = view_keep(value, mem);
            if (value.len > 0
                && !pairs_put(&out->dimensions, MAX_DIMENSIONS, json_key(dimension), value,
                              MAX_VALUE_BYTES, mem))
                return false;
        }
    }
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    const struct cJSON *detail = json_at(item, "detail");
    bool is_alarm = json_at(detail, "alarmName") != NULL;
    if (out->state == ALERT_OTHER && out->reason == NULL)
        out->reason = "The alarm has too little data to be on or off: no session needed";
    out->signal_type = is_alarm ? VIEW("metric") : out->signal_type;
    bool ok = source_condition(out, source_line_at(detail, "state.reason", mem), mem)
              && source_condition(out, source_line_at(detail, "configuration.alarmRule", mem), mem)
              && keep_metrics(json_first(json_at(detail, "configuration.metrics")), out, mem)
              && (is_alarm || source_custom_tree(out, "", detail, mem));
    if (out->resource.len == 0)
        out->resource = view_keep(source_line(source_one(json_at(item, "resources")), mem), mem);
    return (ok && arena_ok(mem)) || fail(why, FAIL_INTERNAL, "no memory left to read the event");
}

const struct source source_eventbridge = {
    .name = "eventbridge",
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
