/* HTML to text, for fields that senders fill with markup.  Not a renderer: nothing is laid out. */
#include "alert/source.h"

#include "base/arena.h"

/* The character an entity at the front stands for, and its bytes; 0 when it is none we know. */
static size_t read_entity(struct view rest, const char **character)
{
    static const struct {
        const char *entity, *character;
    } known[] = {
        { "&amp;", "&" },  { "&lt;", "<" },       { "&gt;", ">" },   { "&quot;", "\"" },
        { "&apos;", "'" }, { "&nbsp;", " " },     { "&#39;", "'" },  { "&#x27;", "'" },
        { "&#34;", "\"" }, { "&#x2F;", "/" },     { "&#47;", "/" },  { "&#10;", "\n" },
        { "&#13;", "" },   { "&hellip;", "..." }, { "&#x3D;", "=" }, { "&#x60;", "`" },
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (view_starts_fold(rest, view_of(known[i].entity))) {
            *character = known[i].character;
            return view_of(known[i].entity).len;
        }
    return 0;
}

/* A tag at the front: its bytes, or 0 when "<" only means less than. */
static size_t read_tag(struct view rest)
{
    char second = rest.len > 1 ? rest.at[1] : ' ';
    bool may_open = (second >= 'a' && second <= 'z') || (second >= 'A' && second <= 'Z')
                    || second == '/' || second == '!';
    for (size_t i = 1; may_open && i < rest.len; i++)
        if (rest.at[i] == '>')
            return i + 1;
        else if (rest.at[i] == '<')
            return 0;
    return 0;
}

static bool ends_line(struct view tag)
{
    static const char *const tags[] = { "<br", "</p", "</div", "</li", "</tr", "</h" };
    for (size_t i = 0; i < COUNT_OF(tags); i++)
        if (view_starts_fold(tag, view_of(tags[i])))
            return true;
    return false;
}

static bool is_escaped(struct view text)
{
    bool has_entity = false;
    for (; text.len > 0; text = view_skip(text, 1)) {
        const char *character = NULL;
        if (text.at[0] == '<' || text.at[0] == '>' || text.at[0] == '"')
            return false;
        if (text.at[0] == '&' && read_entity(text, &character) == 0)
            return false;
        has_entity = has_entity || text.at[0] == '&';
    }
    return has_entity;
}

struct view source_unescaped(struct view text, struct arena *mem)
{
    if (!is_escaped(text))
        return text;
    struct text plain = text_in(mem, text.len + 1);
    text_reserve(&plain, text.len);
    while (text.len > 0) {
        const char *character = NULL;
        size_t len = text.at[0] == '&' ? read_entity(text, &character) : 0;
        if (len > 0)
            text_add_string(&plain, character);
        else
            text_add_char(&plain, text.at[0]);
        text = view_skip(text, len > 0 ? len : 1);
    }
    return text_view(&plain);
}

struct view source_prose(struct view text, struct arena *mem)
{
    struct text plain = text_in(mem, text.len + 1);
    text_reserve(&plain, text.len);
    while (text.len > 0) {
        const char *character = NULL;
        size_t len = text.at[0] == '&' ? read_entity(text, &character) : 0;
        size_t tag = text.at[0] == '<' ? read_tag(text) : 0;
        if (len > 0)
            text_add_string(&plain, character);
        else if (tag > 0 && ends_line((struct view){ text.at, tag }))
            text_add_char(&plain, '\n');
        else if (tag == 0)
            text_add_char(&plain, text.at[0]);
        text = view_skip(text, len > 0 ? len : tag > 0 ? tag : 1);
    }
    return view_trim(text_view(&plain));
}
