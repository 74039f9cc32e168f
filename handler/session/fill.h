/*
 * A template filled with values.  Each value says what it is, and that alone decides how it is
 * quoted: no template can let foreign text become anything but text.
 *
 * Owns:     nothing.
 * Units:    bytes.
 * Fails:    by breaking the text it writes to.
 * Threads:  any.
 *
 * A value on a line of its own cannot open a block; several lines stand in a fence that starts on a
 * fresh line behind an empty one, the first of them behind the evidence sentence.  A list's item
 * that finds no room is left out, and their number is told.  Nothing filled in is scanned again.
 */
#ifndef SESSION_FILL_H
#define SESSION_FILL_H

#include "alert/alert.h"
#include "session/template.h"

enum value_kind {
    VALUE_LINE,
    VALUE_KEY,   /* a line's beginning, and short */
    VALUE_TEXT,  /* a line where it has one and fits there, else a block */
    VALUE_BLOCK, /* always a block; gets what all else leaves */
    VALUE_WORD,  /* our own: as it is */
    VALUE_FLAG,  /* for sections alone */
    VALUE_LIST
};

struct value {
    const char *name;
    enum value_kind kind;
    struct view text;
    size_t max_bytes;          /* of a line; 0: what the limits say */
    bool is_set;               /* of a flag */
    const struct value *items; /* of a list: `width` values each */
    size_t width, count, left_out;
    bool is_free; /* of a list: not counted against the limit of lists */
};

struct values {
    const struct value *at;
    size_t count;
    const struct pairs *others; /* lines, by name, where no value has it; NULL: none */
};

struct fill_limits {
    size_t line_bytes;  /* a line's */
    size_t lists_bytes; /* all lists' */
    size_t text_bytes;  /* a VALUE_TEXT's */
    size_t block_bytes; /* all VALUE_BLOCKs' */
    bool has_no_blocks; /* as if every VALUE_BLOCK were absent */
};

void fill_template(const struct template *template, const struct values *values,
                   const struct fill_limits *limits, struct arena *mem, struct text *to);

#endif
