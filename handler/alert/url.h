/*
 * Query strings of links that senders build: some keep the rule's expression or the failing log line
 * nowhere else.  Nothing is fetched.
 *
 * Owns:     nothing; decoded text lives in the arena.
 * Units:    bytes.
 * Fails:    url_decode() gives the empty view without memory.
 * Threads:  any.
 */
#ifndef ALERT_URL_H
#define ALERT_URL_H

#include "base/text.h"

struct arena;

/* What stands between the first question mark and the fragment. */
struct view url_query(struct view url);

/* Takes the next "name=value" off the front, both still escaped; false at the end. */
bool url_next(struct view *query, struct view *name, struct view *value);

/* "a+%3E+0" is "a > 0".  Bytes that are not UTF-8 afterwards go; a bad escape stays as it is. */
struct view url_decode(struct view escaped, struct arena *mem);

/* The decoded value of the first parameter of that name; empty when there is none. */
struct view url_parameter(struct view url, const char *name, struct arena *mem);

#endif
