/*
 * Requests whose end can be read in two ways, heads and bodies that are broken or absurd.  Behind
 * each one the same connection carries a harmless request: it is answered only where the end of the
 * one before was beyond doubt.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/duo.h"
#include "support/envelope.h"
#include "support/match.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A resolved alert: read whole, answered without Devin.  68 bytes, 44 in hexadecimal. */
#define ALERT "{\"alertName\":\"x\",\"severity\":1,\"description\":\"d\",\"status\":\"resolved\"}"
_Static_assert(sizeof ALERT - 1 == 68, "the tables below say its length");

#define PATH        "/api/trigger-devin"
#define START       "POST " PATH " HTTP/1.1\r\nHost: localhost\r\n"
#define LENGTH(n)   START "Content-Length: " n "\r\n\r\n" ALERT
#define ENCODING(e) START "Transfer-Encoding: " e "\r\n\r\n44\r\n" ALERT "\r\n0\r\n\r\n"
#define BOTH(n, e)  START "Content-Length: " n "\r\nTransfer-Encoding: " e "\r\n\r\n"
#define CHUNKS(c)   START "Transfer-Encoding: chunked\r\n\r\n" c
#define WHOLE       "44\r\n" ALERT "\r\n"
#define BYTES(s)           \
    {                      \
        (s), sizeof(s) - 1 \
    }

enum fate {
    SERVED,      /* 200, and the request behind it too */
    SERVED_LAST, /* 200, then the end */
    SERVED_TOLD, /* the same, and "Connection: close" says so */
    REFUSED,     /* 4xx or 505, "Connection: close", then the end */
    UNDERSTOOD,  /* SERVED by a civetweb that reads it (1.16), else REFUSED */
    PASSED_OVER, /* the same, else SERVED_LAST */
};

struct hostile {
    const char *what;
    struct view bytes;
    enum fate fate;
};

/* clang-format off */
static const struct hostile lengths[] = {
    { "a length",                        BYTES(LENGTH("68")),                              SERVED },
    { "a length with zeros in front",    BYTES(LENGTH("00068")),                           SERVED },
    { "a negative length",               BYTES(LENGTH("-1")),                              REFUSED },
    { "a length with a plus",            BYTES(LENGTH("+68")),                             REFUSED },
    { "no number",                       BYTES(LENGTH("abc")),                             REFUSED },
    { "a number with a tail",            BYTES(LENGTH("68abc")),                           REFUSED },
    { "a hexadecimal length",            BYTES(LENGTH("0x44")),                            REFUSED },
    { "an empty length",                 BYTES(LENGTH("")),                                REFUSED },
    { "two numbers in one",              BYTES(LENGTH("68, 68")),                          REFUSED },
    { "two numbers, a blank between",    BYTES(LENGTH("68 68")),                           REFUSED },
    { "the largest number",              BYTES(LENGTH("9223372036854775807")),             REFUSED },
    { "more than the largest number",    BYTES(LENGTH("99999999999999999999999999")),      REFUSED },
    { "4 GiB and a little",              BYTES(LENGTH("4294967364")),                      REFUSED },
    { "a folded length",                 BYTES(START "Content-Length:\r\n 68\r\n\r\n" ALERT), REFUSED },
    { "two equal lengths", BYTES(START "Content-Length: 68\r\nContent-Length: 68\r\n\r\n" ALERT), REFUSED },
    { "two lengths, short one last", BYTES(START "Content-Length: 68\r\ncontent-length: 5\r\n\r\n" ALERT), REFUSED },
    { "two lengths, short one first", BYTES(START "Content-Length: 5\r\nContent-Length: 68\r\n\r\n" ALERT), REFUSED },
    { "length and chunks",               BYTES(BOTH("68", "chunked") WHOLE "0\r\n\r\n"),   REFUSED },
    { "short length and chunks",         BYTES(BOTH("4", "chunked") WHOLE "0\r\n\r\n"),    REFUSED },
    { "length and identity",             BYTES(BOTH("68", "identity") ALERT),              REFUSED },
    { "length and unknown encoding",     BYTES(BOTH("68", "xchunked") ALERT),              REFUSED },
};

static const struct hostile encodings[] = {
    { "chunked",                   BYTES(ENCODING("chunked")),           SERVED },
    { "Chunked",                   BYTES(ENCODING("Chunked")),           SERVED },
    { "identity",                  BYTES(ENCODING("identity")),          REFUSED },
    { "gzip before chunked",       BYTES(ENCODING("gzip, chunked")),     REFUSED },
    { "chunked twice",             BYTES(ENCODING("chunked, chunked")),  REFUSED },
    { "identity last",             BYTES(ENCODING("chunked, identity")), REFUSED },
    { "quoted",                    BYTES(ENCODING("\"chunked\"")),       REFUSED },
    { "with a parameter",          BYTES(ENCODING("chunked;x=y")),       REFUSED },
    { "empty",                     BYTES(ENCODING("")),                  REFUSED },
    { "a vertical tab in front",   BYTES(ENCODING("\vchunked")),         REFUSED },
    { "a NUL behind",              BYTES(ENCODING("chunked\0")),         REFUSED },
    { "two headers", BYTES(START "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" WHOLE "0\r\n\r\n"), REFUSED },
};

static const struct hostile chunks[] = {
    { "two chunks",          BYTES(CHUNKS("1\r\n{\r\n43\r\n\"alertName\":\"x\",\"severity\":1,\"description\":\"d\","
                                          "\"status\":\"resolved\"}\r\n0\r\n\r\n")),        SERVED },
    { "zeros in front",      BYTES(CHUNKS("000044\r\n" ALERT "\r\n000\r\n\r\n")),           SERVED },
    /* The Functions host sends none of these four. */
    { "an extension",        BYTES(CHUNKS("44;name=value\r\n" ALERT "\r\n0\r\n\r\n")),      UNDERSTOOD },
    { "an extension at the end", BYTES(CHUNKS(WHOLE "0;name=value\r\n\r\n")),               UNDERSTOOD },
    { "a trailer",           BYTES(CHUNKS(WHOLE "0\r\nX-Sum: 1\r\n\r\n")),                  PASSED_OVER },
    { "a trailer that looks like a request", BYTES(CHUNKS(WHOLE "0\r\nGET / HTTP/1.1\r\n\r\n")), PASSED_OVER },
    { "no hexadecimal size", BYTES(CHUNKS("zz\r\nabcde\r\n0\r\n\r\n")),                     REFUSED },
    { "a negative size",     BYTES(CHUNKS("-5\r\nabcde\r\n0\r\n\r\n")),                     REFUSED },
    { "a prefixed size",     BYTES(CHUNKS("0x44\r\n" ALERT "\r\n0\r\n\r\n")),               REFUSED },
    { "a blank in front",    BYTES(CHUNKS(" 44\r\n" ALERT "\r\n0\r\n\r\n")),                REFUSED },
    { "a blank behind",      BYTES(CHUNKS("44 \r\n" ALERT "\r\n0\r\n\r\n")),                REFUSED },
    { "no size",             BYTES(CHUNKS("\r\nabcde\r\n0\r\n\r\n")),                       REFUSED },
    { "63 bits",             BYTES(CHUNKS("7fffffffffffffff\r\nabcde\r\n0\r\n\r\n")),       REFUSED },
    { "the 64th bit",        BYTES(CHUNKS("8000000000000000\r\nabcde\r\n0\r\n\r\n")),       REFUSED },
    { "all 64 bits",         BYTES(CHUNKS("ffffffffffffffff\r\nabcde\r\n0\r\n\r\n")),       REFUSED },
    { "64 bits, nearly all", BYTES(CHUNKS("fffffffffffffff0\r\nabcde\r\n0\r\n\r\n")),       REFUSED },
    { "more than 64 bits",   BYTES(CHUNKS("10000000000000044\r\n" ALERT "\r\n0\r\n\r\n")),  REFUSED },
    { "70 digits", BYTES(CHUNKS("1111111111111111111111111111111111111111111111111111111111111111111111\r\n"
                                "a\r\n0\r\n\r\n")),                                         REFUSED },
    { "no line end behind the size",  BYTES(CHUNKS("44" ALERT "\r\n0\r\n\r\n")),            REFUSED },
    { "no line end behind the bytes", BYTES(CHUNKS("44\r\n" ALERT "0\r\n\r\n")),            REFUSED },
    { "other bytes instead of it",    BYTES(CHUNKS("44\r\n" ALERT "XX0\r\n\r\n")),          REFUSED },
    { "more bytes than said",         BYTES(CHUNKS("40\r\n" ALERT "\r\n0\r\n\r\n")),        REFUSED },
    { "line feeds alone",             BYTES(CHUNKS("44\n" ALERT "\n0\n\n")),                REFUSED },
};

static const struct hostile heads[] = {
    { "TLS's first bytes", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x5a\xa5\x11\x22\x33"), REFUSED },
    { "five bytes of TLS",   BYTES("\x16\x03\x01\x00\xa5"),                                 REFUSED },
    { "the HTTP/2 preface",  BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),                     REFUSED },
    { "HTTP/0.9",            BYTES("GET /\r\n\r\n"),                                        REFUSED },
    { "HTTP/9.9",            BYTES("GET / HTTP/9.9\r\n\r\n"),                               REFUSED },
    { "an unknown method",   BYTES("FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n"),            REFUSED },
    { "CONNECT",             BYTES("CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n"),    REFUSED },
    { "OPTIONS *",           BYTES("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"),        REFUSED },
    { "another server's address", BYTES("GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n"), REFUSED },
    { "a header without colon", BYTES(START "garbage\r\nContent-Length: 68\r\n\r\n" ALERT), REFUSED },
    { "a carriage return alone", BYTES(START "A: b\rContent-Length: 68\r\n\r\n" ALERT),     REFUSED },
    { "a NUL in a header",   BYTES(START "A: b\0c\r\nContent-Length: 68\r\n\r\n" ALERT),    REFUSED },
    { "a byte beyond ASCII", BYTES(START "A: b\xff\r\nContent-Length: 68\r\n\r\n" ALERT),   SERVED },
    { "an upgrade", BYTES("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"),     SERVED_TOLD },
    { "close among others",  BYTES("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, close\r\n\r\n"), SERVED_TOLD },
    { "keep-alive among others", BYTES("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, Keep-Alive\r\n\r\n"), SERVED },
    { "HTTP/1.0",            BYTES("GET / HTTP/1.0\r\n\r\n"),                               SERVED_TOLD },
    { "HTTP/1.0, kept alive", BYTES("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),  SERVED },
    { "a ping with a body",  BYTES("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"), SERVED_LAST },
};
/* clang-format on */

/* --- one connection ------------------------------------------------------------------------- */

/* Everything is sent, then nothing more will come: whatever waits for bytes sees the end. */
static int send_with_ping(int port, struct view bytes, struct arena *mem)
{
    struct text all = text_in(mem, bytes.len + 1024);
    int fd = http_connect(port, DUO_PATIENCE_MS);
    text_add(&all, bytes);
    text_add(&all, duo_ping);
    if (fd < 0)
        return -1;
    http_send(fd, text_view(&all)); /* may fail where an answer already came */
    shutdown(fd, SHUT_WR);
    return fd;
}

static bool is_refusal(const struct http_answer *answer)
{
    return answer->status >= 400 && answer->status <= 505 && answer->is_last
           && view_starts(answer->body, VIEW("{\"success\":false,\"error\":"));
}

static bool has_more(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK) > 0;
}

static bool meets_fate(int fd, enum fate fate, struct arena *mem, struct http_answer *answer)
{
    if (!http_receive(fd, DUO_PATIENCE_MS, false, mem, answer))
        return false;
    if (fate == UNDERSTOOD)
        fate = answer->status == 200 ? SERVED : REFUSED;
    if (fate == PASSED_OVER)
        fate = has_more(fd) ? SERVED : SERVED_LAST;
    if (fate == REFUSED ? !is_refusal(answer) : answer->status != 200)
        return false;
    if (fate != SERVED)
        return duo_is_at_end(fd) && (fate != SERVED_TOLD || answer->is_last);
    return http_receive(fd, DUO_PATIENCE_MS, false, mem, answer) && answer->status == 200
           && view_equal(answer->body, VIEW("{\"success\":true}")) && duo_is_at_end(fd);
}

static bool try_one(struct e2e *e2e, struct duo *duo, const struct hostile *hostile)
{
    struct arena mem;
    struct http_answer answer = { 0 };
    arena_init(&mem, 64 * 1024 * 1024);
    int fd = send_with_ping(duo->handler.port, hostile->bytes, &mem);
    bool ok = fd >= 0 && meets_fate(fd, hostile->fate, &mem, &answer);
    if (!ok) {
        complain(e2e->why, hostile->what, VIEW("was not met as it should"));
        complain(e2e->why, "the last answer", answer.head);
    }
    if (fd >= 0)
        close(fd);
    arena_drop(&mem);
    return duo_is_well(e2e, duo) && ok;
}

static enum test_result try_all(struct e2e *e2e, const struct hostile *table, size_t count)
{
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    for (size_t i = 0; i < count; i++)
        ok = try_one(e2e, &duo, &table[i]) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

static enum test_result doubtful_lengths(struct e2e *e2e)
{
    return try_all(e2e, lengths, COUNT_OF(lengths));
}

static enum test_result doubtful_encodings(struct e2e *e2e)
{
    return try_all(e2e, encodings, COUNT_OF(encodings));
}

static enum test_result broken_chunks(struct e2e *e2e)
{
    return try_all(e2e, chunks, COUNT_OF(chunks));
}

static enum test_result broken_heads(struct e2e *e2e)
{
    return try_all(e2e, heads, COUNT_OF(heads));
}

/* --- bodies that end early --------------------------------------------------------------------- */

/* The sender closes its side after each possible number of bytes. */
static enum test_result cut_anywhere(struct e2e *e2e)
{
    static const struct view wholes[] = { BYTES(LENGTH("68")), BYTES(ENCODING("chunked")) };
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    for (size_t i = 0; i < COUNT_OF(wholes); i++)
        for (size_t len = 1; ok && len < wholes[i].len; len++) {
            struct arena mem;
            struct http_answer answer = { 0 };
            arena_init(&mem, 1024 * 1024);
            int fd = http_connect(duo.handler.port, DUO_PATIENCE_MS);
            ok = fd >= 0 && http_send(fd, (struct view){ wholes[i].at, len })
                 && shutdown(fd, SHUT_WR) == 0
                 && http_receive(fd, DUO_PATIENCE_MS, false, &mem, &answer) && duo_is_at_end(fd);
            /* Behind the last chunk's own line the alert is whole: not every civetweb waits for more. */
            bool is_whole = i == 1 && len >= wholes[i].len - 2;
            ok = ok && ((is_whole && answer.status == 200) || is_refusal(&answer));
            if (!ok)
                complain(e2e->why, "cut off, it was not met as it should",
                         (struct view){ wholes[i].at, len });
            close(fd);
            arena_drop(&mem);
        }
    ok = duo_is_well(e2e, &duo) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- bodies that are large or deep -------------------------------------------------------------- */

#define FIRST "{\"alertName\":\"x\",\"severity\":1,\"description\":\"d\",\"status\":\"resolved\""

/* What stands between `before` and `after`, `count` times; "#" becomes its number. */
struct growth {
    const char *what;
    const char *before, *piece, *after;
    int count;
    int status; /* the sender's, in both protocols */
};

/* clang-format off */
static const struct growth growths[] = {
    { "90,000 members",        FIRST,           ",\"#\":1",  "}",        90000, 200 },
    { "90,000 values",         FIRST ",\"a\":[0", ",1",      "]}",       90000, 200 },
    { "110,000 values",        FIRST ",\"a\":[0", ",1",      "]}",      110000, 400 },
    { "1,000,000 members",     FIRST,           ",\"#\":1",  "}",      1000000, 400 },
    { "1,000,000 values",      FIRST ",\"a\":[0", ",1",      "]}",     1000000, 400 },
    { "1,000,000 lists",       "",              "[],",       "[]",     1000000, 400 },
    { "one name 50,000 times", FIRST,           ",\"a\":1",  "}",        50000, 200 },
    { "alertName 50,000 times", FIRST,          ",\"alertName\":\"n\"", "}", 50000, 200 },
    { "5,000 levels of lists", "",              "[",         "",          5000, 400 },
    { "5,000 levels of objects", "",            "{\"a\":",   "1",         5000, 400 },
    { "5,000 closing brackets", FIRST "}",      "]",         "",          5000, 400 },
    { "a number of 100,000 digits", FIRST ",\"line\":1", "0", "}",      100000, 200 },
    { "100,000 escaped NULs",  FIRST ",\"logs\":\"", "\\u0000", "\"}",  100000, 200 },
    { "100,000 bytes that are not UTF-8", FIRST ",\"logs\":\"", "\xff", "\"}", 100000, 200 },
    { "100,000 half surrogates", FIRST ",\"logs\":\"", "\\ud800", "\"}", 100000, 200 },
    { "100,000 backslashes",   FIRST ",\"logs\":\"", "\\\\", "\"}",     100000, 200 },
};
/* clang-format on */

static struct view grown(const struct growth *growth, struct arena *mem)
{
    struct text text = text_in(mem, 64 * 1024 * 1024);
    text_add_string(&text, growth->before);
    const char *number = strchr(growth->piece, '#');
    for (int i = 0; i < growth->count; i++) {
        if (number == NULL) {
            text_add_string(&text, growth->piece);
            continue;
        }
        text_add(&text, (struct view){ growth->piece, (size_t)(number - growth->piece) });
        text_add_number(&text, i);
        text_add_string(&text, number + 1);
    }
    text_add_string(&text, growth->after);
    return text_view(&text);
}

/* The same sender's request, forwarded or in a chunked envelope. */
static struct view request_of(struct view body, bool is_enveloped, struct arena *mem)
{
    if (!is_enveloped)
        return http_request("POST", VIEW(PATH), VIEW(""), body, mem);
    struct envelope_request request = { VIEW("POST"), VIEW(PATH), VIEW(""), body };
    struct text text = text_in(mem, 256 * 1024 * 1024);
    text_add_string(&text, "POST /trigger-devin HTTP/1.1\r\nHost: localhost\r\n"
                           "Content-Type: application/json; charset=utf-8\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n");
    text_add(&text, envelope_chunks(envelope_wrap(&request, mem), mem));
    return text_view(&text);
}

static bool ask(struct e2e *e2e, int port, struct view request, bool is_enveloped,
                struct arena *mem, struct http_answer *out)
{
    struct http_answer outer = { 0 };
    if (!http_call(port, request, DUO_PATIENCE_MS * 2, mem, &outer))
        return complain(e2e->why, "no answer", outer.head);
    *out = outer;
    return !is_enveloped || envelope_unwrap(&outer, mem, out, e2e->why);
}

static bool grow(struct e2e *e2e, struct duo *duo, const struct growth *growth, bool is_enveloped)
{
    struct arena mem;
    struct http_answer answer = { 0 };
    arena_init(&mem, (size_t)512 * 1024 * 1024);
    struct view request = request_of(grown(growth, &mem), is_enveloped, &mem);
    bool ok = ask(e2e, duo->handler.port, request, is_enveloped, &mem, &answer)
              && answer.status == growth->status;
    if (!ok)
        complain(e2e->why, growth->what, answer.head.len > 0 ? answer.head : VIEW("no answer"));
    arena_drop(&mem);
    return duo_is_well(e2e, duo) && ok;
}

static enum test_result absurd_bodies(struct e2e *e2e)
{
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, "MAX_BODY_BYTES=16777216", &duo))
        return TEST_FAILED;
    for (size_t i = 0; i < COUNT_OF(growths); i++) {
        ok = grow(e2e, &duo, &growths[i], false) && ok;
        ok = grow(e2e, &duo, &growths[i], true) && ok;
    }
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* At the default limit the same is refused by its size, while it is still being sent. */
static enum test_result million_by_default(struct e2e *e2e)
{
    static const struct growth million = {
        "1,000,000 values", FIRST ",\"a\":[0", ",1", "]}", 1000000, 413
    };
    struct duo duo;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    bool ok = grow(e2e, &duo, &million, false);
    ok = grow(e2e, &duo, &million, true) && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- depth, on every thread's small stack ---------------------------------------------------- */

enum { DEPTH = 99, DIVERS = 16 };

static const char *const members[] = { "alertName",  "severity",  "description", "affectedResource",
                                       "signalType", "logs",      "dimensions",  "file",
                                       "line",       "firedTime", "links",       "custom" };

/* A firing alert; the member comes last and counts. */
static struct view deep_alert(const char *member, struct arena *mem)
{
    struct text text = text_in(mem, 64 * 1024);
    text_add_string(&text, "{\"alertName\":\"deep\",\"severity\":1,\"description\":\"d\",\"");
    text_add_string(&text, member);
    text_add_string(&text, "\":");
    for (int i = 0; i < DEPTH; i++)
        text_add_string(&text, i % 2 == 0 ? "{\"a\":" : "[");
    text_add_string(&text, "\"end\"");
    for (int i = DEPTH - 1; i >= 0; i--)
        text_add_char(&text, i % 2 == 0 ? '}' : ']');
    text_add_char(&text, '}');
    return text_view(&text);
}

struct dive {
    int port;
    int answered; /* with 200 or 400 */
};

static void *dive(void *context)
{
    struct dive *dive = context;
    for (size_t i = 0; i < COUNT_OF(members) * 2; i++) {
        struct arena mem;
        struct http_answer answer = { 0 };
        char buffer[256];
        struct text why = text_over(buffer, sizeof buffer);
        struct e2e quiet = { .why = &why };
        arena_init(&mem, 16 * 1024 * 1024);
        bool is_enveloped = i % 2 == 1;
        struct view request = request_of(deep_alert(members[i / 2], &mem), is_enveloped, &mem);
        if (ask(&quiet, dive->port, request, is_enveloped, &mem, &answer))
            dive->answered += answer.status == 200 || answer.status == 400;
        arena_drop(&mem);
    }
    return NULL;
}

static enum test_result deep_everywhere(struct e2e *e2e)
{
    struct dive dives[DIVERS] = { 0 };
    pthread_t threads[DIVERS];
    struct duo duo;
    int answered = 0;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    for (size_t i = 0; i < DIVERS; i++) {
        dives[i].port = duo.handler.port;
        pthread_create(&threads[i], NULL, dive, &dives[i]);
    }
    for (size_t i = 0; i < DIVERS; i++) {
        pthread_join(threads[i], NULL);
        answered += dives[i].answered;
    }
    bool ok = duo_is_well(e2e, &duo);
    ok = duo_down(e2e, &duo) && ok;
    if (answered != (int)(DIVERS * COUNT_OF(members) * 2))
        return e2e_fail(e2e, "not every deep alert was answered", VIEW(""));
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* --- what was mended is said ----------------------------------------------------------------- */

/* The prompt holds U+FFFD, the log says that something was repaired. */
static bool is_mended(struct e2e *e2e, const char *logs)
{
    struct duo duo;
    struct http_answer answer = { 0 };
    struct text body = text_in(e2e->mem, 1024);
    struct view call = VIEW("GET /control/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n");
    text_add_string(&body, "{\"alertName\":\"x\",\"severity\":1,\"description\":\"d\",\"logs\":\"");
    text_add_string(&body, logs);
    text_add_string(&body, "\"}");
    if (!duo_up(e2e, NULL, &duo))
        return false;
    struct view request = request_of(text_view(&body), false, e2e->mem);
    bool ok = http_call(duo.handler.port, request, DUO_PATIENCE_MS, e2e->mem, &answer)
              && answer.status == 200
              && http_call(duo.devin.port, call, DUO_PATIENCE_MS, e2e->mem, &answer)
              && match_has("sessions", VIEW("before\xEF\xBF\xBD, after"), answer.body, e2e->why)
              && match_has("log", VIEW("repaired to valid UTF-8"),
                           program_out(&duo.handler, e2e->mem), e2e->why);
    return duo_down(e2e, &duo) && ok;
}

static enum test_result mended_text(struct e2e *e2e)
{
    static const char *const logs[] = { "before\xff, after", "before\\u0000, after",
                                        "before\\ud800, after" };
    for (size_t i = 0; i < COUNT_OF(logs); i++)
        if (!is_mended(e2e, logs[i]))
            return TEST_FAILED;
    return TEST_PASSED;
}

const struct e2e_test e2e_hostile[] = {
    { "hostile: a length that can be read in two ways is refused", doubtful_lengths },
    { "hostile: an encoding other than chunked is refused", doubtful_encodings },
    { "hostile: broken chunks are refused", broken_chunks },
    { "hostile: heads that are not ours are refused, never dropped", broken_heads },
    { "hostile: a sender may close after any byte", cut_anywhere },
    { "hostile: absurd bodies are answered", absurd_bodies },
    { "hostile: a million values are refused by size", million_by_default },
    { "hostile: deep JSON in every member, on many threads at once", deep_everywhere },
    { "hostile: text that is no text is mended and the log says so", mended_text },
    { NULL, NULL },
};
