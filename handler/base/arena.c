/*
 * A chain of blocks, each twice the last up to a limit, cut from the front.  There is no way to
 * give a single piece back: a request is short, and a ceiling bounds what it can take.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No machine has more, and sums of two cannot wrap. */
static const size_t LARGEST_PIECE = SIZE_MAX / 4;

enum { FIRST_BLOCK = 8 * 1024, LARGEST_STEP = 1024 * 1024 };

/* What goes through the hands of an allocator is not what AddressSanitizer is to watch. */
#ifdef __SANITIZE_ADDRESS__
enum { MOST_SPARE = 0 };
#else
enum { MOST_SPARE = 128 * 1024 };
#endif

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t cut;
    alignas(ARENA_ALIGN) unsigned char bytes[];
};

/* SIZE_MAX stands for "cannot be rounded": no ceiling allows it. */
static size_t round_up(size_t size)
{
    if (size > LARGEST_PIECE)
        return SIZE_MAX;
    return (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

/* The first spare block that is large enough, taken out; NULL when none is. */
static struct arena_block *take_spare(struct arena *arena, size_t at_least)
{
    struct arena_block **link = &arena->spare;
    while (*link != NULL && (*link)->size < at_least)
        link = &(*link)->older;
    struct arena_block *block = *link;
    if (block != NULL)
        *link = block->older;
    return block;
}

static struct arena_block *make_block(const struct arena *arena, size_t at_least)
{
    size_t size = FIRST_BLOCK;
    if (arena->blocks != NULL)
        size = arena->blocks->size < LARGEST_STEP / 2 ? arena->blocks->size * 2 : LARGEST_STEP;
    if (size < at_least)
        size = at_least;
    struct arena_block *block = malloc(sizeof *block + size);
    if (block != NULL)
        block->size = size;
    return block;
}

static struct arena_block *add_block(struct arena *arena, size_t at_least)
{
    struct arena_block *block = take_spare(arena, at_least);
    if (block == NULL)
        block = make_block(arena, at_least);
    if (block == NULL)
        return NULL;
    block->older = arena->blocks;
    block->cut = 0;
    arena->blocks = block;
    return block;
}

/* Bytes as they come: the caller zeroes or overwrites them. */
static void *cut_piece(struct arena *arena, size_t rounded)
{
    struct arena_block *block = arena->blocks;
    bool has_room = rounded != SIZE_MAX && rounded <= arena->ceiling - arena->used;
    if (has_room && (block == NULL || rounded > block->size - block->cut))
        block = add_block(arena, rounded);
    if (!has_room || block == NULL) {
        arena->is_exhausted = true;
        return NULL;
    }
    void *piece = block->bytes + block->cut;
    block->cut += rounded;
    arena->used += rounded;
    return piece;
}

void arena_init(struct arena *arena, size_t ceiling)
{
    *arena = (struct arena){ .ceiling = ceiling };
}

void *arena_get(struct arena *arena, size_t size)
{
    void *piece = cut_piece(arena, round_up(size));
    if (piece != NULL)
        memset(piece, 0, size);
    return piece;
}

void *arena_get_array(struct arena *arena, size_t count, size_t size)
{
    bool can_be_counted = size == 0 || count <= SIZE_MAX / size;
    return arena_get(arena, can_be_counted ? count * size : SIZE_MAX);
}

static bool is_newest(const struct arena_block *block, const void *piece, size_t held)
{
    return block != NULL && block->cut >= held
           && (const unsigned char *)piece == block->bytes + (block->cut - held);
}

void *arena_grow(struct arena *arena, void *piece, size_t old_size, size_t new_size)
{
    size_t held = round_up(old_size);
    size_t wanted = round_up(new_size);
    if (wanted <= held && piece != NULL)
        return piece;

    struct arena_block *block = arena->blocks;
    size_t more = wanted - held;
    if (piece != NULL && is_newest(block, piece, held) && more <= block->size - block->cut
        && more <= arena->ceiling - arena->used) {
        block->cut += more;
        arena->used += more;
        return piece;
    }
    void *larger = cut_piece(arena, wanted);
    if (larger != NULL && piece != NULL)
        memcpy(larger, piece, old_size);
    return larger;
}

bool arena_ok(const struct arena *arena)
{
    return !arena->is_exhausted;
}

static void free_chain(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_drop(struct arena *arena)
{
    free_chain(arena->blocks);
    free_chain(arena->spare);
    arena->blocks = NULL;
    arena->spare = NULL;
    arena->used = 0;
    arena->is_exhausted = false;
}

/* Oldest first, for those are the small ones that every request takes. */
static struct arena_block *reversed(struct arena_block *block)
{
    struct arena_block *first = NULL;
    while (block != NULL) {
        struct arena_block *older = block->older;
        block->older = first;
        first = block;
        block = older;
    }
    return first;
}

void arena_rewind(struct arena *arena, size_t ceiling)
{
    size_t kept = 0;
    struct arena_block *spare = reversed(arena->blocks);
    struct arena_block **link = &spare;
    while (*link != NULL)
        link = &(*link)->older;
    *link = arena->spare;
    link = &spare;
    while (*link != NULL && kept + (*link)->size <= MOST_SPARE) {
        kept += (*link)->size;
        link = &(*link)->older;
    }
    free_chain(*link);
    *link = NULL;
    *arena = (struct arena){ .spare = spare, .ceiling = ceiling };
}
