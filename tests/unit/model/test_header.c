/* Headers as a hostile peer writes them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static struct focal_buf made;

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

static void start(uint64_t shape, uint64_t seq)
{
    focal_buf_clear(&made);
    focal_buf_varint(&made, shape);
    focal_buf_varint(&made, seq);
}

/* An item of `len` bytes that all are `byte`. */
static void item(uint64_t tag, uint8_t byte, size_t len)
{
    uint8_t bytes[512];
    assert_true(len <= sizeof bytes);
    memset(bytes, byte, len);
    focal_buf_item(&made, tag, focal_span_of(bytes, len));
}

/* Blocks of `size` bytes that all are first, first + step, … */
static void blocks(uint64_t tag, size_t size, int count, int first, int step)
{
    uint8_t bytes[512];
    assert_true(size * (size_t)count <= sizeof bytes);
    for (int i = 0; i < count; i++)
        memset(bytes + (size_t)i * size, first + i * step, size);
    focal_buf_item(&made, tag, focal_span_of(bytes, size * (size_t)count));
}

static struct focal_header decoded;

static enum focal_status decode(void)
{
    assert_false(made.failed);
    return focal_header_decode(&decoded, focal_buf_view(&made));
}

static void good(void)
{
    assert_int_equal(decode(), FOCAL_OK);
}

/* A header that is refused leaves nothing behind that could be used by mistake. */
static void bad(void)
{
    static const struct focal_header empty;
    assert_int_equal(decode(), FOCAL_MALFORMED);
    assert_int_equal(decoded.shape, empty.shape);
    assert_int_equal(decoded.seq, 0);
    assert_null(decoded.replaced.data);
}

static void shape_and_sequence(void **state)
{
    (void)state;
    focal_buf_clear(&made);
    bad();
    focal_buf_u8(&made, 1);
    bad();
    start(0, 1), bad();
    start(1, 0), bad();
    start(1, 1), good();
    assert_true(decoded.creates);
    start(1, UINT64_MAX), good();
    assert_true(decoded.seq == UINT64_MAX);
    start(2, 1), good();
    start(2, 2), bad();
    start(3, 1), bad();
}

static void numbers_in_their_shortest_form(void **state)
{
    (void)state;
    static const uint8_t long_shape[] = { 0x81, 0x00, 0x05 }, long_seq[] = { 0x01, 0x85, 0x00 };
    static const uint8_t long_tag[] = { 0x01, 0x05, 0x90, 0x80, 0x00, 0x00 };
    focal_buf_clear(&made), focal_buf_bytes(&made, long_shape, 3), bad();
    focal_buf_clear(&made), focal_buf_bytes(&made, long_seq, 3), bad();
    focal_buf_clear(&made), focal_buf_bytes(&made, long_tag, 6), bad();
}

static void items_of_an_ordinary_entry(void **state)
{
    (void)state;
    start(1, 5), item(1, 7, 32), good();
    assert_false(decoded.creates);
    assert_int_equal(decoded.record.h8[7], 7);
    start(1, 5), item(1, 7, 31), bad();
    start(1, 5), item(1, 7, 33), bad();
    start(1, 5), item(1, 7, 32), item(1, 7, 32), bad();
    start(1, 5), item(0, 7, 32), bad();
    start(1, 5), item(3, 7, 56), bad();
    start(1, 5), item(15, 7, 0), bad();

    start(1, 5), blocks(2, 34, 3, 1, 1), good();
    assert_int_equal(focal_header_replaced_count(&decoded), 3);
    start(1, 5), blocks(2, 34, 0, 1, 1), bad();
    start(1, 5), blocks(2, 34, 2, 1, 0), bad();
    start(1, 5), blocks(2, 34, 2, 9, -1), bad();
    start(1, 5), item(2, 1, 35), bad();
    start(1, 5), blocks(2, 34, 1, 1, 1), item(1, 7, 32), bad();
    start(1, 5), item(1, 7, 32), focal_buf_u8(&made, 2), bad();
}

static void items_of_a_begin_entry(void **state)
{
    (void)state;
    start(2, 1), blocks(3, 56, 2, 1, 1), good();
    assert_int_equal(focal_header_previous_count(&decoded), 2);
    start(2, 1), blocks(3, 56, 0, 1, 1), bad();
    start(2, 1), blocks(3, 56, 2, 1, 0), bad();
    start(2, 1), item(3, 1, 57), bad();
    start(2, 1), item(1, 1, 32), bad();
}

static void quote_with(uint64_t inner_shape, size_t from, size_t commitment)
{
    struct focal_buf inner;
    focal_buf_init(&inner, 1024);
    focal_buf_varint(&inner, inner_shape);
    focal_buf_varint(&inner, 1);
    start(3, 9);
    item(4, 1, from);
    focal_buf_item(&made, 5, focal_buf_view(&inner));
    item(6, 2, commitment);
    focal_buf_close(&inner);
}

static void items_of_a_quote(void **state)
{
    (void)state;
    quote_with(1, 80, 32), good();
    quote_with(1, 79, 32), bad();
    quote_with(1, 80, 33), bad();
    quote_with(2, 80, 32), bad();
    quote_with(3, 80, 32), bad();
    quote_with(4, 80, 32), bad();
    start(3, 9), item(4, 1, 80), item(6, 2, 32), bad();
    start(3, 9), item(5, 1, 2), item(6, 2, 32), bad();
    start(3, 9), item(4, 1, 80), item(5, 1, 0), item(6, 2, 32), bad();
    start(3, 9), item(4, 1, 80), item(5, 1, 2), bad();
    start(3, 9), item(4, 1, 80), item(5, 1, 2), item(6, 2, 32), good();
}

/* A quote in a quote in a quote: refused at once, however deep. */
static void quotes_do_not_nest(void **state)
{
    (void)state;
    struct focal_buf inner;
    focal_buf_init(&inner, 1 << 20);
    focal_buf_varint(&inner, 1);
    focal_buf_varint(&inner, 1);
    for (int depth = 0; depth < 2000; depth++) {
        start(3, 9);
        item(4, 1, 80);
        focal_buf_item(&made, 5, focal_buf_view(&inner));
        item(6, 2, 32);
        focal_buf_clear(&inner);
        focal_buf_span(&inner, focal_buf_view(&made));
        if (depth == 0)
            good();
        else
            bad();
    }
    focal_buf_close(&inner);
}

static void newer_things_are_kept(void **state)
{
    (void)state;
    start(1, 5), good();
    assert_false(decoded.newer);
    start(1, 5), item(16, 1, 3), good();
    assert_true(decoded.newer && decoded.creates);
    start(2, 1), item(UINT64_MAX, 1, 0), good();
    assert_true(decoded.newer);
    start(1, 5), item(17, 1, 3), item(16, 1, 3), bad();
    start(1, 5), item(16, 1, 3), item(16, 1, 3), bad();
    start(4, 5), good();
    assert_true(decoded.newer && !decoded.creates);
    start(900, 5), item(0, 1, 3), item(1, 2, 3), good();
    assert_true(decoded.newer);
    start(900, 5), item(1, 2, 3), item(1, 2, 3), bad();
    start(900, 0), bad();
    start(3, 9), item(4, 1, 80);
    static const uint8_t newer_inner[] = { 1, 1, 16, 0 };
    focal_buf_item(&made, 5, focal_span_of(newer_inner, 4));
    item(6, 2, 32), good();
    assert_true(decoded.newer);
}

/* Every shorter piece of a good header is bad, or is a good header itself that encodes to just that piece. */
static void truncated_headers(void **state)
{
    (void)state;
    struct focal_buf again;
    focal_buf_init(&again, 1024);
    for (int shape = 1; shape <= 3; shape++) {
        if (shape == 3)
            quote_with(1, 80, 32);
        else if (shape == 2)
            start(2, 1), blocks(3, 56, 2, 1, 1);
        else
            start(1, 700), item(1, 7, 32), blocks(2, 34, 2, 1, 1);
        size_t full = made.len;
        for (size_t len = 0; len < full; len++) {
            focal_buf_truncate(&made, full);
            struct focal_header h;
            if (focal_header_decode(&h, focal_span_of(made.data, len)) != FOCAL_OK)
                continue;
            focal_buf_clear(&again);
            focal_header_encode(&again, &h);
            assert_int_equal(again.len, len);
            assert_memory_equal(again.data, made.data, len);
        }
    }
    focal_buf_close(&again);
}

static void replaced_values_have_an_order(void **state)
{
    (void)state;
    struct focal_replaced a = { .ordinal = 1 }, b = { .ordinal = 2 };
    assert_int_equal(focal_replaced_compare(&a, &b), -1);
    assert_int_equal(focal_replaced_compare(&b, &a), 1);
    assert_int_equal(focal_replaced_compare(&a, &a), 0);
    a.entry.seq = 3;
    assert_int_equal(focal_replaced_compare(&a, &b), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_and_sequence),         cmocka_unit_test(numbers_in_their_shortest_form),
        cmocka_unit_test(items_of_an_ordinary_entry), cmocka_unit_test(items_of_a_begin_entry),
        cmocka_unit_test(items_of_a_quote),           cmocka_unit_test(quotes_do_not_nest),
        cmocka_unit_test(newer_things_are_kept),      cmocka_unit_test(truncated_headers),
        cmocka_unit_test(replaced_values_have_an_order),
    };
    return cmocka_run_group_tests(tests, open_made, close_made);
}
