/*
 * Commands for a person: `render` shows what an alert would become; `session list|get|watch|message`
 * follows sessions, `playbook push` brings a playbook to Devin, `queue list|show|replay|drop` is for
 * alerts that are stored.
 *
 * Owns:     nothing.
 * Units:    seconds where a person types them.
 * Fails:    with a sentence on stderr and an exit code: 1 when Devin or the storage could not do it,
 *           2 for a wrong command line.
 * Threads:  one; they start and stop a wire of their own.
 */
#ifndef EDGE_CONSOLE_H
#define EDGE_CONSOLE_H

#include "edge/settings.h"

int console_render(struct settings *settings, int count, char **words);
int console_session(struct settings *settings, int count, char **words);
int console_playbook(struct settings *settings, int count, char **words);
int console_queue(struct settings *settings, int count, char **words);

#endif
