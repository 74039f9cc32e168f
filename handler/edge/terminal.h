/*
 * What the commands for a person share: words taken from a command line, foreign text on a terminal,
 * failures said.
 *
 * Owns:     nothing.
 * Units:    none.
 * Fails:    never.
 * Threads:  one.
 */
#ifndef EDGE_TERMINAL_H
#define EDGE_TERMINAL_H

#include "base/failure.h"
#include "base/text.h"

/* As a caller would read it, and what the log would say besides; gives the exit code, 1. */
int terminal_failure(const struct failure *why);

/* A peer's text: without what would move the cursor or hide something. */
void terminal_print(struct view text);

/* Takes `option` out of the words, wherever it stands; whether it was there. */
bool terminal_take(int *count, char **words, const char *option);

#endif
