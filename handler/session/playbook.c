/* Routes are few and short: they are read afresh for each alert instead of being kept parsed. */
#include "session/playbook.h"

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
