/* Everything a payload says passes through here on its way into a prompt. */
#include "session/quote.h"

#include "alert/alert.h"
#include "base/arena.h"

#include <string.h>

enum { LEAST_FENCE = 3, NEAR_A_LINE_END = 200 };

/* --- characters ------------------------------------------------------------------------------ */

/* The next character, and what stands behind it; a byte that is no UTF-8 counts as invisible. */
struct character {
    uint32_t code;
    struct view bytes;
    bool is_visible; /* a blank counts */
};

static struct character next_character(struct view *rest)
{
    struct character next = { 0 };
    size_t len = utf8_read(*rest, &next.code);
    next.bytes = (struct view){ rest->at, len == 0 ? 1 : len };
    next.is_visible = len > 0 && !utf8_is_invisible(next.code);
    *rest = view_skip(*rest, next.bytes.len);
    return next;
}

static bool is_line_end(uint32_t code)
{
    return code == '\n' || code == '\r' || code == 0x2028 || code == 0x2029;
}

bool quote_has_ink(struct view foreign)
{
    while (foreign.len > 0) {
        struct character next = next_character(&foreign);
        if (next.is_visible && next.code != ' ')
            return true;
    }
    return false;
}

bool quote_has_lines(struct view foreign)
{
    bool has_ink = false;
    bool has_end = false;
    while (foreign.len > 0) {
        struct character next = next_character(&foreign);
        bool is_ink = next.is_visible && next.code != ' ';
        if (is_ink && has_end)
            return true;
        has_ink = has_ink || is_ink;
        has_end = has_end || (has_ink && is_line_end(next.code));
    }
    return false;
}

/* --- one line -------------------------------------------------------------------------------- */

static void add_cut(struct text *to, size_t bytes, const char *end)
{
    text_add_string(to, "[... ");
    text_add_number(to, (long long)bytes);
    text_add_string(to, " bytes left out");
    text_add_string(to, end);
}

void quote_line(struct text *to, struct view foreign, size_t max_bytes)
{
    size_t start = to->len;
    bool owes_blank = false;
    while (foreign.len > 0) {
        struct view rest = foreign;
        struct character next = next_character(&rest);
        bool is_blank = next.code == ' ' || next.code == '\t' || is_line_end(next.code);
        if (is_blank || !next.is_visible) {
            owes_blank = owes_blank || is_blank;
            foreign = rest;
            continue;
        }
        if (to->len - start + next.bytes.len + owes_blank > max_bytes) {
            text_add_char(to, ' ');
            add_cut(to, foreign.len, "]");
            return;
        }
        if (owes_blank && to->len > start)
            text_add_char(to, ' ');
        owes_blank = false;
        text_add(to, next.bytes);
        foreign = rest;
    }
}

static bool is_ascii_mark(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`' && c != '_')
           || (c >= '{' && c <= '~');
}

/* "___" is a rule; in "__private" it is a letter like any other. */
static bool is_rule(struct view line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] != '_' && line.at[i] != ' ')
            return false;
    return true;
}

/* A backslash keeps "# x", "> x" or "1. x" from being a heading, a quotation or a list. */
static void add_lead(struct text *to, struct view foreign, size_t max_bytes, bool may_be_rule)
{
    size_t start = to->len;
    quote_line(to, foreign, max_bytes);
    size_t at = start;
    while (at < to->len && to->bytes[at] >= '0' && to->bytes[at] <= '9')
        at++;
    if (at == to->len
        || (!is_ascii_mark(to->bytes[at])
            && (!may_be_rule || !is_rule(view_skip(text_view(to), start)))))
        return;
    size_t behind = to->len - at;
    text_add_char(to, ' ');
    if (!text_ok(to))
        return;
    memmove(to->bytes + at + 1, to->bytes + at, behind);
    to->bytes[at] = '\\';
}

void quote_lead(struct text *to, struct view foreign, size_t max_bytes)
{
    add_lead(to, foreign, max_bytes, true);
}

void quote_key(struct text *to, struct view foreign)
{
    add_lead(to, view_cap(foreign, MAX_KEY_BYTES), MAX_KEY_BYTES, false);
}

/* --- blocks ---------------------------------------------------------------------------------- */

/* Most text is plain ASCII: it is copied in runs, not by characters. */
static size_t plain_run(struct view text)
{
    size_t len = 0;
    while (len < text.len
           && ((text.at[len] >= ' ' && text.at[len] <= '~') || text.at[len] == '\n'
               || text.at[len] == '\t'))
        len++;
    return len;
}

static struct view clean(struct view foreign, struct text *to)
{
    text_reserve(to, foreign.len);
    while (foreign.len > 0) {
        size_t plain = plain_run(foreign);
        text_add(to, (struct view){ foreign.at, plain });
        foreign = view_skip(foreign, plain);
        if (foreign.len == 0)
            break;
        struct character next = next_character(&foreign);
        if (next.code == '\r' && view_starts(foreign, VIEW("\n")))
            continue;
        if (is_line_end(next.code))
            text_add_char(to, '\n');
        else if (next.is_visible)
            text_add(to, next.bytes);
    }
    return text_view(to);
}

/* Line ends at either end go: they would only be empty lines inside the fence. */
static struct view without_outer_line_ends(struct view text)
{
    while (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    while (text.len > 0 && text.at[0] == '\n')
        text = view_skip(text, 1);
    return text;
}

/* A third of the room for the head; either cut falls on a line end where one is near. */
static void cut(struct view whole, size_t max_bytes, struct view *head, struct view *tail)
{
    *head = view_cap(whole, max_bytes / 3);
    for (size_t i = 0; i < NEAR_A_LINE_END && i < head->len; i++)
        if (head->at[head->len - 1 - i] == '\n') {
            head->len -= i + 1;
            break;
        }
    size_t from = whole.len - (max_bytes - max_bytes / 3);
    while (from < whole.len && ((unsigned char)whole.at[from] & 0xC0) == 0x80)
        from++;
    *tail = view_skip(whole, from);
    for (size_t i = 0; i < NEAR_A_LINE_END && i < tail->len; i++)
        if (tail->at[i] == '\n') {
            *tail = view_skip(*tail, i + 1);
            break;
        }
}

static size_t longest_run(struct view text, char c)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.at[i] == c ? run + 1 : 0;
        if (run > longest)
            longest = run;
    }
    return longest;
}

/* What of a text is shown, and between which fences. */
struct block {
    struct view head, tail;
    size_t left_out;
    size_t fence;
};

static struct block block_of(struct view whole, size_t max_bytes)
{
    struct block block = { .head = whole };
    if (whole.len > max_bytes)
        cut(whole, max_bytes, &block.head, &block.tail);
    block.left_out = whole.len - block.head.len - block.tail.len;
    size_t in_head = longest_run(block.head, '`');
    size_t in_tail = longest_run(block.tail, '`');
    size_t longest = in_head > in_tail ? in_head : in_tail;
    block.fence = longest < LEAST_FENCE ? LEAST_FENCE : longest + 1;
    return block;
}

static void add_fence(struct text *to, size_t length)
{
    text_add_repeated(to, '`', length);
    text_add_char(to, '\n');
}

/* Text of nothing but backticks needs fences as long as itself: then a third must do. */
void quote_block(struct text *to, struct view foreign, size_t max_bytes, struct arena *mem)
{
    struct text cleaned = text_in(mem, foreign.len + 1);
    struct view inside = without_outer_line_ends(clean(foreign, &cleaned));
    struct block block = block_of(inside, max_bytes);
    if (block.head.len + block.tail.len + 2 * block.fence > max_bytes + 2 * LEAST_FENCE)
        block = block_of(inside, max_bytes / 3);
    add_fence(to, block.fence);
    text_add(to, block.head);
    if (block.left_out > 0) {
        text_add_string(to, block.head.len > 0 ? "\n" : "");
        add_cut(to, block.left_out, " ...]\n");
        text_add(to, block.tail);
    }
    text_add_char(to, '\n');
    add_fence(to, block.fence);
    to->broken = to->broken || cleaned.broken;
}
