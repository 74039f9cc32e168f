/*
 * What the fuzz targets share.  Each target is one parser of foreign bytes: whatever comes, it must
 * neither crash nor break the claims the target makes about what it gives back.
 *
 * Owns:     nothing.
 * Units:    bytes.
 * Fails:    by abort(), which libFuzzer reports together with the input.
 * Threads:  one.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/arena.h"
#include "base/failure.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { FUZZ_BYTES = 256 * 1024 * 1024 };

/* What libFuzzer calls; it always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define CLAIM(condition) fuzz_claim((condition), #condition, __FILE__, __LINE__)

static inline void fuzz_claim(bool is_true, const char *claim, const char *file, int line)
{
    if (is_true)
        return;
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, claim);
    abort();
}

/* Valid UTF-8 without anything invisible, line feed and tab apart where `may_have_lines`. */
static inline bool fuzz_is_clean(struct view text, bool may_have_lines)
{
    while (text.len > 0) {
        uint32_t code = 0;
        size_t len = utf8_read(text, &code);
        bool is_layout = may_have_lines && (code == '\n' || code == '\t');
        if (len == 0 || (utf8_is_invisible(code) && !is_layout))
            return false;
        text = view_skip(text, len);
    }
    return true;
}

static inline bool fuzz_is_utf8(struct view text)
{
    uint32_t code = 0;
    while (text.len > 0) {
        size_t len = utf8_read(text, &code);
        if (len == 0)
            return false;
        text = view_skip(text, len);
    }
    return true;
}

/*
 * JSON of ours is clean, and reads back with nothing to mend but the NULs we were given; to be freed
 * with json_free().
 */
static inline struct json fuzz_read_ours(struct view bytes, struct arena *mem)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    CLAIM(fuzz_is_clean(bytes, false));
    CLAIM(json_read(bytes, mem, &json, &why));
    CLAIM(json.repaired == 0 || view_contains(bytes, VIEW("\\u0000")));
    CLAIM(json_kind(json.root) == JSON_OBJECT);
    return json;
}

#endif
