/*
 * JSON in and out.  What plain cJSON lets pass is guarded here, once: member names compare with
 * case, the last of duplicate members counts (as JSON.parse has it), text after the value is
 * refused, "\u0000" and half surrogate pairs become U+FFFD, so does every byte that is not UTF-8,
 * a number is finite or it is not a number, and neither nesting nor number of values is endless.
 * Two slips of templates are mended: a comma behind the last member, and control characters that
 * stand unescaped inside a string.
 *
 * Owns:     json_read() allocates a tree (malloc) that json_free() releases; views point into it.
 * Units:    paths are member names joined by dots: "data.essentials.severity".
 * Fails:    absent is NULL and every reader below takes NULL; absent is not the same as wrong.
 * Threads:  a document belongs to one thread; there is no shared state.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/failure.h"
#include "base/text.h"

struct arena;
struct cJSON;

enum json_kind {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_HUGE, /* a number beyond what a double holds: 1e999 */
    JSON_TEXT,
    JSON_LIST,
    JSON_OBJECT
};

struct json {
    struct cJSON *root;
    size_t repaired; /* how many bytes and escapes became U+FFFD */
    bool is_mended;  /* it was no JSON until a template's slips were mended */
};

/*
 * Parses all of `bytes`.  On false `why` is FAIL_NOT_JSON, which says where (or FAIL_INTERNAL
 * without memory), and there is nothing to free.  `mem` holds a scratch copy where something had to
 * be mended.
 */
bool json_read(struct view bytes, struct arena *mem, struct json *out,
               struct failure *why) MUST_CHECK;
void json_free(struct json *json);

const struct cJSON *json_at(const struct cJSON *node, const char *path);
/* As json_at() for one member whose name may itself hold dots. */
const struct cJSON *json_member(const struct cJSON *node, struct view name);
enum json_kind json_kind(const struct cJSON *node);
struct view json_key(const struct cJSON *member); /* empty for list items and the root */
struct view json_text(const struct cJSON *node);  /* empty unless it is a string */
double json_number(const struct cJSON *node);     /* 0 unless it is a finite number */
bool json_is_true(const struct cJSON *node);      /* the literal true */
/* Of a list's items or an object's members. */
const struct cJSON *json_first(const struct cJSON *node);
const struct cJSON *json_next(const struct cJSON *node);

/* A string's own text, or the JSON of anything else, compact; empty when absent or null. */
struct view json_as_text(const struct cJSON *node, struct arena *mem);

/*
 * Writing: values in the order they are put; a NULL key is for list items and the root.  Text is
 * escaped so that no control, separator or bidi character leaves unescaped, and made valid UTF-8.
 */
struct json_writer {
    struct text *to;
    bool needs_comma;
};

void json_open(struct json_writer *writer, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json_writer *writer, char bracket);                 /* '}' or ']' */
void json_put_text(struct json_writer *writer, const char *key, struct view value);
void json_put_number(struct json_writer *writer, const char *key, long long value);
void json_put_bool(struct json_writer *writer, const char *key, bool value);
void json_put_null(struct json_writer *writer, const char *key);
void json_put_raw(struct json_writer *writer, const char *key, struct view json); /* as it is */
void json_put_members(struct json_writer *writer,
                      struct view members); /* "a":1,"b":2 as they are */
void json_put_node(struct json_writer *writer, const char *key, const struct cJSON *node);

/* cJSON's version. */
const char *json_library(void);

#endif
