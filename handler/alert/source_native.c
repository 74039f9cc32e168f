/*
 * The documented contract, as curl, scripts and templates of other monitors send it.  It claims
 * whatever nobody else recognises, so its errors are the ones a newcomer meets.
 *
 * Kibana and Watcher fill it from mustache templates: what they leave behind is taken for what it
 * is.  Text that holds JSON is read only for the log lines in it.
 */
#include "alert/source.h"

#include "alert/hits.h"
#include "base/arena.h"
#include "base/json.h"

enum { MAX_LOG_BYTES = 256 * 1024, MAX_INNER_BODIES = 4 };

static const struct field fields[] = {
    { "alertName", LINE_AT(name), .is_required = true },
    { "severity", LEVEL_AT(severity), .is_required = true },
    { "description", TEXT_AT(description), .is_required = true },
    { "affectedResource", LINE_AT(resource) },
    { "signalType", LINE_AT(signal_type) },
    { "firedTime", TIME_AT(fired_time) },
    { "source", LINE_AT(source) },
    { "logs", TEXT_AT(logs) },
    { "file", LINE_AT(file) },
    { "line", COUNT_AT(line) },
    { "dimensions", PAIRS_AT(dimensions) },
    { "alertId", LINE_AT(alert_id) },
};

static bool recognises(const struct cJSON *body)
{
    (void)body;
    return true;
}

static bool is_known(struct view key)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (view_equal(key, view_of(fields[i].path)))
            return true;
    return false;
}

static bool is_scalar(const struct cJSON *node)
{
    enum json_kind kind = json_kind(node);
    return kind == JSON_TEXT || kind == JSON_NUMBER || kind == JSON_BOOL;
}

/* A rule that recovers is told by one word; which member holds it is the template's choice. */
static bool says_resolved(const struct cJSON *body)
{
    static const char *const members[] = { "state", "status" };
    static const char *const words[] = { "resolved", "recovered", "ok" };
    for (size_t i = 0; i < COUNT_OF(members); i++)
        for (size_t j = 0; j < COUNT_OF(words); j++)
            if (view_equal_fold(view_trim(json_text(json_at(body, members[i]))), view_of(words[j])))
                return true;
    return false;
}

static bool keep_custom(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    for (const struct cJSON *member = json_first(body); member != NULL;
         member = json_next(member)) {
        struct view value = is_scalar(member) ? source_line(member, mem) : (struct view){ 0 };
        if (!is_known(json_key(member)) && !source_is_credential(json_key(member))
            && !pairs_put(&out->custom, MAX_CUSTOM_FIELDS, json_key(member), value, MAX_VALUE_BYTES,
                          mem))
            return false;
    }
    return true;
}

/* --- what mustache templates leave ------------------------------------------------------------- */

/* Of the names that need no being asked for: Kibana's group, the job of a machine learning rule. */
static bool keep_resource(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    static const char *const members[] = { "groupByField", "jobId" };
    struct view name = out->resource;
    for (size_t i = 0; name.len == 0 && i < COUNT_OF(members); i++)
        name = source_line(json_at(body, members[i]), mem);
    out->resource = view_keep(source_unescaped(name, mem), mem);
    return out->resource.at != NULL;
}

/*
 * A string that holds JSON, "{{context}}", is searched once for the messages of its hits.  True when
 * that had to be tried.
 */
static bool add_inner_messages(struct text *to, struct view text, struct arena *mem)
{
    struct json inner = { 0 };
    struct failure why;
    text = view_trim(text);
    bool may_be_json = view_starts(text, VIEW("{")) || view_starts(text, VIEW("["));
    if (!may_be_json || !json_read(text, mem, &inner, &why))
        return may_be_json;
    hits_add_messages(to, inner.root, NULL);
    json_free(&inner);
    return true;
}

/*
 * Log lines: those that were stated, unless they are JSON themselves; else those among the hits of
 * another member.  A section that no engine filled is none.
 */
static void keep_logs(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct text lines = text_in(mem, MAX_LOG_BYTES);
    struct view stated = view_trim(out->logs);
    if (view_starts(stated, VIEW("{{#")) && source_is_placeholder(stated))
        stated = out->logs = (struct view){ 0 };
    add_inner_messages(&lines, stated, mem);
    if (stated.len == 0)
        hits_add_messages(&lines, body, NULL);
    size_t looked_into = 0;
    const struct cJSON *member = json_first(body);
    for (; stated.len == 0 && lines.len == 0 && member != NULL && looked_into < MAX_INNER_BODIES;
         member = json_next(member))
        looked_into += add_inner_messages(&lines, json_text(member), mem);
    out->logs = lines.len > 0 ? text_view(&lines) : source_unescaped(out->logs, mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    out->state = says_resolved(body) ? ALERT_RESOLVED : ALERT_FIRED;
    out->name = source_unescaped(out->name, mem);
    out->description = source_unescaped(out->description, mem);
    keep_logs(body, mem, out);
    return (keep_resource(body, mem, out) && keep_custom(body, mem, out) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left for custom fields");
}

const struct source source_native = {
    .name = "native",
    .identity = BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
