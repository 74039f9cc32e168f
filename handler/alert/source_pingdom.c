/* Pingdom's webhook.  Importance belongs to the check: it stays HIGH when the check recovers. */
#include "alert/source.h"

#include "base/json.h"

static const struct word states[] = {
    { "DOWN", ALERT_FIRED },
    { "FAILING", ALERT_FIRED },
    { "UP", ALERT_RESOLVED },
    { "SUCCESS", ALERT_RESOLVED },
    { NULL, 0 },
};

static const struct word severities[] = {
    { "HIGH", 1 },
    { "LOW", 3 },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "check_name", LINE_AT(name) },
    { "importance_level", WORD_AT(severity), .words = severities },
    { "long_description", TEXT_AT(description) },
    { "description", TEXT_AT(description) },
    { "check_params.hostname", LINE_AT(resource) },
    { "check_params.full_url", LINE_AT(resource) },
    { "check_params.url", LINE_AT(resource) },
    { "state_changed_timestamp", TIME_AT(fired_time) },
    { "state_changed_utc_time", TIME_AT(fired_time) },
    { "current_state", STATE_AT(state), .words = states },
    { "check_id", LINE_AT(alert_id) },
    { "check_id", LINE_AT(problem) },
    { "check_type", CUSTOM_AS("check type") },
    { "previous_state", CUSTOM_AS("previous state") },
    { "description", CUSTOM_AS("error") },
    { "first_probe.location", CUSTOM_AS("first probe") },
    { "second_probe.location", CUSTOM_AS("second probe") },
    { "tags", CUSTOM_AS("tags") },
    { "check_params.full_url", LINK_AS("Checked") },
};

static bool recognises(const struct cJSON *body)
{
    return json_at(body, "check_id") != NULL && json_at(body, "check_type") != NULL
           && json_at(body, "current_state") != NULL;
}

const struct source source_pingdom = {
    .name = "pingdom",
    .identity = BY_PROBLEM | BY_NAME,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
};
