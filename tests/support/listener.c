#include "support/listener.h"

#include "base/arena.h"
#include "support/process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 20, LARGEST_HEAD = 64 * 1024, STARTS = 5 };

struct connection {
    struct listener *listener;
    int fd;
};

static void *serve_one(void *user)
{
    struct connection connection = *(struct connection *)user;
    free(user);
    connection.listener->serve(connection.listener->user, connection.fd);
    close(connection.fd);
    atomic_fetch_sub(&connection.listener->open, 1);
    return NULL;
}

static void take_connection(struct listener *listener, int fd)
{
    pthread_t thread;
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL)
        abort();
    *connection = (struct connection){ listener, fd };
    atomic_fetch_add(&listener->open, 1);
    atomic_fetch_add(&listener->accepted, 1);
    if (pthread_create(&thread, NULL, serve_one, connection) != 0)
        abort();
    pthread_detach(thread);
}

static void *accept_all(void *user)
{
    struct listener *listener = user;
    while (!atomic_load(&listener->is_ending)) {
        struct pollfd poller = { .fd = listener->fd, .events = POLLIN };
        int fd = poll(&poller, 1, TICK_MS) > 0 ? accept(listener->fd, NULL, NULL) : -1;
        if (fd >= 0)
            take_connection(listener, fd);
    }
    return NULL;
}

static bool listen_on(struct listener *listener, int port)
{
    struct sockaddr_in self = { .sin_family = AF_INET,
                                .sin_port = htons((unsigned short)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    listener->port = port;
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd >= 0 && bind(listener->fd, (struct sockaddr *)&self, sizeof self) == 0
        && listen(listener->fd, 256) == 0)
        return true;
    if (listener->fd >= 0)
        close(listener->fd);
    return false;
}

bool listener_start(struct listener *listener, void (*serve)(void *user, int fd), void *user)
{
    bool ok = false;
    *listener = (struct listener){ .serve = serve, .user = user };
    for (int i = 0; !ok && i < STARTS; i++)
        ok = listen_on(listener, process_free_port());
    if (ok && pthread_create(&listener->thread, NULL, accept_all, listener) != 0)
        abort();
    return ok;
}

void listener_stop(struct listener *listener)
{
    atomic_store(&listener->is_ending, true);
    pthread_join(listener->thread, NULL);
    close(listener->fd);
    while (atomic_load(&listener->open) > 0)
        process_sleep_ms(TICK_MS);
}

bool listener_read_head(int fd, struct arena *mem, struct view *out)
{
    struct text head = text_in(mem, LARGEST_HEAD);
    char c;
    while (text_ok(&head) && recv(fd, &c, 1, 0) == 1) {
        text_add_char(&head, c);
        *out = text_view(&head);
        if (out->len >= 4 && view_equal(view_skip(*out, out->len - 4), VIEW("\r\n\r\n")))
            return true;
    }
    return false;
}

void listener_stall(void *user, int fd)
{
    struct listener *listener = user;
    char bytes[4096];
    while (!atomic_load(&listener->is_ending)) {
        struct pollfd poller = { .fd = fd, .events = POLLIN };
        if (poll(&poller, 1, TICK_MS) > 0 && recv(fd, bytes, sizeof bytes, 0) <= 0)
            return;
    }
}
