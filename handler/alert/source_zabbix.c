/*
 * Zabbix: there is no format of its own, each site writes a media type of macros.  Two manners are
 * common, objects (event, trigger, host, item) and flat members (event_id, trigger_name).
 *
 * Macros without a value stay in the text as they are, "{EVENT.RECOVERY.ID}"; dates carry no zone.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word severities[] = {
    { "Disaster", 0 },    { "High", 1 }, { "Average", 2 },        { "Warning", 2 },
    { "Information", 3 }, { "Info", 3 }, { "Not classified", 4 }, { NULL, NOT_STATED },
};

/* Zabbix counts the other way: 5 is a disaster. */
static const struct word numbers[] = {
    { "5", 0 }, { "4", 1 }, { "3", 2 }, { "2", 2 }, { "1", 3 }, { "0", 4 }, { NULL, NOT_STATED },
};

static const struct word states[] = {
    { "PROBLEM", ALERT_FIRED },     { "1", ALERT_FIRED },    { "OK", ALERT_RESOLVED },
    { "RESOLVED", ALERT_RESOLVED }, { "0", ALERT_RESOLVED }, { NULL, ALERT_OTHER },
};

static const struct field fields[] = {
    { "trigger.name", LINE_AT(name) },
    { "event.name", LINE_AT(name) },
    { "trigger_name", LINE_AT(name) },
    { "event_name", LINE_AT(name) },
    { "triggerName", LINE_AT(name) },
    { "eventName", LINE_AT(name) },
    { "title", LINE_AT(name) },
    { "subject", LINE_AT(name) },
    { "alert_subject", LINE_AT(name) },
    { "trigger.severity", WORD_AT(severity), .words = severities },
    { "event.severity", WORD_AT(severity), .words = severities },
    { "trigger_severity", WORD_AT(severity), .words = severities },
    { "event_severity", WORD_AT(severity), .words = severities },
    { "triggerSeverity", WORD_AT(severity), .words = severities },
    { "severity", WORD_AT(severity), .words = severities },
    { "trigger.nseverity", WORD_AT(severity), .words = numbers },
    { "event.nseverity", WORD_AT(severity), .words = numbers },
    { "event_nseverity", WORD_AT(severity), .words = numbers },
    { "trigger_nseverity", WORD_AT(severity), .words = numbers },
    { "nseverity", WORD_AT(severity), .words = numbers },
    { "message", LINE_AT(description) },
    { "alert_message", LINE_AT(description) },
    { "trigger.description", LINE_AT(description) },
    { "trigger_description", LINE_AT(description) },
    { "description", LINE_AT(description) },
    { "host.name", LINE_AT(resource) },
    { "host.visible_name", LINE_AT(resource) },
    { "host.host", LINE_AT(resource) },
    { "host.connection_info", LINE_AT(resource) },
    { "host.ip", LINE_AT(resource) },
    { "host_name", LINE_AT(resource) },
    { "hostname", LINE_AT(resource) },
    { "hostName", LINE_AT(resource) },
    { "host_host", LINE_AT(resource) },
    { "host_ip", LINE_AT(resource) },
    { "event.id", LINE_AT(alert_id) },
    { "event_id", LINE_AT(alert_id) },
    { "eventid", LINE_AT(alert_id) },
    { "eventId", LINE_AT(alert_id) },
    { "trigger.id", LINE_AT(problem) },
    { "trigger_id", LINE_AT(problem) },
    { "triggerid", LINE_AT(problem) },
    { "triggerId", LINE_AT(problem) },
    { "event.status", STATE_AT(state), .words = states },
    { "trigger.status", STATE_AT(state), .words = states },
    { "event_status", STATE_AT(state), .words = states },
    { "trigger_status", STATE_AT(state), .words = states },
    { "triggerStatus", STATE_AT(state), .words = states },
    { "status", STATE_AT(state), .words = states },
    { "event.value", STATE_AT(state), .words = states },
    { "event_value", STATE_AT(state), .words = states },
};

static bool has_any(const struct cJSON *body, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_kind(json_at(body, names[i])) != JSON_ABSENT)
            return true;
    return false;
}

static bool recognises(const struct cJSON *body)
{
    static const char *const events[] = { "event_id", "eventid", "eventId" };
    static const char *const triggers[] = { "trigger_name",     "triggerName", "trigger_id",
                                            "trigger_severity", "triggerid",   "event_nseverity" };
    return (json_kind(json_at(body, "event")) == JSON_OBJECT
            && json_kind(json_at(body, "trigger")) == JSON_OBJECT
            && json_kind(json_at(body, "host")) == JSON_OBJECT)
           || (has_any(body, events, COUNT_OF(events))
               && has_any(body, triggers, COUNT_OF(triggers)));
}

/* --- what rows cannot say ---------------------------------------------------------------------- */

static struct view first_of(const struct cJSON *body, const char *one, const char *two,
                            struct arena *mem)
{
    struct view value = source_line(json_at(body, one), mem);
    return value.len > 0 ? value : source_line(json_at(body, two), mem);
}

/* "2021.08.27" and "12:51:50" are "2021-08-27T12:51:50": the server's own time, no zone stated. */
static bool keep_time(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct view date = first_of(body, "event.date", "event_date", mem);
    struct view time = first_of(body, "event.time", "event_time", mem);
    if (date.len != 10 || time.len != 8 || time.at[2] != ':' || time.at[5] != ':')
        return true;
    struct text whole = text_in(mem, 32);
    for (size_t i = 0; i < date.len; i++)
        text_add_char(&whole, date.at[i] == '.' || date.at[i] == '/' ? '-' : date.at[i]);
    text_add_char(&whole, 'T');
    text_add(&whole, time);
    out->fired_time = text_view(&whole);
    return text_ok(&whole);
}

/* "system.cpu.load[all,avg1] = 1.69" */
static bool keep_item(const struct cJSON *body, struct arena *mem, struct alert *out)
{
    struct text words = text_in(mem, MAX_VALUE_BYTES * 2);
    struct view key = first_of(body, "item.key", "item_key", mem);
    struct view value = first_of(body, "item.value", "item_value", mem);
    if (key.len == 0)
        key = first_of(body, "item.name", "item_name", mem);
    if (value.len == 0)
        value = first_of(body, "item.lastvalue", "item_lastvalue", mem);
    (void)text_add_some(&words, key);
    if (key.len > 0 && value.len > 0)
        (void)text_add_some(&words, VIEW(" = "));
    (void)text_add_some(&words, value);
    return source_condition(out, text_view(&words), mem)
           && source_condition(out, first_of(body, "event.opdata", "event_opdata", mem), mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)item;
    out->signal_type = VIEW("metric");
    if (out->problem.len == 0)
        out->problem = out->name;
    if (out->resource.len == 0)
        out->resource = view_keep(view_trim(json_text(json_at(body, "host"))), mem);
    return (out->resource.at != NULL && keep_time(body, mem, out) && keep_item(body, mem, out)
            && source_custom(out, VIEW("address"), json_at(body, "host.connection_info"), mem)
            && source_custom(out, VIEW("address"), json_at(body, "host.ip"), mem)
            && source_custom(out, VIEW("address"), json_at(body, "host_ip"), mem)
            && source_custom(out, VIEW("hostgroup"), json_at(body, "host.group"), mem)
            && source_custom(out, VIEW("tags"), json_at(body, "event.tags"), mem)
            && source_custom(out, VIEW("tags"), json_at(body, "event_tags"), mem)
            && source_link(out, "Trigger", json_at(body, "trigger.url"), mem)
            && source_link(out, "Trigger", json_at(body, "trigger_url"), mem)
            && source_link(out, "Zabbix", json_at(body, "zabbix_url"), mem)
            && source_link(out, "Event", json_at(body, "event_url"), mem)
            && source_link(out, "Event", json_at(body, "url"), mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the trigger");
}

const struct source source_zabbix = {
    .name = "zabbix",
    .identity = BY_PROBLEM | BY_RESOURCE,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
