/*
 * Recursive descent over two JSON trees, with the path of the first difference kept for the reader.
 */
#include "support/match.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"

enum { LONGEST_SHOWN = 2000 };

static void add_shown(struct text *why, struct view text)
{
    struct view shown = view_cap(text, LONGEST_SHOWN);
    text_add(why, shown.len > 0 ? shown : VIEW("(nothing)"));
    if (shown.len < text.len)
        text_add_string(why, "... (cut)");
}

bool differs(struct text *why, const char *what, struct view wanted, struct view got)
{
    text_add_string(why, "    ");
    text_add_string(why, what);
    text_add_string(why, "\n      wanted  ");
    add_shown(why, wanted);
    text_add_string(why, "\n      got     ");
    add_shown(why, got);
    text_add_char(why, '\n');
    return false;
}

bool complain(struct text *why, const char *sentence, struct view what)
{
    text_add_string(why, "    ");
    text_add_string(why, sentence);
    if (what.len > 0) {
        text_add_string(why, ": ");
        add_shown(why, what);
    }
    text_add_char(why, '\n');
    return false;
}

/* --- JSON ------------------------------------------------------------------------------------ */

struct comparison {
    bool is_exact;
    struct arena *mem;
    struct text path; /* of the node being compared, and of the difference once there is one */
    struct view wanted, got;
};

static bool differ(struct comparison *c, const struct cJSON *wanted, const struct cJSON *got)
{
    c->wanted = wanted == NULL ? VIEW("(no such member)") : json_as_text(wanted, c->mem);
    c->got = got == NULL ? VIEW("(no such member)") : json_as_text(got, c->mem);
    if (json_kind(wanted) == JSON_NULL)
        c->wanted = VIEW("null");
    if (json_kind(got) == JSON_NULL)
        c->got = VIEW("null");
    return false;
}

static bool same_value(struct comparison *c, const struct cJSON *wanted, const struct cJSON *got);

static void go_back(struct comparison *c, size_t len)
{
    c->path.len = len;
    c->path.bytes[len] = '\0';
}

static bool same_members(struct comparison *c, const struct cJSON *wanted, const struct cJSON *got)
{
    size_t len = c->path.len;
    const struct cJSON *member;
    for (member = json_first(wanted); member != NULL; member = json_next(member)) {
        text_add_char(&c->path, '.');
        text_add(&c->path, json_key(member));
        const struct cJSON *other = json_member(got, json_key(member));
        if (other == NULL)
            return differ(c, member, NULL);
        if (!same_value(c, member, other))
            return false;
        go_back(c, len);
    }
    for (member = json_first(got); c->is_exact && member != NULL; member = json_next(member))
        if (json_member(wanted, json_key(member)) == NULL) {
            text_add_char(&c->path, '.');
            text_add(&c->path, json_key(member));
            return differ(c, NULL, member);
        }
    return true;
}

static bool same_items(struct comparison *c, const struct cJSON *wanted, const struct cJSON *got)
{
    size_t len = c->path.len;
    const struct cJSON *mine = json_first(wanted);
    const struct cJSON *other = json_first(got);
    for (long long i = 0; mine != NULL || other != NULL; i++) {
        text_add_char(&c->path, '[');
        text_add_number(&c->path, i);
        text_add_char(&c->path, ']');
        if (mine == NULL || other == NULL)
            return differ(c, mine, other);
        if (!same_value(c, mine, other))
            return false;
        go_back(c, len);
        mine = json_next(mine);
        other = json_next(other);
    }
    return true;
}

static bool same_value(struct comparison *c, const struct cJSON *wanted, const struct cJSON *got)
{
    enum json_kind kind = json_kind(wanted);
    struct view text = json_text(wanted);
    bool is_same = kind == json_kind(got);
    if (is_same && kind == JSON_OBJECT)
        return same_members(c, wanted, got);
    if (is_same && kind == JSON_LIST)
        return same_items(c, wanted, got);
    if (is_same && kind == JSON_TEXT)
        is_same =
            view_equal(text, VIEW("*")) ? json_text(got).len > 0 : view_equal(text, json_text(got));
    if (is_same && kind == JSON_NUMBER)
        is_same =
            !(json_number(wanted) < json_number(got) || json_number(wanted) > json_number(got));
    if (is_same && kind == JSON_BOOL)
        is_same = json_is_true(wanted) == json_is_true(got);
    return is_same || differ(c, wanted, got);
}

static bool compare(const char *what, const struct cJSON *wanted, const struct cJSON *got,
                    bool is_exact, struct arena *mem, struct text *why)
{
    struct comparison c = { .is_exact = is_exact, .mem = mem, .path = text_in(mem, 4096) };
    text_add_string(&c.path, what);
    if (same_value(&c, wanted, got))
        return true;
    return differs(why, text_view(&c.path).at, c.wanted, c.got);
}

bool match_json(const char *what, struct view wanted, struct view got, bool is_exact,
                struct arena *mem, struct text *why)
{
    struct json mine = { 0 };
    struct json other = { 0 };
    struct failure failure = { 0 };
    if (!json_read(wanted, mem, &mine, &failure))
        return complain(why, "the case file is wrong: not JSON", wanted);
    bool ok = json_read(got, mem, &other, &failure);
    if (ok) {
        ok = compare(what, mine.root, other.root, is_exact, mem, why);
        json_free(&other);
    } else {
        differs(why, what, wanted, got);
    }
    json_free(&mine);
    return ok;
}

/* --- text ------------------------------------------------------------------------------------ */

bool match_text(const char *what, struct view wanted, struct view got, struct text *why)
{
    struct view mine = { 0 };
    struct view other = { 0 };
    if (view_equal(wanted, got))
        return true;
    long long line = 0;
    bool has_mine;
    bool has_other;
    do {
        line++;
        has_mine = lines_next(&wanted, &mine);
        has_other = lines_next(&got, &other);
    } while (has_mine && has_other && view_equal(mine, other));
    text_add_string(why, "    first difference in line ");
    text_add_number(why, line);
    text_add_string(why, " of\n");
    return differs(why, what, has_mine ? mine : VIEW("(the end)"),
                   has_other ? other : VIEW("(the end)"));
}

static bool match_lines(const char *what, struct view lines, struct view whole, bool is_wanted,
                        struct text *why)
{
    bool ok = true;
    struct view line;
    while (lines_next(&lines, &line)) {
        if (line.len == 0 || view_contains(whole, line) == is_wanted)
            continue;
        text_add_string(why, is_wanted ? "    missing in the " : "    must not be in the ");
        text_add_string(why, what);
        text_add_string(why, ": ");
        text_add(why, line);
        text_add_char(why, '\n');
        ok = false;
    }
    if (!ok) {
        text_add_string(why, "    the ");
        text_add_string(why, what);
        text_add_string(why, " was:\n");
        while (lines_next(&whole, &line)) {
            text_add_string(why, "      | ");
            text_add(why, line);
            text_add_char(why, '\n');
        }
    }
    return ok;
}

bool match_has(const char *what, struct view lines, struct view whole, struct text *why)
{
    return match_lines(what, lines, whole, true, why);
}

bool match_lacks(const char *what, struct view lines, struct view whole, struct text *why)
{
    return match_lines(what, lines, whole, false, why);
}
