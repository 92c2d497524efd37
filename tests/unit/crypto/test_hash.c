/* H(parts), the hashes of the log, and the hot path's two ways of doing the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

#include <sodium.h>

static struct focal_span text(const char *t) { return focal_span_text(t); }

static bool same(const struct focal_span *a, size_t an, const struct focal_span *b, size_t bn)
{
    struct focal_hash x, y;
    focal_hash_parts(&x, a, an);
    focal_hash_parts(&y, b, bn);
    return focal_hash_equal(&x, &y);
}

static void parts_cannot_be_shifted(void **state)
{
    (void)state;
    const struct focal_span a[] = { text("ab"), text("c") }, b[] = { text("a"), text("bc") }, c[] = { text("abc") },
                            d[] = { text("ab"), text("c"), text("") };
    assert_true(same(a, 2, a, 2));
    assert_false(same(a, 2, b, 2));
    assert_false(same(a, 2, c, 1));
    assert_false(same(a, 2, d, 3));
    const struct focal_span null[] = { text("ab"), text("c"), { NULL, 0 } };
    assert_true(same(d, 3, null, 3));
}

static void parts_are_what_they_say(void **state)
{
    (void)state;
    static const uint8_t in[] = { 0, 2, 'a', 'b', 0, 0, 0, 1, 'c' };
    const struct focal_span parts[] = { text("ab"), text(""), text("c") };
    struct focal_hash x, y;
    focal_hash_parts(&x, parts, 3);
    focal_blake2b(y.b, 32, focal_span_of(NULL, 0), focal_span_of(in, sizeof in));
    assert_true(focal_hash_equal(&x, &y));
}

/* Published: BLAKE2b-512 of "abc" (RFC 7693, appendix A), and a key makes another function of it. */
static void blake2b_is_blake2b(void **state)
{
    (void)state;
    uint8_t out[64], keyed[64];
    char hex[129];
    focal_blake2b(out, 64, focal_span_of(NULL, 0), text("abc"));
    focal_hex(hex, out, 64);
    assert_string_equal(hex, "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                             "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    focal_blake2b(keyed, 64, text("key"), text("abc"));
    assert_memory_not_equal(out, keyed, 64);
}

/* Around the size where one call becomes several, both must be the plain definition. */
static void chain_at_every_size(void **state)
{
    (void)state;
    static uint8_t bytes[16 * 1024], whole[64 + sizeof bytes];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    struct focal_id log = { { 9 } };
    struct focal_hash before = { { 5 } }, c = { { 6 } }, got, want;
    uint8_t salt[FOCAL_SALT_BYTES] = { 4 };
    const size_t sizes[] = { 0, 1, 63, 64, 128, 1023, 1024, 1025, 1040, 4096, sizeof bytes };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t len = sizes[i];
        const struct focal_span span = focal_span_of(len ? bytes : NULL, len);
        memcpy(whole, salt, 16);
        memcpy(whole + 16, bytes, len);
        crypto_generichash_blake2b(want.b, 32, whole, 16 + len, NULL, 0);
        focal_commitment(&got, salt, span);
        assert_memory_equal(got.b, want.b, 32);

        memcpy(whole, before.b, 32);
        memcpy(whole + 32, bytes, len);
        memcpy(whole + 32 + len, c.b, 32);
        crypto_generichash_blake2b_salt_personal(want.b, 32, whole, 64 + len, NULL, 0, log.b, NULL);
        focal_chain_next(&got, &before, &log, span, &c);
        assert_memory_equal(got.b, want.b, 32);
        got = before;
        focal_chain_next(&got, &got, &log, span, &c);
        assert_memory_equal(got.b, want.b, 32);
        log.b[0] ^= 1;
        focal_chain_next(&got, &before, &log, span, &c);
        assert_memory_not_equal(got.b, want.b, 32);
        log.b[0] ^= 1;
    }
}

static void names_differ_where_they_should(void **state)
{
    (void)state;
    const struct focal_hash network = { { 1 } }, other = { { 2 } };
    const struct focal_scope ken = { FOCAL_SCOPE_COUNTRY, "KEN" }, uga = { FOCAL_SCOPE_COUNTRY, "UGA" },
                             net = { FOCAL_SCOPE_NETWORK, "" };
    struct focal_hash a, b;
    focal_scope_id(&a, &network, &ken);
    focal_scope_id(&b, &network, &uga);
    assert_false(focal_hash_equal(&a, &b));
    focal_scope_id(&b, &network, &net);
    assert_false(focal_hash_equal(&a, &b));
    focal_scope_id(&b, &other, &ken);
    assert_false(focal_hash_equal(&a, &b));

    const struct focal_log_name name = { .author = { { 3 } }, .epoch = { { 4 } }, .scope = { { 5 } } };
    struct focal_id x, y;
    focal_log_id(&x, &network, &name);
    for (size_t i = 0; i < 4; i++) {
        struct focal_log_name changed = name;
        uint8_t *const bytes[] = { changed.author.b, changed.epoch.b, changed.scope.b, &changed.lane };
        bytes[i][0] ^= 1;
        focal_log_id(&y, &network, &changed);
        assert_false(focal_id_equal(&x, &y));
    }
    uint8_t s[16], t[16], seed[16] = { 8 };
    focal_salt_from_seed(s, seed, 1);
    focal_salt_from_seed(t, seed, 2);
    assert_memory_not_equal(s, t, 16);
    const struct focal_ref ref = { .seq = 1 };
    assert_true(focal_short_code(&ref) < UINT64_C(1) << 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_cannot_be_shifted), cmocka_unit_test(parts_are_what_they_say),
        cmocka_unit_test(blake2b_is_blake2b), cmocka_unit_test(chain_at_every_size),
        cmocka_unit_test(names_differ_where_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
