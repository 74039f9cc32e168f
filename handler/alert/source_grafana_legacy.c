/*
 * Grafana before version 8: one rule, its state, and the series that matched.  The page: Grafana 7,
 * "Alert notifications", webhook.
 *
 * There is no time and no id of the firing; ruleId is the rule's.  Series come and go while the rule
 * fires and are gone when it recovers, so they are evidence and tell no problems apart.
 */
#include "alert/labels.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word states[] = {
    { "alerting", ALERT_FIRED }, { "alert", ALERT_FIRED },       { "firing", ALERT_FIRED },
    { "ok", ALERT_RESOLVED },    { "resolved", ALERT_RESOLVED }, { "no_data", ALERT_OTHER },
    { "nodata", ALERT_OTHER },   { "paused", ALERT_OTHER },      { "pending", ALERT_OTHER },
    { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "ruleName", LINE_AT(name) },
    { "title", LINE_AT(name) },
    { "message", LINE_AT(description) },
    { "tags.severity", WORD_AT(severity), .words = labels_severities },
    { "ruleId", LINE_AT(alert_id) },
    { "ruleId", LINE_AT(problem) },
    { "state", STATE_AT(state), .words = states },
};

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "ruleName")) == JSON_TEXT
           && json_kind(json_at(body, "state")) == JSON_TEXT
           && json_kind(json_at(body, "alerts")) == JSON_ABSENT;
}

static void add_tags(struct text *to, const struct cJSON *tags, struct arena *mem)
{
    const struct cJSON *tag = json_kind(tags) == JSON_OBJECT ? json_first(tags) : NULL;
    for (bool is_first = true; tag != NULL; tag = json_next(tag), is_first = false) {
        (void)text_add_some(to, is_first ? VIEW(" (") : VIEW(", "));
        (void)text_add_some(to, json_key(tag));
        (void)text_add_some(to, VIEW(": "));
        (void)text_add_some(to, source_line(tag, mem));
        if (json_next(tag) == NULL)
            (void)text_add_some(to, VIEW(")"));
    }
}

/* "user = 97.007606 (instance: zeta.domain, job: monitoring)" */
static bool keep_match(const struct cJSON *match, struct arena *mem, struct alert *out)
{
    struct text words = text_in(mem, MAX_VALUE_BYTES * 2);
    struct view value = source_line(json_at(match, "value"), mem);
    (void)text_add_some(&words, source_line(json_at(match, "metric"), mem));
    if (value.len > 0)
        (void)text_add_some(&words, words.len == 0 ? VIEW("value = ") : VIEW(" = "));
    (void)text_add_some(&words, value);
    add_tags(&words, json_at(match, "tags"), mem);
    return source_condition(out, text_view(&words), mem);
}

static bool keep_resource(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    const struct cJSON *matches = json_at(body, "evalMatches");
    const struct cJSON *match = source_items(matches);
    struct view name = { 0 };
    for (; name.len == 0 && match != NULL; match = source_next(match, matches))
        name = labels_resource(json_at(match, "tags"), mem);
    if (name.len == 0)
        name = labels_resource(json_at(body, "tags"), mem);
    out->resource = view_keep(name, mem);
    return out->resource.at != NULL;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *matches = json_at(body, "evalMatches");
    const struct cJSON *match = source_items(matches);
    bool ok = keep_resource(body, mem, out);
    out->signal_type = VIEW("metric");
    for (; ok && match != NULL; match = source_next(match, matches))
        ok = keep_match(match, mem, out);
    return (ok && source_custom_all(out, json_at(body, "tags"), mem)
            && source_link(out, "Rule", json_at(body, "ruleUrl"), mem)
            && source_link(out, "Image", json_at(body, "imageUrl"), mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the matches");
}

const struct source source_grafana_legacy = {
    .name = "grafana",
    .identity = BY_PROBLEM | BY_NAME,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
