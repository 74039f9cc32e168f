/*
 * Grafana's unified alerting: Alertmanager's shape and a few members more.  The page: Grafana,
 * "Webhook notifications".
 *
 * The title is read for a missing name alone, never for the state: the contact point's own test says
 * "[RESOLVED]" over a firing alert.
 */
#include "alert/labels.h"

#include "base/arena.h"
#include "base/json.h"

static const struct field fields[] = {
    LABELS_NAME_ROWS,
    { "/title", LINE_AT(name) },
    { "annotations.summary", LINE_AT(name) },
    { "annotations.description", LINE_AT(name) },
    LABELS_ROWS,
};

static bool recognises(const struct cJSON *body)
{
    static const char *const members[] = { "silenceURL", "valueString", "values", "dashboardURL" };
    return labels_lists_alerts(body)
           && (json_kind(json_at(body, "orgId")) != JSON_ABSENT
               || labels_any_alert_has(body, members, COUNT_OF(members)));
}

/* "[FIRING:1] High CPU (blue)" without what stands in the brackets at its front. */
static struct view without_mark(struct view title)
{
    struct view mark;
    struct view rest;
    if ((view_starts_fold(title, VIEW("[FIRING")) || view_starts_fold(title, VIEW("[RESOLVED")))
        && view_cut(title, ']', &mark, &rest) && view_trim(rest).len > 0)
        return view_trim(rest);
    return title;
}

/* The measured values, one a query of the rule: "B = 44.2, C = 1". */
static struct view values_in_words(const struct cJSON *values, struct arena *mem)
{
    struct text words = text_in(mem, MAX_VALUE_BYTES * 2);
    const struct cJSON *value = json_kind(values) == JSON_OBJECT ? json_first(values) : NULL;
    for (; value != NULL; value = json_next(value)) {
        text_add_string(&words, words.len == 0 ? "values " : ", ");
        (void)text_add_some(&words, json_key(value));
        (void)text_add_some(&words, VIEW(" = "));
        (void)text_add_some(&words, source_line(value, mem));
    }
    return text_view(&words);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    out->name = without_mark(out->name);
    return (labels_finish(item, body, mem, out)
            && source_condition(out, values_in_words(json_at(item, "values"), mem), mem)
            && source_condition(out, source_line(json_at(item, "valueString"), mem), mem))
           || fail(why, FAIL_INTERNAL, "no memory left for labels and annotations");
}

const struct source source_grafana = {
    .name = "grafana",
    .identity = BY_PROBLEM | BY_DIMENSIONS,
    .recognises = recognises,
    .items = "alerts",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
