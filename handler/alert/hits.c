/* Looks only where contexts keep their hits, and not endlessly deep. */
#include "alert/hits.h"

#include "base/json.h"

enum { MAX_DEPTH = 6 };

static void add_hit(struct text *to, const struct cJSON *document, const struct cJSON **first)
{
    struct view message = json_text(json_at(document, "message"));
    if (*first == NULL)
        *first = document;
    if (view_trim(message).len == 0)
        return;
    (void)text_add_some(to, message);
    (void)text_add_some(to, VIEW("\n"));
}

static void look_into(struct text *to, const struct cJSON *node, int depth,
                      const struct cJSON **first)
{
    static const char *const ways[] = { "hits", "context", "payload", "ctx", "data" };
    if (depth == MAX_DEPTH)
        return;
    if (json_kind(node) == JSON_LIST) {
        for (const struct cJSON *item = json_first(node); item != NULL; item = json_next(item)) {
            const struct cJSON *document = json_at(item, "_source");
            if (json_kind(document) == JSON_OBJECT)
                add_hit(to, document, first);
        }
        return;
    }
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        look_into(to, json_at(node, ways[i]), depth + 1, first);
}

void hits_add_messages(struct text *to, const struct cJSON *node, const struct cJSON **first)
{
    const struct cJSON *found = NULL;
    look_into(to, node, 0, &found);
    if (first != NULL)
        *first = found;
}
