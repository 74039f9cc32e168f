/*
 * Templates: the part of Mustache that a prompt needs, read once into a row of nodes.  Variables,
 * sections, inverted sections, lists, comments, and the rule that a line of nothing but such a tag
 * vanishes; no lambdas, partials, other delimiters or HTML escaping.
 *
 * Owns:     nothing; nodes and their text live in the arena.
 * Units:    lines and columns count from 1, a column is a character.
 * Fails:    with a fault that says where; its words are literals.
 * Threads:  any; a template that is read never changes.
 *
 * A template has no fences and no raw HTML that runs over lines: what a field brings could close
 * them.  Fields bring fences of their own.
 */
#ifndef SESSION_TEMPLATE_H
#define SESSION_TEMPLATE_H

#include "base/failure.h"
#include "base/text.h"

struct arena;

enum { MAX_TEMPLATE_BYTES = 32 * 1024, MAX_TEMPLATE_NODES = 1024, MAX_TEMPLATE_DEPTH = 16 };

enum template_kind { TEMPLATE_TEXT, TEMPLATE_VALUE, TEMPLATE_SECTION, TEMPLATE_INVERTED };

/* What stands between a section's tags are the nodes behind it, up to `end`. */
struct template_node {
    enum template_kind kind;
    struct view text; /* as it is written, or a name */
    size_t end;       /* the node behind this one and all within it */
    size_t line, column;
};

struct template
{
    const struct template_node *nodes;
    size_t count;
};

struct template_fault {
    const char *what;
    size_t line, column;
};

/* The one that is used where no other is named: prompt.mustache, compiled in. */
extern const struct view template_builtin;

bool template_parse(struct view source, struct arena *mem, struct template *out,
                    struct template_fault *fault) MUST_CHECK;

#endif
