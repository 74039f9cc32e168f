/* What the host puts into Data and Metadata is as it was seen on the wire of the real one. */
#include "support/envelope.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/match.h"

#include <stdio.h>

enum { LARGEST = 64 * 1024 * 1024, CHUNK = 1024 };

static const char *kept(struct view text, struct arena *mem)
{
    struct view copy = view_keep(text, mem);
    return copy.at != NULL ? copy.at : "";
}

/* --- request --------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Percent signs and plus signs of a query decoded. */
static struct view decoded(struct view raw, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i];
        int high = i + 2 < raw.len ? hex_value(raw.at[i + 1]) : -1;
        int low = i + 2 < raw.len ? hex_value(raw.at[i + 2]) : -1;
        if (c == '%' && high >= 0 && low >= 0) {
            text_add_char(&text, (char)(high * 16 + low));
            i += 2;
        } else {
            text_add_char(&text, c == '+' ? ' ' : c);
        }
    }
    return text_view(&text);
}

static void put_query(struct json_writer *to, struct view target, struct arena *mem)
{
    struct view path;
    struct view query;
    struct view item;
    json_open(to, "Query", '{');
    view_cut(target, '?', &path, &query);
    while (query.len > 0) {
        struct view name;
        struct view value;
        if (!view_cut(query, '&', &item, &query))
            query = (struct view){ 0 };
        lines_pair(item, '=', &name, &value);
        json_put_text(to, kept(decoded(name, mem), mem), decoded(value, mem));
    }
    json_close(to, '}');
}

static void put_headers(struct json_writer *to, const struct envelope_request *request,
                        struct arena *mem)
{
    struct view rest = request->headers;
    struct view line;
    struct view name;
    struct view value;
    json_open(to, "Headers", '{');
    while (lines_next(&rest, &line)) {
        if (!lines_pair(line, ':', &name, &value))
            continue;
        json_open(to, kept(name, mem), '[');
        json_put_text(to, NULL, value);
        json_close(to, ']');
    }
    json_open(to, "Host", '[');
    json_put_text(to, NULL, VIEW("localhost:7071"));
    json_close(to, ']');
    json_close(to, '}');
}

static struct view content_type(struct view headers)
{
    struct view line;
    struct view name;
    struct view value;
    while (lines_next(&headers, &line))
        if (lines_pair(line, ':', &name, &value) && view_equal_fold(name, VIEW("Content-Type")))
            return value;
    return (struct view){ 0 };
}

static struct view in_base64(struct view bytes, struct arena *mem)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct text text = text_in(mem, LARGEST);
    for (; bytes.len > 0; bytes = view_skip(bytes, 3)) {
        unsigned long group = 0;
        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < bytes.len ? (unsigned char)bytes.at[i] : 0U);
        for (size_t i = 0; i < 4; i++)
            text_add_char(&text, i > bytes.len ? '=' : letters[group >> (18 - 6 * i) & 63]);
    }
    return text_view(&text);
}

/* A string whatever it holds; absent when empty; base64 for what is not text by its type. */
static void put_body(struct json_writer *to, const struct envelope_request *request,
                     struct arena *mem)
{
    struct view type = content_type(request->headers);
    if (request->body.len == 0)
        return;
    bool is_binary = view_starts_fold(type, VIEW("application/octet-stream"))
                     || view_starts_fold(type, VIEW("multipart/"));
    json_put_text(to, "Body", is_binary ? in_base64(request->body, mem) : request->body);
}

static void put_data(struct json_writer *to, const struct envelope_request *request,
                     struct arena *mem)
{
    struct text url = text_in(mem, LARGEST);
    text_add_string(&url, "http://localhost:7071");
    text_add(&url, request->target);
    json_open(to, "Data", '{');
    json_open(to, "req", '{');
    json_put_text(to, "Url", text_view(&url));
    json_put_text(to, "Method", request->method);
    put_query(to, request->target, mem);
    put_headers(to, request, mem);
    json_open(to, "Params", '{');
    json_close(to, '}');
    json_open(to, "Identities", '[');
    json_open(to, NULL, '{');
    json_put_null(to, "AuthenticationType");
    json_put_bool(to, "IsAuthenticated", false);
    json_open(to, "Claims", '[');
    json_close(to, ']');
    json_put_null(to, "Name");
    json_close(to, '}');
    json_close(to, ']');
    put_body(to, request, mem);
    json_close(to, '}');
    json_close(to, '}');
}

struct view envelope_wrap(const struct envelope_request *request, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    struct json_writer to = { .to = &text };
    json_open(&to, NULL, '{');
    put_data(&to, request, mem);
    json_open(&to, "Metadata", '{');
    put_query(&to, request->target, mem);
    json_open(&to, "sys", '{');
    json_put_text(&to, "MethodName", VIEW("trigger-devin"));
    json_put_text(&to, "UtcNow", VIEW("2026-03-08T10:00:00.12Z"));
    json_put_text(&to, "RandGuid", VIEW("24ad4c06-24ad-4e5b-8294-3da9714877e9"));
    json_close(&to, '}');
    json_close(&to, '}');
    json_close(&to, '}');
    return text_view(&text);
}

struct view envelope_chunks(struct view bytes, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    char size[16];
    while (bytes.len > 0) {
        struct view piece = { bytes.at, bytes.len < CHUNK ? bytes.len : CHUNK };
        snprintf(size, sizeof size, "%zx\r\n", piece.len);
        text_add_string(&text, size);
        text_add(&text, piece);
        text_add_string(&text, "\r\n");
        bytes = view_skip(bytes, piece.len);
    }
    text_add_string(&text, "0\r\n\r\n");
    return text_view(&text);
}

/* --- answer ---------------------------------------------------------------------------------- */

/*
 * The rules by which the host takes an answer for good; each breach fails or hangs an invocation.
 */
static bool is_sound(const struct http_answer *from, const struct cJSON *root, struct text *why)
{
    const struct cJSON *logs = json_at(root, "Logs");
    const struct cJSON *result = json_at(root, "Outputs.res");
    if (json_kind(root) != JSON_OBJECT)
        return complain(why, "envelope: the answer is no JSON object", from->body);
    if (logs != NULL && json_kind(logs) != JSON_LIST)
        return complain(why, "envelope: Logs is no list", from->body);
    for (const struct cJSON *log = json_first(logs); log != NULL; log = json_next(log))
        if (json_kind(log) != JSON_TEXT)
            return complain(why, "envelope: Logs holds something else than text", from->body);
    if (json_kind(json_at(result, "statusCode")) != JSON_NUMBER)
        return complain(why, "envelope: Outputs.res.statusCode is no number", from->body);
    if (json_kind(json_at(result, "body")) != JSON_TEXT)
        return complain(why, "envelope: Outputs.res.body is no string", from->body);
    return true;
}

static void take_result(const struct cJSON *result, struct arena *mem, struct http_answer *out)
{
    struct text head = text_in(mem, LARGEST);
    out->status = (int)json_number(json_at(result, "statusCode"));
    text_add_string(&head, "HTTP/1.1 ");
    text_add_number(&head, out->status);
    const struct cJSON *header = json_first(json_at(result, "headers"));
    for (; header != NULL; header = json_next(header)) {
        text_add_char(&head, '\n');
        text_add(&head, json_key(header));
        text_add_string(&head, ": ");
        text_add(&head, json_text(header));
    }
    out->head = text_view(&head);
    out->body = view_keep(json_text(json_at(result, "body")), mem);
}

bool envelope_unwrap(const struct http_answer *from, struct arena *mem, struct http_answer *out,
                     struct text *why)
{
    struct json json = { 0 };
    struct failure failure = { 0 };
    *out = (struct http_answer){ 0 };
    if (from->status != 200)
        return complain(why, "envelope: the HTTP status must be 200", from->head);
    if (!view_starts_fold(http_header(from, "Content-Type"), VIEW("application/json")))
        return complain(why, "envelope: the Content-Type must be application/json", from->head);
    if (!json_read(from->body, mem, &json, &failure))
        return complain(why, "envelope: the answer is not JSON", from->body);
    bool ok = is_sound(from, json.root, why);
    if (ok)
        take_result(json_at(json.root, "Outputs.res"), mem, out);
    json_free(&json);
    return ok;
}
