/* v1 answers errors as FastAPI does, v3 as problems of RFC 9457; both name what is wrong by `loc`. */
#include "support/devin_exchange.h"

#include <civetweb.h>
#include <stdio.h>
#include <time.h>

/* clang-format off */
const struct shape devin_any_text = { .kind = JSON_TEXT };

static const struct member secret_members[] = {
    { "key",       { .kind = JSON_TEXT, .is_required = true, .min = 1, .max = 256 } },
    { "value",     { .kind = JSON_TEXT, .is_required = true, .max = 65536 } },
    { "sensitive", { .kind = JSON_BOOL } },
    { NULL,        { 0 } },
};
const struct shape devin_any_secret = { .kind = JSON_OBJECT, .inner = secret_members };

static const struct member tags_members[] = {
    { "tags", { .kind = JSON_LIST, .is_required = true, .max = MOST_TAGS, .item = &devin_any_text } },
    { NULL,   { 0 } },
};
const struct shape devin_tags_body = { .kind = JSON_OBJECT, .is_required = true, .inner = tags_members };
/* clang-format on */

/* --- answers ------------------------------------------------------------------------------ */

void exchange_start(struct exchange *ex, int status)
{
    ex->out = text_in(&ex->mem, MAX_ANSWER_BYTES);
    ex->writer = (struct json_writer){ .to = &ex->out };
    ex->status = status;
    ex->type = "application/json";
}

/* The object stays open. */
static void open_problem(struct exchange *ex, int status, const char *detail)
{
    /* civetweb's own word for 422 is misspelled */
    const char *title =
        status == 422 ? "Unprocessable Entity" : mg_get_response_code_text(NULL, status);
    exchange_start(ex, status);
    ex->type = "application/problem+json";
    json_open(&ex->writer, NULL, '{');
    json_put_text(&ex->writer, "type", VIEW("about:blank"));
    json_put_text(&ex->writer, "title", view_of(title));
    json_put_number(&ex->writer, "status", status);
    json_put_text(&ex->writer, "detail", view_of(detail));
    json_put_text(&ex->writer, "instance", ex->path);
}

void exchange_refuse(struct exchange *ex, int status, const char *detail)
{
    if (ex->api == API_V3) {
        open_problem(ex, status, detail);
    } else {
        exchange_start(ex, status);
        json_open(&ex->writer, NULL, '{');
        json_put_text(&ex->writer, "detail", view_of(detail));
    }
    json_close(&ex->writer, '}');
}

void exchange_refuse_memory(struct exchange *ex)
{
    exchange_refuse(ex, 500, "The stand-in has no memory left");
}

static void open_complaints(struct exchange *ex)
{
    if (ex->api == API_V3) {
        open_problem(ex, 422, "Validation failed");
        json_open(&ex->writer, "errors", '[');
        return;
    }
    exchange_start(ex, 422);
    json_open(&ex->writer, NULL, '{');
    json_open(&ex->writer, "detail", '[');
}

static void close_complaints(struct exchange *ex)
{
    json_close(&ex->writer, ']');
    json_close(&ex->writer, '}');
}

bool exchange_body_is(struct exchange *ex, const struct shape *shape)
{
    size_t complaints = 1;
    open_complaints(ex);
    if (ex->body.len > 0 && ex->json.root == NULL)
        shape_complain_not_json(&ex->writer);
    else
        complaints = shape_check(shape, ex->json.root, &ex->writer);
    close_complaints(ex);
    if (complaints == 0)
        exchange_start(ex, 200);
    return complaints == 0;
}

void exchange_complain(struct exchange *ex, const char *in, const char *name, const char *type,
                       const char *sentence)
{
    open_complaints(ex);
    shape_complain(in, name, type, sentence, &ex->writer);
    close_complaints(ex);
}

/* --- the query ---------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static struct view decode(struct view raw, struct arena *mem)
{
    struct text text = text_in(mem, raw.len);
    for (size_t i = 0; i < raw.len; i++) {
        bool is_escape = raw.at[i] == '%' && i + 2 < raw.len && hex_digit(raw.at[i + 1]) >= 0
                         && hex_digit(raw.at[i + 2]) >= 0;
        if (is_escape) {
            text_add_char(&text, (char)(hex_digit(raw.at[i + 1]) * 16 + hex_digit(raw.at[i + 2])));
            i += 2;
        } else {
            text_add_char(&text, raw.at[i] == '+' ? ' ' : raw.at[i]);
        }
    }
    return text_view(&text);
}

size_t exchange_values(struct exchange *ex, const char *name, struct view *out, size_t most)
{
    size_t count = 0;
    struct view rest = ex->query, pair, key, value;
    while (rest.len > 0) {
        view_cut(rest, '&', &pair, &rest);
        view_cut(pair, '=', &key, &value);
        if (count < most && view_equal(decode(key, &ex->mem), view_of(name)))
            out[count++] = decode(value, &ex->mem);
    }
    return count;
}

bool exchange_number(struct exchange *ex, const char *name, long long min, long long max,
                     long long *out)
{
    struct view values[16];
    size_t count = exchange_values(ex, name, values, COUNT_OF(values));
    if (count == 0 || view_to_number(values[count - 1], min, max, out))
        return true;
    exchange_complain(ex, "query", name, "int_parsing", "Input should be a valid integer in range");
    return false;
}

bool exchange_wants_tags(const struct session *session, const struct view *tags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < session->tag_count; j++)
            if (view_equal(tags[i], session->tags[j]))
                return true;
    return count == 0;
}

/* --- what both versions say ---------------------------------------------------------------- */

void exchange_put_url(struct exchange *ex, const struct session *session)
{
    struct text url = text_in(&ex->mem, 256);
    text_add_string(&url, "http://127.0.0.1:");
    text_add_number(&url, ex->devin->port);
    text_add_string(&url, "/sessions/");
    text_add(&url, session->id);
    json_put_text(&ex->writer, "url", text_view(&url));
}

void exchange_put_or_null(struct exchange *ex, const char *key, struct view text)
{
    if (text.len > 0)
        json_put_text(&ex->writer, key, text);
    else
        json_put_null(&ex->writer, key);
}

void exchange_put_tags(struct exchange *ex, const struct session *session)
{
    json_open(&ex->writer, "tags", '[');
    for (size_t i = 0; i < session->tag_count; i++)
        json_put_text(&ex->writer, NULL, session->tags[i]);
    json_close(&ex->writer, ']');
}

struct view exchange_iso(struct exchange *ex, long long time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm utc;
    char date[64], micros[32];
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(micros, sizeof micros, ".%06lld+00:00", time_us % 1000000);
    struct text text = text_in(&ex->mem, 128);
    text_add_string(&text, date);
    text_add_string(&text, micros);
    return text_view(&text);
}

bool exchange_playbook_is_known(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    struct view id = json_text(json_at(ex->json.root, "playbook_id"));
    bool is_strict = memory->options.playbooks == STRICT_BOTH
                     || (memory->options.playbooks == STRICT_V3 && ex->api == API_V3);
    bool is_absent = json_kind(json_at(ex->json.root, "playbook_id")) != JSON_TEXT;
    if (!is_strict || is_absent || memory_find_playbook(memory, id) != NULL)
        return true;
    exchange_refuse(ex, 400, "Playbook ID does not exist");
    return false;
}

struct playbook *exchange_playbook(struct exchange *ex)
{
    struct playbook *playbook = memory_find_playbook(&ex->devin->memory, ex->id);
    if (playbook == NULL)
        exchange_refuse(ex, 404, "Playbook not found");
    return playbook;
}
