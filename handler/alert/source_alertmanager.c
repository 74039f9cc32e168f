/*
 * Prometheus Alertmanager's webhook (version 4, 3 and what relays leave of them), and one bare alert
 * as its API has them.  The page: prometheus.io, "Configuration", webhook_config.
 *
 * The version is not looked at: senders that copy the format write what they like there.
 */
#include "alert/labels.h"

#include "base/json.h"

static const struct field fields[] = {
    LABELS_NAME_ROWS,
    { "annotations.summary", LINE_AT(name) },
    { "annotations.title", LINE_AT(name) },
    { "annotations.message", LINE_AT(name) },
    { "annotations.description", LINE_AT(name) },
    LABELS_ROWS,
};

static bool is_bare_alert(const struct cJSON *body)
{
    return json_kind(json_at(body, "labels")) == JSON_OBJECT
           && (json_kind(json_at(body, "annotations")) == JSON_OBJECT
               || json_kind(json_at(body, "generatorURL")) == JSON_TEXT)
           && json_kind(json_at(body, "startsAt")) == JSON_TEXT;
}

static bool recognises(const struct cJSON *body)
{
    static const char *const groups[] = { "groupKey", "receiver", "commonLabels", "groupLabels" };
    static const char *const members[] = { "generatorURL", "labels", "annotations" };
    if (!labels_lists_alerts(body))
        return is_bare_alert(body);
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (json_kind(json_at(body, groups[i])) != JSON_ABSENT)
            return true;
    return labels_any_alert_has(body, members, COUNT_OF(members));
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    return labels_finish(item, body, mem, out)
           || fail(why, FAIL_INTERNAL, "no memory left for labels and annotations");
}

const struct source source_alertmanager = {
    .name = "alertmanager",
    .identity = BY_PROBLEM | BY_DIMENSIONS,
    .recognises = recognises,
    .items = "alerts",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
