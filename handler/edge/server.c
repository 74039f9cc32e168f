/*
 * civetweb gives a thread to each connection.  Numbers here are measured (64 to 512 connections at
 * once): a connection more than threads waits without end, so idle ones are told to close when few
 * threads are left; and the client, not we, closes idle connections, for a request with a body that
 * meets a closing connection is lost (the host keeps its own for 60 s).
 */
#include "edge/server.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "edge/clock.h"
#include "edge/invocation.h"
#include "edge/journal.h"
#include "edge/socket.h"

#include <civetweb.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* host.json's maxConcurrentRequests is 100: the rest are threads to spare for idle connections. */
#define THREAD_COUNT       128
#define KEEP_ALIVE_MS      75000
#define REQUEST_TIMEOUT_MS 30000

/* civetweb's options are text. */
#define DIGITS_OF(number) #number
#define DIGITS(number)    DIGITS_OF(number)

enum {
    SPARE_THREADS = 8,
    /* What an early refusal still reads, so that the sender sees the answer, before it closes. */
    MAX_DRAIN_BYTES = 8 * 1024 * 1024,
    MAX_DRAIN_MS = 2000,
    PIECE_BYTES = 16 * 1024,
    /* Around a body the envelope adds escapes and repeats members and headers. */
    ENVELOPE_FACTOR = 8,
    ENVELOPE_BYTES = 1024 * 1024,
    /* Text within text within an envelope, and once more among its metadata. */
    RETRY_BYTES = 16 * MAX_STORED_BYTES + ENVELOPE_BYTES,
    /* Copies of the body made on the way: parsed text, prompt, request, reply. */
    ARENA_FACTOR = 32,
    ARENA_BYTES = 8 * 1024 * 1024,
    MAX_HEAD_BYTES = 1024,
    MAX_ACCEPT_MS = 5000,
    QUIET_MS = 50
};

/* A thread that reads a body, and until when it may: a peer that sends a byte a second would hold it. */
struct reader {
    int peer_port; /* 0: nobody */
    long long until_ms;
};

struct server {
    struct server_plan plan;
    struct mg_context *civetweb;
    atomic_int connections; /* held, busy or idle */
    atomic_int in_hand;     /* requests being answered */
    atomic_long served;     /* requests answered */
    atomic_bool is_ending;
    pthread_mutex_t lock;
    struct reader readers[THREAD_COUNT]; /* under lock */
    struct text *problem;                /* during server_start() only */
};

/* One request on its way through. */
struct visit {
    struct server *server;
    struct mg_connection *connection;
    const struct mg_request_info *info;
    enum route route;
    struct arena mem;
    struct request request; /* the sender's: in envelope mode, the one inside */
    struct report report;
    bool has_report;
    bool has_failed;
    struct failure why;
    bool is_body_left; /* the sender's body was not read to its end */
    bool is_broken;    /* no further request can be read from this connection */
    long long start_ms;
};

/* --- reading ---------------------------------------------------------------------------------- */

/* Where the body ends is unknown: nothing more can be read from this connection. */
static bool fail_headers(struct visit *visit)
{
    visit->is_broken = true;
    return fail(&visit->why, FAIL_TOO_MANY_HEADERS, "%d headers or more", MG_MAX_HEADERS);
}

static size_t count_headers(const struct mg_request_info *info, const char *name)
{
    size_t count = 0;
    for (int i = 0; i < info->num_headers; i++)
        count += view_equal_fold(view_of(info->http_headers[i].name), view_of(name));
    return count;
}

static bool is_all_digits(struct view value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
    return value.len > 0;
}

/*
 * Where civetweb and whoever stands before us could differ on the end of a body, one of them would
 * take the rest for a request of its own.  civetweb takes the first of several lengths, "5abc" for
 * 5, and prefers chunks to a length: none of these gets that far.
 */
static bool is_framing_plain(struct visit *visit)
{
    size_t lengths = count_headers(visit->info, "Content-Length");
    size_t encodings = count_headers(visit->info, "Transfer-Encoding");
    struct view length = request_header(&visit->request, "Content-Length");
    struct view encoding = request_header(&visit->request, "Transfer-Encoding");
    if (lengths + encodings > 1 || (lengths == 1 && !is_all_digits(length))
        || (encodings == 1 && !view_equal_fold(encoding, VIEW("chunked")))) {
        visit->is_broken = true;
        visit->is_body_left = true;
        return fail(&visit->why, FAIL_BAD_REQUEST, "the body's length is not stated plainly");
    }
    return true;
}

static bool take_request(struct visit *visit)
{
    const struct mg_request_info *info = visit->info;
    size_t count = (size_t)info->num_headers;
    if (count >= MG_MAX_HEADERS) /* civetweb drops what comes behind, the body's length perhaps */
        return fail_headers(visit);
    struct header *headers = arena_get_array(&visit->mem, count, sizeof *headers);
    if (headers == NULL)
        return fail(&visit->why, FAIL_INTERNAL, "no memory left for %zu headers", count);
    for (size_t i = 0; i < count; i++)
        headers[i] = (struct header){
            .name = view_of(info->http_headers[i].name),
            .value = view_of(info->http_headers[i].value),
        };
    visit->request = (struct request){
        .method = view_of(info->request_method),
        .path = view_of(info->local_uri_raw),
        .query = view_of(info->query_string),
        .headers = headers,
        .header_count = count,
    };
    visit->request.invocation =
        invocation_id(request_header(&visit->request, "X-Azure-Functions-InvocationId"));
    return is_framing_plain(visit);
}

static bool expects_continue(const struct visit *visit)
{
    return view_equal_fold(request_header(&visit->request, "Expect"), VIEW("100-continue"));
}

static bool has_body(const struct visit *visit)
{
    return visit->info->content_length > 0
           || request_header(&visit->request, "Transfer-Encoding").len > 0;
}

/* From now on the reading side of this connection ends in `ms`, unless end_watch() comes first. */
static struct reader *begin_watch(const struct visit *visit, long long ms)
{
    struct server *server = visit->server;
    struct reader *reader = NULL;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; reader == NULL && i < THREAD_COUNT; i++)
        if (server->readers[i].peer_port == 0)
            reader = &server->readers[i];
    if (reader != NULL)
        *reader = (struct reader){ visit->info->remote_port, clock_now_ms() + ms };
    pthread_mutex_unlock(&server->lock);
    return reader;
}

static void end_watch(struct server *server, struct reader *reader)
{
    pthread_mutex_lock(&server->lock);
    if (reader != NULL)
        reader->peer_port = 0;
    pthread_mutex_unlock(&server->lock);
}

/* Why a body ended before its end: the sender was too slow, or closed, or broke its chunks. */
static bool fail_body(struct visit *visit, long long started_ms)
{
    visit->is_broken = true;
    visit->is_body_left = false;
    if (clock_now_ms() - started_ms >= REQUEST_TIMEOUT_MS)
        return fail(&visit->why, FAIL_TOO_SLOW, "body unfinished after %d ms", REQUEST_TIMEOUT_MS);
    return fail(&visit->why, FAIL_BAD_REQUEST, "the body broke off");
}

/* Declared or not, bytes are counted here: civetweb bounds only the head. */
static bool read_body(struct visit *visit, size_t max_bytes, struct view *out)
{
    long long declared = visit->info->content_length;
    long long started_ms = clock_now_ms();
    if (declared > 0 && (unsigned long long)declared > max_bytes)
        return fail(&visit->why, FAIL_TOO_LARGE, "%lld bytes declared", declared);
    struct text body = text_in(&visit->mem, max_bytes);
    text_reserve(&body, declared > 0 ? (size_t)declared : 0);
    char *piece = arena_get(&visit->mem, PIECE_BYTES);
    if (piece == NULL)
        return fail(&visit->why, FAIL_INTERNAL, "no memory left to read a body");
    if (expects_continue(visit))
        mg_write(visit->connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    int got = 0;
    struct reader *watch = begin_watch(visit, REQUEST_TIMEOUT_MS);
    while (text_ok(&body) && (got = mg_read(visit->connection, piece, PIECE_BYTES)) > 0)
        text_add(&body, (struct view){ piece, (size_t)got });
    end_watch(visit->server, watch);
    if (!text_ok(&body))
        return fail(&visit->why, FAIL_TOO_LARGE, "more than %zu bytes", max_bytes);
    if (got < 0 || (declared > 0 && body.len != (size_t)declared))
        return fail_body(visit, started_ms);
    visit->is_body_left = false;
    *out = text_view(&body);
    return true;
}

/*
 * After an early refusal the sender may still be sending; closing then would reset the connection
 * and the answer with it.  A sender that waits for our 100 sends nothing.
 */
static void drain(struct visit *visit)
{
    char piece[8192];
    long long started_ms = clock_now_ms();
    size_t drained = 0;
    int got = 1;
    struct reader *watch = begin_watch(visit, MAX_DRAIN_MS);
    while (got > 0 && drained < MAX_DRAIN_BYTES && clock_now_ms() - started_ms < MAX_DRAIN_MS) {
        got = mg_read(visit->connection, piece, sizeof piece);
        drained += got > 0 ? (size_t)got : 0;
    }
    end_watch(visit->server, watch);
}

/* --- writing ---------------------------------------------------------------------------------- */

/*
 * Whether civetweb reads on behind this request.  Its rule, for whoever is not told of an end sends a
 * request into it.  The header is the connection's own: an envelope carries its sender's as well.
 */
static bool is_kept_alive(const struct visit *visit)
{
    const char *header = mg_get_header(visit->connection, "Connection");
    struct view rest = view_of(header);
    if (header == NULL)
        return view_equal(view_of(visit->info->http_version), VIEW("1.1"));
    while (rest.len > 0) {
        struct view option;
        view_cut(rest, ',', &option, &rest);
        if (view_equal_fold(view_trim(option), VIEW("keep-alive")))
            return true;
    }
    return false;
}

/* Idle connections hold threads: with few left, or at the end, each one is asked to close. */
static bool should_close(const struct visit *visit)
{
    const struct server *server = visit->server;
    return visit->is_body_left || visit->is_broken || atomic_load(&server->is_ending)
           || atomic_load(&server->connections) > THREAD_COUNT - SPARE_THREADS
           || !is_kept_alive(visit);
}

static void add_header(struct text *head, const char *name, const char *value)
{
    if (value == NULL)
        return;
    text_add_string(head, name);
    text_add_string(head, ": ");
    text_add_string(head, value);
    text_add_string(head, "\r\n");
}

static void add_number_header(struct text *head, const char *name, long long value)
{
    text_add_string(head, name);
    text_add_string(head, ": ");
    text_add_number(head, value);
    text_add_string(head, "\r\n");
}

static const char *connection_header(const struct visit *visit, bool is_last)
{
    if (is_last)
        return "close";
    bool is_old = view_equal(view_of(visit->info->http_version), VIEW("1.0"));
    return is_old ? "keep-alive" : NULL; /* 1.1 keeps it without a word */
}

/*
 * Head and body leave in one write: in two they would wait for each other's acknowledgement.
 * civetweb does not read what we write: it must be told that the connection ends.
 */
static void write_reply(struct visit *visit, const struct reply *reply)
{
    bool is_last = should_close(visit);
    if (is_last)
        mg_disable_connection_keep_alive(visit->connection);
    bool is_head = view_equal(view_of(visit->info->request_method), VIEW("HEAD"));
    struct text text = text_in(&visit->mem, reply->body.len + MAX_HEAD_BYTES);
    text_add_string(&text, "HTTP/1.1 ");
    text_add_number(&text, reply->status);
    text_add_char(&text, ' ');
    text_add_string(&text, mg_get_response_code_text(visit->connection, reply->status));
    text_add_string(&text, "\r\nContent-Type: application/json\r\n");
    add_number_header(&text, "Content-Length", (long long)reply->body.len);
    add_header(&text, "Connection", connection_header(visit, is_last));
    add_header(&text, "Allow", reply->allow);
    add_header(&text, "WWW-Authenticate", reply->status == 401 ? "Bearer" : NULL);
    if (reply->retry_after_s > 0)
        add_number_header(&text, "Retry-After", reply->retry_after_s);
    text_add_string(&text, "\r\n");
    if (!is_head)
        text_add(&text, reply->body);
    struct view whole = text_view(&text);
    if (!text_ok(&text))
        whole = VIEW("HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
                     "Content-Length: 17\r\n\r\n{\"success\":false}");
    /* A peer that does not read has cost us REQUEST_TIMEOUT_MS: once is enough. */
    if (mg_write(visit->connection, whole.at, whole.len) != (int)whole.len)
        mg_disable_connection_keep_alive(visit->connection);
}

/* --- answering -------------------------------------------------------------------------------- */

static struct reply reply_ready(struct visit *visit)
{
    const struct server_plan *plan = &visit->server->plan;
    bool is_ready = plan->complaints.len == 0;
    struct text body = text_in(&visit->mem, 32 * 1024);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_bool(&writer, "success", is_ready);
    if (is_ready) {
        json_put_text(&writer, "status", VIEW("ready"));
    } else {
        json_put_text(&writer, "error", VIEW("Misconfigured"));
        json_put_text(&writer, "details", plan->complaints);
    }
    json_put_text(&writer, "queue", plan->triage->store.put == NULL ? VIEW("off") : VIEW("on"));
    json_put_text(&writer, "version", view_of(plan->version));
    json_close(&writer, '}');
    return (struct reply){ .status = is_ready ? 200 : 500, .body = text_view(&body) };
}

static bool is_post(const struct request *request)
{
    return view_equal(request->method, VIEW("POST"));
}

/* What can be refused before the body is looked at. */
static bool admit(struct visit *visit)
{
    const struct request *request = &visit->request;
    if (!is_post(request) && !view_equal(request->method, VIEW("GET"))
        && !view_equal(request->method, VIEW("HEAD")))
        return fail(&visit->why, FAIL_WRONG_METHOD, "not GET, HEAD or POST");
    return caller_check(visit->server->plan.caller, request, &visit->mem, &visit->why);
}

static struct reply refuse(struct visit *visit)
{
    visit->has_failed = true;
    return triage_reply_failure(&visit->why, visit->has_report ? &visit->report : NULL,
                                &visit->mem);
}

static bool run(struct visit *visit)
{
    visit->request.spent_ms = clock_now_ms() - visit->start_ms;
    visit->request.received_s = clock_since_1970_s();
    visit->has_report = true;
    return triage_run(visit->server->plan.triage, &visit->request, &visit->mem, &visit->report,
                      &visit->why);
}

/* The request is admitted and its body is there. */
static struct reply answer(struct visit *visit)
{
    if (!is_post(&visit->request))
        return reply_ready(visit);
    visit->request.is_dry_run = caller_wants_dry_run(&visit->request, &visit->mem);
    return run(visit) ? triage_reply(&visit->report, &visit->mem) : refuse(visit);
}

static struct reply serve_forwarded(struct visit *visit)
{
    size_t max_bytes = (size_t)visit->server->plan.settings->max_body_bytes;
    if (!admit(visit)
        || (is_post(&visit->request) && !read_body(visit, max_bytes, &visit->request.body)))
        return refuse(visit);
    return answer(visit);
}

static bool open_envelope(struct visit *visit)
{
    size_t max_bytes = (size_t)visit->server->plan.settings->max_body_bytes;
    struct view invocation = visit->request.invocation;
    struct view envelope = { 0 };
    if (!read_body(visit, max_bytes * ENVELOPE_FACTOR + ENVELOPE_BYTES, &envelope)
        || !invocation_open(envelope, &visit->mem, &visit->request, &visit->why))
        return false;
    visit->request.invocation = invocation;
    if (!admit(visit))
        return false;
    if (visit->request.body.len > max_bytes)
        return fail(&visit->why, FAIL_TOO_LARGE, "%zu bytes in the envelope",
                    visit->request.body.len);
    return true;
}

static struct journal_entry entry_of(struct visit *visit, const struct reply *reply)
{
    return (struct journal_entry){
        .request = &visit->request,
        .reply = reply,
        .why = visit->has_failed ? &visit->why : NULL,
        .report = visit->has_report ? &visit->report : NULL,
        .is_enveloped = visit->route == ROUTE_ENVELOPE || visit->route == ROUTE_RETRY,
        .ms = clock_now_ms() - visit->start_ms,
        .mem = &visit->mem,
    };
}

static void log_visit(struct visit *visit, const struct reply *reply)
{
    const struct journal_entry entry = entry_of(visit, reply);
    journal_write(&entry);
}

/*
 * Whatever happens inside, the host gets 200 and a JSON object: anything else would be lost there.
 */
static struct reply serve_envelope(struct visit *visit)
{
    struct reply inner = open_envelope(visit) ? answer(visit) : refuse(visit);
    const struct journal_entry entry = entry_of(visit, &inner);
    journal_write(&entry);
    return (struct reply){
        .status = 200,
        .body = invocation_close(&inner, journal_line(&entry), &visit->mem),
    };
}

/* A status that is no success brings the message back; all else the host would take for done. */
static struct reply serve_retry(struct visit *visit)
{
    struct view envelope = { 0 };
    visit->request.is_retry = true; /* even one that cannot be opened */
    visit->has_failed =
        !read_body(visit, RETRY_BYTES, &envelope)
        || !invocation_open_retry(envelope, &visit->mem, &visit->request, &visit->why)
        || !run(visit);
    struct reply reply = { .status = visit->has_failed ? 500 : 200 };
    const struct journal_entry entry = entry_of(visit, &reply);
    journal_write(&entry);
    reply.body = invocation_close_retry(journal_line(&entry), &visit->mem);
    return reply;
}

/* What waits until the sender has its answer. */
static void settle(struct visit *visit)
{
    const struct triage *triage = visit->server->plan.triage;
    if (!visit->has_report || triage->store.put == NULL || visit->request.is_retry)
        return;
    triage_settle(triage, &visit->report, &visit->mem);
    const struct journal_entry entry = entry_of(visit, NULL);
    journal_settled(&entry);
}

/* Whoever is not the Functions host could pass a stored alert by the secret that alerts must show. */
static enum route route_of(const struct visit *visit)
{
    enum route route = invocation_route(visit->request.method, visit->request.path);
    return route == ROUTE_RETRY && !visit->server->plan.takes_retries ? ROUTE_NONE : route;
}

static struct reply serve(struct visit *visit)
{
    struct reply reply = { 0 };
    if (!take_request(visit)) {
        reply = refuse(visit);
        log_visit(visit, &reply);
        return reply;
    }
    visit->is_body_left = has_body(visit);
    visit->route = route_of(visit);
    switch (visit->route) {
    case ROUTE_PING:
        return (struct reply){ .status = 200, .body = VIEW("{\"success\":true}") };
    case ROUTE_ENVELOPE:
        return serve_envelope(visit);
    case ROUTE_RETRY:
        return serve_retry(visit);
    case ROUTE_FORWARDED:
        reply = serve_forwarded(visit);
        break;
    case ROUTE_NONE:
        (void)fail(&visit->why, FAIL_NOT_FOUND, "no such path");
        reply = refuse(visit);
        break;
    }
    log_visit(visit, &reply);
    return reply;
}

/* --- civetweb's callbacks --------------------------------------------------------------------- */

static struct server *server_of(const struct mg_connection *connection)
{
    return mg_get_user_data(mg_get_context(connection));
}

static size_t arena_ceiling(const struct server *server)
{
    return (size_t)server->plan.settings->max_body_bytes * ARENA_FACTOR + ARENA_BYTES;
}

/*
 * The catch-all.  A positive result tells civetweb that the request is served and lets it read the
 * rest of the body; a negative one closes the connection when something of it is left.
 */
static int on_request(struct mg_connection *connection)
{
    struct server *server = server_of(connection);
    struct visit visit = {
        .server = server,
        .connection = connection,
        .info = mg_get_request_info(connection),
        .start_ms = clock_now_ms(),
    };
    atomic_fetch_add(&server->in_hand, 1);
    struct arena *kept = mg_get_thread_pointer(connection);
    if (kept != NULL)
        visit.mem = *kept;
    arena_rewind(&visit.mem, arena_ceiling(server));
    struct reply reply = serve(&visit);
    write_reply(&visit, &reply);
    if (visit.is_body_left && !expects_continue(&visit))
        drain(&visit);
    settle(&visit);
    if (kept != NULL) {
        arena_rewind(&visit.mem, 0);
        *kept = visit.mem;
    } else {
        arena_drop(&visit.mem);
    }
    atomic_fetch_add(&server->served, 1);
    atomic_fetch_sub(&server->in_hand, 1);
    return visit.is_body_left || visit.is_broken ? -1 : reply.status;
}

/* What never becomes a visit.  The answer is JSON like all others. */
static void refuse_head(struct mg_connection *connection, int status)
{
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer);
    const struct view body =
        VIEW("{\"success\":false,\"error\":\"Malformed HTTP request\",\"details\":"
             "\"plain HTTP/1.1 for a path of ours, request line and headers of 64 KB at most\"}");
    struct log_line line;
    log_begin(&line, LOG_WARN, "refused", (struct view){ 0 });
    log_number(&line, "status", status);
    log_end(&line);
    text_add_string(&text, "HTTP/1.1 ");
    text_add_number(&text, status);
    text_add_char(&text, ' ');
    text_add_string(&text, mg_get_response_code_text(connection, status));
    text_add_string(&text, "\r\nContent-Type: application/json\r\nConnection: close\r\n");
    add_number_header(&text, "Content-Length", (long long)body.len);
    text_add_string(&text, "\r\n");
    text_add(&text, body);
    mg_write(connection, text_view(&text).at, text_view(&text).len);
}

/* A head that civetweb cannot read.  Its message may quote the request. */
static int on_http_error(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    mg_set_user_connection_data(connection, connection); /* answered: see on_closing() */
    mg_disable_connection_keep_alive(connection);
    refuse_head(connection, status);
    return 0;
}

/*
 * "OPTIONS *" and "GET http://elsewhere/" are read, and then civetweb closes without a word, which
 * the Functions host would take for a crash.  This is the last moment to say one.
 */
static void on_closing(const struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    bool is_answered = mg_get_user_connection_data(connection) != NULL;
    if (!is_answered && info != NULL && info->request_uri != NULL && info->local_uri_raw == NULL)
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): civetweb hands out its own connection as const */
        refuse_head((struct mg_connection *)(uintptr_t)connection, 400);
}

static int on_connected(const struct mg_connection *connection, void **data)
{
    (void)data;
    atomic_fetch_add(&server_of(connection)->connections, 1);
    return 0;
}

static void on_closed(const struct mg_connection *connection)
{
    atomic_fetch_sub(&server_of(connection)->connections, 1);
}

/*
 * Each thread keeps an arena from request to request: an allocator that gives blocks of this size
 * back to the system (musl's does) would spend most of a small request there.
 */
static void *on_thread(const struct mg_context *context, int type)
{
    (void)context;
    (void)type;
    return calloc(1, sizeof(struct arena));
}

static void on_thread_end(const struct mg_context *context, int type, void *kept)
{
    (void)context;
    (void)type;
    if (kept != NULL)
        arena_drop(kept);
    free(kept);
}

/* While starting it is the reason why it cannot; later it may quote a request and is dropped. */
static int on_message(const struct mg_connection *connection, const char *message)
{
    struct server *server = connection == NULL ? NULL : server_of(connection);
    if (server != NULL && server->problem != NULL) {
        text_add_string(server->problem, server->problem->len > 0 ? "; " : "");
        text_add_string(server->problem, message);
    }
    return 1;
}

/* --- start and end ---------------------------------------------------------------------------- */

struct server *server_start(const struct server_plan *plan, struct text *problem)
{
    char port[32];
    struct text address = text_over(port, sizeof port);
    text_add_string(&address, "127.0.0.1:");
    text_add_number(&address, plan->port);
    const char *options[] = {
        "listening_ports",
        port,
        "num_threads",
        DIGITS(THREAD_COUNT),
        "enable_keep_alive",
        "yes",
        "keep_alive_timeout_ms",
        DIGITS(KEEP_ALIVE_MS),
        "request_timeout_ms",
        DIGITS(REQUEST_TIMEOUT_MS),
        "tcp_nodelay",
        "1",
        "listen_backlog",
        "4096",
        "connection_queue",
        "1024",
        "max_request_size",
        "65536", /* of a head: a request line of 24 KB and headers of 32 KB pass */
        "decode_url",
        "no",
        NULL,
    };
    const struct mg_callbacks callbacks = {
        .begin_request = on_request,
        .http_error = on_http_error,
        .init_connection = on_connected,
        .connection_close = on_closing,
        .connection_closed = on_closed,
        .log_message = on_message,
        .init_thread = on_thread,
        .exit_thread = on_thread_end,
    };
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    mg_init_library(MG_FEATURES_DEFAULT);
    server->plan = *plan;
    pthread_mutex_init(&server->lock, NULL);
    server->problem = problem;
    server->civetweb = mg_start(&callbacks, server, options);
    server->problem = NULL;
    if (server->civetweb == NULL) {
        mg_exit_library();
        pthread_mutex_destroy(&server->lock);
        free(server);
        return NULL;
    }
    return server;
}

void server_tick(struct server *server)
{
    long long now = clock_now_ms();
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < THREAD_COUNT; i++) {
        struct reader *reader = &server->readers[i];
        if (reader->peer_port == 0 || now < reader->until_ms)
            continue;
        socket_end_reading(server->plan.port, reader->peer_port);
        reader->until_ms = LLONG_MAX;
    }
    pthread_mutex_unlock(&server->lock);
}

static void pause_ms(long ms)
{
    const struct timespec pause = { 0, ms * 1000000L };
    nanosleep(&pause, NULL);
}

/* Connections that the kernel has accepted for us are lost when the listener goes: take them first. */
static void await_accepted(struct server *server, long long patience_ms)
{
    long long until_ms = clock_now_ms() + patience_ms;
    while (socket_has_waiting(server->plan.port) && clock_now_ms() < until_ms)
        pause_ms(1);
}

/*
 * Waits until nothing is in hand and no byte unread, twice in a row: a request whose bytes were read
 * just before may not have reached its handler yet.
 */
static void await_in_hand(struct server *server, long long patience_ms)
{
    long long until_ms = clock_now_ms() + patience_ms;
    for (int quiet = 0; quiet < 2 && clock_now_ms() < until_ms;) {
        long served = atomic_load(&server->served);
        pause_ms(QUIET_MS);
        server_tick(server);
        bool is_quiet = !socket_has_unread(server->plan.port) && atomic_load(&server->in_hand) == 0
                        && atomic_load(&server->served) == served;
        quiet = is_quiet ? quiet + 1 : 0;
    }
}

void server_stop(struct server *server, long long patience_ms)
{
    atomic_store(&server->is_ending, true);
    await_accepted(server, MAX_ACCEPT_MS);
    int silent = socket_stop_listening(server->plan.port);
    await_in_hand(server, patience_ms);
    socket_end_reading_all(server->plan.port);
    socket_wake(silent);
    mg_stop(server->civetweb);
    mg_exit_library();
    pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *server_library(void)
{
    return mg_version();
}
