/* Read in pieces, because what /proc, pipes and mounts say of a size is not to be relied on. */
#include "base/file.h"

#include <stdio.h>

struct view file_read(const char *path, size_t max_bytes, struct arena *mem)
{
    struct text text = text_in(mem, max_bytes);
    char piece[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return (struct view){ 0 };
    for (size_t got; text_ok(&text) && (got = fread(piece, 1, sizeof piece, file)) > 0;)
        text_add(&text, (struct view){ piece, got });
    bool is_whole = text_ok(&text) && ferror(file) == 0;
    fclose(file);
    return is_whole ? text_view(&text) : (struct view){ 0 };
}
