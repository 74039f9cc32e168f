/*
 * A Devin API for tests and for trying things at home: the v1 calls that the handler makes, a page
 * that shows the sessions with their prompts, and a control endpoint that scripts faults and tells
 * what was called.  Worth its wire format, not its completeness: no Devin works here, a session is
 * finished once it has been read three times.
 *
 *   POST /control/faults    a list of objects; each next call of the API consumes one.  Members:
 *     status, body, garbage, bytes, drop   answer so INSTEAD of doing what was asked (a 2xx status
 *                                          alone is put on the true answer)
 *     after                                do what was asked first: the session exists, the answer
 *                                          does not say so
 *     delay_ms, retry_after, location, no_url   as well
 *     repeat                               good for so many calls
 *   GET  /control/calls     every call of the API, oldest first; status 0: no answer (yet)
 *   GET  /control/sessions  the sessions, oldest first
 *   POST /control/reset     forgets all of it; ids start anew
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/http.h"
#include "support/process.h"
#include "support/shape.h"

#include <civetweb.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    HEX_LEN = 32,
    WORKING_READS = 2, /* the next one finds the session finished */
    BUCKETS = 4096,
    MAX_TITLE_BYTES = 80,
    MAX_BODY_BYTES = 64 * 1024 * 1024,
    MAX_ANSWER_BYTES = 256 * 1024 * 1024,
    MAX_HEAD_BYTES = 4096,
    PIECE_BYTES = 64 * 1024,
    NAP_MS = 20
};

struct message {
    struct message *next;
    struct view text;
    struct view time;
    int number;
};

struct session {
    struct session *older, *newer, *same_bucket;
    char hex[HEX_LEN + 1];
    struct json request;
    struct view body; /* the request's bytes, which `idempotent` compares */
    struct view title, created, updated;
    struct message *first, *last; /* the first one is the prompt */
    int message_count;
    int reads;
};

struct call {
    struct call *next;
    struct view method, path, query, content_type, body;
    bool is_authorized;
    int status;
};

struct fault {
    struct fault *next;
    int status, delay_ms, repeat;
    long long bytes; /* 0: none */
    bool drop, garbage, after, no_url, has_body;
    struct view body, retry_after, location;
};

/* Everything between two resets; it lives in `mem`, but for the sessions' JSON trees. */
struct memory {
    struct arena mem;
    struct session *newest, *oldest;
    struct session *buckets[BUCKETS]; /* by the request's bytes */
    struct call *first_call, *last_call;
    struct fault *first_fault, *last_fault;
    int session_count;
};

struct devin {
    int port;
    struct view key; /* empty: any apk_ key */
    atomic_bool is_ending;
    pthread_mutex_t lock; /* guards what follows */
    struct memory memory;
    int resets; /* a call may outlive the memory it was noted in */
};

/* One request and its answer. */
struct exchange {
    struct devin *devin;
    struct arena mem;
    struct view method, path, query, content_type, authorization, id, body;
    struct json json; /* of the body; no root when it is not JSON */
    struct fault fault;
    struct call *call; /* NULL: not a call of the API */
    int resets;
    int status;
    const char *type;
    struct text out;
    struct json_writer writer; /* to `out` */
};

/* --- answers ------------------------------------------------------------------------------ */

static void start_over(struct exchange *ex, int status)
{
    ex->out = text_in(&ex->mem, MAX_ANSWER_BYTES);
    ex->writer = (struct json_writer){ .to = &ex->out };
    ex->status = status;
    ex->type = "application/json";
}

static void refuse(struct exchange *ex, int status, const char *detail)
{
    start_over(ex, status);
    json_open(&ex->writer, NULL, '{');
    json_put_text(&ex->writer, "detail", view_of(detail));
    json_close(&ex->writer, '}');
}

static struct view now(struct arena *mem)
{
    struct timespec clock;
    struct tm utc;
    char date[64], micros[32];
    clock_gettime(CLOCK_REALTIME, &clock);
    gmtime_r(&clock.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(micros, sizeof micros, ".%06ld+00:00", clock.tv_nsec / 1000);
    struct text text = text_in(mem, 128);
    text_add_string(&text, date);
    text_add_string(&text, micros);
    return text_view(&text);
}

/* --- v1 ----------------------------------------------------------------------------------- */

/* Answers 422 as FastAPI does, and false, when the body is not of that shape. */
static bool body_is(struct exchange *ex, const struct shape *shape)
{
    size_t complaints = 1;
    start_over(ex, 422);
    json_open(&ex->writer, NULL, '{');
    json_open(&ex->writer, "detail", '[');
    if (ex->body.len > 0 && ex->json.root == NULL)
        shape_complain_not_json(&ex->writer);
    else
        complaints = shape_check(shape, ex->json.root, &ex->writer);
    json_close(&ex->writer, ']');
    json_close(&ex->writer, '}');
    if (complaints == 0)
        start_over(ex, 200);
    return complaints == 0;
}

/* clang-format off */
static const struct shape any_text = { .kind = JSON_TEXT };

static const struct member secret_members[] = {
    { "key",       { .kind = JSON_TEXT, .is_required = true, .min = 1, .max = 256 } },
    { "value",     { .kind = JSON_TEXT, .is_required = true, .max = 65536 } },
    { "sensitive", { .kind = JSON_BOOL } },
    { NULL,        { 0 } },
};
static const struct shape any_secret = { .kind = JSON_OBJECT, .inner = secret_members };

static const struct member create_members[] = {
    { "prompt",                   { .kind = JSON_TEXT,   .is_required = true } },
    { "idempotent",               { .kind = JSON_BOOL } },
    { "playbook_id",              { .kind = JSON_TEXT,   .is_nullable = true } },
    { "title",                    { .kind = JSON_TEXT,   .is_nullable = true } },
    { "tags",                     { .kind = JSON_LIST,   .is_nullable = true, .max = 50, .item = &any_text } },
    { "max_acu_limit",            { .kind = JSON_NUMBER, .is_nullable = true, .min = 1 } },
    { "snapshot_id",              { .kind = JSON_TEXT,   .is_nullable = true } },
    { "unlisted",                 { .kind = JSON_BOOL } },
    { "knowledge_ids",            { .kind = JSON_LIST,   .is_nullable = true, .item = &any_text } },
    { "secret_ids",               { .kind = JSON_LIST,   .is_nullable = true, .item = &any_text } },
    { "session_secrets",          { .kind = JSON_LIST,   .is_nullable = true, .item = &any_secret } },
    { "structured_output_schema", { .kind = JSON_OBJECT } },
    { NULL,                       { 0 } },
};
static const struct shape create_body = { .kind = JSON_OBJECT, .is_required = true, .inner = create_members };

static const struct member message_members[] = {
    { "message", { .kind = JSON_TEXT, .is_required = true } },
    { NULL,      { 0 } },
};
static const struct shape message_body = { .kind = JSON_OBJECT, .is_required = true, .inner = message_members };
/* clang-format on */

/* FNV-1a. */
static struct session **bucket_of(struct memory *memory, struct view body)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < body.len; i++)
        hash = (hash ^ (unsigned char)body.at[i]) * 1099511628211u;
    return &memory->buckets[hash % BUCKETS];
}

/* Half an id: a number that looks like any other and never comes twice (splitmix64). */
static uint64_t scatter(uint64_t n)
{
    n *= 0x9E3779B97F4A7C15u;
    n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9u;
    n = (n ^ (n >> 27)) * 0x94D049BB133111EBu;
    return n ^ (n >> 31);
}

static bool add_message(struct memory *memory, struct session *session, struct view text)
{
    struct message *message = arena_get(&memory->mem, sizeof *message);
    if (message == NULL)
        return false;
    message->text = view_keep(text, &memory->mem);
    message->time = now(&memory->mem);
    message->number = ++session->message_count;
    *(session->first == NULL ? &session->first : &session->last->next) = message;
    session->last = message;
    session->updated = message->time;
    return message->text.at != NULL;
}

/* A title that was not given is the prompt's first line: the real ones are made up by Devin. */
static struct view title_of(const struct cJSON *request)
{
    struct view title = json_text(json_at(request, "title")), rest;
    if (title.len == 0)
        view_cut(json_text(json_at(request, "prompt")), '\n', &title, &rest);
    return view_cap(title, MAX_TITLE_BYTES);
}

/* Takes the exchange's JSON over. */
static struct session *session_make(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    struct session *session = arena_get(&memory->mem, sizeof *session);
    uint64_t number = 2 * (uint64_t)memory->session_count + 1;
    if (session == NULL
        || !add_message(memory, session, json_text(json_at(ex->json.root, "prompt"))))
        return NULL;
    snprintf(session->hex, sizeof session->hex, "%016" PRIx64 "%016" PRIx64, scatter(number),
             scatter(number + 1));
    session->request = ex->json;
    ex->json.root = NULL;
    session->body = ex->call->body;
    session->title = title_of(session->request.root);
    session->created = session->updated;
    struct session **bucket = bucket_of(memory, session->body);
    session->same_bucket = *bucket;
    *bucket = session;
    session->older = memory->newest;
    *(memory->newest == NULL ? &memory->oldest : &memory->newest->newer) = session;
    memory->newest = session;
    memory->session_count++;
    return session;
}

static struct session *session_same(struct exchange *ex)
{
    struct session *session = *bucket_of(&ex->devin->memory, ex->body);
    while (session != NULL && !view_equal(session->body, ex->body))
        session = session->same_bucket;
    return session;
}

/* By the id in the path, with or without "devin-"; NULL: answered 404. */
static struct session *session_find(struct exchange *ex)
{
    struct view hex = view_skip(ex->id, view_starts(ex->id, VIEW("devin-")) ? 6 : 0);
    struct session *session = ex->devin->memory.newest;
    while (session != NULL && !view_equal(view_of(session->hex), hex))
        session = session->older;
    if (session == NULL)
        refuse(ex, 404, "Session not found");
    return session;
}

static void put_id(struct exchange *ex, const struct session *session)
{
    char id[64];
    snprintf(id, sizeof id, "devin-%s", session->hex);
    json_put_text(&ex->writer, "session_id", view_of(id));
}

static void put_url(struct exchange *ex, const struct session *session)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/sessions/%s", ex->devin->port, session->hex);
    json_put_text(&ex->writer, "url", view_of(url));
}

static void create_session(struct exchange *ex)
{
    if (!body_is(ex, &create_body))
        return;
    bool is_idempotent = json_is_true(json_at(ex->json.root, "idempotent"));
    struct session *old = is_idempotent ? session_same(ex) : NULL;
    struct session *session = old != NULL ? old : session_make(ex);
    if (session == NULL) {
        refuse(ex, 500, "The stand-in has no memory left");
        return;
    }
    json_open(&ex->writer, NULL, '{');
    put_id(ex, session);
    if (!ex->fault.no_url)
        put_url(ex, session);
    if (is_idempotent)
        json_put_bool(&ex->writer, "is_new_session", old == NULL);
    json_close(&ex->writer, '}');
}

static bool is_finished(const struct session *session)
{
    return session->reads > WORKING_READS;
}

static void put_messages(struct exchange *ex, const struct session *session)
{
    json_open(&ex->writer, "messages", '[');
    for (const struct message *m = session->first; m != NULL; m = m->next) {
        char event[64];
        snprintf(event, sizeof event, "event-%.8s-%d", session->hex, m->number);
        json_open(&ex->writer, NULL, '{');
        json_put_text(&ex->writer, "type",
                      m == session->first ? VIEW("initial_user_message") : VIEW("user_message"));
        json_put_text(&ex->writer, "event_id", view_of(event));
        json_put_text(&ex->writer, "message", m->text);
        json_put_text(&ex->writer, "timestamp", m->time);
        json_close(&ex->writer, '}');
    }
    json_close(&ex->writer, ']');
}

static void put_session(struct exchange *ex, const struct session *session)
{
    const struct cJSON *request = session->request.root;
    struct json_writer *writer = &ex->writer;
    bool is_done = is_finished(session);
    json_open(writer, NULL, '{');
    put_id(ex, session);
    put_url(ex, session);
    json_put_text(writer, "status", is_done ? VIEW("finished") : VIEW("running"));
    json_put_text(writer, "status_enum", is_done ? VIEW("finished") : VIEW("working"));
    json_put_text(writer, "created_at", session->created);
    json_put_text(writer, "updated_at", session->updated);
    json_put_text(writer, "title", session->title);
    json_put_node(writer, "tags", json_at(request, "tags"));
    json_put_node(writer, "playbook_id", json_at(request, "playbook_id"));
    json_put_node(writer, "snapshot_id", json_at(request, "snapshot_id"));
    json_put_null(writer, "pull_request");
    json_put_null(writer, "structured_output");
    put_messages(ex, session);
    json_close(writer, '}');
}

static void read_session(struct exchange *ex)
{
    struct session *session = session_find(ex);
    if (session == NULL)
        return;
    session->reads++;
    put_session(ex, session);
}

/* A message puts a finished session to work again. */
static void send_message(struct exchange *ex)
{
    struct session *session = session_find(ex);
    if (session == NULL || !body_is(ex, &message_body))
        return;
    session->reads = 0;
    if (add_message(&ex->devin->memory, session, json_text(json_at(ex->json.root, "message"))))
        json_put_null(&ex->writer, NULL);
    else
        refuse(ex, 500, "The stand-in has no memory left");
}

/* --- control ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct member fault_members[] = {
    { "status",      { .kind = JSON_NUMBER, .min = 200, .max = 599 } },
    { "body",        { .kind = JSON_TEXT } },
    { "garbage",     { .kind = JSON_BOOL } },
    { "bytes",       { .kind = JSON_NUMBER, .min = 1, .max = MAX_ANSWER_BYTES / 2 } },
    { "drop",        { .kind = JSON_BOOL } },
    { "after",       { .kind = JSON_BOOL } },
    { "delay_ms",    { .kind = JSON_NUMBER, .max = 600000 } },
    { "retry_after", { .kind = JSON_TEXT,   .max = 1000 } },
    { "location",    { .kind = JSON_TEXT,   .max = 1000 } },
    { "no_url",      { .kind = JSON_BOOL } },
    { "repeat",      { .kind = JSON_NUMBER, .min = 1, .max = 1000000 } },
    { NULL,          { 0 } },
};
static const struct shape any_fault   = { .kind = JSON_OBJECT, .is_closed = true, .inner = fault_members };
static const struct shape faults_body = { .kind = JSON_LIST, .is_required = true, .item = &any_fault };
/* clang-format on */

static bool add_fault(struct memory *memory, const struct cJSON *node)
{
    struct fault *fault = arena_get(&memory->mem, sizeof *fault);
    const struct cJSON *repeat = json_at(node, "repeat"), *body = json_at(node, "body");
    if (fault == NULL)
        return false;
    *fault = (struct fault){
        .status = (int)json_number(json_at(node, "status")),
        .delay_ms = (int)json_number(json_at(node, "delay_ms")),
        .repeat = repeat == NULL ? 1 : (int)json_number(repeat),
        .bytes = (long long)json_number(json_at(node, "bytes")),
        .drop = json_is_true(json_at(node, "drop")),
        .garbage = json_is_true(json_at(node, "garbage")),
        .after = json_is_true(json_at(node, "after")),
        .no_url = json_is_true(json_at(node, "no_url")),
        .has_body = body != NULL,
        .body = view_keep(json_text(body), &memory->mem),
        .retry_after = view_keep(json_text(json_at(node, "retry_after")), &memory->mem),
        .location = view_keep(json_text(json_at(node, "location")), &memory->mem),
    };
    *(memory->first_fault == NULL ? &memory->first_fault : &memory->last_fault->next) = fault;
    memory->last_fault = fault;
    return fault->body.at != NULL && fault->retry_after.at != NULL && fault->location.at != NULL;
}

static void script_faults(struct exchange *ex)
{
    bool ok = true;
    if (!body_is(ex, &faults_body))
        return;
    for (const struct cJSON *f = json_first(ex->json.root); f != NULL; f = json_next(f))
        ok = ok && add_fault(&ex->devin->memory, f);
    if (ok)
        json_put_null(&ex->writer, NULL);
    else
        refuse(ex, 500, "The stand-in has no memory left");
}

static void list_calls(struct exchange *ex)
{
    struct json_writer *writer = &ex->writer;
    json_open(writer, NULL, '[');
    for (const struct call *call = ex->devin->memory.first_call; call != NULL; call = call->next) {
        json_open(writer, NULL, '{');
        json_put_text(writer, "method", call->method);
        json_put_text(writer, "path", call->path);
        if (call->query.len > 0)
            json_put_text(writer, "query", call->query);
        json_put_bool(writer, "authorized", call->is_authorized);
        json_put_text(writer, "content_type", call->content_type);
        json_put_text(writer, "body", call->body);
        json_put_number(writer, "status", call->status);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void list_sessions(struct exchange *ex)
{
    const struct memory *memory = &ex->devin->memory;
    json_open(&ex->writer, NULL, '{');
    json_put_number(&ex->writer, "count", memory->session_count);
    json_open(&ex->writer, "sessions", '[');
    for (const struct session *s = memory->oldest; s != NULL; s = s->newer)
        put_session(ex, s);
    json_close(&ex->writer, ']');
    json_close(&ex->writer, '}');
}

static void memory_forget(struct memory *memory)
{
    for (struct session *s = memory->newest; s != NULL; s = s->older)
        json_free(&s->request);
    arena_drop(&memory->mem);
    *memory = (struct memory){ 0 };
    arena_init(&memory->mem, SIZE_MAX / 2);
}

static void reset(struct exchange *ex)
{
    memory_forget(&ex->devin->memory);
    ex->devin->resets++;
    json_put_null(&ex->writer, NULL);
}

/* --- pages -------------------------------------------------------------------------------- */

static void add_escaped(struct text *page, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const char *entity = c == '&'    ? "&amp;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '"'  ? "&quot;"
                             : c == '\'' ? "&#39;"
                                         : NULL;
        if (entity != NULL)
            text_add_string(page, entity);
        else
            text_add_char(page, c);
    }
}

static void add_tagged(struct text *page, const char *before, struct view text, const char *after)
{
    text_add_string(page, before);
    add_escaped(page, text);
    text_add_string(page, after);
}

/* `extra` goes into the head. */
static struct text *open_page(struct exchange *ex, struct view title, const char *extra)
{
    struct text *page = &ex->out;
    ex->type = "text/html; charset=utf-8";
    text_add_string(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                          "<meta name=\"viewport\" content=\"width=device-width\">");
    text_add_string(page, extra);
    add_tagged(page, "<title>", title, "</title>\n<style>\n");
    text_add_string(
        page, "body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;"
              " padding: 0 1rem; color: #222; background: #fff }\n"
              "table { border-collapse: collapse; width: 100% }\n"
              "th, td { text-align: left; vertical-align: top; padding: .4rem 1rem .4rem 0;"
              " border-bottom: 1px solid #ddd; overflow-wrap: anywhere }\n"
              "th { font-weight: 600; white-space: nowrap }\n"
              "pre { background: #f6f6f4; border: 1px solid #ddd; padding: 1rem;"
              " white-space: pre-wrap; overflow-wrap: anywhere }\n"
              "code, pre { font: 14px/1.5 ui-monospace, monospace }\n"
              "h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }\n"
              "</style></head><body>\n");
    add_tagged(page, "<h1>", title, "</h1>\n");
    return page;
}

static void show_sessions(struct exchange *ex)
{
    const struct memory *memory = &ex->devin->memory;
    struct text *page = open_page(ex, VIEW("Devin stand-in: sessions"),
                                  "<meta http-equiv=\"refresh\" content=\"5\">");
    if (memory->newest == NULL)
        text_add_string(page, "<p>No sessions yet: they come from <code>POST /v1/sessions</code> "
                              "and stay until this program ends.</p>\n");
    else
        text_add_string(page, "<table><tr><th>Session</th><th>Title</th><th>Created (UTC)</th>"
                              "<th>Messages</th></tr>\n");
    for (const struct session *s = memory->newest; s != NULL; s = s->older) {
        add_tagged(page, "<tr><td><a href=\"/sessions/", view_of(s->hex), "\"><code>");
        add_tagged(page, "", view_cap(view_of(s->hex), 12), "</code></a></td>");
        add_tagged(page, "<td>", s->title, "</td>");
        add_tagged(page, "<td>", view_cap(s->created, 19), "</td><td>");
        text_add_number(page, s->message_count);
        text_add_string(page, "</td></tr>\n");
    }
    text_add_string(page, memory->newest == NULL ? "</body></html>\n" : "</table></body></html>\n");
}

static void add_row(struct text *page, struct view name, struct view value)
{
    add_tagged(page, "<tr><th scope=\"row\">", name, "</th>");
    add_tagged(page, "<td>", value, "</td></tr>\n");
}

/* What the client asked for, as it asked; secrets stay out of sight. */
static void add_request_rows(struct exchange *ex, const struct session *session)
{
    for (const struct cJSON *member = json_first(session->request.root); member != NULL;
         member = json_next(member)) {
        struct view name = json_key(member);
        bool is_secret = view_equal(name, VIEW("session_secrets"));
        if (!view_equal(name, VIEW("prompt")) && !view_equal(name, VIEW("title")))
            add_row(&ex->out, name,
                    is_secret ? VIEW("(not shown)") : json_as_text(member, &ex->mem));
    }
}

static void show_session(struct exchange *ex)
{
    const struct session *session = session_find(ex);
    if (session == NULL)
        return;
    struct text *page = open_page(ex, session->title, "");
    text_add_string(page, "<p><a href=\"/\">All sessions</a></p>\n<table>\n");
    add_row(page, VIEW("session_id"), ex->id);
    add_row(page, VIEW("status"), is_finished(session) ? VIEW("finished") : VIEW("working"));
    add_row(page, VIEW("created_at"), session->created);
    add_row(page, VIEW("updated_at"), session->updated);
    add_request_rows(ex, session);
    text_add_string(page, "</table>\n");
    for (const struct message *m = session->first; m != NULL; m = m->next) {
        if (m == session->first)
            text_add_string(page, "<h2>Prompt</h2>\n");
        else
            add_tagged(page, "<h2>Message of ", view_cap(m->time, 19), "</h2>\n");
        add_tagged(page, "<pre>\n", m->text, "</pre>\n"); /* the line feed is not shown */
    }
    text_add_string(page, "</body></html>\n");
}

/* --- routes ------------------------------------------------------------------------------- */

struct route {
    const char *method;
    const char *pattern; /* {id} stands for one segment */
    void (*handle)(struct exchange *ex);
};

/* clang-format off */
static const struct route routes[] = {
    { "POST", "/v1/sessions",              create_session },
    { "GET",  "/v1/sessions/{id}",         read_session   },
    { "POST", "/v1/sessions/{id}/message", send_message   },
    { "POST", "/control/faults",           script_faults  },
    { "GET",  "/control/calls",            list_calls     },
    { "GET",  "/control/sessions",         list_sessions  },
    { "POST", "/control/reset",            reset          },
    { "GET",  "/",                         show_sessions  },
    { "GET",  "/sessions/{id}",            show_session   },
};
/* clang-format on */

static bool path_matches(struct view path, struct view pattern, struct view *id)
{
    bool has_more = true, wants_more = true;
    while (has_more && wants_more) {
        struct view segment, wanted;
        has_more = view_cut(path, '/', &segment, &path);
        wants_more = view_cut(pattern, '/', &wanted, &pattern);
        if (view_equal(wanted, VIEW("{id}")) && segment.len > 0)
            *id = segment;
        else if (!view_equal(wanted, segment))
            return false;
    }
    return has_more == wants_more;
}

/* NULL: answered 404 or 405. */
static const struct route *route_find(struct exchange *ex)
{
    bool is_path_known = false;
    for (const struct route *r = routes; r < routes + COUNT_OF(routes); r++) {
        if (!path_matches(ex->path, view_of(r->pattern), &ex->id))
            continue;
        if (view_equal(view_of(r->method), ex->method))
            return r;
        is_path_known = true;
    }
    refuse(ex, is_path_known ? 405 : 404, is_path_known ? "Method Not Allowed" : "Not Found");
    return NULL;
}

static bool is_api(const struct exchange *ex)
{
    return view_starts(ex->path, VIEW("/v1/"));
}

static struct view key_of(const struct exchange *ex)
{
    struct view scheme, key;
    bool has_key = view_cut(ex->authorization, ' ', &scheme, &key);
    return has_key && view_equal_fold(scheme, VIEW("Bearer")) ? key : (struct view){ 0 };
}

static bool is_authorized(const struct exchange *ex)
{
    struct view key = key_of(ex), wanted = ex->devin->key;
    return view_starts(key, VIEW("apk_")) && (wanted.len == 0 || view_equal(key, wanted));
}

static void run(struct exchange *ex)
{
    const struct route *route = route_find(ex);
    if (route == NULL)
        return;
    if (!is_api(ex) || is_authorized(ex))
        route->handle(ex);
    else if (view_starts(key_of(ex), VIEW("cog_")))
        refuse(ex, 403, "This key is not valid for the v1 API");
    else
        refuse(ex, 401, "Unauthorized");
}

/* --- faults ------------------------------------------------------------------------------- */

static struct fault next_fault(struct memory *memory)
{
    struct fault *first = memory->first_fault;
    if (first == NULL)
        return (struct fault){ 0 };
    if (--first->repeat == 0)
        memory->first_fault = first->next;
    return *first;
}

static bool replaces_answer(const struct fault *fault)
{
    return fault->drop || fault->garbage || fault->bytes > 0 || fault->has_body
           || fault->status >= 300;
}

static void spoil(struct exchange *ex)
{
    const struct fault *fault = &ex->fault;
    int status = fault->status != 0 ? fault->status : 200;
    if (!replaces_answer(fault)) {
        if (fault->status != 0 && ex->status == 200)
            ex->status = fault->status;
        return;
    }
    refuse(ex, status, mg_get_response_code_text(NULL, status));
    if (fault->drop)
        ex->status = 0;
    else if (!fault->garbage && fault->bytes == 0 && !fault->has_body)
        return;
    ex->out.len = 0;
    if (fault->garbage)
        text_add_string(&ex->out, "{\"session_id\": <\x01\xff not JSON");
    else if (fault->has_body)
        text_add(&ex->out, fault->body);
    text_add_repeated(&ex->out, 'x', (size_t)fault->bytes);
}

/* --- one request -------------------------------------------------------------------------- */

static struct call *note_call(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    struct call *call = arena_get(&memory->mem, sizeof *call);
    if (call == NULL)
        return NULL;
    *call = (struct call){
        .method = view_keep(ex->method, &memory->mem),
        .path = view_keep(ex->path, &memory->mem),
        .query = view_keep(ex->query, &memory->mem),
        .content_type = view_keep(ex->content_type, &memory->mem),
        .body = view_keep(ex->body, &memory->mem),
        .is_authorized = is_authorized(ex),
    };
    *(memory->first_call == NULL ? &memory->first_call : &memory->last_call->next) = call;
    memory->last_call = call;
    return call;
}

static void answer_api(struct exchange *ex)
{
    ex->resets = ex->devin->resets;
    ex->call = note_call(ex);
    ex->fault = next_fault(&ex->devin->memory);
    ex->fault.body = view_keep(ex->fault.body, &ex->mem);
    ex->fault.retry_after = view_keep(ex->fault.retry_after, &ex->mem);
    ex->fault.location = view_keep(ex->fault.location, &ex->mem);
    if (ex->call == NULL)
        refuse(ex, 500, "The stand-in has no memory left");
    else if (!replaces_answer(&ex->fault) || ex->fault.after)
        run(ex);
    spoil(ex);
}

static void nap(const struct exchange *ex)
{
    long long until = process_now_ms() + ex->fault.delay_ms, left;
    while ((left = until - process_now_ms()) > 0 && !atomic_load(&ex->devin->is_ending))
        process_sleep_ms(left < NAP_MS ? (int)left : NAP_MS);
}

/* What was asked is done before the delay: a client that hangs up cannot undo it. */
static void answer(struct exchange *ex)
{
    struct devin *devin = ex->devin;
    pthread_mutex_lock(&devin->lock);
    if (is_api(ex))
        answer_api(ex);
    else
        run(ex);
    pthread_mutex_unlock(&devin->lock);

    nap(ex);

    pthread_mutex_lock(&devin->lock);
    if (ex->call != NULL && ex->resets == devin->resets)
        ex->call->status = ex->status;
    pthread_mutex_unlock(&devin->lock);
}

static bool read_body(struct mg_connection *connection, struct exchange *ex)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    bool is_chunked = mg_get_header(connection, "Transfer-Encoding") != NULL;
    struct text body = text_in(&ex->mem, MAX_BODY_BYTES);
    char *piece = arena_get(&ex->mem, PIECE_BYTES);
    int got = 0;
    if (info->content_length <= 0 && !is_chunked)
        return true;
    if (mg_get_header(connection, "Expect") != NULL)
        mg_write(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    while (text_ok(&body) && (got = mg_read(connection, piece, PIECE_BYTES)) > 0)
        text_add(&body, (struct view){ piece, (size_t)got });
    ex->body = text_view(&body);
    return text_ok(&body) && got >= 0
           && (is_chunked || (long long)body.len == info->content_length);
}

static void add_header(struct text *head, const char *name, struct view value)
{
    if (value.len == 0)
        return;
    text_add_string(head, name);
    text_add_string(head, ": ");
    text_add(head, value);
    text_add_string(head, "\r\n");
}

/* Head and body leave in one write: in two they would wait for each other's acknowledgement. */
static void write_answer(struct mg_connection *connection, struct exchange *ex)
{
    struct text all = text_in(&ex->mem, MAX_ANSWER_BYTES + MAX_HEAD_BYTES);
    const char *connection_wish = mg_get_header(connection, "Connection");
    bool is_last = view_equal_fold(view_of(connection_wish), VIEW("close"));
    bool is_page = view_starts(view_of(ex->type), VIEW("text/html"));
    text_add_string(&all, "HTTP/1.1 ");
    text_add_number(&all, ex->status);
    text_add_char(&all, ' ');
    text_add_string(&all, mg_get_response_code_text(NULL, ex->status));
    text_add_string(&all, "\r\nContent-Length: ");
    text_add_number(&all, (long long)ex->out.len);
    text_add_string(&all, "\r\n");
    add_header(&all, "Content-Type", view_of(ex->type));
    add_header(&all, "Retry-After", ex->fault.retry_after);
    add_header(&all, "Location", ex->fault.location);
    add_header(&all, "Connection", is_last ? VIEW("close") : VIEW(""));
    add_header(&all, "Content-Security-Policy",
               is_page ? VIEW("default-src 'none'; style-src 'unsafe-inline'") : VIEW(""));
    text_add_string(&all, "\r\n");
    text_add(&all, text_view(&ex->out));
    mg_write(connection, text_view(&all).at, text_view(&all).len);
}

/* Any answer is a whole one; when there is none to give, the connection just ends. */
static int on_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct exchange ex = {
        .devin = mg_get_user_data(mg_get_context(connection)),
        .method = view_of(info->request_method),
        .path = view_of(info->local_uri_raw),
        .query = view_of(info->query_string),
        .content_type = view_of(mg_get_header(connection, "Content-Type")),
        .authorization = view_of(mg_get_header(connection, "Authorization")),
    };
    struct failure why;
    arena_init(&ex.mem, SIZE_MAX / 2);
    if (read_body(connection, &ex)) {
        start_over(&ex, 200);
        if (ex.body.len > 0 && !json_read(ex.body, &ex.mem, &ex.json, &why))
            ex.json.root = NULL;
        answer(&ex);
    }
    if (ex.status != 0 && text_ok(&ex.out))
        write_answer(connection, &ex);
    else
        mg_close_connection(connection);
    json_free(&ex.json);
    arena_drop(&ex.mem);
    return 1;
}

/* --- start and end ------------------------------------------------------------------------ */

static struct mg_context *start(struct devin *devin)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", devin->port);
    /* clang-format off */
    const char *options[] = {
        "listening_ports",       address,
        "num_threads",           "160", /* a connection holds one, busy or idle */
        "enable_keep_alive",     "yes",
        "keep_alive_timeout_ms", "75000",
        "request_timeout_ms",    "30000",
        "tcp_nodelay",           "1",
        "listen_backlog",        "4096",
        "connection_queue",      "1024",
        "decode_url",            "no",
        NULL,
    };
    /* clang-format on */
    const struct mg_callbacks callbacks = { .begin_request = on_request };
    mg_init_library(MG_FEATURES_DEFAULT);
    return mg_start(&callbacks, devin, options);
}

/* civetweb notices its end only when its accepting thread wakes, up to 2 s later: wake it. */
static void *nudge(void *user)
{
    const struct devin *devin = user;
    while (atomic_load(&devin->is_ending)) {
        int fd = http_connect(devin->port, 100);
        if (fd >= 0)
            close(fd);
        process_sleep_ms(5);
    }
    return NULL;
}

static void stop(struct devin *devin, struct mg_context *civetweb)
{
    pthread_t nudger;
    atomic_store(&devin->is_ending, true);
    bool is_nudged = pthread_create(&nudger, NULL, nudge, devin) == 0;
    mg_stop(civetweb);
    atomic_store(&devin->is_ending, false);
    if (is_nudged)
        pthread_join(nudger, NULL);
    mg_exit_library();
}

static bool read_arguments(struct devin *devin, int argc, char **argv)
{
    long long port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (view_equal(view_of(argv[i]), VIEW("--key")))
            devin->key = view_of(argv[i + 1]);
        else if (!view_equal(view_of(argv[i]), VIEW("--port"))
                 || !view_to_number(view_of(argv[i + 1]), 1, 65535, &port))
            return false;
    }
    devin->port = (int)port;
    return argc % 2 == 1 && port > 0;
}

int main(int argc, char **argv)
{
    static struct devin devin;
    sigset_t ends;
    int ended_by;
    if (!read_arguments(&devin, argc, argv)) {
        fputs("usage: devin --port N [--key KEY]\n", stderr);
        return 2;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    pthread_mutex_init(&devin.lock, NULL);
    memory_forget(&devin.memory);
    struct mg_context *civetweb = start(&devin);
    if (civetweb == NULL) {
        fprintf(stderr, "devin: cannot listen on 127.0.0.1:%d\n", devin.port);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("Devin stand-in: http://127.0.0.1:%d/\n", devin.port);
    sigwait(&ends, &ended_by);
    stop(&devin, civetweb);
    memory_forget(&devin.memory);
    pthread_mutex_destroy(&devin.lock);
    return 0;
}
