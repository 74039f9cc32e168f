/*
 * Sentry: issue, event and metric alerts of its integration platform, and the older webhooks plugin.
 * Sentry: "Integration platform", webhooks.
 *
 * An event holds request headers, cookies, users and local variables.  Of all that only the stack
 * is kept: file, line, function and source line.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_FRAMES = 30, MAX_STACK_BYTES = 64 * 1024 };

static const struct word severities[] = {
    { "fatal", 0 }, { "critical", 0 }, { "error", 1 },  { "warning", 2 },
    { "info", 3 },  { "debug", 4 },    { "sample", 4 }, { NULL, 0 },
};

/* What a metric alert's action says of its severity; other actions say nothing of it. */
static const struct word metric_severities[] = {
    { "critical", 0 },
    { "warning", 2 },
    { NULL, 0 },
};

static const struct word actions[] = {
    { "created", ALERT_FIRED },     { "triggered", ALERT_FIRED },
    { "unresolved", ALERT_FIRED },  { "regressed", ALERT_FIRED },
    { "critical", ALERT_FIRED },    { "warning", ALERT_FIRED },
    { "open", ALERT_FIRED },        { "escalating", ALERT_FIRED },
    { "resolved", ALERT_RESOLVED }, { "assigned", ALERT_OTHER },
    { "archived", ALERT_OTHER },    { "ignored", ALERT_OTHER },
    { "unassigned", ALERT_OTHER },  { NULL, 0 },
};

/* Integration first, then the plugin's: their paths do not meet. */
static const struct field fields[] = {
    { "data.issue.title", LINE_AT(name) },
    { "data.event.title", LINE_AT(name) },
    { "data.error.title", LINE_AT(name) },
    { "data.metric_alert.alert_rule.name", LINE_AT(name) },
    { "data.description_title", LINE_AT(name) },
    { "data.metric_alert.title", LINE_AT(name) },
    { "data.issue.metadata.title", LINE_AT(name) },
    { "data.event.metadata.title", LINE_AT(name) },
    { "data.event.culprit", LINE_AT(name) },
    { "event.title", LINE_AT(name) },
    { "message", LINE_AT(name) },
    { "culprit", LINE_AT(name) },
    { "data.issue.level", WORD_AT(severity), .words = severities },
    { "data.event.level", WORD_AT(severity), .words = severities },
    { "data.error.level", WORD_AT(severity), .words = severities },
    { "level", WORD_AT(severity), .words = severities },
    { "event.level", WORD_AT(severity), .words = severities },
    { "action", STATE_AT(state), .words = actions },
    { "data.issue.metadata.value", TEXT_AT(description) },
    { "data.event.message", TEXT_AT(description) },
    { "data.error.message", TEXT_AT(description) },
    { "data.event.metadata.value", TEXT_AT(description) },
    { "data.error.metadata.value", TEXT_AT(description) },
    { "data.description_text", TEXT_AT(description) },
    { "message", TEXT_AT(description) },
    { "event.logentry.formatted", TEXT_AT(description) },
    { "event.message", TEXT_AT(description) },
    { "event.metadata.value", TEXT_AT(description) },
    { "data.issue.project.slug", LINE_AT(resource) },
    { "data.issue.project.name", LINE_AT(resource) },
    { "data.metric_alert.alert_rule.projects", LINE_AT(resource) },
    { "data.metric_alert.projects", LINE_AT(resource) },
    { "project_slug", LINE_AT(resource) },
    { "project_name", LINE_AT(resource) },
    { "data.issue.firstSeen", TIME_AT(fired_time) },
    { "data.event.datetime", TIME_AT(fired_time) },
    { "data.event.timestamp", TIME_AT(fired_time) },
    { "data.event.received", TIME_AT(fired_time) },
    { "data.error.datetime", TIME_AT(fired_time) },
    { "data.error.timestamp", TIME_AT(fired_time) },
    { "data.metric_alert.date_started", TIME_AT(fired_time) },
    { "data.metric_alert.date_detected", TIME_AT(fired_time) },
    { "event.datetime", TIME_AT(fired_time) },
    { "event.timestamp", TIME_AT(fired_time) },
    { "event.received", TIME_AT(fired_time) },
    { "data.issue.id", LINE_AT(alert_id) },
    { "data.event.issue_id", LINE_AT(alert_id) },
    { "data.error.issue_id", LINE_AT(alert_id) },
    { "data.event.event_id", LINE_AT(alert_id) },
    { "data.error.event_id", LINE_AT(alert_id) },
    { "data.metric_alert.id", LINE_AT(alert_id) },
    { "id", LINE_AT(alert_id) },
    { "data.issue.id", LINE_AT(problem) },
    { "data.event.issue_id", LINE_AT(problem) },
    { "data.error.issue_id", LINE_AT(problem) },
    { "data.metric_alert.alert_rule.id", LINE_AT(problem) },
    { "id", LINE_AT(problem) },
    { "data.metric_alert.alert_rule.query", TEXT_AT(query) },
    { "data.issue.culprit", CUSTOM_AS("culprit") },
    { "data.event.culprit", CUSTOM_AS("culprit") },
    { "data.error.culprit", CUSTOM_AS("culprit") },
    { "culprit", CUSTOM_AS("culprit") },
    { "data.issue.metadata.type", CUSTOM_AS("type") },
    { "event.metadata.type", CUSTOM_AS("type") },
    { "data.issue.shortId", CUSTOM_AS("short id") },
    { "data.issue.platform", CUSTOM_AS("platform") },
    { "data.event.platform", CUSTOM_AS("platform") },
    { "event.platform", CUSTOM_AS("platform") },
    { "data.event.environment", CUSTOM_AS("environment") },
    { "event.environment", CUSTOM_AS("environment") },
    { "data.event.release", CUSTOM_AS("release") },
    { "event.release", CUSTOM_AS("release") },
    { "data.issue.count", CUSTOM_AS("times seen") },
    { "data.issue.userCount", CUSTOM_AS("users affected") },
    { "data.triggered_rule", CUSTOM_AS("alert rule") },
    { "data.issue_alert.title", CUSTOM_AS("alert rule") },
    { "triggering_rules", CUSTOM_AS("alert rule") },
    { "data.metric_alert.alert_rule.aggregate", CUSTOM_AS("aggregate") },
    { "data.metric_alert.alert_rule.environment", CUSTOM_AS("environment") },
    { "data.issue.web_url", LINK_AS("Issue") },
    { "data.issue.permalink", LINK_AS("Issue") },
    { "data.event.web_url", LINK_AS("Event") },
    { "data.error.web_url", LINK_AS("Event") },
    { "data.web_url", LINK_AS("Metric alert") },
    { "url", LINK_AS("Issue") },
};

static const char *const kinds[] = { "data.issue", "data.event", "data.error",
                                     "data.metric_alert" };

static bool is_object(const struct cJSON *body, const char *path)
{
    return json_kind(json_at(body, path)) == JSON_OBJECT;
}

static bool is_alert(const struct cJSON *body)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (is_object(body, kinds[i]))
            return true;
    return false;
}

static bool is_plugin(const struct cJSON *body)
{
    return json_at(body, "project_slug") != NULL && is_object(body, "event")
           && json_at(body, "level") != NULL;
}

static bool recognises(const struct cJSON *body)
{
    bool has_action = json_kind(json_at(body, "action")) == JSON_TEXT && is_object(body, "data");
    return is_plugin(body) || (has_action && (is_alert(body) || is_object(body, "installation")));
}

/* --- the stack -------------------------------------------------------------------------------- */

/* The last of a list: exceptions run from the cause to what was raised from it. */
static const struct cJSON *frames_of_last(const struct cJSON *list)
{
    const struct cJSON *frames = NULL;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        if (json_first(json_at(item, "stacktrace.frames")) != NULL)
            frames = json_at(item, "stacktrace.frames");
    return frames;
}

static const struct cJSON *frames_of(const struct cJSON *event)
{
    const struct cJSON *frames = frames_of_last(json_at(event, "exception.values"));
    if (frames == NULL)
        frames = frames_of_last(json_at(event, "exception"));
    if (frames == NULL)
        frames = json_at(event, "stacktrace.frames");
    const struct cJSON *entry = json_first(json_at(event, "entries"));
    for (; frames == NULL && entry != NULL; entry = json_next(entry))
        frames = frames_of_last(json_at(entry, "data.values"));
    return frames != NULL ? frames : frames_of_last(json_at(event, "threads.values"));
}

static bool is_in_app(const struct cJSON *frame)
{
    return json_is_true(json_at(frame, "in_app")) || json_is_true(json_at(frame, "inApp"));
}

/* Frames run from the oldest call to the crash; the code of the application counts for more. */
static const struct cJSON *frame_of_crash(const struct cJSON *frames)
{
    const struct cJSON *last = NULL;
    const struct cJSON *in_app = NULL;
    for (const struct cJSON *frame = json_first(frames); frame != NULL; frame = json_next(frame)) {
        last = frame;
        in_app = is_in_app(frame) ? frame : in_app;
    }
    return in_app != NULL ? in_app : last;
}

static struct view either(const struct cJSON *node, const char *first, const char *second,
                          struct arena *mem)
{
    struct view value = source_line_at(node, first, mem);
    return value.len > 0 ? value : source_line_at(node, second, mem);
}

static struct view file_of(const struct cJSON *frame, struct arena *mem)
{
    struct view file = either(frame, "filename", "abs_path", mem);
    return file.len > 0 ? file : either(frame, "absPath", "module", mem);
}

static struct view line_of(const struct cJSON *frame, struct arena *mem)
{
    return either(frame, "lineno", "lineNo", mem);
}

static void add_frame(struct text *to, const struct cJSON *frame, struct arena *mem)
{
    struct view file = file_of(frame, mem);
    if (file.len == 0)
        return;
    source_add_part(to, "\n  ", file, "");
    source_add_part(to, ":", line_of(frame, mem), "");
    source_add_part(to, " in ", source_line_at(frame, "function", mem), "");
    if (is_in_app(frame))
        source_add_part(to, "", VIEW(" (in app)"), "");
    source_add_part(to, "\n    ",
                    view_cap(either(frame, "context_line", "contextLine", mem), MAX_VALUE_BYTES),
                    "");
}

static void add_exceptions(struct text *to, const struct cJSON *list, struct arena *mem)
{
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        source_add_part(to, to->len == 0 ? "" : "\n", source_line_at(item, "type", mem), "");
        source_add_part(to, ": ", source_line_at(item, "value", mem), "");
    }
}

static size_t count_of(const struct cJSON *list)
{
    size_t count = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        count++;
    return count;
}

static bool keep_stack(const struct cJSON *event, struct alert *out, struct arena *mem)
{
    const struct cJSON *frames = frames_of(event);
    const struct cJSON *crash = frame_of_crash(frames);
    struct text text = text_in(mem, MAX_STACK_BYTES);
    add_exceptions(&text, json_at(event, "exception.values"), mem);
    size_t count = count_of(frames);
    const struct cJSON *frame = json_first(frames);
    for (; count > MAX_FRAMES; count--)
        frame = json_next(frame);
    for (; frame != NULL; frame = json_next(frame))
        add_frame(&text, frame, mem);
    out->logs = text_view(&text);
    out->file = view_keep(file_of(crash, mem), mem);
    if (!view_to_number(line_of(crash, mem), 1, 1000000000, &out->line) || out->file.len == 0)
        out->line = 0;
    return text_ok(&text) && out->file.at != NULL;
}

/* --- the rest --------------------------------------------------------------------------------- */

/* Tags are pairs in a list, or objects of key and value. */
static bool keep_tags(const struct cJSON *tags, struct alert *out, struct arena *mem)
{
    for (const struct cJSON *tag = json_first(tags); tag != NULL; tag = json_next(tag)) {
        bool is_pair = json_kind(tag) == JSON_LIST;
        const struct cJSON *key = is_pair ? json_first(tag) : json_at(tag, "key");
        const struct cJSON *value = is_pair ? json_next(key) : json_at(tag, "value");
        struct view name = source_line(key, mem);
        if (name.len > 0 && !view_starts_fold(name, VIEW("user"))
            && pairs_find(&out->custom, name) == NULL && !source_custom(out, name, value, mem))
            return false;
    }
    return true;
}

/* "https://sentry.io/api/0/projects/<organisation>/<project>/...": the only place of the name. */
static struct view project_in_url(struct view url)
{
    struct view segment;
    bool is_after = false;
    for (size_t i = 0; url.len > 0; i += is_after) {
        view_cut(url, '/', &segment, &url);
        if (i == 2)
            return segment;
        is_after = is_after || view_equal(segment, VIEW("projects"));
    }
    return (struct view){ 0 };
}

static bool keep_resource(const struct cJSON *event, struct alert *out, struct arena *mem)
{
    if (out->resource.len > 0)
        return true;
    struct view project = project_in_url(json_text(json_at(event, "url")));
    if (project.len == 0)
        project = either(event, "project_slug", "culprit", mem);
    out->resource = view_keep(project, mem);
    return out->resource.at != NULL;
}

static const struct cJSON *event_of(const struct cJSON *body)
{
    static const char *const places[] = { "data.event", "data.error", "event", "data.issue" };
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (is_object(body, places[i]))
            return json_at(body, places[i]);
    return NULL;
}

/* News of comments and installations arrive at the same address. */
static void judge(const struct cJSON *body, struct alert *out, struct arena *mem)
{
    bool is_metric = is_object(body, "data.metric_alert");
    int meaning = 0;
    out->signal_type = is_metric ? VIEW("metric") : VIEW("log");
    if (is_metric
        && source_word(source_line_at(body, "action", mem), metric_severities, &meaning)) {
        out->has_severity = true;
        out->severity = meaning;
    }
    if (out->problem.len == 0)
        out->problem = out->name;
    if (!is_plugin(body) && !is_alert(body))
        out->state = ALERT_OTHER;
    if (out->state == ALERT_OTHER && out->reason == NULL)
        out->reason = "Sentry tells of no new problem: no session needed";
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    const struct cJSON *event = event_of(item);
    judge(item, out, mem);
    return (keep_stack(event, out, mem) && keep_tags(json_at(event, "tags"), out, mem)
            && keep_resource(event, out, mem) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the event");
}

const struct source source_sentry = {
    .name = "sentry",
    .identity = BY_PROBLEM,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
