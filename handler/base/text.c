/*
 * Views never allocate; texts grow by doubling inside their ceiling.  Nothing here formats with
 * printf directives, so no foreign text can become one.
 */
#include "base/text.h"

#include "base/arena.h"

#include <limits.h>
#include <string.h>

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct view view_of(const char *string)
{
    return string == NULL ? ((struct view){ 0 }) : (struct view){ string, strlen(string) };
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool view_equal_fold(struct view a, struct view b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.at[i]) != fold(b.at[i]))
            return false;
    return true;
}

int view_order_fold(struct view a, struct view b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        unsigned char left = (unsigned char)fold(a.at[i]);
        unsigned char right = (unsigned char)fold(b.at[i]);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool view_starts(struct view whole, struct view start)
{
    return whole.len >= start.len && view_equal((struct view){ whole.at, start.len }, start);
}

bool view_starts_fold(struct view whole, struct view start)
{
    return whole.len >= start.len && view_equal_fold((struct view){ whole.at, start.len }, start);
}

bool view_contains(struct view whole, struct view part)
{
    for (; whole.len >= part.len; whole = view_skip(whole, 1)) {
        if (view_starts(whole, part))
            return true;
        if (whole.len == 0)
            return false;
    }
    return false;
}

struct view view_skip(struct view whole, size_t count)
{
    if (count > whole.len)
        count = whole.len;
    return count == 0 ? whole : (struct view){ whole.at + count, whole.len - count };
}

struct view view_trim(struct view whole)
{
    while (whole.len > 0 && is_blank(whole.at[0]))
        whole = view_skip(whole, 1);
    while (whole.len > 0 && is_blank(whole.at[whole.len - 1]))
        whole.len--;
    return whole;
}

bool view_cut(struct view whole, char mark, struct view *head, struct view *tail)
{
    const char *found = whole.len == 0 ? NULL : memchr(whole.at, mark, whole.len);
    size_t before = found == NULL ? whole.len : (size_t)(found - whole.at);
    *tail = found == NULL ? ((struct view){ 0 }) : view_skip(whole, before + 1);
    *head = (struct view){ whole.at, before };
    return found != NULL;
}

struct view view_cap(struct view whole, size_t max_bytes)
{
    if (whole.len <= max_bytes)
        return whole;
    size_t len = max_bytes;
    while (len > 0 && ((unsigned char)whole.at[len] & 0xC0) == 0x80)
        len--;
    return (struct view){ whole.at, len };
}

bool view_to_number(struct view whole, long long min, long long max, long long *out)
{
    bool negative = view_starts(whole, VIEW("-"));
    if (negative)
        whole = view_skip(whole, 1);
    if (whole.len == 0)
        return false;
    long long value = 0; /* kept negative: that side reaches one further */
    for (size_t i = 0; i < whole.len; i++) {
        int digit = whole.at[i] - '0';
        if (digit < 0 || digit > 9 || value < (LLONG_MIN + digit) / 10)
            return false;
        value = value * 10 - digit;
    }
    if (!negative && value == LLONG_MIN)
        return false;
    value = negative ? value : -value;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

struct view view_keep(struct view whole, struct arena *mem)
{
    char *copy = arena_get(mem, whole.len + 1);
    if (copy == NULL)
        return (struct view){ 0 };
    if (whole.len > 0)
        memcpy(copy, whole.at, whole.len);
    return (struct view){ copy, whole.len };
}

struct text text_in(struct arena *mem, size_t ceiling)
{
    const size_t largest = SIZE_MAX / 4; /* so that counting a NUL or doubling cannot wrap */
    return (struct text){ .mem = mem, .ceiling = ceiling < largest ? ceiling : largest };
}

struct text text_over(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){ .bytes = buffer, .room = size, .ceiling = size - 1 };
}

static bool grow_to(struct text *text, size_t room)
{
    char *bytes = arena_grow(text->mem, text->bytes, text->room, room);
    if (bytes == NULL)
        return false;
    text->bytes = bytes;
    text->room = room;
    return true;
}

static bool make_room(struct text *text, size_t more)
{
    size_t wanted = text->len + more + 1;
    if (wanted <= text->room)
        return true;
    if (text->mem == NULL)
        return false;
    size_t room = text->room < 64 ? 128 : text->room * 2;
    if (room < wanted)
        room = wanted;
    if (room > text->ceiling + 1)
        room = text->ceiling + 1;
    return grow_to(text, room);
}

void text_reserve(struct text *text, size_t more)
{
    size_t room = text->ceiling - text->len < more ? text->ceiling + 1 : text->len + more + 1;
    if (!text->broken && text->mem != NULL && room > text->room)
        (void)grow_to(text, room);
}

void text_add(struct text *text, struct view piece)
{
    if (text->broken || piece.len == 0)
        return;
    if (piece.len > text->ceiling - text->len || !make_room(text, piece.len)) {
        text->broken = true;
        return;
    }
    memcpy(text->bytes + text->len, piece.at, piece.len);
    text->len += piece.len;
    text->bytes[text->len] = '\0';
}

bool text_add_some(struct text *text, struct view piece)
{
    struct view part = view_cap(piece, text->ceiling - text->len);
    text_add(text, part);
    return part.len == piece.len;
}

void text_add_folded(struct text *text, struct view piece)
{
    size_t start = text->len;
    text_add(text, piece);
    for (size_t i = start; i < text->len; i++)
        text->bytes[i] = fold(text->bytes[i]);
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, view_of(string));
}

void text_add_char(struct text *text, char c)
{
    text_add(text, (struct view){ &c, 1 });
}

void text_add_number(struct text *text, long long number)
{
    char digits[24];
    size_t at = sizeof digits;
    unsigned long long rest =
        number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    text_add(text, (struct view){ digits + at, sizeof digits - at });
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-'
           || c == '.' || c == '_' || c == '~';
}

void text_add_escaped(struct text *text, struct view piece)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.at[i];
        if (is_unreserved(piece.at[i])) {
            text_add_char(text, piece.at[i]);
            continue;
        }
        text_add_char(text, '%');
        text_add_char(text, digits[c >> 4]);
        text_add_char(text, digits[c & 15]);
    }
}

void text_add_repeated(struct text *text, char c, size_t count)
{
    while (count-- > 0)
        text_add_char(text, c);
}

bool text_ok(const struct text *text)
{
    return !text->broken;
}

struct view text_view(const struct text *text)
{
    return (struct view){ text->bytes == NULL ? "" : text->bytes, text->len };
}

/* The lead byte fixes length and smallest code point: what could be written shorter is refused. */
size_t utf8_read(struct view bytes, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {
        { 0x80, 0x00, 0 }, { 0xE0, 0xC0, 0x80 }, { 0xF0, 0xE0, 0x800 }, { 0xF8, 0xF0, 0x10000 }
    };

    if (bytes.len == 0)
        return 0;
    unsigned char lead = (unsigned char)bytes.at[0];
    for (size_t extra = 0; extra < COUNT_OF(forms); extra++) {
        if ((lead & forms[extra].mask) != forms[extra].lead)
            continue;
        if (bytes.len <= extra)
            return 0;
        uint32_t value = lead & (unsigned char)~forms[extra].mask;
        for (size_t i = 1; i <= extra; i++) {
            unsigned char next = (unsigned char)bytes.at[i];
            if ((next & 0xC0) != 0x80)
                return 0;
            value = value << 6 | (next & 0x3F);
        }
        if (value < forms[extra].least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
            return 0;
        *code = value;
        return extra + 1;
    }
    return 0;
}

bool utf8_is_invisible(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        /* ascending */
        { 0x00, 0x1F },       { 0x7F, 0x9F },     { 0xAD, 0xAD },     { 0x34F, 0x34F },
        { 0x61C, 0x61C },     { 0x115F, 0x1160 }, { 0x180B, 0x180F }, { 0x200B, 0x200F },
        { 0x2028, 0x202E },   { 0x2060, 0x206F }, { 0x3164, 0x3164 }, { 0xFE00, 0xFE0F },
        { 0xFEFF, 0xFEFF },   { 0xFFA0, 0xFFA0 }, { 0xFFF0, 0xFFFB }, { 0x1D173, 0x1D17A },
        { 0xE0000, 0xE0FFF },
    };
    for (size_t i = 0; i < COUNT_OF(ranges) && code >= ranges[i].first; i++)
        if (code <= ranges[i].last)
            return true;
    return false;
}
