/* The arena's promises: its ceiling, zeroed and aligned pieces, growth, drop and reuse. */
#include "base/arena.h"

#include "unit/check.h"

#include <stdlib.h>

enum { PIECES = 300 };

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t ceiling, size;
    bool fits;
} sizes[] = {
    { "nothing of nothing", 0, 0, true },
    { "one byte of nothing", 0, 1, false },
    { "a byte takes a whole unit", 15, 1, false },
    { "a byte", 16, 1, true },
    { "a unit", 16, 16, true },
    { "one more than a unit", 16, 17, false },
    { "two units", 32, 17, true },
    { "a million", 1000000, 1000000, true },
    { "a million and one", 1000000, 1000001, false },
    { "half of everything", 4096, SIZE_MAX / 2, false },
    { "the last that can be rounded", 4096, SIZE_MAX - 15, false },
    { "the first that cannot", 4096, SIZE_MAX - 14, false },
    { "everything", 4096, SIZE_MAX, false },
};

static const struct {
    const char *name;
    size_t count, size;
    bool fits;
} arrays[] = {
    { "none of none", 0, 0, true },
    { "none of something", 0, SIZE_MAX, true },
    { "many of nothing", SIZE_MAX, 0, true },
    { "exactly the ceiling", 64, 64, true },
    { "one too many", 65, 64, false },
    { "product wraps to 0", SIZE_MAX / 2 + 1, 2, false },
    { "product wraps to 16", SIZE_MAX / 16 + 2, 16, false },
    { "both large", SIZE_MAX / 3, SIZE_MAX / 5, false },
    { "largest count", SIZE_MAX, 2, false },
    { "largest size", 2, SIZE_MAX, false },
};

static const struct {
    const char *name;
    size_t ceiling, old_size, new_size;
    bool has_newer; /* another piece is taken in between */
    bool fits, stays;
} growths[] = {
    { "within its unit", 4096, 5, 16, false, true, true },
    { "newest", 4096, 16, 100, false, true, true },
    { "newest, up to the ceiling", 256, 16, 256, false, true, true },
    { "newest, beyond the ceiling", 256, 16, 257, false, false, true },
    { "covered by a newer one", 4096, 16, 100, true, true, false },
    { "covered, no room for a copy", 128, 64, 100, true, false, true },
    { "covered, within its unit", 64, 5, 16, true, true, true },
    { "smaller", 4096, 100, 10, true, true, true },
    { "same", 4096, 100, 100, true, true, true },
    { "beyond its block", 1000000, 8000, 500000, false, true, false },
    { "everything", 4096, 16, SIZE_MAX, false, false, true },
};

/* --- helpers ---------------------------------------------------------------------------------- */

static bool all_are(const unsigned char *bytes, size_t count, unsigned char value)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static bool is_aligned(const void *piece)
{
    return (uintptr_t)piece % ARENA_ALIGN == 0;
}

/* --- ceiling ---------------------------------------------------------------------------------- */

static void zeroed_arena_gives_nothing(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    assert_null(arena_get(&arena, 1));
    assert_null(arena_get_array(&arena, 1, 1));
    assert_null(arena_grow(&arena, NULL, 0, 1));
    arena_drop(&arena);
}

static void sizes_against_ceilings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct arena arena;
        arena_init(&arena, sizes[i].ceiling);
        unsigned char *piece = arena_get(&arena, sizes[i].size);
        CHECK(sizes[i].name, (piece != NULL) == sizes[i].fits);
        CHECK(sizes[i].name, piece == NULL || all_are(piece, sizes[i].size, 0));
        CHECK(sizes[i].name, piece != NULL || arena.used == 0);
        arena_drop(&arena);
    }
}

static void arrays_against_a_ceiling(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(arrays); i++) {
        struct arena arena;
        arena_init(&arena, 4096);
        void *items = arena_get_array(&arena, arrays[i].count, arrays[i].size);
        CHECK(arrays[i].name, (items != NULL) == arrays[i].fits);
        arena_drop(&arena);
    }
}

static void ceiling_is_used_up_exactly(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling <= 1024; ceiling += ARENA_ALIGN) {
        struct arena arena;
        arena_init(&arena, ceiling);
        size_t count = 0;
        while (arena_get(&arena, 1) != NULL)
            count++;
        assert_int_equal(count, ceiling / ARENA_ALIGN);
        assert_int_equal(arena.used, ceiling);
        arena_drop(&arena);
    }
}

static void refusal_leaves_room_for_smaller_pieces(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    assert_non_null(arena_get(&arena, 32));
    assert_null(arena_get(&arena, 33));
    assert_non_null(arena_get(&arena, 32));
    assert_null(arena_get(&arena, 1));
    arena_drop(&arena);
}

/* Growing does not zero, so that a wrong answer shows as a pointer and not as a crash. */
static void no_ceiling_allows_what_cannot_be_allocated(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_grow(&arena, NULL, 0, SIZE_MAX));
    arena_drop(&arena);
}

/* --- pieces ----------------------------------------------------------------------------------- */

static void pieces_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    unsigned char *pieces[PIECES];
    size_t lens[PIECES];
    arena_init(&arena, 4 * 1024 * 1024);
    for (size_t i = 0; i < PIECES; i++) {
        lens[i] = i * i % 9001; /* small and large ones mixed, so that blocks begin in between */
        pieces[i] = arena_get(&arena, lens[i]);
        assert_non_null(pieces[i]);
        assert_true(is_aligned(pieces[i]));
        assert_true(all_are(pieces[i], lens[i], 0));
        memset(pieces[i], (int)(i % 255 + 1), lens[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        assert_true(all_are(pieces[i], lens[i], (unsigned char)(i % 255 + 1)));
    arena_drop(&arena);
}

static void pieces_are_zeroed_after_a_drop_too(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 16384);
    for (int round = 0; round < 4; round++) {
        unsigned char *piece = arena_get(&arena, 8000);
        assert_non_null(piece);
        assert_true(all_are(piece, 8000, 0));
        memset(piece, 0xA5, 8000);
        arena_drop(&arena);
        assert_null(arena.blocks);
        assert_int_equal(arena.used, 0);
        assert_int_equal(arena.ceiling, 16384);
    }
    arena_drop(&arena);
}

/* --- one request after another ------------------------------------------------------------------ */

static void pieces_are_zeroed_after_a_rewind_too(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    for (size_t size = 100; size < 1024 * 1024; size *= 3) {
        arena_rewind(&arena, size + 64);
        unsigned char *small = arena_get(&arena, 10);
        unsigned char *large = arena_get(&arena, size);
        assert_true(all_are(small, 10, 0));
        assert_true(all_are(large, size, 0));
        assert_null(arena_get(&arena, 64)); /* the new ceiling holds */
        assert_false(arena_ok(&arena));
        memset(small, 0xA5, 10);
        memset(large, 0xA5, size);
    }
    arena_rewind(&arena, 16);
    assert_true(arena_ok(&arena));
    assert_int_equal(arena.used, 0);
    arena_drop(&arena);
    assert_null(arena.spare);
}

/* What AddressSanitizer is to find must not be used again. */
static void a_rewind_keeps_small_blocks_and_no_large_one(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024 * 1024);
    void *first = arena_get(&arena, 1000);
    assert_non_null(arena_get(&arena, 20000));
    assert_non_null(arena_get(&arena, 1024 * 1024));
    arena_rewind(&arena, 64 * 1024 * 1024);
#ifdef __SANITIZE_ADDRESS__
    assert_null(arena.spare);
    (void)first;
#else
    assert_ptr_equal(arena_get(&arena, 1000), first);
    assert_non_null(arena.spare);
    assert_non_null(arena_get(&arena, 20000));
    assert_null(arena.spare);
#endif
    arena_drop(&arena);
}

/* --- growth ----------------------------------------------------------------------------------- */

static void growing_keeps_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(growths); i++) {
        const char *name = growths[i].name;
        struct arena arena;
        arena_init(&arena, growths[i].ceiling);
        unsigned char *piece = arena_get(&arena, growths[i].old_size);
        memset(piece, 0x5A, growths[i].old_size);
        unsigned char *newer = growths[i].has_newer ? arena_get(&arena, 16) : NULL;
        size_t used = arena.used;
        unsigned char *grown = arena_grow(&arena, piece, growths[i].old_size, growths[i].new_size);
        CHECK(name, (grown != NULL) == growths[i].fits);
        CHECK(name, grown == NULL || (grown == piece) == growths[i].stays);
        CHECK(name, grown != NULL || arena.used == used);
        CHECK(name, all_are(piece, growths[i].old_size, 0x5A));
        if (grown != NULL) {
            size_t kept = growths[i].old_size < growths[i].new_size ? growths[i].old_size
                                                                    : growths[i].new_size;
            CHECK(name, is_aligned(grown) && all_are(grown, kept, 0x5A));
            memset(grown, 0x77, growths[i].new_size);
        }
        CHECK(name, newer == NULL || all_are(newer, 16, 0));
        CHECK(name, arena.used <= arena.ceiling);
        arena_drop(&arena);
    }
}

static void growing_nothing_is_taking(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    unsigned char *piece = arena_grow(&arena, NULL, 0, 40);
    assert_non_null(piece);
    memset(piece, 1, 40);
    assert_int_equal(arena.used, 48);
    assert_ptr_equal(arena_grow(&arena, piece, 40, 64), piece);
    assert_null(arena_get(&arena, 1));
    arena_drop(&arena);
}

static void next_piece_lies_behind_a_grown_one(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    unsigned char *first = arena_get(&arena, 16);
    first = arena_grow(&arena, first, 16, 200);
    memset(first, 1, 200);
    unsigned char *second = arena_get(&arena, 16);
    memset(second, 2, 16);
    assert_true(all_are(first, 200, 1));
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_arena_gives_nothing),
        cmocka_unit_test(sizes_against_ceilings),
        cmocka_unit_test(arrays_against_a_ceiling),
        cmocka_unit_test(ceiling_is_used_up_exactly),
        cmocka_unit_test(refusal_leaves_room_for_smaller_pieces),
        cmocka_unit_test(no_ceiling_allows_what_cannot_be_allocated),
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(pieces_are_zeroed_after_a_drop_too),
        cmocka_unit_test(pieces_are_zeroed_after_a_rewind_too),
        cmocka_unit_test(a_rewind_keeps_small_blocks_and_no_large_one),
        cmocka_unit_test(growing_keeps_the_bytes),
        cmocka_unit_test(growing_nothing_is_taking),
        cmocka_unit_test(next_piece_lies_behind_a_grown_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
