/* JSON in and out: every guard that json.h names, round trips, and memory that runs out. */
#include "base/json.h"

#include "base/arena.h"
#include "unit/check.h"

#include <stdio.h>

/* clang-format off */
#define BYTES(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

#define FFFD "\xEF\xBF\xBD"

enum { PLENTY = 4 * 1024 * 1024 };

/* --- tables: reading -------------------------------------------------------------------------- */

/* Values of every kind, and how they are written back, compactly. */
static const struct {
    const char *in;
    enum json_kind kind;
    const char *out;
} values[] = {
    { "null", JSON_NULL, "null" },
    { "true", JSON_BOOL, "true" },
    { "false", JSON_BOOL, "false" },
    { "0", JSON_NUMBER, "0" },
    { "-0", JSON_NUMBER, "0" },
    { "1.5", JSON_NUMBER, "1.5" },
    { "-12", JSON_NUMBER, "-12" },
    { "1.0", JSON_NUMBER, "1" },
    { "1e3", JSON_NUMBER, "1000" },
    { "1E+2", JSON_NUMBER, "100" },
    { "0.1", JSON_NUMBER, "0.1" },
    { "9007199254740991", JSON_NUMBER, "9007199254740991" },
    { "9007199254740992", JSON_NUMBER, "9007199254740992" },
    { "1732450000123", JSON_NUMBER, "1732450000123" },
    { "4294967296", JSON_NUMBER, "4294967296" },
    { "1e300", JSON_NUMBER, "1e+300" },
    { "5e-324", JSON_NUMBER, "4.94065645841247e-324" },
    { "1e999", JSON_HUGE, "null" },
    { "-1e999", JSON_HUGE, "null" },
    { "\"\"", JSON_TEXT, "\"\"" },
    { "\"a\"", JSON_TEXT, "\"a\"" },
    { "[]", JSON_LIST, "[]" },
    { "{}", JSON_OBJECT, "{}" },
    { " [ 1 , \"b\" , null , [ true ] , { } ] \n", JSON_LIST, "[1,\"b\",null,[true],{}]" },
    { "{ \"a\" : 1,\t\"b\" : [2, 3] }", JSON_OBJECT, "{\"a\":1,\"b\":[2,3]}" },
    { "[0.12345678901234567890123456789012345678901234567890]", JSON_LIST,
      "[0.12345678901234568]" },
};

static const struct {
    const char *name;
    struct view bytes;
} refused[] = {
    { "nothing", BYTES("") },
    { "white space", BYTES(" \r\n\t") },
    { "text after an object", BYTES("{\"a\":1} x") },
    { "two values", BYTES("1 2") },
    { "a bracket too many", BYTES("{}}") },
    { "a comma behind", BYTES("{},") },
    { "cut off object", BYTES("{\"a\":1") },
    { "cut off string", BYTES("\"abc") },
    { "cut off escape", BYTES("\"abc\\") },
    { "cut off \\u", BYTES("\"\\u00\"") },
    { "\\u without hex", BYTES("\"\\uZZZZ\"") },
    { "\\u without hex within", BYTES("\"a\\u12G4b\"") },
    { "\\u without hex behind a high one", BYTES("\"\\ud83d\\uZZZZ\"") },
    { "unknown escape", BYTES("\"\\x41\"") },
    { "capital U", BYTES("\"\\U0041\"") },
    { "single quotes", BYTES("{'a':1}") },
    { "bare name", BYTES("{a:1}") },
    { "no value", BYTES("{\"a\":}") },
    { "a comma alone in a list", BYTES("[,]") },
    { "a comma alone in an object", BYTES("{,}") },
    { "two trailing commas", BYTES("[1,,]") },
    { "a comma behind a colon", BYTES("{\"a\":,}") },
    { "a comma before a wrong bracket", BYTES("[1,}") },
    { "a comma, then a byte that is not UTF-8", BYTES("[1,\xFF]") },
    { "a comma, then a letter", BYTES("[1,\xC3\xA9]") },
    { "a trailing comma and text behind", BYTES("[1,] x") },
    { "undefined", BYTES("undefined") },
    { "NaN", BYTES("NaN") },
    { "Infinity", BYTES("Infinity") },
    { "plus sign", BYTES("+1") },
    { "hexadecimal", BYTES("0x10") },
    { "a form", BYTES("alertName=a&severity=1") },
    { "NUL behind", BYTES("{}\0") },
    { "NUL in a string", BYTES("\"a\0b\"") },
    { "NUL between", BYTES("[1,\0 2]") },
    { "gzip", BYTES("\x1F\x8B\x08\x00") },
    { "UTF-16", BYTES("{\0}\0") },
    { "a byte that is not UTF-8", BYTES("\xFF") },
};

/* Slips that templates make, and what is read in their place. */
static const struct {
    const char *name;
    struct view bytes;
    const char *out;
    bool is_mended;
    size_t repaired;
} mended[] = {
    { "sound", BYTES("[1,2]"), "[1,2]", false, 0 },
    { "commas in strings", BYTES("[\",]\",\",}\"]"), "[\",]\",\",}\"]", false, 0 },
    { "in a list", BYTES("[1,]"), "[1]", true, 0 },
    { "in an object", BYTES("{\"a\":1,}"), "{\"a\":1}", true, 0 },
    { "behind a string", BYTES("{\"a\":\"b\",}"), "{\"a\":\"b\"}", true, 0 },
    { "behind a list", BYTES("[[],]"), "[[]]", true, 0 },
    { "behind a word", BYTES("[null,]"), "[null]", true, 0 },
    { "with white space", BYTES("[1 ,\r\n\t ]"), "[1]", true, 0 },
    { "several", BYTES("{\"a\":[1,2,],\"b\":{\"c\":[[],],},}"), "{\"a\":[1,2],\"b\":{\"c\":[[]]}}",
      true, 0 },
    { "before and behind what is no UTF-8", BYTES("[[1,],\"\xFF\",\"\\u0000\",]"),
      "[[1],\"" FFFD "\",\"" FFFD "\"]", true, 2 },
    { "a line end in a string", BYTES("[\"a\nb\"]"), "[\"a\\nb\"]", true, 0 },
    { "a tab in a name", BYTES("{\"a\tb\":1}"), "{\"a\\tb\":1}", true, 0 },
    { "an escape sequence in a string", BYTES("[\"\x1B[0m\"]"), "[\"\\u001b[0m\"]", true, 0 },
    { "DEL in a string is sound", BYTES("[\"\x7F\"]"), "[\"\\u007f\"]", false, 0 },
    { "line ends between values are sound", BYTES("[1,\n2\t]\n"), "[1,2]", false, 0 },
};

/* Where a text stops being JSON, in the characters of the text as it came. */
static const struct {
    struct view bytes;
    const char *reason;
} faults[] = {
    { BYTES(""), "line 1, column 1: expected a value" },
    { BYTES(" \n "), "line 2, column 2: expected a value" },
    { BYTES("alert!"), "line 1, column 1: expected a value" },
    { BYTES("  x"), "line 1, column 3: expected a value" },
    { BYTES("\r\n\r\n x"), "line 3, column 2: expected a value" },
    { BYTES("\xEF\xBB\xBF x"), "line 1, column 2: expected a value" },
    { BYTES("{'a':1}"), "line 1, column 2: expected a member name in double quotes" },
    { BYTES("{\"a\" 1}"), "line 1, column 6: expected a colon behind the member name" },
    { BYTES("{\"a\":}"), "line 1, column 6: expected a value" },
    { BYTES("{\"a\":\"b\nc\",\n \"d\":tru}"), "line 3, column 6: expected a value" },
    { BYTES("{\"a\":1\n\"b\":2}"), "line 2, column 1: expected a comma or a closing brace" },
    { BYTES("[1 2]"), "line 1, column 4: expected a comma or a closing bracket" },
    { BYTES("[1}"), "line 1, column 3: expected a comma or a closing bracket" },
    { BYTES("{\"a\":1]"), "line 1, column 7: expected a comma or a closing brace" },
    { BYTES("{\"a\":\"he said \"no\"\"}"),
      "line 1, column 16: expected a comma or a closing brace; is a quotation mark before it not "
      "escaped?" },
    { BYTES("[\"a\"b\"]"),
      "line 1, column 5: expected a comma or a closing bracket; is a quotation mark before it not "
      "escaped?" },
    { BYTES("[\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xFF\",]x"),
      "line 1, column 10: expected nothing more behind the value" },
    { BYTES("{\"a\":\"\\u0000\"} x"), "line 1, column 16: expected nothing more behind the value" },
    { BYTES("[1,,]"), "line 1, column 4: expected a value" },
    { BYTES("{\"a\":[1,],"), "line 1, column 11: the text ends inside an object or a list" },
    { BYTES("[1"), "line 1, column 3: the text ends inside an object or a list" },
    { BYTES("[1 \n"), "line 1, column 3: the text ends inside an object or a list" },
    { BYTES("{\n  \"a\": \"b\n"), "line 2, column 8: this string has no end" },
    { BYTES("\"a\\"),
      "line 1, column 3: unknown escape; a backslash inside a string must be doubled" },
    { BYTES("[\"C:\\logs\"]"),
      "line 1, column 5: unknown escape; a backslash inside a string must be doubled" },
    { BYTES("[\"\\u12G4\"]"), "line 1, column 3: \\u wants four hexadecimal digits" },
    { BYTES("[\"\\u12"), "line 1, column 3: \\u wants four hexadecimal digits" },
    { BYTES("[-]"), "line 1, column 2: this is no number of JSON" },
    { BYTES("[1.x]"), "line 1, column 2: this is no number of JSON" },
    { BYTES("[1e+x]"), "line 1, column 2: this is no number of JSON" },
    { BYTES("[1\0]"), "line 1, column 3: a NUL byte" },
    { BYTES("[\"a\0\"]"), "line 1, column 4: a NUL byte" },
};

/* A string's inside as it comes and as it is read, with the number of repairs. */
static const struct {
    const char *name;
    struct view in;
    const char *out;
    size_t repaired;
} strings[] = {
    { "short escapes", BYTES("\\\" \\\\ \\/ \\b \\f \\n \\r \\t"), "\" \\ / \b \f \n \r \t", 0 },
    { "\\u of 1 byte", BYTES("\\u0041\\u007f"), "A\x7F", 0 },
    { "\\u of 2 bytes", BYTES("\\u00e9\\u00E9"), "\xC3\xA9\xC3\xA9", 0 },
    { "\\u of 3 bytes", BYTES("\\u20ac\\uFFFD"), "\xE2\x82\xAC" FFFD, 0 },
    { "a pair", BYTES("\\ud83d\\ude00"), "\xF0\x9F\x98\x80", 0 },
    { "first pair", BYTES("\\uD800\\uDC00"), "\xF0\x90\x80\x80", 0 },
    { "last pair", BYTES("\\uDBFF\\uDFFF"), "\xF4\x8F\xBF\xBF", 0 },
    { "\\u0000 alone", BYTES("\\u0000"), FFFD, 1 },
    { "\\u0000 within", BYTES("a\\u0000b"), "a" FFFD "b", 1 },
    { "\\u0000 twice", BYTES("\\u0000\\u0000"), FFFD FFFD, 2 },
    { "an escaped backslash before u0000", BYTES("\\\\u0000"), "\\u0000", 0 },
    { "three backslashes before u0000", BYTES("\\\\\\u0000"), "\\" FFFD, 1 },
    { "high alone", BYTES("\\ud800"), FFFD, 1 },
    { "low alone", BYTES("\\udc00"), FFFD, 1 },
    { "high, then a letter", BYTES("\\ud83dx"), FFFD "x", 1 },
    { "letter, then high", BYTES("x\\ud83d"), "x" FFFD, 1 },
    { "high, then \\n", BYTES("\\ud83d\\n"), FFFD "\n", 1 },
    { "high, then another escape", BYTES("\\ud83d\\u0041"), FFFD "A", 1 },
    { "high, then \\u0000", BYTES("\\ud83d\\u0000"), FFFD FFFD, 2 },
    { "high, then bare u", BYTES("\\ud83dude00"), FFFD "ude00", 1 },
    { "high, then high", BYTES("\\ud83d\\ud83d"), FFFD FFFD, 2 },
    { "high, then a pair", BYTES("\\ud83d\\ud83d\\ude00"), FFFD "\xF0\x9F\x98\x80", 1 },
    { "low, then high", BYTES("\\ude00\\ud83d"), FFFD FFFD, 2 },
    { "low, then a pair", BYTES("\\ude00\\ud83d\\ude00"), FFFD "\xF0\x9F\x98\x80", 1 },
    { "a pair, then low", BYTES("\\ud83d\\ude00\\ude00"), "\xF0\x9F\x98\x80" FFFD, 1 },
    { "a pair, then high", BYTES("\\ud83d\\ude00\\ud83d"), "\xF0\x9F\x98\x80" FFFD, 1 },
    { "UTF-8 of all lengths", BYTES("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
      "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 0 },
    { "Latin-1", BYTES("caf\xE9"), "caf" FFFD, 1 },
    { "cut off in front of the quote", BYTES("a\xE2\x82"), "a" FFFD FFFD, 2 },
    { "overlong", BYTES("\xC0\xAF"), FFFD FFFD, 2 },
    { "surrogate in UTF-8", BYTES("\xED\xA0\x80"), FFFD FFFD FFFD, 3 },
    { "beyond U+10FFFF", BYTES("\xF4\x90\x80\x80"), FFFD FFFD FFFD FFFD, 4 },
    { "FE FF", BYTES("\xFE\xFF"), FFFD FFFD, 2 },
    { "continuation alone", BYTES("x\x80y"), "x" FFFD "y", 1 },
    { "not UTF-8 behind an escape", BYTES("\\n\xFF"), "\n" FFFD, 1 },
};

/* What is found in `tree` by path. */
static const char tree[] = "{\"a\":{\"b\":{\"c\":\"deep\"},\"B\":\"other case\"},"
                           "\"d\":\"first\",\"d\":\"last\","
                           "\"e\":{\"x\":1},\"e\":{\"y\":\"second\"},"
                           "\"x.y\":\"dotted\",\"x\":{\"y\":\"nested\"},"
                           "\"n\":null,\"l\":[{\"z\":1}],\"\":{\"\":\"nameless\"},"
                           "\"nul\\u0000\":\"mended\",\"t\":\"text\"}";

static const struct {
    const char *path;
    enum json_kind kind;
    const char *text;
} paths[] = {
    { "", JSON_OBJECT, "" },
    { "a", JSON_OBJECT, "" },
    { "a.b.c", JSON_TEXT, "deep" },
    { "a.B", JSON_TEXT, "other case" },
    { "A.b.c", JSON_ABSENT, "" },
    { "a.b.C", JSON_ABSENT, "" },
    { "a.b.c.d", JSON_ABSENT, "" },
    { "a.x", JSON_ABSENT, "" },
    { "d", JSON_TEXT, "last" },
    { "D", JSON_ABSENT, "" },
    { "e.x", JSON_ABSENT, "" },
    { "e.y", JSON_TEXT, "second" },
    { "x.y", JSON_TEXT, "nested" },
    { "n", JSON_NULL, "" },
    { "n.x", JSON_ABSENT, "" },
    { "l", JSON_LIST, "" },
    { "l.z", JSON_ABSENT, "" },
    { "l.0", JSON_ABSENT, "" },
    { "nul" FFFD, JSON_TEXT, "mended" },
    { "nul", JSON_ABSENT, "" },
    { "t", JSON_TEXT, "text" },
    { "te", JSON_ABSENT, "" },
    { "missing", JSON_ABSENT, "" },
};

/* --- tables: writing -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct view value;
    const char *out;
} written[] = {
    { "absent", { 0 }, "\"\"" },
    { "plain", BYTES("abc /<>&'"), "\"abc /<>&'\"" },
    { "quote and backslash", BYTES("\"\\"), "\"\\\"\\\\\"" },
    { "short escapes", BYTES("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
    { "NUL", BYTES("a\0b"), "\"a\\u0000b\"" },
    { "escape sequence", BYTES("\x1B[31m"), "\"\\u001b[31m\"" },
    { "DEL", BYTES("\x7F"), "\"\\u007f\"" },
    { "C1", BYTES("\xC2\x9B"), "\"\\u009b\"" },
    { "line separator", BYTES("\xE2\x80\xA8"), "\"\\u2028\"" },
    { "paragraph separator", BYTES("\xE2\x80\xA9"), "\"\\u2029\"" },
    { "right to left override",
      BYTES("a\xE2\x80\xAE"
            "b"),
      "\"a\\u202eb\"" },
    { "bidi isolate", BYTES("\xE2\x81\xA6"), "\"\\u2066\"" },
    { "zero width space", BYTES("\xE2\x80\x8B"), "\"\\u200b\"" },
    { "byte order mark", BYTES("\xEF\xBB\xBF"), "\"\\ufeff\"" },
    { "tag", BYTES("\xF3\xA0\x80\x81"), "\"\\udb40\\udc01\"" },
    { "emoji stays", BYTES("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"" },
    { "letters stay", BYTES("\xC3\xA9\xE2\x82\xAC"), "\"\xC3\xA9\xE2\x82\xAC\"" },
    { "not UTF-8",
      BYTES("a\xFF"
            "b"),
      "\"a" FFFD "b\"" },
    { "cut off", BYTES("\xE2\x82"), "\"" FFFD FFFD "\"" },
    { "surrogate", BYTES("\xED\xA0\x80"), "\"" FFFD FFFD FFFD "\"" },
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct json read_sound(const char *name, struct view bytes, struct arena *mem)
{
    struct json json = { 0 };
    struct failure why = { .kind = FAIL_INTERNAL };
    bool ok = json_read(bytes, mem, &json, &why);
    if (!ok)
        print_error("%s\n", why.detail);
    CHECK(name, ok);
    CHECK(name, json.root != NULL);
    CHECK(name, why.kind == FAIL_INTERNAL && why.detail[0] == '\0');
    return json;
}

static struct view written_back(const struct json *json, struct arena *mem)
{
    struct text text = text_in(mem, PLENTY);
    struct json_writer writer = { &text, false };
    json_put_node(&writer, NULL, json->root);
    assert_true(text_ok(&text));
    return text_view(&text);
}

static struct view nested(char open, char close, size_t depth, struct arena *mem)
{
    struct text text = text_in(mem, PLENTY);
    for (size_t i = 0; i < depth; i++)
        text_add_string(&text, open == '[' ? "[" : "{\"a\":");
    text_add_char(&text, '1');
    text_add_repeated(&text, close, depth);
    assert_true(text_ok(&text));
    return text_view(&text);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void values_have_kinds_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct arena mem;
        arena_init(&mem, PLENTY);
        struct json json = read_sound(values[i].in, view_of(values[i].in), &mem);
        CHECK(values[i].in, json_kind(json.root) == values[i].kind);
        CHECK(values[i].in, json.repaired == 0);
        CHECK_VIEW(values[i].in, written_back(&json, &mem), view_of(values[i].out));
        CHECK_VIEW(values[i].in, json_key(json.root), VIEW(""));
        json_free(&json);
        json_free(&json); /* an empty one may be freed */
        arena_drop(&mem);
    }
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct arena mem;
        struct json json = { 0 };
        struct failure why = { .kind = FAIL_INTERNAL };
        arena_init(&mem, PLENTY);
        bool is_right = !json_read(refused[i].bytes, &mem, &json, &why) && why.kind == FAIL_NOT_JSON
                        && why.detail[0] != '\0' && why.reason[0] != '\0' && json.root == NULL;
        if (!is_right)
            print_error("row \"%s\" is not refused as it should be\n", refused[i].name);
        wrong += !is_right;
        json_free(&json);
        arena_drop(&mem);
    }
    assert_int_equal(wrong, 0);
}

static void slips_of_templates_are_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(mended); i++) {
        struct arena mem;
        arena_init(&mem, PLENTY);
        struct json json = read_sound(mended[i].name, mended[i].bytes, &mem);
        CHECK(mended[i].name, json.is_mended == mended[i].is_mended);
        CHECK(mended[i].name, json.repaired == mended[i].repaired);
        CHECK_VIEW(mended[i].name, written_back(&json, &mem), view_of(mended[i].out));
        json_free(&json);
        arena_drop(&mem);
    }
}

static void what_is_sound_is_not_copied(void **state)
{
    (void)state;
    struct arena nothing = { 0 };
    struct json json =
        read_sound("line end in a string", VIEW("[\"a\nb\",{\"c\":[1, 2]}]"), &nothing);
    assert_int_equal(nothing.used, 0);
    json_free(&json);
}

static void a_fault_is_told_by_line_and_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct arena mem;
        struct json json = { 0 };
        struct failure why = { 0 };
        arena_init(&mem, PLENTY);
        CHECK(faults[i].reason, !json_read(faults[i].bytes, &mem, &json, &why));
        CHECK_VIEW(faults[i].reason, view_of(why.reason), view_of(faults[i].reason));
        arena_drop(&mem);
    }
}

/* As the root, as a member's value, and as a member's name. */
static void strings_are_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(strings); i++) {
        const char *name = strings[i].name;
        struct arena mem;
        arena_init(&mem, PLENTY);
        struct text text = text_in(&mem, PLENTY);
        text_add_string(&text, "{\"");
        text_add(&text, strings[i].in);
        text_add_string(&text, "\":[\"");
        text_add(&text, strings[i].in);
        text_add_string(&text, "\"]}");
        struct json json = read_sound(name, text_view(&text), &mem);
        const struct cJSON *member = json_first(json.root);
        CHECK_VIEW(name, json_key(member), view_of(strings[i].out));
        CHECK_VIEW(name, json_text(json_first(member)), view_of(strings[i].out));
        CHECK(name, json.repaired == 2 * strings[i].repaired);
        CHECK(name, json_member(json.root, view_of(strings[i].out)) == member);
        json_free(&json);
        arena_drop(&mem);
    }
}

static void members_are_found_by_path(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, PLENTY);
    struct json json = read_sound("tree", view_of(tree), &mem);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const struct cJSON *node = json_at(json.root, paths[i].path);
        CHECK(paths[i].path, json_kind(node) == paths[i].kind);
        CHECK(paths[i].path, (node == NULL) == (paths[i].kind == JSON_ABSENT));
        CHECK_VIEW(paths[i].path, json_text(node), view_of(paths[i].text));
    }
    CHECK_VIEW("dotted", json_text(json_member(json.root, VIEW("x.y"))), VIEW("dotted"));
    CHECK_VIEW("last", json_text(json_member(json.root, VIEW("d"))), VIEW("last"));
    CHECK("case", json_member(json.root, VIEW("T")) == NULL);
    CHECK("front of a name", json_member(json.root, VIEW("nu")) == NULL);
    CHECK("of a list", json_member(json_at(json.root, "l"), VIEW("z")) == NULL);
    const struct cJSON *nameless = json_member(json.root, VIEW(""));
    CHECK_VIEW("nameless", json_text(json_member(nameless, VIEW(""))), VIEW("nameless"));
    json_free(&json);
    arena_drop(&mem);
}

static void absent_is_nothing_to_every_reader(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, PLENTY);
    assert_null(json_at(NULL, "a.b"));
    assert_null(json_member(NULL, VIEW("a")));
    assert_int_equal(json_kind(NULL), JSON_ABSENT);
    assert_int_equal(json_key(NULL).len, 0);
    assert_int_equal(json_text(NULL).len, 0);
    assert_true(json_number(NULL) <= 0 && json_number(NULL) >= 0);
    assert_false(json_is_true(NULL));
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_int_equal(json_as_text(NULL, &mem).len, 0);
    arena_drop(&mem);
}

static void readers_want_their_kind(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, PLENTY);
    struct json json = read_sound("kinds", VIEW("[1.5,\"1\",true,false,null,{},[],1e999]"), &mem);
    static const struct {
        double number;
        const char *text, *as_text;
        bool is_true;
    } wanted[] = {
        { 1.5, "", "1.5", false }, { 0, "1", "1", false }, { 0, "", "true", true },
        { 0, "", "false", false }, { 0, "", "", false },   { 0, "", "{}", false },
        { 0, "", "[]", false },    { 0, "", "", false },
    };
    const struct cJSON *item = json_first(json.root);
    for (size_t i = 0; i < COUNT_OF(wanted); i++, item = json_next(item)) {
        assert_float_equal((float)json_number(item), (float)wanted[i].number, 0);
        CHECK_VIEW("text", json_text(item), view_of(wanted[i].text));
        CHECK_VIEW("as text", json_as_text(item, &mem), view_of(wanted[i].as_text));
        assert_int_equal(json_is_true(item), wanted[i].is_true);
        assert_int_equal(json_key(item).len, 0);
        assert_null(json_first(item));
    }
    assert_null(item);
    json_free(&json);
    arena_drop(&mem);
}

static void members_come_in_their_order(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, PLENTY);
    struct json json = read_sound("order", VIEW("{\"z\":1,\"a\":2,\"z\":3,\"A\":4}"), &mem);
    static const char *const names[] = { "z", "a", "z", "A" };
    const struct cJSON *member = json_first(json.root);
    for (size_t i = 0; i < COUNT_OF(names); i++, member = json_next(member)) {
        CHECK_VIEW(names[i], json_key(member), view_of(names[i]));
        assert_int_equal((int)json_number(member), i + 1);
    }
    assert_null(member);
    json_free(&json);
    arena_drop(&mem);
}

/* Far beyond the limit as well: a parser that recurses without one would crash. */
static void nesting_is_limited(void **state)
{
    (void)state;
    static const struct {
        size_t depth;
        bool is_read;
    } depths[] = { { 1, true }, { 100, true }, { 101, false }, { 5000, false }, { 500000, false } };
    for (size_t i = 0; i < 2 * COUNT_OF(depths); i++) {
        bool is_list = i % 2 == 0;
        struct arena mem;
        struct json json = { 0 };
        struct failure why = { 0 };
        arena_init(&mem, 64 * 1024 * 1024);
        struct view bytes =
            nested(is_list ? '[' : '{', is_list ? ']' : '}', depths[i / 2].depth, &mem);
        assert_int_equal(json_read(bytes, &mem, &json, &why), depths[i / 2].is_read);
        if (depths[i / 2].is_read)
            CHECK_VIEW("written back", written_back(&json, &mem), bytes);
        else
            assert_int_equal(why.kind, FAIL_NOT_JSON);
        json_free(&json);
        arena_drop(&mem);
    }
}

static void every_front_of_a_document_is_survived(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\\ud83d\\ude00\":[1.5e3,\"\\u0000\xE2\x82\xAC\",true,null]}";
    for (size_t len = 0; len < sizeof whole; len++) {
        struct arena mem;
        struct json json = { 0 };
        struct failure why = { 0 };
        char exact[sizeof whole]; /* filled to its end, so that a sanitizer sees an overrun */
        size_t at = sizeof exact - len;
        memcpy(exact + at, whole, len);
        arena_init(&mem, PLENTY);
        bool ok = json_read((struct view){ exact + at, len }, &mem, &json, &why);
        assert_int_equal(ok, len == sizeof whole - 1);
        assert_true(ok || why.kind == FAIL_NOT_JSON);
        json_free(&json);
        arena_drop(&mem);
    }
}

/* Each byte in each place of a small document: never a crash, and what is read is UTF-8. */
static void every_byte_everywhere_is_survived(void **state)
{
    (void)state;
    static const char whole[] = "[\"\\ud83d\\ude00\xC3\xA9\",-1.5]";
    for (size_t at = 0; at < sizeof whole - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            char bytes[sizeof whole];
            struct arena mem;
            struct json json = { 0 };
            struct failure why = { 0 };
            memcpy(bytes, whole, sizeof whole);
            bytes[at] = (char)byte;
            arena_init(&mem, PLENTY);
            bool ok = json_read((struct view){ bytes, sizeof whole - 1 }, &mem, &json, &why);
            struct view text = json_text(json_first(json.root));
            uint32_t code;
            for (size_t len; text.len > 0; text = view_skip(text, len)) {
                len = utf8_read(text, &code);
                assert_true(len > 0);
            }
            assert_true(ok || why.kind == FAIL_NOT_JSON);
            json_free(&json);
            arena_drop(&mem);
        }
}

/* --- writing ---------------------------------------------------------------------------------- */

static void text_is_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(written); i++) {
        char buffer[200];
        struct text text = text_over(buffer, sizeof buffer);
        struct json_writer writer = { &text, false };
        json_put_text(&writer, NULL, written[i].value);
        CHECK_VIEW(written[i].name, text_view(&text), view_of(written[i].out));
    }
}

static void say_the_document(struct json_writer *writer)
{
    json_open(writer, NULL, '{');
    json_put_text(writer, "text", VIEW("a\n\"b\"\x1B[0m"));
    json_put_number(writer, "number", -1234567890123LL);
    json_put_bool(writer, "yes", true);
    json_put_bool(writer, "no", false);
    json_put_null(writer, "none");
    json_open(writer, "list", '[');
    json_put_number(writer, NULL, 1);
    json_open(writer, NULL, '[');
    json_close(writer, ']');
    json_open(writer, NULL, '{');
    json_close(writer, '}');
    json_put_text(writer, NULL, VIEW("x"));
    json_close(writer, ']');
    json_put_node(writer, "absent", NULL);
    json_put_text(writer, "a \"key\"\n", VIEW(""));
    json_close(writer, '}');
}

static const char document[] =
    "{\"text\":\"a\\n\\\"b\\\"\\u001b[0m\",\"number\":-1234567890123,\"yes\":true,\"no\":false,"
    "\"none\":null,\"list\":[1,[],{},\"x\"],\"absent\":null,\"a \\\"key\\\"\\n\":\"\"}";

static void values_are_written_in_order(void **state)
{
    (void)state;
    char buffer[1000];
    struct text text = text_over(buffer, sizeof buffer);
    struct json_writer writer = { &text, false };
    say_the_document(&writer);
    assert_true(text_ok(&text));
    CHECK_VIEW("document", text_view(&text), view_of(document));
}

/* Every code point, one string for each block of 4096, through writer and reader. */
static void every_code_point_makes_the_round_trip(void **state)
{
    (void)state;
    for (uint32_t first = 0; first <= 0x10FFFF; first += 0x1000) {
        struct arena mem;
        arena_init(&mem, PLENTY);
        struct text plain = text_in(&mem, PLENTY);
        for (uint32_t code = first == 0 ? 1 : first; code < first + 0x1000; code++) {
            static const unsigned char leads[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };
            size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
            if (code >= 0xD800 && code <= 0xDFFF)
                continue;
            text_add_char(&plain, (char)(leads[len] | code >> 6 * (len - 1)));
            for (size_t i = len - 1; i-- > 0;)
                text_add_char(&plain, (char)(0x80 | (code >> 6 * i & 0x3F)));
        }
        struct text text = text_in(&mem, PLENTY);
        struct json_writer writer = { &text, false };
        json_put_text(&writer, NULL, text_view(&plain));
        struct json json = read_sound("round trip", text_view(&text), &mem);
        CHECK("round trip", view_equal(json_text(json.root), text_view(&plain)));
        CHECK("round trip", json.repaired == 0);
        json_free(&json);
        arena_drop(&mem);
    }
}

/* --- memory that runs out --------------------------------------------------------------------- */

static void reading_under_every_ceiling(void **state)
{
    (void)state;
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN * check_step()) {
        struct arena mem;
        struct json json = { 0 };
        struct failure why = { 0 };
        arena_init(&mem, ceiling);
        is_done = json_read(view_of(tree), &mem, &json, &why);
        assert_true(is_done || (why.kind == FAIL_INTERNAL && json.root == NULL));
        assert_true(ceiling < 4 * sizeof tree);
        json_free(&json);
        arena_drop(&mem);
    }
}

static void writing_under_every_ceiling(void **state)
{
    (void)state;
    struct view whole = view_of(document);
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN * check_step()) {
        struct arena mem;
        arena_init(&mem, ceiling);
        struct text text = text_in(&mem, PLENTY);
        struct json_writer writer = { &text, false };
        say_the_document(&writer);
        is_done = text_ok(&text);
        assert_true(view_starts(whole, text_view(&text)));
        assert_true(!is_done || text_view(&text).len == whole.len);
        assert_true(ceiling < 8 * sizeof document);
        arena_drop(&mem);
    }
}

static void showing_as_text_under_every_ceiling(void **state)
{
    (void)state;
    struct arena plenty;
    arena_init(&plenty, PLENTY);
    struct json json = read_sound("document", view_of(document), &plenty);
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN * check_step()) {
        struct arena mem;
        arena_init(&mem, ceiling);
        struct view got = json_as_text(json.root, &mem);
        is_done = got.len > 0;
        if (is_done)
            CHECK_VIEW("document", got, view_of(document));
        assert_true(ceiling < 8 * sizeof document);
        arena_drop(&mem);
    }
    json_free(&json);
    arena_drop(&plenty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_kinds_and_read_back),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(slips_of_templates_are_mended),
        cmocka_unit_test(what_is_sound_is_not_copied),
        cmocka_unit_test(a_fault_is_told_by_line_and_column),
        cmocka_unit_test(strings_are_mended),
        cmocka_unit_test(members_are_found_by_path),
        cmocka_unit_test(absent_is_nothing_to_every_reader),
        cmocka_unit_test(readers_want_their_kind),
        cmocka_unit_test(members_come_in_their_order),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(every_front_of_a_document_is_survived),
        cmocka_unit_test(every_byte_everywhere_is_survived),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(values_are_written_in_order),
        cmocka_unit_test(every_code_point_makes_the_round_trip),
        cmocka_unit_test(reading_under_every_ceiling),
        cmocka_unit_test(writing_under_every_ceiling),
        cmocka_unit_test(showing_as_text_under_every_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
