/*
 * The table of dialects and the one reader of field tables.  What "wrong" means for each form is
 * decided here, the same for every sender.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

static const struct source *const sources[] = {
#define X(name) &source_##name,
    SOURCES(X)
#undef X
};

bool source_is_native(const struct cJSON *body)
{
    return view_trim(json_text(json_member(body, VIEW("alertName")))).len > 0;
}

const struct source *source_of(const struct cJSON *body)
{
    bool is_native = source_is_native(body);
    size_t i = 0;
    while (i + 1 < COUNT_OF(sources)
           && ((is_native && !sources[i]->has_schema) || !sources[i]->recognises(body)))
        i++;
    return sources[i];
}

const struct word source_priorities[] = {
    { "P1", 0 }, { "P2", 1 }, { "P3", 2 }, { "P4", 3 }, { "P5", 4 }, { NULL, NOT_STATED },
};

/* --- values -------------------------------------------------------------------------------- */

static bool is_enclosed(struct view text, const char *open, const char *close, struct view *inside)
{
    struct view first = view_of(open);
    struct view last = view_of(close);
    if (text.len <= first.len + last.len || !view_starts(text, first)
        || !view_equal(view_skip(text, text.len - last.len), last))
        return false;
    *inside = (struct view){ text.at + first.len, text.len - first.len - last.len };
    return true;
}

/* A letter, then letters, digits, dots and underscores; capitals alone where `is_upper`. */
static bool is_name(struct view text, bool is_upper)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_capital = c >= 'A' && c <= 'Z';
        bool is_small = c >= 'a' && c <= 'z';
        bool is_inner = (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (!is_capital && (is_upper || !is_small) && (i == 0 || !is_inner))
            return false;
    }
    return text.len > 0;
}

/* "{{#hits}}{{message}}{{/hits}}": a section that no engine has looked at. */
static bool is_section(struct view text)
{
    struct view inside, name, rest;
    if (!is_enclosed(text, "{{#", "}}", &inside) || !view_cut(inside, '}', &name, &rest))
        return false;
    return rest.len > name.len + 3 && view_equal(view_skip(rest, rest.len - name.len), name)
           && view_starts(view_skip(rest, rest.len - name.len - 3), VIEW("{{/"));
}

/*
 * The whole text is what a template engine leaves when it knows no value: "{{rule.name}}",
 * "${resource.name}", "$EVENT_TITLE", "{EVENT.ID}", "{$MACRO}".  Braces within honest text are not.
 */
bool source_is_placeholder(struct view text)
{
    struct view inside;
    if (is_enclosed(text, "{{", "}}", &inside))
        return is_section(text)
               || (!view_contains(inside, VIEW("{{")) && !view_contains(inside, VIEW("}}")));
    if (is_enclosed(text, "${", "}", &inside))
        return !view_contains(inside, VIEW("${")) && !view_contains(inside, VIEW("}"));
    if (is_enclosed(text, "{", "}", &inside))
        return is_name(view_starts(inside, VIEW("$")) ? view_skip(inside, 1) : inside, false);
    return text.len > 2 && text.at[0] == '$' && is_name(view_skip(text, 1), true);
}

/* Serialisers of other systems write their own word for "nothing" into text. */
static bool is_word_for_nothing(struct view text)
{
    return text.len == 0 || view_equal(text, VIEW("null")) || view_equal(text, VIEW("None"));
}

const struct cJSON *source_one(const struct cJSON *node)
{
    return json_kind(node) == JSON_LIST && json_first(node) != NULL ? json_first(node) : node;
}

const struct cJSON *source_items(const struct cJSON *list)
{
    return json_kind(list) == JSON_OBJECT ? list : json_first(list);
}

const struct cJSON *source_next(const struct cJSON *item, const struct cJSON *list)
{
    return item == list ? NULL : json_next(item);
}

struct view source_line(const struct cJSON *node, struct arena *mem)
{
    struct view text = view_trim(json_as_text(node, mem));
    bool is_given = !is_word_for_nothing(text) && !source_is_placeholder(text);
    return is_given ? text : (struct view){ 0 };
}

static bool read_text(const struct cJSON *node, enum field_form form, struct arena *mem,
                      struct view *out)
{
    struct view text = form == FORM_TEXT ? json_as_text(node, mem) : source_line(node, mem);
    if (is_word_for_nothing(view_trim(text)))
        return true;
    *out = form == FORM_PROSE ? source_prose(text, mem) : view_keep(text, mem);
    return out->at != NULL;
}

bool source_word(struct view text, const struct word *words, int *meaning)
{
    for (; words->word != NULL; words++)
        if (view_equal_fold(text, view_of(words->word))) {
            *meaning = words->meaning;
            return true;
        }
    return false;
}

/* A known word may say that no severity is stated. */
static bool read_word(const struct cJSON *node, const struct word *words, struct arena *mem,
                      struct alert *out)
{
    int meaning = NOT_STATED;
    if (!source_word(source_line(node, mem), words, &meaning))
        return false;
    out->has_severity = meaning != NOT_STATED;
    out->severity = out->has_severity ? meaning : 0;
    return true;
}

static bool read_state(const struct cJSON *node, const struct word *words, struct arena *mem,
                       struct alert *out)
{
    int meaning = ALERT_OTHER;
    bool is_known = source_word(source_line(node, mem), words, &meaning);
    out->has_state = true;
    out->state = (enum alert_state)meaning;
    if (!is_known)
        out->reason = "The alert's state is neither fired nor resolved: no session needed";
    return is_known;
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

/*
 * An epoch's unit is told by its size: below 10^11 it counts seconds (until the year 5138), and from
 * there on each further three digits are the next smaller unit.
 */
static bool epoch_to_ms(double epoch, long long *ms)
{
    static const struct {
        double below, to_ms;
    } units[] = { { 1e11, 1e3 }, { 1e14, 1 }, { 1e17, 1e-3 }, { 1e20, 1e-6 } };
    for (size_t i = 0; epoch > 0 && i < COUNT_OF(units); i++)
        if (epoch < units[i].below) {
            *ms = llround(epoch * units[i].to_ms);
            return true;
        }
    return false;
}

static bool format_epoch(double epoch, struct arena *mem, struct view *out)
{
    long long ms = 0;
    struct tm parts;
    char text[40];
    if (!epoch_to_ms(epoch, &ms))
        return false;
    time_t seconds = (time_t)(ms / 1000);
    if (gmtime_r(&seconds, &parts) == NULL)
        return false;
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (ms % 1000 > 0)
        len += (size_t)snprintf(text + len, sizeof text - len, ".%03d", (int)(ms % 1000));
    text[len++] = 'Z';
    *out = view_keep((struct view){ text, len }, mem);
    return out->at != NULL;
}

/* A number in front of `mark`, which goes with it. */
static bool cut_number(struct view *text, char mark, long long min, long long max, int *out)
{
    struct view digits = { 0 };
    long long number = 0;
    if (!view_cut(*text, mark, &digits, text) || !view_to_number(digits, min, max, &number))
        return false;
    *out = (int)number;
    return true;
}

/* Hours of a clock of 12 or, without AM and PM, of 24. */
static bool read_hour(int hour, struct view half, int *out)
{
    bool is_pm = view_equal_fold(half, VIEW("PM"));
    if (half.len > 0 && !is_pm && !view_equal_fold(half, VIEW("AM")))
        return false;
    if (half.len > 0 && (hour < 1 || hour > 12))
        return false;
    *out = half.len == 0 ? hour : hour % 12 + (is_pm ? 12 : 0);
    return true;
}

/* "3/22/2019 1:36:31 PM", as .NET writes a time in the United States; without a zone it is UTC. */
static bool read_us_time(struct view text, struct arena *mem, struct view *out)
{
    char iso[40];
    struct view half = { 0 };
    long long second = 0;
    int month, day, year, hour, minute;
    if (!cut_number(&text, '/', 1, 12, &month) || !cut_number(&text, '/', 1, 31, &day)
        || !cut_number(&text, ' ', 1970, 9999, &year) || !cut_number(&text, ':', 0, 23, &hour)
        || !cut_number(&text, ':', 0, 59, &minute))
        return false;
    (void)view_cut(text, ' ', &text, &half);
    if (!view_to_number(text, 0, 60, &second) || !read_hour(hour, view_trim(half), &hour))
        return false;
    int len = snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, hour,
                       minute, (int)second);
    *out = view_keep((struct view){ iso, (size_t)len }, mem);
    return out->at != NULL;
}

/* "1709991285.873": digits with at most one point among them. */
static bool read_epoch(struct view text, double *out)
{
    struct view whole, fraction;
    long long before = 0;
    long long after = 0;
    bool has_point = view_cut(text, '.', &whole, &fraction);
    fraction = view_cap(fraction, 9);
    if (!view_to_number(whole, 0, LLONG_MAX, &before)
        || (has_point && !view_to_number(fraction, 0, 999999999, &after)))
        return false;
    double share = (double)after;
    for (size_t i = 0; i < fraction.len; i++)
        share /= 10;
    *out = (double)before + share;
    return true;
}

/* The year 1 of Go, the epoch of everybody else: what serialisers write where no time is set. */
static bool is_unset_time(struct view text)
{
    return view_starts(text, VIEW("0001-01-01")) || view_starts(text, VIEW("1970-01-01T00:00:00"))
           || view_starts(text, VIEW("1970-01-01 00:00:00"));
}

bool source_time(const struct cJSON *node, struct arena *mem, struct view *out)
{
    struct view text = source_line(node, mem);
    double epoch = json_number(node);
    if (json_kind(node) == JSON_NUMBER || read_epoch(text, &epoch))
        return epoch == 0 || format_epoch(epoch, mem, out);
    if (is_unset_time(text))
        return true;
    if (!is_iso_time(text))
        return read_us_time(text, mem, out);
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

/*
 * The limit must be the one that everybody else uses for the same member.  A dimension may be called
 * "secret" after the thing it names; a custom field may not.
 */
static bool read_pairs(const struct cJSON *node, size_t limit, struct arena *mem, struct pairs *out)
{
    if (json_kind(node) != JSON_OBJECT)
        return false;
    for (const struct cJSON *member = json_first(node); member != NULL;
         member = json_next(member)) {
        if (limit == MAX_CUSTOM_FIELDS && source_is_credential(json_key(member)))
            continue;
        if (!pairs_put(out, limit, json_key(member), source_line(member, mem), MAX_VALUE_BYTES,
                       mem))
            return false;
    }
    return true;
}

/* --- fields -------------------------------------------------------------------------------- */

/* Several lines are evidence and stay even where they look like a placeholder. */
static bool is_not_given(const struct cJSON *node, enum field_form form, struct arena *mem)
{
    enum json_kind kind = json_kind(node);
    struct view text = form == FORM_TEXT ? view_trim(json_text(node)) : source_line(node, mem);
    if (kind == JSON_OBJECT && (form == FORM_WORD || form == FORM_STATE))
        return true; /* another kind of thing under the same name, not an unknown word */
    return kind == JSON_ABSENT || kind == JSON_NULL
           || (kind == JSON_TEXT && is_word_for_nothing(text));
}

/* False: the value cannot be read as what the field wants. */
static bool read_value(const struct field *field, const struct cJSON *node, struct arena *mem,
                       struct alert *out)
{
    void *member = (char *)out + field->offset;
    switch (field->form) {
    case FORM_LINE:
    case FORM_TEXT:
    case FORM_PROSE:
        return read_text(node, field->form, mem, member);
    case FORM_LEVEL:
    case FORM_SEV:
        out->has_severity = read_level(node, field->form, member);
        return out->has_severity
               || (field->words != NULL && read_word(node, field->words, mem, out));
    case FORM_WORD:
        return read_word(node, field->words, mem, out);
    case FORM_STATE:
        return read_state(node, field->words, mem, out);
    case FORM_TIME:
        return source_time(node, mem, member);
    case FORM_COUNT:
        return read_count(node, member);
    case FORM_PAIRS:
        return read_pairs(node,
                          field->offset == offsetof(struct alert, custom) ? MAX_CUSTOM_FIELDS
                                                                          : MAX_DIMENSIONS,
                          mem, member);
    case FORM_LINK:
        return source_link(out, field->label, node, mem);
    case FORM_DIMENSION:
        return source_dimension(out, field->label, node, mem);
    case FORM_CUSTOM:
        return source_custom(out, view_of(field->label), node, mem);
    }
    return false;
}

static bool no_memory_for(const struct field *field, struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left for %s", field->path);
}

/* Text that is required is taken at its word: an alert may really be called "None". */
static bool keep_required(const struct field *field, struct view text, struct arena *mem,
                          struct alert *out, struct failure *why)
{
    struct view *member = (struct view *)(void *)((char *)out + field->offset);
    if (field->form == FORM_LINE && source_is_placeholder(view_trim(text)))
        return fail_field(why, field->path, "must not be an unfilled placeholder");
    *member = view_keep(field->form == FORM_LINE ? view_trim(text) : text, mem);
    return member->at != NULL || no_memory_for(field, why);
}

static bool read_required(const struct field *field, const struct cJSON *node, struct arena *mem,
                          struct alert *out, struct failure *why)
{
    bool is_level = field->form == FORM_LEVEL || field->form == FORM_SEV;
    if (json_kind(node) == JSON_ABSENT || json_kind(node) == JSON_NULL
        || (json_kind(node) == JSON_TEXT && view_trim(json_text(node)).len == 0))
        return fail_field(why, field->path, NULL);
    if (!is_level && json_kind(node) != JSON_TEXT)
        return fail_field(why, field->path, "must be a string");
    if (!is_level)
        return keep_required(field, json_text(node), mem, out, why);
    return read_value(field, node, mem, out)
           || fail_field(why, field->path, "must be a number from 0 to 4");
}

/* Whether an earlier row has filled the same member. */
static bool is_filled(const struct field *field, const struct alert *alert)
{
    const void *member = (const char *)alert + field->offset;
    switch (field->form) {
    case FORM_LINE:
    case FORM_TEXT:
    case FORM_PROSE:
    case FORM_TIME:
        return ((const struct view *)member)->len > 0;
    case FORM_LEVEL:
    case FORM_SEV:
    case FORM_WORD:
        return alert->has_severity;
    case FORM_STATE:
        return alert->has_state;
    case FORM_COUNT:
        return *(const long long *)member != 0;
    case FORM_PAIRS:
    case FORM_LINK:
    case FORM_DIMENSION:
    case FORM_CUSTOM:
        return false;
    }
    return false;
}

/* A list where one value is wanted counts by its first item. */
static bool wants_one_value(enum field_form form)
{
    return form != FORM_TEXT && form != FORM_COUNT && form != FORM_PAIRS && form != FORM_CUSTOM;
}

/* Some senders write a path as one name: "event.kind" is then a member of that very name. */
static const struct cJSON *find(const struct cJSON *node, const char *path)
{
    const struct cJSON *found = json_at(node, path);
    return found != NULL ? found : json_member(node, view_of(path));
}

static bool read_field(const struct field *field, const struct cJSON *item,
                       const struct cJSON *body, struct arena *mem, struct alert *out,
                       struct failure *why)
{
    bool is_from_top = field->path[0] == '/';
    const struct cJSON *node = is_from_top ? find(body, field->path + 1) : find(item, field->path);
    if (field->is_required)
        return read_required(field, node, mem, out, why);
    if (wants_one_value(field->form))
        node = source_one(node);
    if (is_filled(field, out) || is_not_given(node, field->form, mem)
        || read_value(field, node, mem, out))
        return true;
    return source_note(out, field->path, "left out", mem) || no_memory_for(field, why);
}

/* The path a person would look at first. */
static const char *path_of_name(const struct source *from)
{
    for (size_t i = 0; i < from->field_count; i++)
        if (from->fields[i].offset == offsetof(struct alert, name))
            return from->fields[i].path;
    return "name";
}

bool source_note(struct alert *alert, const char *path, const char *what, struct arena *mem)
{
    return pairs_add(&alert->notes, MAX_NOTES, view_of(path), view_of(what), MAX_VALUE_BYTES, mem);
}

bool source_read(const struct source *from, const struct cJSON *item, const struct cJSON *body,
                 struct arena *mem, struct alert *out, struct failure *why)
{
    out->from = from;
    for (size_t i = 0; i < from->field_count; i++)
        if (!read_field(&from->fields[i], item, body, mem, out, why))
            return false;
    if (out->source.len == 0)
        out->source = view_of(from->name);
    if (from->finish != NULL && !from->finish(item, body, mem, out, why))
        return false;
    if (out->name.len == 0 && out->state != ALERT_OTHER)
        return fail_field(why, path_of_name(from), NULL);
    return true;
}

/* --- for dialects ---------------------------------------------------------------------------- */

bool source_dimension(struct alert *alert, const char *key, const struct cJSON *node,
                      struct arena *mem)
{
    struct view value = source_line(node, mem);
    return value.len == 0
           || pairs_add(&alert->dimensions, MAX_DIMENSIONS, view_of(key), value, MAX_VALUE_BYTES,
                        mem);
}

/* A scheme and a host: "/graph", "?orgId=1" and "http://:9093" lead nowhere. */
static bool is_link(struct view url)
{
    static const char *const schemes[] = { "https://", "http://" };
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        struct view host = view_skip(url, view_of(schemes[i]).len);
        if (view_starts_fold(url, view_of(schemes[i])) && host.len > 0)
            return host.at[0] != ':' && host.at[0] != '/' && host.at[0] != '?';
    }
    return false;
}

bool source_link(struct alert *alert, const char *label, const struct cJSON *node,
                 struct arena *mem)
{
    return source_link_text(alert, view_of(label), source_line(source_one(node), mem), mem);
}

bool source_link_text(struct alert *alert, struct view label, struct view url, struct arena *mem)
{
    return !is_link(url) || url.len > MAX_LINK_BYTES
           || pairs_add(&alert->links, MAX_LINKS, label, url, MAX_LINK_BYTES, mem);
}

struct view source_joined(const struct cJSON *node, struct arena *mem)
{
    if (json_kind(node) != JSON_LIST)
        return source_line(node, mem);
    struct text items = text_in(mem, MAX_VALUE_BYTES);
    for (const struct cJSON *item = json_first(node); item != NULL; item = json_next(item)) {
        struct view value = source_line(item, mem);
        if (value.len > 0 && items.len > 0)
            (void)text_add_some(&items, VIEW(", "));
        (void)text_add_some(&items, value);
    }
    return text_view(&items);
}

/* The same name: "Routing-Key", "routing_key" and "routingKey" are. */
static bool is_spelt(struct view name, struct view plain)
{
    size_t at = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (c == '_' || c == '-' || c == ' ')
            continue;
        if (at == plain.len
            || !view_equal_fold((struct view){ &c, 1 }, view_cap(view_skip(plain, at), 1)))
            return false;
        at++;
    }
    return at == plain.len;
}

bool source_is_credential(struct view name)
{
    static const char *const names[] = {
        "claims",       "token",         "accesstoken",      "secret",       "sharedsecret",
        "clientsecret", "routingkey",    "webhooksecret",    "password",     "apikey",
        "xapikey",      "authorization", "connectionstring", "subscribeurl",
    };
    size_t start = name.len;
    while (start > 0 && name.at[start - 1] != '.')
        start--;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (is_spelt(view_skip(name, start), view_of(names[i])))
            return true;
    return false;
}

bool source_custom(struct alert *alert, struct view key, const struct cJSON *node,
                   struct arena *mem)
{
    struct view value = source_joined(node, mem);
    return value.len == 0 || source_is_credential(key)
           || pairs_put(&alert->custom, MAX_CUSTOM_FIELDS, key, value, MAX_VALUE_BYTES, mem);
}

struct view source_line_at(const struct cJSON *node, const char *path, struct arena *mem)
{
    return source_line(json_at(node, path), mem);
}

bool source_custom_all(struct alert *alert, const struct cJSON *object, struct arena *mem)
{
    const struct cJSON *member = json_kind(object) == JSON_OBJECT ? json_first(object) : NULL;
    for (; member != NULL; member = json_next(member))
        if (!source_custom(alert, json_key(member), member, mem))
            return false;
    return true;
}

bool source_condition(struct alert *alert, struct view words, struct arena *mem)
{
    words = view_trim(words);
    return words.len == 0
           || pairs_add(&alert->conditions, MAX_CONDITIONS, (struct view){ 0 }, words,
                        MAX_VALUE_BYTES, mem);
}

void source_add_part(struct text *to, const char *before, struct view part, const char *after)
{
    if (part.len == 0)
        return;
    (void)text_add_some(to, view_of(before));
    (void)text_add_some(to, part);
    (void)text_add_some(to, view_of(after));
}

enum { MAX_CUSTOM_DEPTH = 4 };

/* False without memory.  A name that is too long is cut like any key. */
static bool add_customs(struct alert *alert, struct view prefix, const struct cJSON *node,
                        size_t depth, struct arena *mem)
{
    for (const struct cJSON *member = json_first(node); member != NULL;
         member = json_next(member)) {
        struct text name = text_in(mem, MAX_KEY_BYTES);
        (void)text_add_some(&name, prefix);
        if (prefix.len > 0)
            (void)text_add_some(&name, VIEW("."));
        (void)text_add_some(&name, json_key(member));
        bool ok = json_kind(member) == JSON_OBJECT && depth < MAX_CUSTOM_DEPTH
                      ? add_customs(alert, text_view(&name), member, depth + 1, mem)
                      : source_custom(alert, text_view(&name), member, mem);
        if (!ok)
            return false;
    }
    return true;
}

bool source_custom_tree(struct alert *alert, const char *prefix, const struct cJSON *node,
                        struct arena *mem)
{
    return json_kind(node) != JSON_OBJECT || add_customs(alert, view_of(prefix), node, 0, mem);
}

struct view source_last_segment(struct view path)
{
    while (path.len > 0 && path.at[path.len - 1] == '/')
        path.len--;
    size_t start = path.len;
    while (start > 0 && path.at[start - 1] != '/')
        start--;
    return view_skip(path, start);
}
