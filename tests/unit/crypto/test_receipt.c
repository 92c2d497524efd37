/* Receipts: form, order of heads, and a signature that binds the network. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

static uint8_t heads[(FOCAL_RECEIPT_HEADS_MAX + 1) * 56];

static void sample(struct focal_receipt *r, size_t count)
{
    for (size_t i = 0; i <= FOCAL_RECEIPT_HEADS_MAX; i++) {
        heads[56 * i] = (uint8_t)(i >> 8);
        heads[56 * i + 1] = (uint8_t)i;
        heads[56 * i + 23] = 17;                    /* sequence */
        heads[56 * i + 55] = (uint8_t)~i;
    }
    memset(r, 0, sizeof *r);
    memcpy(r->office.text, "KEN-1", 5);
    memset(&r->signer, 1, 32);
    memset(&r->epoch, 2, 16);
    memset(&r->scope, 3, 32);
    r->number = 1;
    r->day = 20000;
    memset(&r->statements, 4, 32);
    r->heads = focal_span_of(heads, 56 * count);
}

static void receipts_round(void **state)
{
    (void)state;
    const size_t counts[] = { 0, 1, 2, FOCAL_RECEIPT_HEADS_MAX };
    for (size_t i = 0; i < 4; i++) {
        struct focal_receipt r, d;
        struct focal_buf body, again;
        sample(&r, counts[i]);
        focal_buf_init(&body, FOCAL_RECEIPT_MAX);
        focal_buf_init(&again, FOCAL_RECEIPT_MAX);
        focal_receipt_encode(&body, &r);
        assert_false(body.failed);
        assert_int_equal(focal_receipt_decode(&d, focal_buf_view(&body)), FOCAL_OK);
        assert_string_equal(d.office.text, "KEN-1");
        assert_int_equal(d.day, 20000);
        assert_int_equal(focal_receipt_head_count(&d), counts[i]);
        for (size_t k = 0; k < counts[i]; k++) {
            struct focal_receipt_head head;
            focal_receipt_head(&head, &d, k);
            assert_int_equal(head.log.b[0] << 8 | head.log.b[1], k);
            assert_int_equal(head.tip.seq, 17);
            assert_int_equal(head.tip.h.b[31], (uint8_t)~k);
        }
        focal_receipt_encode(&again, &d);
        assert_true(focal_span_equal(focal_buf_view(&again), focal_buf_view(&body)));
        for (size_t len = 0; len < body.len; len += len < 300 ? 1 : 997)
            assert_int_equal(focal_receipt_decode(&d, focal_span_of(body.data, len)), FOCAL_MALFORMED);
        focal_buf_close(&body);
        focal_buf_close(&again);
    }
}

static enum focal_status decode_with(const struct focal_receipt *r, struct focal_span raw_heads, uint64_t extra)
{
    struct focal_receipt plain = *r, d;
    struct focal_buf body;
    plain.heads = focal_span_of(NULL, 0);
    focal_buf_init(&body, 1 << 20);
    focal_receipt_encode(&body, &plain);
    focal_buf_truncate(&body, body.len - 2);        /* the empty list of heads */
    focal_buf_item(&body, 8, raw_heads);
    if (extra > 0)
        focal_buf_item(&body, extra, focal_span_text("x"));
    assert_false(body.failed);
    enum focal_status status = focal_receipt_decode(&d, focal_buf_view(&body));
    focal_buf_close(&body);
    return status;
}

static void heads_in_order(void **state)
{
    (void)state;
    struct focal_receipt r;
    uint8_t two[2 * 56];
    sample(&r, 0);
    assert_int_equal(decode_with(&r, focal_span_of(heads, 2 * 56), 0), FOCAL_OK);
    assert_int_equal(decode_with(&r, focal_span_of(heads, 2 * 56 - 1), 0), FOCAL_MALFORMED);
    memcpy(two, heads + 56, 56);
    memcpy(two + 56, heads, 56);
    assert_int_equal(decode_with(&r, focal_span_of(two, sizeof two), 0), FOCAL_MALFORMED);
    memcpy(two + 56, two, 56);
    assert_int_equal(decode_with(&r, focal_span_of(two, sizeof two), 0), FOCAL_MALFORMED);
    assert_int_equal(decode_with(&r, focal_span_of(heads, sizeof heads), 0), FOCAL_MALFORMED);
    assert_int_equal(decode_with(&r, focal_span_of(heads, 56), 9), FOCAL_MALFORMED);
    assert_int_equal(decode_with(&r, focal_span_of(heads, 56), 15), FOCAL_MALFORMED);
    assert_int_equal(decode_with(&r, focal_span_of(heads, 56), 16), FOCAL_OK);
}

static void signature_binds(void **state)
{
    (void)state;
    struct focal_sign_key key;
    struct focal_hash network = { { 1 } }, other = { { 2 } };
    struct focal_signature signature;
    struct focal_receipt r;
    struct focal_buf body;
    uint8_t seed[32] = { 6 };
    sample(&r, 3);
    focal_sign_key_make(&key, seed);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    focal_receipt_encode(&body, &r);
    focal_receipt_sign(&signature, key.secret, &network, focal_buf_view(&body));
    assert_true(focal_receipt_verify(&signature, &key.public, &network, focal_buf_view(&body)));
    assert_false(focal_receipt_verify(&signature, &key.public, &other, focal_buf_view(&body)));
    assert_false(focal_receipt_verify(&signature, &r.signer, &network, focal_buf_view(&body)));
    body.data[10] ^= 1;
    assert_false(focal_receipt_verify(&signature, &key.public, &network, focal_buf_view(&body)));
    static const uint8_t huge[FOCAL_RECEIPT_MAX + 1];
    assert_false(focal_receipt_verify(&signature, &key.public, &network, focal_span_of(huge, sizeof huge)));
    assert_int_equal(focal_receipt_decode(&r, focal_span_of(huge, sizeof huge)), FOCAL_MALFORMED);
    focal_buf_close(&body);
}

static int start(void **state)
{
    (void)state;
    return focal_crypto_init() == FOCAL_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipts_round), cmocka_unit_test(heads_in_order), cmocka_unit_test(signature_binds),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
