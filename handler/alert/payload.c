/*
 * Bytes to alerts: parse once, take off what the body was carried in, let the first dialect that
 * recognises what is left read each alert.
 */
#include "alert/payload.h"

#include "alert/envelope.h"
#include "alert/hint.h"
#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/json_fault.h"

#include <string.h>

/* A body on its way to alerts. */
struct reading {
    struct payload payload;
    size_t room; /* alerts that fit into payload.alerts */
    size_t envelopes;
    struct arena *mem;
};

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left to read the payload");
}

/* The first two bytes of a gzip stream (RFC 1952): the host drops Content-Encoding. */
static bool is_gzip(struct view body)
{
    return view_starts(body, VIEW("\x1F\x8B"));
}

/* --- one body ------------------------------------------------------------------------------- */

/* Doubles, so that many small bodies in one do not copy their alerts over and over. */
static bool make_room(struct reading *reading, size_t more)
{
    struct payload *payload = &reading->payload;
    size_t room = payload->count + more;
    if (room <= reading->room)
        return true;
    if (room < 2 * reading->room)
        room = 2 * reading->room;
    if (room > MAX_ALERTS)
        room = MAX_ALERTS;
    struct alert *alerts = arena_get_array(reading->mem, room, sizeof *alerts);
    if (alerts == NULL)
        return false;
    if (payload->count > 0)
        memcpy(alerts, payload->alerts, payload->count * sizeof *alerts);
    payload->alerts = alerts;
    reading->room = room;
    return true;
}

static bool read_alert(struct reading *reading, const struct source *from, const struct cJSON *item,
                       const struct cJSON *body, size_t repaired, struct failure *why)
{
    struct payload *payload = &reading->payload;
    if (payload->count == MAX_ALERTS) {
        payload->left_out++;
        return true;
    }
    struct alert *alert = &payload->alerts[payload->count];
    *alert = (struct alert){ 0 };
    if (repaired > 0
        && !pairs_add(&alert->notes, MAX_NOTES, VIEW("body"), VIEW("repaired to valid UTF-8"),
                      MAX_VALUE_BYTES, reading->mem))
        return no_memory(why);
    if (!source_read(from, item, body, reading->mem, alert, why))
        return failure_row(why->kind)->status == 400 ? fail_hint(why, hint_of(body)) : false;
    payload->count++;
    return true;
}

static size_t count_items(const struct cJSON *list)
{
    size_t count = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        count++;
    return count;
}

/* Alerts that nobody read must not be lost without a word: the first one that fires tells of them. */
static bool tell_left_out(struct payload *payload, struct arena *mem)
{
    struct text words = text_in(mem, 128);
    text_add_number(&words, (long long)payload->left_out);
    text_add_string(&words, " more alerts of this request were not read");
    for (size_t i = 0; payload->left_out > 0 && i < payload->count; i++)
        if (payload->alerts[i].state == ALERT_FIRED)
            return pairs_put(&payload->alerts[i].custom, MAX_CUSTOM_FIELDS, VIEW("alertsNotRead"),
                             text_view(&words), MAX_VALUE_BYTES, mem);
    return true;
}

/*
 * Each alert of a list for itself: one that cannot be read must not hide the others.  Only when none
 * can be read is the first complaint the answer.
 */
static bool read_items(struct reading *reading, const struct source *from, const struct cJSON *list,
                       const struct cJSON *body, size_t repaired, struct failure *why)
{
    struct payload *payload = &reading->payload;
    struct failure first = { 0 };
    struct failure last = { 0 };
    size_t before = payload->count;
    size_t refused = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        if (json_kind(item) != JSON_OBJECT
            || read_alert(reading, from, item, body, repaired, &last))
            continue;
        if (refused++ == 0)
            first = last;
        if (failure_row(last.kind)->status != 400) {
            *why = last;
            return false;
        }
    }
    if (refused > 0 && payload->count == before) {
        *why = first;
        return false;
    }
    return refused == 0
           || source_note(&payload->alerts[before], first.field,
                          "missing in another alert: not read", reading->mem)
           || no_memory(why);
}

static bool read_alerts(struct reading *reading, const struct source *from,
                        const struct cJSON *body, size_t repaired, struct failure *why)
{
    const struct cJSON *items = from->items == NULL ? NULL : json_at(body, from->items);
    if (!make_room(reading, json_kind(items) == JSON_LIST ? count_items(items) : 1))
        return no_memory(why);
    switch (json_kind(items)) {
    case JSON_LIST:
        return read_items(reading, from, items, body, repaired, why);
    case JSON_NULL: /* how Go writes an empty list */
        return true;
    case JSON_OBJECT:
        return read_alert(reading, from, items, body, repaired, why);
    default:
        return read_alert(reading, from, body, body, repaired, why);
    }
}

/* --- bodies in envelopes ---------------------------------------------------------------------- */

static bool read_node(struct reading *reading, const struct cJSON *node, size_t repaired,
                      struct failure *why);

/* What tells this delivery from others serves alerts that tell nothing themselves. */
static void name_deliveries(struct reading *reading, size_t first, const struct envelope *envelope)
{
    for (size_t i = first; i < reading->payload.count; i++) {
        struct alert *alert = &reading->payload.alerts[i];
        if (alert->alert_id.len == 0)
            alert->alert_id = envelope->id;
        if (alert->fired_time.len == 0)
            alert->fired_time = envelope->time;
    }
}

static bool read_inside(struct reading *reading, struct envelope *envelope, size_t repaired,
                        struct failure *why)
{
    struct payload *payload = &reading->payload;
    size_t first = payload->count;
    if (envelope->challenge.len > 0)
        payload->challenge = envelope->challenge;
    if (envelope->inside == NULL) {
        payload->reason = envelope->reason;
        return true;
    }
    if (reading->envelopes == MAX_ENVELOPES)
        return fail_field(why, "data", "must not hold more than 3 envelopes, one in the other");
    reading->envelopes++;
    payload->is_repaired = payload->is_repaired || envelope->tree.is_mended;
    bool ok = read_node(reading, envelope->inside, repaired + envelope->tree.repaired, why);
    reading->envelopes--;
    name_deliveries(reading, first, envelope);
    return ok;
}

/* Dialects come first: some of them are events themselves. */
static bool read_object(struct reading *reading, const struct cJSON *body, size_t repaired,
                        struct failure *why)
{
    const struct source *from = source_of(body);
    bool is_envelope = false;
    struct envelope envelope = { 0 };
    if (from == &source_native && json_at(body, "alertName") == NULL
        && !envelope_open(body, reading->mem, &is_envelope, &envelope, why))
        return false;
    if (reading->payload.from == NULL)
        reading->payload.from = from;
    if (!is_envelope)
        return read_alerts(reading, from, body, repaired, why);
    bool ok = read_inside(reading, &envelope, repaired, why);
    envelope_close(&envelope);
    return ok;
}

static bool are_events(const struct cJSON *list)
{
    const struct cJSON *item = json_first(list);
    while (item != NULL && envelope_is_event(item))
        item = json_next(item);
    return json_first(list) != NULL && item == NULL;
}

/* An event that cannot be read does not hide the others; alone it is the answer. */
static bool read_events(struct reading *reading, const struct cJSON *list, size_t repaired,
                        struct failure *why)
{
    struct failure first = { 0 };
    size_t failed = 0;
    size_t count = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        struct failure reason;
        count++;
        if (read_object(reading, item, repaired, &reason))
            continue;
        if (failed++ == 0 || reason.kind == FAIL_INTERNAL)
            first = reason;
    }
    if (failed == count || first.kind == FAIL_INTERNAL) {
        *why = first;
        return failed == 0;
    }
    reading->payload.left_out += failed;
    return true;
}

static bool read_node(struct reading *reading, const struct cJSON *node, size_t repaired,
                      struct failure *why)
{
    if (json_kind(node) == JSON_OBJECT)
        return read_object(reading, node, repaired, why);
    if (json_kind(node) == JSON_LIST && are_events(node))
        return read_events(reading, node, repaired, why);
    return fail_because(why, FAIL_NOT_JSON, VIEW("expected an object"));
}

static bool read_body(struct view bytes, const struct json *json, struct reading *reading,
                      struct failure *why)
{
    bool is_list = json_kind(json->root) == JSON_LIST && are_events(json->root);
    if (json_kind(json->root) != JSON_OBJECT && !is_list)
        return json_fault_refuse(bytes, 0, "expected an object", why);
    reading->payload.is_repaired = json->is_mended;
    if (!read_node(reading, json->root, json->repaired, why))
        return false;
    if (!tell_left_out(&reading->payload, reading->mem))
        return no_memory(why);
    if (reading->payload.count > 0)
        reading->payload.from = reading->payload.alerts[0].from;
    return true;
}

bool payload_read(struct view body, struct arena *mem, struct payload *out, struct failure *why)
{
    struct json json = { 0 };
    struct reading reading = { .mem = mem };
    if (is_gzip(body))
        return fail(why, FAIL_COMPRESSED, "gzip");
    if (!json_read(body, mem, &json, why))
        return false;
    bool ok = read_body(body, &json, &reading, why);
    json_free(&json);
    if (!arena_ok(mem))
        return no_memory(why);
    if (ok)
        *out = reading.payload;
    return ok;
}
