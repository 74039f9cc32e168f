/* Each of these rules fails a real invocation when it is broken; none of them is in the documentation. */
#include "support/host_result.h"

#include "base/arena.h"
#include "base/json.h"

#include <stdio.h>

enum { LARGEST_TYPE = 64 * 1024 };

/* The envelope's own names compare without case. */
static const struct cJSON *member(const struct cJSON *object, const char *name)
{
    const struct cJSON *found = json_first(object);
    while (found != NULL && !view_equal_fold(json_key(found), view_of(name)))
        found = json_next(found);
    return found;
}

static bool refuse(struct text *why, const char *sentence)
{
    text_add_string(why, sentence);
    return false;
}

static void print_log(struct view line)
{
    fputs("[log] ", stdout);
    for (size_t i = 0; i < line.len; i++)
        putchar(line.at[i] >= 0 && line.at[i] < ' ' ? ' ' : line.at[i]);
    putchar('\n');
}

static bool read_logs(const struct cJSON *logs, struct text *why)
{
    if (logs != NULL && json_kind(logs) != JSON_LIST && json_kind(logs) != JSON_NULL)
        return refuse(why, "Logs is no list");
    for (const struct cJSON *log = json_first(logs); log != NULL; log = json_next(log))
        if (json_kind(log) != JSON_TEXT)
            return refuse(why, "Logs holds something else than strings");
    flockfile(stdout);
    for (const struct cJSON *log = json_first(logs); log != NULL; log = json_next(log))
        print_log(json_text(log));
    fflush(stdout);
    funlockfile(stdout);
    return true;
}

/* 201.0, "abc" and no status at all are 200, as is one that cannot be a status. */
static int status_of(const struct cJSON *code)
{
    long long status;
    struct arena mem;
    arena_init(&mem, 4096);
    bool ok = view_to_number(json_as_text(code, &mem), 200, 999, &status);
    arena_drop(&mem);
    return ok ? (int)status : 200;
}

/* Without a type it is plain text, without a charset utf-8; where each goes is the caller's. */
static struct view with_charset(struct view type, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST_TYPE);
    text_add(&text, type.len > 0 ? type : VIEW("text/plain"));
    if (!view_contains(type, VIEW("charset")))
        text_add_string(&text, "; charset=utf-8");
    return text_view(&text);
}

static bool read_headers(const struct cJSON *headers, struct arena *mem, struct host_result *out,
                         struct text *why)
{
    struct view type = { 0 };
    size_t count = 1;
    for (const struct cJSON *h = json_first(headers); h != NULL; h = json_next(h))
        count++;
    out->headers = arena_get_array(mem, count, sizeof *out->headers);
    if (out->headers == NULL)
        return refuse(why, "no memory");
    for (const struct cJSON *h = json_first(headers); h != NULL; h = json_next(h)) {
        struct view name = view_keep(json_key(h), mem);
        if (json_kind(h) == JSON_NULL || json_kind(h) == JSON_LIST)
            return refuse(why, "a header of the http output is null or a list");
        if (view_equal_fold(name, VIEW("Content-Type")))
            type = json_as_text(h, mem);
        else if (!view_equal_fold(name, VIEW("Content-Length")))
            out->headers[out->header_count++] =
                (struct host_header){ name, view_keep(json_as_text(h, mem), mem) };
    }
    out->headers[out->header_count++] =
        (struct host_header){ VIEW("Content-Type"), with_charset(type, mem) };
    return true;
}

static bool read_output(const struct cJSON *output, struct arena *mem, struct host_result *out,
                        struct text *why)
{
    if (json_kind(output) != JSON_OBJECT)
        return refuse(why, "the http output is no object");
    out->status = status_of(member(output, "statusCode"));
    out->body = view_keep(json_as_text(member(output, "body"), mem), mem);
    return read_headers(member(output, "headers"), mem, out, why);
}

static bool read_result(const struct cJSON *root, const struct host_function *function,
                        struct arena *mem, struct host_result *out, struct text *why)
{
    const struct cJSON *output = view_equal(function->result, VIEW("$return"))
                                     ? member(root, "ReturnValue")
                                     : json_member(member(root, "Outputs"), function->result);
    if (json_kind(root) != JSON_OBJECT)
        return refuse(why, "the answer is no JSON object");
    if (!read_logs(member(root, "Logs"), why))
        return false;
    if (output == NULL) {
        *out = (struct host_result){ .status = 200, .body = VIEW("{}") };
        return true;
    }
    if (json_kind(output) != JSON_TEXT)
        return read_output(output, mem, out, why);
    struct json inner = { 0 };
    struct failure failure = { 0 };
    if (!json_read(json_text(output), mem, &inner, &failure))
        return refuse(why, "the http output is a string, but no JSON");
    bool ok = read_output(inner.root, mem, out, why);
    json_free(&inner);
    return ok;
}

/* The real host follows 3xx here; no handler of ours sends one, so it is a failure like any other. */
bool host_result_read(const struct http_answer *from, const struct host_function *function,
                      struct arena *mem, struct host_result *out, struct text *why)
{
    struct view type = http_header(from, "Content-Type");
    struct view rest;
    struct json json = { 0 };
    struct failure failure = { 0 };
    *out = (struct host_result){ 0 };
    if (from->status < 200 || from->status > 299)
        return refuse(why, "the status of the answer is not 2xx");
    if (from->body.len == 0 || view_equal(view_trim(from->body), VIEW("null"))) {
        out->is_hanging = true;
        return refuse(why, "the answer is empty or null: the real host would hang here until "
                           "functionTimeout and then kill the handler");
    }
    view_cut(type, ';', &type, &rest);
    if (!view_equal_fold(view_trim(type), VIEW("application/json")))
        return refuse(why, "the answer's Content-Type is not application/json");
    if (!json_read(from->body, mem, &json, &failure))
        return refuse(why, "the answer is not JSON");
    bool ok = read_result(json.root, function, mem, out, why);
    json_free(&json);
    return ok;
}
