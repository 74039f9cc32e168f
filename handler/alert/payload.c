/* Bytes to alerts: parse once, let the first dialect that recognises the body read each of them. */
#include "alert/payload.h"

#include "alert/hint.h"
#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left to read the payload");
}

/* The first two bytes of a gzip stream (RFC 1952): the host drops Content-Encoding. */
static bool is_gzip(struct view body)
{
    return view_starts(body, VIEW("\x1F\x8B"));
}

static bool read_alert(const struct cJSON *item, const struct cJSON *body, size_t repaired,
                       struct arena *mem, struct payload *out, struct failure *why)
{
    if (out->count == MAX_ALERTS) {
        out->left_out++;
        return true;
    }
    struct alert *alert = &out->alerts[out->count];
    *alert = (struct alert){ 0 };
    if (repaired > 0
        && !pairs_add(&alert->notes, MAX_NOTES, VIEW("body"), VIEW("repaired to valid UTF-8"),
                      MAX_VALUE_BYTES, mem))
        return no_memory(why);
    if (!source_read(out->from, item, body, mem, alert, why))
        return failure_row(why->kind)->status == 400 ? fail_hint(why, hint_of(body)) : false;
    out->count++;
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
static bool read_items(const struct cJSON *list, const struct cJSON *body, size_t repaired,
                       struct arena *mem, struct payload *out, struct failure *why)
{
    struct failure first = { 0 };
    struct failure last = { 0 };
    size_t refused = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        if (json_kind(item) != JSON_OBJECT || read_alert(item, body, repaired, mem, out, &last))
            continue;
        if (refused++ == 0)
            first = last;
        if (failure_row(last.kind)->status != 400) {
            *why = last;
            return false;
        }
    }
    if (refused > 0 && out->count == 0) {
        *why = first;
        return false;
    }
    if (!tell_left_out(out, mem))
        return no_memory(why);
    return refused == 0
           || source_note(&out->alerts[0], first.field, "missing in another alert: not read", mem)
           || no_memory(why);
}

static bool read_body(const struct json *json, struct arena *mem, struct payload *out,
                      struct failure *why)
{
    const struct cJSON *body = json->root;
    if (json_kind(body) != JSON_OBJECT)
        return fail(why, FAIL_NOT_JSON, "the body is JSON but not an object");
    out->from = source_of(body);
    const struct cJSON *items = out->from->items == NULL ? NULL : json_at(body, out->from->items);
    size_t count = json_kind(items) == JSON_LIST ? count_items(items) : 1;
    out->alerts =
        arena_get_array(mem, count < MAX_ALERTS ? count : MAX_ALERTS, sizeof *out->alerts);
    if (out->alerts == NULL)
        return no_memory(why);
    switch (json_kind(items)) {
    case JSON_LIST:
        return read_items(items, body, json->repaired, mem, out, why);
    case JSON_NULL: /* how Go writes an empty list */
        return true;
    case JSON_OBJECT:
        return read_alert(items, body, json->repaired, mem, out, why);
    default:
        return read_alert(body, body, json->repaired, mem, out, why);
    }
}

bool payload_read(struct view body, struct arena *mem, struct payload *out, struct failure *why)
{
    struct json json = { 0 };
    struct payload payload = { 0 };
    if (is_gzip(body))
        return fail(why, FAIL_COMPRESSED, "gzip");
    if (!json_read(body, mem, &json, why))
        return false;
    bool ok = read_body(&json, mem, &payload, why);
    json_free(&json);
    if (!arena_ok(mem))
        return no_memory(why);
    if (ok)
        *out = payload;
    return ok;
}
