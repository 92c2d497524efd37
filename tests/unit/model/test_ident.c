/* Names: identifiers, references, scopes, office codes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static void references_keep_their_bytes(void **state)
{
    (void)state;
    uint8_t in[FOCAL_REF_BYTES], out[FOCAL_REF_BYTES];
    struct focal_ref ref, parsed;
    char hex[2 * FOCAL_REF_BYTES + 1];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 37 + 200);
    focal_ref_get(&ref, in);
    assert_int_equal(ref.log.b[1], 237);
    assert_int_equal(ref.seq >> 56, in[16]);
    focal_ref_put(out, &ref);
    assert_memory_equal(in, out, sizeof in);
    focal_hex(hex, in, sizeof in);
    assert_true(focal_ref_parse(&parsed, focal_span_text(hex)));
    assert_int_equal(focal_ref_compare(&ref, &parsed), 0);
    assert_false(focal_ref_parse(&parsed, focal_span_of(hex, 63)));
    assert_false(focal_ref_parse(&parsed, focal_span_of(hex, 0)));
    hex[5] = 'g';
    assert_false(focal_ref_parse(&parsed, focal_span_text(hex)));
}

/* Any byte changed upwards: the order of references is the order of their bytes. */
static void references_order_like_their_bytes(void **state)
{
    (void)state;
    uint8_t low[FOCAL_REF_BYTES], high[FOCAL_REF_BYTES];
    struct focal_ref a, b;
    memset(low, 0x7F, sizeof low);
    for (size_t i = 0; i < sizeof low; i++) {
        memcpy(high, low, sizeof low);
        high[i] = 0x80;
        if (i + 1 < sizeof low)
            high[i + 1] = 0;
        focal_ref_get(&a, low);
        focal_ref_get(&b, high);
        assert_int_equal(focal_ref_compare(&a, &b), -1);
        assert_int_equal(focal_ref_compare(&b, &a), 1);
        assert_int_equal(focal_ref_compare(&b, &b), 0);
    }
}

static void equality_looks_at_every_byte(void **state)
{
    (void)state;
    struct focal_id a = { { 0 } }, b = { { 0 } };
    struct focal_hash g = { { 0 } }, h = { { 0 } };
    struct focal_key k = { { 0 } }, l = { { 0 } };
    assert_true(focal_id_equal(&a, &b) && focal_hash_equal(&g, &h) && focal_key_equal(&k, &l));
    a.b[15] = g.b[31] = k.b[31] = 1;
    assert_false(focal_id_equal(&a, &b));
    assert_false(focal_hash_equal(&g, &h));
    assert_false(focal_key_equal(&k, &l));
    assert_false(focal_bytes_zero(g.b, 32));
    assert_true(focal_bytes_zero(g.b, 31));
    assert_true(focal_bytes_zero(g.b, 0));
}

static void scopes_are_read_and_printed(void **state)
{
    (void)state;
    static const char *const good[] = { "control", "network", "country:KEN", "country:SSD" };
    static const char *const bad[] = { "", "Control", "networks", "country", "country:", "country:KE", "country:ken",
                                       "country:KENY", "country:K1N", "country:KE1", "Country:KEN", "sealed", "local", " network" };
    struct focal_scope scope, last = { 0 };
    char text[16];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        memset(&scope, 0xEE, sizeof scope);
        assert_true(focal_scope_parse(&scope, focal_span_text(good[i])));
        focal_scope_print(text, &scope);
        assert_string_equal(text, good[i]);
        if (i > 0) {
            assert_int_equal(focal_scope_compare(&last, &scope), -1);
            assert_int_equal(focal_scope_compare(&scope, &last), 1);
        }
        assert_int_equal(focal_scope_compare(&scope, &scope), 0);
        last = scope;
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(focal_scope_parse(&scope, focal_span_text(bad[i])));
    static const struct { uint8_t cls; const char *name; } others[] = { { FOCAL_SCOPE_SEALED, "sealed" }, { FOCAL_SCOPE_LOCAL, "local" }, { 200, "scope-200" } };
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        struct focal_scope odd = { .cls = others[k].cls };
        focal_scope_print(text, &odd);
        assert_string_equal(text, others[k].name);
    }
}

static void offices_are_short_capitals(void **state)
{
    (void)state;
    static const char *const good[] = { "HQ", "KEN", "A1", "A-1", "0-9", "A--B", "ABCDEFGHIJKL" };
    static const char *const bad[] = { "", "A", "-AB", "AB-", "ken", "KEN ", "ABCDEFGHIJKLM", "K_N", "\xC3\x89TA", "--" };
    struct focal_office office;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(focal_office_parse(&office, focal_span_text(good[i])));
        assert_string_equal(office.text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(focal_office_parse(&office, focal_span_text(bad[i])));
    assert_false(focal_office_parse(&office, focal_span_of("AB\0D", 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_keep_their_bytes), cmocka_unit_test(references_order_like_their_bytes),
        cmocka_unit_test(equality_looks_at_every_byte), cmocka_unit_test(scopes_are_read_and_printed),
        cmocka_unit_test(offices_are_short_capitals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
