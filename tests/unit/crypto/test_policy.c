/* Policies: one byte string for each, nothing else taken; names and bits to come are kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

static enum focal_status decode(struct focal_statement *out, struct focal_buf *whole, const struct focal_policy *p)
{
    static const uint8_t zeroes[64];
    struct focal_buf body;
    focal_buf_init(&body, 1000);
    focal_policy_encode(&body, p);
    focal_buf_clear(whole);
    focal_buf_bytes(whole, zeroes, sizeof zeroes);
    focal_buf_span(whole, focal_buf_view(&body));
    assert_false(whole->failed);
    focal_buf_close(&body);
    return focal_statement_decode(out, focal_buf_view(whole));
}

static void same(const struct focal_policy *a, const struct focal_policy *b)
{
    assert_string_equal(a->name, b->name);
    assert_true(a->number == b->number && a->value == b->value && a->day == b->day);
}

static void rounds(void **state)
{
    struct focal_policy p = { .name = FOCAL_POLICY_TWO_PERSONS, .number = UINT64_MAX, .value = UINT64_MAX, .day = 20100 };
    struct focal_statement d;
    struct focal_buf whole;
    (void)state;
    focal_buf_init(&whole, 1000);
    assert_int_equal(decode(&d, &whole, &p), FOCAL_OK);
    assert_int_equal(d.kind, FOCAL_STATEMENT_POLICY);
    assert_false(d.newer);
    assert_true(focal_span_equal(d.subject, focal_span_text("two-persons")));
    same(&d.is.policy, &p);
    memset(p.name, 'x', sizeof p.name - 1);             /* one that comes later */
    p.value = 0;
    assert_int_equal(decode(&d, &whole, &p), FOCAL_OK);
    same(&d.is.policy, &p);
    for (size_t len = 64; len < whole.len; len++)
        assert_int_equal(focal_statement_decode(&d, focal_span_of(whole.data, len)), FOCAL_MALFORMED);
    focal_buf_close(&whole);
}

/* Each item left out or of another form. */
static void malformed(void **state)
{
    static const uint8_t zeroes[64];
    struct focal_statement d;
    struct focal_buf whole;
    (void)state;
    focal_buf_init(&whole, 1000);
    for (unsigned wrong = 0; wrong <= 8; wrong++) {
        focal_buf_clear(&whole);
        focal_buf_bytes(&whole, zeroes, sizeof zeroes);
        focal_buf_varint(&whole, FOCAL_STATEMENT_POLICY);
        for (unsigned tag = 1; tag <= 4; tag++) {
            const struct focal_span good = tag == 1 ? focal_span_text("a") : tag == 4 ? focal_span_of(zeroes, 4) : focal_span_text("\x01");
            if (wrong != tag)
                focal_buf_item(&whole, tag, wrong != tag + 4 ? good : tag == 1 ? focal_span_of(NULL, 0) : tag == 2 ? focal_span_of(zeroes, 1) : focal_span_of(zeroes, 3));
        }
        assert_int_equal(focal_statement_decode(&d, focal_buf_view(&whole)), wrong ? FOCAL_MALFORMED : FOCAL_OK);
    }
    focal_buf_close(&whole);
}

int main(void)
{
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    const struct CMUnitTest tests[] = { cmocka_unit_test(rounds), cmocka_unit_test(malformed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
