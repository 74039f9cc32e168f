/*
 * JSON that a person typed into a log alert rule of Azure's first API: whatever its author chose,
 * but for `alertname`, which Microsoft's example begins with.  Parameters that Azure did not fill
 * ("#alertrulename") count as not given.
 *
 * Without anything of Azure's in it `alertname` is a misspelt alertName of our own contract, and
 * native says so.
 */
#include "alert/azure.h"

#include "base/arena.h"
#include "base/json.h"

static const struct field fields[] = {
    { "alertname", LINE_AT(name) },
    { "severity", SEV_AT(severity), .words = azure_severities },
    { "Severity", SEV_AT(severity), .words = azure_severities },
    { "description", TEXT_AT(description) },
    { "Description", TEXT_AT(description) },
    { "text", TEXT_AT(description) },
    { "affectedResource", LINE_AT(resource) },
    { "resource", LINE_AT(resource) },
    { "signalType", LINE_AT(signal_type) },
    { "firedTime", TIME_AT(fired_time) },
    { "timestamp", TIME_AT(fired_time) },
    { "SearchIntervalEndtimeUtc", TIME_AT(fired_time) },
    { "searchintervalendtimeutc", TIME_AT(fired_time) },
    { "source", LINE_AT(source) },
    { "logs", TEXT_AT(logs) },
};

/* What has a place of its own, and so is no custom field. */
static bool is_field(struct view name)
{
    static const char *const others[] = { "status",
                                          "state",
                                          "dimensions",
                                          "searchquery",
                                          "linktosearchresults",
                                          "linktofilteredsearchresultsui" };
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (view_equal(name, view_of(fields[i].path)))
            return true;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (view_equal_fold(name, view_of(others[i])))
            return true;
    return false;
}

/* "#alertrulename" and its like: one word of the parameters that Azure puts in. */
static bool is_parameter(struct view text)
{
    static const char *const names[] = {
        "#alertrulename",
        "#alerttype",
        "#thresholdoperator",
        "#thresholdvalue",
        "#severity",
        "#description",
        "#searchquery",
        "#searchresultcount",
        "#searchinterval",
        "#searchintervalstarttimeutc",
        "#searchintervalendtimeutc",
        "#workspaceid",
        "#applicationid",
        "#subscriptionid",
        "#linktosearchresults",
        "#linktosearchresultsapi",
        "#linktofilteredsearchresultsui",
        "#linktofilteredsearchresultsapi",
        "#dimensions",
        "#affectedconfigurationitems",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (view_equal_fold(view_trim(text), view_of(names[i])))
            return true;
    return false;
}

/* Members that only Azure writes, or a person who had Azure's parameters before them. */
static bool has_azure_members(const struct cJSON *body)
{
    static const char *const names[] = {
        "IncludeSearchResults",
        "IncludedSearchResults",
        "SearchResults",
        "SearchResult",
        "SearchQuery",
        "WorkspaceId",
        "LinkToSearchResults",
        "LinkToFilteredSearchResultsUI",
        "SearchIntervalStartTimeUtc",
        "SearchIntervalEndtimeUtc",
        "AlertThresholdValue",
    };
    for (const struct cJSON *member = json_first(body); member != NULL;
         member = json_next(member)) {
        for (size_t i = 0; i < COUNT_OF(names); i++)
            if (view_equal_fold(json_key(member), view_of(names[i])))
                return true;
        if (is_parameter(json_text(member)))
            return true;
    }
    return false;
}

static bool recognises(const struct cJSON *body)
{
    return json_kind(json_at(body, "alertname")) == JSON_TEXT && has_azure_members(body);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void drop_parameter(struct view *text)
{
    if (is_parameter(*text))
        *text = (struct view){ 0 };
}

static bool keep_others(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    for (const struct cJSON *member = json_first(body); member != NULL;
         member = json_next(member)) {
        if (!is_field(json_key(member)) && !is_parameter(json_text(member))
            && !azure_keep_member(member, mem, out))
            return false;
    }
    return true;
}

static bool keep_lower_case(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct view query = view_trim(json_text(json_at(body, "searchquery")));
    if (out->query.len == 0 && query.len > 0)
        out->query = view_keep(query, mem);
    drop_parameter(&out->query);
    return (query.len == 0 || arena_ok(mem))
           && azure_keep_link(out, "Search results, filtered",
                              json_at(body, "linktofilteredsearchresultsui"), mem)
           && azure_keep_link(out, "Search results", json_at(body, "linktosearchresults"), mem)
           && azure_keep_dimensions(json_at(body, "dimensions"), mem, out);
}

static void read_state(const struct cJSON *body, struct alert *out)
{
    static const char *const members[] = { "status", "state" };
    static const char *const words[] = { "resolved", "recovered", "ok" };
    for (size_t i = 0; i < COUNT_OF(members); i++)
        for (size_t j = 0; j < COUNT_OF(words); j++)
            if (view_equal_fold(view_trim(json_text(json_at(body, members[i]))), view_of(words[j])))
                out->state = ALERT_RESOLVED;
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    drop_parameter(&out->name);
    drop_parameter(&out->description);
    drop_parameter(&out->resource);
    drop_parameter(&out->logs);
    read_state(body, out);
    bool ok = azure_keep_search(body, mem, out) && keep_lower_case(body, mem, out)
              && keep_others(body, mem, out);
    if (out->signal_type.len == 0 && (out->query.len > 0 || out->logs.len > 0))
        out->signal_type = VIEW("log");
    return ok || fail(why, FAIL_INTERNAL, "no memory left to read the alert");
}

const struct source source_azure_custom = {
    .name = "azure-monitor",
    .is_azure = true,
    .identity = BY_NAME | BY_RESOURCE | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
