/* Looking before sending is what makes a peer's closing of an idle connection harmless. */
#include "support/host_pool.h"

#include "support/process.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 60 * 1000, CONNECT_MS = 60 * 1000, CONTINUE_MS = 1000, WRITE_BUFFER = 4096 };

void host_pool_open(struct host_pool *pool, int port)
{
    *pool = (struct host_pool){ .port = port };
    pthread_mutex_init(&pool->lock, NULL);
}

void host_pool_close(struct host_pool *pool)
{
    host_pool_expire(pool, true);
    pthread_mutex_destroy(&pool->lock);
}

/* The most recent one, or -1. */
static int take_idle(struct host_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    int fd = pool->count > 0 ? pool->idle[--pool->count].fd : -1;
    pthread_mutex_unlock(&pool->lock);
    return fd;
}

/* Anything to read on an idle connection is its end, or a peer that speaks unasked. */
static bool is_quiet(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0
           && (errno == EAGAIN || errno == EWOULDBLOCK);
}

int host_pool_take(struct host_pool *pool)
{
    int fd;
    while ((fd = take_idle(pool)) >= 0) {
        if (is_quiet(fd))
            return fd;
        close(fd);
    }
    return http_connect(pool->port, CONNECT_MS);
}

void host_pool_give(struct host_pool *pool, int fd)
{
    pthread_mutex_lock(&pool->lock);
    bool is_room = pool->count < HOST_POOL_ROOM;
    if (is_room)
        pool->idle[pool->count++] = (struct host_idle){ fd, process_now_ms() };
    pthread_mutex_unlock(&pool->lock);
    if (!is_room)
        close(fd);
}

void host_pool_expire(struct host_pool *pool, bool is_all)
{
    long long now = process_now_ms();
    size_t kept = 0;
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++) {
        if (is_all || now - pool->idle[i].since_ms >= IDLE_MS)
            close(pool->idle[i].fd);
        else
            pool->idle[kept++] = pool->idle[i];
    }
    pool->count = kept;
    pthread_mutex_unlock(&pool->lock);
}

/* Looks at the first byte of what comes next and leaves it there. */
static enum host_fate await_byte(int fd, int timeout_ms)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    char c;
    if (poll(&poller, 1, timeout_ms) == 0)
        return HOST_OVERRUN;
    ssize_t got = recv(fd, &c, 1, MSG_PEEK);
    return got > 0 ? HOST_ANSWERED : got == 0 ? HOST_CLOSED : HOST_BROKEN;
}

/* After Expect: whether the body is to be sent, for the peer said 100 or nothing within a second. */
static bool wants_body(int fd)
{
    char start[12];
    enum host_fate fate = await_byte(fd, CONTINUE_MS);
    if (fate != HOST_ANSWERED)
        return fate == HOST_OVERRUN;
    ssize_t got = recv(fd, start, sizeof start, MSG_PEEK | MSG_WAITALL);
    return got == sizeof start && start[9] == '1';
}

/* Head and a small body leave as one packet, as from .NET's write buffer. */
static bool send_start(int fd, const struct host_message *message, struct arena *mem)
{
    struct view body = message->body;
    if (message->is_expecting || message->head.len + body.len > WRITE_BUFFER)
        return http_send(fd, message->head);
    struct text text = text_in(mem, WRITE_BUFFER);
    text_add(&text, message->head);
    text_add(&text, body);
    return text_ok(&text) && http_send(fd, text_view(&text));
}

/* The last chunk comes late enough to be a packet of its own for whoever reads. */
static bool send_rest(int fd, const struct host_message *message)
{
    bool is_body_sent =
        !message->is_expecting && message->head.len + message->body.len <= WRITE_BUFFER;
    if (!is_body_sent && !http_send(fd, message->body))
        return false;
    if (message->end.len > 0)
        process_sleep_ms(1);
    return http_send(fd, message->end);
}

/* What the peer answers while it is being sent to is read afterwards, as .NET does. */
static enum host_fate talk(int fd, const struct host_message *message, int timeout_ms,
                           struct arena *mem, struct http_answer *out)
{
    if (!send_start(fd, message, mem))
        return HOST_CLOSED;
    bool is_whole = !message->is_expecting || wants_body(fd);
    if (is_whole && !send_rest(fd, message))
        return HOST_BROKEN;
    enum host_fate fate = await_byte(fd, timeout_ms);
    if (fate != HOST_ANSWERED)
        return fate;
    if (!http_receive(fd, timeout_ms, message->is_head, mem, out))
        return HOST_BROKEN;
    out->is_last = out->is_last || !is_whole;
    return HOST_ANSWERED;
}

enum host_fate host_pool_send(struct host_pool *pool, const struct host_message *message,
                              int timeout_ms, struct arena *mem, struct http_answer *out)
{
    int fd = host_pool_take(pool);
    if (fd < 0)
        return HOST_REFUSED;
    enum host_fate fate = talk(fd, message, timeout_ms, mem, out);
    if (fate == HOST_ANSWERED && !out->is_last)
        host_pool_give(pool, fd);
    else
        close(fd);
    return fate;
}
