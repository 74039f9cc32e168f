/*
 * No XML parser: the service escapes its texts, so an element ends at the next tag of its name.
 * Attributes, order, white space, a byte order mark and elements we do not know change nothing.
 */
#include "edge/queue_answer.h"

#include "base/arena.h"
#include "base/digest.h"

enum { MAX_ID_BYTES = 64, MAX_POP_BYTES = 1024, MAX_TEXT_BYTES = 128 * 1024 };

/* --- elements --------------------------------------------------------------------------------- */

static bool is_end_of_name(char c)
{
    return c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves `*rest` to behind "<NAME" or "</NAME"; `*before` is what stood in front of it. */
static bool find_tag(struct view *rest, const char *mark, struct view name, struct view *before)
{
    struct view all = *rest;
    struct view left = all;
    struct view skipped;
    while (view_cut(left, '<', &skipped, &left)) {
        size_t at = (size_t)(left.at - all.at) - 1;
        if (!view_starts(left, view_of(mark)))
            continue;
        struct view tag = view_skip(left, view_of(mark).len);
        if (!view_starts(tag, name) || tag.len == name.len || !is_end_of_name(tag.at[name.len]))
            continue;
        *before = (struct view){ all.at, at };
        *rest = view_skip(tag, name.len);
        return true;
    }
    return false;
}

/* The inside of the next element of that name; `*rest` is what follows it. */
static bool next_element(struct view *rest, struct view name, struct view *inside)
{
    struct view before;
    struct view attributes;
    struct view left = *rest;
    if (!find_tag(&left, "", name, &before) || !view_cut(left, '>', &attributes, &left))
        return false;
    if (attributes.len > 0 && attributes.at[attributes.len - 1] == '/') {
        *inside = (struct view){ 0 };
        *rest = left;
        return true;
    }
    if (!find_tag(&left, "/", name, inside))
        return false;
    *rest = left;
    return true;
}

static struct view element_of(struct view xml, struct view name)
{
    struct view inside = { 0 };
    return next_element(&xml, name, &inside) ? view_trim(inside) : (struct view){ 0 };
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The character that a reference stands for, 0 when it is none of those the service writes. */
static char referred(struct view name)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {
        { "lt", '<' },    { "gt", '>' },   { "amp", '&' },  { "quot", '"' },
        { "apos", '\'' }, { "#xD", '\r' }, { "#xA", '\n' }, { "#x9", '\t' },
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (view_equal(name, view_of(names[i].name)))
            return names[i].c;
    return '\0';
}

static struct view unescape(struct view text, struct arena *mem)
{
    enum { LONGEST_REFERENCE = 4 };
    struct text out = text_in(mem, MAX_TEXT_BYTES);
    struct view plain;
    struct view name;
    struct view behind;
    while (view_cut(text, '&', &plain, &text)) {
        text_add(&out, plain);
        bool is_closed = view_cut(view_cap(text, LONGEST_REFERENCE + 1), ';', &name, &behind);
        char c = is_closed ? referred(name) : '\0';
        text_add_char(&out, c == '\0' ? '&' : c);
        text = c == '\0' ? text : view_skip(text, name.len + 1);
    }
    text_add(&out, plain);
    return text_ok(&out) ? text_view(&out) : (struct view){ 0 };
}

static struct view text_of(struct view element, struct arena *mem)
{
    struct view decoded;
    if (base64_decode(element, mem, &decoded))
        return decoded;
    struct view text = unescape(element, mem);
    return base64_decode(view_trim(text), mem, &decoded) ? decoded : text;
}

bool queue_is_id(struct view id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')
            && c != '-')
            return false;
    }
    return id.len > 0 && id.len <= MAX_ID_BYTES;
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool read_message(struct view xml, struct arena *mem, struct queue_message *out)
{
    struct view pop = unescape(element_of(xml, VIEW("PopReceipt")), mem);
    *out = (struct queue_message){
        .id = element_of(xml, VIEW("MessageId")),
        .pop = pop.len <= MAX_POP_BYTES ? pop : (struct view){ 0 },
        .text = text_of(element_of(xml, VIEW("MessageText")), mem),
        .inserted = element_of(xml, VIEW("InsertionTime")),
        .visible = element_of(xml, VIEW("TimeNextVisible")),
    };
    (void)view_to_number(element_of(xml, VIEW("DequeueCount")), 0, 1000000000, &out->dequeue_count);
    return queue_is_id(out->id);
}

bool queue_answer_read(struct view xml, struct arena *mem, struct queue_messages *out)
{
    struct view list;
    struct view message;
    out->count = 0;
    if (!next_element(&xml, VIEW("QueueMessagesList"), &list))
        return false;
    while (out->count < MAX_MESSAGES && next_element(&list, VIEW("QueueMessage"), &message))
        out->count += read_message(message, mem, &out->items[out->count]);
    return arena_ok(mem);
}

struct view queue_answer_code(struct view xml)
{
    return element_of(element_of(xml, VIEW("Error")), VIEW("Code"));
}
