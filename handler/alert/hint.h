/*
 * Hints: what a refused payload smells of, and which switch its sender should flip.  Only our own
 * words, never the sender's.
 *
 * Owns:     nothing; hints are literals.
 * Units:    none.
 * Fails:    never.
 * Threads:  any.
 */
#ifndef ALERT_HINT_H
#define ALERT_HINT_H

struct cJSON;

/* NULL where the payload smells of nothing we know. */
const char *hint_of(const struct cJSON *body);

#endif
