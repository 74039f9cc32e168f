/*
 * A look before the leap: what would go to Devin for a problem, as JSON, without a call.
 *
 * Owns:     nothing; all is written to the caller's text.
 * Units:    none.
 * Fails:    by breaking the writer's text.
 * Threads:  any.
 *
 * The values of session secrets are masked; everything else is the very request.
 */
#ifndef SESSION_PREVIEW_H
#define SESSION_PREVIEW_H

#include "base/json.h"
#include "session/devin.h"

/* Members "alert", "playbook" and "request": the alert as it was understood, the route, the call. */
void preview_put(struct json_writer *writer, const struct devin_request *request,
                 const struct devin_settings *settings, struct arena *mem);

#endif
