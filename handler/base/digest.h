/*
 * What needs a cryptographic library: comparing secrets, and base64.
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

/* Whether both hold the same bytes, in a time that tells neither contents nor length of `secret`.
 */
bool digest_same(struct view secret, struct view presented);

/* Standard base64 with its padding; the decoded bytes live in `mem`. */
bool base64_decode(struct view encoded, struct arena *mem, struct view *out);

#endif
