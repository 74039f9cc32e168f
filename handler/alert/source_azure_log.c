/*
 * Log alerts of Azure Monitor's first API without the common schema: in an envelope with a schemaId,
 * or bare.  They are always fired, and nothing names the firing.
 */
#include "alert/azure.h"

#include "base/arena.h"
#include "base/json.h"

static const struct field fields[] = {
    { "AlertRuleName", LINE_AT(name) },
    { "data.AlertRuleName", LINE_AT(name) },
    { "Severity", SEV_AT(severity), .words = azure_severities },
    { "data.Severity", SEV_AT(severity), .words = azure_severities },
    { "Description", TEXT_AT(description) },
    { "data.Description", TEXT_AT(description) },
    { "SearchIntervalEndtimeUtc", TIME_AT(fired_time) },
    { "data.SearchIntervalEndtimeUtc", TIME_AT(fired_time) },
    { "SearchIntervalEndTimeUtc", TIME_AT(fired_time) },
    { "data.SearchIntervalEndTimeUtc", TIME_AT(fired_time) },
};

static bool has_envelope(const struct cJSON *body)
{
    return view_equal_fold(view_trim(json_text(json_at(body, "schemaId"))),
                           VIEW("Microsoft.Insights/LogAlert"));
}

/* Bare, it states no schema, and a body that fills our own contract is taken at its word. */
static bool recognises(const struct cJSON *body)
{
    bool is_bare = json_kind(json_at(body, "AlertRuleName")) == JSON_TEXT
                   && json_kind(json_at(body, "SearchQuery")) != JSON_ABSENT;
    return has_envelope(body) || (is_bare && !source_is_native(body));
}

/* The first cell of the rows below a column of that name. */
static const struct cJSON *cell_below(const struct cJSON *table, const char *name)
{
    const struct cJSON *cell = azure_first(json_first(json_at(table, "rows")));
    const struct cJSON *column = json_first(json_at(table, "columns"));
    for (; column != NULL && cell != NULL; column = json_next(column), cell = json_next(cell))
        if (view_equal_fold(json_text(json_at(column, "name")), view_of(name)))
            return cell;
    return NULL;
}

/* Nothing but the data says what failed: a dimension, else a machine or a role in the rows. */
static bool keep_resource(const struct cJSON *search, struct arena *mem, struct alert *out)
{
    const struct cJSON *table = json_first(json_at(search, "SearchResult.tables"));
    if (table == NULL)
        table = json_first(json_at(search, "SearchResults.tables"));
    const struct cJSON *const places[] = {
        azure_first(json_at(search, "AffectedConfigurationItems")),
        json_at(azure_first(json_at(search, "Dimensions")), "value"),
        cell_below(table, "Computer"),
        cell_below(table, "cloud_RoleName"),
        json_at(search, "ResourceId"),
        json_at(search, "WorkspaceId"),
        json_at(search, "ApplicationId"),
        json_at(search, "SubscriptionId"),
    };
    struct view name = { 0 };
    for (size_t i = 0; i < COUNT_OF(places) && name.len == 0; i++)
        name = azure_short_name(source_line(places[i], mem));
    out->resource = view_keep(name, mem);
    return out->resource.at != NULL;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    const struct cJSON *search = has_envelope(body) ? json_at(body, "data") : body;
    out->signal_type = VIEW("log");
    return (keep_resource(search, mem, out) && azure_keep_search(search, mem, out)
            && source_dimension(out, "WorkspaceId", json_at(search, "WorkspaceId"), mem)
            && source_dimension(out, "ApplicationId", json_at(search, "ApplicationId"), mem)
            && source_dimension(out, "ResourceId", json_at(search, "ResourceId"), mem)
            && source_custom(out, VIEW("SubscriptionId"), json_at(search, "SubscriptionId"), mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the log search");
}

const struct source source_azure_log = {
    .name = "azure-monitor",
    .is_azure = true,
    .has_schema = true,
    .identity = BY_NAME | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
