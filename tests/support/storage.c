/* The answers' XML comes from a service that we know: its elements are looked up by name, no more. */
#include "support/storage.h"

#include "base/arena.h"
#include "base/digest.h"
#include "support/http.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <time.h>

enum { PATIENCE_MS = 15000, LARGEST = 1024 * 1024, DEVELOPMENT_PORT = 10001, NOT_FOUND = 404 };

#define VERSION "2021-12-02"

/* One call: what is signed and what is sent. */
struct storage_call {
    const struct storage *storage;
    const char *method;
    const char *queue;
    struct view below;      /* "", "/messages" or "/messages/<id>" */
    struct view signed_for; /* "\nname:value" lines, sorted by name */
    struct view query;      /* with its question mark, encoded */
    struct view body;
};

/* --- base64 and signature ---------------------------------------------------------------------- */

static struct view in_base64(struct view bytes, struct arena *mem)
{
    unsigned char *text = arena_get(mem, (bytes.len / 3 + 1) * 4 + 1);
    if (text == NULL)
        return (struct view){ 0 };
    int len = EVP_EncodeBlock(text, (const unsigned char *)bytes.at, (int)bytes.len);
    return (struct view){ (const char *)text, (size_t)len };
}

static struct view signature(const struct storage *storage, struct view what, struct arena *mem)
{
    struct view key = { 0 };
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (!base64_decode(storage->key, mem, &key))
        return (struct view){ 0 };
    HMAC(EVP_sha256(), key.at, (int)key.len, (const unsigned char *)what.at, what.len, mac, &len);
    return in_base64((struct view){ (const char *)mac, len }, mem);
}

/* Account and path: with Azurite the account is the path's first part as well. */
static void add_path(struct text *to, const struct storage_call *call)
{
    text_add_char(to, '/');
    text_add(to, call->storage->account);
    text_add_char(to, '/');
    text_add_string(to, call->queue);
    text_add(to, call->below);
}

static struct view string_to_sign(const struct storage_call *call, const char *date,
                                  struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    text_add_string(&text, call->method);
    text_add_string(&text, "\n\n\n");
    if (call->body.len > 0)
        text_add_number(&text, (long long)call->body.len);
    text_add_string(&text, "\n\n\n\n\n\n\n\n\nx-ms-date:");
    text_add_string(&text, date);
    text_add_string(&text, "\nx-ms-version:" VERSION "\n/");
    text_add(&text, call->storage->account);
    add_path(&text, call);
    text_add(&text, call->signed_for);
    return text_view(&text);
}

/* --- calls -------------------------------------------------------------------------------------- */

static void date_now(char *date, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, size, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

static bool send_call(const struct storage_call *call, struct arena *mem, struct http_answer *out)
{
    char date[64];
    date_now(date, sizeof date);
    struct text target = text_in(mem, LARGEST);
    add_path(&target, call);
    text_add(&target, call->query);
    struct text extra = text_in(mem, LARGEST);
    text_add_string(&extra, "Connection: close\r\nx-ms-version: " VERSION "\r\nx-ms-date: ");
    text_add_string(&extra, date);
    text_add_string(&extra, "\r\nAuthorization: SharedKey ");
    text_add(&extra, call->storage->account);
    text_add_char(&extra, ':');
    text_add(&extra, signature(call->storage, string_to_sign(call, date, mem), mem));
    text_add_string(&extra, "\r\n");
    struct view body = call->body.at != NULL ? call->body : VIEW("");
    struct view request =
        http_request(call->method, text_view(&target), text_view(&extra), body, mem);
    return http_call(call->storage->port, request, PATIENCE_MS, mem, out);
}

static bool is_good(int status)
{
    return status >= 200 && status <= 299;
}

/* A call whose answer tells nothing but success. */
static bool settle(const struct storage_call *call, struct arena *mem)
{
    struct http_answer answer = { 0 };
    return send_call(call, mem, &answer) && is_good(answer.status);
}

/* "?name=value" and what is signed of it. */
static void add_query(struct text *query, struct text *signed_for, const char *name,
                      struct view value)
{
    text_add_char(query, query->len == 0 ? '?' : '&');
    text_add_string(query, name);
    text_add_char(query, '=');
    for (size_t i = 0; i < value.len; i++) {
        char escaped[4];
        bool is_plain = (value.at[i] >= '0' && value.at[i] <= '9')
                        || (value.at[i] >= 'a' && value.at[i] <= 'z')
                        || (value.at[i] >= 'A' && value.at[i] <= 'Z');
        snprintf(escaped, sizeof escaped, is_plain ? "%c" : "%%%02X", (unsigned char)value.at[i]);
        text_add_string(query, escaped);
    }
    text_add_char(signed_for, '\n');
    text_add_string(signed_for, name);
    text_add_char(signed_for, ':');
    text_add(signed_for, value);
}

static struct view number_text(long long number, struct arena *mem)
{
    struct text text = text_in(mem, 32);
    text_add_number(&text, number);
    return text_view(&text);
}

/* --- reading ------------------------------------------------------------------------------------ */

/* What stands between <name> and </name>; `rest` begins behind it.  False: no such element. */
static bool element(struct view xml, const char *name, struct view *out, struct view *rest)
{
    char open[32];
    char shut[32];
    snprintf(open, sizeof open, "<%s>", name);
    snprintf(shut, sizeof shut, "</%s>", name);
    while (xml.len > 0 && !view_starts(xml, view_of(open)))
        xml = view_skip(xml, 1);
    xml = view_skip(xml, view_of(open).len);
    *rest = xml;
    while (rest->len > 0 && !view_starts(*rest, view_of(shut)))
        *rest = view_skip(*rest, 1);
    *out = (struct view){ xml.at, xml.len - rest->len };
    return rest->len > 0;
}

static struct view part(struct view xml, const char *name)
{
    struct view value = { 0 };
    struct view rest;
    return element(xml, name, &value, &rest) ? value : (struct view){ 0 };
}

static void unescape(struct view xml, struct arena *mem, struct view *out)
{
    static const struct {
        const char *name;
        char stands_for;
    } names[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }, { "&amp;", '&' }
    };
    struct text text = text_in(mem, LARGEST);
    while (xml.len > 0) {
        char c = xml.at[0];
        size_t length = 1;
        for (size_t i = 0; i < COUNT_OF(names); i++)
            if (view_starts(xml, view_of(names[i].name))) {
                c = names[i].stands_for;
                length = view_of(names[i].name).len;
            }
        text_add_char(&text, c);
        xml = view_skip(xml, length);
    }
    *out = text_view(&text);
}

static void read_message(struct view xml, struct arena *mem, struct storage_message *out)
{
    struct view count = part(xml, "DequeueCount");
    *out = (struct storage_message){
        .id = part(xml, "MessageId"),
        .pop = part(xml, "PopReceipt"),
        .inserted = part(xml, "InsertionTime"),
        .expires = part(xml, "ExpirationTime"),
        .visible = part(xml, "TimeNextVisible"),
    };
    unescape(part(xml, "MessageText"), mem, &out->raw);
    if (!base64_decode(out->raw, mem, &out->text))
        out->text = (struct view){ 0 };
    if (!view_to_number(count, 0, 1000000, &out->dequeues))
        out->dequeues = 0;
}

static bool read_batch(const struct storage_call *call, struct arena *mem,
                       struct storage_batch *out)
{
    struct http_answer answer = { 0 };
    struct view xml;
    struct view message;
    out->count = 0;
    if (!send_call(call, mem, &answer))
        return false;
    if (answer.status == NOT_FOUND)
        return true;
    for (xml = answer.body;
         out->count < COUNT_OF(out->at) && element(xml, "QueueMessage", &message, &xml);)
        read_message(message, mem, &out->at[out->count++]);
    return is_good(answer.status);
}

/* --- what the service does ---------------------------------------------------------------------- */

bool storage_create(const struct storage *storage, const char *queue)
{
    struct arena mem;
    arena_init(&mem, LARGEST);
    struct storage_call call = { .storage = storage, .method = "PUT", .queue = queue };
    bool ok = settle(&call, &mem);
    arena_drop(&mem);
    return ok;
}

bool storage_put(const struct storage *storage, const char *queue, struct view raw,
                 long long hide_s)
{
    struct arena mem;
    arena_init(&mem, 4 * LARGEST);
    struct text query = text_in(&mem, LARGEST);
    struct text signed_for = text_in(&mem, LARGEST);
    struct text body = text_in(&mem, LARGEST);
    text_add_string(&body, "<QueueMessage><MessageText>");
    text_add(&body, raw);
    text_add_string(&body, "</MessageText></QueueMessage>");
    add_query(&query, &signed_for, "visibilitytimeout", number_text(hide_s, &mem));
    struct storage_call call = {
        storage,           "POST",          queue, VIEW("/messages"), text_view(&signed_for),
        text_view(&query), text_view(&body)
    };
    bool ok = settle(&call, &mem);
    arena_drop(&mem);
    return ok;
}

bool storage_put_text(const struct storage *storage, const char *queue, struct view text,
                      long long hide_s)
{
    struct arena mem;
    arena_init(&mem, LARGEST);
    bool ok = storage_put(storage, queue, in_base64(text, &mem), hide_s);
    arena_drop(&mem);
    return ok;
}

bool storage_take(const struct storage *storage, const char *queue, int most, long long hide_s,
                  struct arena *mem, struct storage_batch *out)
{
    struct text query = text_in(mem, LARGEST);
    struct text signed_for = text_in(mem, LARGEST);
    add_query(&query, &signed_for, "numofmessages", number_text(most, mem));
    add_query(&query, &signed_for, "visibilitytimeout", number_text(hide_s, mem));
    struct storage_call call = { .storage = storage,
                                 .method = "GET",
                                 .queue = queue,
                                 .below = VIEW("/messages"),
                                 .signed_for = text_view(&signed_for),
                                 .query = text_view(&query) };
    return read_batch(&call, mem, out);
}

bool storage_peek(const struct storage *storage, const char *queue, struct arena *mem,
                  struct storage_batch *out)
{
    struct storage_call call = { .storage = storage,
                                 .method = "GET",
                                 .queue = queue,
                                 .below = VIEW("/messages"),
                                 .signed_for = VIEW("\nnumofmessages:32\npeekonly:true"),
                                 .query = VIEW("?numofmessages=32&peekonly=true") };
    return read_batch(&call, mem, out);
}

/* A call about one message that has been taken. */
static bool settle_message(const struct storage *storage, const char *method, const char *queue,
                           const struct storage_message *message, long long hide_s)
{
    struct arena mem;
    arena_init(&mem, LARGEST);
    struct text below = text_in(&mem, LARGEST);
    struct text query = text_in(&mem, LARGEST);
    struct text signed_for = text_in(&mem, LARGEST);
    text_add_string(&below, "/messages/");
    text_add(&below, message->id);
    add_query(&query, &signed_for, "popreceipt", message->pop);
    if (hide_s >= 0)
        add_query(&query, &signed_for, "visibilitytimeout", number_text(hide_s, &mem));
    struct storage_call call = {
        storage, method, queue, text_view(&below), text_view(&signed_for), text_view(&query), { 0 }
    };
    struct http_answer answer = { 0 };
    bool ok =
        send_call(&call, &mem, &answer) && (is_good(answer.status) || answer.status == NOT_FOUND);
    arena_drop(&mem);
    return ok;
}

bool storage_hide(const struct storage *storage, const char *queue,
                  const struct storage_message *message, long long hide_s)
{
    return settle_message(storage, "PUT", queue, message, hide_s);
}

bool storage_remove(const struct storage *storage, const char *queue,
                    const struct storage_message *message)
{
    return settle_message(storage, "DELETE", queue, message, -1);
}

int storage_count(const struct storage *storage, const char *queue)
{
    struct arena mem;
    struct http_answer answer = { 0 };
    long long count = -1;
    arena_init(&mem, LARGEST);
    struct storage_call call = { .storage = storage,
                                 .method = "GET",
                                 .queue = queue,
                                 .signed_for = VIEW("\ncomp:metadata"),
                                 .query = VIEW("?comp=metadata") };
    bool ok = send_call(&call, &mem, &answer);
    struct view told = http_header(&answer, "x-ms-approximate-messages-count");
    if (ok && answer.status == NOT_FOUND)
        count = 0;
    else if (!ok || !is_good(answer.status) || !view_to_number(told, 0, 1000000, &count))
        count = -1;
    arena_drop(&mem);
    return (int)count;
}

/* --- where it is --------------------------------------------------------------------------------- */

/* The port of "http://127.0.0.1:<port>/<account>"; 0: it is somewhere else. */
static int port_of(struct view endpoint)
{
    struct view start = VIEW("http://127.0.0.1:");
    struct view rest;
    long long port = 0;
    if (!view_starts(endpoint, start))
        return 0;
    view_cut(view_skip(endpoint, start.len), '/', &endpoint, &rest);
    return view_to_number(endpoint, 1, 65535, &port) ? (int)port : 0;
}

bool storage_read(struct view connection, struct storage *out)
{
    *out = (struct storage){ 0 };
    while (connection.len > 0) {
        struct view pair;
        struct view name;
        struct view value;
        view_cut(connection, ';', &pair, &connection);
        view_cut(pair, '=', &name, &value);
        if (view_equal_fold(name, VIEW("UseDevelopmentStorage")))
            *out = (struct storage){ DEVELOPMENT_PORT, VIEW(STORAGE_ACCOUNT), VIEW(STORAGE_KEY) };
        else if (view_equal_fold(name, VIEW("AccountName")))
            out->account = value;
        else if (view_equal_fold(name, VIEW("AccountKey")))
            out->key = value;
        else if (view_equal_fold(name, VIEW("QueueEndpoint")))
            out->port = port_of(value);
    }
    return out->port > 0 && out->account.len > 0 && out->key.len > 0;
}

struct view storage_connection(int port, struct arena *mem)
{
    struct text text = text_in(mem, 4096);
    text_add_string(&text, "DefaultEndpointsProtocol=http;AccountName=" STORAGE_ACCOUNT
                           ";AccountKey=" STORAGE_KEY ";QueueEndpoint=http://127.0.0.1:");
    text_add_number(&text, port);
    text_add_string(&text, "/" STORAGE_ACCOUNT ";");
    return text_view(&text);
}
