/*
 * The sockets that civetweb keeps to itself.  It bounds a pause between two bytes but not a whole
 * body, cannot stop listening without breaking off the answers in hand, and is slow to notice that
 * it shall end.
 *
 * Owns:     nothing; descriptors stay civetweb's.
 * Units:    ports in host order, on 127.0.0.1.
 * Fails:    by doing nothing.
 * Threads:  any, as long as the caller keeps the socket from being closed meanwhile.
 */
#ifndef EDGE_SOCKET_H
#define EDGE_SOCKET_H

#include <stdbool.h>

/* Ends the reading side of the connection from `peer_port`: whoever reads there sees its end. */
void socket_end_reading(int own_port, int peer_port);

/* The same for every connection to `own_port`. */
void socket_end_reading_all(int own_port);

/* Whether connections to `own_port` wait to be accepted. */
bool socket_has_waiting(int own_port);

/* Whether a connection to `own_port` has sent bytes that nobody has read. */
bool socket_has_unread(int own_port);

/*
 * New connections to `own_port` are refused from now on, accepted ones live on.  The descriptor that
 * listened stays valid and silent; it is returned for socket_wake(), or -1 when there is none.
 */
int socket_stop_listening(int own_port);

/* Wakes whoever polls a descriptor that socket_stop_listening() returned. */
void socket_wake(int fd);

#endif
