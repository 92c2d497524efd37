/* Live values in their order, in any room; two versions; and the sort below both. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "merge_entries.h"
#include "part.h"

#include <string.h>

static const uint64_t channel = FOCAL_FIELD(21, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER);
static const uint64_t victims = FOCAL_FIELD(27, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET);
static const uint64_t map = FOCAL_FIELD(32, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_MAP);

static void add(struct focal_part *part, struct made_entry *e)
{
    struct made_bytes bytes;
    made_entry_bytes(&bytes, e);
    assert_int_equal(focal_part_add(part, &bytes.contribution), FOCAL_OK);
    made_bytes_close(&bytes);
}

static void add_one(struct focal_part *part, uint8_t log, uint8_t seq, uint64_t field, const char *bytes, size_t len)
{
    struct made_entry e = { .log = log, .seq = seq, .name = seq, .kind = 16 };
    made_value_add(&e, field, bytes, len);
    add(part, &e);
}

static void test_order_in_any_room(void **state)
{
    (void)state;
    struct focal_part part;
    focal_part_init(&part);
    add_one(&part, 3, 1, map, "\x02" "aa" "x", 4);
    add_one(&part, 1, 2, map, "\x01" "b" "x", 3);
    add_one(&part, 2, 2, map, "\x01" "a" "y", 3);
    add_one(&part, 1, 3, map, "\x01" "a" "z", 3);
    add_one(&part, 9, 1, victims, "\x02\x02", 2);
    add_one(&part, 2, 9, channel, "\x03", 1);
    add_one(&part, 2, 8, channel, "\x04", 1);
    add_one(&part, 4, 1, map, "\x7F", 1);               /* not of a map's form: stands with the empty key */
    struct focal_live all[8], some[8];
    assert_int_equal(focal_part_live(&part, all, 8), 8);
    const uint8_t logs[8] = { 2, 2, 9, 4, 1, 2, 3, 1 }, seqs[8] = { 8, 9, 1, 1, 3, 2, 1, 2 };
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(all[i].ref.log.b[0], logs[i]);
        assert_int_equal(all[i].ref.seq, seqs[i]);
    }
    for (size_t room = 0; room < 8; room++) {
        assert_int_equal(focal_part_live(&part, some, room), 8);
        for (size_t i = 0; i < room; i++)
            assert_int_equal(focal_merge_row_order(&some[i], &all[i]), 0);
    }
    focal_part_close(&part);
}

static void test_two_versions(void **state)
{
    (void)state;
    struct focal_part part;
    focal_part_init(&part);
    add_one(&part, 1, 1, channel, "\x03", 1);
    assert_false(focal_part_two_versions(&part));
    add_one(&part, 2, 1, channel, "\x03", 1);           /* agreement */
    add_one(&part, 2, 2, victims, "\x02\x02", 2);       /* rows are no versions of each other */
    add_one(&part, 3, 2, victims, "\x03\x02", 2);
    add_one(&part, 1, 2, map, "\x01" "a" "x", 3);
    add_one(&part, 2, 3, map, "\x01" "b" "y", 3);       /* other keys are other registers */
    assert_false(focal_part_two_versions(&part));
    add_one(&part, 3, 3, map, "\x01" "b" "z", 3);
    assert_true(focal_part_two_versions(&part));
    focal_part_clear(&part);
    struct made_entry e = { .log = 1, .seq = 1, .name = 1, .kind = 16 };        /* one entry that says two things */
    made_value_add(&e, channel, "\x02", 1);
    made_value_add(&e, channel, "\x03", 1);
    add(&part, &e);
    assert_true(focal_part_two_versions(&part));
    focal_part_close(&part);
}

static bool never(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

/* Many values, also when there is no memory to sort them in. */
static void test_two_versions_of_many(void **state)
{
    (void)state;
    struct focal_part part;
    focal_part_init(&part);
    for (uint8_t i = 1; i < 200; i++) {         /* more than the few that need no memory */
        char key[3] = { 1, (char)i, 'x' };
        add_one(&part, (uint8_t)(i % 7), i, map, key, 3);
    }
    assert_false(focal_part_two_versions(&part));
    focal_alloc_hook(never, NULL);
    bool without_memory = focal_part_two_versions(&part);
    focal_alloc_hook(NULL, NULL);
    assert_false(without_memory);
    add_one(&part, 8, 1, map, "\x01\x31y", 3);
    assert_true(focal_part_two_versions(&part));
    focal_alloc_hook(never, NULL);
    without_memory = focal_part_two_versions(&part);
    focal_alloc_hook(NULL, NULL);
    assert_true(without_memory);
    focal_part_close(&part);
}

static int number_order(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void test_sort(void **state)
{
    (void)state;
    static uint32_t numbers[3000];
    static const size_t counts[] = { 0, 1, 2, 3, 16, 31, 40, 100, 3000 };
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        for (int shape = 0; shape < 4; shape++) {
            uint32_t seed = 7;
            uint64_t sum = 0, after = 0;
            for (size_t i = 0; i < counts[c]; i++) {
                seed = seed * 1664525u + 1013904223u;
                numbers[i] = shape == 0 ? (uint32_t)i : shape == 1 ? (uint32_t)(counts[c] - i) : shape == 2 ? seed >> 8 : seed >> 30;
                sum += (uint64_t)numbers[i] * numbers[i];
            }
            focal_merge_sort(numbers, counts[c], sizeof numbers[0], number_order);
            for (size_t i = 0; i < counts[c]; i++) {
                after += (uint64_t)numbers[i] * numbers[i];
                assert_true(i == 0 || numbers[i - 1] <= numbers[i]);
            }
            assert_true(sum == after);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_in_any_room),
        cmocka_unit_test(test_two_versions),
        cmocka_unit_test(test_two_versions_of_many),
        cmocka_unit_test(test_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
