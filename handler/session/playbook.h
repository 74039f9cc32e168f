/*
 * Which playbook a session follows: the first route whose pattern is part of the alert's name, else
 * the default.
 *
 * Owns:     nothing; the answer is a part of the settings.
 * Units:    routes are "pattern=id,pattern=id"; blanks around either are ignored.
 * Fails:    a malformed route is a complaint at start (playbook_routes_problem) and is passed over.
 * Threads:  any.
 */
#ifndef SESSION_PLAYBOOK_H
#define SESSION_PLAYBOOK_H

#include "base/text.h"

struct playbook_settings {
    struct view routes;
    struct view fallback;
};

/* Letters compare with case, as the documented JavaScript `includes` does. */
struct view playbook_for(const struct playbook_settings *settings, struct view alert_name);

/* NULL when the routes can be read, else what they must be. */
const char *playbook_routes_problem(struct view routes);

#endif
