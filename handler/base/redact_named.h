/*
 * Secrets that have no shape of their own: what stands behind a name, "password=…", and between user
 * and host of an address.
 *
 * Owns:     nothing.
 * Units:    offsets into the text.
 * Fails:    never.
 * Threads:  as base/redact_rules.
 */
#ifndef BASE_REDACT_NAMED_H
#define BASE_REDACT_NAMED_H

#include "base/redact_rules.h"

/* `at` is a ':', '=' or '>'. */
bool redact_find_named(struct redact_scan *scan, size_t at, struct redact_found *out);

/* A secret in a text that is the value of `name`, as a pair of a JSON object has them. */
bool redact_find_value(struct redact_scan *scan, struct view name, struct redact_found *out);

#endif
