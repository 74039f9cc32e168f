/*
 * What a JSON body must look like, as a table, and FastAPI's complaints about one that does not:
 * {"loc":["body","tags",0],"msg":"Input should be a valid string","type":"string_type"}.
 *
 * Owns:     nothing.
 * Units:    a limit is a number's value, a text's bytes or a list's items.
 * Fails:    never.
 * Threads:  any; there is no shared state.
 */
#ifndef SUPPORT_SHAPE_H
#define SUPPORT_SHAPE_H

#include "base/json.h"

/* A value.  A number is whole.  Members that are not listed may be there unless `is_closed`. */
struct shape {
    enum json_kind kind;
    bool is_required, is_nullable, is_closed;
    long long min, max;         /* 0: no limit */
    const char *const *words;   /* of a text: all it may be, ending in NULL; NULL: any */
    const struct shape *item;   /* of a list; NULL: any */
    const struct member *inner; /* of an object; NULL: any */
};

/* The last row has no name. */
struct member {
    const char *name;
    struct shape shape;
};

/* Adds an object for each complaint to the open list and gives their number. */
size_t shape_check(const struct shape *shape, const struct cJSON *body, struct json_writer *list);

/* One complaint about a place that no shape describes: `in` "query", `name` "limit". */
void shape_complain(const char *in, const char *name, const char *type, const char *sentence,
                    struct json_writer *list);

/* The complaint about a body that is not JSON. */
void shape_complain_not_json(struct json_writer *list);

#endif
