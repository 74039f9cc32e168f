/*
 * The documented contract, as curl, scripts and templates of other monitors send it.  It claims
 * whatever nobody else recognises, so its errors are the ones a newcomer meets.
 */
#include "alert/source.h"

#include "base/json.h"

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
        if (!is_known(json_key(member))
            && !pairs_put(&out->custom, MAX_CUSTOM_FIELDS, json_key(member), value, MAX_VALUE_BYTES,
                          mem))
            return false;
    }
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    out->state = says_resolved(body) ? ALERT_RESOLVED : ALERT_FIRED;
    return keep_custom(body, mem, out)
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
