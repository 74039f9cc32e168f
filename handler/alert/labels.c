/*
 * What Alertmanager, Grafana and their relays have in common.  All labels are kept as dimensions, for
 * two alerts may differ in any one of them; annotations are words for people and tell nothing apart.
 */
#include "alert/labels.h"

#include "alert/url.h"
#include "base/arena.h"
#include "base/json.h"

enum { MAX_LABELS = 256, NO_RANK = 1000 }; /* more of one object are not looked at */

const struct word labels_severities[] = {
    { "critical", 0 }, { "crit", 0 },        { "page", 0 },        { "emergency", 0 },
    { "fatal", 0 },    { "error", 1 },       { "err", 1 },         { "high", 1 },
    { "major", 1 },    { "warning", 2 },     { "warn", 2 },        { "medium", 2 },
    { "minor", 2 },    { "info", 3 },        { "information", 3 }, { "informational", 3 },
    { "notice", 3 },   { "low", 3 },         { "none", 4 },        { "debug", 4 },
    { "verbose", 4 },  { NULL, NOT_STATED },
};

/* "active" and "suppressed" are Alertmanager's own API, whose alerts some relays pass on. */
const struct word labels_states[] = {
    { "firing", ALERT_FIRED },      { "fired", ALERT_FIRED },   { "alerting", ALERT_FIRED },
    { "active", ALERT_FIRED },      { "problem", ALERT_FIRED }, { "resolved", ALERT_RESOLVED },
    { "inactive", ALERT_RESOLVED }, { "ok", ALERT_RESOLVED },   { "normal", ALERT_RESOLVED },
    { "suppressed", ALERT_OTHER },  { "pending", ALERT_OTHER }, { NULL, ALERT_OTHER },
};

bool labels_lists_alerts(const struct cJSON *body)
{
    enum json_kind kind = json_kind(json_at(body, "alerts"));
    return kind == JSON_LIST || kind == JSON_OBJECT || kind == JSON_NULL;
}

static bool has_any(const struct cJSON *node, const char *const members[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_kind(json_at(node, members[i])) != JSON_ABSENT)
            return true;
    return false;
}

bool labels_any_alert_has(const struct cJSON *body, const char *const members[], size_t count)
{
    const struct cJSON *alerts = json_at(body, "alerts");
    if (json_kind(alerts) == JSON_OBJECT)
        return has_any(alerts, members, count);
    for (const struct cJSON *item = json_first(alerts); item != NULL; item = json_next(item))
        if (has_any(item, members, count))
            return true;
    return false;
}

/* --- the resource ------------------------------------------------------------------------------ */

/* How well a label names the thing: 0 is best, NO_RANK not at all. */
static size_t rank_of(struct view key)
{
    static const char *const names[] = {
        "instance",   "pod",         "service",   "node",      "job",         "namespace",
        "cluster",    "host",        "hostname",  "device",    "target",      "server",
        "deployment", "statefulset", "daemonset", "container", "application", "app",
        "database",   "queue",       "zone",      "region",    "monitor",
    };
    static const struct view uuid = { "uuid", 4 }; /* some sites have ids of their own */
    size_t rank = 0;
    while (rank < COUNT_OF(names) && !view_equal(key, view_of(names[rank])))
        rank++;
    bool is_known =
        rank < COUNT_OF(names)
        || (key.len >= uuid.len && view_equal_fold(view_skip(key, key.len - uuid.len), uuid));
    return is_known ? rank : NO_RANK;
}

/* One pass, for a group's labels are looked at for each of its alerts. */
struct view labels_resource(const struct cJSON *labels, struct arena *mem)
{
    struct view best = { 0 };
    size_t best_rank = NO_RANK;
    const struct cJSON *label = json_kind(labels) == JSON_OBJECT ? json_first(labels) : NULL;
    for (size_t i = 0; label != NULL && i < MAX_LABELS; i++, label = json_next(label)) {
        size_t rank = rank_of(json_key(label));
        struct view value =
            rank < best_rank ? source_line(source_one(label), mem) : (struct view){ 0 };
        if (value.len == 0)
            continue;
        best = value;
        best_rank = rank;
    }
    return best;
}

static bool keep_resource(const struct cJSON *labels, const struct cJSON *common, struct arena *mem,
                          struct alert *out)
{
    struct view name = labels_resource(labels, mem);
    if (name.len == 0)
        name = labels_resource(common, mem);
    out->resource = view_keep(name, mem);
    return out->resource.at != NULL;
}

/* --- labels and annotations -------------------------------------------------------------------- */

static bool keep_dimensions(const struct cJSON *labels, const struct cJSON *known,
                            struct arena *mem, struct alert *out)
{
    if (json_kind(labels) != JSON_OBJECT)
        return true;
    const struct cJSON *label = json_first(labels);
    for (size_t i = 0; label != NULL && i < MAX_LABELS; i++, label = json_next(label)) {
        struct view key = json_key(label);
        if (view_equal(key, VIEW("alertname")) || json_member(known, key) != NULL)
            continue;
        if (!pairs_put(&out->dimensions, MAX_DIMENSIONS, key, source_line(label, mem),
                       MAX_VALUE_BYTES, mem))
            return false;
    }
    return true;
}

/* Where annotations usually lead to. */
static const char *link_label(struct view key)
{
    static const struct {
        const char *key, *label;
    } known[] = {
        { "runbook", "Runbook" },
        { "dashboard", "Dashboard" },
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (view_starts_fold(key, view_of(known[i].key)))
            return known[i].label;
    return NULL;
}

/* Grafana keeps notes to itself under names like "__orgId__". */
static bool keep_annotation(const struct cJSON *note, struct arena *mem, struct alert *out)
{
    struct view key = json_key(note);
    struct view value = source_line(note, mem);
    const char *label = link_label(key);
    size_t links = out->links.count;
    if (view_starts(key, VIEW("__")) || view_equal(value, out->description)
        || view_equal(value, out->name))
        return true;
    if (label != NULL && !source_link(out, label, note, mem))
        return false;
    return out->links.count > links || source_custom(out, key, note, mem);
}

static bool keep_annotations(const struct cJSON *notes, const struct cJSON *known,
                             struct arena *mem, struct alert *out)
{
    if (json_kind(notes) != JSON_OBJECT)
        return true;
    const struct cJSON *note = json_first(notes);
    for (size_t i = 0; note != NULL && i < MAX_LABELS; i++, note = json_next(note))
        if (json_member(known, json_key(note)) == NULL && !keep_annotation(note, mem, out))
            return false;
    return true;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static bool keep_links(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                       struct alert *out)
{
    return source_link(out, "Rule", json_at(item, "generatorURL"), mem)
           && source_link(out, "Dashboard", json_at(item, "dashboardURL"), mem)
           && source_link(out, "Panel", json_at(item, "panelURL"), mem)
           && source_link(out, "Silence", json_at(item, "silenceURL"), mem)
           && source_link(out, "Image", json_at(item, "imageURL"), mem)
           && source_link(out, "Sender", json_at(body, "externalURL"), mem);
}

static bool keep_truncated(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    const struct cJSON *truncated = json_at(body, "truncatedAlerts");
    long long count = 0;
    if (!view_to_number(source_line(truncated, mem), 1, 1000000000, &count))
        return true;
    struct text words = text_in(mem, 128);
    text_add_number(&words, count);
    text_add_string(&words, count == 1 ? " more alert of this notification was"
                                       : " more alerts of this notification were");
    text_add_string(&words, " cut off by the sender");
    return pairs_put(&out->custom, MAX_CUSTOM_FIELDS, VIEW("truncatedAlerts"), text_view(&words),
                     MAX_VALUE_BYTES, mem);
}

/*
 * A broken relay gives one fingerprint to alerts of several rules, so the rule counts beside it, as
 * the other labels do.  Without either the words have to tell problems apart.
 */
static bool keep_problem(const struct cJSON *item, struct arena *mem, struct alert *out)
{
    struct view rule = source_line_at(item, "labels.alertname", mem);
    struct text both = text_in(mem, MAX_VALUE_BYTES * 2);
    if (out->problem.len == 0)
        out->problem = out->name;
    if (rule.len == 0 || view_equal(rule, out->problem))
        return true;
    text_add(&both, view_cap(out->problem, MAX_VALUE_BYTES / 2));
    text_add_char(&both, ' ');
    text_add(&both, view_cap(rule, MAX_VALUE_BYTES / 2));
    out->problem = text_view(&both);
    return text_ok(&both);
}

bool labels_finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out)
{
    const struct cJSON *labels = json_at(item, "labels");
    const struct cJSON *notes = json_at(item, "annotations");
    const struct cJSON *common = item == body ? NULL : json_at(body, "commonLabels");
    const struct cJSON *common_notes = item == body ? NULL : json_at(body, "commonAnnotations");
    out->signal_type = VIEW("metric");
    out->query = url_parameter(json_text(json_at(item, "generatorURL")), "g0.expr", mem);
    return keep_truncated(body, mem, out) && keep_resource(labels, common, mem, out)
           && keep_dimensions(labels, NULL, mem, out) && keep_dimensions(common, labels, mem, out)
           && keep_annotations(notes, NULL, mem, out)
           && keep_annotations(common_notes, notes, mem, out) && keep_links(item, body, mem, out)
           && keep_problem(item, mem, out);
}
