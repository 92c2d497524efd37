/* The buffer and the cursor: what one writes the other reads, and neither runs past an end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/base.h"

#include <string.h>

static void a_buffer_grows_to_its_limit_and_no_further(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 1000);
    for (int i = 0; i < 1000; i++)
        focal_buf_u8(&buf, (uint8_t)i);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i], (uint8_t)i);
    focal_buf_u8(&buf, 1);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1000);
    focal_buf_clear(&buf);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 0);
    focal_buf_be64(&buf, 5);
    assert_int_equal(buf.len, 8);
    focal_buf_close(&buf);
    assert_int_equal(buf.limit, 1000);
}

static void a_failed_append_adds_nothing_and_stays(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 10);
    focal_buf_text(&buf, "12345678");
    focal_buf_text(&buf, "abc");
    assert_true(buf.failed);
    focal_buf_text(&buf, "z");
    assert_int_equal(buf.len, 8);
    assert_string_equal(focal_buf_cstr(&buf), "");
    focal_buf_close(&buf);

    focal_buf_init(&buf, 10);
    focal_buf_item(&buf, 1, focal_span_text("123456789"));
    assert_true(buf.failed);
    assert_int_equal(buf.len, 0);
    focal_buf_clear(&buf);
    focal_buf_item(&buf, 1, focal_span_text("12345678"));
    assert_false(buf.failed);
    assert_int_equal(buf.len, 10);
    focal_buf_clear(&buf);
    focal_buf_item(&buf, 1, focal_span_of("x", SIZE_MAX));
    assert_true(buf.failed);
    focal_buf_close(&buf);
}

static void text_of_a_buffer_is_ended_even_at_the_limit(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 3);
    assert_string_equal(focal_buf_cstr(&buf), "");
    focal_buf_text(&buf, "abc");
    assert_string_equal(focal_buf_cstr(&buf), "abc");
    assert_int_equal(buf.len, 3);
    focal_buf_truncate(&buf, 1);
    assert_string_equal(focal_buf_cstr(&buf), "a");
    focal_buf_close(&buf);

    focal_buf_init(&buf, 0);
    assert_non_null(focal_buf_reserve(&buf, 0));
    assert_non_null(focal_buf_view(&buf).data);
    assert_string_equal(focal_buf_cstr(&buf), "");
    assert_null(focal_buf_reserve(&buf, 1));
    focal_buf_wipe_close(&buf);
}

static void printf_takes_short_and_long_lines(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 10000);
    focal_buf_printf(&buf, "%d-%s", 7, "x");
    assert_string_equal(focal_buf_cstr(&buf), "7-x");
    /* Around the size of the inner scratch, where the second formatting begins. */
    for (int width = 250; width < 260; width++) {
        focal_buf_clear(&buf);
        focal_buf_printf(&buf, "%0*d", width, 1);
        assert_int_equal(buf.len, width);
        assert_int_equal(buf.data[width - 1], '1');
    }
    focal_buf_printf(&buf, "%020000d", 1);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 259);
    focal_buf_close(&buf);
}

static bool never(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

static void without_memory_a_buffer_fails_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, SIZE_MAX);
    focal_buf_text(&buf, "kept");
    focal_alloc_hook(never, NULL);
    assert_null(focal_buf_reserve(&buf, 1000));
    focal_alloc_hook(NULL, NULL);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.data, "kept", 4);
    focal_buf_clear(&buf);
    assert_null(focal_buf_reserve(&buf, SIZE_MAX));
    focal_buf_clear(&buf);
    assert_null(focal_buf_reserve(&buf, SIZE_MAX - 1));
    focal_buf_close(&buf);
}

static void a_big_buffer_keeps_its_bytes_while_it_grows(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 3 * 1024 * 1024);
    for (uint32_t i = 0; i < 700000; i++)
        focal_buf_be32(&buf, i * 2654435761u);
    assert_false(buf.failed);
    struct focal_cur cur = focal_cur_of(focal_buf_view(&buf));
    for (uint32_t i = 0; i < 700000; i++)
        if (focal_cur_be32(&cur) != i * 2654435761u)
            fail_msg("word %u changed", (unsigned)i);
    assert_true(focal_cur_done(&cur));
    focal_buf_close(&buf);
}

static void numbers_are_written_big_end_first(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 100);
    focal_buf_u8(&buf, 0x01);
    focal_buf_be16(&buf, 0x0203);
    focal_buf_be32(&buf, 0x04050607);
    focal_buf_be64(&buf, 0xF8F9FAFBFCFDFEFF);
    static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF };
    assert_int_equal(buf.len, sizeof want);
    assert_memory_equal(buf.data, want, sizeof want);
    struct focal_cur cur = focal_cur_of(focal_buf_view(&buf));
    assert_int_equal(focal_cur_u8(&cur), 1);
    assert_int_equal(focal_cur_be16(&cur), 0x0203);
    assert_int_equal(focal_cur_be32(&cur), 0x04050607);
    assert_true(focal_cur_be64(&cur) == 0xF8F9FAFBFCFDFEFF);
    assert_true(focal_cur_done(&cur));
    focal_buf_close(&buf);
}

static void varints_go_round_in_one_form_only(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 100);
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int near = -1; near <= 1; near++) {
            uint64_t v = ((uint64_t)1 << bit) + (uint64_t)near;
            focal_buf_clear(&buf);
            focal_buf_varint(&buf, v);
            struct focal_cur cur = focal_cur_of(focal_buf_view(&buf));
            assert_true(focal_cur_varint(&cur) == v);
            assert_true(focal_cur_done(&cur));
            /* The same number made longer by an empty last byte is another form of it, so it is refused. */
            if (buf.len < 10) {
                buf.data[buf.len - 1] |= 0x80;
                focal_buf_u8(&buf, 0);
                cur = focal_cur_of(focal_buf_view(&buf));
                assert_true(focal_cur_varint(&cur) == 0);
                assert_true(cur.failed);
            }
        }
    }
    focal_buf_clear(&buf);
    focal_buf_varint(&buf, UINT64_MAX);
    assert_int_equal(buf.len, 10);
    focal_buf_clear(&buf);
    focal_buf_varint(&buf, 300);
    assert_memory_equal(buf.data, "\xAC\x02", 2);
    focal_buf_close(&buf);
}

static void bad_varints_fail(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t len; } bad[] = {
        { "", 0 },
        { "\x80", 1 },
        { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10 },
        { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11 },
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10 },
        { "\x80\x00", 2 },
        { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81", 10 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct focal_cur cur = focal_cur_of(focal_span_of(bad[i].bytes, bad[i].len));
        assert_true(focal_cur_varint(&cur) == 0);
        assert_true(cur.failed);
        assert_int_equal(focal_cur_left(&cur), 0);
    }
}

static void a_failed_cursor_gives_zeros_for_ever(void **state)
{
    (void)state;
    uint8_t to[4] = { 9, 9, 9, 9 };
    struct focal_cur cur = focal_cur_of(focal_span_of("\x01\x02\x03", 3));
    assert_int_equal(focal_cur_u8(&cur), 1);
    assert_int_equal(focal_cur_be32(&cur), 0);
    assert_true(cur.failed);
    assert_false(focal_cur_done(&cur));
    assert_int_equal(focal_cur_u8(&cur), 0);
    assert_int_equal(focal_cur_be16(&cur), 0);
    assert_true(focal_cur_be64(&cur) == 0);
    assert_int_equal(focal_cur_bytes(&cur, 1).len, 0);
    assert_non_null(focal_cur_bytes(&cur, 1).data);
    assert_int_equal(focal_cur_rest(&cur).len, 0);
    focal_cur_copy(&cur, to, 4);
    assert_memory_equal(to, "\0\0\0\0", 4);
}

static void a_cursor_over_nothing_is_done(void **state)
{
    (void)state;
    struct focal_cur cur = focal_cur_of((struct focal_span){ 0 });
    assert_true(focal_cur_done(&cur));
    assert_int_equal(focal_cur_rest(&cur).len, 0);
    assert_true(focal_cur_done(&cur));
    focal_cur_copy(&cur, NULL, 0);
    assert_true(focal_cur_done(&cur));
    focal_cur_bytes(&cur, SIZE_MAX);
    assert_true(cur.failed);
}

static void items_go_round_and_lying_lengths_fail(void **state)
{
    (void)state;
    struct focal_buf buf;
    focal_buf_init(&buf, 1000);
    focal_buf_item(&buf, 3, focal_span_text("value"));
    focal_buf_item(&buf, 1000, (struct focal_span){ 0 });
    struct focal_cur cur = focal_cur_of(focal_buf_view(&buf));
    uint64_t tag = 0;
    struct focal_span value = focal_cur_item(&cur, &tag);
    assert_int_equal(tag, 3);
    assert_true(focal_span_equal(value, focal_span_text("value")));
    value = focal_cur_item(&cur, &tag);
    assert_int_equal(tag, 1000);
    assert_int_equal(value.len, 0);
    assert_true(focal_cur_done(&cur));

    /* Every cut of the bytes fails, none reads past its end (the sanitizer watches). */
    for (size_t len = 0; len < 7; len++) {
        uint8_t *cut = focal_alloc(len);
        memcpy(cut, buf.data, len);
        cur = focal_cur_of(focal_span_of(cut, len));
        tag = 99;
        value = focal_cur_item(&cur, &tag);
        assert_true(cur.failed);
        assert_int_equal(tag, 0);
        assert_int_equal(value.len, 0);
        focal_free(cut);
    }
    cur = focal_cur_of(focal_span_of("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01zz", 13));
    focal_cur_item(&cur, &tag);
    assert_true(cur.failed);
    focal_buf_close(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_to_its_limit_and_no_further),
        cmocka_unit_test(a_failed_append_adds_nothing_and_stays),
        cmocka_unit_test(text_of_a_buffer_is_ended_even_at_the_limit),
        cmocka_unit_test(printf_takes_short_and_long_lines),
        cmocka_unit_test(without_memory_a_buffer_fails_and_keeps_what_it_has),
        cmocka_unit_test(a_big_buffer_keeps_its_bytes_while_it_grows),
        cmocka_unit_test(numbers_are_written_big_end_first),
        cmocka_unit_test(varints_go_round_in_one_form_only),
        cmocka_unit_test(bad_varints_fail),
        cmocka_unit_test(a_failed_cursor_gives_zeros_for_ever),
        cmocka_unit_test(a_cursor_over_nothing_is_done),
        cmocka_unit_test(items_go_round_and_lying_lengths_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
