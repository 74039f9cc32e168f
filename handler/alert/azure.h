/*
 * What the dialects of Azure Monitor share: conditions in words, rows of a log search, the event of
 * an activity log, and members that a person typed or a service added.
 *
 * Owns:     nothing; everything lives in the arena.
 * Units:    window sizes are ISO 8601 durations; bare digits are minutes.
 * Fails:    only without memory.
 * Threads:  any.
 */
#ifndef ALERT_AZURE_H
#define ALERT_AZURE_H

#include "alert/source.h"

/* Critical to Verbose, as activity logs and old log alerts write it. */
extern const struct word azure_severities[];

/* Plain words for "Activity Log" and its like; empty for a signal nobody knows. */
struct view azure_signal(struct view word);

/* The last segment of an ARM id; a short name or a URL stays as it is. */
struct view azure_short_name(struct view id);

/* Items of a list or an object; a single value is its own only item. */
const struct cJSON *azure_first(const struct cJSON *node);
const struct cJSON *azure_next(const struct cJSON *item, const struct cJSON *node);

/* One criterion with its dimensions and links; `window` may be empty. */
bool azure_keep_criterion(const struct cJSON *criterion, struct view window, struct arena *mem,
                          struct alert *out) MUST_CHECK;

/* A condition: windowSize and allOf, whose queries and rows ("event") are kept too. */
bool azure_keep_condition(const struct cJSON *condition, struct arena *mem,
                          struct alert *out) MUST_CHECK;

/* A log search of the first API: SearchQuery, threshold, links, dimensions, rows. */
bool azure_keep_search(const struct cJSON *search, struct arena *mem, struct alert *out) MUST_CHECK;

/* A Prometheus rule: its expression, labels and annotations. */
bool azure_keep_expression(const struct cJSON *context, struct arena *mem,
                           struct alert *out) MUST_CHECK;

/* Smart detection: what was seen, and what is usual. */
bool azure_keep_detection(const struct cJSON *context, struct arena *mem,
                          struct alert *out) MUST_CHECK;

/* A budget: what was spent of what, and from where on it is told. */
bool azure_keep_budget(const struct cJSON *budget, struct arena *mem, struct alert *out) MUST_CHECK;

/* Text in words that has a line of its own among the conditions. */
bool azure_keep_words(struct view words, struct arena *mem, struct alert *out) MUST_CHECK;

/* Name and value of each: a list of { name, value }, or an object. */
bool azure_keep_dimensions(const struct cJSON *list, struct arena *mem,
                           struct alert *out) MUST_CHECK;

/*
 * Members as custom fields, nested ones with dots in their names.  The first of equal names stays,
 * long text goes to the logs, credentials are left out.  Of what a person typed all else is kept;
 * of a service's own members not what other functions here read, nor what says nothing.
 */
bool azure_keep_typed(const struct cJSON *object, struct arena *mem, struct alert *out) MUST_CHECK;
bool azure_keep_member(const struct cJSON *member, struct arena *mem, struct alert *out) MUST_CHECK;
bool azure_keep_members(const struct cJSON *object, struct arena *mem,
                        struct alert *out) MUST_CHECK;

/* Of alerts before the common schema: the resource, its id, and the way to it in the portal. */
bool azure_keep_resource(const struct cJSON *context, struct arena *mem,
                         struct alert *out) MUST_CHECK;

/* What tells events of an activity log apart, and what a service tells its customers in HTML. */
bool azure_keep_event(const struct cJSON *event, struct arena *mem, struct alert *out) MUST_CHECK;

/* "Virtual Machines - Australia East"; empty where the event is not about a service's health. */
struct view azure_service_of(const struct cJSON *event, struct arena *mem);

/* As source_link(), unless the same URL is there already. */
bool azure_keep_link(struct alert *alert, const char *label, const struct cJSON *node,
                     struct arena *mem) MUST_CHECK;

/* Appends to the logs; a heading names what is not a line of them. */
bool azure_add_logs(struct view heading, struct view lines, struct arena *mem,
                    struct alert *out) MUST_CHECK;

/* The rows of SearchResults as lines of the logs. */
bool azure_keep_rows(const struct cJSON *results, struct arena *mem, struct alert *out) MUST_CHECK;

#endif
