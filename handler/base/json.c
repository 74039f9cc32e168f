/*
 * cJSON parses, this file distrusts.  Text is mended before cJSON sees it, because cJSON cuts a
 * string at "\u0000" and passes invalid UTF-8 on; unescaped control characters inside a string it
 * takes as they are.  Writing does not go through cJSON: a prompt is escaped straight into one
 * growing buffer, which is faster and needs no tree.
 */
#include "base/json.h"

#include "base/arena.h"
#include "base/json_fault.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/*
 * cJSON recurses, and civetweb as Debian builds it gives a thread 100 KB of stack: its own limit of
 * 1000 levels would crash there.  Values cost it memory and us time, text does not.
 */
enum { MAX_DEPTH = 100, MAX_VALUES = 100000 };

/* --- mending ------------------------------------------------------------------------------ */

/* The value of four hex digits at the front, or -1. */
static long hex4(struct view bytes)
{
    if (bytes.len < 4)
        return -1;
    long value = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = bytes.at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_high(long unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(long unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/*
 * What passes over the bytes once before cJSON sees them.  Sound bytes are copied only where
 * something had to be mended.
 */
struct mend {
    struct view bytes;
    size_t at;
    size_t sound_from; /* what lies between here and `at` is sound and not yet copied */
    struct text mended;
    size_t repaired;
    size_t depth;
    size_t values;
    size_t comma_at; /* of the comma that is the last thing before `at`, when may_drop_comma */
    bool may_drop_comma;
    bool is_behind_value; /* what stands last before `at` may be followed by a comma */
    bool is_mended;
    bool is_in_text;
};

/* Copies what is sound up to `end`, puts `with` behind it, and goes on `len` bytes later. */
static void put_instead(struct mend *mend, size_t end, size_t len, const char *with)
{
    text_add(&mend->mended,
             (struct view){ mend->bytes.at + mend->sound_from, end - mend->sound_from });
    text_add_string(&mend->mended, with);
    mend->sound_from = end + len;
}

static void replace(struct mend *mend, size_t len)
{
    put_instead(mend, mend->at, len, REPLACEMENT);
    mend->at += len;
    mend->repaired++;
}

/* An escape sequence inside a text; false when it is "\u" without its four digits. */
static bool pass_escape(struct mend *mend)
{
    struct view rest = view_skip(mend->bytes, mend->at);
    if (rest.len < 2 || rest.at[1] != 'u') {
        mend->at += rest.len < 2 ? rest.len : 2;
        return true;
    }
    long unit = hex4(view_skip(rest, 2));
    long next =
        rest.len >= 12 && rest.at[6] == '\\' && rest.at[7] == 'u' ? hex4(view_skip(rest, 8)) : -1;
    if (unit < 0)
        return false;
    if (is_high(unit) && is_low(next))
        mend->at += 12;
    else if (unit == 0 || is_high(unit) || is_low(unit))
        replace(mend, 6);
    else
        mend->at += 6;
    return true;
}

static void pass_character(struct mend *mend)
{
    uint32_t code;
    size_t len = utf8_read(view_skip(mend->bytes, mend->at), &code);
    if (len == 0)
        replace(mend, 1);
    else
        mend->at += len;
    mend->may_drop_comma = false;
}

/* Nothing but white space lies between the comma and the bracket here. */
static void drop_comma(struct mend *mend)
{
    put_instead(mend, mend->comma_at, 1, "");
    mend->is_mended = true;
}

static bool pass_structure(struct mend *mend, char c)
{
    bool is_opening = c == '[' || c == '{';
    bool is_closing = c == ']' || c == '}';
    mend->at++;
    if (c <= ' ')
        return true;
    if (is_closing && mend->may_drop_comma)
        drop_comma(mend);
    mend->may_drop_comma = c == ',' && mend->is_behind_value;
    mend->is_behind_value = !is_opening && c != ',' && c != ':';
    mend->comma_at = mend->at - 1;
    mend->is_in_text = c == '"';
    mend->depth += is_opening;
    mend->values += is_opening || c == ',';
    mend->depth -= is_closing && mend->depth > 0;
    return mend->depth <= MAX_DEPTH && mend->values <= MAX_VALUES;
}

/* False when the bytes cannot be JSON that we would read, at `mend->at`. */
static bool pass_all(struct mend *mend)
{
    while (mend->at < mend->bytes.len) {
        char c = mend->bytes.at[mend->at];
        bool is_sound = true;
        if (c == '\0')
            return false;
        if ((unsigned char)c >= 0x80)
            pass_character(mend);
        else if (!mend->is_in_text)
            is_sound = pass_structure(mend, c);
        else if (c == '\\')
            is_sound = pass_escape(mend);
        else {
            mend->is_in_text = c != '"';
            mend->is_mended = mend->is_mended || (unsigned char)c < ' ';
            mend->at++;
        }
        if (!is_sound)
            return false;
    }
    if (mend->sound_from > 0)
        text_add(&mend->mended, view_skip(mend->bytes, mend->sound_from));
    return true;
}

/* --- reading ------------------------------------------------------------------------------ */

/* cJSON tells "no memory" and "no JSON" by the same NULL; its hook tells them apart. */
static _Thread_local bool is_out_of_memory;
static pthread_once_t hooked = PTHREAD_ONCE_INIT;

static void *get_memory(size_t size)
{
    void *memory = malloc(size);
    is_out_of_memory = is_out_of_memory || memory == NULL;
    return memory;
}

static void set_hooks(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = get_memory, .free_fn = free });
}

/* The place is looked for in the text as it came, whatever was mended on the way. */
static bool refuse(struct view bytes, struct view trimmed, const struct mend *mend,
                   struct failure *why)
{
    size_t at = 0;
    size_t before = trimmed.len == 0 ? bytes.len : (size_t)(trimmed.at - bytes.at);
    const char *what = json_fault_find(trimmed, MAX_DEPTH, &at);
    if (what == NULL) {
        what = mend->values > MAX_VALUES ? "too many values" : "this cannot be read";
        at = mend->at;
    }
    return json_fault_refuse(bytes, before + at, what, why);
}

bool json_read(struct view bytes, struct arena *mem, struct json *out, struct failure *why)
{
    struct json json = { 0 };
    struct mend mend = { .bytes = view_trim(bytes), .mended = text_in(mem, SIZE_MAX) };
    if (mend.bytes.len == 0 || !pass_all(&mend))
        return refuse(bytes, mend.bytes, &mend, why);
    if (!text_ok(&mend.mended))
        return fail(why, FAIL_INTERNAL, "no memory to mend %zu bytes of JSON", bytes.len);
    struct view mended = mend.sound_from > 0 ? text_view(&mend.mended) : mend.bytes;
    json.repaired = mend.repaired;
    json.is_mended = mend.is_mended;

    const char *end = NULL;
    pthread_once(&hooked, set_hooks);
    is_out_of_memory = false;
    json.root = cJSON_ParseWithLengthOpts(mended.at, mended.len, &end, false);
    if (json.root == NULL && is_out_of_memory)
        return fail(why, FAIL_INTERNAL, "no memory to read %zu bytes of JSON", bytes.len);
    if (json.root == NULL || (size_t)(end - mended.at) != mended.len) {
        json_free(&json);
        return refuse(bytes, mend.bytes, &mend, why);
    }
    *out = json;
    return true;
}

void json_free(struct json *json)
{
    cJSON_Delete(json->root);
    json->root = NULL;
}

const struct cJSON *json_member(const struct cJSON *node, struct view name)
{
    const struct cJSON *found = NULL;
    if (cJSON_IsObject(node))
        for (const struct cJSON *member = node->child; member != NULL; member = member->next)
            if (view_equal(view_of(member->string), name))
                found = member;
    return found;
}

const struct cJSON *json_at(const struct cJSON *node, const char *path)
{
    struct view rest = view_of(path);
    while (node != NULL && rest.len > 0) {
        struct view name;
        view_cut(rest, '.', &name, &rest);
        node = json_member(node, name);
    }
    return node;
}

enum json_kind json_kind(const struct cJSON *node)
{
    if (node == NULL)
        return JSON_ABSENT;
    switch (node->type & 0xFF) {
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return isfinite(node->valuedouble) ? JSON_NUMBER : JSON_HUGE;
    case cJSON_String:
        return JSON_TEXT;
    case cJSON_Array:
        return JSON_LIST;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

struct view json_key(const struct cJSON *member)
{
    return member == NULL ? ((struct view){ 0 }) : view_of(member->string);
}

struct view json_text(const struct cJSON *node)
{
    return cJSON_IsString(node) ? view_of(node->valuestring) : (struct view){ 0 };
}

double json_number(const struct cJSON *node)
{
    return json_kind(node) == JSON_NUMBER ? node->valuedouble : 0;
}

bool json_is_true(const struct cJSON *node)
{
    return cJSON_IsTrue(node);
}

const struct cJSON *json_first(const struct cJSON *node)
{
    return cJSON_IsArray(node) || cJSON_IsObject(node) ? node->child : NULL;
}

const struct cJSON *json_next(const struct cJSON *node)
{
    return node == NULL ? NULL : node->next;
}

struct view json_as_text(const struct cJSON *node, struct arena *mem)
{
    switch (json_kind(node)) {
    case JSON_ABSENT:
    case JSON_NULL:
    case JSON_HUGE:
        return (struct view){ 0 };
    case JSON_TEXT:
        return json_text(node);
    default: {
        struct text text = text_in(mem, SIZE_MAX);
        json_put_node(&(struct json_writer){ &text, false }, NULL, node);
        return text_ok(&text) ? text_view(&text) : (struct view){ 0 };
    }
    }
}

/* --- writing ------------------------------------------------------------------------------ */

/* What JSON itself wants escaped, and what must not reach a terminal or an editor raw. */
static bool must_escape(uint32_t code)
{
    return code == '"' || code == '\\' || utf8_is_invisible(code);
}

static void add_unit(struct text *to, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    char escape[] = { '\\',
                      'u',
                      digits[unit >> 12 & 15],
                      digits[unit >> 8 & 15],
                      digits[unit >> 4 & 15],
                      digits[unit & 15] };
    text_add(to, (struct view){ escape, sizeof escape });
}

static void add_escape(struct text *to, uint32_t code)
{
    static const char shorts[][2] = { { '"', '"' },  { '\\', '\\' }, { '\n', 'n' }, { '\r', 'r' },
                                      { '\t', 't' }, { '\b', 'b' },  { '\f', 'f' } };
    for (size_t i = 0; i < COUNT_OF(shorts); i++)
        if (code == (unsigned char)shorts[i][0]) {
            text_add_char(to, '\\');
            text_add_char(to, shorts[i][1]);
            return;
        }
    if (code >= 0x10000) {
        add_unit(to, 0xD800 + ((code - 0x10000) >> 10));
        add_unit(to, 0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
        add_unit(to, code);
    }
}

static void add_quoted(struct text *to, struct view value)
{
    text_add_char(to, '"');
    size_t plain = 0;
    while (plain < value.len) {
        uint32_t code = (unsigned char)value.at[plain];
        struct view rest = view_skip(value, plain);
        size_t len = code < 0x80 ? 1 : utf8_read(rest, &code);
        if (len > 0 && !must_escape(code)) {
            plain += len;
            continue;
        }
        text_add(to, (struct view){ value.at, plain });
        if (len == 0)
            text_add_string(to, REPLACEMENT);
        else
            add_escape(to, code);
        value = view_skip(rest, len == 0 ? 1 : len);
        plain = 0;
    }
    text_add(to, value);
    text_add_char(to, '"');
}

static void begin_value(struct json_writer *writer, const char *key)
{
    if (writer->needs_comma)
        text_add_char(writer->to, ',');
    writer->needs_comma = true;
    if (key != NULL) {
        add_quoted(writer->to, view_of(key));
        text_add_char(writer->to, ':');
    }
}

void json_open(struct json_writer *writer, const char *key, char bracket)
{
    begin_value(writer, key);
    text_add_char(writer->to, bracket);
    writer->needs_comma = false;
}

void json_close(struct json_writer *writer, char bracket)
{
    text_add_char(writer->to, bracket);
    writer->needs_comma = true;
}

void json_put_text(struct json_writer *writer, const char *key, struct view value)
{
    begin_value(writer, key);
    add_quoted(writer->to, value);
}

void json_put_number(struct json_writer *writer, const char *key, long long value)
{
    begin_value(writer, key);
    text_add_number(writer->to, value);
}

void json_put_bool(struct json_writer *writer, const char *key, bool value)
{
    begin_value(writer, key);
    text_add_string(writer->to, value ? "true" : "false");
}

void json_put_raw(struct json_writer *writer, const char *key, struct view json)
{
    begin_value(writer, key);
    text_add(writer->to, json);
}

void json_put_members(struct json_writer *writer, struct view members)
{
    if (members.len == 0)
        return;
    begin_value(writer, NULL);
    text_add(writer->to, members);
}

void json_put_null(struct json_writer *writer, const char *key)
{
    begin_value(writer, key);
    text_add_string(writer->to, "null");
}

/* The shortest form that reads back as the same double; whole numbers without a fraction. */
static void add_double(struct text *to, double number)
{
    if (fabs(number) < 9007199254740992.0 && floor(number) == number) {
        text_add_number(to, (long long)number);
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) >= number && strtod(digits, NULL) <= number)
            break;
    }
    text_add_string(to, digits);
}

/* Recursion is bounded by MAX_DEPTH. */
void json_put_node(struct json_writer *writer, const char *key, const struct cJSON *node)
{
    bool is_object = false;
    switch (json_kind(node)) {
    case JSON_ABSENT:
    case JSON_NULL:
    case JSON_HUGE:
        json_put_null(writer, key);
        return;
    case JSON_BOOL:
        json_put_bool(writer, key, json_is_true(node));
        return;
    case JSON_NUMBER:
        begin_value(writer, key);
        add_double(writer->to, node->valuedouble);
        return;
    case JSON_TEXT:
        json_put_text(writer, key, json_text(node));
        return;
    case JSON_OBJECT:
        is_object = true;
        break;
    case JSON_LIST:
        break;
    }
    json_open(writer, key, is_object ? '{' : '[');
    for (const struct cJSON *child = node->child; child != NULL; child = child->next)
        json_put_node(writer, is_object ? child->string : NULL, child);
    json_close(writer, is_object ? '}' : ']');
}

const char *json_library(void)
{
    return cJSON_Version();
}
