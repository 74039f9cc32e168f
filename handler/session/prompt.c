/* The values behind a template, and how much room each kind of them gets. */
#include "session/prompt.h"

#include "base/arena.h"
#include "session/fill.h"
#include "session/quote.h"

#include <stddef.h>

enum {
    MAX_TITLE_BYTES = 200,
    MAX_ALSO = 50,
    USUAL_BYTES = 4096,
    USUAL_MAX_BYTES = 65536,
    LEAST_ROOM = 1024,
    MOST_LINE_BYTES = 1024,
    /* Of our own around a block: evidence sentence, fences, words about a cut. */
    WORDS_AROUND = 256,
    NO_LIMIT = 64 * 1024 * 1024,
    MAX_VALUES = 40
};

/* --- the fields ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum value_kind kind;
    size_t offset;
} fields[] = {
    { "alertName", VALUE_LINE, offsetof(struct alert, name) },
    { "description", VALUE_TEXT, offsetof(struct alert, description) },
    { "affectedResource", VALUE_LINE, offsetof(struct alert, resource) },
    { "signalType", VALUE_LINE, offsetof(struct alert, signal_type) },
    { "firedTime", VALUE_LINE, offsetof(struct alert, fired_time) },
    { "source", VALUE_LINE, offsetof(struct alert, source) },
    { "alertId", VALUE_LINE, offsetof(struct alert, alert_id) },
    { "file", VALUE_LINE, offsetof(struct alert, file) },
    { "logs", VALUE_BLOCK, offsetof(struct alert, logs) },
    { "query", VALUE_TEXT, offsetof(struct alert, query) },
};

/* What is made of other things than one field. */
static const char *const made[] = {
    "severity",     "severityName",
    "line",         "condition",
    "conditions",   "hasConditions",
    "dimensions",   "hasDimensions",
    "custom",       "hasCustom",
    "links",        "hasLinks",
    "alerts",       "hasAlerts",
    "also",         "hasAlso",
    "key",          "value",
    "label",        "url",
    "name",         "resource",
    "targetRepo",   "jiraProject",
    "slackChannel", ".",
};

bool prompt_knows(struct view name)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (view_equal(name, view_of(fields[i].name)))
            return true;
    for (size_t i = 0; i < COUNT_OF(made); i++)
        if (view_equal(name, view_of(made[i])))
            return true;
    return false;
}

/* --- values ----------------------------------------------------------------------------------- */

struct table {
    struct value at[MAX_VALUES];
    size_t count;
    struct arena *mem;
};

static struct value *add(struct table *table, const char *name, enum value_kind kind,
                         struct view text)
{
    struct value *value = &table->at[table->count++];
    *value = (struct value){ .name = name, .kind = kind, .text = text };
    return value;
}

static void add_number(struct table *table, const char *name, bool is_stated, long long number)
{
    struct text text = text_in(table->mem, 32);
    if (is_stated)
        text_add_number(&text, number);
    add(table, name, VALUE_WORD, text_view(&text));
}

static void add_list(struct table *table, const char *name, const char *flag, struct value *items,
                     size_t width, size_t count, size_t left_out)
{
    struct value *value = add(table, name, VALUE_LIST, (struct view){ 0 });
    value->items = items;
    value->width = width;
    value->count = items == NULL ? 0 : count;
    value->left_out = left_out;
    add(table, flag, VALUE_FLAG, (struct view){ 0 })->is_set = count > 0;
}

static void add_pairs(struct table *table, const char *name, const char *flag,
                      const struct pairs *pairs, const char *key_name, const char *value_name)
{
    struct value *items = arena_get_array(table->mem, 2 * pairs->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < pairs->count; i++) {
        items[2 * i] =
            (struct value){ .name = key_name, .kind = VALUE_KEY, .text = pairs->at[i].key };
        items[2 * i + 1] = (struct value){ .name = value_name,
                                           .kind = VALUE_LINE,
                                           .text = pairs->at[i].value,
                                           .max_bytes = MAX_LINK_BYTES };
    }
    add_list(table, name, flag, items, 2, pairs->count, pairs->left_out);
}

/* Each in a line's room; "condition" outside of the list is the first of them. */
static void add_conditions(struct table *table, const struct pairs *pairs)
{
    struct value *items = arena_get_array(table->mem, pairs->count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; items != NULL && i < pairs->count; i++)
        if (quote_has_ink(pairs->at[i].value))
            items[count++] = (struct value){ .name = "condition",
                                             .kind = VALUE_LINE,
                                             .text = pairs->at[i].value };
    add(table, "condition", VALUE_LINE, count > 0 ? items[0].text : (struct view){ 0 });
    add_list(table, "conditions", "hasConditions", items, 1, count, 0);
    table->at[table->count - 2].is_free = true;
}

static void put_alert(struct value *item, const struct alert *alert)
{
    item[0] = (struct value){ .name = "name", .kind = VALUE_KEY, .text = alert->name };
    item[1] = (struct value){ .name = "resource",
                              .kind = VALUE_LINE,
                              .text = alert->resource,
                              .max_bytes = MOST_LINE_BYTES };
}

/* Alerts that came along and belong to the same session: named, not told in full. */
static void add_alerts(struct table *table, const struct problem *problem)
{
    size_t count = problem->also_count < MAX_ALSO ? problem->also_count : MAX_ALSO;
    size_t left_out = problem->also_count - count;
    struct value *items = arena_get_array(table->mem, 2 * (count + 1), sizeof *items);
    if (items != NULL)
        put_alert(items, problem->alert);
    for (size_t i = 0; items != NULL && i < problem->also_count && i < MAX_ALSO; i++)
        put_alert(items + 2 * (i + 1), problem->also[i]);
    add_list(table, "alerts", "hasAlerts", items, 2, count + 1, left_out);
    add_list(table, "also", "hasAlso", items == NULL ? NULL : items + 2, 2, count, left_out);
}

static void add_fields(struct table *table, const struct alert *alert)
{
    static const char *const severities[] = { "Critical", "Error", "Warning", "Informational",
                                              "Verbose" };
    bool is_named = alert->has_severity && alert->severity >= 0
                    && (size_t)alert->severity < COUNT_OF(severities);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        add(table, fields[i].name, fields[i].kind,
            *(const struct view *)(const void *)((const char *)alert + fields[i].offset));
    add_number(table, "severity", alert->has_severity, alert->severity);
    add(table, "severityName", VALUE_WORD, view_of(is_named ? severities[alert->severity] : NULL));
    add_number(table, "line", alert->line > 0, alert->line);
    add_conditions(table, &alert->conditions);
    add_pairs(table, "dimensions", "hasDimensions", &alert->dimensions, "key", "value");
    add_pairs(table, "custom", "hasCustom", &alert->custom, "key", "value");
    add_pairs(table, "links", "hasLinks", &alert->links, "label", "url");
}

/* Those were bounded when they were read. */
static void add_setting(struct table *table, const char *name, struct view text)
{
    add(table, name, VALUE_LINE, text)->max_bytes = text.len;
}

/* --- room ------------------------------------------------------------------------------------- */

struct job {
    const struct template *template;
    struct values values;
    size_t max_bytes; /* of the whole */
    bool has_logs;
    struct arena *mem;
    struct text text;
};

static void fill_again(struct job *job, const struct fill_limits *limits)
{
    job->text.len = 0;
    fill_template(job->template, &job->values, limits, job->mem, &job->text);
}

/*
 * Shares of the room: a line 1/64 each, lists 3/16 together, description and query 1/8 each.  The
 * logs get what all else leaves, which shows when all is written without them.
 */
static void fill_room(struct job *job, size_t room)
{
    struct fill_limits limits = {
        .line_bytes = room / 64 < MOST_LINE_BYTES ? room / 64 : MOST_LINE_BYTES,
        .lists_bytes = room / 16 * 3,
        .text_bytes = room / 8,
        .has_no_blocks = true,
    };
    fill_again(job, &limits);
    if (!job->has_logs)
        return;
    size_t used = job->text.len + WORDS_AROUND;
    limits.has_no_blocks = false;
    limits.block_bytes = used < job->max_bytes ? job->max_bytes - used : 0;
    fill_again(job, &limits);
    if (job->text.len <= job->max_bytes)
        return;
    size_t excess = job->text.len - job->max_bytes;
    limits.block_bytes -= excess < limits.block_bytes ? excess : limits.block_bytes;
    fill_again(job, &limits);
}

/* A template that says things often gets less room for each; false when nothing helps. */
static bool fill_to_fit(struct job *job)
{
    for (size_t room = job->max_bytes; room >= LEAST_ROOM; room /= 2) {
        fill_room(job, room);
        if (job->text.len <= job->max_bytes || !text_ok(&job->text))
            return true;
    }
    return false;
}

/* --- the prompt ------------------------------------------------------------------------------- */

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left for the prompt");
}

static bool read_builtin(struct template *out, struct arena *mem, struct failure *why)
{
    struct template_fault fault;
    return template_parse(template_builtin, mem, out, &fault) || no_memory(why);
}

static void add_all(struct table *table, const struct problem *problem,
                    const struct prompt_settings *settings)
{
    add_fields(table, problem->alert);
    add_alerts(table, problem);
    add_setting(table, "targetRepo", settings->target_repo);
    add_setting(table, "jiraProject", settings->jira_project);
    add_setting(table, "slackChannel", settings->slack_channel);
}

bool prompt_render(const struct problem *problem, const struct prompt_settings *settings,
                   struct arena *mem, struct view *out, struct failure *why)
{
    struct table table = { .mem = mem };
    struct template builtin = { 0 };
    add_all(&table, problem, settings);
    struct job job = {
        .template = settings->template == NULL ? &builtin : settings->template,
        .values = { table.at, table.count, &problem->alert->custom },
        .max_bytes = settings->max_bytes > 0 ? (size_t)settings->max_bytes : USUAL_MAX_BYTES,
        .has_logs = quote_has_ink(problem->alert->logs),
        .mem = mem,
        .text = text_in(mem, NO_LIMIT),
    };
    if (settings->template == NULL && !read_builtin(&builtin, mem, why))
        return false;
    text_reserve(&job.text, USUAL_BYTES);
    if (!fill_to_fit(&job)) {
        job.template = &builtin;
        if (builtin.count == 0 && !read_builtin(&builtin, mem, why))
            return false;
        fill_room(&job, job.max_bytes);
    }
    *out = text_view(&job.text);
    return (text_ok(&job.text) && arena_ok(mem)) || no_memory(why);
}

bool prompt_title(const struct alert *alert, struct arena *mem, struct view *out,
                  struct failure *why)
{
    struct text text = text_in(mem, NO_LIMIT);
    if (alert->has_severity) {
        text_add_string(&text, "[Sev");
        text_add_number(&text, alert->severity);
        text_add_string(&text, "] ");
    }
    quote_line(&text, alert->name, alert->name.len);
    if (quote_has_ink(alert->resource)) {
        text_add_string(&text, " on ");
        quote_line(&text, alert->resource, alert->resource.len);
    }
    *out = view_trim(view_cap(text_view(&text), MAX_TITLE_BYTES));
    return text_ok(&text) || fail(why, FAIL_INTERNAL, "no memory left for the title");
}
