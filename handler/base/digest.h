/*
 * What needs a cryptographic library: comparing secrets, naming things by their hash, signing,
 * base64.
 *
 * Owns:     nothing.
 * Units:    bytes.
 * Fails:    digest_same() answers false when the library does; decoding answers false.
 * Threads:  any.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/text.h"

struct arena;

/*
 * Whether both hold the same bytes, in a time that tells neither contents nor length of `secret`.
 */
bool digest_same(struct view secret, struct view presented);

/* The first 16 hex digits of the SHA-256 of `bytes`; breaks `to` when the library fails. */
void digest_add_hex(struct text *to, struct view bytes);

/* The HMAC-SHA256 of `message` in base64; breaks `to` when the library fails. */
void digest_add_hmac(struct text *to, struct view key, struct view message);

/* Standard base64 with its padding. */
void base64_add(struct text *to, struct view bytes);

/* Standard base64 with its padding; the decoded bytes live in `mem`. */
bool base64_decode(struct view encoded, struct arena *mem, struct view *out);

#endif
