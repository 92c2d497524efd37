/* Payloads as a hostile peer writes them, and as we write our own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static struct focal_buf made;
static struct focal_payload decoded;

static int open_made(void **state)
{
    (void)state;
    focal_buf_init(&made, 1 << 20);
    return 0;
}

static int close_made(void **state)
{
    (void)state;
    focal_buf_close(&made);
    return 0;
}

static void start(uint64_t kind)
{
    focal_buf_clear(&made);
    focal_buf_varint(&made, kind);
}

static void item(uint64_t tag, const char *value)
{
    focal_buf_item(&made, tag, focal_span_text(value));
}

static void good(void)
{
    assert_int_equal(focal_payload_decode(&decoded, focal_buf_view(&made)), FOCAL_OK);
}

static void bad(void)
{
    assert_int_equal(focal_payload_decode(&decoded, focal_buf_view(&made)), FOCAL_MALFORMED);
    assert_int_equal(decoded.value_count, 0);
    assert_int_equal(decoded.values.len, 0);
}

static const char id32[] = "0123456789abcdef0123456789abcdef";

static void low_items(void **state)
{
    (void)state;
    focal_buf_clear(&made), bad();
    start(0), good();
    start(UINT64_MAX), good();
    start(16), item(1, id32), good();
    assert_true(decoded.has_home && decoded.home.len == 32 && !decoded.has_day);
    start(16), item(1, ""), good();
    assert_true(decoded.has_home && decoded.home.len == 0);
    start(16), item(1, id32 + 1), bad();
    start(16), item(1, ""), item(1, ""), bad();
    start(16), item(2, "abcd"), good();
    assert_true(decoded.has_day && decoded.day == 0x61626364 && !decoded.has_home);
    start(16), item(2, "abc"), bad();
    start(16), item(2, "abcde"), bad();
    start(16), item(2, "abcd"), item(1, ""), bad();
    start(16), item(0, ""), bad();
}

static void newer_items_are_kept(void **state)
{
    (void)state;
    start(16), item(1, ""), good();
    assert_false(decoded.newer);
    start(16), item(1, ""), item(3, "x"), item(63, ""), item(1032, "KEN"), good();
    assert_true(decoded.newer);
    assert_int_equal(decoded.value_count, 1);
    start(16), item(63, ""), item(63, "a"), bad();
    start(16), item(64, ""), item(63, "a"), bad();
    start(16), item(UINT64_MAX, "anything"), good();
    assert_int_equal(decoded.value_count, 1);
}

static void values_ascend(void **state)
{
    (void)state;
    start(16), item(64, "a"), item(64, "a"), item(64, "ab"), item(64, "b"), item(65, ""), good();
    assert_int_equal(decoded.value_count, 5);
    start(16), item(64, "b"), item(64, "a"), bad();
    start(16), item(64, "ab"), item(64, "a"), bad();
    start(16), item(65, "a"), item(64, "a"), bad();
    start(16), item(64, "\xFF"), item(64, "\x01"), bad();
}

static void lengths_beyond_the_end(void **state)
{
    (void)state;
    static const uint8_t huge[] = { 0x40, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 };
    static const uint8_t long_form[] = { 0x40, 0x81, 0x00, 'a' };
    start(16), focal_buf_bytes(&made, huge, sizeof huge), bad();
    start(16), focal_buf_bytes(&made, long_form, sizeof long_form), bad();
    start(16), item(64, "abc");
    size_t full = made.len;
    for (size_t len = 2; len < full; len++)
        assert_int_equal(focal_payload_decode(&decoded, focal_span_of(made.data, len)), FOCAL_MALFORMED);
    start(16), focal_buf_u8(&made, 0x40), bad();
}

static void at_most_65535_values(void **state)
{
    (void)state;
    start(16);
    for (unsigned i = 0; i < 65535; i++)
        item(64, "");
    good();
    assert_int_equal(decoded.value_count, 65535);
    struct focal_value_walk walk = { 0 };
    struct focal_item value = { 0 };
    unsigned seen = 0;
    while (focal_payload_next(&decoded, &walk, &value))
        assert_int_equal(value.ordinal, seen++);
    assert_int_equal(seen, 65535);
    item(64, "");
    bad();
}

static void walking_gives_borrowed_bytes(void **state)
{
    (void)state;
    struct focal_value_walk walk = { 0 };
    struct focal_item value;
    start(77), item(1, ""), item(1000, "one"), item(1000, "two"), item(70000, ""), good();
    assert_true(focal_payload_next(&decoded, &walk, &value));
    assert_true(value.field == 1000 && value.ordinal == 0 && value.value.len == 3);
    assert_memory_equal(value.value.data, "one", 3);
    assert_true(value.value.data > made.data && value.value.data < made.data + made.len);
    assert_true(focal_payload_next(&decoded, &walk, &value));
    assert_true(value.field == 1000 && value.ordinal == 1);
    assert_true(focal_payload_next(&decoded, &walk, &value));
    assert_true(value.field == 70000 && value.ordinal == 2 && value.value.len == 0);
    assert_false(focal_payload_next(&decoded, &walk, &value));
    assert_false(focal_payload_next(&decoded, &walk, &value));
}

/* Numbers without a pattern, the same in every run. */
static uint32_t scramble(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void encoding_sorts(void **state)
{
    (void)state;
    enum { MOST = 300 };
    static struct focal_item items[MOST];
    static uint8_t bytes[MOST][2];
    uint32_t seed = 7;
    for (size_t count = 0; count <= MOST; count += count < 70 ? 1 : 23) {
        for (size_t i = 0; i < count; i++) {
            bytes[i][0] = (uint8_t)(scramble(&seed) % 4);
            bytes[i][1] = (uint8_t)scramble(&seed);
            items[i].field = 64 + scramble(&seed) % 9;
            items[i].value = focal_span_of(bytes[i], scramble(&seed) % 3);
        }
        uint32_t day = 9;
        struct focal_span home = focal_span_text(id32);
        struct focal_buf again;
        focal_buf_init(&again, 1 << 16);
        focal_buf_clear(&made);
        focal_payload_encode(&made, 16, &home, &day, items, count);
        good();
        assert_int_equal(decoded.value_count, count);
        assert_true(decoded.has_home && decoded.day == 9);
        static struct focal_item sorted[MOST];
        struct focal_value_walk walk = { 0 };
        for (size_t i = 0; i < count; i++)
            assert_true(focal_payload_next(&decoded, &walk, &sorted[i]));
        focal_payload_encode(&again, 16, &home, &day, sorted, count);
        assert_int_equal(again.len, made.len);
        assert_memory_equal(again.data, made.data, made.len);
        focal_buf_close(&again);
    }
}

static bool refuse_all(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

static void no_memory_is_no_crash(void **state)
{
    (void)state;
    static struct focal_item items[200];
    static uint8_t bytes[200];
    for (size_t i = 0; i < 200; i++) {
        bytes[i] = (uint8_t)(200 - i);
        items[i] = (struct focal_item){ .field = 64, .value = focal_span_of(&bytes[i], 1) };
    }
    focal_buf_clear(&made);
    focal_alloc_hook(refuse_all, NULL);
    focal_payload_encode(&made, 16, NULL, NULL, items, 200);
    bool failed = made.failed;
    focal_alloc_hook(NULL, NULL);
    assert_true(failed);

    struct focal_buf small;
    focal_buf_init(&small, 20);
    focal_payload_encode(&small, 16, NULL, NULL, items, 64);
    assert_true(small.failed);
    focal_buf_close(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(low_items),              cmocka_unit_test(newer_items_are_kept),
        cmocka_unit_test(values_ascend),          cmocka_unit_test(lengths_beyond_the_end),
        cmocka_unit_test(at_most_65535_values),   cmocka_unit_test(walking_gives_borrowed_bytes),
        cmocka_unit_test(encoding_sorts),         cmocka_unit_test(no_memory_is_no_crash),
    };
    return cmocka_run_group_tests(tests, open_made, close_made);
}
