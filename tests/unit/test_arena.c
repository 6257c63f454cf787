#include "lib/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    LIMIT_BYTES = 1 << 20,
};

static struct arena *must_create(size_t max_bytes)
{
    struct arena *arena = arena_create(max_bytes);

    assert_non_null(arena);
    return arena;
}

static void *must_alloc(struct arena *arena, size_t size)
{
    void *piece = arena_alloc(arena, size);

    assert_non_null(piece);
    return piece;
}

static void pieces_are_aligned_for_any_type(void **state)
{
    struct arena *arena = must_create(LIMIT_BYTES);

    (void)state;
    for (size_t size = 0; size < 100; size++) {
        uintptr_t piece = (uintptr_t)must_alloc(arena, size);

        assert_int_equal(piece % _Alignof(max_align_t), 0);
    }
    arena_free(arena);
}

static void pieces_do_not_overlap(void **state)
{
    enum { PIECES = 400 };
    struct arena *arena = must_create(LIMIT_BYTES);
    unsigned char *pieces[PIECES];

    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = must_alloc(arena, 1 + i * 6);
        memset(pieces[i], (int)(i % 251), 1 + i * 6);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < 1 + i * 6; j++)
            assert_int_equal(pieces[i][j], i % 251);
    }
    arena_free(arena);
}

static void no_more_than_the_limit_is_handed_out(void **state)
{
    static const size_t sizes[] = {1, 7, 16, 100, 4096, 16384, 16385, 65536, 300000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct arena *arena = must_create(LIMIT_BYTES);
        size_t total = 0;

        for (void *piece; (piece = arena_alloc(arena, sizes[i])) != NULL;) {
            memset(piece, 1, sizes[i]);
            total += sizes[i];
        }
        assert_in_range(total, LIMIT_BYTES / 16, LIMIT_BYTES);
        assert_null(arena_alloc(arena, sizes[i]));
        arena_free(arena);
    }
}

static void the_limit_itself_can_be_taken(void **state)
{
    static const size_t limits[] = {1, 15, 16, 100, 65536, 65537, 1000003};

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct arena *arena = must_create(limits[i]);

        assert_null(arena_alloc(arena, limits[i] + 1));
        memset(must_alloc(arena, limits[i]), 1, limits[i]);
        assert_null(arena_alloc(arena, 1));
        assert_null(arena_alloc(arena, 0));
        arena_free(arena);
    }
}

static void absurd_sizes_are_refused(void **state)
{
    struct arena *arena = must_create(LIMIT_BYTES);
    struct arena *unlimited = must_create(SIZE_MAX);

    (void)state;
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 15));
    assert_null(arena_alloc(unlimited, SIZE_MAX));
    must_alloc(arena, 1);
    arena_free(arena);
    arena_free(unlimited);
}

static void an_arena_of_nothing_hands_out_nothing(void **state)
{
    struct arena *arena = must_create(0);

    (void)state;
    assert_null(arena_alloc(arena, 0));
    assert_null(arena_alloc(arena, 1));
    arena_reset(arena);
    assert_null(arena_alloc(arena, 1));
    arena_free(arena);
}

static void a_reset_gives_the_whole_limit_back(void **state)
{
    struct arena *arena = must_create(LIMIT_BYTES);

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        memset(must_alloc(arena, LIMIT_BYTES / 2), 1, LIMIT_BYTES / 2);
        for (unsigned i = 0; i < 100; i++)
            memset(must_alloc(arena, 4096), 1, 4096);
        assert_null(arena_alloc(arena, LIMIT_BYTES / 2));
        arena_reset(arena);
    }
    must_alloc(arena, LIMIT_BYTES);
    arena_free(arena);
}

#ifndef ARENA_MALLOC
static void a_reset_wipes_and_keeps_the_first_chunk(void **state)
{
    struct arena *arena = must_create(LIMIT_BYTES);
    unsigned char *before = must_alloc(arena, 5000);

    (void)state;
    memset(before, 0x55, 5000);
    memset(must_alloc(arena, 100000), 0x55, 100000);
    for (unsigned i = 0; i < 50; i++)
        memset(must_alloc(arena, 8000), 0x55, 8000);
    arena_reset(arena);
    unsigned char *after = must_alloc(arena, 5000);
    assert_ptr_equal(after, before);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(after[i], 0);
    arena_free(arena);
}

static void a_large_piece_leaves_the_current_chunk_in_use(void **state)
{
    struct arena *arena = must_create(LIMIT_BYTES);
    char *before = must_alloc(arena, 16);

    (void)state;
    must_alloc(arena, 200000);
    assert_ptr_equal(must_alloc(arena, 16), before + 16);
    arena_free(arena);
}
#endif

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_for_any_type),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(no_more_than_the_limit_is_handed_out),
        cmocka_unit_test(the_limit_itself_can_be_taken),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(an_arena_of_nothing_hands_out_nothing),
        cmocka_unit_test(a_reset_gives_the_whole_limit_back),
#ifndef ARENA_MALLOC
        cmocka_unit_test(a_reset_wipes_and_keeps_the_first_chunk),
        cmocka_unit_test(a_large_piece_leaves_the_current_chunk_in_use),
#endif
        cmocka_unit_test(freeing_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
