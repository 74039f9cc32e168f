/* Routes are few and short: they are read afresh for each alert instead of being kept parsed. */
#include "session/playbook.h"

#include "base/json.h"

/* Cuts the first route off `rest`; false when it is not "pattern=id". */
static bool next_route(struct view *rest, struct view *pattern, struct view *id)
{
    struct view route;
    view_cut(*rest, ',', &route, rest);
    bool has_mark = view_cut(route, '=', pattern, id);
    *pattern = view_trim(*pattern);
    *id = view_trim(*id);
    return has_mark && pattern->len > 0 && id->len > 0;
}

struct view playbook_for(const struct playbook_settings *settings, struct view alert_name)
{
    struct view rest = settings->routes;
    while (rest.len > 0) {
        struct view pattern;
        struct view id;
        if (next_route(&rest, &pattern, &id) && view_contains(alert_name, pattern))
            return id;
    }
    return settings->fallback;
}

const char *playbook_routes_problem(struct view routes)
{
    while (routes.len > 0) {
        struct view pattern;
        struct view id;
        if (!next_route(&routes, &pattern, &id))
            return "must be pattern=playbook pairs joined by commas";
    }
    return NULL;
}

bool playbook_is_id(struct view playbook)
{
    return view_starts(playbook, VIEW("playbook"));
}

static bool is_named(const struct cJSON *playbook, struct view name)
{
    return view_equal(view_trim(json_text(json_at(playbook, "title"))), name)
           || view_equal(json_text(json_at(playbook, "macro")), name);
}

void playbook_find(const struct cJSON *first, struct view name, struct arena *mem,
                   struct playbook_known *known)
{
    for (const struct cJSON *playbook = first; playbook != NULL; playbook = json_next(playbook)) {
        struct view id = json_text(json_at(playbook, "playbook_id"));
        if (id.len == 0 || !is_named(playbook, name))
            continue;
        if (known->state == PLAYBOOK_FOUND && !view_equal(known->id, id))
            *known = (struct playbook_known){ .state = PLAYBOOK_TWICE };
        if (known->state != PLAYBOOK_ABSENT)
            continue;
        known->state = PLAYBOOK_FOUND;
        known->id = view_keep(id, mem);
    }
}
