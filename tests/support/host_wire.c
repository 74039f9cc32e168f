/*
 * .NET keeps a header as a name with a list of values and writes it as one line; it refuses content
 * headers where there is no content; its Uri class cuts, decodes and encodes once more.  All three
 * show on the wire, so they are played here.
 */
#include "support/host_wire.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/envelope.h"
#include "support/host_worker.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGEST = 512 * 1024 * 1024, PROXY_CHUNK = 64 * 1024 };

static const struct view host_agent = { "Azure-Functions-Host/" HOST_VERSION,
                                        sizeof "Azure-Functions-Host/" HOST_VERSION - 1 };

/* --- lists of names with values --------------------------------------------------------------- */

struct entry {
    struct view name;
    struct text value; /* all values, joined */
};

struct list {
    struct arena *mem;
    struct entry *at;
    size_t count, room;
};

static struct entry *list_find(struct list *list, struct view name)
{
    for (size_t i = 0; i < list->count; i++)
        if (view_equal_fold(list->at[i].name, name))
            return &list->at[i];
    return NULL;
}

static struct entry *list_append(struct list *list, struct view name)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 32;
        struct entry *at =
            arena_grow(list->mem, list->at, list->count * sizeof *at, room * sizeof *at);
        if (at == NULL)
            abort(); /* the arena has no ceiling */
        list->at = at;
        list->room = room;
    }
    list->at[list->count] = (struct entry){ name, text_in(list->mem, LARGEST) };
    return &list->at[list->count++];
}

/* Appends to the values of that name. */
static void list_add(struct list *list, struct view name, struct view value, const char *joint)
{
    struct entry *entry = list_find(list, name);
    if (entry != NULL)
        text_add_string(&entry->value, joint);
    else
        entry = list_append(list, name);
    text_add(&entry->value, value);
}

static void list_set(struct list *list, struct view name, struct view value)
{
    struct entry *entry = list_find(list, name);
    if (entry != NULL)
        entry->value = text_in(list->mem, LARGEST);
    list_add(list, name, value, "");
}

static bool is_one_of(struct view name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (view_equal_fold(name, view_of(*names)))
            return true;
    return false;
}

/* --- headers ---------------------------------------------------------------------------------- */

/* clang-format off */

/* Kestrel gives those it knows back in this spelling, whatever the client's was. */
static const char *const known_names[] = {
    "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Allow", "Authorization",
    "Cache-Control", "Connection", "Content-Encoding", "Content-Language", "Content-Length",
    "Content-Location", "Content-MD5", "Content-Range", "Content-Type", "Cookie", "Date", "Expect",
    "Expires", "From", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
    "If-Unmodified-Since", "Keep-Alive", "Last-Modified", "Max-Forwards", "Origin", "Pragma",
    "Proxy-Authorization", "Range", "Referer", "Request-Id", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade", "User-Agent", "Via", "Warning", "baggage", "traceparent", "tracestate", NULL
};

/* .NET refuses these among a request's headers: they belong to its content. */
static const char *const content_names[] = {
    "Allow", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
    "Content-Location", "Content-MD5", "Content-Range", "Content-Type", "Expires", "Last-Modified",
    NULL
};

/* What YARP does not copy. */
static const char *const hop_names[] = {
    "Connection", "Transfer-Encoding", "Keep-Alive", "Upgrade", "Proxy-Connection",
    "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Features",
    "Proxy-Instruction", "Security-Scheme", "ALPN", "Close", "TE", "Alt-Svc", "Request-Id",
    "traceparent", "tracestate", "baggage", "Correlation-Context", NULL
};

/* clang-format on */

static struct view spelling(struct view name)
{
    for (size_t i = 0; known_names[i] != NULL; i++)
        if (view_equal_fold(name, view_of(known_names[i])))
            return view_of(known_names[i]);
    return name;
}

/* How values of one header are joined on the wire. */
static const char *joint_of(struct view name)
{
    return view_equal_fold(name, VIEW("Cookie"))       ? "; "
           : view_equal_fold(name, VIEW("User-Agent")) ? " "
                                                       : ", ";
}

struct view host_call_header(const struct host_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++)
        if (view_equal_fold(call->headers[i].name, view_of(name)))
            return call->headers[i].value;
    return (struct view){ 0 };
}

static void copy_headers(const struct host_call *call, const char *const *refused, struct list *to)
{
    for (size_t i = 0; i < call->header_count; i++) {
        struct view name = spelling(call->headers[i].name);
        if (!is_one_of(name, refused))
            list_add(to, name, call->headers[i].value, joint_of(name));
    }
}

static void write_line(struct text *to, struct view name, struct view value)
{
    text_add(to, name);
    text_add_string(to, ": ");
    text_add(to, value);
    text_add_string(to, "\r\n");
}

static void write_length(struct text *to, size_t length)
{
    text_add_string(to, "Content-Length: ");
    text_add_number(to, (long long)length);
    text_add_string(to, "\r\n");
}

/* The Host comes first, as .NET writes it. */
static void write_head(struct text *to, struct view method, struct view target,
                       struct list *headers)
{
    const struct entry *host = list_find(headers, VIEW("Host"));
    text_add(to, method);
    text_add_char(to, ' ');
    text_add(to, target);
    text_add_string(to, " HTTP/1.1\r\n");
    if (host != NULL)
        write_line(to, VIEW("Host"), text_view(&host->value));
    for (size_t i = 0; i < headers->count; i++)
        if (&headers->at[i] != host)
            write_line(to, headers->at[i].name, text_view(&headers->at[i].value));
}

static bool is_method(const struct host_call *call, const char *name)
{
    return view_equal(call->method, view_of(name));
}

/* Methods for which .NET states a length even when there is no content. */
static bool states_empty_body(const struct host_call *call)
{
    return is_method(call, "POST") || is_method(call, "PUT") || is_method(call, "PATCH");
}

static bool is_expecting(const struct host_call *call)
{
    return call->body.len > 0
           && view_equal_fold(host_call_header(call, "Expect"), VIEW("100-continue"));
}

static struct view address(const struct host_call *call, struct arena *mem)
{
    struct text text = text_in(mem, 64);
    text_add_string(&text, "127.0.0.1:");
    text_add_number(&text, call->handler_port);
    return text_view(&text);
}

/* --- path and query --------------------------------------------------------------------------- */

/* The byte that "%41" at the front stands for, or -1. */
static int escaped_byte(struct view rest)
{
    char digits[3] = { 0 };
    if (rest.len < 3 || rest.at[0] != '%' || !isxdigit((unsigned char)rest.at[1])
        || !isxdigit((unsigned char)rest.at[2]))
        return -1;
    memcpy(digits, rest.at + 1, 2);
    return (int)strtol(digits, NULL, 16);
}

static struct view decode(struct view raw, bool is_query, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    while (raw.len > 0) {
        int byte = escaped_byte(raw);
        bool is_slash = byte == '/' && !is_query; /* a path keeps its %2F */
        if (byte >= 0 && !is_slash)
            text_add_char(&text, (char)byte);
        else
            text_add_char(&text, is_query && raw.at[0] == '+' ? ' ' : raw.at[0]);
        raw = view_skip(raw, byte >= 0 && !is_slash ? 3 : 1);
    }
    return text_view(&text);
}

static void add_escaped(struct text *to, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    text_add_char(to, '%');
    text_add_char(to, digits[byte >> 4]);
    text_add_char(to, digits[byte & 15]);
}

/* Letters, digits and `others` stay; what is not UTF-8 becomes U+FFFD. */
static void add_encoded(struct text *to, struct view raw, const char *others)
{
    while (raw.len > 0) {
        uint32_t code;
        unsigned char c = (unsigned char)raw.at[0];
        size_t len = utf8_read(raw, &code);
        if (c < 0x80 && (isalnum(c) || (c != 0 && strchr(others, c) != NULL)))
            text_add_char(to, (char)c);
        else if (len == 0)
            text_add_string(to, "%EF%BF%BD");
        else
            for (size_t i = 0; i < len; i++)
                add_escaped(to, (unsigned char)raw.at[i]);
        raw = view_skip(raw, len > 0 ? len : 1);
    }
}

struct view host_path(const struct host_call *call, struct arena *mem)
{
    return decode(call->path, false, mem);
}

/*
 * The decoded path goes through .NET's Uri: a question mark or number sign cuts it, a backslash
 * separates, an escaped letter or digit is decoded a second time, other escapes stay.
 */
static void add_path(struct text *to, const struct host_call *call, struct arena *mem)
{
    struct view rest = host_path(call, mem);
    while (rest.len > 0 && rest.at[0] != '?' && rest.at[0] != '#') {
        int byte = escaped_byte(rest);
        bool is_plain = byte >= 0 && byte < 0x80 && (isalnum(byte) || strchr("-._~", byte) != NULL);
        if (byte >= 0) {
            text_add(to, is_plain && byte != 0 ? (struct view){ &(char){ (char)byte }, 1 }
                                               : (struct view){ rest.at, 3 });
            rest = view_skip(rest, 3);
            continue;
        }
        uint32_t code;
        size_t len = utf8_read(rest, &code);
        len = len > 0 ? len : 1;
        if (rest.at[0] == '\\')
            text_add_char(to, '/');
        else
            add_encoded(to, (struct view){ rest.at, len }, "-._~!$&'()*+,;=:@/[]");
        rest = view_skip(rest, len);
    }
}

/* Names compare without case, repeats are joined with a comma. */
static struct list *read_query(const struct host_call *call, struct arena *mem)
{
    struct list *list = arena_get(mem, sizeof *list);
    struct view rest = call->query;
    if (list == NULL)
        return NULL;
    list->mem = mem;
    while (rest.len > 0) {
        struct view item;
        struct view name;
        struct view value;
        view_cut(rest, '&', &item, &rest);
        view_cut(item, '=', &name, &value);
        if (item.len > 0)
            list_add(list, decode(name, true, mem), decode(value, true, mem), ",");
    }
    return list;
}

struct view host_query_value(const struct host_call *call, const char *name, struct arena *mem)
{
    struct list *list = read_query(call, mem);
    struct entry *entry = list != NULL ? list_find(list, view_of(name)) : NULL;
    return entry != NULL ? text_view(&entry->value) : (struct view){ 0 };
}

/* As .NET's UrlEncoder leaves it. */
static void add_query(struct text *to, const struct list *query)
{
    static const char plain[] = "-._~!$()*,;@";
    for (size_t i = 0; i < query->count; i++) {
        text_add_char(to, i == 0 ? '?' : '&');
        add_encoded(to, query->at[i].name, plain);
        text_add_char(to, '=');
        add_encoded(to, text_view(&query->at[i].value), plain);
    }
}

/* --- forward mode ----------------------------------------------------------------------------- */

/* .NET parses it and gives up when it cannot: "type/subtype". */
static bool is_media_type(struct view type)
{
    struct view main_type;
    struct view rest;
    view_cut(type, ';', &type, &rest);
    return view_cut(view_trim(type), '/', &main_type, &rest) && main_type.len > 0 && rest.len > 0
           && !view_contains(main_type, VIEW(" ")) && !view_contains(rest, VIEW(" "));
}

/* What makes the real host answer 500 by itself. */
static bool is_forwardable(const struct host_call *call)
{
    struct view type = host_call_header(call, "Content-Type");
    if (call->is_chunked || host_call_header(call, "Host").len == 0)
        return false;
    if (call->body.len > 0 && type.len > 0 && !is_media_type(type))
        return false;
    for (size_t i = 0; i < call->header_count; i++)
        for (size_t j = 0; j < call->headers[i].value.len; j++)
            if ((unsigned char)call->headers[i].value.at[j] >= 0x80)
                return false;
    return true;
}

bool host_forward(const struct host_call *call, struct arena *mem, struct host_message *out)
{
    struct list *headers = arena_get(mem, sizeof *headers);
    struct list *query = read_query(call, mem);
    struct text target = text_in(mem, LARGEST);
    struct text head = text_in(mem, LARGEST);
    if (headers == NULL || query == NULL || !is_forwardable(call))
        return false;
    headers->mem = mem;
    copy_headers(call, content_names, headers);
    list_add(headers, VIEW("X-Azure-Functions-HostVersion"), VIEW(HOST_VERSION), ", ");
    list_add(headers, VIEW("X-Azure-Functions-InvocationId"), view_of(call->invocation), ", ");
    list_add(headers, VIEW("User-Agent"), host_agent, " ");
    add_path(&target, call, mem);
    add_query(&target, query);
    write_head(&head, call->method, text_view(&target), headers);
    if (call->body.len > 0 || states_empty_body(call))
        write_length(&head, call->body.len);
    if (call->body.len > 0 && host_call_header(call, "Content-Type").len > 0)
        write_line(&head, VIEW("Content-Type"), host_call_header(call, "Content-Type"));
    text_add_string(&head, "\r\n");
    *out = (struct host_message){
        .head = text_view(&head),
        .body = call->body,
        .is_head = is_method(call, "HEAD"),
        .is_expecting = is_expecting(call),
    };
    return text_ok(&head);
}

/* --- proxy mode ------------------------------------------------------------------------------- */

static struct list *proxy_headers(const struct host_call *call, struct arena *mem)
{
    struct list *headers = arena_get(mem, sizeof *headers);
    if (headers == NULL)
        return NULL;
    headers->mem = mem;
    copy_headers(call, hop_names, headers);
    list_set(headers, VIEW("X-Forwarded-For"), call->client);
    list_set(headers, VIEW("X-Forwarded-Host"), host_call_header(call, "Host"));
    list_set(headers, VIEW("X-Forwarded-Proto"), VIEW("http"));
    list_set(headers, VIEW("Host"), address(call, mem));
    list_set(headers, VIEW("X-Azure-Functions-HostVersion"), VIEW(HOST_VERSION));
    list_set(headers, VIEW("X-Azure-Functions-InvocationId"), view_of(call->invocation));
    list_set(headers, VIEW("x-ms-invocation-id"), view_of(call->invocation));
    return headers;
}

/* The client's chunks are not kept, only that there are chunks. */
static struct view in_chunks(struct view body, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    char size[24];
    while (body.len > 0) {
        struct view piece = { body.at, body.len < PROXY_CHUNK ? body.len : PROXY_CHUNK };
        snprintf(size, sizeof size, "%zX\r\n", piece.len);
        text_add_string(&text, size);
        text_add(&text, piece);
        text_add_string(&text, "\r\n");
        body = view_skip(body, piece.len);
    }
    return text_view(&text);
}

bool host_proxy(const struct host_call *call, struct arena *mem, struct host_message *out)
{
    struct list *headers = proxy_headers(call, mem);
    struct text target = text_in(mem, LARGEST);
    struct text head = text_in(mem, LARGEST);
    if (headers == NULL)
        return false;
    text_add(&target, call->path);
    text_add_string(&target, call->has_query ? "?" : "");
    text_add(&target, call->query);
    if (call->is_chunked)
        list_set(headers, VIEW("Transfer-Encoding"), VIEW("chunked"));
    else if (states_empty_body(call) && list_find(headers, VIEW("Content-Length")) == NULL)
        list_set(headers, VIEW("Content-Length"), VIEW("0"));
    write_head(&head, call->method, text_view(&target), headers);
    text_add_string(&head, "\r\n");
    *out = (struct host_message){
        .head = text_view(&head),
        .body = call->is_chunked ? in_chunks(call->body, mem) : call->body,
        .end = call->is_chunked ? VIEW("0\r\n\r\n") : VIEW(""),
        .is_head = is_method(call, "HEAD"),
        .is_expecting = is_expecting(call),
    };
    return text_ok(&head);
}

/* --- envelope --------------------------------------------------------------------------------- */

static const char *kept(struct view text, struct arena *mem)
{
    struct view copy = view_keep(text, mem);
    return copy.at != NULL ? copy.at : "";
}

/* Each value is an array in Data and one string in Metadata. */
static void put_headers(struct json_writer *to, const struct host_call *call, bool is_list,
                        struct arena *mem)
{
    json_open(to, "Headers", '{');
    for (size_t i = 0; i < call->header_count; i++) {
        struct view name = call->headers[i].name;
        struct text joined = text_in(mem, LARGEST);
        bool is_first = true;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !view_equal_fold(call->headers[j].name, name);
        if (!is_first)
            continue;
        if (is_list)
            json_open(to, kept(spelling(name), mem), '[');
        for (size_t j = i; j < call->header_count; j++) {
            if (!view_equal_fold(call->headers[j].name, name))
                continue;
            if (is_list)
                json_put_text(to, NULL, call->headers[j].value);
            text_add_string(&joined, j > i ? "," : "");
            text_add(&joined, call->headers[j].value);
        }
        if (is_list)
            json_close(to, ']');
        else
            json_put_text(to, kept(spelling(name), mem), text_view(&joined));
    }
    json_close(to, '}');
}

static void put_query(struct json_writer *to, const struct list *query, struct arena *mem)
{
    json_open(to, "Query", '{');
    for (size_t i = 0; i < query->count; i++)
        json_put_text(to, kept(query->at[i].name, mem), text_view(&query->at[i].value));
    json_close(to, '}');
}

static struct view in_base64(struct view bytes, struct arena *mem)
{
    unsigned char *text = arena_get(mem, (bytes.len / 3 + 1) * 4 + 1);
    if (text == NULL)
        return (struct view){ 0 };
    int len = EVP_EncodeBlock(text, (const unsigned char *)bytes.at, (int)bytes.len);
    return (struct view){ (const char *)text, (size_t)len };
}

/* As a StreamReader decodes it; empty for a chunked client. */
static struct view body_text(const struct host_call *call)
{
    struct view mark = VIEW("\xEF\xBB\xBF");
    if (call->is_chunked)
        return (struct view){ 0 };
    return view_skip(call->body, view_starts(call->body, mark) ? mark.len : 0);
}

static void put_body(struct json_writer *to, const struct host_call *call, struct arena *mem)
{
    struct view type = host_call_header(call, "Content-Type");
    bool is_binary = view_starts_fold(type, VIEW("application/octet-stream"))
                     || view_starts_fold(type, VIEW("multipart/"));
    if (call->is_chunked || call->body.len == 0)
        return;
    json_put_text(to, "Body", is_binary ? in_base64(call->body, mem) : body_text(call));
}

static void put_identities(struct json_writer *to)
{
    json_open(to, "Identities", '[');
    json_open(to, NULL, '{');
    json_put_null(to, "AuthenticationType");
    json_put_bool(to, "IsAuthenticated", false);
    json_open(to, "Claims", '[');
    json_close(to, ']');
    json_put_null(to, "Name");
    json_close(to, '}');
    json_close(to, ']');
}

static void put_data(struct json_writer *to, const struct host_call *call, const struct list *query,
                     struct arena *mem)
{
    struct text url = text_in(mem, LARGEST);
    text_add_string(&url, "http://");
    text_add(&url, host_call_header(call, "Host"));
    text_add(&url, call->path);
    text_add_string(&url, call->has_query ? "?" : "");
    text_add(&url, call->query);
    json_open(to, "Data", '{');
    json_open(to, kept(call->function->trigger, mem), '{');
    json_put_text(to, "Url", text_view(&url));
    json_put_text(to, "Method", call->method);
    put_query(to, query, mem);
    put_headers(to, call, true, mem);
    json_open(to, "Params", '{');
    json_close(to, '}');
    put_identities(to);
    put_body(to, call, mem);
    json_close(to, '}');
    json_close(to, '}');
}

/* A string that holds a string's JSON: the value rule of everything that is no object. */
static void put_twice(struct json_writer *to, struct view name, struct view value,
                      struct arena *mem)
{
    struct text inner = text_in(mem, LARGEST);
    json_put_text(&(struct json_writer){ .to = &inner }, NULL, value);
    json_put_text(to, kept(name, mem), text_view(&inner));
}

/* Names that something else takes in Metadata. */
static bool is_taken(struct view name)
{
    struct view trigger = VIEW("trigger");
    struct view end = view_skip(name, name.len > trigger.len ? name.len - trigger.len : 0);
    return view_equal_fold(name, VIEW("Query")) || view_equal_fold(name, VIEW("Headers"))
           || view_equal_fold(name, VIEW("sys")) || view_equal_fold(end, trigger);
}

/* The body's own members, but for lists and nulls; what the client writes is what is found here. */
static void put_members(struct json_writer *to, const struct cJSON *body, struct list *query,
                        struct arena *mem)
{
    for (const struct cJSON *m = json_first(body); m != NULL; m = json_next(m)) {
        struct view name = json_key(m);
        bool is_last = json_member(body, name) == m;
        if (!is_last || is_taken(name) || list_find(query, name) != NULL)
            continue;
        if (json_kind(m) == JSON_OBJECT)
            json_put_node(to, kept(name, mem), m);
        else if (json_kind(m) == JSON_BOOL)
            put_twice(to, name, json_is_true(m) ? VIEW("True") : VIEW("False"), mem);
        else if (json_kind(m) != JSON_LIST && json_kind(m) != JSON_NULL)
            put_twice(to, name, json_as_text(m, mem), mem);
    }
}

static void put_sys(struct json_writer *to, const struct host_function *function)
{
    struct timespec clock;
    struct tm utc;
    char date[32];
    char now[64];
    clock_gettime(CLOCK_REALTIME, &clock);
    gmtime_r(&clock.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(now, sizeof now, "%s.%07ldZ", date, clock.tv_nsec / 100);
    char guid[HOST_GUID_SIZE];
    host_guid(guid);
    json_open(to, "sys", '{');
    json_put_text(to, "MethodName", view_of(function->name));
    json_put_text(to, "UtcNow", view_of(now));
    json_put_text(to, "RandGuid", view_of(guid));
    json_close(to, '}');
}

static void put_metadata(struct json_writer *to, const struct host_call *call, struct list *query,
                         struct arena *mem)
{
    struct json body = { 0 };
    struct failure failure = { 0 };
    json_open(to, "Metadata", '{');
    if (json_read(body_text(call), mem, &body, &failure)) {
        if (json_kind(body.root) == JSON_OBJECT)
            put_members(to, body.root, query, mem);
        json_free(&body);
    }
    for (size_t i = 0; i < query->count; i++)
        if (!view_equal_fold(query->at[i].name, VIEW("code")) && !is_taken(query->at[i].name))
            put_twice(to, query->at[i].name, text_view(&query->at[i].value), mem);
    put_query(to, query, mem);
    put_headers(to, call, false, mem);
    put_sys(to, call->function);
    json_close(to, '}');
}

static struct view envelope_head(const struct host_call *call, bool is_chunked, size_t length,
                                 struct arena *mem)
{
    struct text head = text_in(mem, LARGEST);
    text_add_string(&head, "POST /");
    text_add_string(&head, call->function->name);
    text_add_string(&head, " HTTP/1.1\r\n");
    write_line(&head, VIEW("Host"), address(call, mem));
    write_line(&head, VIEW("X-Azure-Functions-HostVersion"), VIEW(HOST_VERSION));
    write_line(&head, VIEW("X-Azure-Functions-InvocationId"), view_of(call->invocation));
    write_line(&head, VIEW("User-Agent"), host_agent);
    if (is_chunked)
        write_line(&head, VIEW("Transfer-Encoding"), VIEW("chunked"));
    write_line(&head, VIEW("Content-Type"), VIEW("application/json; charset=utf-8"));
    if (!is_chunked)
        write_length(&head, length);
    text_add_string(&head, "\r\n");
    return text_view(&head);
}

static bool finish_envelope(const struct host_call *call, const struct text *text, bool is_chunked,
                            struct arena *mem, struct host_message *out)
{
    struct view end = VIEW("0\r\n\r\n");
    *out = (struct host_message){ .body = text_view(text) };
    out->head = envelope_head(call, is_chunked, text->len, mem);
    if (is_chunked) {
        out->body = envelope_chunks(text_view(text), mem);
        out->body.len -= end.len;
        out->end = end;
    }
    return text_ok(text);
}

bool host_envelope(const struct host_call *call, bool is_chunked, struct arena *mem,
                   struct host_message *out)
{
    struct list *query = read_query(call, mem);
    struct text text = text_in(mem, LARGEST);
    struct json_writer to = { .to = &text };
    if (query == NULL)
        return false;
    json_open(&to, NULL, '{');
    put_data(&to, call, query, mem);
    put_metadata(&to, call, query, mem);
    json_close(&to, '}');
    return finish_envelope(call, &text, is_chunked, mem, out);
}

/* --- a queue's message ------------------------------------------------------------------------- */

/* "Fri, 26 Jun 2015 23:39:12 GMT" as "2015-06-26T23:39:12+00:00". */
static struct view round_trip_date(struct view date, struct arena *mem)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct text text = text_in(mem, 64);
    char number[4] = "";
    if (date.len < 25)
        return date;
    for (size_t i = 0; i < 12; i++)
        if (view_starts(view_skip(date, 8), (struct view){ months + 3 * i, 3 }))
            snprintf(number, sizeof number, "%02zu", i + 1);
    text_add(&text, (struct view){ date.at + 12, 4 });
    text_add_char(&text, '-');
    text_add_string(&text, number);
    text_add_char(&text, '-');
    text_add(&text, (struct view){ date.at + 5, 2 });
    text_add_char(&text, 'T');
    text_add(&text, (struct view){ date.at + 17, 8 });
    text_add_string(&text, "+00:00");
    return text_view(&text);
}

/* What the trigger itself tells, but for names that the message's own members have taken over. */
static void put_built_in(struct json_writer *to, const struct host_delivery *from,
                         const struct cJSON *members, struct arena *mem)
{
    struct text count = text_in(mem, 32);
    text_add_number(&count, from->dequeues);
    const struct {
        const char *name;
        struct view value;
        bool is_twice;
    } rows[] = {
        { "DequeueCount", text_view(&count), false },
        { "ExpirationTime", round_trip_date(from->expires, mem), false },
        { "Id", from->id, true },
        { "InsertionTime", round_trip_date(from->inserted, mem), false },
        { "NextVisibleTime", round_trip_date(from->visible, mem), false },
        { "PopReceipt", from->pop, true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool is_hidden = false;
        for (const struct cJSON *m = json_first(members); m != NULL; m = json_next(m))
            is_hidden = is_hidden || view_equal_fold(json_key(m), view_of(rows[i].name));
        if (!is_hidden && rows[i].is_twice)
            put_twice(to, view_of(rows[i].name), rows[i].value, mem);
        else if (!is_hidden)
            json_put_text(to, rows[i].name, rows[i].value);
    }
}

static bool put_delivery(struct json_writer *to, const struct host_call *call,
                         const struct host_delivery *from, struct arena *mem)
{
    struct json body = { 0 };
    struct failure failure = { 0 };
    struct list *nothing = read_query(call, mem);
    if (nothing == NULL)
        return false;
    json_open(to, "Data", '{');
    put_twice(to, call->function->trigger, from->text, mem);
    json_close(to, '}');
    json_open(to, "Metadata", '{');
    bool is_json = json_read(from->text, mem, &body, &failure);
    bool is_object = is_json && json_kind(body.root) == JSON_OBJECT;
    put_built_in(to, from, is_object ? body.root : NULL, mem);
    if (is_object)
        put_members(to, body.root, nothing, mem);
    if (is_json)
        json_free(&body);
    put_sys(to, call->function);
    json_close(to, '}');
    return true;
}

bool host_envelope_delivery(const struct host_call *call, const struct host_delivery *delivery,
                            bool is_chunked, struct arena *mem, struct host_message *out)
{
    struct text text = text_in(mem, LARGEST);
    struct json_writer to = { .to = &text };
    json_open(&to, NULL, '{');
    if (!put_delivery(&to, call, delivery, mem))
        return false;
    json_close(&to, '}');
    return finish_envelope(call, &text, is_chunked, mem, out);
}
