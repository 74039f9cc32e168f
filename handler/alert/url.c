/* Query strings, read as browsers write them: "+" is a blank, "%xx" a byte. */
#include "alert/url.h"

#include "base/arena.h"

struct view url_query(struct view url)
{
    struct view query;
    struct view fragment;
    (void)view_cut(url, '?', &url, &query);
    (void)view_cut(query, '#', &query, &fragment);
    return query;
}

bool url_next(struct view *query, struct view *name, struct view *value)
{
    if (query->len == 0)
        return false;
    (void)view_cut(*query, '&', name, query);
    (void)view_cut(*name, '=', name, value);
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char read_byte(struct view rest, size_t *taken)
{
    *taken = 1;
    if (rest.at[0] == '+')
        return ' ';
    if (rest.at[0] != '%' || rest.len < 3)
        return rest.at[0];
    int high = hex_value(rest.at[1]);
    int low = hex_value(rest.at[2]);
    if (high < 0 || low < 0)
        return '%';
    *taken = 3;
    return (char)(high * 16 + low);
}

struct view url_decode(struct view escaped, struct arena *mem)
{
    struct text bytes = text_in(mem, escaped.len + 1);
    struct text clean = text_in(mem, escaped.len + 1);
    while (escaped.len > 0) {
        size_t taken;
        text_add_char(&bytes, read_byte(escaped, &taken));
        escaped = view_skip(escaped, taken);
    }
    struct view rest = text_view(&bytes);
    while (rest.len > 0) {
        uint32_t code = 0;
        size_t len = utf8_read(rest, &code);
        text_add(&clean, (struct view){ rest.at, code == 0 ? 0 : len });
        rest = view_skip(rest, len == 0 ? 1 : len);
    }
    return text_ok(&bytes) && text_ok(&clean) ? text_view(&clean) : (struct view){ 0 };
}

struct view url_parameter(struct view url, const char *name, struct arena *mem)
{
    struct view query = url_query(url);
    struct view key;
    struct view value;
    while (url_next(&query, &key, &value))
        if (view_equal(key, view_of(name)))
            return url_decode(value, mem);
    return (struct view){ 0 };
}
