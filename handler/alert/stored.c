/*
 * Both directions follow the same tables.  A message that is too long is written again with smaller
 * caps; what it says is then its own truth, for the first try is made from it as well.
 */
#include "alert/stored.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"

#include <limits.h>
#include <stddef.h>

enum {
    VERSION = 1,
    /* Room that a reason may take, so that it changes nothing else. */
    REASON_ROOM = 1200,
    MAX_REASON_BYTES = 192,
    CONTENT_BYTES = MAX_STORED_BYTES - REASON_ROOM,
    /* Escaping makes six bytes of one at most. */
    MEASURED_BYTES = 8 * MAX_STORED_BYTES,
    MAX_PLAYBOOK_BYTES = 512,
    MAX_MESSAGE_BYTES = 64 * 1024,
    TAG_DIGITS = 16,
    LOG_TRIES = 8,
    WORDS_OF_A_CUT = 64
};

static const size_t NO_CAP = (size_t)-1;

/* --- tables ----------------------------------------------------------------------------------- */

struct member {
    const char *key;
    size_t offset; /* in struct alert */
};

static const struct member lines[] = {
    { "name", offsetof(struct alert, name) },
    { "resource", offsetof(struct alert, resource) },
    { "signalType", offsetof(struct alert, signal_type) },
    { "firedTime", offsetof(struct alert, fired_time) },
    { "source", offsetof(struct alert, source) },
    { "alertId", offsetof(struct alert, alert_id) },
    { "file", offsetof(struct alert, file) },
};

static const struct member texts[] = {
    { "description", offsetof(struct alert, description) },
    { "query", offsetof(struct alert, query) },
};

static const struct member lists[] = {
    { "conditions", offsetof(struct alert, conditions) },
    { "dimensions", offsetof(struct alert, dimensions) },
    { "links", offsetof(struct alert, links) },
    { "custom", offsetof(struct alert, custom) },
};

/* Dialects by their names in SOURCES: those in the log are not all different. */
static const struct {
    const char *name;
    const struct source *source;
} dialects[] = {
#define X(name) { #name, &source_##name },
    SOURCES(X)
#undef X
};

static const struct view *view_at(const struct alert *alert, const struct member *member)
{
    return (const struct view *)(const void *)((const char *)alert + member->offset);
}

static const struct pairs *pairs_at(const struct alert *alert, const struct member *member)
{
    return (const struct pairs *)(const void *)((const char *)alert + member->offset);
}

/* --- cutting ---------------------------------------------------------------------------------- */

/* How much there is of each kind of text.  Logs get what all else leaves. */
struct caps {
    size_t logs;
    size_t text;       /* description, query */
    size_t line;       /* all that stands on one line */
    size_t key, value; /* of a pair */
    size_t pairs;      /* of a list */
    size_t name;       /* of an alert that is only named */
    size_t resource;   /* the same */
};

/* From nothing cut to what always fits. */
/* clang-format off */
static const struct caps levels[] = {
    /* logs    text        line    key     value   pairs   name  resource */
    { NO_CAP,  NO_CAP,     NO_CAP, NO_CAP, NO_CAP, NO_CAP, NO_CAP, NO_CAP },
    { 0,       12 * 1024,  2048,   128,    2048,   NO_CAP, 128,  512 },
    { 0,       8 * 1024,   1024,   128,    1024,   NO_CAP, 128,  128 },
    { 0,       4 * 1024,   512,    128,    256,    NO_CAP, 64,   64 },
    { 0,       2 * 1024,   256,    64,     128,    NO_CAP, 64,   0 },
    { 0,       1024,       128,    48,     64,     NO_CAP, 32,   0 },
    { 0,       512,        128,    32,     32,     NO_CAP, 32,   0 },
    { 0,       256,        64,     32,     32,     8,      16,   0 },
    { 0,       64,         32,     0,      0,      0,      16,   0 },
};
/* clang-format on */

static void add_cut(struct text *to, size_t bytes, const char *end)
{
    text_add_string(to, "[... ");
    text_add_number(to, (long long)bytes);
    text_add_string(to, " bytes left out");
    text_add_string(to, end);
}

/* A line keeps its head. */
static struct view cut_line(struct view line, size_t max_bytes, struct arena *mem)
{
    if (line.len <= max_bytes)
        return line;
    struct view head = view_cap(line, max_bytes);
    struct text cut = text_in(mem, head.len + WORDS_OF_A_CUT);
    text_add(&cut, head);
    text_add_string(&cut, head.len > 0 ? " " : "");
    add_cut(&cut, line.len - head.len, "]");
    return text_view(&cut);
}

/* A third of the room for the head; the tail is where errors stand. */
static struct view cut_text(struct view whole, size_t max_bytes, struct arena *mem)
{
    if (whole.len <= max_bytes)
        return whole;
    struct view head = view_cap(whole, max_bytes / 3);
    size_t from = whole.len - (max_bytes - max_bytes / 3);
    while (from < whole.len && ((unsigned char)whole.at[from] & 0xC0) == 0x80)
        from++;
    struct text cut = text_in(mem, max_bytes + WORDS_OF_A_CUT);
    text_add(&cut, head);
    text_add_string(&cut, head.len > 0 ? "\n" : "");
    add_cut(&cut, from - head.len, " ...]\n");
    text_add(&cut, view_skip(whole, from));
    return text_view(&cut);
}

/* --- writing ---------------------------------------------------------------------------------- */

struct job {
    const struct stored *stored;
    struct caps caps;
    struct arena *mem;
    struct json_writer writer;
};

static void put_stated(struct job *job, const char *key, struct view value)
{
    if (value.len > 0)
        json_put_text(&job->writer, key, value);
}

/* ["key","value"], or a name and a resource. */
static void put_two(struct job *job, struct view first, struct view second)
{
    json_open(&job->writer, NULL, '[');
    json_put_text(&job->writer, NULL, first);
    json_put_text(&job->writer, NULL, second);
    json_close(&job->writer, ']');
}

static void put_pairs(struct job *job, const char *key, const struct pairs *pairs)
{
    size_t count = pairs->count < job->caps.pairs ? pairs->count : job->caps.pairs;
    size_t left_out = pairs->left_out + pairs->count - count;
    if (count + left_out == 0)
        return;
    json_open(&job->writer, key, '{');
    json_open(&job->writer, "at", '[');
    for (size_t i = 0; i < count; i++)
        put_two(job, cut_line(pairs->at[i].key, job->caps.key, job->mem),
                cut_line(pairs->at[i].value, job->caps.value, job->mem));
    json_close(&job->writer, ']');
    if (left_out > 0)
        json_put_number(&job->writer, "leftOut", (long long)left_out);
    json_close(&job->writer, '}');
}

static const char *dialect_name(const struct source *from)
{
    for (size_t i = 0; i < COUNT_OF(dialects); i++)
        if (dialects[i].source == from)
            return dialects[i].name;
    return "native";
}

/* A whole number as text: JSON's own are not exact beyond 2^53. */
static void put_count(struct job *job, const char *key, long long count)
{
    char digits[32];
    struct text text = text_over(digits, sizeof digits);
    text_add_number(&text, count);
    json_put_text(&job->writer, key, text_view(&text));
}

static void put_alert(struct job *job, const struct alert *alert)
{
    json_open(&job->writer, "alert", '{');
    json_put_text(&job->writer, "from", view_of(dialect_name(alert->from)));
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        put_stated(job, lines[i].key,
                   cut_line(*view_at(alert, &lines[i]), job->caps.line, job->mem));
    if (alert->has_severity)
        json_put_number(&job->writer, "severity", alert->severity);
    if (alert->line > 0)
        put_count(job, "line", alert->line);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        put_stated(job, texts[i].key,
                   cut_text(*view_at(alert, &texts[i]), job->caps.text, job->mem));
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        put_pairs(job, lists[i].key, pairs_at(alert, &lists[i]));
    put_stated(job, "logs", cut_text(alert->logs, job->caps.logs, job->mem));
    json_close(&job->writer, '}');
}

static void put_named(struct job *job, const struct alert *alert)
{
    struct view resource = { 0 };
    if (job->caps.resource > 0)
        resource = cut_line(alert->resource, job->caps.resource, job->mem);
    put_two(job, cut_line(alert->name, job->caps.name, job->mem), resource);
}

/* What was folded into the problem: the tags of all, the names of as many as will be shown. */
static void put_also(struct job *job, const struct problem *problem)
{
    if (problem->also_count == 0)
        return;
    json_open(&job->writer, "also", '{');
    json_put_number(&job->writer, "count", (long long)problem->also_count);
    json_open(&job->writer, "fingerprints", '[');
    for (size_t i = 0; i < problem->also_fingerprint_count; i++)
        json_put_text(&job->writer, NULL, problem->also_fingerprints[i]);
    json_close(&job->writer, ']');
    json_open(&job->writer, "named", '[');
    for (size_t i = 0; i < problem->also_count && i < MAX_STORED_NAMES; i++)
        put_named(job, problem->also[i]);
    json_close(&job->writer, ']');
    json_close(&job->writer, '}');
}

/* The content, as far as the caps let it; it gives its length. */
static size_t put_content(struct job *job)
{
    const struct stored *stored = job->stored;
    const struct identity *identity = &stored->problem.identity;
    job->writer.to->len = 0;
    job->writer.to->broken = false;
    job->writer.needs_comma = false;
    json_open(&job->writer, NULL, '{');
    json_put_number(&job->writer, "v", VERSION);
    json_put_number(&job->writer, "firstSeen", stored->first_seen_s);
    json_put_text(&job->writer, "fingerprint", identity->fingerprint);
    json_put_text(&job->writer, "firing", identity->firing);
    json_put_bool(&job->writer, "hasFiring", identity->has_firing);
    put_stated(job, "playbook", view_cap(stored->playbook, MAX_PLAYBOOK_BYTES));
    put_stated(job, "playbookId", view_cap(stored->playbook_id, MAX_PLAYBOOK_BYTES));
    put_also(job, &stored->problem);
    put_alert(job, stored->problem.alert);
    return job->writer.to->len;
}

static bool has_fitted(const struct job *job)
{
    return text_ok(job->writer.to) && job->writer.to->len <= CONTENT_BYTES;
}

/* Without logs first: then it is known what is left for them.  How they escape shows in the writing. */
static bool fit_level(struct job *job, const struct caps *caps)
{
    struct view logs = job->stored->problem.alert->logs;
    job->caps = *caps;
    size_t without = put_content(job);
    if (!has_fitted(job) || caps->logs == NO_CAP || logs.len == 0)
        return has_fitted(job);
    size_t room = CONTENT_BYTES - without;
    job->caps.logs = room > WORDS_OF_A_CUT ? room - WORDS_OF_A_CUT : 0;
    for (int i = 0; i < LOG_TRIES; i++) {
        size_t used = put_content(job) - without;
        if (has_fitted(job))
            return true;
        job->caps.logs = used > 0 ? job->caps.logs * room / used : 0;
        job->caps.logs -= job->caps.logs < WORDS_OF_A_CUT ? job->caps.logs : WORDS_OF_A_CUT;
    }
    return false;
}

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left for the stored form");
}

bool stored_write(const struct stored *stored, struct arena *mem, struct view *out,
                  struct failure *why)
{
    struct text text = text_in(mem, MEASURED_BYTES);
    struct job job = { .stored = stored, .mem = mem, .writer = { .to = &text } };
    size_t level = 0;
    while (level < COUNT_OF(levels) && !fit_level(&job, &levels[level])) {
        if (!arena_ok(mem))
            return no_memory(why);
        level++;
    }
    put_stated(&job, "reason", view_cap(stored->reason, MAX_REASON_BYTES));
    json_close(&job.writer, '}');
    *out = text_view(&text);
    return (text_ok(&text) && arena_ok(mem) && out->len <= MAX_STORED_BYTES) || no_memory(why);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool broken(struct failure *why, const char *what)
{
    return fail(why, FAIL_STORED_BROKEN, "%s", what);
}

/* What is no text is not there. */
static struct view keep_text(const struct cJSON *node, struct arena *mem)
{
    struct view text = json_text(node);
    if (text.len == 0)
        return (struct view){ 0 }; /* not a view into the tree, which goes */
    return view_keep(text, mem);
}

static long long read_count(const struct cJSON *node, long long max)
{
    double number = json_number(node);
    return number >= 1 && number <= (double)max ? (long long)number : 0;
}

static size_t count_items(const struct cJSON *list)
{
    size_t count = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item))
        count++;
    return count;
}

static bool read_pairs(const struct cJSON *node, struct arena *mem, struct pairs *out)
{
    const struct cJSON *list = json_at(node, "at");
    *out = (struct pairs){
        .at = arena_get_array(mem, count_items(list), sizeof *out->at),
        .left_out = (size_t)read_count(json_at(node, "leftOut"), INT_MAX),
    };
    if (out->at == NULL)
        return false;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        const struct cJSON *key = json_first(item);
        out->at[out->count++] = (struct pair){
            .key = keep_text(key, mem),
            .value = keep_text(json_next(key), mem),
        };
    }
    return arena_ok(mem);
}

static const struct source *dialect_of(struct view name)
{
    for (size_t i = 0; i < COUNT_OF(dialects); i++)
        if (view_equal(name, view_of(dialects[i].name)))
            return dialects[i].source;
    return &source_native;
}

static bool read_alert(const struct cJSON *node, struct arena *mem, struct alert *out)
{
    char *at = (char *)out;
    const struct cJSON *severity = json_at(node, "severity");
    double level = json_number(severity);
    bool has_severity = json_kind(severity) == JSON_NUMBER && level >= 0 && level <= 4;
    *out = (struct alert){
        .from = dialect_of(json_text(json_at(node, "from"))),
        .state = ALERT_FIRED,
        .has_severity = has_severity,
        .severity = has_severity ? (int)level : 0,
        .logs = keep_text(json_at(node, "logs"), mem),
    };
    (void)view_to_number(json_text(json_at(node, "line")), 1, LLONG_MAX, &out->line);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        *(struct view *)(void *)(at + lines[i].offset) =
            keep_text(json_at(node, lines[i].key), mem);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *(struct view *)(void *)(at + texts[i].offset) =
            keep_text(json_at(node, texts[i].key), mem);
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (!read_pairs(json_at(node, lists[i].key), mem,
                        (struct pairs *)(void *)(at + lists[i].offset)))
            return false;
    return arena_ok(mem);
}

/* "fp-" and 16 hex digits: it goes into tags and into queries. */
static bool read_tag(const struct cJSON *node, const char *prefix, struct arena *mem,
                     struct view *out)
{
    struct view tag = json_text(node);
    struct view digits = view_skip(tag, view_of(prefix).len);
    if (!view_starts(tag, view_of(prefix)) || digits.len != TAG_DIGITS)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (!((digits.at[i] >= '0' && digits.at[i] <= '9')
              || (digits.at[i] >= 'a' && digits.at[i] <= 'f')))
            return false;
    *out = view_keep(tag, mem);
    return true;
}

static bool read_also(const struct cJSON *node, struct arena *mem, struct problem *out)
{
    const struct cJSON *tag = json_first(json_at(node, "fingerprints"));
    const struct cJSON *named = json_first(json_at(node, "named"));
    size_t count = (size_t)read_count(json_at(node, "count"), MAX_ALERTS);
    struct alert *alerts = arena_get_array(mem, count, sizeof *alerts);
    const struct alert **also = arena_get_array(mem, count, sizeof(const struct alert *));
    out->also_fingerprints = arena_get_array(mem, count, sizeof *out->also_fingerprints);
    if (alerts == NULL || also == NULL || out->also_fingerprints == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct cJSON *name = json_first(named);
        alerts[i] = (struct alert){
            .from = &source_native,
            .name = keep_text(name, mem),
            .resource = keep_text(json_next(name), mem),
        };
        also[i] = &alerts[i];
        named = json_next(named);
    }
    for (; tag != NULL && out->also_fingerprint_count < count; tag = json_next(tag))
        out->also_fingerprint_count +=
            read_tag(tag, "fp-", mem, &out->also_fingerprints[out->also_fingerprint_count]);
    out->also = also;
    out->also_count = count;
    return arena_ok(mem);
}

static bool read_all(const struct cJSON *root, struct arena *mem, struct stored *out,
                     struct failure *why)
{
    struct identity *identity = &out->problem.identity;
    struct alert *alert = arena_get(mem, sizeof *alert);
    if (json_number(json_at(root, "v")) != VERSION)
        return broken(why, "no alert of this version");
    if (!read_tag(json_at(root, "fingerprint"), "fp-", mem, &identity->fingerprint)
        || !read_tag(json_at(root, "firing"), "alert-", mem, &identity->firing))
        return broken(why, "its tags are no tags of ours");
    if (json_text(json_at(root, "alert.name")).len == 0)
        return broken(why, "its alert has no name");
    identity->has_firing = json_is_true(json_at(root, "hasFiring"));
    out->first_seen_s = read_count(json_at(root, "firstSeen"), LLONG_MAX / 2);
    out->playbook = keep_text(json_at(root, "playbook"), mem);
    out->playbook_id = keep_text(json_at(root, "playbookId"), mem);
    out->reason = keep_text(json_at(root, "reason"), mem);
    out->problem.alert = alert;
    return (alert != NULL && read_alert(json_at(root, "alert"), mem, alert)
            && read_also(json_at(root, "also"), mem, &out->problem) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left for a stored alert");
}

bool stored_read(struct view message, struct arena *mem, struct stored *out, struct failure *why)
{
    struct json json = { 0 };
    struct failure not_json = { 0 };
    *out = (struct stored){ 0 };
    if (message.len > MAX_MESSAGE_BYTES)
        return broken(why, "longer than a message can be");
    if (!json_read(message, mem, &json, &not_json)) {
        *why = not_json;
        return not_json.kind == FAIL_INTERNAL ? false : broken(why, "no JSON");
    }
    bool is_read = read_all(json.root, mem, out, why);
    json_free(&json);
    return is_read;
}
