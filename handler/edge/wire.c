/*
 * curl_multi in a thread of its own.  A send prepares an easy handle, hands it over and sleeps; the
 * loop adds, polls, and wakes the sender.  While a sender sleeps the loop alone touches its arena.
 * What nobody waits for has an arena of its own, and the loop puts it away.
 */
#include "edge/wire.h"

#include "base/arena.h"
#include "edge/clock.h"
#include "edge/shared.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT_MS = 5000,
    MAX_ANSWER_BYTES = 4 * 1024 * 1024,
    MAX_RETRY_AFTER_S = 3600,
    MAX_BEARER_BYTES = 4096,
    MAX_URL_BYTES = 8 * 1024,
    MAX_HEADER_BYTES = 32 * 1024, /* a token of an identity is a few KiB long */
    /* Of a request that nobody waits for, with its answer. */
    MAX_UNATTENDED_BYTES = MAX_ANSWER_BYTES + 1024 * 1024,
    DRAIN_MS = 2000,
    /* Connections: by itself libcurl keeps four for each transfer under way, and drops the rest. */
    MAX_KEPT = 64,
    POLL_MS = 60000,
    DRAIN_POLL_MS = 100
};

#define USER_AGENT "azure-devin-triage"

struct wire_loop {
    const struct wire_settings *settings;
    const char *ca_file; /* NULL: whatever libcurl was built with */
    struct shared *shared;
    struct curl_slist *headers;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock;
    struct exchange *arrived;    /* under lock: not yet seen by the loop */
    bool is_ending;              /* under lock */
    long long drain_until_ms;    /* under lock, once it is ending */
    struct exchange *unattended; /* the loop's own: under way while nobody waits */
};

/* One send; lives on its sender's stack, or in the arena it owns when nobody waits. */
struct exchange {
    struct exchange *next;
    struct exchange *next_unattended;
    CURL *easy;
    struct curl_slist *headers; /* of a fetch */
    const char *asks_for;
    bool is_broken; /* an option could not be set */
    struct text body;
    bool is_too_large;
    CURLcode code;
    bool is_done; /* under the loop's lock */
    pthread_cond_t done;
    struct unattended *owner; /* NULL: somebody waits */
};

struct unattended {
    struct exchange exchange;
    struct arena mem;
    void (*tell)(void *state, const struct fetched *fetched);
    void *state;
};

/* --- what may be called ----------------------------------------------------------------------- */

/* 127.0.0.0/8, but not "127.example.com". */
static bool is_loopback(struct view host)
{
    struct in_addr address;
    char name[INET_ADDRSTRLEN];
    struct text text = text_over(name, sizeof name);
    text_add(&text, host);
    if (view_equal_fold(host, VIEW("localhost")) || view_equal(host, VIEW("[::1]")))
        return true;
    return text_ok(&text) && inet_pton(AF_INET, name, &address) == 1
           && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_url_char(char c)
{
    return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '@' && c != '\\';
}

const char *wire_url_problem(struct view url)
{
    bool is_plain = view_starts_fold(url, VIEW("http://"));
    if (!is_plain && !view_starts_fold(url, VIEW("https://")))
        return "must begin with https://";
    struct view rest = view_skip(url, is_plain ? 7 : 8);
    struct view host;
    struct view path;
    for (size_t i = 0; i < rest.len; i++)
        if (!is_url_char(rest.at[i]))
            return "must be a plain URL: scheme, host, port and path only";
    view_cut(rest, '/', &host, &path);
    bool is_bracketed = view_starts(host, VIEW("["));
    struct view port = host;
    if (is_bracketed && view_cut(host, ']', &host, &port))
        host.len++;
    else
        view_cut(host, ':', &host, &port);
    if (host.len == 0)
        return "must name a host";
    if (is_bracketed && port.len > 0 && port.at[0] != ':')
        return "must be a plain URL: scheme, host, port and path only";
    if (is_plain && !is_loopback(host))
        return "must begin with https:// (http:// is for this machine only)";
    return NULL;
}

static bool is_readable_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, R_OK) == 0;
}

const char *wire_ca_problem(struct view path)
{
    return is_readable_file(path.at) ? NULL : "must name a file that can be read";
}

const char *wire_ca_file(struct view wanted)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Azure Linux, Fedora */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",                  /* Alpine */
    };
    if (wanted.len > 0)
        return wanted.at;
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (is_readable_file(places[i]))
            return places[i];
    return NULL;
}

/* --- one transfer ----------------------------------------------------------------------------- */

/* A body over the cap ends the transfer; the status has arrived by then and still counts. */
static size_t take_bytes(char *bytes, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    text_add(&exchange->body, (struct view){ bytes, size * count });
    exchange->is_too_large = !text_ok(&exchange->body);
    return exchange->is_too_large ? 0 : size * count;
}

/*
 * Options go through these: one that could not be set for want of memory would mean another host, a
 * proxy, or other certificates, so then nothing is sent.
 */
static void set_string(struct exchange *exchange, CURLoption option, const char *value)
{
    exchange->is_broken =
        curl_easy_setopt(exchange->easy, option, value) != CURLE_OK || exchange->is_broken;
}

static void set_number(struct exchange *exchange, CURLoption option, long value)
{
    exchange->is_broken =
        curl_easy_setopt(exchange->easy, option, value) != CURLE_OK || exchange->is_broken;
}

static void set_url(struct exchange *exchange, struct view base, const char *path,
                    struct arena *mem)
{
    struct text url = text_in(mem, MAX_URL_BYTES);
    while (base.len > 0 && base.at[base.len - 1] == '/')
        base.len--;
    text_add(&url, base);
    text_add_string(&url, path);
    /* A proxy variable of the environment is for the world outside, not for this machine. */
    if (view_starts_fold(base, VIEW("http://")))
        set_string(exchange, CURLOPT_PROXY, "");
    set_string(exchange, CURLOPT_URL, text_view(&url).at);
    exchange->is_broken = exchange->is_broken || !text_ok(&url);
}

/* To libcurl 0 is no limit at all. */
static void set_limits(struct exchange *exchange, long long timeout_ms)
{
    timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
    long connect_ms = timeout_ms < CONNECT_TIMEOUT_MS ? (long)timeout_ms : CONNECT_TIMEOUT_MS;
    set_number(exchange, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    set_number(exchange, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    set_number(exchange, CURLOPT_NOSIGNAL, 1L);
    set_string(exchange, CURLOPT_PROTOCOLS_STR, "http,https");
    set_number(exchange, CURLOPT_FOLLOWLOCATION, 0L);
}

/*
 * libcurl keeps the parsed CA store in the multi handle only when no CA path is set, and Debian's
 * build sets one: without this line each handshake would parse the whole bundle.
 */
static void set_trust(struct exchange *exchange, const char *ca_file)
{
    set_number(exchange, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2); /* at least */
    if (ca_file == NULL)
        return;
    set_string(exchange, CURLOPT_CAPATH, NULL);
    set_string(exchange, CURLOPT_CAINFO, ca_file);
}

/*
 * libcurl keeps the pointers of these; only numbers and pointers are stored, so they cannot fail.
 * A body with NULL `at` is none, an empty one is said to be empty.
 */
static void set_content(struct exchange *exchange, struct curl_slist *headers, struct view body)
{
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (body.at != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.at);
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
}

static bool begin(struct exchange *exchange, const struct wire_loop *loop, long long timeout_ms,
                  struct arena *mem)
{
    exchange->body = text_in(mem, MAX_ANSWER_BYTES);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL)
        return false;
    set_limits(exchange, timeout_ms);
    set_trust(exchange, loop->ca_file);
    return true;
}

static bool prepare(struct exchange *exchange, const struct wire_loop *loop,
                    const struct call *call, long long timeout_ms, struct arena *mem)
{
    if (!begin(exchange, loop, timeout_ms, mem))
        return false;
    set_url(exchange, loop->settings->api_url, call->path, mem);
    set_string(exchange, CURLOPT_CUSTOMREQUEST, call->method);
    /* On a kept connection that turns out to be dead libcurl sends again by itself. */
    set_number(exchange, CURLOPT_FRESH_CONNECT, call->is_once);
    set_content(exchange, loop->headers, call->body.len > 0 ? call->body : (struct view){ 0 });
    return !exchange->is_broken;
}

static bool add_header(struct curl_slist **headers, struct arena *mem, struct view name,
                       struct view value)
{
    struct text line = text_in(mem, MAX_HEADER_BYTES);
    text_add(&line, name);
    text_add_string(&line, ": ");
    text_add(&line, value);
    struct curl_slist *longer =
        text_ok(&line) ? curl_slist_append(*headers, text_view(&line).at) : NULL;
    if (longer != NULL)
        *headers = longer;
    return longer != NULL;
}

static bool add_own_headers(struct exchange *exchange, const struct fetch *fetch, struct arena *mem)
{
    for (size_t i = 0; i < fetch->header_count; i++)
        if (!add_header(&exchange->headers, mem, fetch->headers[i].name, fetch->headers[i].value))
            return false;
    /* libcurl takes an empty body for a form. */
    return (fetch->body.len > 0
            || add_header(&exchange->headers, mem, VIEW("Content-Type"), VIEW("")))
           && add_header(&exchange->headers, mem, VIEW("User-Agent"), VIEW(USER_AGENT))
           && add_header(&exchange->headers, mem, VIEW("Expect"), VIEW(""));
}

/* What is put or posted has a length, be it 0. */
static struct view body_of(const struct fetch *fetch)
{
    bool is_sent = strcmp(fetch->method, "PUT") == 0 || strcmp(fetch->method, "POST") == 0;
    return is_sent && fetch->body.len == 0 ? VIEW("") : fetch->body;
}

static bool prepare_fetch(struct exchange *exchange, const struct wire_loop *loop,
                          const struct fetch *fetch, long long timeout_ms, struct arena *mem)
{
    if (!begin(exchange, loop, timeout_ms, mem) || !add_own_headers(exchange, fetch, mem))
        return false;
    exchange->asks_for = fetch->asks_for;
    set_url(exchange, fetch->url, "", mem);
    set_string(exchange, CURLOPT_CUSTOMREQUEST, fetch->method);
    set_content(exchange, exchange->headers, body_of(fetch));
    return !exchange->is_broken;
}

static enum answer_kind kind_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return ANSWER_HTTP;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return ANSWER_NOT_CONNECTED;
    case CURLE_OPERATION_TIMEDOUT:
        return ANSWER_TIMEOUT;
    default:
        return ANSWER_BROKEN;
    }
}

static void fill_answer(struct exchange *exchange, struct answer *out)
{
    long status = 0;
    curl_off_t retry_after_s = 0; /* libcurl reads both forms, seconds and date */
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > MAX_RETRY_AFTER_S)
        retry_after_s = MAX_RETRY_AFTER_S;
    out->kind = exchange->is_too_large ? ANSWER_HTTP : kind_of(exchange->code);
    out->error = out->kind == ANSWER_HTTP ? NULL : curl_easy_strerror(exchange->code);
    out->status = (int)status;
    out->retry_after_ms = (long long)retry_after_s * 1000;
    out->body = exchange->is_too_large ? ((struct view){ 0 }) : text_view(&exchange->body);
}

static void fill_fetched(struct exchange *exchange, struct arena *mem, struct fetched *out)
{
    struct curl_header *header = NULL;
    *out = (struct fetched){ 0 };
    fill_answer(exchange, &out->answer);
    if (exchange->asks_for != NULL
        && curl_easy_header(exchange->easy, exchange->asks_for, 0, CURLH_HEADER, -1, &header)
               == CURLHE_OK)
        out->header = view_keep(view_of(header->value), mem);
}

static struct answer not_sent(void)
{
    return (struct answer){ .kind = ANSWER_NOT_CONNECTED, .error = "no memory for the call" };
}

static void put_away(struct exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void free_unattended(struct unattended *unattended)
{
    put_away(&unattended->exchange);
    arena_drop(&unattended->mem);
    free(unattended);
}

static void finish_unattended(struct wire_loop *loop, struct unattended *unattended)
{
    struct fetched fetched;
    struct exchange **link = &loop->unattended;
    while (*link != NULL && *link != &unattended->exchange)
        link = &(*link)->next_unattended;
    if (*link != NULL)
        *link = unattended->exchange.next_unattended;
    fill_fetched(&unattended->exchange, &unattended->mem, &fetched);
    unattended->tell(unattended->state, &fetched);
    free_unattended(unattended);
}

static void finish(struct wire_loop *loop, struct exchange *exchange, CURLcode code)
{
    if (exchange->owner != NULL) {
        exchange->code = code;
        finish_unattended(loop, exchange->owner);
        return;
    }
    pthread_mutex_lock(&loop->lock);
    exchange->code = code;
    exchange->is_done = true;
    pthread_cond_signal(&exchange->done);
    pthread_mutex_unlock(&loop->lock);
}

/* Takes over what has arrived; false when the loop shall end. */
static bool take_arrived(struct wire_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct exchange *exchange = loop->arrived;
    loop->arrived = NULL;
    bool goes_on = !loop->is_ending;
    pthread_mutex_unlock(&loop->lock);
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        if (exchange->owner != NULL) {
            exchange->next_unattended = loop->unattended;
            loop->unattended = exchange;
        }
        if (curl_multi_add_handle(loop->multi, exchange->easy) != CURLM_OK)
            finish(loop, exchange, CURLE_FAILED_INIT);
        exchange = next;
    }
    return goes_on;
}

static void hand_back_finished(struct wire_loop *loop)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(loop->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        char *user = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
        curl_multi_remove_handle(loop->multi, easy);
        finish(loop, (struct exchange *)(void *)user, code);
    }
}

/* Asked once the loop is ending; from then on nothing but the loop changes these. */
static bool is_draining(const struct wire_loop *loop)
{
    return loop->unattended != NULL && clock_now_ms() < loop->drain_until_ms;
}

static void drop_unattended(struct wire_loop *loop)
{
    struct exchange *exchange = loop->unattended;
    loop->unattended = NULL;
    while (exchange != NULL) {
        struct exchange *next = exchange->next_unattended;
        curl_multi_remove_handle(loop->multi, exchange->easy);
        finish(loop, exchange, CURLE_OPERATION_TIMEDOUT);
        exchange = next;
    }
}

static void *run_loop(void *user)
{
    struct wire_loop *loop = user;
    for (;;) {
        bool goes_on = take_arrived(loop);
        if (!goes_on && !is_draining(loop))
            break;
        int running = 0;
        curl_multi_perform(loop->multi, &running);
        hand_back_finished(loop);
        if (goes_on || loop->unattended != NULL)
            curl_multi_poll(loop->multi, NULL, 0, goes_on ? POLL_MS : DRAIN_POLL_MS, NULL);
    }
    drop_unattended(loop);
    return NULL;
}

static void hand_over(struct wire_loop *loop, struct exchange *exchange)
{
    pthread_mutex_lock(&loop->lock);
    exchange->next = loop->arrived;
    loop->arrived = exchange;
    curl_multi_wakeup(loop->multi);
    pthread_mutex_unlock(&loop->lock);
}

static void hand_over_and_wait(struct wire_loop *loop, struct exchange *exchange)
{
    hand_over(loop, exchange);
    pthread_mutex_lock(&loop->lock);
    while (!exchange->is_done)
        pthread_cond_wait(&exchange->done, &loop->lock);
    pthread_mutex_unlock(&loop->lock);
}

/* --- one call --------------------------------------------------------------------------------- */

/* Whether it was sent at all. */
static bool run(struct wire_loop *loop, struct exchange *exchange, bool is_prepared)
{
    if (!is_prepared)
        return false;
    pthread_cond_init(&exchange->done, NULL);
    hand_over_and_wait(loop, exchange);
    pthread_cond_destroy(&exchange->done);
    return true;
}

static void wire_send(void *state, const struct call *call, long long timeout_ms, struct arena *mem,
                      struct answer *out)
{
    struct wire_loop *loop = state;
    struct exchange exchange = { 0 };
    long long start_ms = clock_now_ms();
    if (run(loop, &exchange, prepare(&exchange, loop, call, timeout_ms, mem)))
        fill_answer(&exchange, out);
    else
        *out = not_sent();
    put_away(&exchange);
    out->elapsed_ms = clock_now_ms() - start_ms;
}

void wire_fetch(struct wire_loop *loop, const struct fetch *fetch, long long timeout_ms,
                struct arena *mem, struct fetched *out)
{
    struct exchange exchange = { 0 };
    long long start_ms = clock_now_ms();
    if (run(loop, &exchange, prepare_fetch(&exchange, loop, fetch, timeout_ms, mem)))
        fill_fetched(&exchange, mem, out);
    else
        *out = (struct fetched){ .answer = not_sent() };
    put_away(&exchange);
    out->answer.elapsed_ms = clock_now_ms() - start_ms;
}

void wire_fetch_later(struct wire_loop *loop, const struct fetch *fetch, long long timeout_ms,
                      void (*done)(void *state, const struct fetched *fetched), void *state)
{
    struct unattended *unattended = calloc(1, sizeof *unattended);
    if (unattended != NULL) {
        struct exchange *exchange = &unattended->exchange;
        *unattended = (struct unattended){ .tell = done, .state = state };
        exchange->owner = unattended;
        arena_init(&unattended->mem, MAX_UNATTENDED_BYTES);
        /* libcurl copies all else; the body has to stay where it is. */
        struct fetch kept = *fetch;
        kept.body = fetch->body.len == 0 ? fetch->body : view_keep(fetch->body, &unattended->mem);
        if ((fetch->body.len == 0 || kept.body.at != NULL)
            && prepare_fetch(exchange, loop, &kept, timeout_ms, &unattended->mem)) {
            hand_over(loop, exchange);
            return;
        }
        free_unattended(unattended);
    }
    const struct fetched nothing = { .answer = not_sent() };
    done(state, &nothing);
}

/* --- start and end ---------------------------------------------------------------------------- */

static bool add_headers(struct wire_loop *loop)
{
    struct arena mem;
    arena_init(&mem, 32 * 1024);
    struct curl_slist **to = &loop->headers;
    struct text key = text_in(&mem, MAX_BEARER_BYTES);
    text_add_string(&key, "Bearer ");
    text_add(&key, loop->settings->api_key);
    bool ok = text_ok(&key) && add_header(to, &mem, VIEW("Authorization"), text_view(&key))
              && add_header(to, &mem, VIEW("Content-Type"), VIEW("application/json"))
              && add_header(to, &mem, VIEW("Accept"), VIEW("application/json"))
              && add_header(to, &mem, VIEW("User-Agent"), VIEW(USER_AGENT))
              && add_header(to, &mem, VIEW("Expect"), VIEW("")); /* never wait for a 100 */
    arena_drop(&mem);
    return ok;
}

static void free_loop(struct wire_loop *loop)
{
    if (loop->shared != NULL)
        shared_stop(loop->shared);
    curl_slist_free_all(loop->headers);
    curl_multi_cleanup(loop->multi);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
    curl_global_cleanup();
}

struct wire_loop *wire_start(const struct wire_settings *settings)
{
    struct wire_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(loop);
        return NULL;
    }
    loop->settings = settings;
    loop->ca_file = wire_ca_file(settings->ca_file);
    loop->multi = curl_multi_init();
    loop->shared = shared_start(settings->calls_a_minute);
    pthread_mutex_init(&loop->lock, NULL);
    if (loop->multi == NULL || loop->shared == NULL || !add_headers(loop)
        || curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)MAX_KEPT) != CURLM_OK
        || pthread_create(&loop->thread, NULL, run_loop, loop) != 0) {
        free_loop(loop);
        return NULL;
    }
    return loop;
}

void wire_stop(struct wire_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->is_ending = true;
    loop->drain_until_ms = clock_now_ms() + DRAIN_MS;
    pthread_mutex_unlock(&loop->lock);
    curl_multi_wakeup(loop->multi);
    pthread_join(loop->thread, NULL);
    free_loop(loop);
}

const char *wire_library(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

/* --- what triage needs ------------------------------------------------------------------------ */

static void wire_wait(void *state, long long ms)
{
    (void)state;
    struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };
    while (nanosleep(&time, &time) != 0)
        continue;
}

static bool wire_pace(void *state, long long patience_ms, long long *waited_ms)
{
    const struct wire_loop *loop = state;
    long long start_ms = clock_now_ms();
    bool may_call = shared_pace(loop->shared, patience_ms);
    *waited_ms = clock_now_ms() - start_ms;
    return may_call;
}

static bool wire_recall(void *state, struct view key, struct arena *mem, struct view *value)
{
    const struct wire_loop *loop = state;
    return shared_recall(loop->shared, key, mem, value);
}

static void wire_remember(void *state, struct view key, struct view value, long long ttl_ms)
{
    const struct wire_loop *loop = state;
    shared_remember(loop->shared, key, value, ttl_ms);
}

static enum turn wire_enter(void *state, struct arrival *arrival, struct arena *mem)
{
    const struct wire_loop *loop = state;
    return shared_enter(loop->shared, arrival, mem);
}

static void wire_leave(void *state, struct view key, struct view result)
{
    const struct wire_loop *loop = state;
    shared_leave(loop->shared, key, result);
}

struct wire wire_of(struct wire_loop *loop)
{
    return (struct wire){ .state = loop,
                          .send = wire_send,
                          .wait = wire_wait,
                          .pace = wire_pace,
                          .recall = wire_recall,
                          .remember = wire_remember,
                          .enter = wire_enter,
                          .leave = wire_leave };
}
