/* Honeycomb's trigger webhook.  Its `shared_secret` is a credential and stays out. */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word states[] = {
    { "TRIGGERED", ALERT_FIRED },
    { "OK", ALERT_RESOLVED },
    { "RESOLVED", ALERT_RESOLVED },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "name", LINE_AT(name) },
    { "status", STATE_AT(state), .words = states },
    { "description", TEXT_AT(description) },
    { "summary", TEXT_AT(description) },
    { "trigger_description", TEXT_AT(description) },
    { "id", LINE_AT(alert_id) },
    { "id", LINE_AT(problem) },
    { "summary", CUSTOM_AS("summary") },
    { "trigger_description", CUSTOM_AS("trigger description") },
    { "dataset", CUSTOM_AS("dataset") },
    { "environment", CUSTOM_AS("environment") },
    { "is_test", CUSTOM_AS("is test") },
    { "result_url", LINK_AS("Result") },
    { "trigger_url", LINK_AS("Trigger") },
};

static bool recognises(const struct cJSON *body)
{
    return view_starts(json_text(json_at(body, "version")), VIEW("v0."))
           && json_at(body, "status") != NULL && json_at(body, "name") != NULL
           && (json_at(body, "result_url") != NULL || json_at(body, "result_groups") != NULL
               || json_at(body, "trigger_url") != NULL);
}

/* "foo=ble is 5".  Which groups are over changes with each firing. */
static bool keep_groups(const struct cJSON *body, struct alert *out, struct arena *mem)
{
    const struct cJSON *groups = json_at(body, "result_groups_triggered");
    const struct cJSON *group = source_items(groups);
    for (; group != NULL; group = source_next(group, groups)) {
        const struct cJSON *part = json_first(json_at(group, "Group"));
        struct text text = text_in(mem, MAX_VALUE_BYTES);
        for (; part != NULL; part = json_next(part)) {
            source_add_part(&text, text.len == 0 ? "" : ", ", json_key(part), "=");
            source_add_part(&text, "", source_line(part, mem), "");
        }
        source_add_part(&text, text.len == 0 ? "result " : " is ",
                        source_line_at(group, "Result", mem), "");
        if (!source_condition(out, text_view(&text), mem))
            return false;
    }
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    struct text text = text_in(mem, MAX_VALUE_BYTES);
    struct view threshold = source_line_at(item, "threshold", mem);
    source_add_part(&text, "result ", source_line_at(item, "operator", mem), "");
    source_add_part(&text, text.len == 0 ? "threshold " : " ", threshold, "");
    return (source_condition(out, text_view(&text), mem) && keep_groups(item, out, mem)
            && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the trigger");
}

const struct source source_honeycomb = {
    .name = "honeycomb",
    .identity = BY_PROBLEM | BY_NAME,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
