/*
 * Labels and annotations: the one shape of an alert that Prometheus Alertmanager, Grafana and their
 * many relays share.
 *
 * Owns:     nothing; tables are constant, what is made lives in the arena.
 * Units:    none.
 * Fails:    only without memory.
 * Threads:  any.
 */
#ifndef ALERT_LABELS_H
#define ALERT_LABELS_H

#include "alert/source.h"

/* Severity as people label it; a routing word ("slack", "page-team") states none. */
extern const struct word labels_severities[];
extern const struct word labels_states[];

/* Rows for a dialect's table.  The group's own words only fill what the alert leaves open. */
/* clang-format off */
#define LABELS_NAME_ROWS                            \
    { "labels.alertname", LINE_AT(name) },          \
    { "/commonLabels.alertname", LINE_AT(name) },   \
    { "/groupLabels.alertname", LINE_AT(name) }
#define LABELS_ROWS                                                                     \
    { "labels.severity", WORD_AT(severity), .words = labels_severities },               \
    { "/commonLabels.severity", WORD_AT(severity), .words = labels_severities },        \
    { "annotations.description", LINE_AT(description) },                                \
    { "annotations.summary", LINE_AT(description) },                                    \
    { "annotations.message", LINE_AT(description) },                                    \
    { "annotations.details", LINE_AT(description) },                                    \
    { "/commonAnnotations.description", LINE_AT(description) },                         \
    { "/commonAnnotations.summary", LINE_AT(description) },                             \
    { "/commonAnnotations.message", LINE_AT(description) },                             \
    { "startsAt", TIME_AT(fired_time) },                                                \
    { "fingerprint", LINE_AT(alert_id) },                                               \
    { "fingerprint", LINE_AT(problem) }, \
    { "labels.alertname", LINE_AT(problem) }, \
    { "/commonLabels.alertname", LINE_AT(problem) }, \
    { "/groupLabels.alertname", LINE_AT(problem) }, \
    { "status.state", STATE_AT(state), .words = labels_states },                        \
    { "status", STATE_AT(state), .words = labels_states },                              \
    { "/status", STATE_AT(state), .words = labels_states }
/* clang-format on */

/* The label that best names the thing: an instance before its pod, a pod before its namespace. */
struct view labels_resource(const struct cJSON *labels, struct arena *mem);

/* What rows cannot say: resource, dimensions, links, query and what the annotations add. */
bool labels_finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out) MUST_CHECK;

/* Whether the payload lists alerts, and one of them has any of these members. */
bool labels_lists_alerts(const struct cJSON *body);
bool labels_any_alert_has(const struct cJSON *body, const char *const members[], size_t count);

#endif
