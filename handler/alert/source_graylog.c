/* Graylog: stream alerts of version 2, and the event notifications that took their place. */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_LOG_BYTES = 64 * 1024 };

static const struct word priorities[] = {
    { "4", 0 }, { "3", 1 }, { "2", 2 }, { "1", 3 }, { NULL, 0 },
};

static const struct field fields[] = {
    { "event_definition_title", LINE_AT(name) },
    { "stream.title", LINE_AT(name) },
    { "check_result.triggered_condition.title", LINE_AT(name) },
    { "event.priority", WORD_AT(severity), .words = priorities },
    { "check_result.result_description", TEXT_AT(description) },
    { "event.message", TEXT_AT(description) },
    { "event_definition_description", TEXT_AT(description) },
    { "event.source", LINE_AT(resource) },
    { "check_result.triggered_at", TIME_AT(fired_time) },
    { "event.timestamp", TIME_AT(fired_time) },
    { "check_result.triggered_condition.id", LINE_AT(alert_id) },
    { "event.id", LINE_AT(alert_id) },
    { "check_result.triggered_condition.id", LINE_AT(problem) },
    { "event_definition_id", LINE_AT(problem) },
    { "check_result.triggered_condition.description", CUSTOM_AS("trigger") },
    { "stream.description", CUSTOM_AS("stream") },
    { "event.key", DIMENSION_AS("key") },
    { "event.fields", PAIRS_AT(custom) },
};

static bool recognises(const struct cJSON *body)
{
    return (json_at(body, "check_result.triggered_condition") != NULL
            && json_at(body, "stream") != NULL)
           || (json_at(body, "event_definition_id") != NULL && json_at(body, "event") != NULL);
}

static bool keep_messages(const struct cJSON *list, struct alert *out, struct arena *mem)
{
    struct text text = text_in(mem, MAX_LOG_BYTES);
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        if (out->resource.len == 0)
            out->resource = view_keep(source_line_at(item, "source", mem), mem);
        source_add_part(&text, "", source_line_at(item, "timestamp", mem), " ");
        source_add_part(&text, "", source_line_at(item, "source", mem), " ");
        source_add_part(&text, "", source_line_at(item, "message", mem), "\n");
    }
    if (text.len > 0)
        out->logs = text_view(&text);
    return text_ok(&text);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    const struct cJSON *triggered = json_at(item, "check_result.triggered");
    out->signal_type = VIEW("log");
    if (json_kind(triggered) == JSON_BOOL && !json_is_true(triggered)) {
        out->state = ALERT_OTHER;
        out->reason = "The condition is not triggered: no session needed";
    }
    return (keep_messages(json_at(item, "check_result.matching_messages"), out, mem)
            && (out->logs.len > 0 || keep_messages(json_at(item, "backlog"), out, mem))
            && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the messages");
}

const struct source source_graylog = {
    .name = "graylog",
    .identity = BY_PROBLEM | BY_NAME | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
