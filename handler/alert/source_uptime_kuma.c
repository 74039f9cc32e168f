/*
 * Uptime Kuma's webhook in its default JSON.  Its test button sends both parts as null, its states
 * are numbers, and its times are UTC without saying so.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word states[] = {
    { "0", ALERT_FIRED }, { "1", ALERT_RESOLVED }, { "2", ALERT_OTHER }, { "3", ALERT_OTHER },
    { NULL, 0 },
};

static const struct word severities[] = {
    { "critical", 0 }, { "error", 1 }, { "high", 1 }, { "major", 1 },
    { "warning", 2 },  { "info", 3 },  { NULL, 0 },
};

static const struct field fields[] = {
    { "monitor.name", LINE_AT(name) },
    { "heartbeat.msg", TEXT_AT(description) },
    { "msg", TEXT_AT(description) },
    { "heartbeat.status", STATE_AT(state), .words = states },
    { "heartbeat.time", TIME_AT(fired_time) },
    { "monitor.id", LINE_AT(alert_id) },
    { "heartbeat.monitorID", LINE_AT(alert_id) },
    { "monitor.id", LINE_AT(problem) },
    { "heartbeat.monitorID", LINE_AT(problem) },
    { "monitor.type", CUSTOM_AS("monitor type") },
    { "monitor.keyword", CUSTOM_AS("keyword") },
    { "heartbeat.ping", CUSTOM_AS("ping ms") },
    { "heartbeat.duration", CUSTOM_AS("seconds since the last change") },
    { "monitor.url", LINK_AS("Monitored") },
};

static bool recognises(const struct cJSON *body)
{
    return json_at(body, "heartbeat") != NULL && json_at(body, "monitor") != NULL
           && json_at(body, "msg") != NULL;
}

/* Monitors of other kinds than HTTP carry an empty "https://" for a URL. */
static bool keep_resource(const struct cJSON *monitor, struct alert *out, struct arena *mem)
{
    struct text text = text_in(mem, MAX_VALUE_BYTES);
    struct view host = source_line_at(monitor, "hostname", mem);
    struct view url = source_line_at(monitor, "url", mem);
    if (source_last_segment(url).len > 0 && !view_equal(url, VIEW("https://"))
        && !view_equal(url, VIEW("http://")))
        source_add_part(&text, "", url, "");
    else
        source_add_part(&text, "", host, "");
    if (host.len > 0 && view_equal(text_view(&text), host))
        source_add_part(&text, ":", source_line_at(monitor, "port", mem), "");
    if (text.len == 0)
        source_add_part(&text, "", out->name, "");
    out->resource = text_view(&text);
    return text_ok(&text);
}

static bool keep_tags(const struct cJSON *tags, struct alert *out, struct arena *mem)
{
    for (const struct cJSON *tag = json_first(tags); tag != NULL; tag = json_next(tag)) {
        struct view name = source_line_at(tag, "name", mem);
        struct view value = source_line_at(tag, "value", mem);
        int meaning = 0;
        if (view_equal_fold(name, VIEW("severity")) && source_word(value, severities, &meaning)) {
            out->has_severity = true;
            out->severity = meaning;
        } else if (name.len > 0 && !source_custom(out, name, json_at(tag, "value"), mem)) {
            return false;
        }
    }
    return true;
}

/* "2026-07-27 12:10:00.000" is UTC. */
static bool keep_time(struct alert *out, struct arena *mem)
{
    struct view time = out->fired_time;
    if (time.len < 19 || time.at[10] != ' ' || time.at[time.len - 1] == 'Z'
        || view_contains(view_skip(time, 19), VIEW("+")))
        return true;
    struct text text = text_in(mem, 64);
    text_add(&text, (struct view){ time.at, 10 });
    text_add_char(&text, 'T');
    text_add(&text, view_skip(time, 11));
    text_add_char(&text, 'Z');
    out->fired_time = text_view(&text);
    return text_ok(&text);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    bool is_test = json_kind(json_at(item, "monitor")) == JSON_NULL
                   && json_kind(json_at(item, "heartbeat")) == JSON_NULL;
    if (is_test) {
        out->state = ALERT_OTHER;
        out->reason = "Uptime Kuma's test arrived: no session needed";
    } else if (out->state == ALERT_OTHER && out->reason == NULL) {
        out->reason = "The monitor is pending or in maintenance: no session needed";
    }
    return (keep_tags(json_at(item, "monitor.tags"), out, mem)
            && keep_resource(json_at(item, "monitor"), out, mem) && keep_time(out, mem)
            && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the monitor");
}

const struct source source_uptime_kuma = {
    .name = "uptime-kuma",
    .identity = BY_PROBLEM | BY_NAME,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
