/* Invitations as people paste them: whole, wrapped, cut short, mistyped, or something else altogether. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

static struct focal_buf genesis, token, bytes;
static struct focal_invitation sample;

static int start(void **state)
{
    (void)state;
    struct focal_sign_key authority;
    struct focal_genesis g;
    struct focal_buf body;
    uint8_t seed[32] = { 1 };
    if (focal_crypto_init() != FOCAL_OK)
        return -1;
    focal_sign_key_make(&authority, seed);
    memset(&g, 0, sizeof g);
    memcpy(g.label, "network", 7);
    g.authority = authority.public;
    focal_buf_init(&body, 1024);
    focal_buf_init(&genesis, 1024);
    focal_buf_init(&token, 16384);
    focal_buf_init(&bytes, 16384);
    focal_genesis_encode(&body, &g);
    focal_statement_sign(&genesis, authority.secret, NULL, focal_buf_view(&body));
    focal_network_id(&sample.network, focal_buf_view(&body));
    focal_buf_close(&body);
    sample.genesis = focal_buf_view(&genesis);
    memset(&sample.listener, 2, 32);
    memset(sample.psk, 3, sizeof sample.psk);
    sample.number = 1000;
    memcpy(sample.office.text, "UGA-KLA", 7);
    memcpy(sample.country, "UGA", 3);
    for (size_t i = 0; i < FOCAL_ADDRESSES_MAX; i++)
        memset(sample.addresses[i], (int)('a' + i), 63);
    sample.address_count = FOCAL_ADDRESSES_MAX;
    sample.expires_day = 20007;
    focal_invitation_encode(&token, &sample);
    return token.failed ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    focal_buf_close(&genesis);
    focal_buf_close(&token);
    focal_buf_close(&bytes);
    return 0;
}

static void same_as_sample(const struct focal_invitation *d)
{
    assert_true(focal_span_equal(d->genesis, sample.genesis));
    struct focal_invitation plain = *d;
    plain.genesis = sample.genesis;
    assert_memory_equal(&plain.network, &sample.network, 32);
    assert_memory_equal(&plain.listener, &sample.listener, 32);
    assert_memory_equal(plain.psk, sample.psk, 16);
    assert_int_equal(plain.number, sample.number);
    assert_string_equal(plain.office.text, sample.office.text);
    assert_string_equal(plain.country, sample.country);
    assert_int_equal(plain.address_count, sample.address_count);
    assert_memory_equal(plain.addresses, sample.addresses, sizeof sample.addresses);
    assert_int_equal(plain.expires_day, sample.expires_day);
}

static void whole_and_wrapped(void **state)
{
    (void)state;
    struct focal_invitation d;
    struct focal_error err;
    struct focal_buf wrapped;
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&token), &err), FOCAL_OK);
    same_as_sample(&d);
    focal_buf_init(&wrapped, 32768);
    focal_buf_text(&wrapped, " \t");
    for (size_t i = 0; i < token.len; i++) {
        focal_buf_u8(&wrapped, token.data[i]);
        if (i % 60 == 59)
            focal_buf_text(&wrapped, "\r\n ");
    }
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&wrapped), NULL), FOCAL_OK);
    same_as_sample(&d);
    focal_buf_close(&wrapped);
}

static void least_invitation(void **state)
{
    (void)state;
    struct focal_invitation least = sample, d;
    struct focal_buf text;
    least.address_count = 0;
    memset(least.addresses, 0, sizeof least.addresses);
    memset(least.country, 0, sizeof least.country);
    focal_buf_init(&text, 16384);
    focal_invitation_encode(&text, &least);
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&text), NULL), FOCAL_OK);
    assert_int_equal(d.address_count, 0);
    assert_string_equal(d.country, "");
    focal_buf_close(&text);
    focal_buf_init(&text, 100);
    focal_invitation_encode(&text, &least);
    assert_true(text.failed);
    focal_buf_close(&text);
}

static void cut_short(void **state)
{
    (void)state;
    struct focal_invitation d;
    struct focal_error err;
    for (size_t len = 7; len < token.len; len++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(focal_invitation_decode(&d, &bytes, focal_span_of(token.data, len), &err), FOCAL_MALFORMED);
        assert_non_null(strstr(err.message, "cut short"));
        assert_true(focal_bytes_zero(&d, sizeof d));
    }
    struct focal_buf longer;
    focal_buf_init(&longer, 32768);
    focal_buf_span(&longer, focal_buf_view(&token));
    focal_buf_text(&longer, "A");
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&longer), &err), FOCAL_MALFORMED);
    assert_non_null(strstr(err.message, "after its end"));
    focal_buf_close(&longer);
}

static void mistyped(void **state)
{
    (void)state;
    struct focal_invitation d;
    struct focal_error err;
    for (size_t i = 7; i < token.len; i++) {
        const uint8_t was = token.data[i];
        token.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&token), &err), FOCAL_MALFORMED);
        if (i > 9)
            assert_non_null(strstr(err.message, "mistyped"));
        token.data[i] = '?';
        assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&token), &err), FOCAL_MALFORMED);
        assert_non_null(strstr(err.message, "mistyped"));
        token.data[i] = was;
    }
}

static void not_a_token(void **state)
{
    (void)state;
    struct focal_invitation d;
    struct focal_error err;
    static const char *const other[] = { "", " ", "focal", "focal1", "focal2-AAAA", "hello, world", "Focal1-AAAA" };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_int_equal(focal_invitation_decode(&d, &bytes, focal_span_text(other[i]), &err), FOCAL_MALFORMED);
        assert_non_null(strstr(err.message, "not an invitation"));
        assert_true(err.hint[0] != 0);
    }
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_span_of(NULL, 0), NULL), FOCAL_MALFORMED);
    static char spaces[100000];
    memset(spaces, ' ', sizeof spaces - 1);
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_span_text(spaces), &err), FOCAL_MALFORMED);
}

/* A sound check over unsound words: somebody made it so. */
static void made_by_hand(void **state)
{
    (void)state;
    struct focal_invitation bad = sample, d;
    struct focal_buf text, forged;
    struct focal_error err;
    focal_buf_init(&text, 16384);
    focal_buf_init(&forged, 1024);
    focal_buf_span(&forged, sample.genesis);
    forged.data[3] ^= 1;                            /* a signature that is none */
    bad.genesis = focal_buf_view(&forged);
    focal_invitation_encode(&text, &bad);
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&text), &err), FOCAL_MALFORMED);
    assert_non_null(strstr(err.message, "not sound"));
    bad = sample;
    memcpy(bad.country, "ug1", 3);
    focal_buf_clear(&text);
    focal_invitation_encode(&text, &bad);
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&text), &err), FOCAL_MALFORMED);
    bad = sample;
    bad.addresses[2][5] = ' ';
    focal_buf_clear(&text);
    focal_invitation_encode(&text, &bad);
    assert_int_equal(focal_invitation_decode(&d, &bytes, focal_buf_view(&text), &err), FOCAL_MALFORMED);
    focal_buf_close(&forged);
    focal_buf_close(&text);
}

struct meter { size_t left; };

static bool allow(void *data, size_t wanted)
{
    struct meter *meter = data;
    (void)wanted;
    return meter->left > 0 && meter->left-- > 0;
}

static void no_memory(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t left = 0; left < 100; left++) {
        struct meter meter = { left };
        struct focal_invitation d;
        struct focal_buf own, text;
        focal_buf_init(&own, 16384);
        focal_buf_init(&text, 16384);
        focal_alloc_hook(allow, &meter);
        enum focal_status status = focal_invitation_decode(&d, &own, focal_buf_view(&token), NULL);
        focal_invitation_encode(&text, &sample);
        focal_alloc_hook(NULL, NULL);
        assert_true(status == FOCAL_OK || status == FOCAL_NO_MEMORY);
        assert_true(text.failed || focal_span_equal(focal_buf_view(&text), focal_buf_view(&token)));
        failures += status == FOCAL_NO_MEMORY;
        focal_buf_close(&own);
        focal_buf_close(&text);
        if (left == 99) {
            assert_int_equal(status, FOCAL_OK);
            assert_true(failures > 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_wrapped), cmocka_unit_test(least_invitation), cmocka_unit_test(cut_short),
        cmocka_unit_test(mistyped), cmocka_unit_test(not_a_token), cmocka_unit_test(made_by_hand),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
