/* Blocking sockets with a receive time-out; one answer is read byte-exact, so a connection can go
 * on. */
#include "support/http.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LARGEST_ANSWER = 64 * 1024 * 1024 };

static void set_timeout(int fd, int timeout_ms)
{
    struct timeval time = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

int http_connect(int port, int timeout_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int yes = 1;
    struct sockaddr_in peer = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    set_timeout(fd, timeout_ms);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool http_send(int fd, struct view bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes = view_skip(bytes, (size_t)sent);
    }
    return true;
}

/* Reads exactly `count` bytes more. */
static bool read_more(int fd, size_t count, struct text *into)
{
    char buffer[16384];
    while (count > 0) {
        ssize_t got = recv(fd, buffer, count < sizeof buffer ? count : sizeof buffer, 0);
        if (got <= 0)
            return false;
        text_add(into, (struct view){ buffer, (size_t)got });
        count -= (size_t)got;
    }
    return text_ok(into);
}

/* Reads one line into `line`, its CR LF cut off. */
static bool read_line(int fd, struct arena *mem, struct view *line)
{
    struct text text = text_in(mem, 256 * 1024);
    char c = 0;
    while (recv(fd, &c, 1, 0) == 1 && c != '\n')
        text_add_char(&text, c);
    *line = view_trim(text_view(&text));
    return c == '\n' && text_ok(&text);
}

static bool read_head(int fd, struct arena *mem, struct http_answer *out)
{
    struct text head = text_in(mem, 1024 * 1024);
    struct view line;
    do {
        if (!read_line(fd, mem, &line))
            return false;
        if (head.len > 0 && line.len > 0)
            text_add_char(&head, '\n');
        text_add(&head, line);
    } while (line.len > 0);
    out->head = text_view(&head);
    if (!view_starts(out->head, VIEW("HTTP/1.")) || out->head.len < 12)
        return false;
    long long status = 0;
    bool is_number = view_to_number((struct view){ out->head.at + 9, 3 }, 100, 999, &status);
    out->status = (int)status;
    return is_number && text_ok(&head);
}

struct view http_header(const struct http_answer *answer, const char *name)
{
    struct view rest = answer->head;
    struct view line;
    while (view_cut(rest, '\n', &line, &rest) || line.len > 0) {
        struct view key;
        struct view value;
        if (view_cut(line, ':', &key, &value) && view_equal_fold(key, view_of(name)))
            return view_trim(value);
        if (rest.len == 0)
            break;
    }
    return (struct view){ 0 };
}

static bool read_chunks(int fd, struct arena *mem, struct text *body)
{
    for (;;) {
        struct view line;
        if (!read_line(fd, mem, &line) || line.len == 0)
            return false;
        char *end = NULL;
        unsigned long size = strtoul(line.at, &end, 16);
        if (end == line.at || size > LARGEST_ANSWER)
            return false;
        if (size > 0 && !read_more(fd, size, body))
            return false;
        if (!read_line(fd, mem, &line) || line.len != 0)
            return false;
        if (size == 0)
            return true;
    }
}

static bool read_body(int fd, struct arena *mem, struct http_answer *out)
{
    struct text body = text_in(mem, LARGEST_ANSWER);
    struct view length = http_header(out, "Content-Length");
    bool is_whole;
    if (view_equal_fold(http_header(out, "Transfer-Encoding"), VIEW("chunked"))) {
        is_whole = read_chunks(fd, mem, &body);
    } else if (length.len > 0) {
        long long count;
        is_whole = view_to_number(length, 0, LARGEST_ANSWER, &count)
                   && read_more(fd, (size_t)count, &body);
    } else {
        char buffer[4096];
        ssize_t got;
        while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0)
            text_add(&body, (struct view){ buffer, (size_t)got });
        is_whole = got == 0;
        out->is_last = true;
    }
    out->body = text_view(&body);
    return is_whole && text_ok(&body);
}

bool http_receive(int fd, int timeout_ms, bool has_no_body, struct arena *mem,
                  struct http_answer *out)
{
    set_timeout(fd, timeout_ms);
    do {
        *out = (struct http_answer){ 0 };
        if (!read_head(fd, mem, out))
            return false;
    } while (out->status < 200);
    out->is_last = view_starts(out->head, VIEW("HTTP/1.0"))
                   || view_equal_fold(http_header(out, "Connection"), VIEW("close"));
    if (has_no_body || out->status == 204 || out->status == 304)
        return true;
    return read_body(fd, mem, out);
}

struct view http_request(const char *method, struct view target, struct view extra,
                         struct view body, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST_ANSWER);
    text_add_string(&text, method);
    text_add_char(&text, ' ');
    text_add(&text, target);
    text_add_string(&text, " HTTP/1.1\r\nHost: localhost\r\n");
    text_add(&text, extra);
    if (body.at != NULL) {
        text_add_string(&text, "Content-Length: ");
        text_add_number(&text, (long long)body.len);
        text_add_string(&text, "\r\n");
    }
    text_add_string(&text, "\r\n");
    text_add(&text, body);
    return text_view(&text);
}

bool http_call(int port, struct view request, int timeout_ms, struct arena *mem,
               struct http_answer *out)
{
    int fd = http_connect(port, timeout_ms);
    if (fd < 0)
        return false;
    bool is_head = view_starts(request, VIEW("HEAD "));
    bool ok = http_send(fd, request) && http_receive(fd, timeout_ms, is_head, mem, out);
    close(fd);
    return ok;
}
