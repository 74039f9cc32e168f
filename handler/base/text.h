/*
 * Text with a length: `struct view` borrows it, `struct text` is the one thing that grows.
 *
 * Owns:     nothing; a view's bytes belong to somebody else, a text's to its arena or fixed buffer.
 * Units:    lengths are bytes and never count the NUL.  A text's bytes always end in a NUL.
 * Fails:    by going quiet: text_ok() is false after the first append that did not fit.
 * Threads:  one owner at a time, no locks.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* A zeroed view is the empty text, and stands for "absent" where that matters. */
struct view {
    const char *at;
    size_t len;
};

/* A view of a string literal. */
#define VIEW(literal)   ((struct view){ (literal), sizeof(literal) - 1 })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct view view_of(const char *string); /* NULL gives the empty view */
bool view_equal(struct view a, struct view b);
bool view_equal_fold(struct view a, struct view b); /* ASCII letters compare without case */
int view_order_fold(struct view a, struct view b);  /* below, at or above 0, for sorting */
bool view_starts(struct view whole, struct view start);
bool view_starts_fold(struct view whole, struct view start);
bool view_contains(struct view whole, struct view part);
struct view view_skip(struct view whole, size_t count); /* count is clamped to the length */
struct view view_trim(struct view whole);               /* ASCII white space off both ends */

/*
 * Cuts at the first `mark`: true and both sides without it, or false with all in `head`.
 * `head` and `tail` may point at the variable that `whole` came from.
 */
bool view_cut(struct view whole, char mark, struct view *head, struct view *tail);

/* At most `max_bytes`, never ending inside a UTF-8 character. */
struct view view_cap(struct view whole, size_t max_bytes);

/* A whole decimal number within [min, max]: digits and an optional sign, nothing else. */
bool view_to_number(struct view whole, long long min, long long max, long long *out);

/* Copies into the arena, with a NUL behind it; a view with NULL `at` when there is no room. */
struct view view_keep(struct view whole, struct arena *mem);

struct text {
    struct arena *mem; /* NULL: the buffer is fixed */
    char *bytes;
    size_t len;
    size_t room; /* bytes allocated, the NUL's included */
    size_t ceiling;
    bool broken;
};

/* Grows in `mem` up to `ceiling` bytes. */
struct text text_in(struct arena *mem, size_t ceiling);

/* Writes to `buffer`, which holds `size` bytes (at least 1) and stays the caller's. */
struct text text_over(char *buffer, size_t size);

/* Makes room for `more` bytes at once where it is known how much will come; only a hint. */
void text_reserve(struct text *text, size_t more);

/*
 * Once an append has failed the later ones do nothing, so a writer says its whole piece and asks
 * text_ok() once, at the end.
 */
void text_add(struct text *text, struct view piece);
/* As much as the ceiling allows, ending between two characters; false when that is not all. */
bool text_add_some(struct text *text, struct view piece);
void text_add_folded(struct text *text, struct view piece); /* ASCII letters in lower case */
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_add_number(struct text *text, long long number);
/* For a URL: all but letters, digits and "-._~" becomes %XX (RFC 3986, section 2.3). */
void text_add_escaped(struct text *text, struct view piece);
void text_add_repeated(struct text *text, char c, size_t count);

bool text_ok(const struct text *text);
struct view text_view(const struct text *text);

/*
 * The bytes of the UTF-8 character at the front of `bytes` (1 to 4), its code point in `*code`; 0
 * when the bytes there are not UTF-8 (overlong, surrogate, beyond U+10FFFF, cut off) or none are.
 */
size_t utf8_read(struct view bytes, uint32_t *code);

/*
 * Code points that show nothing or rearrange what is shown: C0, DEL and C1 controls (tab and line
 * feed too), line and paragraph separator, bidi marks, zero-width characters, fillers, variation
 * selectors, tags.
 */
bool utf8_is_invisible(uint32_t code);

#endif
