/* Bytes to alerts: parse once, let the first dialect that recognises the body read each of them. */
#include "alert/payload.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/json_fault.h"

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
        return false;
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

static bool read_body(const struct json *json, struct view bytes, struct arena *mem,
                      struct payload *out, struct failure *why)
{
    const struct cJSON *body = json->root;
    if (json_kind(body) != JSON_OBJECT)
        return json_fault_refuse(bytes, 0, "expected an object", why);
    out->is_repaired = json->is_mended;
    out->from = source_of(body);
    const struct cJSON *list = out->from->items == NULL ? NULL : json_at(body, out->from->items);
    size_t count = list == NULL ? 1 : count_items(list);
    out->alerts =
        arena_get_array(mem, count < MAX_ALERTS ? count : MAX_ALERTS, sizeof *out->alerts);
    if (out->alerts == NULL)
        return no_memory(why);
    if (list == NULL)
        return read_alert(body, body, json->repaired, mem, out, why);
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        if (!read_alert(item, body, json->repaired, mem, out, why))
            return false;
    return true;
}

bool payload_read(struct view body, struct arena *mem, struct payload *out, struct failure *why)
{
    struct json json = { 0 };
    struct payload payload = { 0 };
    if (is_gzip(body))
        return fail(why, FAIL_COMPRESSED, "gzip");
    if (!json_read(body, mem, &json, why))
        return false;
    bool ok = read_body(&json, body, mem, &payload, why);
    json_free(&json);
    if (!arena_ok(mem))
        return no_memory(why);
    if (ok)
        *out = payload;
    return ok;
}
