/* Conditions of Azure's rules as an engineer would say them. */
#include "alert/azure.h"

#include "base/arena.h"
#include "base/json.h"

enum { MAX_QUERIES = 4, MAX_QUERY_BYTES = 256 * 1024, MAX_WORDS = 2 * MAX_VALUE_BYTES };

/* --- words ---------------------------------------------------------------------------------- */

struct phrase {
    const char *azure;
    const char *plain;
};

static bool is_same_word(struct view word, struct view known)
{
    size_t at = 0;
    for (size_t i = 0; i < word.len; i++) {
        struct view letter = { word.at + i, 1 };
        if (word.at[i] == ' ')
            continue;
        if (at == known.len || !view_equal_fold(letter, (struct view){ known.at + at, 1 }))
            return false;
        at++;
    }
    return at == known.len;
}

/* Old log alerts write "Greater Than" where all others write "GreaterThan". */
static struct view operator_in_words(struct view operator)
{
    static const struct phrase words[] = {
        { "GreaterThan", "greater than" },
        { "GreaterThanOrEqual", "greater than or equal to" },
        { "GreaterThanOrEqualTo", "greater than or equal to" },
        { "GreaterOrLessThan", "greater or less than" },
        { "LessThan", "less than" },
        { "LowerThan", "less than" },
        { "LessThanOrEqual", "less than or equal to" },
        { "LessThanOrEqualTo", "less than or equal to" },
        { "LowerThanOrEqual", "less than or equal to" },
        { "Equals", "equal to" },
        { "Equal", "equal to" },
        { "EqualTo", "equal to" },
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (is_same_word(operator, view_of(words[i].azure)))
            return view_of(words[i].plain);
    return operator;
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

static void add_count(struct text *to, long long count, const char *unit)
{
    text_add_number(to, count);
    text_add_char(to, ' ');
    text_add_string(to, unit);
    text_add_string(to, count == 1 ? "" : "s");
}

/* "PT1H30M" as "1 hour 30 minutes", "15" as minutes; what is no duration is added as it is. */
static void add_duration(struct text *to, struct view duration, struct arena *mem)
{
    struct text words = text_in(mem, 128);
    long long minutes = 0;
    if (view_to_number(duration, 0, 1000000, &minutes)) {
        add_count(to, minutes, "minute");
        return;
    }
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
        add_count(&words, count, unit);
        rest = view_skip(rest, taken);
    }
    bool is_sound = view_starts(duration, VIEW("P")) && rest.len == 0 && words.len > 0;
    text_add(to, is_sound ? text_view(&words) : duration);
}

static struct view line_at(const struct cJSON *node, const char *path, struct arena *mem)
{
    return source_line(json_at(node, path), mem);
}

static void add_part(struct text *to, const char *before, struct view part)
{
    if (part.len == 0)
        return;
    text_add_string(to, before);
    text_add(to, part);
}

/* Behind what is there already, or at the front. */
static void add_clause(struct text *to, const char *before, struct view part)
{
    if (part.len > 0 && to->len > 0)
        text_add_string(to, ", ");
    add_part(to, before, part);
}

bool azure_keep_words(struct view words, struct arena *mem, struct alert *out)
{
    return words.len == 0
           || pairs_add(&out->conditions, MAX_CONDITIONS, (struct view){ 0 }, words,
                        MAX_VALUE_BYTES, mem);
}

/* --- criteria ------------------------------------------------------------------------------- */

static struct view subject_of(const struct cJSON *criterion, struct arena *mem)
{
    static const char *const paths[] = { "metricName", "metricMeasureColumn", "metricMeasure" };
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct view subject = line_at(criterion, paths[i], mem);
        if (subject.len > 0)
            return subject;
    }
    bool is_search = json_kind(json_at(criterion, "searchQuery")) == JSON_TEXT;
    bool is_simple = json_kind(json_at(criterion, "event")) == JSON_LIST;
    return is_simple   ? VIEW("a row matched the query")
           : is_search ? VIEW("query results")
                       : (struct view){ 0 };
}

static void add_periods(struct text *to, const struct cJSON *criterion, struct arena *mem)
{
    struct view failing = line_at(criterion, "failingPeriods.minFailingPeriodsToAlert", mem);
    if (to->len == 0 || failing.len == 0 || view_equal(failing, VIEW("1")))
        return;
    add_part(to, ", in ", failing);
    add_part(to, " of ", line_at(criterion, "failingPeriods.numberOfEvaluationPeriods", mem));
    text_add_string(to, " periods");
}

/*
 * One criterion: "Total of Transactions greater than 0, measured 100, over 5 minutes".  Thresholds
 * are strings in metric and log V2 contexts; values are printed as they came.
 */
static struct view criterion_in_words(const struct cJSON *criterion, struct view window,
                                      struct arena *mem)
{
    struct text text = text_in(mem, MAX_WORDS);
    struct view aggregation = line_at(criterion, "timeAggregation", mem);
    if (!view_starts(aggregation, VIEW("PT"))) /* old payloads repeat the window there */
        add_part(&text, "", aggregation);
    add_part(&text, text.len == 0 ? "" : " of ", subject_of(criterion, mem));
    add_part(&text, " ", operator_in_words(line_at(criterion, "operator", mem)));
    add_part(&text, " ", line_at(criterion, "threshold", mem));
    add_clause(&text, "measured ", line_at(criterion, "metricValue", mem));
    if (window.len > 0 && text.len > 0) {
        text_add_string(&text, ", over ");
        add_duration(&text, window, mem);
    }
    add_clause(&text, "sensitivity ", line_at(criterion, "alertSensitivity", mem));
    add_periods(&text, criterion, mem);
    add_clause(&text, "web test ", line_at(criterion, "webTestName", mem));
    return text_view(&text);
}

static bool keep_dimension(struct view name, struct view value, struct arena *mem,
                           struct alert *out)
{
    return name.len == 0 || value.len == 0
           || pairs_add(&out->dimensions, MAX_DIMENSIONS, name, value, MAX_VALUE_BYTES, mem);
}

bool azure_keep_dimensions(const struct cJSON *list, struct arena *mem, struct alert *out)
{
    bool is_one = json_at(list, "name") != NULL && json_at(list, "value") != NULL;
    bool is_object = json_kind(list) == JSON_OBJECT && !is_one;
    for (const struct cJSON *item = is_one ? list : json_first(list); item != NULL;
         item = source_next(item, list)) {
        struct view name = is_object ? json_key(item) : line_at(item, "name", mem);
        struct view value = is_object ? source_line(item, mem) : line_at(item, "value", mem);
        if (!keep_dimension(name, value, mem, out))
            return false;
    }
    return true;
}

bool azure_keep_criterion(const struct cJSON *criterion, struct view window, struct arena *mem,
                          struct alert *out)
{
    return azure_keep_words(criterion_in_words(criterion, window, mem), mem, out)
           && azure_keep_dimensions(json_at(criterion, "dimensions"), mem, out)
           && azure_keep_link(out, "Search results, filtered",
                              json_at(criterion, "linkToFilteredSearchResultsUI"), mem)
           && azure_keep_link(out, "Search results", json_at(criterion, "linkToSearchResultsUI"),
                              mem);
}

static bool keep_query(struct view query, struct arena *mem, struct alert *out)
{
    struct text queries = text_in(mem, MAX_QUERY_BYTES);
    query = view_trim(query);
    if (query.len == 0)
        return true;
    text_add(&queries, out->query);
    text_add_string(&queries, queries.len == 0 ? "" : "\n\n");
    bool is_whole = text_add_some(&queries, query);
    out->query = text_view(&queries);
    return is_whole || source_note(out, "query", "cut", mem);
}

/* One cell of a row that matched: { "name": ..., "value": ... }. */
static void add_cell(struct text *to, const struct cJSON *cell, struct arena *mem)
{
    struct view value = line_at(cell, "value", mem);
    if (value.len == 0)
        return;
    bool is_first = to->len == 0 || to->bytes[to->len - 1] == '\n';
    text_add_string(to, is_first ? "" : " | ");
    add_part(to, "", line_at(cell, "name", mem));
    add_part(to, ": ", value);
}

/*
 * Simple log alerts carry the rows that matched: a list of rows, each a list of cells; a single row
 * may come without the list around it.
 */
static bool keep_event_rows(const struct cJSON *rows, struct arena *mem, struct alert *out)
{
    struct text text = text_in(mem, MAX_QUERY_BYTES);
    for (const struct cJSON *row = json_first(rows); row != NULL; row = json_next(row)) {
        if (json_kind(row) != JSON_LIST) {
            add_cell(&text, row, mem);
            continue;
        }
        for (const struct cJSON *cell = json_first(row); cell != NULL; cell = json_next(cell))
            add_cell(&text, cell, mem);
        text_add_char(&text, '\n');
    }
    return azure_add_logs((struct view){ 0 }, view_trim(text_view(&text)), mem, out)
           && (text_ok(&text) || source_note(out, "event", "cut", mem));
}

/* allOf is a list of criteria that all held; it can be empty or missing when there is no evidence. */
bool azure_keep_condition(const struct cJSON *condition, struct arena *mem, struct alert *out)
{
    struct view window = line_at(condition, "windowSize", mem);
    const struct cJSON *all = json_at(condition, "allOf");
    const struct cJSON *criterion = source_items(all);
    for (size_t i = 0; criterion != NULL && i < MAX_CONDITIONS; i++) {
        struct view query = json_text(json_at(criterion, "searchQuery"));
        if (!azure_keep_criterion(criterion, window, mem, out)
            || (i < MAX_QUERIES && !keep_query(query, mem, out))
            || !keep_event_rows(json_at(criterion, "event"), mem, out))
            return false;
        criterion = source_next(criterion, all);
    }
    return true;
}

/* --- log searches of the first API ------------------------------------------------------------ */

static struct view first_line(const struct cJSON *node, const char *path, const char *other,
                              struct arena *mem)
{
    struct view line = line_at(node, path, mem);
    return line.len > 0 ? line : line_at(node, other, mem);
}

static void add_interval(struct text *to, const struct cJSON *search, struct arena *mem)
{
    struct view minutes =
        first_line(search, "SearchIntervalInMinutes", "SearchIntervalDurationMin", mem);
    struct view seconds = line_at(search, "SearchIntervalInSeconds", mem);
    long long count = 0;
    if (to->len == 0 || (minutes.len == 0 && seconds.len == 0))
        return;
    text_add_string(to, ", over ");
    if (minutes.len > 0) {
        add_duration(to, minutes, mem);
        return;
    }
    bool is_minutes = view_to_number(seconds, 60, 100000000, &count) && count % 60 == 0;
    if (is_minutes)
        add_count(to, count / 60, "minute");
    else
        add_part(to, "", seconds);
    text_add_string(to, is_minutes ? "" : " seconds");
}

/* "Number of results greater than 0, 4 rows, over 5 minutes". */
static struct view search_in_words(const struct cJSON *search, struct arena *mem)
{
    struct text text = text_in(mem, MAX_WORDS);
    struct view operator= first_line(search, "Operator", "AlertThresholdOperator", mem);
    struct view threshold = first_line(search, "Threshold", "AlertThresholdValue", mem);
    struct view count = line_at(search, "ResultCount", mem);
    if (operator.len> 0 || threshold.len> 0) {
        struct view kind = line_at(search, "AlertType", mem);
        text_add(&text, kind.len > 0 ? kind : VIEW("query results"));
        add_part(&text, " ", operator_in_words(operator));
        add_part(&text, " ", threshold);
    }
    add_clause(&text, "", count);
    text_add_string(&text, count.len == 0 ? "" : view_equal(count, VIEW("1")) ? " row" : " rows");
    add_interval(&text, search, mem);
    return text_view(&text);
}

bool azure_keep_search(const struct cJSON *search, struct arena *mem, struct alert *out)
{
    return keep_query(json_text(json_at(search, "SearchQuery")), mem, out)
           && azure_keep_words(search_in_words(search, mem), mem, out)
           && azure_keep_dimensions(json_at(search, "Dimensions"), mem, out)
           && azure_keep_link(out, "Search results, filtered",
                              json_at(search, "LinkToFilteredSearchResultsUI"), mem)
           && azure_keep_link(out, "Search results", json_at(search, "LinkToSearchResults"), mem)
           && azure_keep_rows(json_at(search, "SearchResults"), mem, out)
           && azure_keep_rows(json_at(search, "SearchResult"), mem, out);
}

/* --- what other services state ---------------------------------------------------------------- */

/* Labels tell series apart; annotations are prose. */
bool azure_keep_expression(const struct cJSON *context, struct arena *mem, struct alert *out)
{
    struct view held = line_at(context, "for", mem);
    struct text text = text_in(mem, MAX_WORDS);
    if (json_kind(json_at(context, "expression")) != JSON_TEXT)
        return true;
    add_clause(&text, "expression gave ", line_at(context, "expressionValue", mem));
    if (held.len > 0) {
        add_clause(&text, "", VIEW("held for "));
        add_duration(&text, held, mem);
    }
    return keep_query(json_text(json_at(context, "expression")), mem, out)
           && azure_keep_words(text_view(&text), mem, out)
           && azure_keep_dimensions(json_at(context, "labels"), mem, out)
           && azure_keep_link(out, "Runbook", json_at(context, "annotations.runbook_url"), mem)
           && azure_keep_typed(json_at(context, "annotations"), mem, out);
}

/* Smart detection: "detected 0.45 sec, normally 0.27 sec (over the last 7 days)". */
bool azure_keep_detection(const struct cJSON *context, struct arena *mem, struct alert *out)
{
    struct text text = text_in(mem, MAX_WORDS);
    add_clause(&text, "detected ", line_at(context, "DetectedValue", mem));
    add_clause(&text, "normally ", line_at(context, "NormalValue", mem));
    return azure_keep_words(line_at(context, "DetectionSummary", mem), mem, out)
           && azure_keep_words(text_view(&text), mem, out);
}

/* "Actual spend $11,111.00, budget $50.00, threshold $25.00"; amounts are printed as they came. */
bool azure_keep_budget(const struct cJSON *budget, struct arena *mem, struct alert *out)
{
    struct text text = text_in(mem, MAX_WORDS);
    struct view spent = first_line(budget, "SpentAmount", "SpendingAmount", mem);
    if (spent.len > 0) {
        add_part(&text, "", line_at(budget, "ThresholdType", mem));
        text_add_string(&text, text.len == 0 ? "spend " : " spend ");
        text_add(&text, spent);
    }
    add_clause(&text, "budget ", first_line(budget, "BudgetThreshold", "Budget", mem));
    add_clause(&text, "threshold ", line_at(budget, "NotificationThresholdAmount", mem));
    if (text.len > 0)
        add_clause(&text, "in ", line_at(budget, "Unit", mem));
    return azure_keep_words(text_view(&text), mem, out);
}
