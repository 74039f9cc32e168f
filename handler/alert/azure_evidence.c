/*
 * Evidence of Azure's alerts besides conditions.  Services add members freely, so what no other
 * function reads becomes a custom field under Azure's own name; the table below says what does not.
 */
#include "alert/azure.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_ROWS = 100, MAX_DEPTH = 4, MAX_EVIDENCE_BYTES = 256 * 1024 };

const struct word azure_severities[] = {
    { "Critical", 0 },    { "Error", 1 },   { "Warning", 2 }, { "Informational", 3 },
    { "Information", 3 }, { "Verbose", 4 }, { "Sev0", 0 },    { "Sev1", 1 },
    { "Sev2", 2 },        { "Sev3", 3 },    { "Sev4", 4 },    { NULL, 0 },
};

/* --- small things ----------------------------------------------------------------------------- */

struct view azure_signal(struct view word)
{
    static const struct {
        const char *azure, *plain;
    } words[] = {
        { "Metric", "metric" },     { "Metrics", "metric" },        { "Log", "log" },
        { "Logs", "log" },          { "Activity Log", "activity" }, { "ActivityLog", "activity" },
        { "Activity", "activity" },
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_equal_fold(word, view_of(words[i].azure)))
            return view_of(words[i].plain);
    return (struct view){ 0 };
}

struct view azure_short_name(struct view id)
{
    return view_starts(id, VIEW("/")) ? source_last_segment(id) : id;
}

const struct cJSON *azure_first(const struct cJSON *node)
{
    bool is_many = json_kind(node) == JSON_LIST || json_kind(node) == JSON_OBJECT;
    return is_many ? json_first(node) : node;
}

const struct cJSON *azure_next(const struct cJSON *item, const struct cJSON *node)
{
    return item == node ? NULL : json_next(item);
}

bool azure_keep_link(struct alert *alert, const char *label, const struct cJSON *node,
                     struct arena *mem)
{
    struct view url = source_line(node, mem);
    for (size_t i = 0; i < alert->links.count; i++)
        if (view_equal(alert->links.at[i].value, url))
            return true;
    return source_link(alert, label, node, mem);
}

bool azure_keep_resource(const struct cJSON *context, struct arena *mem, struct alert *out)
{
    const struct cJSON *id = json_at(context, "resourceId");
    if (out->resource.len == 0)
        out->resource = view_keep(azure_short_name(source_line(id, mem)), mem);
    return out->resource.at != NULL && source_dimension(out, "resourceId", id, mem)
           && azure_keep_link(out, "Resource", json_at(context, "portalLink"), mem);
}

/* --- logs ------------------------------------------------------------------------------------- */

bool azure_add_logs(struct view heading, struct view lines, struct arena *mem, struct alert *out)
{
    struct text text = text_in(mem, MAX_EVIDENCE_BYTES);
    if (lines.len == 0)
        return true;
    bool is_whole = text_add_some(&text, out->logs);
    if (text.len > 0 && text.bytes[text.len - 1] != '\n')
        text_add_char(&text, '\n');
    text_add(&text, heading);
    text_add_string(&text, heading.len == 0 ? "" : ":\n");
    is_whole = text_add_some(&text, lines) && is_whole;
    out->logs = text_view(&text);
    return is_whole || source_note(out, "evidence", "cut", mem);
}

static size_t count_of(const struct cJSON *list)
{
    size_t count = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        count++;
    return count;
}

/*
 * A row's cells, named by the table's columns.  Empty cells may be left out of a row without a
 * sign: then nobody knows which column a cell belongs to, and no name is better than a wrong one.
 */
static void add_row(struct text *to, const struct cJSON *columns, const struct cJSON *row,
                    struct arena *mem)
{
    bool is_object = json_kind(row) == JSON_OBJECT;
    bool is_short = json_kind(row) == JSON_LIST && count_of(row) < count_of(columns);
    const struct cJSON *column = is_short || is_object ? NULL : json_first(columns);
    bool is_first = true;
    for (const struct cJSON *cell = azure_first(row); cell != NULL; cell = azure_next(cell, row)) {
        struct view value = source_line(cell, mem);
        struct view name = is_object ? json_key(cell) : source_line(json_at(column, "name"), mem);
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
bool azure_keep_rows(const struct cJSON *results, struct arena *mem, struct alert *out)
{
    struct text text = text_in(mem, MAX_EVIDENCE_BYTES);
    const struct cJSON *tables = json_at(results, "tables");
    const struct cJSON *table = source_items(tables);
    size_t rows = 0;
    for (; table != NULL; table = source_next(table, tables)) {
        const struct cJSON *row = json_first(json_at(table, "rows"));
        for (; row != NULL && rows < MAX_ROWS; rows++, row = json_next(row))
            add_row(&text, json_at(table, "columns"), row, mem);
    }
    bool is_whole = text_ok(&text); /* when full, all that fitted before */
    return azure_add_logs((struct view){ 0 }, text_view(&text), mem, out)
           && (is_whole || source_note(out, "SearchResults", "cut", mem));
}

/* --- members ---------------------------------------------------------------------------------- */

/* Names compare without case. */
static bool is_in(struct view name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_equal_fold(name, view_of(names[i])))
            return true;
    return false;
}

/* The caller's address and browser are personal data. */
static bool is_secret(struct view name)
{
    return source_is_credential(name) || view_equal_fold(name, VIEW("httpRequest"));
}

static const char *const left_out_structures[] = {
    "condition",  "authorization", "SearchResults", "SearchResult",
    "Dimensions", "labels",        "annotations",
};

static const char *const left_out_values[] = {
    /* read elsewhere */
    "SearchQuery",
    "LinkToSearchResults",
    "LinkToFilteredSearchResultsUI",
    "Operator",
    "Threshold",
    "ResultCount",
    "AlertType",
    "SearchIntervalInMinutes",
    "SearchIntervalDurationMin",
    "SearchIntervalInSeconds",
    "AlertThresholdOperator",
    "AlertThresholdValue",
    "operationName",
    "trackingId",
    "communication",
    "expression",
    "expressionValue",
    "for",
    "DetectionSummary",
    "DetectedValue",
    "NormalValue",
    "ThresholdType",
    "BudgetThreshold",
    "SpentAmount",
    "SpendingAmount",
    "Budget",
    "BudgetId",
    "NotificationThresholdAmount",
    /* of no use without a token of their own */
    "LinkToSearchResultsAPI",
    "LinkToFilteredSearchResultsAPI",
    "PresentationInsightEventRequest",
    /* said once already, or of interest to machines alone */
    "channels",
    "conditionType",
    "eventDataId",
    "operationId",
    "eventTimestamp",
    "submissionTimestamp",
    "hierarchy",
    "IncludeSearchResults",
    "IncludedSearchResults",
    "SearchIntervalStartTimeUtc",
    "SearchIntervalEndtimeUtc",
    "FormattedOccurrenceTime",
    "communicationId",
    "defaultLanguageTitle",
    "defaultLanguageContent",
    "impactedServicesTableRows",
};

/* Of a service's own members: what is read elsewhere, and what would say nothing. */
static bool is_left_out(const struct cJSON *member)
{
    bool is_structure = json_kind(member) == JSON_OBJECT || json_kind(member) == JSON_LIST;
    return is_in(json_key(member), left_out_values, COUNT_OF(left_out_values))
           || (is_structure
               && is_in(json_key(member), left_out_structures, COUNT_OF(left_out_structures)));
}

/* Objects that only group: their members stand without the group's name. */
static bool is_plain_group(struct view name)
{
    return view_equal(name, VIEW("properties")) || view_equal(name, VIEW("AlertData"));
}

/* What the prompt says in another place already. */
static bool is_said(struct view value, bool is_typed, const struct alert *alert)
{
    if (view_equal(value, view_trim(alert->description)))
        return true;
    for (size_t i = 0; !is_typed && i < alert->dimensions.count; i++)
        if (view_equal(value, alert->dimensions.at[i].value))
            return true;
    return !is_typed && view_equal(value, alert->name);
}

static bool keep_value(struct view name, struct view value, bool is_typed, struct arena *mem,
                       struct alert *out)
{
    bool is_empty =
        value.len == 0 || view_equal(value, VIEW("[]")) || view_equal(value, VIEW("{}"));
    if (is_empty || is_said(value, is_typed, out)
        || pairs_find(&out->custom, view_cap(name, MAX_KEY_BYTES)) != NULL)
        return true;
    if (value.len > MAX_VALUE_BYTES || view_contains(value, VIEW("\n")))
        return azure_add_logs(name, value, mem, out);
    return pairs_add(&out->custom, MAX_CUSTOM_FIELDS, name, value, MAX_VALUE_BYTES, mem);
}

static struct view joined(struct view prefix, struct view name, struct arena *mem)
{
    struct text text = text_in(mem, prefix.len + name.len + 2);
    text_add(&text, prefix);
    text_add_string(&text, prefix.len == 0 ? "" : ".");
    text_add(&text, name);
    return text_view(&text);
}

static bool keep_object(const struct cJSON *object, struct view prefix, int depth, bool is_typed,
                        struct arena *mem, struct alert *out);

/* Depth is bounded, so that the stack is too. */
static bool keep_member(const struct cJSON *member, struct view prefix, int depth, bool is_typed,
                        struct arena *mem, struct alert *out)
{
    struct view name = json_key(member);
    bool is_object = json_kind(member) == JSON_OBJECT && depth < MAX_DEPTH;
    struct view path = prefix;
    if (is_secret(name) || (!is_typed && prefix.len == 0 && is_left_out(member)))
        return true;
    if (!is_object || !is_plain_group(name))
        path = joined(prefix, name, mem);
    return is_object ? keep_object(member, path, depth + 1, is_typed, mem, out)
                     : keep_value(path, source_line(member, mem), is_typed, mem, out);
}

static bool keep_object(const struct cJSON *object, struct view prefix, int depth, bool is_typed,
                        struct arena *mem, struct alert *out)
{
    for (const struct cJSON *member = json_first(object); member != NULL;
         member = json_next(member))
        if (!keep_member(member, prefix, depth, is_typed, mem, out))
            return false;
    return true;
}

bool azure_keep_member(const struct cJSON *member, struct arena *mem, struct alert *out)
{
    return keep_member(member, (struct view){ 0 }, 1, false, mem, out);
}

bool azure_keep_typed(const struct cJSON *object, struct arena *mem, struct alert *out)
{
    return json_kind(object) != JSON_OBJECT
           || keep_object(object, (struct view){ 0 }, 1, true, mem, out);
}

bool azure_keep_members(const struct cJSON *object, struct arena *mem, struct alert *out)
{
    return json_kind(object) != JSON_OBJECT
           || keep_object(object, (struct view){ 0 }, 1, false, mem, out);
}

/* --- events of an activity log ------------------------------------------------------------------ */

static bool is_service_health(const struct cJSON *event)
{
    return view_starts_fold(json_text(json_at(event, "operationName")),
                            VIEW("Microsoft.ServiceHealth/"))
           || view_equal_fold(json_text(json_at(event, "eventSource")), VIEW("ServiceHealth"))
           || json_kind(json_at(event, "properties.trackingId")) == JSON_TEXT;
}

struct view azure_service_of(const struct cJSON *event, struct arena *mem)
{
    struct view service = source_line(json_at(event, "properties.service"), mem);
    struct view region = source_line(json_at(event, "properties.region"), mem);
    struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
    if (!is_service_health(event) || service.len == 0)
        return (struct view){ 0 };
    text_add(&text, view_cap(service, MAX_VALUE_BYTES / 2));
    text_add_string(&text, region.len == 0 ? "" : " - ");
    text_add(&text, view_cap(region, MAX_VALUE_BYTES / 2));
    return text_view(&text);
}

bool azure_keep_event(const struct cJSON *event, struct arena *mem, struct alert *out)
{
    const struct cJSON *operation = json_at(event, "operationName");
    struct view told = source_line(json_at(event, "properties.communication"), mem);
    if (source_line(operation, mem).len == 0)
        operation = json_at(event, "authorization.action");
    /* ".../healthevent/Activated/action" and ".../Resolved/action" are stages of one outage. */
    bool is_stage =
        view_starts_fold(source_line(operation, mem), VIEW("Microsoft.ResourceHealth/"));
    return (is_stage ? source_custom(out, VIEW("operationName"), operation, mem)
                     : source_dimension(out, "operationName", operation, mem))
           && source_dimension(out, "trackingId", json_at(event, "properties.trackingId"), mem)
           && azure_add_logs(VIEW("communication"), source_prose(told, mem), mem, out);
}
