/* The map against a plain model of it, and the arena. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/base.h"

#include <stdalign.h>
#include <string.h>

static void *value_of(uintptr_t v)
{
    return (void *)v; /* the map never looks behind its values */
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

enum { KEYS = 600 };

struct model { uintptr_t value[KEYS]; size_t count; };

static void check_against(const struct focal_map *map, const struct model *model)
{
    assert_int_equal(map->count, model->count);
    for (uint32_t k = 0; k < KEYS; k++)
        assert_ptr_equal(focal_map_get(map, &k), value_of(model->value[k]));
    size_t at = 0, seen = 0;
    const void *key;
    void *value;
    while (focal_map_next(map, &at, &key, &value)) {
        uint32_t k;
        memcpy(&k, key, sizeof k);
        assert_ptr_equal(value, value_of(model->value[k]));
        seen++;
    }
    assert_int_equal(seen, model->count);
}

static void a_map_does_as_its_model_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct focal_map map;
        struct model model = { .count = 0 };
        uint64_t random = seed * 0x9E3779B97F4A7C15u;
        focal_map_init(&map, sizeof(uint32_t), seed);
        for (int step = 0; step < 6000; step++) {
            /* Phases of filling and of emptying, so that the table sees all degrees of fullness. */
            bool filling = step / 700 % 2 == 0;
            uint32_t k = (uint32_t)(next_random(&random) % KEYS);
            unsigned dice = (unsigned)(next_random(&random) % 100);
            if (dice < (filling ? 75u : 20u)) {
                uintptr_t v = (uintptr_t)step + 1;
                assert_int_equal(focal_map_put(&map, &k, value_of(v)), FOCAL_OK);
                model.count += model.value[k] == 0;
                model.value[k] = v;
            } else {
                assert_ptr_equal(focal_map_remove(&map, &k), value_of(model.value[k]));
                model.count -= model.value[k] != 0;
                model.value[k] = 0;
            }
            if (dice == 99 && next_random(&random) % 8 == 0) {
                focal_map_clear(&map);
                memset(&model, 0, sizeof model);
            }
            if (step % 97 == 0)
                check_against(&map, &model);
        }
        check_against(&map, &model);
        focal_map_close(&map);
    }
}

static void a_walk_goes_in_order_of_insertion_whatever_the_seed(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct focal_map map;
        focal_map_init(&map, 16, seed * 77);
        for (uint32_t i = 0; i < 1000; i++) {
            uint8_t key[16] = { 0 };
            uint32_t mixed = i * 2654435761u;
            memcpy(key, &mixed, sizeof mixed);
            assert_int_equal(focal_map_put(&map, key, value_of(i + 1)), FOCAL_OK);
        }
        /* Replacing moves nothing. */
        uint8_t first[16] = { 0 };
        assert_int_equal(focal_map_put(&map, first, value_of(5000)), FOCAL_OK);
        size_t at = 0;
        void *value;
        for (uint32_t i = 0; i < 1000; i++) {
            assert_true(focal_map_next(&map, &at, NULL, &value));
            assert_ptr_equal(value, value_of(i == 0 ? 5000 : i + 1));
        }
        assert_false(focal_map_next(&map, &at, NULL, NULL));
        focal_map_close(&map);
    }
}

static void all_may_be_removed_while_walking(void **state)
{
    (void)state;
    struct focal_map map;
    focal_map_init(&map, 2, 9);
    for (uint16_t i = 0; i < 500; i++)
        assert_int_equal(focal_map_put(&map, &i, value_of(i + 1u)), FOCAL_OK);
    size_t at = 0;
    const void *key;
    int walked = 0;
    while (focal_map_next(&map, &at, &key, NULL)) {
        uint16_t k;
        memcpy(&k, key, sizeof k);
        assert_non_null(focal_map_remove(&map, &k));
        assert_null(focal_map_remove(&map, &k));
        walked++;
    }
    assert_int_equal(walked, 500);
    assert_int_equal(map.count, 0);
    for (uint16_t i = 0; i < 500; i++)
        assert_null(focal_map_get(&map, &i));
    focal_map_close(&map);
}

static void clear_keeps_the_memory(void **state)
{
    (void)state;
    struct focal_map map;
    focal_map_init(&map, 4, 1);
    uint32_t k = 0;
    focal_map_clear(&map);
    assert_null(focal_map_get(&map, &k));
    for (k = 0; k < 3000; k++)
        assert_int_equal(focal_map_put(&map, &k, value_of(k + 1)), FOCAL_OK);
    const void *table = map.table;
    size_t cap = map.entry_cap;
    focal_map_clear(&map);
    /* Few in a big table: the other way of clearing. */
    for (uint32_t round = 0; round < 50; round++) {
        for (k = round; k < round + 20; k++)
            assert_int_equal(focal_map_put(&map, &k, value_of(k + 1)), FOCAL_OK);
        k = round + 3;
        assert_non_null(focal_map_remove(&map, &k));
        focal_map_clear(&map);
        for (size_t b = 0; b < map.table_cap; b++)
            assert_int_equal(map.table[2 * b], 0);
    }
    assert_ptr_equal(map.table, table);
    assert_int_equal(map.entry_cap, cap);
    focal_map_close(&map);
}

static void holes_are_closed_before_more_memory_is_taken(void **state)
{
    (void)state;
    struct focal_map map;
    focal_map_init(&map, 4, 3);
    for (uint32_t k = 0; k < 100000; k++) {
        assert_int_equal(focal_map_put(&map, &k, value_of(k + 1)), FOCAL_OK);
        if (k >= 20) {
            uint32_t old = k - 20;
            assert_ptr_equal(focal_map_remove(&map, &old), value_of(old + 1));
        }
    }
    assert_int_equal(map.count, 20);
    assert_true(map.entry_cap <= 64);
    focal_map_close(&map);
}

static bool count_down(void *data, size_t bytes)
{
    (void)bytes;
    int *left = data;
    return (*left)-- > 0;
}

static void a_map_without_memory_stays_whole(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 3; allowed++) {
        struct focal_map map;
        focal_map_init(&map, 4, 3);
        uint32_t k;
        for (k = 0; k < 16; k++)
            assert_int_equal(focal_map_put(&map, &k, value_of(k + 1)), FOCAL_OK);
        int left = allowed;
        focal_alloc_hook(count_down, &left);
        enum focal_status status = focal_map_put(&map, &k, value_of(17));
        focal_alloc_hook(NULL, NULL);
        assert_int_equal(status, FOCAL_NO_MEMORY);
        assert_int_equal(map.count, 16);
        assert_null(focal_map_get(&map, &k));
        for (k = 0; k < 16; k++)
            assert_ptr_equal(focal_map_get(&map, &k), value_of(k + 1));
        assert_int_equal(focal_map_put(&map, &k, value_of(17)), FOCAL_OK);
        assert_ptr_equal(focal_map_get(&map, &k), value_of(17));
        focal_map_close(&map);
    }
}

static void keys_of_any_length_are_told_apart_by_every_byte(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 40; len++) {
        struct focal_map map;
        uint8_t key[40] = { 0 };
        focal_map_init(&map, len, len);
        assert_int_equal(focal_map_put(&map, key, value_of(100)), FOCAL_OK);
        for (size_t i = 0; i < len; i++) {
            key[i] = 1;
            assert_null(focal_map_get(&map, key));
            assert_int_equal(focal_map_put(&map, key, value_of(i + 1)), FOCAL_OK);
            key[i] = 0;
        }
        assert_int_equal(map.count, len + 1);
        assert_ptr_equal(focal_map_get(&map, key), value_of(100));
        focal_map_close(&map);
    }
}

static void an_arena_gives_zeroed_aligned_pieces_up_to_its_limit(void **state)
{
    (void)state;
    struct focal_arena arena;
    focal_arena_init(&arena, 100000);
    for (int round = 0; round < 3; round++) {
        size_t given = 0;
        for (size_t bytes = 0;; bytes = bytes * 2 + 1) {
            uint8_t *piece = focal_arena_alloc(&arena, bytes);
            if (!piece)
                break;
            assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
            for (size_t i = 0; i < bytes; i++)
                assert_int_equal(piece[i], 0);
            memset(piece, 0xEE, bytes);
            given += bytes;
        }
        assert_true(given > 50000 && given <= 100000);
        assert_null(focal_arena_alloc(&arena, SIZE_MAX));
        assert_null(focal_arena_alloc(&arena, SIZE_MAX - alignof(max_align_t)));
        focal_arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    char *text = focal_arena_copy(&arena, "hello", 6);
    assert_string_equal(text, "hello");
    assert_non_null(focal_arena_copy(&arena, NULL, 0));
    focal_arena_close(&arena);
    focal_arena_close(&arena);
}

static void an_arena_gives_big_memory_back_at_reset(void **state)
{
    (void)state;
    struct focal_arena arena;
    focal_arena_init(&arena, SIZE_MAX);
    assert_non_null(focal_arena_alloc(&arena, 10));
    assert_non_null(focal_arena_alloc(&arena, 8 * 1024 * 1024));
    focal_arena_reset(&arena);
    assert_null(arena.chunks);
    int left = 0;
    focal_alloc_hook(count_down, &left);
    assert_null(focal_arena_alloc(&arena, 10));
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(arena.used, 0);
    assert_non_null(focal_arena_alloc(&arena, 10));
    focal_arena_reset(&arena);
    assert_non_null(arena.chunks);
    focal_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_does_as_its_model_does),
        cmocka_unit_test(a_walk_goes_in_order_of_insertion_whatever_the_seed),
        cmocka_unit_test(all_may_be_removed_while_walking),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(holes_are_closed_before_more_memory_is_taken),
        cmocka_unit_test(a_map_without_memory_stays_whole),
        cmocka_unit_test(keys_of_any_length_are_told_apart_by_every_byte),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_pieces_up_to_its_limit),
        cmocka_unit_test(an_arena_gives_big_memory_back_at_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
