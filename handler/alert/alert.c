/* Pairs: the only part of an alert that has behaviour of its own. */
#include "alert/alert.h"

#include "base/arena.h"
#include "base/redact.h"

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

/* The name says what a value is, and either may hold a secret. */
bool pairs_redact(const struct pairs *pairs, struct redactor *redactor, struct arena *mem,
                  struct pairs *out)
{
    struct pair *at = arena_get_array(mem, pairs->count, sizeof *at);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < pairs->count; i++)
        at[i] = (struct pair){
            .key = redact(redactor, pairs->at[i].key, mem),
            .value = redact_value(redactor, pairs->at[i].key, pairs->at[i].value, mem),
        };
    *out = (struct pairs){ at, pairs->count, pairs->left_out };
    return arena_ok(mem);
}

bool alert_redact(const struct alert *alert, struct redactor *redactor, struct arena *mem,
                  struct alert *out)
{
    *out = *alert;
    struct view *const first[] = { &out->name,     &out->description, &out->fired_time,
                                   &out->resource, &out->signal_type, &out->source,
                                   &out->alert_id, &out->problem,     &out->file };
    struct pairs *const then[] = { &out->conditions, &out->dimensions, &out->custom, &out->links,
                                   &out->notes };
    for (size_t i = 0; i < COUNT_OF(first); i++)
        *first[i] = redact(redactor, *first[i], mem);
    for (size_t i = 0; i < COUNT_OF(then); i++)
        if (!pairs_redact(then[i], redactor, mem, then[i]))
            return false;
    out->query = redact(redactor, out->query, mem);
    out->logs = redact(redactor, out->logs, mem);
    return arena_ok(mem);
}
