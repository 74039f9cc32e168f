/*
 * Datadog's webhook.  Its body is a site's own template of $VARIABLES, so members go by many names;
 * the transition, the priority in the title and the monitor's id are what they have in common.  The
 * page: Datadog, "Webhooks".
 *
 * A template's other members are left alone: sites put their secrets there.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_BODY_TEXT_BYTES = 256 * 1024, MAX_LINK_LINE_BYTES = 16 * 1024 };

/* $ALERT_PRIORITY is "P1" to "P5", the API's number 1 to 5; an event's "normal" is another thing. */
static const struct word priorities[] = {
    { "P1", 0 }, { "P2", 1 }, { "P3", 2 }, { "P4", 3 }, { "P5", 4 },          { "1", 0 },
    { "2", 1 },  { "3", 2 },  { "4", 3 },  { "5", 4 },  { NULL, NOT_STATED },
};

static const struct word severities[] = {
    { "P1", 0 },       { "P2", 1 },    { "P3", 2 },   { "P4", 3 },          { "P5", 4 },
    { "critical", 0 }, { "error", 1 }, { "high", 1 }, { "warning", 2 },     { "warn", 2 },
    { "medium", 2 },   { "info", 3 },  { "low", 3 },  { NULL, NOT_STATED },
};

static const struct word types[] = {
    { "error", 1 },       { "warning", 2 }, { "info", 3 }, { "success", NOT_STATED },
    { NULL, NOT_STATED },
};

static const struct word states[] = {
    { "Triggered", ALERT_FIRED }, { "Re-Triggered", ALERT_FIRED }, { "Retriggered", ALERT_FIRED },
    { "Warn", ALERT_FIRED },      { "Re-Warn", ALERT_FIRED },      { "Warning", ALERT_FIRED },
    { "No Data", ALERT_FIRED },   { "Re-No Data", ALERT_FIRED },   { "NoData", ALERT_FIRED },
    { "Renotify", ALERT_FIRED },  { "Re-Notify", ALERT_FIRED },    { "Alert", ALERT_FIRED },
    { "Error", ALERT_FIRED },     { "Recovered", ALERT_RESOLVED }, { "Resolved", ALERT_RESOLVED },
    { "OK", ALERT_RESOLVED },     { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "title", LINE_AT(name) },
    { "alert_title", LINE_AT(name) },
    { "event_title", LINE_AT(name) },
    { "summary", LINE_AT(name) },
    { "alert_priority", WORD_AT(severity), .words = priorities },
    { "priority", WORD_AT(severity), .words = priorities },
    { "alert.alert_priority", WORD_AT(severity), .words = priorities },
    { "severity", WORD_AT(severity), .words = severities },
    { "body", LINE_AT(description) },
    { "text_only_msg", LINE_AT(description) },
    { "event_msg", LINE_AT(description) },
    { "alert_message", LINE_AT(description) },
    { "message", LINE_AT(description) },
    { "msg", LINE_AT(description) },
    { "text", LINE_AT(description) },
    { "scopes", LINE_AT(resource) },
    { "alert_scope", LINE_AT(resource) },
    { "alert.alert_scope", LINE_AT(resource) },
    { "scope", LINE_AT(resource) },
    { "date", TIME_AT(fired_time) },
    { "last_updated", TIME_AT(fired_time) },
    { "timestamp", TIME_AT(fired_time) },
    { "event_date", TIME_AT(fired_time) },
    { "received_at", TIME_AT(fired_time) },
    { "id", LINE_AT(alert_id) },
    { "event_id", LINE_AT(alert_id) },
    { "event.event_id", LINE_AT(alert_id) },
    { "unique_key", LINE_AT(alert_id) },
    { "alert_cycle_key", LINE_AT(alert_id) },
    { "alert_id", LINE_AT(alert_id) },
    { "alert.alert_id", LINE_AT(alert_id) },
    { "monitor_id", LINE_AT(problem) },
    { "alert_id", LINE_AT(problem) },
    { "alert.alert_id", LINE_AT(problem) },
    { "alert_query", LINE_AT(query) },
    { "alert.alert_query", LINE_AT(query) },
    { "alert_transition", STATE_AT(state), .words = states },
    { "transition", STATE_AT(state), .words = states },
    { "alert.alert_transition", STATE_AT(state), .words = states },
    { "status", STATE_AT(state), .words = states },
};

/* --- the title --------------------------------------------------------------------------------- */

/* What Datadog puts before a monitor's name: "[P2]", "[Triggered on {host:i-1}]", "[Warn]". */
struct mark {
    struct view scope;    /* between its braces */
    struct view priority; /* "P2" */
};

static bool is_priority(struct view word)
{
    return word.len == 2 && word.at[0] == 'P' && word.at[1] >= '1' && word.at[1] <= '5';
}

static bool read_mark(struct view *title, struct mark *out)
{
    struct view mark, word, rest;
    int meaning;
    if (!view_starts(*title, VIEW("[")) || !view_cut(view_skip(*title, 1), ']', &mark, &rest))
        return false;
    *out = (struct mark){ 0 };
    (void)view_cut(mark, '{', &word, &mark);
    (void)view_cut(mark, '}', &out->scope, &mark);
    word = view_trim(word);
    if (out->scope.len > 0 && word.len > 3
        && view_equal(view_skip(word, word.len - 3), VIEW(" on")))
        word = view_trim((struct view){ word.at, word.len - 3 });
    if (is_priority(word))
        out->priority = word;
    else if (!source_word(word, states, &meaning))
        return false;
    *title = view_trim(rest);
    return true;
}

/* Takes the marks off the name and lets them fill what no member stated. */
static bool read_marks(struct view title, struct arena *mem, struct alert *out)
{
    struct mark mark;
    while (read_mark(&title, &mark)) {
        if (mark.priority.len > 0 && !out->has_severity)
            out->has_severity = source_word(mark.priority, priorities, &out->severity);
        if (mark.scope.len > 0 && out->resource.len == 0)
            out->resource = view_keep(mark.scope, mem);
    }
    if (title.len > 0)
        out->name = title;
    return arena_ok(mem);
}

/* The monitor's own name where a member holds it, else the title without its marks. */
static bool keep_name(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    static const char *const members[] = { "alert_name", "monitor_name" };
    bool ok = read_marks(view_trim(out->name), mem, out);
    for (size_t i = 0; ok && i < COUNT_OF(members); i++) {
        struct view name = source_line(json_at(body, members[i]), mem);
        if (name.len > 0)
            return read_marks(view_keep(name, mem), mem, out);
    }
    return ok;
}

static bool has_mark(const struct cJSON *body)
{
    static const char *const titles[] = { "title", "alert_title", "event_title", "summary" };
    for (size_t i = 0; i < COUNT_OF(titles); i++) {
        struct view title = view_trim(json_text(json_at(body, titles[i])));
        struct mark mark;
        if (read_mark(&title, &mark))
            return true;
    }
    return false;
}

static bool ends_with(struct view text, struct view end)
{
    return text.len >= end.len && view_equal(view_skip(text, text.len - end.len), end);
}

static bool recognises(const struct cJSON *body)
{
    static const char *const transitions[] = { "alert_transition", "transition",
                                               "alert.alert_transition" };
    struct view type = json_text(json_at(body, "event_type"));
    for (size_t i = 0; i < COUNT_OF(transitions); i++)
        if (json_kind(json_at(body, transitions[i])) == JSON_TEXT)
            return true;
    return ((ends_with(type, VIEW("_monitor")) || ends_with(type, VIEW("_alert")))
            && json_kind(json_at(body, "org")) != JSON_ABSENT)
           || has_mark(body);
}

/* --- the body text ----------------------------------------------------------------------------- */

/* "[Label](https://…)" at the front of `rest`, which then begins behind it. */
static bool read_link(struct view *rest, struct view *label, struct view *url)
{
    struct view tail;
    if (!view_starts(*rest, VIEW("[")) || view_starts(*rest, VIEW("[["))
        || !view_cut(view_skip(*rest, 1), ']', label, &tail) || !view_starts(tail, VIEW("("))
        || !view_cut(view_skip(tail, 1), ')', url, &tail))
        return false;
    *rest = tail;
    return true;
}

/* The links of one line, "[[Monitor Status](…)] · [[Edit Monitor](…)]". */
static bool keep_links_of(struct view line, struct arena *mem, struct alert *out)
{
    struct view label, url;
    line = view_cap(line, MAX_LINK_LINE_BYTES);
    while (line.len > 0)
        if (!read_link(&line, &label, &url))
            line = view_skip(line, 1);
        else if (!source_link_text(out, label, url, mem))
            return false;
    return true;
}

/* "[![Metric Graph](https://…)](https://…)": the snapshot is signed and long, a link and no prose. */
static bool keep_snapshot(struct view line, struct arena *mem, struct alert *out)
{
    struct view label, url;
    line = view_skip(line, view_starts(line, VIEW("[")) ? 2 : 1);
    return !read_link(&line, &label, &url) || source_link_text(out, label, url, mem);
}

static bool keep_line(struct view line, struct text *prose, struct arena *mem, struct alert *out)
{
    struct view trimmed = view_trim(line);
    if (view_equal(trimmed, VIEW("%%%")) || view_equal(trimmed, VIEW("- - -")))
        return true;
    if (view_starts(trimmed, VIEW("[![")) || view_starts(trimmed, VIEW("![")))
        return keep_snapshot(trimmed, mem, out);
    if (view_starts(trimmed, VIEW("[[")))
        return keep_links_of(trimmed, mem, out);
    text_add(prose, line);
    text_add_char(prose, '\n');
    return true;
}

/* Fences, pictures and the row of links at the end are Datadog's, the rest is the author's. */
static bool keep_description(struct arena *mem, struct alert *out)
{
    struct view rest = view_cap(view_trim(out->description), MAX_BODY_TEXT_BYTES - 1);
    struct text prose = text_in(mem, MAX_BODY_TEXT_BYTES);
    while (rest.len > 0) {
        struct view line;
        (void)view_cut(rest, '\n', &line, &rest);
        if (!keep_line(line, &prose, mem, out))
            return false;
    }
    out->description = view_trim(text_view(&prose));
    return text_ok(&prose);
}

/* --- resource and monitor ---------------------------------------------------------------------- */

/* The value of "key:value" in a list of tags, or in a string of them joined by commas. */
static struct view tag_value(const struct cJSON *tags, struct view key, struct arena *mem)
{
    struct view rest = source_joined(tags, mem);
    struct view tag, name, value;
    while (rest.len > 0) {
        (void)view_cut(rest, ',', &tag, &rest);
        if (view_cut(view_trim(tag), ':', &name, &value) && view_equal(name, key))
            return value;
    }
    return (struct view){ 0 };
}

static struct view resource_of_tags(const struct cJSON *body, struct arena *mem)
{
    static const char *const members[] = { "tags", "event_tags", "alert_tags" };
    static const char *const keys[] = { "service",         "host",     "name",      "pod_name",
                                        "kube_deployment", "database", "container", "function" };
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        for (size_t j = 0; j < COUNT_OF(members); j++) {
            struct view value = tag_value(json_at(body, members[j]), view_of(keys[i]), mem);
            if (value.len > 0)
                return value;
        }
    return (struct view){ 0 };
}

/* "avg:system.cpu.user{host:web-1} > 90" watches "host:web-1"; "{*}" is everything. */
static struct view resource_of_query(struct view query)
{
    struct view scope, rest;
    if (!view_cut(query, '{', &scope, &rest) || !view_cut(rest, '}', &scope, &rest)
        || view_equal(scope, VIEW("*")))
        return (struct view){ 0 };
    return view_trim(scope);
}

/* A word of letters, digits and hyphens with two dots or more: "www.example.org". */
static bool is_host_name(struct view word)
{
    size_t dots = 0;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        bool is_inner = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == '.' && i > 0 && i + 1 < word.len && word.at[i - 1] != '.')
            dots++;
        else if (!is_inner && c != '-')
            return false;
    }
    return dots >= 2;
}

/* A synthetic test names what it calls in its message alone. */
static struct view host_in_message(const struct cJSON *body, struct view message)
{
    if (!view_starts(json_text(json_at(body, "event_type")), VIEW("synthetics")))
        return (struct view){ 0 };
    while (message.len > 0) {
        struct view word;
        size_t len = 0;
        while (len < message.len && message.at[len] != ' ' && message.at[len] != '\n')
            len++;
        word = (struct view){ message.at, len };
        message = view_skip(message, len + 1);
        while (word.len > 0 && (word.at[word.len - 1] == '.' || word.at[word.len - 1] == ','))
            word.len--;
        if (is_host_name(word))
            return word;
    }
    return (struct view){ 0 };
}

static void keep_resource(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    static const char *const hosts[] = { "hostname", "host", "host_name" };
    struct view name = out->resource;
    for (size_t i = 0; name.len == 0 && i < COUNT_OF(hosts); i++)
        name = source_line(json_at(body, hosts[i]), mem);
    if (name.len == 0)
        name = resource_of_tags(body, mem);
    if (name.len == 0)
        name = resource_of_query(out->query);
    if (name.len == 0)
        name = host_in_message(body, out->description);
    out->resource = view_keep(name, mem);
}

/* The digits behind "monitors/" or "monitors#". */
static struct view monitor_in(struct view text)
{
    static const struct view mark = { "monitors", 8 };
    for (; text.len > mark.len + 1; text = view_skip(text, 1)) {
        if (text.at[0] != mark.at[0] || !view_starts(text, mark)
            || (text.at[mark.len] != '/' && text.at[mark.len] != '#'))
            continue;
        struct view digits = view_skip(text, mark.len + 1);
        size_t len = 0;
        while (len < digits.len && digits.at[len] >= '0' && digits.at[len] <= '9')
            len++;
        if (len > 0)
            return (struct view){ digits.at, len };
    }
    return (struct view){ 0 };
}

/* Where no member holds the monitor's id its links do; the last resort is its name. */
static void keep_problem(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    static const char *const members[] = { "link", "url", "body" };
    struct view id = out->problem;
    for (size_t i = 0; id.len == 0 && i < COUNT_OF(members); i++)
        id = monitor_in(json_text(json_at(body, members[i])));
    out->problem = view_keep(id.len > 0 ? id : out->name, mem);
}

/* --- the rest ---------------------------------------------------------------------------------- */

static void keep_signal(const struct cJSON *body, struct alert *out)
{
    struct view type = json_text(json_at(body, "event_type"));
    if (view_equal(type, VIEW("log_alert")))
        out->signal_type = VIEW("log");
    else if (view_equal(type, VIEW("query_alert_monitor"))
             || view_equal(type, VIEW("metric_alert_monitor"))
             || view_equal(type, VIEW("metric_alert")) || view_equal(type, VIEW("query_alert")))
        out->signal_type = VIEW("metric");
}

/* The event's type is the last word on severity, and on the end where no transition is stated. */
static void keep_type(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    static const char *const members[] = { "alert_type", "alert.alert_type", "level" };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct view type = source_line(json_at(body, members[i]), mem);
        int severity = NOT_STATED;
        bool is_known = source_word(type, types, &severity);
        if (is_known && severity != NOT_STATED && !out->has_severity) {
            out->severity = severity;
            out->has_severity = true;
        }
        if (!out->has_state && view_equal_fold(type, VIEW("success"))) {
            out->state = ALERT_RESOLVED;
            out->has_state = true;
        }
    }
}

static bool keep_links(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    const struct cJSON *link = json_first(json_at(body, "links"));
    for (; link != NULL; link = json_next(link))
        if (!source_link(out, "Link", json_at(link, "href"), mem))
            return false;
    return source_link(out, "Event", json_at(body, "link"), mem)
           && source_link(out, "Event", json_at(body, "url"), mem)
           && source_link(out, "Event", json_at(body, "event.event_url"), mem)
           && source_link(out, "Snapshot", json_at(body, "snapshot"), mem);
}

static bool keep_custom(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    static const struct {
        const char *path, *key;
    } kept[] = {
        { "tags", "tags" },
        { "event_tags", "tags" },
        { "alert_tags", "tags" },
        { "hostname", "hostname" },
        { "org.name", "org" },
        { "org_name", "org" },
        { "alert_metric", "metric" },
        { "alert.alert_metric", "metric" },
        { "alert_status", "status" },
        { "alert.alert_status", "status" },
        { "monitor_id", "monitor" },
        { "alert_cycle_key", "cycle" },
        { "aggreg_key", "cycle" },
        { "aggregate", "cycle" },
        { "event.aggreg_key", "cycle" },
    };
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (!source_custom(out, view_of(kept[i].key), json_at(body, kept[i].path), mem))
            return false;
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    if (view_equal(out->alert_id, VIEW("ID"))) /* as an unset variable is sent in a test */
        out->alert_id = (struct view){ 0 };
    bool ok = keep_name(body, mem, out) && keep_description(mem, out);
    keep_type(body, mem, out);
    keep_signal(body, out);
    keep_resource(body, mem, out);
    keep_problem(body, mem, out);
    return (ok && keep_links(body, mem, out) && keep_custom(body, mem, out) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the monitor");
}

const struct source source_datadog = {
    .name = "datadog",
    .identity = BY_PROBLEM | BY_RESOURCE,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
