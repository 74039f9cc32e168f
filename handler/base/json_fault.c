/*
 * A second reader, stricter than cJSON and without a tree: it walks the text token by token and
 * knows at each what may come.  cJSON only tells the byte where it gave up, which is often the
 * beginning of what it could not finish.
 */
#include "base/json_fault.h"

enum { MOST_DEPTH = 256 };

enum next {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* behind "[" and behind a comma in a list */
    WANT_NAME_OR_END,  /* behind "{" and behind a comma in an object */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING
};

struct walk {
    struct view bytes;
    size_t at;
    size_t depth;
    size_t max_depth;
    char open[MOST_DEPTH]; /* the brackets around `at` */
    enum next next;
    bool is_behind_text; /* the last token was a string */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The byte `ahead` of here; NUL behind the end. */
static char peek(const struct walk *walk, size_t ahead)
{
    return walk->at + ahead < walk->bytes.len ? walk->bytes.at[walk->at + ahead] : '\0';
}

static const char *pass_escape(struct walk *walk)
{
    char c = peek(walk, 1);
    if (c == '\0' || !view_contains(VIEW("\"\\/bfnrtu"), (struct view){ &c, 1 }))
        return "unknown escape; a backslash inside a string must be doubled";
    for (size_t i = 2; c == 'u' && i < 6; i++)
        if (!is_hex(peek(walk, i)))
            return "\\u wants four hexadecimal digits";
    walk->at += c == 'u' ? 6 : 2;
    return NULL;
}

static const char *pass_string(struct walk *walk)
{
    size_t start = walk->at++;
    while (walk->at < walk->bytes.len && peek(walk, 0) != '"') {
        const char *what = peek(walk, 0) == '\0'   ? "a NUL byte"
                           : peek(walk, 0) == '\\' ? pass_escape(walk)
                                                   : NULL;
        if (what != NULL)
            return what;
        walk->at += peek(walk, 0) != '"' && peek(walk, 0) != '\\';
    }
    if (walk->at == walk->bytes.len) {
        walk->at = start;
        return "this string has no end";
    }
    walk->at++;
    return NULL;
}

static bool pass_digits(struct walk *walk)
{
    size_t start = walk->at;
    while (is_digit(peek(walk, 0)))
        walk->at++;
    return walk->at > start;
}

static const char *pass_number(struct walk *walk)
{
    size_t start = walk->at;
    walk->at += peek(walk, 0) == '-';
    bool is_sound = pass_digits(walk);
    if (is_sound && peek(walk, 0) == '.') {
        walk->at++;
        is_sound = pass_digits(walk);
    }
    if (is_sound && (peek(walk, 0) == 'e' || peek(walk, 0) == 'E')) {
        walk->at += peek(walk, 1) == '+' || peek(walk, 1) == '-' ? 2 : 1;
        is_sound = pass_digits(walk);
    }
    if (is_sound)
        return NULL;
    walk->at = start;
    return "this is no number of JSON";
}

static const char *pass_word(struct walk *walk)
{
    static const char *const words[] = { "true", "false", "null" };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_starts(view_skip(walk->bytes, walk->at), view_of(words[i]))) {
            walk->at += view_of(words[i]).len;
            return NULL;
        }
    return "expected a value";
}

static void close_bracket(struct walk *walk)
{
    walk->at++;
    walk->depth--;
    walk->next = walk->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

static const char *open_bracket(struct walk *walk, char bracket)
{
    if (walk->depth == walk->max_depth || walk->depth == MOST_DEPTH)
        return "nested too deep";
    walk->open[walk->depth++] = bracket;
    walk->at++;
    walk->next = bracket == '{' ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    return NULL;
}

static const char *pass_value(struct walk *walk)
{
    char c = peek(walk, 0);
    if (c == '[' || c == '{')
        return open_bracket(walk, c);
    if (c == ']' && walk->next == WANT_VALUE_OR_END) {
        close_bracket(walk);
        return NULL;
    }
    walk->next = walk->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
    return c == '"'                  ? pass_string(walk)
           : c == '-' || is_digit(c) ? pass_number(walk)
                                     : pass_word(walk);
}

static const char *pass_name(struct walk *walk)
{
    if (peek(walk, 0) == '}') {
        close_bracket(walk);
        return NULL;
    }
    if (peek(walk, 0) != '"')
        return "expected a member name in double quotes";
    walk->next = WANT_COLON;
    return pass_string(walk);
}

static const char *pass_colon(struct walk *walk)
{
    if (peek(walk, 0) != ':')
        return "expected a colon behind the member name";
    walk->at++;
    walk->next = WANT_VALUE;
    return NULL;
}

static const char *pass_comma(struct walk *walk, bool is_behind_text)
{
    bool is_object = walk->open[walk->depth - 1] == '{';
    char c = peek(walk, 0);
    if (c == (is_object ? '}' : ']')) {
        close_bracket(walk);
        return NULL;
    }
    if (c != ',' && is_behind_text)
        return is_object ? "expected a comma or a closing brace; is a quotation mark before it "
                           "not escaped?"
                         : "expected a comma or a closing bracket; is a quotation mark before it "
                           "not escaped?";
    if (c != ',')
        return is_object ? "expected a comma or a closing brace"
                         : "expected a comma or a closing bracket";
    walk->at++;
    walk->next = is_object ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    return NULL;
}

static const char *pass_token(struct walk *walk)
{
    bool is_behind_text = walk->is_behind_text;
    walk->is_behind_text = peek(walk, 0) == '"';
    switch (walk->next) {
    case WANT_VALUE:
    case WANT_VALUE_OR_END:
        return pass_value(walk);
    case WANT_NAME_OR_END:
        return pass_name(walk);
    case WANT_COLON:
        return pass_colon(walk);
    case WANT_COMMA_OR_END:
        return pass_comma(walk, is_behind_text);
    case WANT_NOTHING:
        break;
    }
    return "expected nothing more behind the value";
}

const char *json_fault_find(struct view bytes, size_t max_depth, size_t *at)
{
    struct walk walk = { .bytes = bytes, .max_depth = max_depth };
    const char *what = NULL;
    if (view_starts(bytes, VIEW("\xEF\xBB\xBF")))
        walk.at = 3;
    while (what == NULL) {
        while (walk.at < bytes.len && peek(&walk, 0) > '\0' && peek(&walk, 0) <= ' ')
            walk.at++;
        if (walk.at == bytes.len)
            break;
        what = peek(&walk, 0) == '\0' ? "a NUL byte" : pass_token(&walk);
    }
    if (what == NULL && walk.next != WANT_NOTHING)
        what = walk.depth == 0 ? "expected a value" : "the text ends inside an object or a list";
    *at = walk.at;
    return what;
}

bool json_fault_refuse(struct view bytes, size_t at, const char *what, struct failure *why)
{
    long long line = 1;
    long long column = 1;
    size_t passed = view_starts(bytes, VIEW("\xEF\xBB\xBF")) ? 3 : 0;
    while (passed < at && passed < bytes.len) {
        uint32_t code;
        size_t len = utf8_read(view_skip(bytes, passed), &code);
        bool is_line_end = bytes.at[passed] == '\n';
        line += is_line_end;
        column = is_line_end ? 1 : column + 1;
        passed += len == 0 ? 1 : len;
    }
    (void)fail(why, FAIL_NOT_JSON, "byte %zu of %zu", at, bytes.len);
    struct text reason = text_over(why->reason, sizeof why->reason);
    text_add_string(&reason, "line ");
    text_add_number(&reason, line);
    text_add_string(&reason, ", column ");
    text_add_number(&reason, column);
    text_add_string(&reason, ": ");
    text_add_string(&reason, what);
    return false;
}
