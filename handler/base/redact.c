/*
 * One pass from left to right: what lies between two secrets is copied in one piece.  What has been
 * written is never looked at again.
 */
#include "base/redact.h"

#include "base/arena.h"
#include "base/redact_named.h"
#include "base/redact_rules.h"

static const char *const words[] = {
#define X(name, word) word,
    REDACT_KINDS(X)
#undef X
};

/* --- labels ----------------------------------------------------------------------------------- */

/*
 * A tree in which the bits of the hash show the way: never deeper than these bits, so nobody can make
 * it slow.  Secrets whose hashes are made to collide beyond that get a label of their own each time.
 */
struct redact_secret {
    uint64_t hash;
    struct view bytes;
    enum redact_kind kind;
    size_t number;
    struct redact_secret *next[2];
};

static uint64_t hash_of(struct view bytes)
{
    uint64_t hash = 0xCBF29CE484222325U; /* FNV-1a */
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.at[i]) * 0x100000001B3U;
    return hash ^ hash >> 29;
}

static const struct redact_secret *recall(struct redactor *redactor, struct view bytes,
                                          enum redact_kind kind)
{
    uint64_t hash = hash_of(bytes);
    struct redact_secret **at = &redactor->known;
    for (int bit = 0; *at != NULL && bit < 64; bit++) {
        if ((*at)->hash == hash && view_equal((*at)->bytes, bytes))
            return *at;
        at = &(*at)->next[hash >> bit & 1];
    }
    struct redact_secret *secret = arena_get(redactor->mem, sizeof *secret);
    struct view kept = view_keep(bytes, redactor->mem);
    if (secret == NULL || kept.at == NULL)
        return NULL;
    *secret = (struct redact_secret){
        .hash = hash, .bytes = kept, .kind = kind, .number = ++redactor->numbers[kind]
    };
    if (*at == NULL)
        *at = secret;
    return secret;
}

static void add_label(struct redactor *redactor, struct view bytes, enum redact_kind kind,
                      struct text *to)
{
    const struct redact_secret *secret =
        redactor->mem == NULL ? NULL : recall(redactor, bytes, kind);
    if (secret == NULL && redactor->mem != NULL) {
        to->broken = true;
        return;
    }
    char buffer[64];
    struct text label = text_over(buffer, sizeof buffer);
    text_add_string(&label, "[redacted:");
    text_add_string(&label, words[secret == NULL ? kind : secret->kind]);
    if (secret != NULL) {
        text_add_char(&label, '-');
        text_add_number(&label, (long long)secret->number);
    }
    text_add_char(&label, ']');
    text_add(to, text_view(&label)); /* whole or not at all */
}

/* --- the pass --------------------------------------------------------------------------------- */

struct redactor redactor_begin(const struct redact_settings *settings, struct arena *mem)
{
    struct redactor redactor = { .settings = settings, .mem = mem };
    redact_set_starts(&redactor);
    return redactor;
}

static bool is_off(const struct redactor *redactor)
{
    return redactor->settings != NULL && redactor->settings->is_off;
}

/* The next secret from `at` on. */
static bool find_next(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    while ((at = redact_next(scan, at)) < scan->all.len) {
        if (redact_find(scan, at, out))
            return true;
        at++;
    }
    return false;
}

static struct view part_of(struct view all, size_t from, size_t until)
{
    return (struct view){ all.at + from, until - from };
}

/* Writes all up to behind the last secret, and says where that is; false when it has to stop before. */
static bool add_all(struct redactor *redactor, struct view foreign, struct text *to,
                    bool (*add)(struct text *, struct view), size_t *done)
{
    struct redact_scan scan = { .redactor = redactor, .all = foreign };
    struct redact_found found;
    *done = 0;
    while (!is_off(redactor) && find_next(&scan, *done, &found)) {
        size_t from = found.from > *done ? found.from : *done;
        if (*done == 0)
            text_reserve(to, foreign.len);
        if (!add(to, part_of(foreign, *done, from)))
            return false;
        add_label(redactor, part_of(foreign, from, found.until), found.kind, to);
        redactor->count++;
        *done = found.until;
    }
    return text_ok(to);
}

static bool add_whole(struct text *to, struct view piece)
{
    text_add(to, piece);
    return text_ok(to);
}

void redact_add(struct redactor *redactor, struct view foreign, struct text *to)
{
    size_t done;
    if (add_all(redactor, foreign, to, add_whole, &done))
        text_add(to, view_skip(foreign, done));
}

bool redact_add_some(struct redactor *redactor, struct view foreign, struct text *to)
{
    size_t done;
    return add_all(redactor, foreign, to, text_add_some, &done)
           && text_add_some(to, view_skip(foreign, done));
}

struct view redact(struct redactor *redactor, struct view foreign, struct arena *mem)
{
    struct text text = text_in(mem, SIZE_MAX);
    size_t done;
    if (add_all(redactor, foreign, &text, add_whole, &done) && done == 0)
        return foreign;
    text_add(&text, view_skip(foreign, done));
    return text_ok(&text) ? text_view(&text) : (struct view){ 0 };
}

struct view redact_value(struct redactor *redactor, struct view name, struct view foreign,
                         struct arena *mem)
{
    struct redact_scan scan = { .redactor = redactor, .all = foreign };
    struct redact_found found;
    if (is_off(redactor) || !redact_find_value(&scan, name, &found))
        return redact(redactor, foreign, mem);
    struct text text = text_in(mem, SIZE_MAX);
    text_add(&text, part_of(foreign, 0, found.from));
    add_label(redactor, part_of(foreign, found.from, found.until), found.kind, &text);
    text_add(&text, view_skip(foreign, found.until));
    redactor->count++;
    return text_ok(&text) ? text_view(&text) : (struct view){ 0 };
}
