/*
 * Azure Monitor's common alert schema, for Platform metric rules and Log Alerts V2; the essentials
 * alone are enough for any other monitoring service.  Microsoft's pages: "Common alert schema"
 * (alerts-common-schema.md) and "Sample alert payloads" (alerts-payload-samples.md).
 *
 * Times of the evaluation window are not kept: they add nothing to firedDateTime.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_QUERIES = 4, MAX_ROWS = 100, MAX_RESOURCES = 5, MAX_EVIDENCE_BYTES = 256 * 1024 };

static const struct field fields[] = {
    { "data.essentials.alertRule", LINE_AT(name) },
    { "data.essentials.severity", SEV_AT(severity) },
    { "data.essentials.description", TEXT_AT(description) },
    { "data.essentials.firedDateTime", TIME_AT(fired_time) },
    { "data.essentials.alertId", LINE_AT(alert_id) },
};

/* schemaId gets lost in relays; essentials with an alertId do not. */
static bool recognises(const struct cJSON *body)
{
    return view_equal_fold(json_text(json_at(body, "schemaId")),
                           VIEW("azureMonitorCommonAlertSchema"))
           || json_kind(json_at(body, "data.essentials.alertId")) == JSON_TEXT;
}

/* --- words ---------------------------------------------------------------------------------- */

struct phrase {
    const char *azure;
    const char *plain;
};

/* Azure's word in plain English; a word we do not know stays as it is. */
static struct view in_words(struct view word, const struct phrase *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_equal_fold(word, view_of(words[i].azure)))
            return view_of(words[i].plain);
    return word;
}

static struct view operator_in_words(struct view operator)
{
    static const struct phrase words[] = {
        { "GreaterThan", "greater than" },
        { "GreaterThanOrEqual", "greater than or equal to" },
        { "GreaterOrLessThan", "greater or less than" },
        { "LessThan", "less than" },
        { "LessThanOrEqual", "less than or equal to" },
        { "Equals", "equal to" },
        { "Equal", "equal to" },
    };
    return in_words(operator, words, COUNT_OF(words));
}

static struct view signal_in_words(struct view signal)
{
    static const struct phrase words[] = {
        { "Metric", "metric" },
        { "Log", "log" },
        { "Activity Log", "activity" },
        { "ActivityLog", "activity" },
    };
    return in_words(signal, words, COUNT_OF(words));
}

/*
 * One "5M" at the front of an ISO 8601 duration: how many bytes it takes, 0 when it is none.  "M"
 * before the T would be months, which no evaluation window has.
 */
static size_t read_duration_part(struct view rest, bool is_after_t, long long *count,
                                 const char **unit)
{
    static const struct {
        char letter;
        bool is_after_t;
        const char *unit;
    } units[] = { { 'D', false, "day" },
                  { 'H', true, "hour" },
                  { 'M', true, "minute" },
                  { 'S', true, "second" } };
    size_t digits = 0;
    while (digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9')
        digits++;
    if (digits == rest.len || !view_to_number((struct view){ rest.at, digits }, 0, 1000000, count))
        return 0;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (units[i].letter == rest.at[digits] && units[i].is_after_t == is_after_t) {
            *unit = units[i].unit;
            return digits + 1;
        }
    return 0;
}

/* "PT1H30M" as "1 hour 30 minutes"; what is no such duration is added as it is. */
static void add_duration(struct text *to, struct view duration, struct arena *mem)
{
    struct text words = text_in(mem, 128);
    struct view rest = view_skip(duration, 1);
    bool is_after_t = false;
    while (rest.len > 0) {
        long long count;
        const char *unit;
        if (!is_after_t && rest.at[0] == 'T') {
            is_after_t = true;
            rest = view_skip(rest, 1);
            continue;
        }
        size_t taken = read_duration_part(rest, is_after_t, &count, &unit);
        if (taken == 0)
            break;
        text_add_string(&words, words.len == 0 ? "" : " ");
        text_add_number(&words, count);
        text_add_char(&words, ' ');
        text_add_string(&words, unit);
        text_add_string(&words, count == 1 ? "" : "s");
        rest = view_skip(rest, taken);
    }
    bool is_sound = view_starts(duration, VIEW("P")) && rest.len == 0 && words.len > 0;
    text_add(to, is_sound ? text_view(&words) : duration);
}

/* --- the condition -------------------------------------------------------------------------- */

static void add_part(struct text *to, const char *before, struct view part)
{
    if (part.len == 0)
        return;
    text_add_string(to, before);
    text_add(to, part);
}

/*
 * One criterion: "Total of Transactions greater than 0, measured 100, over 5 minutes".  Thresholds
 * are strings in metric and log V2 contexts; values are printed as they came.
 */
static struct view criterion_in_words(const struct cJSON *criterion, struct view window,
                                      struct arena *mem)
{
    struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
    struct view subject = source_line(json_at(criterion, "metricName"), mem);
    if (subject.len == 0)
        subject = source_line(json_at(criterion, "metricMeasureColumn"), mem);
    if (subject.len == 0 && json_kind(json_at(criterion, "searchQuery")) == JSON_TEXT)
        subject = VIEW("query results");
    struct view web_test = source_line(json_at(criterion, "webTestName"), mem);
    struct view periods =
        source_line(json_at(criterion, "failingPeriods.minFailingPeriodsToAlert"), mem);

    add_part(&text, "", source_line(json_at(criterion, "timeAggregation"), mem));
    add_part(&text, text.len == 0 ? "" : " of ", subject);
    add_part(&text, " ", operator_in_words(source_line(json_at(criterion, "operator"), mem)));
    add_part(&text, " ", source_line(json_at(criterion, "threshold"), mem));
    add_part(&text, text.len == 0 ? "measured " : ", measured ",
             source_line(json_at(criterion, "metricValue"), mem));
    if (window.len > 0 && text.len > 0) {
        text_add_string(&text, ", over ");
        add_duration(&text, window, mem);
    }
    add_part(&text, text.len == 0 ? "sensitivity " : ", sensitivity ",
             source_line(json_at(criterion, "alertSensitivity"), mem));
    if (text.len > 0 && periods.len > 0 && !view_equal(periods, VIEW("1"))) {
        add_part(&text, ", in ", periods);
        add_part(&text, " of ",
                 source_line(json_at(criterion, "failingPeriods.numberOfEvaluationPeriods"), mem));
        text_add_string(&text, " periods");
    }
    add_part(&text, text.len == 0 ? "web test " : ", web test ", web_test);
    return text_view(&text);
}

static bool keep_dimensions(const struct cJSON *list, struct arena *mem, struct alert *out)
{
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        struct view name = source_line(json_at(item, "name"), mem);
        struct view value = source_line(json_at(item, "value"), mem);
        if (name.len > 0 && value.len > 0
            && !pairs_add(&out->dimensions, MAX_DIMENSIONS, name, value, MAX_VALUE_BYTES, mem))
            return false;
    }
    return true;
}

static bool keep_criterion(const struct cJSON *criterion, struct view window, struct arena *mem,
                           struct alert *out)
{
    struct view words = criterion_in_words(criterion, window, mem);
    return (words.len == 0
            || pairs_add(&out->conditions, MAX_CONDITIONS, (struct view){ 0 }, words,
                         MAX_VALUE_BYTES, mem))
           && keep_dimensions(json_at(criterion, "dimensions"), mem, out)
           && source_link(out, "Search results, filtered",
                          json_at(criterion, "linkToFilteredSearchResultsUI"), mem)
           && source_link(out, "Search results", json_at(criterion, "linkToSearchResultsUI"), mem);
}

/* allOf is a list of criteria that all held; it can be empty or missing when there is no evidence.
 */
static bool keep_condition(const struct cJSON *context, struct arena *mem, struct alert *out)
{
    struct view window = source_line(json_at(context, "condition.windowSize"), mem);
    struct text queries = text_in(mem, MAX_EVIDENCE_BYTES);
    const struct cJSON *criterion = json_first(json_at(context, "condition.allOf"));
    bool is_whole = true;
    for (size_t i = 0; criterion != NULL && i < MAX_CONDITIONS; i++) {
        struct view query = view_trim(json_text(json_at(criterion, "searchQuery")));
        if (!keep_criterion(criterion, window, mem, out))
            return false;
        if (query.len > 0 && i < MAX_QUERIES) {
            text_add_string(&queries, queries.len == 0 ? "" : "\n\n");
            is_whole = text_add_some(&queries, query) && is_whole;
        }
        criterion = json_next(criterion);
    }
    out->query = text_view(&queries);
    return is_whole || source_note(out, "data.alertContext.condition", "query cut", mem);
}

/* --- rows, resources, custom properties ------------------------------------------------------- */

/* A row's cells, named by the table's columns; a row may be shorter than the columns. */
static void add_row(struct text *to, const struct cJSON *columns, const struct cJSON *row,
                    struct arena *mem)
{
    const struct cJSON *column = json_first(columns);
    bool is_first = true;
    for (const struct cJSON *cell = json_first(row); cell != NULL; cell = json_next(cell)) {
        struct view value = source_line(cell, mem);
        struct view name = source_line(json_at(column, "name"), mem);
        column = json_next(column);
        if (value.len == 0)
            continue;
        text_add_string(to, is_first ? "" : " | ");
        text_add(to, name);
        text_add_string(to, name.len == 0 ? "" : ": ");
        (void)text_add_some(to, value);
        is_first = false;
    }
    text_add_char(to, '\n');
}

/* Azure does not embed rows in V2 alerts; relays and the API reference's own example do. */
static bool keep_rows(const struct cJSON *context, struct arena *mem, struct alert *out)
{
    struct text text = text_in(mem, MAX_EVIDENCE_BYTES);
    const struct cJSON *table = json_first(json_at(context, "SearchResults.tables"));
    size_t rows = 0;
    for (; table != NULL; table = json_next(table)) {
        const struct cJSON *row = json_first(json_at(table, "rows"));
        for (; row != NULL && rows < MAX_ROWS; rows++, row = json_next(row))
            add_row(&text, json_at(table, "columns"), row, mem);
    }
    out->logs = text_view(&text); /* when full, all that fitted before */
    return text_ok(&text) || source_note(out, "data.alertContext.SearchResults", "cut", mem);
}

/*
 * The name a person would use: the configuration item, else the target, without the path before
 * it.  The full ids stay visible as dimensions.
 */
static bool keep_resource(const struct cJSON *essentials, struct arena *mem, struct alert *out)
{
    const struct cJSON *item = json_first(json_at(essentials, "configurationItems"));
    const struct cJSON *target = json_first(json_at(essentials, "alertTargetIDs"));
    struct view name = source_line(item, mem);
    if (name.len == 0)
        name = source_line(target, mem);
    out->resource = view_keep(source_last_segment(name), mem);
    for (size_t i = 0; target != NULL && i < MAX_RESOURCES; i++, target = json_next(target)) {
        struct view id = source_line(target, mem);
        if (id.len > 0
            && !pairs_add(&out->dimensions, MAX_DIMENSIONS, VIEW("resourceId"), id, MAX_VALUE_BYTES,
                          mem))
            return false;
    }
    return out->resource.at != NULL;
}

/* The same property often stands in both places. */
static bool keep_custom(const struct cJSON *properties, struct arena *mem, struct alert *out)
{
    if (json_kind(properties) != JSON_OBJECT)
        return true;
    for (const struct cJSON *member = json_first(properties); member != NULL;
         member = json_next(member)) {
        struct view value = source_line(member, mem);
        if (value.len > 0 && pairs_find(&out->custom, json_key(member)) == NULL
            && !pairs_add(&out->custom, MAX_CUSTOM_FIELDS, json_key(member), value, MAX_VALUE_BYTES,
                          mem))
            return false;
    }
    return true;
}

/* A rule filed under another signal is still a log rule when it carries a query. */
static bool keep_signal(const struct cJSON *essentials, struct arena *mem, struct alert *out)
{
    struct view signal = signal_in_words(source_line(json_at(essentials, "signalType"), mem));
    if (out->query.len > 0)
        signal = VIEW("log");
    out->signal_type = view_keep(signal, mem);
    return out->signal_type.at != NULL;
}

/* Only the word Resolved ends a problem: an unknown word costs a session, a lost alert costs more.
 */
static bool keep_state(const struct cJSON *essentials, struct arena *mem, struct alert *out)
{
    struct view state = source_line(json_at(essentials, "monitorCondition"), mem);
    if (view_equal_fold(state, VIEW("Resolved")))
        out->state = ALERT_RESOLVED;
    else if (state.len > 0 && !view_equal_fold(state, VIEW("Fired")))
        return source_note(out, "data.essentials.monitorCondition", "unknown, taken as Fired", mem);
    return true;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *essentials = json_at(body, "data.essentials");
    const struct cJSON *context = json_at(body, "data.alertContext");
    return (keep_state(essentials, mem, out) && keep_condition(context, mem, out)
            && keep_signal(essentials, mem, out) && keep_resource(essentials, mem, out)
            && source_link(out, "Investigation", json_at(essentials, "investigationLink"), mem)
            && keep_rows(context, mem, out)
            && keep_custom(json_at(body, "data.customProperties"), mem, out)
            && keep_custom(json_at(context, "properties"), mem, out))
           || fail(why, FAIL_INTERNAL, "no memory left to read the alert's context");
}

const struct source source_azure_common = {
    .name = "azure-monitor",
    .is_azure = true,
    .identity = BY_PROBLEM | BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
