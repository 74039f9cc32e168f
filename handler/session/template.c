/* One walk over the text; open sections are remembered by their nodes' numbers. */
#include "session/template.h"

#include "alert/alert.h"
#include "base/arena.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

struct place {
    size_t at, line, column;
};

struct parser {
    struct view source; /* without carriage returns */
    size_t at;
    struct place last; /* asked for: the next one is mostly a little further on */
    struct template_node *nodes;
    size_t count;
    size_t open[MAX_TEMPLATE_DEPTH];
    size_t depth;
    struct template_fault *fault;
};

/* A tag between its braces: the mark that says what it is, and its name. */
struct tag {
    char mark; /* 0: a variable */
    struct view name;
    size_t start, end; /* with its braces */
};

/* --- faults ----------------------------------------------------------------------------------- */

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static struct place find_place(struct parser *parser, size_t at)
{
    struct view source = parser->source;
    struct place place = parser->last;
    if (place.line == 0 || place.at > at)
        place = (struct place){ .line = 1, .column = 1 };
    for (; place.at < at && place.at < source.len; place.at++)
        if (source.at[place.at] == '\n') {
            place.line++;
            place.column = 1;
        } else if (place.at + 1 == source.len || !is_inside_character(source.at[place.at + 1])) {
            place.column++;
        }
    parser->last = place;
    return place;
}

static bool fault_at(struct parser *parser, size_t at, const char *what)
{
    parser->fault->what = what;
    struct place place = find_place(parser, at);
    parser->fault->line = place.line;
    parser->fault->column = place.column;
    return false;
}

/* --- text that a template must not hold ------------------------------------------------------- */

static bool check_characters(struct parser *parser)
{
    for (size_t at = 0; at < parser->source.len;) {
        struct view rest = view_skip(parser->source, at);
        uint32_t code = 0;
        size_t len = utf8_read(rest, &code);
        if (len == 0)
            return fault_at(parser, at, "is no UTF-8");
        if (utf8_is_invisible(code) && code != '\n' && code != '\t')
            return fault_at(parser, at, "holds a character that nobody sees");
        at += len;
    }
    return true;
}

/* All that Markdown ends not at an empty line but at a mark of its own. */
static bool opens_raw_text(struct view text)
{
    static const char *const openers[] = { "<!", "<?", "<pre", "<script", "<style", "<textarea" };
    for (size_t i = 0; i < COUNT_OF(openers); i++)
        if (view_starts_fold(text, view_of(openers[i])))
            return true;
    return false;
}

/* Tags are looked through: what stands in their place may be nothing. */
static bool check_text(struct parser *parser)
{
    size_t run = 0;
    char last = 0;
    for (size_t i = 0; i < parser->count; i++) {
        const struct template_node *node = &parser->nodes[i];
        if (node->kind != TEMPLATE_TEXT)
            continue;
        for (size_t at = 0; at < node->text.len; at++) {
            char c = node->text.at[at];
            size_t where = (size_t)(node->text.at + at - parser->source.at);
            run = (c == '`' || c == '~') ? (c == last ? run + 1 : 1) : 0;
            last = c;
            if (run == 3)
                return fault_at(parser, where - (at < 2 ? 0 : 2),
                                "has a fence: fields bring fences of their own");
            if (opens_raw_text(view_skip(node->text, at)))
                return fault_at(parser, where, "opens raw HTML");
        }
    }
    return true;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static bool add_node(struct parser *parser, enum template_kind kind, struct view text, size_t at)
{
    if (parser->count == MAX_TEMPLATE_NODES)
        return fault_at(parser, at, "has too many tags");
    struct template_node *node = &parser->nodes[parser->count++];
    struct place place = find_place(parser, at);
    *node = (struct template_node){
        .kind = kind,
        .text = text,
        .end = parser->count,
        .line = place.line,
        .column = place.column,
    };
    return true;
}

static bool add_text(struct parser *parser, size_t from, size_t to)
{
    struct view text = { parser->source.at + from, to - from };
    return text.len == 0 || add_node(parser, TEMPLATE_TEXT, text, from);
}

static bool open_section(struct parser *parser, const struct tag *tag)
{
    enum template_kind kind = tag->mark == '#' ? TEMPLATE_SECTION : TEMPLATE_INVERTED;
    if (parser->depth == MAX_TEMPLATE_DEPTH)
        return fault_at(parser, tag->start, "has sections too deep in each other");
    parser->open[parser->depth++] = parser->count;
    return add_node(parser, kind, tag->name, tag->start);
}

static bool close_section(struct parser *parser, const struct tag *tag)
{
    if (parser->depth == 0)
        return fault_at(parser, tag->start, "closes a section that is not open");
    struct template_node *node = &parser->nodes[parser->open[parser->depth - 1]];
    if (!view_equal(node->text, tag->name))
        return fault_at(parser, tag->start, "closes another section than the last one opened");
    node->end = parser->count;
    parser->depth--;
    return true;
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool find_mark(struct view source, size_t from, const char *mark, size_t *at)
{
    struct view wanted = view_of(mark);
    for (*at = from; *at + wanted.len <= source.len; ++*at)
        if (memcmp(source.at + *at, wanted.at, wanted.len) == 0)
            return true;
    return false;
}

static bool check_name(struct parser *parser, const struct tag *tag)
{
    if (tag->name.len == 0)
        return fault_at(parser, tag->start, "has a tag without a name");
    if (tag->name.len > MAX_KEY_BYTES)
        return fault_at(parser, tag->start, "has too long a name");
    for (size_t i = 0; i < tag->name.len; i++)
        if (strchr("{}\n\t", tag->name.at[i]) != NULL)
            return fault_at(parser, tag->start, "has a name with a brace, tab or line end");
    return true;
}

/* The tag whose braces open at `start`. */
static bool read_tag(struct parser *parser, size_t start, struct tag *out)
{
    size_t inside = start + 2;
    char mark = inside < parser->source.len ? parser->source.at[inside] : 0;
    bool has_three = mark == '{';
    size_t close;
    *out = (struct tag){ .start = start };
    if (mark != 0 && strchr("#^/!&{", mark) != NULL)
        inside++;
    else if (mark != 0 && strchr("><=$", mark) != NULL)
        return fault_at(parser, start, "has a kind of tag that is not known here");
    else
        mark = 0;
    if (!find_mark(parser->source, inside, has_three ? "}}}" : "}}", &close))
        return fault_at(parser, start, "has a tag without its end");
    out->mark = mark == '&' || mark == '{' ? 0 : mark;
    out->name = view_trim((struct view){ parser->source.at + inside, close - inside });
    out->end = close + (has_three ? 3 : 2);
    return mark == '!' || check_name(parser, out);
}

/* A tag that shows nothing, alone on its line, takes the line with it. */
static void take_line(struct view source, const struct tag *tag, size_t *from, size_t *to)
{
    *from = tag->start;
    *to = tag->end;
    if (tag->mark == 0)
        return;
    size_t start = tag->start;
    size_t end = tag->end;
    while (start > 0 && (source.at[start - 1] == ' ' || source.at[start - 1] == '\t'))
        start--;
    while (end < source.len && (source.at[end] == ' ' || source.at[end] == '\t'))
        end++;
    if ((start > 0 && source.at[start - 1] != '\n') || (end < source.len && source.at[end] != '\n'))
        return;
    *from = start;
    *to = end < source.len ? end + 1 : end;
}

static bool add_tag(struct parser *parser, const struct tag *tag)
{
    switch (tag->mark) {
    case '#':
    case '^':
        return open_section(parser, tag);
    case '/':
        return close_section(parser, tag);
    case '!':
        return true;
    default:
        return add_node(parser, TEMPLATE_VALUE, tag->name, tag->start);
    }
}

static bool fault_unclosed(struct parser *parser)
{
    const struct template_node *node = &parser->nodes[parser->open[parser->depth - 1]];
    *parser->fault = (struct template_fault){ .what = "never closes this section",
                                              .line = node->line,
                                              .column = node->column };
    return false;
}

static bool read_all(struct parser *parser)
{
    size_t start;
    while (find_mark(parser->source, parser->at, "{{", &start)) {
        struct tag tag;
        size_t from;
        size_t to;
        if (!read_tag(parser, start, &tag))
            return false;
        take_line(parser->source, &tag, &from, &to);
        if (!add_text(parser, parser->at, from) || !add_tag(parser, &tag))
            return false;
        parser->at = to;
    }
    if (parser->depth > 0)
        return fault_unclosed(parser);
    return add_text(parser, parser->at, parser->source.len);
}

/* Editors leave a byte order mark and carriage returns: neither is meant for the prompt. */
static struct view without_returns(struct view source, struct text *to)
{
    if (view_starts(source, VIEW(BYTE_ORDER_MARK)))
        source = view_skip(source, sizeof BYTE_ORDER_MARK - 1);
    for (size_t i = 0; i < source.len; i++)
        if (source.at[i] != '\r' || i + 1 == source.len || source.at[i + 1] != '\n')
            text_add(to, (struct view){ source.at + i, 1 });
    return text_view(to);
}

bool template_parse(struct view source, struct arena *mem, struct template *out,
                    struct template_fault *fault)
{
    struct text text = text_in(mem, MAX_TEMPLATE_BYTES + 1);
    struct parser parser = { .fault = fault };
    *fault = (struct template_fault){ .what = "is too large", .line = 1, .column = 1 };
    if (source.len > MAX_TEMPLATE_BYTES)
        return false;
    text_reserve(&text, source.len);
    parser.source = without_returns(source, &text);
    parser.nodes = arena_get_array(mem, MAX_TEMPLATE_NODES, sizeof *parser.nodes);
    if (parser.nodes == NULL || !text_ok(&text))
        return fault_at(&parser, 0, "finds no memory");
    if (!check_characters(&parser) || !read_all(&parser) || !check_text(&parser))
        return false;
    *out = (struct template){ .nodes = parser.nodes, .count = parser.count };
    return parser.count > 0 || fault_at(&parser, 0, "is empty");
}
