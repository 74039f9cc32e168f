/* Reads leniently (the host's documentation and its code differ), writes one exact form. */
#include "edge/invocation.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"

#include <limits.h>

#define FUNCTION_NAME "trigger-devin"
#define RETRY_NAME    "retry-devin"

enum { MAX_HEADERS = 256, NO_LIMIT = 64 * 1024 * 1024, MAX_ENCODINGS = 2 };

enum route invocation_route(struct view method, struct view path)
{
    bool is_read = view_equal(method, VIEW("GET")) || view_equal(method, VIEW("HEAD"));
    if (view_equal(path, VIEW("/")))
        return is_read ? ROUTE_PING : ROUTE_NONE;
    if (path.len > 1 && path.at[path.len - 1] == '/')
        path.len--;
    if (view_equal_fold(path, VIEW("/api/" FUNCTION_NAME)))
        return ROUTE_FORWARDED;
    if (view_equal_fold(path, VIEW("/" FUNCTION_NAME)) && view_equal(method, VIEW("POST")))
        return ROUTE_ENVELOPE;
    if (view_equal_fold(path, VIEW("/" RETRY_NAME)) && view_equal(method, VIEW("POST")))
        return ROUTE_RETRY;
    return ROUTE_NONE;
}

struct view invocation_id(struct view header)
{
    struct view last = header;
    struct view head;
    while (view_cut(last, ',', &head, &last))
        continue;
    last = view_trim(head);
    for (size_t i = 0; i < last.len; i++) {
        char c = last.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || c == '-'))
            return (struct view){ 0 };
    }
    return last.len <= 64 ? last : (struct view){ 0 };
}

/* Headers are lists of strings in Data and plain strings in older samples: the first one counts. */
static bool read_headers(const struct cJSON *members, struct arena *mem, struct request *out)
{
    size_t count = 0;
    struct header *headers = arena_get_array(mem, MAX_HEADERS, sizeof *headers);
    if (headers == NULL)
        return false;
    for (const struct cJSON *member = json_first(members); member != NULL && count < MAX_HEADERS;
         member = json_next(member)) {
        const struct cJSON *value = json_kind(member) == JSON_LIST ? json_first(member) : member;
        struct header *header = &headers[count++];
        header->name = view_keep(json_key(member), mem);
        header->value = view_keep(json_text(value), mem);
        if (header->name.at == NULL || header->value.at == NULL)
            return false;
    }
    out->headers = headers;
    out->header_count = count;
    return true;
}

/* What the host takes for binary it puts into the envelope as base64. */
static bool is_sent_as_base64(struct view content_type)
{
    return view_starts_fold(content_type, VIEW("application/octet-stream"))
           || view_starts_fold(content_type, VIEW("multipart/"));
}

/* "http://host/path?query": what stands behind the question mark, as it came. */
static bool read_request(const struct cJSON *trigger, struct arena *mem, struct request *out)
{
    struct view path;
    struct view query;
    view_cut(json_text(json_at(trigger, "Url")), '?', &path, &query);
    out->method = view_keep(json_text(json_at(trigger, "Method")), mem);
    out->path = view_keep(path, mem);
    out->query = view_keep(query, mem);
    out->body = view_keep(json_text(json_at(trigger, "Body")), mem);
    if (out->method.at == NULL || out->path.at == NULL || out->query.at == NULL
        || out->body.at == NULL || !read_headers(json_at(trigger, "Headers"), mem, out))
        return false;
    if (is_sent_as_base64(request_header(out, "Content-Type")))
        (void)base64_decode(out->body, mem, &out->body); /* else it was text after all */
    return arena_ok(mem);
}

bool invocation_open(struct view envelope, struct arena *mem, struct request *out,
                     struct failure *why)
{
    struct json json = { 0 };
    struct failure not_json = { 0 };
    if (!json_read(envelope, mem, &json, &not_json))
        return fail(why, not_json.kind == FAIL_INTERNAL ? FAIL_INTERNAL : FAIL_BAD_ENVELOPE,
                    "envelope: %s", not_json.detail);
    const struct cJSON *trigger = json_at(json.root, "Data.req");
    bool has_trigger = json_kind(json_at(trigger, "Method")) == JSON_TEXT;
    bool is_read = has_trigger && read_request(trigger, mem, out);
    json_free(&json);
    if (!has_trigger)
        return fail(why, FAIL_BAD_ENVELOPE, "envelope: no Data.req.Method");
    return is_read || fail(why, FAIL_INTERNAL, "no memory left for the envelope");
}

/* --- queue trigger ---------------------------------------------------------------------------- */

/* False without memory; text that is no JSON string stays as it is. */
static bool unquote(struct view text, struct arena *mem, struct view *out)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    *out = text;
    if (!view_starts(view_trim(text), VIEW("\"")))
        return true;
    if (!json_read(text, mem, &json, &why))
        return why.kind != FAIL_INTERNAL;
    *out = view_keep(json_text(json.root), mem);
    json_free(&json);
    return out->at != NULL;
}

/* The host hands out text as JSON in JSON, or once less; and base64 where it was told not to decode. */
static bool read_message(const struct cJSON *node, struct arena *mem, struct view *out)
{
    struct view decoded = { 0 };
    if (json_kind(node) != JSON_TEXT) {
        *out = json_as_text(node, mem);
        return arena_ok(mem);
    }
    *out = view_keep(json_text(node), mem);
    for (int i = 0; i < MAX_ENCODINGS; i++)
        if (out->at == NULL || !unquote(*out, mem, out))
            return false;
    if (!view_starts(*out, VIEW("{")) && base64_decode(*out, mem, &decoded)
        && view_starts(decoded, VIEW("{")))
        *out = decoded;
    return arena_ok(mem);
}

/* "3", 3 or "\"3\"". */
static int read_dequeue_count(const struct cJSON *node)
{
    long long count = 0;
    struct view digits = json_text(node);
    if (digits.len > 2 && digits.at[0] == '"')
        digits = (struct view){ digits.at + 1, digits.len - 2 };
    double number = json_number(node);
    if (number >= 1 && number <= INT_MAX)
        return (int)number;
    return view_to_number(digits, 0, INT_MAX, &count) ? (int)count : 0;
}

static bool no_retry(struct failure *why, const char *what)
{
    fail_because(why, FAIL_BAD_ENVELOPE,
                 VIEW("expected Data.alert from a queueTrigger named alert"));
    fail_detail(why, "envelope: %s", what);
    return false;
}

bool invocation_open_retry(struct view envelope, struct arena *mem, struct request *out,
                           struct failure *why)
{
    struct json json = { 0 };
    struct failure not_json = { 0 };
    if (!json_read(envelope, mem, &json, &not_json))
        return not_json.kind == FAIL_INTERNAL ? fail(why, FAIL_INTERNAL, "%s", not_json.detail)
                                              : no_retry(why, not_json.detail);
    const struct cJSON *message = json_at(json.root, "Data.alert");
    bool has_message = json_kind(message) == JSON_TEXT || json_kind(message) == JSON_OBJECT;
    struct view body = { 0 };
    bool is_read = has_message && read_message(message, mem, &body);
    int dequeue_count = read_dequeue_count(json_at(json.root, "Metadata.DequeueCount"));
    json_free(&json);
    if (!has_message)
        return no_retry(why, "no Data.alert");
    if (!is_read)
        return fail(why, FAIL_INTERNAL, "no memory left for the envelope");
    out->body = body;
    out->is_retry = true;
    out->dequeue_count = dequeue_count;
    return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void put_headers(struct json_writer *writer, const struct reply *reply)
{
    json_open(writer, "headers", '{');
    json_put_text(writer, "Content-Type", VIEW("application/json"));
    if (reply->allow != NULL)
        json_put_text(writer, "Allow", view_of(reply->allow));
    if (reply->retry_after_s > 0) {
        char digits[16];
        struct text seconds = text_over(digits, sizeof digits);
        text_add_number(&seconds, reply->retry_after_s);
        json_put_text(writer, "Retry-After", text_view(&seconds));
    }
    json_close(writer, '}');
}

/* What follows the outputs. */
static void put_end(struct json_writer *writer, struct view log_line)
{
    json_open(writer, "Logs", '[');
    if (log_line.len > 0)
        json_put_text(writer, NULL, log_line);
    json_close(writer, ']');
    json_put_null(writer, "ReturnValue");
    json_close(writer, '}');
}

struct view invocation_close_retry(struct view log_line, struct arena *mem)
{
    struct text answer = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &answer };
    json_open(&writer, NULL, '{');
    json_open(&writer, "Outputs", '{');
    json_close(&writer, '}');
    put_end(&writer, log_line);
    return text_ok(&answer) ? text_view(&answer)
                            : VIEW("{\"Outputs\":{},\"Logs\":[],\"ReturnValue\":null}");
}

struct view invocation_close(const struct reply *reply, struct view log_line, struct arena *mem)
{
    struct text answer = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &answer };
    json_open(&writer, NULL, '{');
    json_open(&writer, "Outputs", '{');
    json_open(&writer, "res", '{');
    json_put_number(&writer, "statusCode", reply->status);
    put_headers(&writer, reply);
    json_put_text(&writer, "body", reply->body);
    json_close(&writer, '}');
    json_close(&writer, '}');
    put_end(&writer, log_line);
    if (text_ok(&answer))
        return text_view(&answer);
    return VIEW(
        "{\"Outputs\":{\"res\":{\"statusCode\":500,\"headers\":{\"Content-Type\":"
        "\"application/json\"},\"body\":\"{\\\"success\\\":false,\\\"error\\\":\\\"Failed to "
        "create Devin session\\\",\\\"details\\\":\\\"Internal error\\\"}\"}},\"Logs\":[],"
        "\"ReturnValue\":null}");
}
