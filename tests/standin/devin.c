/*
 * A Devin API for tests and for trying things at home: the calls of v1 and v3 that the handler
 * makes, a page that shows the sessions with their prompts, and a control endpoint that scripts
 * faults and states and tells what was called.  Worth its wire format, not its completeness: no
 * Devin works here, a session is finished once it has been read three times.  A session of one
 * version is out of the other's reach.
 *
 *   POST /control/faults    a list of objects; each next call of the API consumes one.  Members:
 *     on                                   "POST /v1/sessions": waits for a call with that method
 *                                          and a path that begins so, and lets others pass; `*` is
 *                                          any one segment, a final `$` the end of the path
 *     status, body, garbage, bytes, drop   answer so INSTEAD of doing what was asked (a 2xx status
 *                                          alone is put on the true answer)
 *     after                                do what was asked first: the session exists, the answer
 *                                          does not say so
 *     delay_ms, retry_after, location, no_url   as well
 *     repeat                               good for so many calls
 *   POST /control/session/{id}   the state of a session, by its id in any form or "newest"
 *     status, status_detail, status_enum   the first with v1's or v3's words; one alone makes the
 *                                          others null (an unnamed status: the enum's word, or
 *                                          "running"); all null: by itself again, as after the
 *                                          next message
 *     is_archived                          stays until said otherwise
 *     age_s                                makes it so many seconds older
 *   POST /control/payloads   what a session came from or was told by, which Devin never sees: the
 *                            page shows it beside the prompt, or beside the message before it
 *     sessionId                            in any form
 *     payload                              the text as it came
 *     action                               the handler's word for what it did; need not be
 *   POST /control/options   what is not named stays
 *     org_id                               of the key; null: GET /v3/self tells none, and any
 *                                          organization's path will do
 *     ids                                  "session": session_1707228000000 and so on for sessions
 *                                          to come; "devin" (the default): 32 hex digits
 *     bare_ids                             false: v3 answers, too, have "devin-" in front of them
 *     works_on                             reading a session brings it no nearer to its end
 *     page_size                            v3 pages hold no more; 0: as asked for
 *     playbooks                            all there are: {title, body, macro, playbook_id}, of
 *                                          which only the title must be
 *     playbooks_as_items                   v1 lists them as {"items":[...]}, not as a bare list
 *     strict_playbooks                     whether a create with an id that is not in the list is
 *                                          refused with 400; by default v3's is, v1's is not
 *     fail_percent                         so many of the calls meet a fault: 429, 503, 500 or the
 *                                          connection's end, the last two also after it was done
 *     gone                                 no call is answered, none is done
 *   GET  /control/calls     every call of the API, oldest first; status 0: no answer (yet); bearer:
 *                           "apk", "cog", "other" or "none", never the key
 *   GET  /control/sessions  the sessions, oldest first
 *   POST /control/reset     forgets all of it, options too; ids start anew; the one playbook is then
 *                           devin-triage-workflow
 */
#include "support/devin_exchange.h"
#include "support/http.h"
#include "support/process.h"

#include <civetweb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_HEAD_BYTES = 4096, PIECE_BYTES = 64 * 1024 };

/* --- one request -------------------------------------------------------------------------- */

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
        if (ex.body.len > 0 && !json_read(ex.body, &ex.mem, &ex.json, &why))
            ex.json.root = NULL;
        exchange_answer(&ex);
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
        "num_threads",           "1200", /* a connection holds one, busy or idle; tests bring 1000 */
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

/* Every worker may hold a socket, and some machines allow few at first. */
static void allow_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
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
    allow_files();
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
