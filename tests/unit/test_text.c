/* Views, growing text and UTF-8: tables of what goes in and what comes out. */
#include "base/text.h"

#include "base/arena.h"
#include "unit/check.h"

#include <limits.h>

/* A literal that may hold NUL bytes. */
/* clang-format off */
#define BYTES(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

/* --- tables: views ---------------------------------------------------------------------------- */

static const struct {
    const char *a, *b;
    bool equal, fold, starts, starts_fold, contains; /* b in or at the start of a */
} pairs[] = {
    { "", "", true, true, true, true, true },
    { "", "a", false, false, false, false, false },
    { "a", "", false, false, true, true, true },
    { "abc", "abc", true, true, true, true, true },
    { "abc", "ABC", false, true, false, true, false },
    { "abcd", "abc", false, false, true, true, true },
    { "abcd", "ABC", false, false, false, true, false },
    { "abcd", "bcd", false, false, false, false, true },
    { "aab", "ab", false, false, false, false, true },
    { "abc", "abcd", false, false, false, false, false },
    { "[", "{", false, false, false, false, false }, /* not letters, 32 apart */
    { "@", "`", false, false, false, false, false },
    { "Z", "z", false, true, false, true, false },
    { "\xC3\x84", "\xC3\xA4", false, false, false, false, false }, /* only ASCII folds */
};

static const struct {
    const char *whole;
    bool found;
    const char *head, *tail;
} cuts[] = {
    { "", false, "", "" },         { "=", true, "", "" },   { "a", false, "a", "" },
    { "a=b", true, "a", "b" },     { "=b", true, "", "b" }, { "a=", true, "a", "" },
    { "a=b=c", true, "a", "b=c" }, { "==", true, "", "=" },
};

static const struct {
    const char *whole, *trimmed;
} trims[] = {
    { "", "" },
    { "a", "a" },
    { "  ", "" },
    { " \t\n\v\f\r", "" },
    { " a b\t", "a b" },
    { "\r\na\r\n", "a" },
    { "\xC2\xA0"
      "a",
      "\xC2\xA0"
      "a" }, /* a no-break space is not ASCII */
    { "\x1F"
      "a",
      "\x1F"
      "a" },
};

/* a, e acute (2 bytes), euro (3), grinning face (4): 10 bytes. */
#define MIXED "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"
static const size_t mixed_caps[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 10 };

static const struct {
    const char *whole;
    long long min, max;
    bool is_number;
    long long number;
} numbers[] = {
    { "0", 0, 4, true, 0 },
    { "4", 0, 4, true, 4 },
    { "5", 0, 4, false, 0 },
    { "-1", 0, 4, false, 0 },
    { "-1", -1, 4, true, -1 },
    { "-2", -1, 4, false, 0 },
    { "-0", 0, 0, true, 0 },
    { "007", 0, 9, true, 7 },
    { "1048576", 1, INT_MAX, true, 1048576 },
    { "999999999999999999", 0, LLONG_MAX, true, 999999999999999999 },
    { "-999999999999999999", LLONG_MIN, 0, true, -999999999999999999 },
    { "1000000000000000000", 0, LLONG_MAX, true, 1000000000000000000 },
    { "9223372036854775807", 0, LLONG_MAX, true, LLONG_MAX },
    { "-9223372036854775808", LLONG_MIN, 0, true, LLONG_MIN },
    { "9223372036854775808", LLONG_MIN, LLONG_MAX, false, 0 },
    { "-9223372036854775809", LLONG_MIN, LLONG_MAX, false, 0 },
    { "18446744073709551616", LLONG_MIN, LLONG_MAX, false, 0 }, /* 2^64 wraps to 0 */
    { "99999999999999999999999999", LLONG_MIN, LLONG_MAX, false, 0 },
    { "", LLONG_MIN, LLONG_MAX, false, 0 },
    { "-", LLONG_MIN, LLONG_MAX, false, 0 },
    { "+", LLONG_MIN, LLONG_MAX, false, 0 },
    { "--1", LLONG_MIN, LLONG_MAX, false, 0 },
    { "-+1", LLONG_MIN, LLONG_MAX, false, 0 },
    { " 1", LLONG_MIN, LLONG_MAX, false, 0 },
    { "1 ", LLONG_MIN, LLONG_MAX, false, 0 },
    { "1\n", LLONG_MIN, LLONG_MAX, false, 0 },
    { "1.0", LLONG_MIN, LLONG_MAX, false, 0 },
    { "1e3", LLONG_MIN, LLONG_MAX, false, 0 },
    { "0x10", LLONG_MIN, LLONG_MAX, false, 0 },
    { "1_000", LLONG_MIN, LLONG_MAX, false, 0 },
    { "Sev0", LLONG_MIN, LLONG_MAX, false, 0 },
    { "1-", LLONG_MIN, LLONG_MAX, false, 0 },
    { "\xD9\xA1", LLONG_MIN, LLONG_MAX, false, 0 }, /* an Arabic digit */
};

static const struct {
    long long number;
    const char *text;
} digits[] = {
    { 0, "0" },
    { 7, "7" },
    { -7, "-7" },
    { 10, "10" },
    { 1000000, "1000000" },
    { INT_MIN, "-2147483648" },
    { LLONG_MAX, "9223372036854775807" },
    { LLONG_MIN, "-9223372036854775808" },
};

/* --- tables: UTF-8 ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct view bytes;
    uint32_t code;
} sound[] = {
    { "NUL", BYTES("\0"), 0 },
    { "last of 1 byte", BYTES("\x7F"), 0x7F },
    { "first of 2", BYTES("\xC2\x80"), 0x80 },
    { "last of 2", BYTES("\xDF\xBF"), 0x7FF },
    { "first of 3", BYTES("\xE0\xA0\x80"), 0x800 },
    { "before the surrogates", BYTES("\xED\x9F\xBF"), 0xD7FF },
    { "after the surrogates", BYTES("\xEE\x80\x80"), 0xE000 },
    { "replacement character", BYTES("\xEF\xBF\xBD"), 0xFFFD },
    { "last of 3", BYTES("\xEF\xBF\xBF"), 0xFFFF },
    { "first of 4", BYTES("\xF0\x90\x80\x80"), 0x10000 },
    { "last of 4", BYTES("\xF4\x8F\xBF\xBF"), 0x10FFFF },
};

static const struct {
    const char *name;
    struct view bytes;
} unsound[] = {
    { "nothing", BYTES("") },
    { "continuation, first", BYTES("\x80") },
    { "continuation, last", BYTES("\xBF\x80") },
    { "overlong NUL", BYTES("\xC0\x80") },
    { "overlong slash", BYTES("\xC0\xAF") },
    { "overlong, last of 2", BYTES("\xC1\xBF") },
    { "overlong NUL of 3", BYTES("\xE0\x80\x80") },
    { "overlong, last of 3", BYTES("\xE0\x9F\xBF") },
    { "overlong NUL of 4", BYTES("\xF0\x80\x80\x80") },
    { "overlong, last of 4", BYTES("\xF0\x8F\xBF\xBF") },
    { "first surrogate", BYTES("\xED\xA0\x80") },
    { "last high surrogate", BYTES("\xED\xAF\xBF") },
    { "first low surrogate", BYTES("\xED\xB0\x80") },
    { "last surrogate", BYTES("\xED\xBF\xBF") },
    { "surrogate pair", BYTES("\xED\xA0\xBD\xED\xB8\x80") },
    { "beyond U+10FFFF", BYTES("\xF4\x90\x80\x80") },
    { "far beyond", BYTES("\xF7\xBF\xBF\xBF") },
    { "5 bytes", BYTES("\xF8\x88\x80\x80\x80") },
    { "6 bytes", BYTES("\xFC\x84\x80\x80\x80\x80") },
    { "FE", BYTES("\xFE\x80\x80\x80\x80\x80\x80") },
    { "FF", BYTES("\xFF\xFF") },
    { "2, then a letter", BYTES("\xC3(") },
    { "2, then a lead", BYTES("\xC3\xC3") },
    { "3, third is a letter", BYTES("\xE2\x82(") },
    { "3, second is a letter", BYTES("\xE2(\xAC") },
    { "4, last is a lead", BYTES("\xF0\x9F\x98\xF0") },
    { "4, second is NUL", BYTES("\xF0\0\x98\x80") },
};

static const struct {
    uint32_t code;
    bool is_invisible;
} codes[] = {
    { 0x00, true },     { 0x09, true },      { 0x0A, true },     { 0x1B, true },
    { 0x1F, true },     { 0x20, false },     { 0x7E, false },    { 0x7F, true },
    { 0x85, true },     { 0x9B, true },      { 0x9F, true },     { 0xA0, false },
    { 0xAD, true },     { 0xE9, false },     { 0x61B, false },   { 0x61C, true },
    { 0x200A, false },  { 0x200B, true },    { 0x200E, true },   { 0x200F, true },
    { 0x2010, false },  { 0x2027, false },   { 0x2028, true },   { 0x2029, true },
    { 0x202A, true },   { 0x202E, true },    { 0x202F, false },  { 0x2060, true },
    { 0x2066, true },   { 0x2069, true },    { 0x206F, true },   { 0x2070, false },
    { 0x20AC, false },  { 0x3164, true },    { 0xFE0F, true },   { 0xFEFF, true },
    { 0xFFFB, true },   { 0xFFFD, false },   { 0x1F600, false }, { 0xE0000, true },
    { 0xE0001, true },  { 0xE007F, true },   { 0xE0100, true },  { 0xE0FFF, true },
    { 0xE1000, false }, { 0x10FFFF, false },
};

/* --- views ------------------------------------------------------------------------------------ */

static void views_compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct view a = view_of(pairs[i].a);
        struct view b = view_of(pairs[i].b);
        CHECK(pairs[i].a, view_equal(a, b) == pairs[i].equal);
        CHECK(pairs[i].a, view_equal(b, a) == pairs[i].equal);
        CHECK(pairs[i].a, view_equal_fold(a, b) == pairs[i].fold);
        CHECK(pairs[i].a, view_equal_fold(b, a) == pairs[i].fold);
        CHECK(pairs[i].a, view_starts(a, b) == pairs[i].starts);
        CHECK(pairs[i].a, view_starts_fold(a, b) == pairs[i].starts_fold);
        CHECK(pairs[i].a, view_contains(a, b) == pairs[i].contains);
    }
}

static void empty_views_are_all_the_same(void **state)
{
    (void)state;
    struct view none = { 0 };
    assert_int_equal(view_of(NULL).len, 0);
    assert_null(view_of(NULL).at);
    assert_true(view_equal(none, VIEW("")));
    assert_true(view_equal_fold(none, VIEW("")));
    assert_true(view_starts(none, none));
    assert_true(view_contains(none, none));
    assert_true(view_contains(VIEW("a"), none));
    assert_false(view_contains(none, VIEW("a")));
    assert_int_equal(view_trim(none).len, 0);
    assert_int_equal(view_skip(none, 3).len, 0);
    assert_int_equal(view_cap(none, 3).len, 0);
}

static void views_hold_nul_bytes(void **state)
{
    (void)state;
    assert_true(view_equal(VIEW("a\0b"), VIEW("a\0b")));
    assert_false(view_equal(VIEW("a\0b"), VIEW("a\0c")));
    assert_true(view_contains(VIEW("a\0bc"), VIEW("\0b")));
}

static void skipping_is_clamped(void **state)
{
    (void)state;
    CHECK_VIEW("0", view_skip(VIEW("abc"), 0), VIEW("abc"));
    CHECK_VIEW("2", view_skip(VIEW("abc"), 2), VIEW("c"));
    CHECK_VIEW("3", view_skip(VIEW("abc"), 3), VIEW(""));
    CHECK_VIEW("4", view_skip(VIEW("abc"), 4), VIEW(""));
    CHECK_VIEW("all", view_skip(VIEW("abc"), SIZE_MAX), VIEW(""));
}

static void cutting_gives_both_sides(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        struct view head, tail;
        const char *name = cuts[i].whole;
        CHECK(name, view_cut(view_of(name), '=', &head, &tail) == cuts[i].found);
        CHECK_VIEW(name, head, view_of(cuts[i].head));
        CHECK_VIEW(name, tail, view_of(cuts[i].tail));
    }
}

static void cutting_may_overwrite_its_source(void **state)
{
    (void)state;
    struct view rest = VIEW("a,b,,c");
    struct view item;
    static const char *const wanted[] = { "a", "b", "", "c" };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_int_equal(view_cut(rest, ',', &item, &rest), i < 3);
        CHECK_VIEW(wanted[i], item, view_of(wanted[i]));
    }
    struct view both = VIEW("k=v");
    struct view tail;
    assert_true(view_cut(both, '=', &both, &tail));
    CHECK_VIEW("head", both, VIEW("k"));
    CHECK_VIEW("tail", tail, VIEW("v"));
}

static void trimming_takes_ascii_white_space(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(trims); i++)
        CHECK_VIEW(trims[i].whole, view_trim(view_of(trims[i].whole)), view_of(trims[i].trimmed));
}

static void capping_keeps_characters_whole(void **state)
{
    (void)state;
    for (size_t max = 0; max < COUNT_OF(mixed_caps); max++) {
        struct view capped = view_cap(VIEW(MIXED), max);
        assert_int_equal(capped.len, mixed_caps[max]);
        CHECK("a front of the whole", view_starts(VIEW(MIXED), capped));
    }
    assert_int_equal(view_cap(VIEW(MIXED), SIZE_MAX).len, 10);
}

static void numbers_are_read_within_a_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        long long got = -77;
        bool is_number =
            view_to_number(view_of(numbers[i].whole), numbers[i].min, numbers[i].max, &got);
        CHECK(numbers[i].whole, is_number == numbers[i].is_number);
        CHECK(numbers[i].whole, got == (is_number ? numbers[i].number : -77));
    }
    long long out = 5;
    assert_false(view_to_number((struct view){ 0 }, 0, 9, &out));
    assert_false(view_to_number(VIEW("1\0"), 0, 9, &out));
    assert_int_equal(out, 5);
}

static void kept_views_are_copies_with_a_nul(void **state)
{
    (void)state;
    char bytes[] = "abc";
    struct arena mem;
    arena_init(&mem, 32);
    struct view kept = view_keep((struct view){ bytes, 2 }, &mem);
    bytes[0] = 'x';
    CHECK_VIEW("copy", kept, VIEW("ab"));
    assert_int_equal(kept.at[2], '\0');
    struct view empty = view_keep((struct view){ 0 }, &mem);
    assert_non_null(empty.at);
    assert_int_equal(empty.len, 0);
    assert_null(view_keep(VIEW("no room"), &mem).at);
    arena_drop(&mem);
}

/* --- text ------------------------------------------------------------------------------------- */

static void text_starts_empty(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 1024);
    struct text text = text_in(&mem, 100);
    assert_true(text_ok(&text));
    CHECK_VIEW("empty", text_view(&text), VIEW(""));
    assert_string_equal(text_view(&text).at, "");
    text_add(&text, (struct view){ 0 });
    text_add_string(&text, NULL);
    text_add_repeated(&text, 'x', 0);
    assert_true(text_ok(&text));
    assert_int_equal(text_view(&text).len, 0);
    arena_drop(&mem);
}

static void numbers_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(digits); i++) {
        char buffer[32];
        struct text text = text_over(buffer, sizeof buffer);
        text_add_number(&text, digits[i].number);
        CHECK_VIEW(digits[i].text, text_view(&text), view_of(digits[i].text));
        assert_string_equal(buffer, digits[i].text);
    }
}

static const struct {
    const char *name, *piece, *escaped;
} url_parts[] = {
    { "empty", "", "" },
    { "plain", "azAZ09-._~", "azAZ09-._~" },
    { "ASCII", "a b/c?d&e=f%g+h", "a%20b%2Fc%3Fd%26e%3Df%25g%2Bh" },
    { "UTF-8", "\xc3\xa9", "%C3%A9" },
    { "control", "\n\x7f", "%0A%7F" },
};

static void url_parts_are_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(url_parts); i++) {
        char buffer[64];
        struct text text = text_over(buffer, sizeof buffer);
        text_add_escaped(&text, view_of(url_parts[i].piece));
        CHECK_VIEW(url_parts[i].name, text_view(&text), view_of(url_parts[i].escaped));
    }
}

static void fixed_buffers_end_in_a_nul(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 8; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof buffer);
        struct text text = text_over(buffer, size);
        assert_int_equal(buffer[0], '\0');
        text_reserve(&text, 100); /* a hint that a fixed buffer cannot follow */
        assert_true(text_ok(&text));
        for (size_t i = 1; i < size; i++)
            text_add_char(&text, 'x');
        assert_true(text_ok(&text));
        assert_int_equal(strlen(buffer), size - 1);
        text_add_char(&text, 'y');
        assert_false(text_ok(&text));
        assert_int_equal(strlen(buffer), size - 1);
        assert_null(memchr(buffer, 'y', sizeof buffer));
        assert_int_equal(buffer[size], '#');
    }
}

static void failure_sticks(void **state)
{
    (void)state;
    char buffer[4];
    struct text text = text_over(buffer, sizeof buffer);
    text_add_string(&text, "ab");
    text_add_string(&text, "too long");
    assert_false(text_ok(&text));
    text_add_char(&text, 'c'); /* would fit */
    text_add_number(&text, 1);
    text_add_repeated(&text, 'x', 1);
    assert_false(text_ok(&text));
    CHECK_VIEW("nothing after the failure", text_view(&text), VIEW("ab"));
    assert_string_equal(buffer, "ab");
}

static void ceilings_are_exact(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling <= 300; ceiling++) {
        struct arena mem;
        arena_init(&mem, 64 * 1024);
        struct text text = text_in(&mem, ceiling);
        if (ceiling % 2 == 1)
            text_reserve(&text, 1000000);
        text_add_repeated(&text, 'x', ceiling);
        assert_true(text_ok(&text));
        assert_int_equal(text_view(&text).len, ceiling);
        text_add_char(&text, 'y');
        assert_false(text_ok(&text));
        assert_int_equal(text_view(&text).len, ceiling);
        assert_int_equal(text_view(&text).at[ceiling], '\0');
        arena_drop(&mem);
    }
}

/* A ceiling that means "as much as there is" must not wrap when the NUL is counted. */
static void largest_ceiling_is_no_ceiling(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 4096);
    struct text text = text_in(&mem, SIZE_MAX);
    text_add_string(&text, "hello");
    assert_non_null(arena_get(&mem, 64)); /* zeroed: lies behind the text, not upon it */
    assert_true(text_ok(&text));
    CHECK_VIEW("hello", text_view(&text), VIEW("hello"));
    arena_drop(&mem);
}

static void reserving_saves_growing(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 64 * 1024);
    struct text text = text_in(&mem, 10000);
    text_reserve(&text, 5000);
    size_t used = mem.used;
    text_add_repeated(&text, 'x', 5000);
    assert_true(text_ok(&text));
    assert_int_equal(mem.used, used);
    arena_drop(&mem);
}

/* Two that grow by turns: neither is the newest piece all the time. */
static void texts_grow_side_by_side(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 1024 * 1024);
    struct text a = text_in(&mem, 5000);
    struct text b = text_in(&mem, 5000);
    for (int i = 0; i < 5000; i++) {
        text_add_char(&a, 'a');
        text_add_char(&b, 'b');
    }
    assert_true(text_ok(&a) && text_ok(&b));
    assert_int_equal(strspn(text_view(&a).at, "a"), 5000);
    assert_int_equal(strspn(text_view(&b).at, "b"), 5000);
    arena_drop(&mem);
}

static void say_the_piece(struct text *text)
{
    for (int i = 0; i < 40; i++) {
        text_add_number(text, i);
        text_add_string(text, ": a line of text");
        text_add_char(text, '\n');
    }
}

static void every_arena_ceiling_gives_all_or_a_failure(void **state)
{
    (void)state;
    char buffer[4096];
    struct text whole = text_over(buffer, sizeof buffer);
    say_the_piece(&whole);
    assert_true(text_ok(&whole));
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN) {
        struct arena mem;
        arena_init(&mem, ceiling);
        struct text text = text_in(&mem, 100000);
        say_the_piece(&text);
        is_done = text_ok(&text);
        struct view got = text_view(&text);
        assert_true(view_starts(text_view(&whole), got));
        assert_int_equal(got.at[got.len], '\0');
        assert_true(!is_done || got.len == whole.len);
        assert_true(ceiling < 4 * sizeof buffer);
        arena_drop(&mem);
    }
}

/* --- UTF-8 ------------------------------------------------------------------------------------ */

static size_t encode(uint32_t code, char out[4])
{
    static const unsigned char leads[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(leads[len] | code);
    return len;
}

static void sound_characters_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sound); i++) {
        uint32_t code = 0xABCDEF;
        CHECK(sound[i].name, utf8_read(sound[i].bytes, &code) == sound[i].bytes.len);
        CHECK(sound[i].name, code == sound[i].code);
        for (size_t len = 0; len < sound[i].bytes.len; len++)
            CHECK(sound[i].name, utf8_read((struct view){ sound[i].bytes.at, len }, &code) == 0);
    }
}

static void unsound_bytes_are_refused(void **state)
{
    (void)state;
    uint32_t code;
    for (size_t i = 0; i < COUNT_OF(unsound); i++)
        CHECK(unsound[i].name, utf8_read(unsound[i].bytes, &code) == 0);
    assert_int_equal(utf8_read((struct view){ 0 }, &code), 0);
}

/* With a letter behind it, so that a length too large shows. */
static void every_code_point_reads_back(void **state)
{
    (void)state;
    for (uint32_t wanted = 0; wanted <= 0x110010; wanted++) {
        char bytes[5] = { 0 };
        uint32_t got = 0xABCDEF;
        size_t len = encode(wanted, bytes);
        bytes[len] = 'x';
        bool is_sound = wanted <= 0x10FFFF && (wanted < 0xD800 || wanted > 0xDFFF);
        assert_int_equal(utf8_read((struct view){ bytes, len + 1 }, &got), is_sound ? len : 0);
        assert_int_equal(got, is_sound ? wanted : 0xABCDEF);
    }
}

static void invisible_code_points_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (utf8_is_invisible(codes[i].code) != codes[i].is_invisible) {
            print_error("U+%04X\n", (unsigned)codes[i].code);
            fail();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare),
        cmocka_unit_test(empty_views_are_all_the_same),
        cmocka_unit_test(views_hold_nul_bytes),
        cmocka_unit_test(skipping_is_clamped),
        cmocka_unit_test(cutting_gives_both_sides),
        cmocka_unit_test(cutting_may_overwrite_its_source),
        cmocka_unit_test(trimming_takes_ascii_white_space),
        cmocka_unit_test(capping_keeps_characters_whole),
        cmocka_unit_test(numbers_are_read_within_a_range),
        cmocka_unit_test(kept_views_are_copies_with_a_nul),
        cmocka_unit_test(text_starts_empty),
        cmocka_unit_test(numbers_are_written),
        cmocka_unit_test(url_parts_are_escaped),
        cmocka_unit_test(fixed_buffers_end_in_a_nul),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(ceilings_are_exact),
        cmocka_unit_test(largest_ceiling_is_no_ceiling),
        cmocka_unit_test(reserving_saves_growing),
        cmocka_unit_test(texts_grow_side_by_side),
        cmocka_unit_test(every_arena_ceiling_gives_all_or_a_failure),
        cmocka_unit_test(sound_characters_are_read),
        cmocka_unit_test(unsound_bytes_are_refused),
        cmocka_unit_test(every_code_point_reads_back),
        cmocka_unit_test(invisible_code_points_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
