/*
 * Small files, read whole: templates, schemas, playbooks.
 *
 * Owns:     nothing; the bytes live in the arena.
 * Units:    bytes.
 * Fails:    file_read() with an empty view, whatever was wrong: no such file, too large, no memory.
 * Threads:  any.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/text.h"

struct arena;

/* `path` ends in a NUL. */
struct view file_read(const char *path, size_t max_bytes, struct arena *mem);

#endif
