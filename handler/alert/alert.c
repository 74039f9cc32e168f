/* Pairs: the only part of an alert that has behaviour of its own. */
#include "alert/alert.h"

#include "base/arena.h"

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
