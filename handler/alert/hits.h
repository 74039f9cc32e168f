/*
 * Elasticsearch hits: the log lines in what Kibana and Watcher hand over of their context.
 *
 * Owns:     nothing.
 * Units:    bytes.
 * Fails:    by going quiet: what does not fit into the text is left out.
 * Threads:  any.
 */
#ifndef ALERT_HITS_H
#define ALERT_HITS_H

#include "base/text.h"

struct cJSON;

/* Adds the message of each hit found in `node`, one a line; the first document to `first`. */
void hits_add_messages(struct text *to, const struct cJSON *node, const struct cJSON **first);

#endif
