/*
 * How requests arrive: in pieces, slowly, asking first, from senders that go on sending, break off
 * or never read.  The Functions host does some of it, networks do the rest.
 */
#include "base/arena.h"
#include "support/case.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/envelope.h"
#include "support/match.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATH  "/api/trigger-devin"
#define ALERT "{\"alertName\":\"x\",\"severity\":1,\"description\":\"d\",\"status\":\"resolved\"}"

/* --- in pieces ------------------------------------------------------------------------------ */

enum { AT_ONCE = 64, APART_MS = 5, PIECE_BYTES = 7 };

static struct view in_chunks(struct view bytes, struct arena *mem)
{
    struct text text = text_in(mem, bytes.len * 16 + 64);
    while (bytes.len > 0) {
        struct view piece = { bytes.at, bytes.len < PIECE_BYTES ? bytes.len : PIECE_BYTES };
        text_add_number(&text, (long long)piece.len); /* one digit: the same in hexadecimal */
        text_add_string(&text, "\r\n");
        text_add(&text, piece);
        text_add_string(&text, "\r\n");
        bytes = view_skip(bytes, piece.len);
    }
    text_add_string(&text, "0\r\n\r\n");
    return text_view(&text);
}

static struct view split_request(bool is_enveloped, bool is_chunked, struct arena *mem)
{
    struct envelope_request inner = { VIEW("POST"), VIEW(PATH), VIEW(""), VIEW(ALERT) };
    struct view target = is_enveloped ? VIEW("/trigger-devin") : VIEW(PATH);
    struct view body = is_enveloped ? envelope_wrap(&inner, mem) : VIEW(ALERT);
    if (!is_chunked)
        return http_request("POST", target, VIEW(""), body, mem);
    struct text text = text_in(mem, 64 * 1024);
    struct view none = { 0 };
    text_add(&text,
             http_request("POST", target, VIEW("Transfer-Encoding: chunked\r\n"), none, mem));
    text_add(&text, in_chunks(body, mem));
    return text_view(&text);
}

static bool is_ignored(int fd, bool is_enveloped, struct arena *mem, struct text *why)
{
    struct http_answer outer = { 0 };
    struct http_answer answer = { 0 };
    if (!http_receive(fd, DUO_PATIENCE_MS, false, mem, &outer))
        return false;
    answer = outer;
    return (!is_enveloped || envelope_unwrap(&outer, mem, &answer, why)) && answer.status == 200
           && view_contains(answer.body, VIEW("\"action\":\"ignored\""));
}

/* The first parts of many requests, a pause, the rest of each: two packets on every connection. */
static bool split_from(struct e2e *e2e, int port, struct view request, size_t from,
                       bool is_enveloped)
{
    int fds[AT_ONCE];
    size_t count = request.len - from < AT_ONCE ? request.len - from : AT_ONCE;
    struct arena mem;
    bool ok = true;
    arena_init(&mem, 64 * 1024 * 1024);
    for (size_t i = 0; i < count; i++) {
        fds[i] = http_connect(port, DUO_PATIENCE_MS);
        ok = fds[i] >= 0 && http_send(fds[i], (struct view){ request.at, from + i }) && ok;
    }
    process_sleep_ms(APART_MS);
    for (size_t i = 0; i < count; i++)
        ok = http_send(fds[i], view_skip(request, from + i)) && ok;
    for (size_t i = 0; i < count; i++) {
        if (ok && !is_ignored(fds[i], is_enveloped, &mem, e2e->why))
            ok = complain(e2e->why, "split behind this it was not understood",
                          (struct view){ request.at, from + i });
        close(fds[i]);
    }
    arena_drop(&mem);
    return ok;
}

static enum test_result split_at_every_byte(struct e2e *e2e)
{
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    for (int kind = 0; kind < 4; kind++) {
        bool is_enveloped = kind % 2 == 1;
        struct view request = split_request(is_enveloped, kind >= 2, e2e->mem);
        for (size_t from = 1; ok && from < request.len; from += AT_ONCE)
            ok = split_from(e2e, duo.handler.port, request, from, is_enveloped);
    }
    ok = duo_is_well(e2e, &duo) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

static enum test_result byte_by_byte(struct e2e *e2e)
{
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    for (int kind = 0; ok && kind < 4; kind++) {
        struct view request = split_request(kind % 2 == 1, kind >= 2, e2e->mem);
        int fd = http_connect(duo.handler.port, DUO_PATIENCE_MS);
        for (size_t i = 0; ok && i < request.len; i++)
            ok = http_send(fd, (struct view){ request.at + i, 1 });
        ok = ok && is_ignored(fd, kind % 2 == 1, e2e->mem, e2e->why);
        close(fd);
    }
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- long heads ----------------------------------------------------------------------------- */

/* A request line of about `line` bytes and headers of about `headers` bytes. */
static struct view long_head(const char *method, const char *path, size_t line, size_t headers,
                             struct arena *mem)
{
    struct text text = text_in(mem, 1024 * 1024);
    text_add_string(&text, method);
    text_add_char(&text, ' ');
    text_add_string(&text, path);
    text_add_string(&text, "?q=");
    text_add_repeated(&text, 'a', line);
    text_add_string(&text, " HTTP/1.1\r\nHost: ");
    text_add_repeated(&text, 'h', headers / 2);
    text_add_string(&text, "\r\nX-Long: ");
    text_add_repeated(&text, 'v', headers / 2);
    text_add_string(&text, "\r\nContent-Length: 68\r\n\r\n" ALERT);
    return text_view(&text);
}

static bool head_gets(struct e2e *e2e, struct duo *duo, struct view request, int least, int most)
{
    struct http_answer answer = { 0 };
    if (!http_call(duo->handler.port, request, DUO_PATIENCE_MS, e2e->mem, &answer))
        return complain(e2e->why, "no answer to", view_cap(request, 40));
    if (answer.status < least || answer.status > most)
        return complain(e2e->why, "another status", answer.head);
    if (http_header(&answer, "Location").len > 0)
        return complain(e2e->why, "redirected", answer.head);
    return view_starts(answer.body, VIEW("{\"success\":")) && duo_is_well(e2e, duo);
}

static enum test_result long_heads(struct e2e *e2e)
{
    struct arena *mem = e2e->mem;
    struct duo duo;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    bool ok = head_gets(e2e, &duo, long_head("POST", PATH, 24 * 1024, 32 * 1024, mem), 200, 200);
    ok = head_gets(e2e, &duo, long_head("POST", PATH, 70 * 1024, 10, mem), 400, 431) && ok;
    ok = head_gets(e2e, &duo, long_head("POST", PATH, 10, 70 * 1024, mem), 400, 431) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/*
 * CVE-2025-55763: civetweb before 1.17 copies the URI of a directory into a buffer of fixed size in
 * order to redirect to it.  Our working directory has these folders; there must be no redirect.
 */
static enum test_result no_directories(struct e2e *e2e)
{
    static const char *const paths[] = { "/handler", "/tests", "/tests/cases", "/.", "/..",
                                         "/./",      "//",     "/handler/..",  "/" };
    static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PROPFIND" };
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    for (size_t i = 0; ok && i < COUNT_OF(paths); i++)
        for (size_t j = 0; ok && j < COUNT_OF(methods); j++) {
            struct http_answer answer = { 0 };
            struct view request = long_head(methods[j], paths[i], 24 * 1024, 32 * 1024, e2e->mem);
            int fd = http_connect(duo.handler.port, DUO_PATIENCE_MS);
            ok = fd >= 0 && http_send(fd, request)
                 && http_receive(fd, DUO_PATIENCE_MS, j == 1, e2e->mem, &answer)
                 && http_header(&answer, "Location").len == 0
                 && (answer.status == 200 || answer.status == 404);
            if (!ok)
                complain(e2e->why, paths[i], answer.head);
            close(fd);
        }
    ok = duo_is_well(e2e, &duo) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- senders that are refused while they send ------------------------------------------------ */

enum { BLIND_BYTES = 6 * 1024 * 1024, SENT_AT_ONCE = 64 * 1024 };

static bool is_readable(int fd)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    return poll(&poller, 1, 0) > 0;
}

/* A chunk of 64 KB.  The sender stops when it is told something, unless it does not look. */
static size_t send_chunks(int fd, size_t max_bytes, bool is_blind, struct arena *mem)
{
    struct text chunk = text_in(mem, SENT_AT_ONCE + 64);
    size_t sent = 0;
    text_add_string(&chunk, "10000\r\n");
    text_add_repeated(&chunk, ' ', SENT_AT_ONCE);
    text_add_string(&chunk, "\r\n");
    while (sent < max_bytes && (is_blind || !is_readable(fd)) && http_send(fd, text_view(&chunk)))
        sent += SENT_AT_ONCE;
    return sent;
}

static bool refused_while_sending(struct e2e *e2e, struct duo *duo, bool is_blind, int status)
{
    struct http_answer answer = { 0 };
    struct view none = { 0 };
    struct view extra = status == 401 ? VIEW("Transfer-Encoding: chunked\r\n")
                                      : VIEW("Transfer-Encoding: chunked\r\n"
                                             "Authorization: Bearer sesame\r\n");
    int fd = http_connect(duo->handler.port, DUO_PATIENCE_MS);
    bool ok = fd >= 0 && http_send(fd, http_request("POST", VIEW(PATH), extra, none, e2e->mem));
    size_t sent = send_chunks(fd, is_blind ? BLIND_BYTES : SIZE_MAX, is_blind, e2e->mem);
    ok = ok && http_receive(fd, DUO_PATIENCE_MS, false, e2e->mem, &answer)
         && answer.status == status && answer.is_last && (!is_blind || sent == BLIND_BYTES);
    close(fd);
    return ok || complain(e2e->why, "the refusal did not arrive", answer.head);
}

static enum test_result refusals_arrive(struct e2e *e2e)
{
    struct duo duo;
    if (!duo_up(e2e, "WEBHOOK_SECRET=sesame", &duo))
        return TEST_FAILED;
    bool ok = refused_while_sending(e2e, &duo, false, 401);
    ok = refused_while_sending(e2e, &duo, false, 413) && ok;
    ok = refused_while_sending(e2e, &duo, true, 401) && ok;
    ok = refused_while_sending(e2e, &duo, true, 413) && ok;
    ok = duo_is_well(e2e, &duo) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- senders that ask first ------------------------------------------------------------------ */

/* Reads `wanted` and not a byte more. */
static bool reads(int fd, struct view wanted)
{
    char buffer[64];
    ssize_t got = recv(fd, buffer, wanted.len, MSG_WAITALL);
    return got == (ssize_t)wanted.len && view_equal((struct view){ buffer, wanted.len }, wanted);
}

static bool asks_first(struct e2e *e2e, int port, const char *path, const char *extra, bool is_let)
{
    struct http_answer answer = { 0 };
    struct text head = text_in(e2e->mem, 1024);
    text_add_string(&head, "Expect: 100-continue\r\nContent-Length: 68\r\n");
    text_add_string(&head, extra);
    int fd = http_connect(port, DUO_PATIENCE_MS);
    struct view none = { 0 };
    bool ok =
        fd >= 0
        && http_send(fd, http_request("POST", view_of(path), text_view(&head), none, e2e->mem));
    if (is_let)
        ok = ok && reads(fd, VIEW("HTTP/1.1 100 Continue\r\n\r\n")) && http_send(fd, VIEW(ALERT));
    else
        ok = ok && reads(fd, VIEW("HTTP/1.1 4"));
    if (ok && is_let)
        ok = http_receive(fd, DUO_PATIENCE_MS, false, e2e->mem, &answer) && answer.status == 200;
    close(fd);
    return ok || complain(e2e->why, "a sender that asks first was not answered", answer.head);
}

static enum test_result asked_first(struct e2e *e2e)
{
    struct duo duo;
    if (!duo_up(e2e, "WEBHOOK_SECRET=sesame", &duo))
        return TEST_FAILED;
    int port = duo.handler.port;
    bool ok = asks_first(e2e, port, PATH, "Authorization: Bearer sesame\r\n", true);
    ok = asks_first(e2e, port, "/trigger-devin", "", true) && ok;
    ok = asks_first(e2e, port, PATH, "", false) && ok;
    ok = asks_first(e2e, port, "/elsewhere", "", false) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- senders that break off ------------------------------------------------------------------ */

enum { BROKEN_OFF = 40 };

static void reset_connection(int fd)
{
    const struct linger at_once = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* What was sent whole is done, whether or not somebody still waits for the answer. */
static enum test_result broken_off(struct e2e *e2e)
{
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    control_faults(duo.devin.port, VIEW("{\"delay_ms\":300,\"repeat\":1000}"));
    for (int i = 0; ok && i < BROKEN_OFF * 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "broken-off-%d", i);
        struct view request = e2e_alert(e2e, PATH, name);
        int fd = http_connect(duo.handler.port, DUO_PATIENCE_MS);
        size_t len = i % 3 == 0 ? request.len : i % 3 == 1 ? request.len - 20 : 30;
        ok = fd >= 0 && http_send(fd, (struct view){ request.at, len });
        process_sleep_ms(i % 3 == 0 ? 20 : 0); /* a reset takes back what was not read yet */
        reset_connection(fd);
    }
    for (long long until = process_now_ms() + DUO_PATIENCE_MS;
         process_now_ms() < until && duo_count_creates(e2e, &duo) < BROKEN_OFF;)
        process_sleep_ms(20);
    int created = duo_count_creates(e2e, &duo);
    ok = duo_is_well(e2e, &duo) && ok;
    ok = duo_down(e2e, &duo) && ok;
    if (created != BROKEN_OFF)
        return e2e_fail(e2e, "not exactly the whole alerts became sessions", VIEW(""));
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* --- slow ones, and idle ones ----------------------------------------------------------------- */

/*
 * All at once, as it takes half a minute: peers that send a byte a second in every place where a
 * thread waits for them, one that never reads, and a pool of idle connections, which must outlive
 * them all and serve once more.
 */
enum { IDLE = 60, PATIENCE_LEAST_MS = 20000, PATIENCE_MOST_MS = 45000, REFUSED_MOST_MS = 15000 };

struct slow {
    const char *what;
    const char *first; /* sent at once */
    const char *more;  /* sent each second */
    int status;        /* of the answer, 0: none */
    long long least_ms, most_ms;
};

#define POST "POST " PATH " HTTP/1.1\r\nHost: localhost\r\n"

/* clang-format off */
static const struct slow slows[] = {
    { "a body with length", POST "Authorization: Bearer sesame\r\nContent-Length: 500\r\n\r\n{", " ", 408,
      PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "a chunked body", POST "Authorization: Bearer sesame\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 408,
      PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "one chunk", POST "Authorization: Bearer sesame\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n", " ", 408,
      PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "an envelope", "POST /trigger-devin HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{", " ", 200,
      PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "a body after 100 Continue", POST "Authorization: Bearer sesame\r\nExpect: 100-continue\r\n"
      "Content-Length: 500\r\n\r\n", " ", 408, PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "a head", POST "X-Slow: ", "x", 0, PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "nothing", "", "", 0, PATIENCE_LEAST_MS, PATIENCE_MOST_MS },
    { "a body that is refused", POST "Content-Length: 500\r\n\r\n", " ", 401, 0, REFUSED_MOST_MS },
    { "chunks that are refused", POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 401, 0, REFUSED_MOST_MS },
};
/* clang-format on */

struct slow_peer {
    int fd;
    bool is_over;
    bool is_as_wanted;
};

/* Reads the answer, if one is due, and the end. */
static void finish(struct e2e *e2e, const struct slow *slow, struct slow_peer *peer, long long ms)
{
    struct http_answer answer = { 0 };
    bool has_answer = http_receive(peer->fd, DUO_PATIENCE_MS, false, e2e->mem, &answer);
    bool is_right = slow->status == 0 ? !has_answer || answer.status >= 400
                                      : has_answer && answer.status == slow->status;
    peer->is_over = true;
    peer->is_as_wanted =
        is_right && (!has_answer || duo_is_at_end(peer->fd)) && ms >= slow->least_ms;
    if (!peer->is_as_wanted) {
        complain(e2e->why, slow->what, answer.head);
        text_add_string(e2e->why, "    after ms: ");
        text_add_number(e2e->why, ms);
        text_add_char(e2e->why, '\n');
    }
    close(peer->fd);
}

/* A second of all slow peers; false when somebody has outlived what it may. */
static bool tick(struct e2e *e2e, struct slow_peer peers[COUNT_OF(slows)], long long ms)
{
    bool ok = true;
    for (size_t i = 0; i < COUNT_OF(slows); i++) {
        struct slow_peer *peer = &peers[i];
        if (peer->is_over)
            continue;
        /* An interim "100 Continue" is readable too: the answer follows, late. */
        bool is_waiting =
            view_contains(view_of(slows[i].first), VIEW("100-continue")) && ms < PATIENCE_LEAST_MS;
        if (!is_waiting && is_readable(peer->fd))
            finish(e2e, &slows[i], peer, ms);
        else if (ms > slows[i].most_ms)
            ok = complain(e2e->why, "held for too long", view_of(slows[i].what));
        else
            http_send(peer->fd, view_of(slows[i].more));
    }
    return ok;
}

static bool all_over(const struct slow_peer peers[COUNT_OF(slows)])
{
    for (size_t i = 0; i < COUNT_OF(slows); i++)
        if (!peers[i].is_over)
            return false;
    return true;
}

static bool run_slow_peers(struct e2e *e2e, struct duo *duo)
{
    struct slow_peer peers[COUNT_OF(slows)] = { 0 };
    bool ok = true;
    for (size_t i = 0; i < COUNT_OF(slows); i++) {
        peers[i].fd = http_connect(duo->handler.port, DUO_PATIENCE_MS);
        ok = peers[i].fd >= 0 && http_send(peers[i].fd, view_of(slows[i].first)) && ok;
    }
    long long start_ms = process_now_ms();
    while (ok && !all_over(peers)) {
        process_sleep_ms(1000);
        ok = tick(e2e, peers, process_now_ms() - start_ms) && duo_is_well(e2e, duo);
    }
    for (size_t i = 0; i < COUNT_OF(slows); i++) {
        ok = ok && peers[i].is_as_wanted;
        if (!peers[i].is_over)
            close(peers[i].fd);
    }
    return ok;
}

static bool ask_all(struct e2e *e2e, const int fds[IDLE], int *answered)
{
    *answered = 0;
    for (int i = 0; i < IDLE; i++) {
        struct http_answer answer = { 0 };
        if (fds[i] >= 0 && http_send(fds[i], duo_ping)
            && http_receive(fds[i], DUO_PATIENCE_MS, false, e2e->mem, &answer)
            && answer.status == 200 && !answer.is_last)
            ++*answered;
    }
    return *answered == IDLE;
}

enum { MANY = 1000, VERY_MANY = 1000 };

/*
 * Sends requests until nobody takes them any more, and reads none of the answers.  The buffer is
 * small from the start and the requests come in bulk: so the handler has always more to answer than
 * it can write, and stands in the middle of a write.
 */
static int start_deaf_peer(struct e2e *e2e, int port)
{
    const int few = 4096;
    const struct timeval patience = { .tv_sec = 2 };
    const struct sockaddr_in peer = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct text bulk = text_in(e2e->mem, MANY * 64);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < MANY; i++)
        text_add(&bulk, duo_ping);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&peer, sizeof peer) == 0)
        for (int i = 0; i < VERY_MANY && http_send(fd, text_view(&bulk)); i++)
            continue;
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_in address = { 0 };
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : -1;
}

/* The handler's end of our connection, as the kernel lists it: state 01 is "established". */
static bool is_held(struct e2e *e2e, int handler_port, int our_port)
{
    struct view table = process_read_file("/proc/net/tcp", e2e->mem);
    struct view line;
    while (lines_next(&table, &line)) {
        unsigned its = 0;
        unsigned ours = 0;
        unsigned state = 0;
        if (sscanf(line.at, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &its, &ours, &state) == 3
            && its == (unsigned)handler_port && ours == (unsigned)our_port && state == 1)
            return true;
    }
    return false;
}

/* We read nothing, so nothing tells us: what the handler still has to say waits for ever. */
static bool is_given_up(struct e2e *e2e, const struct duo *duo, int fd)
{
    long long until = process_now_ms() + DUO_PATIENCE_MS;
    while (is_held(e2e, duo->handler.port, port_of(fd))) {
        if (process_now_ms() > until)
            return complain(e2e->why, "a peer that never reads still holds a thread", VIEW(""));
        process_sleep_ms(200);
    }
    return true;
}

static enum test_result slow_and_idle(struct e2e *e2e)
{
    struct duo duo;
    int fds[IDLE];
    int before = 0;
    int after = 0;
    if (!duo_up(e2e, "WEBHOOK_SECRET=sesame", &duo))
        return TEST_FAILED;
    for (int i = 0; i < IDLE; i++)
        fds[i] = http_connect(duo.handler.port, DUO_PATIENCE_MS);
    bool ok = ask_all(e2e, fds, &before);
    int deaf = start_deaf_peer(e2e, duo.handler.port);
    ok = run_slow_peers(e2e, &duo) && ok;
    ok = is_given_up(e2e, &duo, deaf) && ok;
    if (!ask_all(e2e, fds, &after))
        ok = complain(e2e->why, "an idle connection was closed", VIEW(""));
    for (int i = 0; i < IDLE; i++)
        close(fds[i]);
    ok = duo_is_well(e2e, &duo) && ok;
    ok = duo_down(e2e, &duo) && ok;
    close(deaf);
    return ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_wire[] = {
    { "wire: a request may be split at every byte", split_at_every_byte },
    { "wire: a request may come byte by byte", byte_by_byte },
    { "wire: long heads are taken, longer ones refused", long_heads },
    { "wire: no path leads to a directory (CVE-2025-55763)", no_directories },
    { "wire: refusals reach a sender that goes on sending", refusals_arrive },
    { "wire: a sender that asks first is told to go on, or refused", asked_first },
    { "wire: a sender that breaks off disturbs nobody", broken_off },
    { "wire: a byte a second holds no thread for long; idle ones stay", slow_and_idle },
    { NULL, NULL },
};
