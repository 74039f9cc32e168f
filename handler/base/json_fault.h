/*
 * Where text stops being JSON, in words for the person who wrote it.  Only texts that were refused
 * come here, so nothing of this costs a sound one anything.
 *
 * Owns:     nothing; the words are literals.
 * Units:    lines and columns count characters from 1.
 * Fails:    never; a text without a fault gives NULL.
 * Threads:  any.
 */
#ifndef BASE_JSON_FAULT_H
#define BASE_JSON_FAULT_H

#include "base/failure.h"
#include "base/text.h"

/* What is wrong and the byte it is wrong at; the two slips that json_read() mends are none. */
const char *json_fault_find(struct view bytes, size_t max_depth, size_t *at);

/* Refuses `bytes` with FAIL_NOT_JSON and "line 3, column 7: <what>"; returns false. */
bool json_fault_refuse(struct view bytes, size_t at, const char *what, struct failure *why);

#endif
