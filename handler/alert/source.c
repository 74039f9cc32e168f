/*
 * The table of dialects and the one reader of field tables.  What "wrong" means for each form is
 * decided here, the same for every sender.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static const struct source *const sources[] = {
#define X(name) &source_##name,
    SOURCES(X)
#undef X
};

const struct source *source_of(const struct cJSON *body)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(sources) && !sources[i]->recognises(body))
        i++;
    return sources[i];
}

/* --- values -------------------------------------------------------------------------------- */

/* Serialisers of other systems write their own word for "nothing" into text. */
static bool is_word_for_nothing(struct view text)
{
    return text.len == 0 || view_equal(text, VIEW("null")) || view_equal(text, VIEW("None"));
}

struct view source_line(const struct cJSON *node, struct arena *mem)
{
    struct view text = view_trim(json_as_text(node, mem));
    return is_word_for_nothing(text) ? ((struct view){ 0 }) : text;
}

static bool read_text(const struct cJSON *node, enum field_form form, struct arena *mem,
                      struct view *out)
{
    struct view text = form == FORM_LINE ? source_line(node, mem) : json_as_text(node, mem);
    if (is_word_for_nothing(view_trim(text)))
        return true;
    *out = view_keep(text, mem);
    return out->at != NULL;
}

static bool read_level(const struct cJSON *node, enum field_form form, int *out)
{
    double number = json_number(node);
    long long digits = 0;
    struct view text = view_trim(json_text(node));
    if (form == FORM_SEV && view_starts_fold(text, VIEW("Sev")))
        text = view_skip(text, 3);
    if (json_kind(node) == JSON_TEXT && view_to_number(text, 0, 4, &digits))
        *out = (int)digits;
    else if (json_kind(node) == JSON_NUMBER && number >= 0 && number <= 4
             && floor(number) == number)
        *out = (int)number;
    else
        return false;
    return true;
}

static bool has_shape(struct view text, const char *shape)
{
    struct view wanted = view_of(shape);
    if (text.len < wanted.len)
        return false;
    for (size_t i = 0; i < wanted.len; i++) {
        bool is_digit = text.at[i] >= '0' && text.at[i] <= '9';
        if (wanted.at[i] == '0' ? !is_digit : wanted.at[i] != text.at[i])
            return false;
    }
    return true;
}

/* Enough of ISO 8601 to tell a time from prose; the text itself is passed on as it came. */
static bool is_iso_time(struct view text)
{
    return text.len <= 40
           && (has_shape(text, "0000-00-00T00:00") || has_shape(text, "0000-00-00 00:00"));
}

/* Below this an epoch counts seconds (until the year 5138), from here on milliseconds. */
static const double FIRST_EPOCH_IN_MS = 1e11;

static bool format_epoch(double epoch, struct arena *mem, struct view *out)
{
    if (!(epoch > 0 && epoch < 1e14))
        return false;
    bool is_ms = epoch >= FIRST_EPOCH_IN_MS;
    time_t seconds = (time_t)(is_ms ? epoch / 1000 : epoch);
    int ms = is_ms ? (int)fmod(epoch, 1000) : 0;
    struct tm parts;
    char text[40];
    if (gmtime_r(&seconds, &parts) == NULL)
        return false;
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (ms > 0)
        len += (size_t)snprintf(text + len, sizeof text - len, ".%03d", ms);
    text[len++] = 'Z';
    *out = view_keep((struct view){ text, len }, mem);
    return out->at != NULL;
}

static bool read_time(const struct cJSON *node, struct arena *mem, struct view *out)
{
    struct view text = source_line(node, mem);
    long long epoch = 0;
    if (json_kind(node) == JSON_NUMBER)
        return format_epoch(json_number(node), mem, out);
    if (view_to_number(text, 1, 99999999999999, &epoch))
        return format_epoch((double)epoch, mem, out);
    if (!is_iso_time(text))
        return false;
    *out = view_keep(text, mem);
    return out->at != NULL;
}

static bool read_count(const struct cJSON *node, long long *out)
{
    double number = json_number(node);
    if (json_kind(node) == JSON_TEXT)
        return view_to_number(view_trim(json_text(node)), 1, 1000000000, out);
    if (!(number >= 1 && number <= 1e9 && floor(number) == number))
        return false;
    *out = (long long)number;
    return true;
}

static bool read_pairs(const struct cJSON *node, struct arena *mem, struct pairs *out)
{
    if (json_kind(node) != JSON_OBJECT)
        return false;
    for (const struct cJSON *member = json_first(node); member != NULL;
         member = json_next(member)) {
        if (!pairs_put(out, MAX_DIMENSIONS, json_key(member), source_line(member, mem),
                       MAX_VALUE_BYTES, mem))
            return false;
    }
    return true;
}

/* --- fields -------------------------------------------------------------------------------- */

static bool is_not_given(const struct cJSON *node, struct arena *mem)
{
    enum json_kind kind = json_kind(node);
    return kind == JSON_ABSENT || kind == JSON_NULL
           || (kind == JSON_TEXT && source_line(node, mem).len == 0);
}

/* False: the value cannot be read as what the field wants. */
static bool read_value(const struct field *field, const struct cJSON *node, struct arena *mem,
                       struct alert *out)
{
    void *member = (char *)out + field->offset;
    switch (field->form) {
    case FORM_LINE:
    case FORM_TEXT:
        return read_text(node, field->form, mem, member);
    case FORM_LEVEL:
    case FORM_SEV:
        out->has_severity = read_level(node, field->form, member);
        return out->has_severity;
    case FORM_TIME:
        return read_time(node, mem, member);
    case FORM_COUNT:
        return read_count(node, member);
    case FORM_PAIRS:
        return read_pairs(node, mem, member);
    }
    return false;
}

static bool read_required(const struct field *field, const struct cJSON *node, struct arena *mem,
                          struct alert *out, struct failure *why)
{
    bool is_level = field->form == FORM_LEVEL || field->form == FORM_SEV;
    if (json_kind(node) == JSON_ABSENT || json_kind(node) == JSON_NULL
        || (json_kind(node) == JSON_TEXT && view_trim(json_text(node)).len == 0))
        return fail_field(why, field->path, NULL);
    if (is_level && !read_value(field, node, mem, out))
        return fail_field(why, field->path, "must be a number from 0 to 4");
    if (!is_level && json_kind(node) != JSON_TEXT)
        return fail_field(why, field->path, "must be a string");
    if (is_level)
        return true;
    /* Required text is taken at its word: an alert may really be called "None". */
    struct view text = json_text(node);
    struct view *member = (struct view *)(void *)((char *)out + field->offset);
    *member = view_keep(field->form == FORM_LINE ? view_trim(text) : text, mem);
    return member->at != NULL || fail(why, FAIL_INTERNAL, "no memory left for %s", field->path);
}

static bool read_field(const struct field *field, const struct cJSON *body, struct arena *mem,
                       struct alert *out, struct failure *why)
{
    const struct cJSON *node = json_at(body, field->path);
    if (field->is_required)
        return read_required(field, node, mem, out, why);
    if (is_not_given(node, mem) || read_value(field, node, mem, out))
        return true;
    return source_note(out, field->path, "left out", mem)
           || fail(why, FAIL_INTERNAL, "no memory left for %s", field->path);
}

bool source_note(struct alert *alert, const char *path, const char *what, struct arena *mem)
{
    return pairs_add(&alert->notes, MAX_NOTES, view_of(path), view_of(what), MAX_VALUE_BYTES, mem);
}

bool source_read(const struct source *from, const struct cJSON *body, struct arena *mem,
                 struct alert *out, struct failure *why)
{
    out->from = from;
    for (size_t i = 0; i < from->field_count; i++)
        if (!read_field(&from->fields[i], body, mem, out, why))
            return false;
    if (out->source.len == 0)
        out->source = view_of(from->name);
    return from->finish == NULL || from->finish(body, mem, out, why);
}
