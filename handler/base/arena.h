/*
 * Memory that ends with the request: take from it freely, drop all of it at once.
 *
 * Owns:     every byte handed out; valid until arena_drop().
 * Units:    bytes.  The ceiling counts what was asked for, rounded up to ARENA_ALIGN.
 * Fails:    arena_get() returns NULL when the ceiling or the machine's memory is reached; the arena
 *           stays usable for smaller pieces, and remembers: whoever makes many pieces asks
 *           arena_ok() once, at the end.
 * Threads:  one owner at a time, no locks.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

enum { ARENA_ALIGN = 16 };

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first; pieces are cut from the newest only */
    struct arena_block *spare;  /* empty ones that arena_rewind() kept */
    size_t used;
    size_t ceiling;
    bool is_exhausted;
};

/* A zeroed arena with ceiling 0 is valid and gives nothing. */
void arena_init(struct arena *arena, size_t ceiling);

/* Zeroed memory.  A size of 0 gives a valid, unusable pointer. */
void *arena_get(struct arena *arena, size_t size);

/* `count` zeroed items; NULL also when count * size overflows. */
void *arena_get_array(struct arena *arena, size_t count, size_t size);

/*
 * A larger piece with the first `old_size` bytes of `piece`; new bytes are not zeroed.  The newest
 * piece grows where it stands, any other is copied.  On NULL `piece` is untouched.
 */
void *arena_grow(struct arena *arena, void *piece, size_t old_size, size_t new_size);

/* False once a piece was refused. */
bool arena_ok(const struct arena *arena);

/* Gives all memory back; the arena is then empty and usable again. */
void arena_drop(struct arena *arena);

/*
 * The same, with a new ceiling, but some blocks stay for the next pieces: 128 KB at most, until
 * arena_drop().  For an arena that serves one request after another.
 */
void arena_rewind(struct arena *arena, size_t ceiling);

#endif
