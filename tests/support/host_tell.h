/*
 * The Functions host stand-in tells the Devin stand-in which payload a session came from, so that
 * its page can show both.
 *
 * Owns:     nothing.
 * Units:    ports on 127.0.0.1.
 * Fails:    silently: a payload that is not shown harms nobody.
 * Threads:  any.
 */
#ifndef SUPPORT_HOST_TELL_H
#define SUPPORT_HOST_TELL_H

#include "base/text.h"

struct arena;

/* For each session that the handler's `reply` names; none when it is no such reply.  The first MiB of a payload. */
void host_tell(int devin_port, struct view payload, struct view reply, struct arena *mem);

#endif
