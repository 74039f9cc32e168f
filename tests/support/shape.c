/* Checks go on after the first complaint: FastAPI's answer names all that is wrong. */
#include "support/shape.h"

/* Where a value stands; an item of a list has an index instead of a name. */
struct place {
    const struct place *in;
    const char *name;
    long long index;
};

static void put_place(struct json_writer *writer, const struct place *place)
{
    if (place->in != NULL)
        put_place(writer, place->in);
    if (place->name != NULL)
        json_put_text(writer, NULL, view_of(place->name));
    else
        json_put_number(writer, NULL, place->index);
}

static size_t complain_of(const struct place *place, const char *type, const char *sentence,
                          struct json_writer *list)
{
    json_open(list, NULL, '{');
    json_open(list, "loc", '[');
    put_place(list, place);
    json_close(list, ']');
    json_put_text(list, "msg", view_of(sentence));
    json_put_text(list, "type", view_of(type));
    json_close(list, '}');
    return 1;
}

static size_t complain_of_kind(const struct place *place, enum json_kind wanted,
                               struct json_writer *list)
{
    static const char *const words[][2] = {
        [JSON_BOOL] = { "bool_type", "Input should be a valid boolean" },
        [JSON_NUMBER] = { "int_type", "Input should be a valid integer" },
        [JSON_TEXT] = { "string_type", "Input should be a valid string" },
        [JSON_LIST] = { "list_type", "Input should be a valid list" },
        [JSON_OBJECT] = { "dict_type", "Input should be a valid dictionary" },
    };
    return complain_of(place, words[wanted][0], words[wanted][1], list);
}

static bool is_whole(double number)
{
    long long whole = number > -1e15 && number < 1e15 ? (long long)number : 0;
    return (double)whole >= number && (double)whole <= number;
}

static long long size_of(const struct cJSON *node)
{
    long long items = 0;
    if (json_kind(node) == JSON_NUMBER)
        return (long long)json_number(node);
    if (json_kind(node) == JSON_TEXT)
        return (long long)json_text(node).len;
    for (const struct cJSON *item = json_first(node); item != NULL; item = json_next(item))
        items++;
    return items;
}

static size_t check(const struct shape *shape, const struct place *place, const struct cJSON *node,
                    struct json_writer *list);

static size_t check_items(const struct shape *shape, const struct place *place,
                          const struct cJSON *node, struct json_writer *list)
{
    struct place at = { .in = place };
    size_t count = 0;
    for (const struct cJSON *item = json_first(node); item != NULL; item = json_next(item)) {
        count += check(shape->item, &at, item, list);
        at.index++;
    }
    return count;
}

static bool is_word(const char *const *words, struct view text)
{
    while (*words != NULL && !view_equal(view_of(*words), text))
        words++;
    return *words != NULL;
}

static bool is_listed(const struct member *member, struct view name)
{
    while (member->name != NULL && !view_equal(view_of(member->name), name))
        member++;
    return member->name != NULL;
}

static size_t check_members(const struct shape *shape, const struct place *place,
                            const struct cJSON *node, struct json_writer *list)
{
    struct place at = { .in = place };
    size_t count = 0;
    for (const struct member *member = shape->inner; member->name != NULL; member++) {
        at.name = member->name;
        count += check(&member->shape, &at, json_member(node, view_of(at.name)), list);
    }
    for (const struct cJSON *there = json_first(node); there != NULL; there = json_next(there)) {
        at.name = json_key(there).at;
        if (shape->is_closed && !is_listed(shape->inner, json_key(there)))
            count += complain_of(&at, "extra_forbidden", "Extra inputs are not permitted", list);
    }
    return count;
}

static size_t check(const struct shape *shape, const struct place *place, const struct cJSON *node,
                    struct json_writer *list)
{
    enum json_kind kind = json_kind(node);
    if (kind == JSON_ABSENT)
        return shape->is_required ? complain_of(place, "missing", "Field required", list) : 0;
    if (kind == JSON_NULL && shape->is_nullable)
        return 0;
    if (kind != shape->kind || !is_whole(json_number(node)))
        return complain_of_kind(place, shape->kind, list);
    if (shape->min != 0 && size_of(node) < shape->min)
        return complain_of(place, "too_small", "Input is too small", list);
    if (shape->max != 0 && size_of(node) > shape->max)
        return complain_of(place, "too_large", "Input is too large", list);
    if (shape->words != NULL && !is_word(shape->words, json_text(node)))
        return complain_of(place, "enum", "Input should be one of the known words", list);
    if (shape->item != NULL)
        return check_items(shape, place, node, list);
    return shape->inner != NULL ? check_members(shape, place, node, list) : 0;
}

size_t shape_check(const struct shape *shape, const struct cJSON *body, struct json_writer *list)
{
    return check(shape, &(struct place){ .name = "body" }, body, list);
}

void shape_complain(const char *in, const char *name, const char *type, const char *sentence,
                    struct json_writer *list)
{
    struct place whole = { .name = in };
    complain_of(&(struct place){ .in = &whole, .name = name }, type, sentence, list);
}

void shape_complain_not_json(struct json_writer *list)
{
    struct place body = { .name = "body" };
    complain_of(&(struct place){ .in = &body }, "json_invalid", "JSON decode error", list);
}
