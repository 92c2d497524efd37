/* The form of sealed values, as everybody sees it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/model.h"

enum { MOST = 67 + 8 * 80 + 8192 + 16 };
static uint8_t bytes[MOST + 2];

static size_t form(uint8_t version, uint8_t n, uint8_t c)
{
    memset(bytes, 0xaa, sizeof bytes);
    bytes[0] = version;
    bytes[1] = n;
    bytes[2] = c;
    for (size_t i = 0; i < n && 67 + 80 * i < sizeof bytes; i++)
        bytes[67 + 80 * i] = (uint8_t)i;
    return 67 + 80 * (size_t)n + ((size_t)32 << (c & 15)) + 16;
}

static enum focal_status decode(size_t len)
{
    struct focal_sealed s, nothing = { 0 };
    enum focal_status st = focal_sealed_decode(&s, focal_span_of(bytes, len));
    if (st != FOCAL_OK)
        assert_memory_equal(&s, &nothing, sizeof s);
    return st;
}

static void every_size_is_read(void **state)
{
    (void)state;
    for (uint8_t n = 1; n <= FOCAL_SEALED_ADDRESSEES_MAX; n++)
        for (uint8_t c = 0; c <= FOCAL_SEALED_CLASS_MAX; c++) {
            struct focal_sealed s;
            const size_t len = form(1, n, c);
            assert_int_equal(focal_sealed_decode(&s, focal_span_of(bytes, len)), FOCAL_OK);
            assert_int_equal(s.addressees, n);
            assert_int_equal(s.room, 32u << c);
            assert_int_equal(s.before.len + s.body.len, len);
            assert_ptr_equal(s.before.data, bytes);
            assert_int_equal(s.body.len, s.room + 16);
            assert_ptr_equal(s.ephemeral, bytes + 3);
            assert_ptr_equal(s.commitment, bytes + 35);
            assert_ptr_equal(focal_sealed_to(&s, n - 1u), bytes + 67 + 80 * (n - 1));
            assert_ptr_equal(focal_sealed_wrap(&s, n - 1u), bytes + 67 + 80 * (n - 1) + 32);
            assert_int_equal(focal_sealed_bytes(s.room - 2, n), len);
            assert_int_equal(focal_sealed_bytes(s.room - 1, n), c < FOCAL_SEALED_CLASS_MAX ? len + s.room : 0);
            assert_int_equal(decode(len - 1), FOCAL_MALFORMED);
            assert_int_equal(decode(len + 1), FOCAL_MALFORMED);
        }
}

static void other_forms_are_not(void **state)
{
    (void)state;
    assert_int_equal(decode(0), FOCAL_MALFORMED);
    assert_int_equal(decode(form(1, 0, 0)), FOCAL_MALFORMED);
    assert_int_equal(decode(form(1, 9, 0)), FOCAL_MALFORMED);
    form(1, 1, 9);
    assert_int_equal(decode(sizeof bytes), FOCAL_MALFORMED);
    for (unsigned version = 0; version < 256; version++)
        assert_int_equal(decode(form((uint8_t)version, 2, 0)), version == 1 ? FOCAL_OK : FOCAL_UNSUPPORTED);
    const size_t len = form(1, 3, 1);
    bytes[67 + 80] = 0;                 /* the second addressee before the first, and equal to it */
    assert_int_equal(decode(len), FOCAL_MALFORMED);
    bytes[67 + 80] = 1;
    assert_int_equal(decode(len), FOCAL_OK);
    memcpy(bytes + 67 + 160, bytes + 67 + 80, 32);
    assert_int_equal(decode(len), FOCAL_MALFORMED);
    for (size_t i = 0; i < 67; i++)
        assert_int_not_equal(decode(i), FOCAL_OK);
}

/* A record with a sealed value this program can place needs no newer one, whoever opens it. */
static void known_by_their_form(void **state)
{
    (void)state;
    const struct focal_field *f = focal_field_by_name(focal_kind_by_name("case"), "feedback_preference");
    const size_t len = form(1, 2, 0);
    assert_true(focal_value_known(f, focal_span_of(bytes, len)));
    bytes[0] = 2;
    assert_false(focal_value_known(f, focal_span_of(bytes, len)));
    assert_false(focal_value_known(f, focal_span_of("\x02", 1)));
}

/* The form has no place for a map's key, and who merges must see it. */
static void no_field_is_a_sealed_map(void **state)
{
    size_t sealed = 0;
    (void)state;
    for (size_t k = 0; k < focal_kind_count(); k++)
        for (size_t i = 0; i < focal_kind_at(k)->field_count; i++) {
            const uint32_t number = focal_kind_at(k)->fields[i].number;
            sealed += focal_field_is_sealed(number);
            assert_false(focal_field_is_sealed(number) && focal_field_merge(number) == FOCAL_MERGE_MAP);
        }
    assert_true(sealed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_read), cmocka_unit_test(other_forms_are_not), cmocka_unit_test(known_by_their_form),
        cmocka_unit_test(no_field_is_a_sealed_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
