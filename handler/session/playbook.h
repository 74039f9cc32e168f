/*
 * Which playbook a session follows: the first route whose pattern is part of the alert's name, else
 * the default.  What is no id is a name, and is looked for in Devin's list by title or macro.
 *
 * Owns:     nothing; the answer is a part of the settings, or lives in the arena.
 * Units:    routes are "pattern=id,pattern=id"; blanks around either are ignored.
 * Fails:    a malformed route is a complaint at start (playbook_routes_problem) and is passed over.
 * Threads:  any.
 */
#ifndef SESSION_PLAYBOOK_H
#define SESSION_PLAYBOOK_H

#include "base/text.h"

struct arena;
struct cJSON;

struct playbook_settings {
    struct view routes;
    struct view fallback;
};

/* Letters compare with case, as the documented JavaScript `includes` does. */
struct view playbook_for(const struct playbook_settings *settings, struct view alert_name);

/* NULL when the routes can be read, else what they must be. */
const char *playbook_routes_problem(struct view routes);

/* Ids begin with "playbook", as "playbook-<32 hex>" and the documented "playbook_auth_123" do. */
bool playbook_is_id(struct view playbook);

enum playbook_state {
    PLAYBOOK_UNKNOWN, /* nobody has asked yet */
    PLAYBOOK_FOUND,
    PLAYBOOK_ABSENT,    /* the list does not have it */
    PLAYBOOK_TWICE,     /* two have that name: neither is taken */
    PLAYBOOK_UNREADABLE /* the list cannot be read */
};

struct playbook_known {
    enum playbook_state state;
    struct view id; /* when found */
};

/*
 * Looks through one page of the list; `known` says what the pages before have shown (first:
 * PLAYBOOK_ABSENT).
 */
void playbook_find(const struct cJSON *first, struct view name, struct arena *mem,
                   struct playbook_known *known);

#endif
