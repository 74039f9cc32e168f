/*
 * A Functions host for tests and for trying things at home: reads an app's own host.json and
 * function.json, starts its handler as the real host does, and puts on the wire what host 4.1037
 * puts there, for functions with an HTTP trigger.  Worth its wire format, not its completeness: no
 * queues, no routes with parameters, no streaming (bodies are read whole, both ways).
 *
 *   host [--root DIR] [--port N] [--mode azure|core-tools] [--proxy old|new]
 *        [--function-key KEY] [--handler-output inherit] [--devin-port N]
 *
 *   --mode            azure (the default) chunks envelopes; core-tools gives them a length
 *   --proxy           whether this host knows enableProxyingHttpRequest: new (the default) does
 *   --function-key    in azure mode what ?code= or x-functions-key must be; unset: any call may come
 *   --handler-output  inherit: the handler's words go to our stdout and stderr as they are
 *   --devin-port      of a Devin stand-in, which is told the payload of each session for its page
 */
#include "base/arena.h"
#include "support/host_app.h"
#include "support/host_pool.h"
#include "support/host_result.h"
#include "support/host_tell.h"
#include "support/host_wire.h"
#include "support/host_worker.h"
#include "support/http.h"
#include "support/process.h"

#include <civetweb.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_BODY_BYTES = 100 * 1024 * 1024,
    MAX_HEADER_BYTES = 32 * 1024,
    MAX_ANSWER_BYTES = 128 * 1024 * 1024,
    PIECE_BYTES = 64 * 1024,
    TICK_NS = 50 * 1000 * 1000
};

enum protocol { PROTOCOL_ENVELOPE, PROTOCOL_FORWARD, PROTOCOL_PROXY };

struct host {
    struct host_app app;
    struct host_pool pool;
    struct host_worker worker;
    int port;       /* 0: as the app says */
    int devin_port; /* 0: none to tell */
    const char *root;
    bool is_core_tools, is_old, is_inherited;
    struct view key;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t freed;
    int running;
    atomic_int visits; /* clients being served */
    atomic_bool is_ending;
};

/* One request of a client. */
struct visit {
    struct host *host;
    struct mg_connection *connection;
    const struct mg_request_info *info;
    struct arena mem;
    struct host_call call;
    char invocation[HOST_GUID_SIZE];
    enum protocol protocol;
    int status; /* of the answer */
};

/* --- answering the client --------------------------------------------------------------------- */

static void add_header(struct text *head, struct view name, struct view value)
{
    text_add(head, name);
    text_add_string(head, ": ");
    text_add(head, value);
    text_add_string(head, "\r\n");
}

static struct text begin_answer(struct visit *visit, int status, struct view reason)
{
    struct text text = text_in(&visit->mem, MAX_ANSWER_BYTES);
    visit->status = status;
    text_add_string(&text, "HTTP/1.1 ");
    text_add_number(&text, status);
    text_add_char(&text, ' ');
    text_add(&text, reason);
    text_add_string(&text, "\r\n");
    return text;
}

static bool has_body(const struct visit *visit, int status)
{
    return !view_equal(visit->call.method, VIEW("HEAD")) && status != 204 && status != 304;
}

/* Ends the headers.  Head and body leave in one write. */
static void end_answer(struct visit *visit, struct text *text, struct view body)
{
    if (has_body(visit, visit->status)) {
        text_add_string(text, "Content-Length: ");
        text_add_number(text, (long long)body.len);
        text_add_string(text, "\r\n");
    }
    text_add_string(text, "\r\n");
    if (has_body(visit, visit->status))
        text_add(text, body);
    if (text_ok(text))
        mg_write(visit->connection, text_view(text).at, text_view(text).len);
    else
        mg_close_connection(visit->connection);
}

static struct text begin_plain(struct visit *visit, int status)
{
    return begin_answer(visit, status, view_of(mg_get_response_code_text(NULL, status)));
}

static void answer_empty(struct visit *visit, int status)
{
    struct text text = begin_plain(visit, status);
    end_answer(visit, &text, VIEW(""));
}

static void answer_home(struct visit *visit)
{
    struct text text = begin_plain(visit, 200);
    add_header(&text, VIEW("Content-Type"), VIEW("text/html; charset=utf-8"));
    end_answer(visit, &text,
               VIEW("<!DOCTYPE html><title>Functions host stand-in</title>"
                    "<p>Your Functions app is up and running (in a stand-in for the host).\n"));
}

/* What YARP does not copy back. */
static bool is_hop(struct view name)
{
    static const char *const names[] = {
        "Connection",         "Keep-Alive", "Upgrade", "Proxy-Connection",
        "Proxy-Authenticate", "TE",         "Alt-Svc", "Close"
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (view_equal_fold(name, view_of(names[i])))
            return true;
    return false;
}

static bool is_passed_on(const struct visit *visit, struct view name,
                         const struct http_answer *answer)
{
    if (view_equal_fold(name, VIEW("Transfer-Encoding")))
        return false;
    if (view_equal_fold(name, VIEW("Content-Length")))
        return !has_body(visit, answer->status);
    return visit->protocol != PROTOCOL_PROXY || !is_hop(name);
}

/* Before the client is answered: who then looks at the page finds it there. */
static void tell_devin(struct visit *visit, struct view reply)
{
    if (visit->host->devin_port > 0)
        host_tell(visit->host->devin_port, visit->call.body, reply, &visit->mem);
}

/* The handler's answer as it is, but for its framing; its Connection header binds us as well. */
static void answer_as_handler(struct visit *visit, const struct http_answer *answer)
{
    struct view rest = answer->head;
    struct view line;
    struct view name;
    struct view value;
    view_cut(rest, '\n', &line, &rest);
    struct text text = begin_answer(visit, answer->status, view_skip(line, 13));
    while (rest.len > 0) {
        view_cut(rest, '\n', &line, &rest);
        if (view_cut(line, ':', &name, &value) && is_passed_on(visit, name, answer))
            add_header(&text, name, view_trim(value));
    }
    if (visit->protocol == PROTOCOL_FORWARD
        && view_equal_fold(http_header(answer, "Connection"), VIEW("close")))
        mg_disable_connection_keep_alive(visit->connection);
    tell_devin(visit, answer->body);
    end_answer(visit, &text, answer->body);
}

static void answer_from_envelope(struct visit *visit, const struct http_answer *answer)
{
    struct host_result result;
    struct text why = text_in(&visit->mem, 1024);
    if (host_result_read(answer, visit->call.function, &visit->mem, &result, &why)) {
        struct text text = begin_plain(visit, result.status);
        for (size_t i = 0; i < result.header_count; i++)
            add_header(&text, result.headers[i].name, result.headers[i].value);
        tell_devin(visit, result.body);
        end_answer(visit, &text, result.body);
        return;
    }
    fprintf(stderr, "host: %s: %.*s\n", visit->call.function->name, (int)why.len, why.bytes);
    struct text text = begin_plain(visit, 500);
    if (result.is_hanging)
        add_header(&text, VIEW("X-Standin"), VIEW("hang"));
    end_answer(visit, &text, VIEW(""));
}

/* --- calling the handler ---------------------------------------------------------------------- */

static enum protocol protocol_of(const struct host *host, const struct host_function *function)
{
    if (function->is_plain && host->app.is_proxying && !host->is_old)
        return PROTOCOL_PROXY;
    if (function->is_plain && host->app.is_forwarding)
        return PROTOCOL_FORWARD;
    return PROTOCOL_ENVELOPE;
}

static const char *protocol_name(enum protocol protocol)
{
    return protocol == PROTOCOL_PROXY     ? "proxy"
           : protocol == PROTOCOL_FORWARD ? "forward"
                                          : "envelope";
}

static bool build(struct visit *visit, struct host_message *out)
{
    switch (visit->protocol) {
    case PROTOCOL_PROXY:
        return host_proxy(&visit->call, &visit->mem, out);
    case PROTOCOL_FORWARD:
        return host_forward(&visit->call, &visit->mem, out);
    case PROTOCOL_ENVELOPE:
        break;
    }
    return host_envelope(&visit->call, !visit->host->is_core_tools, &visit->mem, out);
}

/*
 * How often a request is sent whose connection closes without a byte of an answer: .NET sends one
 * without a body 4 times, and the proxy has it sent so in 10 rounds.
 */
static int tries_of(const struct visit *visit, const struct host_message *message)
{
    if (visit->protocol == PROTOCOL_PROXY)
        return message->body.len > 0 ? 1 : 40;
    return message->body.len > 0 ? 2 : 4;
}

/* The proxy pauses between its rounds; a refused connection is a round of its own. */
static void pause_proxy(int round)
{
    process_sleep_ms(round < 4 ? 50 * (round + 1) : 250);
}

/* After a fate other than an answer: whether to send again. */
static bool tries_again(struct visit *visit, enum host_fate fate, int life, int tried, int tries)
{
    struct host_worker *worker = &visit->host->worker;
    if (fate == HOST_OVERRUN)
        host_worker_kill(worker, life);
    if (fate != HOST_REFUSED && fate != HOST_CLOSED)
        return false;
    if (!host_worker_is_alive(worker, life))
        return fate
               == HOST_REFUSED; /* it came during a restart; else it died in the handler's hands */
    if (fate == HOST_REFUSED && visit->protocol != PROTOCOL_PROXY)
        return false;
    if (visit->protocol == PROTOCOL_PROXY && (fate == HOST_REFUSED || tried % 4 == 0))
        pause_proxy(fate == HOST_REFUSED ? tried - 1 : tried / 4 - 1);
    return tried < (fate == HOST_REFUSED ? 10 : tries);
}

static bool send_call(struct visit *visit, const struct host_message *message,
                      struct http_answer *out)
{
    struct host *host = visit->host;
    int timeout_ms = host->app.call_ms < INT_MAX ? (int)host->app.call_ms : INT_MAX;
    enum host_fate fate;
    int life;
    int tried = 0;
    do {
        life = host_worker_await(&host->worker);
        if (life == 0)
            return false;
        fate = host_pool_send(&host->pool, message, timeout_ms, &visit->mem, out);
        tried++;
    } while (fate != HOST_ANSWERED
             && tries_again(visit, fate, life, tried, tries_of(visit, message)));
    return fate == HOST_ANSWERED;
}

/* maxConcurrentRequests: what exceeds it waits. */
static void enter(struct host *host)
{
    pthread_mutex_lock(&host->lock);
    while (host->app.max_concurrent > 0 && host->running >= host->app.max_concurrent)
        pthread_cond_wait(&host->freed, &host->lock);
    host->running++;
    pthread_mutex_unlock(&host->lock);
}

static void leave(struct host *host)
{
    pthread_mutex_lock(&host->lock);
    host->running--;
    pthread_cond_signal(&host->freed);
    pthread_mutex_unlock(&host->lock);
}

static void invoke(struct visit *visit)
{
    struct host_message message;
    struct http_answer answer;
    long long began_ms = process_now_ms();
    visit->protocol = protocol_of(visit->host, visit->call.function);
    host_guid(visit->invocation);
    visit->call.invocation = visit->invocation;
    enter(visit->host);
    bool ok = build(visit, &message) && send_call(visit, &message, &answer);
    leave(visit->host);
    if (!ok)
        answer_empty(visit, 500);
    else if (visit->protocol == PROTOCOL_ENVELOPE)
        answer_from_envelope(visit, &answer);
    else
        answer_as_handler(visit, &answer);
    printf("[host] %s %s %d in %lld ms (%s)\n", visit->call.function->name, visit->invocation,
           visit->status, process_now_ms() - began_ms, protocol_name(visit->protocol));
    fflush(stdout);
}

/* --- the front -------------------------------------------------------------------------------- */

/* "/<prefix>/<route>" without case; NULL: none. */
static const struct host_function *find_function(const struct host *host, struct view path)
{
    path = view_skip(path, path.len > 0 && path.at[0] == '/' ? 1 : 0);
    path.len -= path.len > 0 && path.at[path.len - 1] == '/' ? 1 : 0;
    if (host->app.prefix.len > 0) {
        if (!view_starts_fold(path, host->app.prefix) || path.len <= host->app.prefix.len
            || path.at[host->app.prefix.len] != '/')
            return NULL;
        path = view_skip(path, host->app.prefix.len + 1);
    }
    for (size_t i = 0; i < host->app.function_count; i++)
        if (view_equal_fold(path, host->app.functions[i].route))
            return &host->app.functions[i];
    return NULL;
}

static bool takes_method(const struct host_function *function, struct view method)
{
    for (size_t i = 0; i < function->method_count; i++)
        if (view_equal_fold(function->methods[i], method))
            return true;
    return function->method_count == 0;
}

static bool has_key(struct visit *visit)
{
    const struct host *host = visit->host;
    struct view header = host_call_header(&visit->call, "x-functions-key");
    if (host->is_core_tools || host->key.len == 0 || !visit->call.function->wants_key)
        return true;
    return view_equal(host->key, header)
           || view_equal(host->key, host_query_value(&visit->call, "code", &visit->mem));
}

/* False: the client has been answered. */
static bool admit(struct visit *visit)
{
    struct host_call *call = &visit->call;
    struct view path = host_path(call, &visit->mem);
    call->function = find_function(visit->host, path);
    if (call->function == NULL && view_equal(path, VIEW("/"))
        && view_equal(call->method, VIEW("GET")))
        answer_home(visit);
    else if (call->function == NULL || !takes_method(call->function, call->method))
        answer_empty(visit, 404);
    else if (!has_key(visit))
        answer_empty(visit, 401);
    else
        return true;
    return false;
}

static bool take_headers(struct visit *visit)
{
    const struct mg_request_info *info = visit->info;
    size_t bytes = 0;
    size_t count = (size_t)info->num_headers;
    struct host_header *headers = arena_get_array(&visit->mem, count, sizeof *headers);
    if (headers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        headers[i] = (struct host_header){ view_of(info->http_headers[i].name),
                                           view_of(info->http_headers[i].value) };
        bytes += headers[i].name.len + headers[i].value.len + 4;
    }
    visit->call.headers = headers;
    visit->call.header_count = count;
    return count < MG_MAX_HEADERS && bytes <= MAX_HEADER_BYTES; /* civetweb drops what is behind */
}

/* All of it, or the client has broken off; `is_large` when there is more than the host takes. */
static bool read_body(struct visit *visit, bool *is_large)
{
    struct text body = text_in(&visit->mem, MAX_BODY_BYTES);
    char *piece = arena_get(&visit->mem, PIECE_BYTES);
    int got = 0;
    *is_large = visit->info->content_length > MAX_BODY_BYTES;
    if (*is_large || (!visit->call.is_chunked && visit->info->content_length <= 0))
        return true;
    if (view_equal_fold(host_call_header(&visit->call, "Expect"), VIEW("100-continue")))
        mg_write(visit->connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    while (piece != NULL && text_ok(&body)
           && (got = mg_read(visit->connection, piece, PIECE_BYTES)) > 0)
        text_add(&body, (struct view){ piece, (size_t)got });
    *is_large = !text_ok(&body);
    visit->call.body = text_view(&body);
    return got >= 0
           && (*is_large || visit->call.is_chunked
               || body.len == (size_t)visit->info->content_length);
}

static void serve(struct visit *visit)
{
    bool is_large;
    if (!take_headers(visit)) {
        mg_disable_connection_keep_alive(visit->connection);
        answer_empty(visit, 431);
        return;
    }
    visit->call.is_chunked =
        view_equal_fold(host_call_header(&visit->call, "Transfer-Encoding"), VIEW("chunked"));
    if (!admit(visit))
        return;
    if (!read_body(visit, &is_large))
        mg_close_connection(visit->connection);
    else if (is_large)
        answer_empty(visit, 500);
    else
        invoke(visit);
}

static int on_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct visit visit = {
        .host = mg_get_user_data(mg_get_context(connection)),
        .connection = connection,
        .info = info,
        .call = { .method = view_of(info->request_method),
                  .path = view_of(info->local_uri_raw),
                  .query = view_of(info->query_string),
                  .has_query = info->query_string != NULL,
                  .client = view_of(info->remote_addr) },
    };
    visit.call.handler_port = visit.host->pool.port;
    arena_init(&visit.mem, SIZE_MAX / 2);
    atomic_fetch_add(&visit.host->visits, 1);
    serve(&visit);
    atomic_fetch_sub(&visit.host->visits, 1);
    arena_drop(&visit.mem);
    return 1;
}

/* --- start and end ---------------------------------------------------------------------------- */

static struct mg_context *listen_on(struct host *host)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", host->port);
    /* clang-format off */
    const char *options[] = {
        "listening_ports",       address,
        "num_threads",           "256", /* a connection holds one, busy or idle */
        "enable_keep_alive",     "yes",
        "keep_alive_timeout_ms", "130000", /* as Kestrel */
        "request_timeout_ms",    "30000",
        "max_request_size",      "65536",
        "tcp_nodelay",           "1",
        "listen_backlog",        "1024",
        "connection_queue",      "512",
        "decode_url",            "no",
        NULL,
    };
    /* clang-format on */
    const struct mg_callbacks callbacks = { .begin_request = on_request };
    mg_init_library(MG_FEATURES_DEFAULT);
    return mg_start(&callbacks, host, options);
}

/* civetweb notices its end only when its accepting thread wakes, up to 2 s later: wake it. */
static void *nudge(void *user)
{
    const struct host *host = user;
    while (atomic_load(&host->is_ending)) {
        int fd = http_connect(host->port, 100);
        if (fd >= 0)
            close(fd);
        process_sleep_ms(5);
    }
    return NULL;
}

/* What is in hand fails at once, for the handler is dead: its clients still get to know. */
static void await_clients(struct host *host)
{
    for (int i = 0; i < 500 && atomic_load(&host->visits) > 0; i++)
        process_sleep_ms(2);
}

static void close_front(struct host *host, struct mg_context *civetweb)
{
    pthread_t nudger;
    atomic_store(&host->is_ending, true);
    bool is_nudged = pthread_create(&nudger, NULL, nudge, host) == 0;
    mg_stop(civetweb);
    atomic_store(&host->is_ending, false);
    if (is_nudged)
        pthread_join(nudger, NULL);
    mg_exit_library();
}

static void announce(const struct host *host)
{
    for (size_t i = 0; i < host->app.function_count; i++) {
        struct view prefix = host->app.prefix;
        struct view route = host->app.functions[i].route;
        printf("Functions host stand-in: http://localhost:%d/%.*s%s%.*s\n", host->port,
               (int)prefix.len, prefix.at, prefix.len > 0 ? "/" : "", (int)route.len, route.at);
    }
    fflush(stdout);
}

/* Until a signal (0), or until the handler has failed for good (1). */
static int attend(struct host *host, const sigset_t *ends)
{
    const struct timespec tick = { 0, TICK_NS };
    bool is_announced = false;
    for (;;) {
        enum host_worker_state state = host_worker_state(&host->worker);
        if (state == HOST_WORKER_FAILED)
            return 1;
        if (state == HOST_WORKER_READY && !is_announced) {
            announce(host);
            is_announced = true;
        }
        if (sigtimedwait(ends, NULL, &tick) > 0)
            return 0;
    }
}

static int give_up(const struct text *why)
{
    fprintf(stderr, "host: %.*s\n", (int)why->len, why->bytes);
    return 1;
}

static int run(struct host *host, const sigset_t *ends, struct text *why)
{
    const struct host_worker_plan plan = { &host->app, &host->pool, host->is_core_tools,
                                           host->is_inherited };
    host_worker_prepare(&host->worker, &plan); /* the first client may come at once */
    struct mg_context *civetweb = listen_on(host);
    if (civetweb == NULL) {
        fprintf(stderr, "host: cannot listen on 127.0.0.1:%d\n", host->port);
        return 1;
    }
    int code = 1;
    if (host_worker_start(&host->worker, why)) {
        code = attend(host, ends);
        host_worker_stop(&host->worker);
    } else {
        give_up(why);
    }
    await_clients(host);
    close_front(host, civetweb);
    return code;
}

/* --- command line ----------------------------------------------------------------------------- */

/* One of two words; false: neither. */
static bool is_second(struct view word, const char *first, const char *second, bool *out)
{
    *out = view_equal(word, view_of(second));
    return *out || view_equal(word, view_of(first));
}

static bool read_port(const char *value, int *out)
{
    long long port;
    if (!view_to_number(view_of(value), 1, 65535, &port))
        return false;
    *out = (int)port;
    return true;
}

static bool read_argument(struct host *host, struct view name, const char *value)
{
    if (view_equal(name, VIEW("--root"))) {
        host->root = value;
    } else if (view_equal(name, VIEW("--port"))) {
        return read_port(value, &host->port);
    } else if (view_equal(name, VIEW("--devin-port"))) {
        return read_port(value, &host->devin_port);
    } else if (view_equal(name, VIEW("--mode"))) {
        return is_second(view_of(value), "azure", "core-tools", &host->is_core_tools);
    } else if (view_equal(name, VIEW("--proxy"))) {
        return is_second(view_of(value), "new", "old", &host->is_old);
    } else if (view_equal(name, VIEW("--function-key"))) {
        host->key = view_of(value);
    } else if (view_equal(name, VIEW("--handler-output"))) {
        return is_second(view_of(value), "lines", "inherit", &host->is_inherited);
    } else {
        return false;
    }
    return true;
}

static bool read_arguments(struct host *host, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (!read_argument(host, view_of(argv[i]), argv[i + 1]))
            return false;
    return argc % 2 == 1;
}

/* What is set already wins over local.settings.json. */
static void take_values(const struct host_app *app)
{
    for (size_t i = 0; i < app->value_count; i++)
        setenv(app->values[i].name, app->values[i].value, 0);
}

static bool prepare(struct host *host, struct arena *mem, struct text *why)
{
    char root[4096];
    if (chdir(host->root) != 0 || getcwd(root, sizeof root) == NULL) {
        text_add_string(why, host->root);
        text_add_string(why, ": there is no such folder");
        return false;
    }
    if (!host_app_read(view_keep(view_of(root), mem).at, mem, &host->app, why))
        return false;
    host->port = host->port > 0 ? host->port : host->app.port;
    take_values(&host->app);
    pthread_mutex_init(&host->lock, NULL);
    pthread_cond_init(&host->freed, NULL);
    host_pool_open(&host->pool, process_free_port());
    return true;
}

int main(int argc, char **argv)
{
    static struct host host = { .root = "." };
    struct arena mem;
    sigset_t ends;
    if (!read_arguments(&host, argc, argv)) {
        fputs(
            "usage: host [--root DIR] [--port N] [--mode azure|core-tools] [--proxy old|new]\n"
            "            [--function-key KEY] [--handler-output lines|inherit] [--devin-port N]\n",
            stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* the handler inherits it, as from the real host */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    arena_init(&mem, SIZE_MAX / 2);
    struct text why = text_in(&mem, 64 * 1024);
    int code = 1;
    if (prepare(&host, &mem, &why)) {
        code = run(&host, &ends, &why);
        host_pool_close(&host.pool);
    } else {
        give_up(&why);
    }
    arena_drop(&mem);
    return code;
}
