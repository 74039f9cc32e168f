/* Bytes to alert: parse once, let the first dialect that recognises the body read it. */
#include "alert/alert.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left to read the alert");
}

/* The first two bytes of a gzip stream (RFC 1952): the host drops Content-Encoding. */
static bool is_gzip(struct view body)
{
    return view_starts(body, VIEW("\x1F\x8B"));
}

static bool read_object(const struct json *json, struct arena *mem, struct alert *out,
                        struct failure *why)
{
    if (json_kind(json->root) != JSON_OBJECT)
        return fail(why, FAIL_NOT_JSON, "the body is JSON but not an object");
    if (json->repaired > 0
        && !pairs_add(&out->notes, MAX_NOTES, VIEW("body"), VIEW("repaired to valid UTF-8"),
                      MAX_VALUE_BYTES, mem))
        return no_memory(why);
    return source_read(source_of(json->root), json->root, mem, out, why);
}

bool alert_read(struct view body, struct arena *mem, struct alert *out, struct failure *why)
{
    struct json json = { 0 };
    struct alert alert = { 0 };
    if (is_gzip(body))
        return fail(why, FAIL_COMPRESSED, "gzip");
    if (!json_read(body, mem, &json, why))
        return false;
    bool ok = read_object(&json, mem, &alert, why);
    json_free(&json);
    if (!arena_ok(mem))
        return no_memory(why);
    if (ok)
        *out = alert;
    return ok;
}

static void pairs_remove(struct pairs *pairs, struct view key)
{
    size_t kept = 0;
    for (size_t i = 0; i < pairs->count; i++)
        if (!view_equal(pairs->at[i].key, key))
            pairs->at[kept++] = pairs->at[i];
    pairs->count = kept;
}

bool pairs_put(struct pairs *pairs, size_t limit, struct view key, struct view value,
               size_t max_value, struct arena *mem)
{
    pairs_remove(pairs, view_cap(key, MAX_KEY_BYTES));
    return value.len == 0 || pairs_add(pairs, limit, key, value, max_value, mem);
}

bool pairs_add(struct pairs *pairs, size_t limit, struct view key, struct view value,
               size_t max_value, struct arena *mem)
{
    if (pairs->count >= limit) {
        pairs->left_out++;
        return true;
    }
    if (pairs->at == NULL)
        pairs->at = arena_get_array(mem, limit, sizeof *pairs->at);
    if (pairs->at == NULL)
        return false;
    struct pair pair = {
        .key = view_keep(view_cap(key, MAX_KEY_BYTES), mem),
        .value = view_keep(view_cap(value, max_value), mem),
    };
    if (pair.key.at == NULL || pair.value.at == NULL)
        return false;
    pairs->at[pairs->count++] = pair;
    return true;
}

const struct pair *pairs_find(const struct pairs *pairs, struct view key)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (view_equal(pairs->at[i].key, key))
            return &pairs->at[i];
    return NULL;
}
