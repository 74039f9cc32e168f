/*
 * A TLS server in front of a plain port of this machine, with an authority and a certificate made
 * on the spot: good ones, and those that nobody may trust.
 *
 * Owns:     door_open() starts a server that door_close() ends; it also removes the authority's file.
 * Units:    ports on 127.0.0.1.
 * Fails:    door_open() with NULL.
 * Threads:  one owner; connections run on threads of its own.
 */
#ifndef SUPPORT_DOOR_H
#define SUPPORT_DOOR_H

#include <stdbool.h>

/* For "localhost" and 127.0.0.1, signed by the authority, valid now; but for what its name says. */
enum door_certificate {
    DOOR_GOOD,
    DOOR_WRONG_NAME,
    DOOR_EXPIRED,
    DOOR_NOT_YET,
    DOOR_SELF_SIGNED,
    DOOR_STRANGER /* signed by an authority of the same name with another key */
};

enum door_tls { DOOR_TLS_ANY, DOOR_TLS_1_1, DOOR_TLS_1_2, DOOR_TLS_1_3 };

struct door;

struct door *door_open(enum door_certificate certificate, enum door_tls tls);
void door_close(struct door *door);

/* Where connections are led from now on. */
void door_lead_to(struct door *door, int port);

int door_port(const struct door *door);
/* The authority's certificate (PEM). */
const char *door_ca_file(const struct door *door);

/* Whether somebody who verifies nothing gets in: without that a refusal proves nothing. */
bool door_lets_in(const struct door *door);

#endif
