/* Finds descriptors by what the kernel knows of them; there are few, and this is rare. */
#include "edge/socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int port_in(const struct sockaddr_in *address)
{
    return address->sin_family == AF_INET ? ntohs(address->sin_port) : -1;
}

/* -1 for what is no IPv4 socket. */
static int own_port_of(int fd)
{
    struct sockaddr_in address = { 0 };
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 ? port_in(&address) : -1;
}

/* -1 for what is not connected. */
static int peer_port_of(int fd)
{
    struct sockaddr_in address = { 0 };
    socklen_t size = sizeof address;
    return getpeername(fd, (struct sockaddr *)&address, &size) == 0 ? port_in(&address) : -1;
}

static bool is_listening(int fd)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0;
}

/* The next of our descriptors that is bound to `own_port`, or -1 at the end. */
static int next_on(int own_port, DIR *folder)
{
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *end = NULL;
        int fd = (int)strtol(entry->d_name, &end, 10);
        if (*end == '\0' && own_port_of(fd) == own_port)
            return fd;
    }
    return -1;
}

/* Connections only; `peer_port` 0 means all of them. */
static void end_reading(int own_port, int peer_port)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return;
    for (int fd; (fd = next_on(own_port, folder)) >= 0;) {
        int peer = peer_port_of(fd);
        if (peer >= 0 && (peer_port == 0 || peer == peer_port))
            shutdown(fd, SHUT_RD);
    }
    closedir(folder);
}

void socket_end_reading(int own_port, int peer_port)
{
    end_reading(own_port, peer_port);
}

void socket_end_reading_all(int own_port)
{
    end_reading(own_port, 0);
}

static int find_listener(int own_port)
{
    DIR *folder = opendir("/proc/self/fd");
    int fd = -1;
    if (folder == NULL)
        return -1;
    do
        fd = next_on(own_port, folder);
    while (fd >= 0 && !is_listening(fd));
    closedir(folder);
    return fd;
}

bool socket_has_waiting(int own_port)
{
    struct pollfd listener = { .fd = find_listener(own_port), .events = POLLIN };
    return listener.fd >= 0 && poll(&listener, 1, 0) > 0;
}

bool socket_has_unread(int own_port)
{
    DIR *folder = opendir("/proc/self/fd");
    bool has_unread = false;
    if (folder == NULL)
        return false;
    for (int fd; !has_unread && (fd = next_on(own_port, folder)) >= 0;) {
        int bytes = 0;
        has_unread = peer_port_of(fd) >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
    }
    closedir(folder);
    return has_unread;
}

static void knock(int own_port)
{
    struct sockaddr_in self = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)own_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct timeval patience = { .tv_usec = 200000 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)connect(fd, (struct sockaddr *)&self, sizeof self);
    close(fd);
}

/*
 * An eventfd takes the descriptor's place.  A poll under way still waits for the old socket: a last
 * connection wakes it, and it only returns when it then finds the new one ready.  Once it has, the
 * eventfd is emptied and stays silent.
 */
int socket_stop_listening(int own_port)
{
    const struct timespec moment = { 0, 10000000 };
    eventfd_t count;
    int silent = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = find_listener(own_port);
    bool is_replaced = silent >= 0 && fd >= 0 && dup2(silent, fd) == fd;
    if (silent >= 0)
        close(silent);
    if (!is_replaced)
        return -1;
    knock(own_port);
    nanosleep(&moment, NULL);
    (void)eventfd_read(fd, &count);
    return fd;
}

void socket_wake(int fd)
{
    if (fd >= 0)
        (void)eventfd_write(fd, 1);
}
