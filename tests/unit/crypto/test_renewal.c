/* Renewals and delegations: one byte string for each, nothing else taken, and whose signature counts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

static struct { struct focal_sign_key authority, renewer, other; struct focal_hash network; struct focal_buf body, delegation, statement; } s;

static int open_sheet(void **state)
{
    uint8_t seed[32];
    (void)state;
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    memset(seed, 1, sizeof seed);
    focal_sign_key_make(&s.authority, seed);
    memset(seed, 2, sizeof seed);
    focal_sign_key_make(&s.renewer, seed);
    memset(seed, 3, sizeof seed);
    focal_sign_key_make(&s.other, seed);
    memset(&s.network, 4, sizeof s.network);
    focal_buf_init(&s.body, 65536);
    focal_buf_init(&s.delegation, 65536);
    focal_buf_init(&s.statement, 65536);
    return 0;
}

static int close_sheet(void **state)
{
    (void)state;
    focal_buf_close(&s.body);
    focal_buf_close(&s.delegation);
    focal_buf_close(&s.statement);
    return 0;
}

static struct focal_renewal renewal(void)
{
    struct focal_renewal r = { .number = 300, .to_day = 20800, .openings_max = 800, .day = 20400 };
    memcpy(r.office.text, "KEN-1", 5);
    memset(&r.certificate, 9, sizeof r.certificate);
    return r;
}

static void sign_delegation(const struct focal_sign_key *by, bool key_set)
{
    struct focal_delegation d = { .key_set = key_set, .key = s.renewer.public, .number = 2, .until_day = 22000, .day = 20300 };
    memcpy(d.office.text, "HQ", 3);
    focal_buf_clear(&s.body);
    focal_buf_clear(&s.delegation);
    focal_delegation_encode(&s.body, &d);
    focal_statement_sign(&s.delegation, by->secret, &s.network, focal_buf_view(&s.body));
}

static void sign_renewal(struct focal_renewal *r, const struct focal_sign_key *by)
{
    focal_buf_clear(&s.body);
    focal_buf_clear(&s.statement);
    focal_renewal_encode(&s.body, r);
    focal_statement_sign(&s.statement, by->secret, &s.network, focal_buf_view(&s.body));
}

static bool good(void)
{
    struct focal_statement d;
    return focal_statement_decode(&d, focal_buf_view(&s.statement)) == FOCAL_OK && focal_statement_verify(&d, &s.authority.public, &s.network);
}

static void rounds(void **state)
{
    struct focal_statement d;
    struct focal_renewal r = renewal();
    (void)state;
    sign_renewal(&r, &s.authority);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_OK);
    assert_int_equal(d.kind, FOCAL_STATEMENT_RENEWAL);
    assert_false(d.newer);
    assert_true(focal_span_equal(d.subject, focal_span_text("KEN-1")));
    assert_string_equal(d.is.renewal.office.text, "KEN-1");
    assert_true(focal_hash_equal(&d.is.renewal.certificate, &r.certificate));
    assert_int_equal(d.is.renewal.number, 300);
    assert_int_equal(d.is.renewal.to_day, 20800);
    assert_int_equal(d.is.renewal.openings_max, 800);
    assert_int_equal(d.is.renewal.day, 20400);
    assert_int_equal(d.is.renewal.delegation.len, 0);
    assert_true(good());

    sign_delegation(&s.authority, true);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.delegation)), FOCAL_OK);
    assert_int_equal(d.kind, FOCAL_STATEMENT_DELEGATION);
    assert_true(focal_statement_verify(&d, &s.authority.public, &s.network));
    assert_string_equal(d.is.delegation.office.text, "HQ");
    assert_true(d.is.delegation.key_set && focal_key_equal(&d.is.delegation.key, &s.renewer.public));
    assert_int_equal(d.is.delegation.number, 2);
    assert_int_equal(d.is.delegation.until_day, 22000);
    assert_int_equal(d.is.delegation.day, 20300);

    r.delegation = focal_buf_view(&s.delegation);
    sign_renewal(&r, &s.renewer);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_OK);
    assert_true(focal_span_equal(d.is.renewal.delegation, focal_buf_view(&s.delegation)));
    assert_string_equal(d.is.renewal.by.office.text, "HQ");
    assert_int_equal(d.is.renewal.by.until_day, 22000);
    assert_true(good());
}

/* What a renewal says of its signer is held against the authority's signature, never believed. */
static void only_who_may(void **state)
{
    struct focal_renewal r = renewal();
    (void)state;
    sign_renewal(&r, &s.renewer);               /* the delegation left out */
    assert_false(good());
    sign_delegation(&s.authority, true);
    r.delegation = focal_buf_view(&s.delegation);
    sign_renewal(&r, &s.other);                 /* a key that it does not name */
    assert_false(good());
    sign_renewal(&r, &s.authority);             /* not even this one */
    assert_false(good());
    sign_delegation(&s.renewer, true);          /* given by itself */
    r.delegation = focal_buf_view(&s.delegation);
    sign_renewal(&r, &s.renewer);
    assert_false(good());
    sign_delegation(&s.authority, false);       /* given to nobody */
    r.delegation = focal_buf_view(&s.delegation);
    sign_renewal(&r, &s.renewer);
    assert_false(good());
    /* Another network's delegation. */
    s.network.b[0] ^= 1;
    sign_delegation(&s.authority, true);
    s.network.b[0] ^= 1;
    r.delegation = focal_buf_view(&s.delegation);
    sign_renewal(&r, &s.renewer);
    assert_false(good());
}

/* The renewal key signs nothing but renewals. */
static void nothing_else(void **state)
{
    struct focal_statement d;
    (void)state;
    sign_delegation(&s.renewer, true);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.delegation)), FOCAL_OK);
    assert_false(focal_statement_verify(&d, &s.authority.public, &s.network));
}

static void one_form(void **state)
{
    struct focal_renewal r = renewal();
    (void)state;
    for (int delegated = 0; delegated < 2; delegated++) {
        sign_delegation(&s.authority, true);
        r.delegation = delegated ? focal_buf_view(&s.delegation) : focal_span_of(NULL, 0);
        sign_renewal(&r, delegated ? &s.renewer : &s.authority);
        assert_true(good());
        for (size_t bit = 0; bit < s.statement.len * 8; bit++) {
            s.statement.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(good());
            s.statement.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        const size_t whole = s.statement.len;
        for (s.statement.len = 0; s.statement.len < whole; s.statement.len++)
            assert_false(good());
    }
}

/* Any item left out, and a delegation that is none. */
static void malformed(void **state)
{
    static const uint8_t zeroes[64];
    struct focal_statement d;
    (void)state;
    for (unsigned left_out = 0; left_out <= 6; left_out++) {
        for (uint8_t kind = FOCAL_STATEMENT_RENEWAL; kind <= FOCAL_STATEMENT_DELEGATION; kind++) {
            const bool is_renewal = kind == FOCAL_STATEMENT_RENEWAL;
            focal_buf_clear(&s.statement);
            focal_buf_bytes(&s.statement, zeroes, sizeof zeroes);
            focal_buf_varint(&s.statement, kind);
            for (unsigned tag = 1; tag <= (is_renewal ? 6 : 5); tag++) {
                const bool number = tag == 3, key = tag == 2;
                if (tag != left_out)
                    focal_buf_item(&s.statement, tag, tag == 1 ? focal_span_text("KEN") : focal_span_of(s.network.b, key ? 32 : number ? 1 : 4));
            }
            const bool whole = left_out == 0 || (!is_renewal && (left_out == 2 || left_out == 6));
            assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), whole ? FOCAL_OK : FOCAL_MALFORMED);
            if (whole && is_renewal) {      /* and with something that is no delegation as its seventh */
                focal_buf_item(&s.statement, 7, focal_buf_view(&s.body));
                assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_MALFORMED);
            }
        }
    }
}

static void derived_key(void **state)
{
    struct focal_node_keys keys;
    struct focal_sign_key a, b;
    uint8_t random[96];
    (void)state;
    memset(random, 7, sizeof random);
    random[32] = 8;
    random[64] = 9;
    focal_node_keys_make(&keys, random);
    focal_renewal_key(&a, &keys);
    focal_renewal_key(&b, &keys);
    assert_memory_equal(&a, &b, sizeof a);
    assert_false(focal_key_equal(&a.public, &keys.sign_public));
    random[0] ^= 1;
    focal_node_keys_make(&keys, random);
    focal_renewal_key(&b, &keys);
    assert_false(focal_key_equal(&a.public, &b.public));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rounds, open_sheet, close_sheet),
        cmocka_unit_test_setup_teardown(only_who_may, open_sheet, close_sheet),
        cmocka_unit_test_setup_teardown(nothing_else, open_sheet, close_sheet),
        cmocka_unit_test_setup_teardown(one_form, open_sheet, close_sheet),
        cmocka_unit_test_setup_teardown(malformed, open_sheet, close_sheet),
        cmocka_unit_test_setup_teardown(derived_key, open_sheet, close_sheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
